"""The feed: one row per thing an assistant should hear of, written in the transaction that made it true."""

from collections.abc import Mapping
from typing import Any

from sayso.core.database import Tx
from sayso.core.runtime import Runtime

#: Every event, with what it tells. ``docs/events.md`` has a row for each (a test keeps the two equal).
CATALOGUE = {
    "confirmation.asked": "A confirmation was created and its question queued.",
    "confirmation.decided": "A confirmation has its outcome, once and for ever.",
    "confirmation.answered_late": "The person answered after the end; nothing was changed.",
    "message.failed": "A message did not reach the person; the reason says why.",
    "message.unknown": "Meta's answer was lost, and no status has settled the message since.",
    "person.said": "The person wrote something that decides nothing: a comment.",
    "person.opted_out": "The person asked not to be messaged any more.",
    "person.opted_in": "The person asked to be messaged again.",
}


async def emit(
    tx: Tx, rt: Runtime, *, client_id: str, kind: str, subject: str, data: Mapping[str, Any]
) -> None:
    """Write an event into ``client_id``'s feed; whoever waits on ``subject`` is woken once it has committed.

    The NOTIFY is not part of the transaction: it would make every commit that tells something wait for the one before.
    """
    if kind not in CATALOGUE:
        raise ValueError(f"not in the catalogue: {kind}")
    await tx.execute(
        "INSERT INTO events (id, client_id, type, subject, data, at) VALUES ($1, $2, $3, $4, $5, $6)",
        rt.new_id("evt"),
        client_id,
        kind,
        subject,
        dict(data),
        rt.now(),
    )
    tx.after_commit(lambda: rt.wakes.news(subject))


async def feed(tx: Tx, *, client_id: str, after: str, limit: int) -> tuple[list[dict[str, Any]], str]:
    """Events after a cursor, oldest first, and the next cursor.

    Ordered by the writing transaction, and only up to the oldest one still under way: a reader that followed a plain
    sequence would miss what commits late under a lower number.
    """
    tx_id, _, event_id = after.partition(".")
    rows = await tx.fetch(
        "SELECT id, tx::text AS written_by, type, subject, data, at FROM events "
        "WHERE client_id = $1 AND (tx, id) > ($2::text::xid8, $3) AND tx < pg_snapshot_xmin(pg_current_snapshot()) "
        "ORDER BY tx, id LIMIT $4",
        client_id,
        tx_id or "0",
        event_id,
        limit,
    )
    events = [
        {
            "id": row["id"],
            "type": row["type"],
            "subject": row["subject"],
            "timestamp": row["at"],
            "data": row["data"],
        }
        for row in rows
    ]
    return events, f"{rows[-1]['written_by']}.{rows[-1]['id']}" if rows else after
