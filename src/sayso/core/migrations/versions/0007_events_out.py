"""Endpoints of the assistants, and what is delivered to them."""

from alembic import op

revision = "0007"
down_revision = "0006"

STATEMENTS: tuple[str, ...] = ()


def upgrade() -> None:
    """Create what events are delivered by."""
    for statement in STATEMENTS:
        op.execute(statement)
