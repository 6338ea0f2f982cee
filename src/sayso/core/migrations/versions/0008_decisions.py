"""Decisions as proof: the log, its checkpoints, receipts, the right to execute."""

from alembic import op

revision = "0008"
down_revision = "0007"

STATEMENTS = (
    # What a person's answer quoted, by Meta's id: a receipt says so.
    "ALTER TABLE answers ADD COLUMN quoted text",
    """
    CREATE TABLE decision_log (
        index bigint PRIMARY KEY CHECK (index >= 0),
        confirmation_id text NOT NULL UNIQUE REFERENCES confirmations (id),
        entry bytea NOT NULL,
        leaf bytea NOT NULL,
        head bytea NOT NULL
    )
    """,
    """
    CREATE TABLE decision_head (
        one boolean PRIMARY KEY DEFAULT true CHECK (one),
        size bigint NOT NULL,
        head bytea NOT NULL
    ) WITH (fillfactor = 50)
    """,
    "INSERT INTO decision_head (size, head) VALUES (0, decode(repeat('00', 32), 'hex'))",
    """
    CREATE TABLE decision_checkpoints (
        size bigint PRIMARY KEY,
        note text NOT NULL,
        at timestamptz NOT NULL
    )
    """,
    # Nothing is ever changed in the log, by whatever mistake. It holds nothing personal, so nothing has to go.
    """
    CREATE FUNCTION decision_log_stays() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION 'the decision log is append-only';
    END $$
    """,
    """
    CREATE TRIGGER decision_log_stays BEFORE UPDATE OR DELETE ON decision_log
        FOR EACH ROW EXECUTE FUNCTION decision_log_stays()
    """,
    """
    CREATE TRIGGER decision_log_stays BEFORE UPDATE OR DELETE ON decision_checkpoints
        FOR EACH ROW EXECUTE FUNCTION decision_log_stays()
    """,
    # ``opened`` is what an erasure takes: the salts, and what they hide in the receipt, in the order of ``persons``.
    """
    CREATE TABLE receipts (
        confirmation_id text PRIMARY KEY REFERENCES confirmations (id),
        jws text NOT NULL,
        opened jsonb,
        persons text[] NOT NULL,
        use_by timestamptz
    )
    """,
    """
    CREATE TABLE executions (
        confirmation_id text PRIMARY KEY REFERENCES confirmations (id),
        id text NOT NULL UNIQUE,
        claimed_at timestamptz NOT NULL,
        claimed_by text NOT NULL,
        status text NOT NULL DEFAULT 'claimed' CHECK (status IN ('claimed', 'done', 'failed')),
        note text,
        reported_at timestamptz,
        CHECK ((status = 'claimed') = (reported_at IS NULL))
    )
    """,
)


def upgrade() -> None:
    """Create what decisions are proved by."""
    for statement in STATEMENTS:
        op.execute(statement)
