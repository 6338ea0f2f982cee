"""Which messages are next: of each sender that may send, as many as it has slots, in the order of the lanes."""

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sayso.core.database import Record, Tx
from sayso.core.runtime import Runtime
from sayso.messages import lost, service
from sayso.messages.rules import LANES, OUTLIVED, Stop
from sayso.people import service as people
from sayso.people.service import Person
from sayso.senders.pace import Taken
from sayso.senders.rules import OLDEST_EVERY

#: Messages looked at beyond the slots there are: some end or wait, and their slots go to the next.
_SPARE = 8
#: Reports of lost answers dealt with in one claim.
_REPORTS = 100
#: Messages whose life has ended dealt with in one claim.
STALE = 100
#: How far a claim looks beyond people whose fence is taken alone.
_BEYOND = 1000
_LANES = sorted(set(LANES.values()))

#: Senders with ready messages: from one to the next along the index, however many messages each has.
WITH_READY = """
WITH RECURSIVE s AS (
    (SELECT phone_number_id AS id FROM messages WHERE work = 'ready' ORDER BY phone_number_id LIMIT 1)
    UNION ALL
    SELECT (SELECT m.phone_number_id FROM messages m WHERE m.work = 'ready' AND m.phone_number_id > s.id
        ORDER BY m.phone_number_id LIMIT 1) FROM s WHERE s.id IS NOT NULL
)
SELECT id FROM s WHERE id IS NOT NULL
"""
BY_LANE = """
SELECT m.* FROM unnest($1::text[], $2::int[]) AS s (id, most) CROSS JOIN LATERAL (
    SELECT id, person_id, phone_number_id, lane FROM messages
    WHERE work = 'ready' AND state = 'queued' AND phone_number_id = s.id ORDER BY lane, id LIMIT s.most) m
"""
#: A lane is asked for as a range, and its order by both: the primary key would be in order too, and walks all there is.
OLDEST = """
SELECT m.* FROM unnest($1::text[], $2::int[]) AS s (id, most) CROSS JOIN unnest($3::smallint[]) AS l (lane)
CROSS JOIN LATERAL (
    SELECT id, person_id, phone_number_id, lane FROM messages
    WHERE work = 'ready' AND state = 'queued' AND phone_number_id = s.id AND lane BETWEEN l.lane AND l.lane
    ORDER BY lane, id LIMIT s.most) m
"""
BEYOND = f"""
SELECT m.* FROM unnest($1::text[], $2::int[]) AS s (id, most) CROSS JOIN LATERAL (
    SELECT h.* FROM (
        SELECT id, person_id, phone_number_id, lane FROM messages
        WHERE work = 'ready' AND state = 'queued' AND phone_number_id = s.id ORDER BY lane, id LIMIT {_BEYOND}) h
    WHERE h.person_id <> ALL($3::text[]) ORDER BY h.lane, h.id LIMIT s.most) m
"""
#: That they are still ready is asked in a way for which the planner cannot walk all that is.
TAKE = (
    "SELECT * FROM messages WHERE id = ANY($1) AND coalesce(work, '') = 'ready' AND state = 'queued' ORDER BY id "
    "FOR UPDATE SKIP LOCKED"
)
TO_REPORT = (
    "SELECT * FROM messages WHERE work = 'ready' AND state <> 'queued' ORDER BY id "
    f"LIMIT {_REPORTS} FOR UPDATE SKIP LOCKED"
)

#: Asked so that the planner takes the index of this alone for this, and for nothing else.
TO_END = (
    "SELECT * FROM messages WHERE work || ' ' || state = 'ready queued' AND expires_at <= $1 ORDER BY expires_at "
    f"LIMIT {STALE} FOR UPDATE SKIP LOCKED"
)


async def report(tx: Tx, rt: Runtime) -> None:
    """Deal with messages whose answer was lost, and whose time has come: they are not posted and need no slot.

    And go on with the release of those whose hold is over.
    """
    await service.release_more(tx, rt)
    rows = await tx.fetch(TO_REPORT)
    if rows:
        await lost.give_up_waiting(tx, rt, rows)


async def outlived(tx: Tx, rt: Runtime) -> list[tuple[Record, Stop]]:
    """Lock messages whose life has ended in the queue, up to :data:`STALE`, to be stopped: they need no slot.

    A claim finds only those of senders that send; whatever holds a sender, its messages end in their time.
    """
    return [(row, OUTLIVED) for row in await tx.fetch(TO_END, rt.now())]


async def with_ready(tx: Tx) -> list[str]:
    """The senders that messages are ready for."""
    return [row["id"] for row in await tx.fetch(WITH_READY)]


@dataclass(frozen=True, slots=True)
class Line:
    """The messages next in line, by sender, locked and in their order; whom they go to, by record id.

    ``more``: the senders that have more ready than these; ``busy``: those with messages to somebody passed over.
    """

    rows: dict[str, list[Record]]
    persons: dict[str, Person]
    more: set[str]
    busy: set[str]


async def line_up(tx: Tx, taken: Sequence[Taken]) -> Line:
    """Lock what is next of each sender that has slots.

    The fence of everybody they go to is shared. Somebody whose fence is taken alone, because they are just leaving, is
    passed over with all that waits for them, and those behind them get the slots: a claim holds senders, and waits for
    nobody.
    """
    wanting = [one for one in taken if one.free]
    lines, more = await _next(tx, wanting)
    everybody = [row for line in lines.values() for row in line]
    if not everybody:
        return Line({}, {}, more, set())
    persons = await people.fence(tx, [row["person_id"] for row in everybody])
    passed = [row for row in everybody if row["person_id"] not in persons]
    busy = {row["phone_number_id"] for row in passed}
    if short := [one for one in wanting if one.id in busy & more]:
        behind = await _beyond(tx, short, sorted({row["person_id"] for row in passed}))
        persons |= await people.fence(tx, [r["person_id"] for r in behind if r["person_id"] not in persons])
        everybody += behind
    rows = await tx.fetch(TAKE, sorted({row["id"] for row in everybody if row["person_id"] in persons}))
    locked = {row["id"]: row for row in rows}
    ours: dict[str, list[Record]] = {sender: [] for sender in lines}
    for row in everybody:
        if (taken_now := locked.pop(row["id"], None)) is not None:
            ours[row["phone_number_id"]].append(taken_now)
    return Line(ours, persons, more - busy, busy)


async def _beyond(tx: Tx, short: Sequence[Taken], passed: Sequence[str]) -> list[Record]:
    """What is next of these senders, in order, but for what goes to these people."""
    most = [len(one.free) + _SPARE for one in short]
    rows = await tx.fetch(BEYOND, [one.id for one in short], most, list(passed))
    return sorted(rows, key=lambda row: (row["lane"], row["id"]))


async def _next(tx: Tx, wanting: Sequence[Taken]) -> tuple[dict[str, list[Record]], set[str]]:
    """What is next of each sender, in order; the senders that have more."""
    if not wanting:
        return {}, set()
    ids, most = [one.id for one in wanting], [len(one.free) + _SPARE for one in wanting]
    by_lane = _by_sender(await tx.fetch(BY_LANE, ids, most))
    full = [one for one, limit in zip(wanting, most, strict=True) if len(by_lane.get(one.id, ())) == limit]
    aged = {one.id: _aged(one) for one in full if _aged(one)}
    oldest = by_lane
    if aged:
        oldest = by_lane | _by_sender(await tx.fetch(OLDEST, list(aged), list(aged.values()), _LANES))
    lines = {
        one.id: in_turn(by_lane[one.id], oldest[one.id], one.turn) for one in wanting if one.id in by_lane
    }
    return lines, {one.id for one in full}


def in_turn(by_lane: Iterable[Record], oldest: Iterable[Record], turn: int) -> list[Record]:
    """The order in which messages get slots: by lane and age, every tenth the oldest; ``turn`` had one before."""
    lane = deque(sorted(by_lane, key=lambda row: (row["lane"], row["id"])))
    age = deque(sorted(oldest, key=lambda row: row["id"]))
    line: dict[str, Record] = {}
    for number in range(turn, turn + len(lane)):
        queues = (age, lane) if number % OLDEST_EVERY == OLDEST_EVERY - 1 else (lane, age)
        for queue in queues:
            while queue and queue[0]["id"] in line:
                queue.popleft()
        row = next(queue[0] for queue in queues if queue)
        line[row["id"]] = row
    return list(line.values())


def _aged(one: Taken) -> int:
    """How many of a sender's next slots go to the oldest."""
    return (one.turn + len(one.free)) // OLDEST_EVERY - one.turn // OLDEST_EVERY


def _by_sender(rows: Iterable[Record]) -> dict[str, list[Record]]:
    found: dict[str, list[Record]] = {}
    for row in rows:
        found.setdefault(row["phone_number_id"], []).append(row)
    return found
