"""Endpoints of the assistants, and what is delivered to them."""

from alembic import op

revision = "0007"
down_revision = "0006"

STATEMENTS: tuple[str, ...] = (
    """
    CREATE TABLE endpoints (
        id text PRIMARY KEY,
        client_id text NOT NULL,
        url text NOT NULL,
        description text NOT NULL,
        types text[] NOT NULL,
        subject text,
        operator boolean NOT NULL,
        signatures text[] NOT NULL,
        secret bytea NOT NULL,
        public_key text NOT NULL,
        previous bytea[] NOT NULL DEFAULT '{}',
        previous_until timestamptz,
        state text NOT NULL CHECK (state IN ('unverified', 'enabled', 'disabled', 'deleted')),
        reason text,
        verified_at timestamptz,
        failures int NOT NULL DEFAULT 0,
        failing_since timestamptz,
        counting_since timestamptz,
        last_failure_at timestamptz,
        last_success_at timestamptz,
        to_clear boolean NOT NULL DEFAULT false,
        created_at timestamptz NOT NULL
    ) WITH (fillfactor = 70)
    """,
    "CREATE INDEX endpoints_client ON endpoints (client_id, id) WHERE state <> 'deleted'",
    "CREATE INDEX endpoints_hearing ON endpoints (client_id) WHERE state = 'enabled'",
    "CREATE INDEX endpoints_operator ON endpoints (id) WHERE state = 'enabled' AND operator",
    "CREATE INDEX endpoints_to_clear ON endpoints (id) WHERE to_clear",
    "CREATE TABLE endpoint_calls (client_id text PRIMARY KEY, since timestamptz NOT NULL, calls int NOT NULL)",
    """
    CREATE TABLE deliveries (
        id text PRIMARY KEY,
        seq bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
        client_id text NOT NULL,
        endpoint_id text NOT NULL REFERENCES endpoints (id),
        event_id text NOT NULL,
        type text NOT NULL,
        line text NOT NULL,
        state text NOT NULL CHECK (state IN ('pending', 'delivered', 'failed')),
        reason text,
        attempt int NOT NULL DEFAULT 0,
        replay boolean NOT NULL DEFAULT false,
        created_at timestamptz NOT NULL,
        finished_at timestamptz,
        work text CHECK (work IN ('ready', 'waiting', 'running')),
        work_at timestamptz NOT NULL,
        worker bigint,
        tries int NOT NULL DEFAULT 0
    ) WITH (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 500,
        autovacuum_analyze_scale_factor = 0.05, fillfactor = 80)
    """,
    "CREATE UNIQUE INDEX deliveries_event ON deliveries (event_id, endpoint_id)",
    "CREATE INDEX deliveries_ready ON deliveries (endpoint_id, seq) WHERE work = 'ready'",
    "CREATE INDEX deliveries_waiting ON deliveries (work_at) WHERE work = 'waiting'",
    "CREATE INDEX deliveries_running ON deliveries (worker) WHERE work = 'running'",
    "CREATE INDEX deliveries_under_way ON deliveries (endpoint_id) WHERE work = 'running'",
    "CREATE INDEX deliveries_line ON deliveries (line, replay, seq) WHERE work IS NOT NULL",
    "CREATE INDEX deliveries_to_clear ON deliveries (endpoint_id, seq) WHERE work IN ('ready', 'waiting')",
    "CREATE INDEX deliveries_client ON deliveries (client_id, seq)",
    "CREATE INDEX deliveries_endpoint ON deliveries (endpoint_id, seq)",
    "CREATE INDEX deliveries_ended ON deliveries (finished_at) WHERE work IS NULL",
    "CREATE INDEX deliveries_failed ON deliveries (endpoint_id, seq) WHERE state = 'failed'",
    """
    CREATE TABLE delivery_attempts (
        id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
        delivery_id text NOT NULL,
        at timestamptz NOT NULL,
        replay boolean NOT NULL,
        status int,
        ms int NOT NULL,
        error text,
        body bytea
    )
    """,
    "CREATE INDEX delivery_attempts_delivery ON delivery_attempts (delivery_id)",
)


def upgrade() -> None:
    """Create what events are delivered by."""
    for statement in STATEMENTS:
        op.execute(statement)
