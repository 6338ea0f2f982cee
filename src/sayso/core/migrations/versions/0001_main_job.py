"""The main job: people, messages, confirmations, what came in, what is told, who works."""

from alembic import op

revision = "0001"
down_revision = None

# The five columns of a claimable table (core/claims.py). Aggressive vacuum: dead rows are what slows claims.
_WORK = """
    work text CHECK (work IN ('ready', 'waiting', 'running')),
    work_at timestamptz NOT NULL,
    worker bigint,
    tries int NOT NULL DEFAULT 0
"""
_VACUUM = (
    "WITH (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 500, "
    "autovacuum_analyze_scale_factor = 0.05, fillfactor = 80)"
)


def _claimable(table: str, order: str) -> str:
    return f"""
    CREATE INDEX {table}_ready ON {table} ({order}) WHERE work = 'ready';
    CREATE INDEX {table}_waiting ON {table} (work_at) WHERE work = 'waiting';
    CREATE INDEX {table}_running ON {table} (worker) WHERE work = 'running';
    """


WORKERS = """
CREATE TABLE workers (
    id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    beat_at timestamptz NOT NULL
) WITH (fillfactor = 50);
"""

PEOPLE = """
CREATE TABLE people (
    id text PRIMARY KEY,
    merged_into text REFERENCES people (id),
    name text,
    created_at timestamptz NOT NULL
);
CREATE INDEX people_merged ON people (merged_into) WHERE merged_into IS NOT NULL;
CREATE TABLE people_identifiers (
    kind text NOT NULL CHECK (kind IN ('bsuid', 'parent_bsuid', 'wa_id', 'phone')),
    value text NOT NULL,
    person_id text NOT NULL REFERENCES people (id),
    learned_from text NOT NULL,
    learned_at timestamptz NOT NULL,
    PRIMARY KEY (kind, value)
);
CREATE INDEX people_identifiers_person ON people_identifiers (person_id);
CREATE TABLE people_links (
    client_id text NOT NULL,
    external_id text NOT NULL,
    person_id text NOT NULL REFERENCES people (id),
    phone text NOT NULL,
    name text,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (client_id, external_id)
);
CREATE INDEX people_links_person ON people_links (person_id);
"""

UPDATES = f"""
CREATE TABLE webhook_bodies (
    digest bytea PRIMARY KEY,
    received_at timestamptz NOT NULL,
    body bytea NOT NULL
);
CREATE TABLE updates (
    id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    key text NOT NULL UNIQUE,
    kind text NOT NULL,
    phone_number_id text NOT NULL,
    person_key text NOT NULL,
    item bytea NOT NULL,
    context bytea NOT NULL,
    body_digest bytea NOT NULL,
    received_at timestamptz NOT NULL,
    state text NOT NULL DEFAULT 'received' CHECK (state IN ('received', 'done', 'parked', 'stale')),
    result text,
    finished_at timestamptz,
    {_WORK}
) {_VACUUM};
{_claimable("updates", "id")}
CREATE INDEX updates_held ON updates (person_key) WHERE work IN ('running', 'waiting');
CREATE INDEX updates_open ON updates (person_key) WHERE work IS NOT NULL;
CREATE INDEX updates_parked ON updates (id) WHERE state = 'parked';
"""

MESSAGES = f"""
CREATE TABLE messages (
    id text PRIMARY KEY,
    client_id text NOT NULL,
    person_id text NOT NULL REFERENCES people (id),
    phone_number_id text NOT NULL,
    purpose text NOT NULL,
    lane smallint NOT NULL,
    confirmation_id text,
    content jsonb NOT NULL,
    outside_window jsonb,
    needs_window boolean NOT NULL DEFAULT false,
    quotes text,
    form text,
    state text NOT NULL CHECK (state IN ('queued', 'sending', 'accepted', 'sent', 'delivered', 'read',
        'failed', 'suppressed', 'expired', 'cancelled', 'unknown')),
    reason text,
    error_code int,
    wamid text,
    attempt int NOT NULL DEFAULT 0,
    posted_at timestamptz,
    expires_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL,
    {_WORK}
) {_VACUUM};
{_claimable("messages", "lane, id")}
CREATE INDEX messages_wamid ON messages (wamid) WHERE wamid IS NOT NULL;
CREATE INDEX messages_client ON messages (client_id, id);
CREATE INDEX messages_in_flight ON messages (person_id) WHERE state = 'sending';
CREATE TABLE message_timeline (
    id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    message_id text NOT NULL,
    at timestamptz NOT NULL,
    state text NOT NULL,
    reason text,
    detail jsonb
);
CREATE INDEX message_timeline_message ON message_timeline (message_id);
CREATE TABLE conversations (
    person_id text NOT NULL REFERENCES people (id),
    phone_number_id text NOT NULL,
    last_inbound_at timestamptz NOT NULL,
    PRIMARY KEY (person_id, phone_number_id)
) WITH (fillfactor = 80);
"""

CONFIRMATIONS = f"""
CREATE TABLE confirmations (
    id text PRIMARY KEY,
    client_id text NOT NULL,
    user_id text NOT NULL,
    person_id text NOT NULL REFERENCES people (id),
    phone_number_id text NOT NULL,
    message_id text NOT NULL,
    action jsonb NOT NULL,
    action_hash bytea NOT NULL,
    shown jsonb NOT NULL,
    shown_hash jsonb NOT NULL,
    status text NOT NULL CHECK (status IN ('pending', 'decided')),
    outcome text CHECK (outcome IN ('confirmed', 'declined', 'cancelled', 'withdrawn', 'superseded',
        'expired', 'undeliverable', 'opted_out')),
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    decided_at timestamptz,
    decided_by text,
    CHECK ((status = 'decided') = (outcome IS NOT NULL AND decided_at IS NOT NULL)),
    {_WORK}
) {_VACUUM};
{_claimable("confirmations", "work_at, id")}
CREATE INDEX confirmations_open ON confirmations (person_id) WHERE status = 'pending';
CREATE INDEX confirmations_person ON confirmations (person_id, created_at);
CREATE INDEX confirmations_client ON confirmations (client_id, id);
CREATE TABLE answers (
    id text PRIMARY KEY,
    confirmation_id text NOT NULL REFERENCES confirmations (id),
    person_id text NOT NULL REFERENCES people (id),
    update_key text NOT NULL UNIQUE,
    wamid text NOT NULL,
    how text NOT NULL,
    said text NOT NULL,
    verdict text NOT NULL,
    effect text NOT NULL,
    sent_at timestamptz,
    received_at timestamptz NOT NULL
);
CREATE INDEX answers_confirmation ON answers (confirmation_id);
"""

EVENTS = """
CREATE TABLE events (
    id text PRIMARY KEY,
    tx xid8 NOT NULL DEFAULT pg_current_xact_id(),
    client_id text NOT NULL,
    type text NOT NULL,
    subject text NOT NULL,
    data jsonb NOT NULL,
    at timestamptz NOT NULL
);
CREATE INDEX events_feed ON events (client_id, tx, id);
CREATE TABLE idempotency (
    client_id text NOT NULL,
    route text NOT NULL,
    key text NOT NULL,
    fingerprint bytea NOT NULL,
    status smallint,
    body bytea,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (client_id, route, key)
);
"""


def upgrade() -> None:
    """Create every table of the main job."""
    for part in (WORKERS, PEOPLE, UPDATES, MESSAGES, CONFIRMATIONS, EVENTS):
        for statement in part.split(";"):
            if statement.strip():
                op.execute(statement)
