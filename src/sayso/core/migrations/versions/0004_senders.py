"""Senders: what Meta allows each of our numbers, how fast each goes now, what holds it; alerts."""

from alembic import op

revision = "0004"
down_revision = "0003"

STATEMENTS = (
    """
    CREATE TABLE portfolios (
        id text PRIMARY KEY,
        tier text,
        tier_limit int,
        used int NOT NULL DEFAULT 0,
        hold_until timestamptz,
        hold_why text
    ) WITH (fillfactor = 50)
    """,
    """
    CREATE TABLE portfolio_reach (
        portfolio_id text NOT NULL REFERENCES portfolios (id),
        person_id text NOT NULL,
        at timestamptz NOT NULL,
        message_id text NOT NULL,
        PRIMARY KEY (portfolio_id, person_id)
    )
    """,
    "CREATE INDEX portfolio_reach_at ON portfolio_reach (portfolio_id, at)",
    "CREATE INDEX portfolio_reach_message ON portfolio_reach (message_id)",
    """
    CREATE TABLE senders (
        id text PRIMARY KEY,
        waba_id text NOT NULL,
        portfolio_id text NOT NULL REFERENCES portfolios (id),
        display_number text,
        verified_name text,
        quality text,
        status text,
        throughput text,
        can_send text,
        obstacles text[] NOT NULL DEFAULT '{}',
        rate_limit double precision NOT NULL DEFAULT 80,
        rate double precision NOT NULL DEFAULT 80,
        rate_grows_at timestamptz,
        told_percent double precision,
        told_at timestamptz,
        tat timestamptz NOT NULL DEFAULT '-infinity',
        turn bigint NOT NULL DEFAULT 0,
        hold_from timestamptz,
        hold_until timestamptz,
        hold_why text,
        hold_code int,
        hold_times int NOT NULL DEFAULT 0,
        circuit text NOT NULL DEFAULT 'closed' CHECK (circuit IN ('closed', 'open')),
        circuit_since timestamptz,
        circuit_why text,
        circuit_code int,
        token_mark text,
        checked_at timestamptz,
        checks_failed int NOT NULL DEFAULT 0,
        check_failed text,
        check_again boolean NOT NULL DEFAULT false,
        work text CHECK (work IN ('ready', 'waiting', 'running')),
        work_at timestamptz NOT NULL,
        worker bigint,
        tries int NOT NULL DEFAULT 0
    ) WITH (fillfactor = 50)
    """,
    "CREATE INDEX senders_ready ON senders (id) WHERE work = 'ready'",
    "CREATE INDEX senders_waiting ON senders (work_at) WHERE work = 'waiting'",
    "CREATE INDEX senders_running ON senders (worker) WHERE work = 'running'",
    """
    CREATE TABLE call_budgets (
        waba_id text PRIMARY KEY,
        used double precision NOT NULL,
        at timestamptz NOT NULL,
        told_percent double precision,
        hold_until timestamptz,
        hold_why text
    ) WITH (fillfactor = 50)
    """,
    """
    CREATE TABLE alerts (
        id text PRIMARY KEY,
        key text NOT NULL,
        severity text NOT NULL CHECK (severity IN ('info', 'warning', 'critical')),
        title text NOT NULL,
        detail text NOT NULL,
        advice text NOT NULL,
        raised_at timestamptz NOT NULL,
        seen_at timestamptz NOT NULL,
        until timestamptz,
        resolved_at timestamptz,
        resolved_by text
    )
    """,
    "CREATE UNIQUE INDEX alerts_open ON alerts (key) WHERE resolved_at IS NULL",
    "CREATE INDEX alerts_raised ON alerts (raised_at)",
)


def upgrade() -> None:
    """Create what sending is paced by."""
    for statement in STATEMENTS:
        op.execute(statement)
