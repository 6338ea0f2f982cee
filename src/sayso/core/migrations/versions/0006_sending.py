"""Messages: category, holds with their reason, policies for lost answers, attempts, prices; claims within a sender."""

from alembic import op

revision = "0006"
down_revision = "0005"

STATEMENTS = (
    """
    ALTER TABLE messages
        ADD COLUMN category text NOT NULL DEFAULT 'notifications',
        ADD COLUMN type text NOT NULL DEFAULT 'text',
        ADD COLUMN send_at timestamptz,
        ADD COLUMN held text,
        ADD COLUMN held_by text,
        ADD COLUMN suppressed_by text,
        ADD COLUMN if_unknown text NOT NULL DEFAULT 'give_up' CHECK (if_unknown IN ('give_up', 'retry_once', 'ask')),
        ADD COLUMN template_name text,
        ADD COLUMN template_language text,
        ADD COLUMN fell_back boolean NOT NULL DEFAULT false,
        ADD COLUMN past_wamids text[] NOT NULL DEFAULT '{}',
        ADD COLUMN retries int NOT NULL DEFAULT 0,
        ADD COLUMN price_estimate text,
        ADD COLUMN price_category text,
        ADD COLUMN price_billable boolean,
        ADD COLUMN risked boolean NOT NULL DEFAULT false,
        ADD COLUMN posting_until timestamptz,
        ADD COLUMN dedupe text
    """,
    "CREATE UNIQUE INDEX messages_dedupe ON messages (client_id, dedupe) WHERE dedupe IS NOT NULL",
    "DROP INDEX messages_ready",
    "CREATE INDEX messages_ready ON messages (phone_number_id, lane, id) WHERE work = 'ready'",
    "CREATE INDEX messages_to_report ON messages (id) WHERE work = 'ready' AND state <> 'queued'",
    "CREATE INDEX messages_stale ON messages (expires_at) WHERE work || ' ' || state = 'ready queued'",
    "CREATE INDEX messages_held ON messages (held_by, work_at) WHERE held_by IS NOT NULL AND work IS NOT NULL",
    # Asked so that nobody who asks for work = 'ready' is given this one: before the first analysis it looks as small.
    "CREATE INDEX messages_to_come ON messages (person_id) WHERE coalesce(work, '') <> ''",
    "CREATE INDEX messages_dead ON messages (id) WHERE state IN ('failed', 'expired', 'unknown')",
    "CREATE INDEX messages_past_wamids ON messages USING gin (past_wamids) WHERE past_wamids <> '{}'",
    """
    ALTER TABLE conversations
        ADD COLUMN referred_at timestamptz,
        ADD COLUMN free_entry_until timestamptz,
        ADD COLUMN hold_until timestamptz,
        ADD COLUMN hold_why text,
        ADD COLUMN hold_times int NOT NULL DEFAULT 0,
        ADD COLUMN marketing_until timestamptz,
        ADD COLUMN marketing_why text,
        ADD COLUMN closed_at timestamptz,
        ADD COLUMN strikes int NOT NULL DEFAULT 0,
        ADD COLUMN struck_at timestamptz,
        ALTER COLUMN last_inbound_at DROP NOT NULL
    """,
    "CREATE INDEX conversations_referred ON conversations (person_id) WHERE referred_at IS NOT NULL",
    "ALTER TABLE workers ADD COLUMN session text NOT NULL DEFAULT ''",
    "CREATE TABLE releases (held_by text PRIMARY KEY)",
    "CREATE TABLE heard (phone_number_id text PRIMARY KEY, since timestamptz NOT NULL)",
    # Who has ever sent to whom: asked for more often than anybody is forgotten. An index of messages by person would
    # be written with every state of every message, and about double what PostgreSQL has to do for one.
    """
    CREATE TABLE message_clients (
        person_id text NOT NULL REFERENCES people (id),
        client_id text NOT NULL,
        PRIMARY KEY (person_id, client_id)
    )
    """,
    "INSERT INTO message_clients SELECT DISTINCT person_id, client_id FROM messages",
    """
    CREATE TABLE pairs (
        phone_number_id text NOT NULL,
        person_id text NOT NULL,
        began timestamptz NOT NULL,
        count int NOT NULL,
        PRIMARY KEY (phone_number_id, person_id)
    ) WITH (fillfactor = 80)
    """,
)


def upgrade() -> None:
    """Add what a paced, explained send needs."""
    for statement in STATEMENTS:
        op.execute(statement)
