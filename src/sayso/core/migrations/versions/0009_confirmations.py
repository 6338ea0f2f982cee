"""Questions of every kind: options, tiers, several approvers, timers, lists."""

from alembic import op

revision = "0009"
down_revision = "0008"

STATEMENTS = (
    # ``held``: answered, in its undo window, with ``leaning`` the outcome it will get. ``rule``: the policy as it was
    # resolved for this question. ``same_as``: what identical questions share. No message: a rule decided at once.
    """
    ALTER TABLE confirmations
        DROP CONSTRAINT confirmations_status_check,
        ADD CONSTRAINT confirmations_status_check CHECK (status IN ('pending', 'held', 'decided')),
        ALTER COLUMN message_id DROP NOT NULL,
        ADD COLUMN kind text NOT NULL DEFAULT 'approve' CHECK (kind IN ('approve', 'choose', 'ask')),
        ADD COLUMN options jsonb,
        ADD COLUMN tier text NOT NULL DEFAULT 'low' CHECK (tier IN ('low', 'medium', 'high')),
        ADD COLUMN challenge text CHECK (challenge IN ('code', 'number')),
        ADD COLUMN policy_version text,
        ADD COLUMN rule jsonb NOT NULL DEFAULT '{}',
        ADD COLUMN needed int NOT NULL DEFAULT 1 CHECK (needed > 0),
        ADD COLUMN answer jsonb,
        ADD COLUMN leaning text,
        ADD COLUMN superseded_by text,
        ADD COLUMN dedupe text,
        ADD COLUMN same_as bytea,
        ADD COLUMN frozen_why text,
        ADD COLUMN extended int NOT NULL DEFAULT 0,
        ADD COLUMN held_until timestamptz,
        ADD CHECK ((status = 'held') = (leaning IS NOT NULL AND outcome IS NULL))
    """,
    "CREATE UNIQUE INDEX confirmations_dedupe ON confirmations (client_id, dedupe) WHERE dedupe IS NOT NULL",
    "CREATE INDEX confirmations_same ON confirmations (same_as) WHERE status <> 'decided' AND same_as IS NOT NULL",
    # What an assistant has open is counted for each question; by person nobody looks for what is pending any more.
    "DROP INDEX confirmations_open",
    "CREATE INDEX confirmations_client_open ON confirmations (client_id) WHERE status <> 'decided'",
    # One row a person asked, or to be asked: also of the simplest question. ``rest``: the messages that show the whole
    # of an action whose fields the question did not hold; empty until they are sent, NULL where it held them all.
    """
    CREATE TABLE approvers (
        confirmation_id text NOT NULL REFERENCES confirmations (id),
        person_id text NOT NULL REFERENCES people (id),
        position int NOT NULL DEFAULT 0,
        because text NOT NULL DEFAULT 'asked' CHECK (because IN ('asked', 'escalated', 'delegated')),
        delegated_from text,
        state text NOT NULL CHECK (state IN ('waiting', 'asked', 'answered', 'undeliverable', 'passed')),
        message_id text,
        code text,
        wrong int NOT NULL DEFAULT 0,
        verdict text,
        answer_id text,
        answered_at timestamptz,
        reminded_at timestamptz,
        answer jsonb,
        shown jsonb,
        shown_hash jsonb,
        rest text[],
        lost text CHECK (lost IN ('undeliverable', 'opted_out')),
        CHECK ((state = 'undeliverable') = (lost IS NOT NULL)),
        PRIMARY KEY (confirmation_id, person_id)
    ) WITH (fillfactor = 80)
    """,
    "CREATE INDEX approvers_person ON approvers (person_id, confirmation_id)",
    """
    INSERT INTO approvers (confirmation_id, person_id, state, message_id, verdict, answer_id, answered_at)
    SELECT c.id, c.person_id, CASE WHEN a.id IS NULL THEN 'asked' ELSE 'answered' END, c.message_id, a.verdict, a.id,
        a.received_at FROM confirmations c LEFT JOIN answers a ON a.id = c.decided_by
    """,
    # What was told of a question, and said to those who were asked, for whoever looks at it.
    "CREATE INDEX events_subject ON events (subject)",
    "CREATE INDEX messages_confirmation ON messages (confirmation_id) WHERE confirmation_id IS NOT NULL",
    # ``items``: what the numbers mean, questions or, with ``options_of``, the options of that question.
    """
    CREATE TABLE question_lists (
        id text PRIMARY KEY,
        person_id text NOT NULL REFERENCES people (id),
        phone_number_id text NOT NULL,
        message_id text NOT NULL,
        verdict text,
        items jsonb NOT NULL,
        options_of text,
        created_at timestamptz NOT NULL
    )
    """,
    "CREATE INDEX question_lists_person ON question_lists (person_id, phone_number_id, created_at)",
    """
    CREATE TABLE absences (
        person_id text NOT NULL REFERENCES people (id),
        from_at timestamptz NOT NULL,
        until timestamptz NOT NULL,
        delegate_id text NOT NULL REFERENCES people (id),
        set_by text NOT NULL,
        CHECK (until > from_at AND delegate_id <> person_id),
        PRIMARY KEY (person_id, set_by)
    )
    """,
)


def upgrade() -> None:
    """Create what questions need."""
    for statement in STATEMENTS:
        op.execute(statement)
