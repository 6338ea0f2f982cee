"""Consent: policies, and suppressions that outlive an erasure."""

from alembic import op

revision = "0003"
down_revision = "0002"

STATEMENTS = (
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
    """
    CREATE TABLE consent_suppressions (
        digest bytea PRIMARY KEY,
        entry_id text NOT NULL,
        at timestamptz NOT NULL
    )
    """,
)


def upgrade() -> None:
    """Create policies and suppressions."""
    for statement in STATEMENTS:
        op.execute(statement)
