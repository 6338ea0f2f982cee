"""How many joined and left in a period."""

from datetime import datetime
from typing import Final

from sayso.core.database import Tx

#: What of the ledger is an opt-in, and what an opt-out, of whatever scope.
JOINED: Final = frozenset({"granted", "confirmed", "renewed", "imported"})
LEFT: Final = frozenset({"withdrawn", "denied", "suppressed_by_meta"})


async def tally(tx: Tx, since: datetime, until: datetime) -> dict[str, int]:
    """How many entries of each action were received from ``since`` to before ``until``."""
    rows = await tx.fetch(
        "SELECT action, count(*) AS many FROM consent_entries WHERE received_at >= $1 AND received_at < $2 "
        "GROUP BY action ORDER BY action",
        since,
        until,
    )
    return {row["action"]: row["many"] for row in rows}
