"""Which deliveries are next: of each endpoint, as many as it may have under way, each line of events in its order.

A line is what concerns one subject, at one endpoint. Only its first unfinished delivery is claimed: one that waits for
its next attempt holds back those behind it, and no other line. Those behind are put aside when a claim first meets
them, so that an endpoint that has been away for days does not make every claim walk past them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Final

from sayso.core import claims
from sayso.core.claims import Queue
from sayso.core.database import Record, Tx
from sayso.core.runtime import Runtime
from sayso.core.worker import LOOK_S, Claimed, Lease
from sayso.events.rules import FAILING_AFTER
from sayso.events.service import DELIVERIES

QUEUE: Final = Queue(DELIVERIES, order="seq", key="line")
#: Calls of one endpoint under way at once, and while it is failing.
AT_ONCE: Final = 10
WHILE_FAILING: Final = 2
#: Failing endpoints together have at most this share of all calls under way.
SHARE_OF_THE_FAILING: Final = 0.5
#: Deliveries looked at beyond those an endpoint may have: some are behind others.
_SPARE: Final = 20
_CLEARED_AT_ONCE: Final = 1_000

#: Endpoints with ready deliveries: from one to the next along the index, however many each has.
WITH_READY: Final = f"""
WITH RECURSIVE s AS (
    (SELECT endpoint_id AS id FROM {DELIVERIES} WHERE work = 'ready' ORDER BY endpoint_id LIMIT 1)
    UNION ALL
    SELECT (SELECT d.endpoint_id FROM {DELIVERIES} d WHERE d.work = 'ready' AND d.endpoint_id > s.id
        ORDER BY d.endpoint_id LIMIT 1) FROM s WHERE s.id IS NOT NULL
)
SELECT p.id, p.state, p.failures >= {FAILING_AFTER} AS failing,
    (SELECT count(*) FROM {DELIVERIES} u WHERE u.endpoint_id = p.id AND u.work = 'running') AS under_way
FROM s JOIN endpoints p ON p.id = s.id ORDER BY p.failures, p.id
"""
#: What is next of each endpoint, and who stands before it in its line.
NEXT: Final = f"""
SELECT d.*, (SELECT b.id FROM {DELIVERIES} b WHERE b.line = d.line AND b.replay = d.replay AND b.work IS NOT NULL
    AND b.seq < d.seq ORDER BY b.seq LIMIT 1) AS before
FROM unnest($1::text[], $2::int[]) AS s (id, most) CROSS JOIN LATERAL (
    SELECT id, endpoint_id, seq, line, replay FROM {DELIVERIES} WHERE work = 'ready' AND endpoint_id = s.id
    ORDER BY seq LIMIT s.most + {_SPARE}) d
"""
#: Kept from finishing until those behind are put there. Whoever is just finishing is passed over, and rings.
_STILL_BEFORE: Final = (
    f"SELECT id FROM {DELIVERIES} WHERE id = ANY($1) AND work IS NOT NULL ORDER BY id FOR SHARE SKIP LOCKED"
)
_PUT_BEHIND: Final = (
    f"UPDATE {DELIVERIES} SET work = 'waiting', work_at = 'infinity' WHERE id = ANY($1) AND work = 'ready'"
)
TAKE: Final = (
    f"UPDATE {DELIVERIES} SET work = 'running', worker = $2, tries = tries + 1 "
    "WHERE id = ANY($1) AND work = 'ready' RETURNING *"
)
_ADVANCE: Final = (
    f"UPDATE {DELIVERIES} SET work = 'ready', work_at = $3 WHERE id = (SELECT id FROM {DELIVERIES} WHERE line = $1 "
    "AND replay = $2 AND work IS NOT NULL ORDER BY seq LIMIT 1) AND work = 'waiting' AND work_at = 'infinity'"
)
#: What waits at an endpoint that is not called any more ends here, where nobody else takes it.
_CLEAR: Final = (
    f"UPDATE {DELIVERIES} SET state = CASE WHEN state = 'pending' THEN 'failed' ELSE state END, "
    "reason = coalesce(reason, 'the endpoint is not called any more'), work = NULL, worker = NULL, replay = false, "
    f"finished_at = $2 WHERE id IN (SELECT id FROM {DELIVERIES} WHERE endpoint_id = $1 "
    f"AND work IN ('ready', 'waiting') AND (NOT replay OR $3) ORDER BY seq LIMIT {_CLEARED_AT_ONCE} FOR UPDATE)"
)


@dataclass(frozen=True, slots=True)
class _Room:
    """How many more calls an endpoint may have under way."""

    id: str
    free: int


async def claim(slots: int, rt: Runtime, tx: Tx, lease: Lease, most: int) -> Claimed:
    """Take what is next of every endpoint, one of each in turn, up to ``most``; claims take turns with each other."""
    if not await claims.alive(tx, lease.worker):
        return Claimed([], LOOK_S)
    await claims.alone(tx, QUEUE)
    found = await tx.fetch(WITH_READY)
    more = await _clear(tx, rt, found)
    rooms = _rooms(found, slots)
    if not rooms or most <= 0:
        return Claimed([], 0.0 if more else LOOK_S)
    ids = [room.id for room in rooms]
    rows = await tx.fetch(NEXT, ids, [room.free for room in rooms])
    behind = await _put_behind(tx, rows)
    chosen = _in_turn(rooms, [row for row in rows if row["before"] is None])[:most]
    taken = await tx.fetch(TAKE, [row["id"] for row in chosen], lease.worker)
    return Claimed(taken, 0.0 if behind or more else LOOK_S)


async def advance(tx: Tx, rt: Runtime, row: Record) -> None:
    """Let the next of a line come, once the one before it has finished, in its transaction and after its statement."""
    await tx.execute(_ADVANCE, row["line"], row["replay"], rt.now())
    tx.after_commit(lambda: rt.wakes.ring(QUEUE.table))


def _rooms(rows: Sequence[Record], slots: int) -> list[_Room]:
    """The room of each endpoint; those that are failing share a part of all slots, and come last."""
    for_failing = int(slots * SHARE_OF_THE_FAILING) - sum(row["under_way"] for row in rows if row["failing"])
    rooms = []
    for row in rows:
        free = (WHILE_FAILING if row["failing"] else AT_ONCE) - row["under_way"]
        if row["failing"]:
            free = min(free, for_failing)
            for_failing -= max(free, 0)
        if free > 0:
            rooms.append(_Room(row["id"], free))
    return rooms


async def _put_behind(tx: Tx, rows: Sequence[Record]) -> bool:
    """Put aside what stands behind another of its line; whether anything was."""
    before = sorted({row["before"] for row in rows if row["before"] is not None})
    if not before:
        return False
    there = {row["id"] for row in await tx.fetch(_STILL_BEFORE, before)}
    return await tx.execute(_PUT_BEHIND, [row["id"] for row in rows if row["before"] in there]) > 0


def _in_turn(rooms: Sequence[_Room], first: Sequence[Record]) -> list[Record]:
    """One of each endpoint, then the next of each, so that no endpoint has the slots to itself."""
    lines: dict[str, list[Record]] = {room.id: [] for room in rooms}
    for row in first:
        lines[row["endpoint_id"]].append(row)
    shares = [lines[room.id][: room.free] for room in rooms]
    return [row for turn in zip_longest(*shares) for row in turn if row is not None]


async def _clear(tx: Tx, rt: Runtime, with_ready: Sequence[Record]) -> bool:
    """End what waits at endpoints that are disabled or deleted; whether there may be more.

    What was written for one while it was being disabled is found among what is ready.
    """
    flagged = await tx.fetch(
        "SELECT id, state FROM endpoints WHERE to_clear ORDER BY id LIMIT 10 FOR UPDATE SKIP LOCKED"
    )
    late = [row for row in with_ready if row["state"] != "enabled"]
    for row in {row["id"]: row for row in [*late, *flagged]}.values():
        ended = await tx.execute(_CLEAR, row["id"], rt.now(), row["state"] == "deleted")
        if ended == _CLEARED_AT_ONCE:
            return True
    await tx.execute(
        "UPDATE endpoints SET to_clear = false WHERE id = ANY($1)", [row["id"] for row in flagged]
    )
    return False
