"""Consent: the ledger and its head, policies, suppressions that outlive an erasure, opt-in questions."""

from alembic import op

revision = "0003"
down_revision = "0002"

STATEMENTS = (
    """
    CREATE TABLE consent_entries (
        seq bigint PRIMARY KEY CHECK (seq > 0),
        id text NOT NULL UNIQUE,
        client_id text NOT NULL,
        person_id text NOT NULL REFERENCES people (id),
        action text NOT NULL CHECK (action IN ('granted', 'confirmed', 'denied', 'withdrawn', 'renewed', 'expired',
            'imported', 'corrected', 'suppressed_by_meta', 'lifted_by_meta')),
        scope text[] NOT NULL CHECK (cardinality(scope) > 0),
        method text NOT NULL,
        about text,
        captured_at timestamptz NOT NULL,
        received_at timestamptz NOT NULL,
        expires_at timestamptz,
        verified boolean NOT NULL,
        personal jsonb,
        salt bytea,
        personal_digest bytea NOT NULL,
        prev_hash bytea NOT NULL,
        person_prev_hash bytea NOT NULL,
        hash bytea NOT NULL
    )
    """,
    "CREATE INDEX consent_entries_person ON consent_entries (person_id, seq)",
    "CREATE INDEX consent_entries_about ON consent_entries (about) WHERE about IS NOT NULL",
    "CREATE INDEX consent_entries_ends ON consent_entries (expires_at) WHERE expires_at IS NOT NULL",
    "CREATE INDEX consent_entries_received ON consent_entries (received_at)",
    """
    CREATE TABLE consent_head (
        one boolean PRIMARY KEY DEFAULT true CHECK (one),
        seq bigint NOT NULL,
        hash bytea NOT NULL,
        seal bytea
    ) WITH (fillfactor = 50)
    """,
    "INSERT INTO consent_head (seq, hash) VALUES (0, decode(repeat('00', 32), 'hex'))",
    # Nothing is ever changed in the ledger, by whatever mistake: only what is personal can go, and as a whole.
    """
    CREATE FUNCTION consent_entries_stay() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF TG_OP = 'UPDATE' AND NEW.personal IS NULL AND NEW.salt IS NULL
            AND to_jsonb(NEW) - 'personal' - 'salt' = to_jsonb(OLD) - 'personal' - 'salt' THEN
            RETURN NEW;
        END IF;
        RAISE EXCEPTION 'the consent ledger is append-only';
    END $$
    """,
    """
    CREATE TRIGGER consent_entries_stay BEFORE UPDATE OR DELETE ON consent_entries
        FOR EACH ROW EXECUTE FUNCTION consent_entries_stay()
    """,
    """
    CREATE TABLE consent_policies (
        id text PRIMARY KEY,
        category text NOT NULL,
        opt_in_required boolean NOT NULL,
        reason text NOT NULL,
        actor text NOT NULL,
        at timestamptz NOT NULL
    )
    """,
    "CREATE INDEX consent_policies_category ON consent_policies (category, id)",
    """
    CREATE TABLE consent_suppressions (
        digest bytea NOT NULL,
        entry_id text NOT NULL,
        action text NOT NULL,
        method text NOT NULL,
        scope text[] NOT NULL,
        captured_at timestamptz NOT NULL,
        at timestamptz NOT NULL,
        PRIMARY KEY (digest, entry_id)
    )
    """,
    """
    CREATE TABLE consent_questions (
        id text PRIMARY KEY,
        client_id text NOT NULL,
        person_id text NOT NULL REFERENCES people (id),
        phone_number_id text NOT NULL,
        message_id text NOT NULL,
        scope text[] NOT NULL,
        shown jsonb,
        asked_at timestamptz NOT NULL,
        expires_at timestamptz NOT NULL,
        answered_at timestamptz,
        entry_id text
    )
    """,
    "CREATE INDEX consent_questions_person ON consent_questions (person_id)",
)


def upgrade() -> None:
    """Create the ledger and what stands around it."""
    for statement in STATEMENTS:
        op.execute(statement)
