"""People: language and time zone, merges that can be undone, erasure."""

from alembic import op

revision = "0002"
down_revision = "0001"

STATEMENTS = (
    """
    ALTER TABLE people
        ADD COLUMN language text,
        ADD COLUMN language_from text CHECK (language_from IN ('said', 'set', 'guessed')),
        ADD COLUMN time_zone text,
        ADD COLUMN time_zone_from text CHECK (time_zone_from IN ('said', 'set', 'guessed')),
        ADD COLUMN identity_changed_at timestamptz,
        ADD COLUMN erased_at timestamptz
    """,
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
    "CREATE INDEX people_merges_root ON people_merges (root_id)",
    "CREATE INDEX people_merges_other ON people_merges (other_id)",
)


def upgrade() -> None:
    """Add what is known of people."""
    for statement in STATEMENTS:
        op.execute(statement)
