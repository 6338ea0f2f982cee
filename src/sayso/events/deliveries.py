"""Deliveries to be looked at, and replayed."""

from datetime import datetime, timedelta
from typing import Final, Literal

from sayso.core.database import Record, Tx
from sayso.core.errors import NotFoundError
from sayso.core.runtime import Runtime, id_at
from sayso.core.tokens import Actor
from sayso.events.claiming import QUEUE
from sayso.events.service import HEARS

#: Replayed by one call at most; whoever has more repeats it.
AT_ONCE: Final = 1_000
State = Literal["pending", "delivered", "failed"]
What = Literal["failed", "missing"]

#: When the next attempt is due; of one that stands behind another it is not known.
_SEEN: Final = (
    "SELECT *, CASE WHEN state = 'pending' AND work = 'waiting' AND work_at < 'infinity' THEN work_at END AS due "
    f"FROM {QUEUE.table}"
)
#: What is finished is tried once more, apart from the ladder; what waits for its next attempt need not wait any longer.
_REPLAY: Final = (
    f"UPDATE {QUEUE.table} SET replay = work IS NULL, work = 'ready', work_at = $2 "
    "WHERE id = ANY($1) AND (work IS NULL OR work = 'waiting' AND work_at < 'infinity') RETURNING id"
)
_FAILED: Final = (
    f"SELECT id FROM {QUEUE.table} WHERE endpoint_id = $1 AND state = 'failed' AND work IS NULL AND created_at >= $2 "
    "AND EXISTS (SELECT FROM delivery_attempts a WHERE a.delivery_id = deliveries.id) = $3 ORDER BY seq LIMIT $4"
)
#: Events of before the endpoint was there, or while it was disabled. The lowest ids are the oldest.
_MISSING: Final = f"""
INSERT INTO {QUEUE.table} (id, client_id, endpoint_id, event_id, type, line, state, reason, replay, created_at, work,
    work_at)
SELECT 'dlv_' || replace(gen_random_uuid()::text, '-', ''), p.client_id, p.id, e.id, e.type, p.id || ' ' || e.subject,
    'failed', 'it was never tried', true, $3, 'ready', $3
FROM endpoints p JOIN events e ON e.client_id = p.client_id OR (p.operator AND e.client_id = '')
WHERE p.id = $1 AND e.id >= $2 AND p.id <> e.subject AND {HEARS}
    AND NOT EXISTS (SELECT FROM {QUEUE.table} d WHERE d.event_id = e.id AND d.endpoint_id = p.id)
ORDER BY e.id LIMIT $4 ON CONFLICT DO NOTHING
"""


async def get(tx: Tx, actor: Actor, delivery_id: str) -> Record:
    """A delivery that the caller may see; raises :class:`NotFoundError`."""
    row = await tx.fetchrow(f"{_SEEN} WHERE id = $1", delivery_id)
    if row is None or not actor.sees(row["client_id"]):
        raise NotFoundError(f"No delivery {delivery_id!r}.")
    return row


async def page(
    tx: Tx,
    client_id: str,
    *,
    endpoint: str | None,
    state: State | None,
    event: str | None,
    before: str | None,
    limit: int,
) -> list[Record]:
    """An assistant's deliveries, newest first."""
    return await tx.fetch(
        f"{_SEEN} WHERE client_id = $1 AND ($2::text IS NULL OR endpoint_id = $2) "
        "AND ($3::text IS NULL OR state = $3) AND ($4::text IS NULL OR event_id = $4) AND ($5::text IS NULL "
        f"OR seq < (SELECT seq FROM {QUEUE.table} WHERE id = $5)) ORDER BY seq DESC LIMIT $6",
        client_id,
        endpoint,
        state,
        event,
        before,
        limit,
    )


async def attempts(tx: Tx, delivery_id: str) -> list[Record]:
    """What was tried, oldest first."""
    return await tx.fetch(
        "SELECT at, replay, status, ms, error, body FROM delivery_attempts WHERE delivery_id = $1 ORDER BY id",
        delivery_id,
    )


async def of_events(tx: Tx, event_ids: list[str]) -> list[Record]:
    """The deliveries of events, in their order, each with its endpoint's ``url`` and the last call's ``answered``."""
    return await tx.fetch(
        "SELECT d.*, p.url, (SELECT coalesce(a.status::text, a.error) FROM delivery_attempts a "
        "WHERE a.delivery_id = d.id ORDER BY a.id DESC LIMIT 1) AS answered "
        f"FROM {QUEUE.table} d JOIN endpoints p ON p.id = d.endpoint_id WHERE d.event_id = ANY($1) ORDER BY d.seq",
        event_ids,
    )


async def replay(tx: Tx, rt: Runtime, ids: list[str]) -> int:
    """Try deliveries once more, at once; how many were not under way anyhow."""
    replayed = await tx.fetch(_REPLAY, ids, rt.now())
    if replayed:
        tx.after_commit(lambda: rt.wakes.work(QUEUE.table))
    return len(replayed)


async def replay_since(tx: Tx, rt: Runtime, endpoint: Record, since: datetime, what: What) -> int:
    """Try once more what failed, or what was never tried, since a moment; how many, at most :data:`AT_ONCE`.

    Of events older than deliveries are kept nobody knows whether they were delivered: they are not missing.
    """
    found = await tx.fetch(_FAILED, endpoint["id"], since, what == "failed", AT_ONCE)
    count = await replay(tx, rt, [row["id"] for row in found])
    if what == "missing" and count < AT_ONCE:
        since = max(since, rt.now() - timedelta(days=rt.settings.sayso_deliveries_days))
        count += await tx.execute(_MISSING, endpoint["id"], id_at("evt", since), rt.now(), AT_ONCE - count)
        tx.after_commit(lambda: rt.wakes.work(QUEUE.table))
    return count
