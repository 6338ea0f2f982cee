"""People: language and time zone, identifiers that were let go, merges that can be undone, erasure."""

from alembic import op

revision = "0002"
down_revision = "0001"

STATEMENTS = (
    """
    ALTER TABLE people
        ADD COLUMN language text,
        ADD COLUMN language_said text,
        ADD COLUMN language_said_at timestamptz,
        ADD COLUMN time_zone text,
        ADD COLUMN identity_changed_at timestamptz,
        ADD COLUMN erased_at timestamptz
    """,
    "ALTER TABLE people_identifiers ADD COLUMN said_at timestamptz",
    "UPDATE people_identifiers SET said_at = learned_at",
    "ALTER TABLE people_identifiers ALTER COLUMN said_at SET NOT NULL",
    """
    ALTER TABLE people_links
        ALTER COLUMN phone DROP NOT NULL,
        ADD COLUMN bsuid text,
        ADD COLUMN language text,
        ADD COLUMN time_zone text
    """,
    """
    CREATE TABLE people_past_identifiers (
        id text PRIMARY KEY,
        kind text NOT NULL,
        value text NOT NULL,
        person_id text NOT NULL REFERENCES people (id),
        learned_from text NOT NULL,
        learned_at timestamptz NOT NULL,
        gone_at timestamptz NOT NULL,
        because text NOT NULL
    )
    """,
    "CREATE INDEX people_past_identifiers_value ON people_past_identifiers (kind, value)",
    "CREATE INDEX people_past_identifiers_person ON people_past_identifiers (person_id)",
    """
    CREATE TABLE people_merges (
        id text PRIMARY KEY,
        other_id text NOT NULL REFERENCES people (id),
        root_id text NOT NULL REFERENCES people (id),
        because text NOT NULL,
        at timestamptz NOT NULL,
        undone_at timestamptz,
        undone_because text
    )
    """,
    # What was erased is looked for with every webhook that comes in; there are few of them.
    "CREATE INDEX updates_erased ON updates (key) WHERE starts_with(key, 'erased:')",
    "CREATE INDEX people_merges_root ON people_merges (root_id)",
    "CREATE INDEX people_merges_other ON people_merges (other_id)",
)


def upgrade() -> None:
    """Add what is known of people."""
    for statement in STATEMENTS:
        op.execute(statement)
