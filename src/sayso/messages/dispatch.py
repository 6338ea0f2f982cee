"""From the queue to the wire: intent committed, one POST, result committed. Nothing is ever posted twice blindly."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial

from sayso.core import claims
from sayso.core.database import UNAVAILABLE, Record, Tx
from sayso.core.runtime import Runtime
from sayso.core.worker import LOOK_S, Claimed, Lease
from sayso.messages import claiming, deciding, outcome
from sayso.messages.claiming import Line
from sayso.messages.deciding import Going
from sayso.messages.outcome import REPORT_UNKNOWN_AFTER, UNDER_WAY, Outgoing
from sayso.messages.results import Failed, Results
from sayso.messages.rules import Stop, Wait
from sayso.messages.service import QUEUE, Step, ended_as, hold_on, note, tell_ended
from sayso.senders import pace
from sayso.senders.beat import TOLERATED_S, Anew, Beat, Lead, Offset
from sayso.senders.pace import Taken
from sayso.whatsapp.client import GraphClient
from sayso.whatsapp.content import Template

#: A process that was frozen between its slot and its POST must not post any more: others believe it dead by then.
POST_WITHIN_S = 4.0

_INTEND = """
UPDATE messages m SET state = 'sending', form = r.form, attempt = m.attempt + 1, posted_at = $3, reason = NULL,
    held = NULL, held_by = NULL, work = 'running', worker = $4, tries = m.tries + 1, price_estimate = r.price
FROM unnest($1::text[], $2::text[], $5::text[]) AS r (id, form, price) WHERE m.id = r.id
"""
_STOP = """
UPDATE messages m SET state = s.state, reason = s.reason, suppressed_by = s.by, held = NULL, held_by = NULL,
    work = NULL, worker = NULL
FROM unnest($1::text[], $2::text[], $3::text[], $4::text[]) AS s (id, state, reason, by) WHERE m.id = s.id
"""
_WAIT = """
UPDATE messages m SET work = 'waiting', work_at = w.until, held = w.held, held_by = w.held_by, worker = NULL, tries = 0
FROM unnest($1::text[], $2::timestamptz[], $3::text[], $4::text[]) AS w (id, until, held, held_by) WHERE m.id = w.id
"""


@dataclass(frozen=True, slots=True)
class _Ready:
    """What is posted once its slot has come; times by the loop's clock.

    ``claimed`` is when the slots of its claim were read, given to the first message of each claim. ``asleep``: how far
    the clock that counts suspensions was ahead of the loop's before the claim.
    """

    outgoing: Outgoing
    slot: float
    claimed: float | None
    asleep: float = 0.0


@dataclass(slots=True)
class Dispatcher:
    """Claims what is next, decides at the wire, posts when its slot comes, and commits what came of it."""

    graph: GraphClient
    results: Results
    on_failed: Failed
    beat: Beat = field(default_factory=Beat)
    _offset: Offset = field(default_factory=Offset)
    _lead: Lead = field(default_factory=Lead)
    _ready: dict[str, _Ready] = field(default_factory=dict)
    _anew: Anew = field(init=False)

    def __post_init__(self) -> None:
        self._anew = Anew(self._offset, self._lead)

    async def claim(self, rt: Runtime, tx: Tx, lease: Lease, most: int) -> Claimed:
        """Take the slots of the next moment, decide about as many messages afresh, and commit the intent to post them.

        The rows of the senders stay locked meanwhile: whoever else claims takes other senders.
        """
        if not await claims.alive(tx, lease.worker):
            return Claimed([], LOOK_S)
        await claiming.report(tx, rt)
        stale = await claiming.outlived(tx, rt)
        await self._stop(tx, rt, stale)
        ready = await claiming.with_ready(tx)
        asleep = _asleep(rt)
        taken, others = await pace.take(tx, rt, ready, most=most, lead=self._lead.value)
        at_most = pace.HORIZON.total_seconds() / 2 if others else LOOK_S
        if len(stale) == claiming.STALE:
            at_most = 0.0
        if not taken:
            return Claimed([], at_most)
        base = self._offset.read(taken[-1].clock)
        line = await claiming.line_up(tx, taken)
        if not line.rows:
            return Claimed([], _look_in(taken, line, at_most))
        known = await deciding.read(tx, rt, line, taken)
        verdicts = deciding.decide_all(known, line, taken)
        await self._stop(tx, rt, verdicts.stopped)
        await _wait(tx, rt, verdicts.waiting)
        await self._intend(tx, rt, lease, verdicts.going, base, asleep=asleep)
        await deciding.write(tx, rt, known)
        await pace.move(tx, taken)
        return Claimed([going.row for going in verdicts.going], _look_in(taken, line, at_most))

    async def handle(self, rt: Runtime, _lease: Lease, row: Record) -> None:
        """Post one message in its slot and see its result committed."""
        ready = self._ready.pop(row["id"])
        outgoing = ready.outgoing
        turn = partial(self._turn, rt, ready)
        sent = await self.graph.post_message(outgoing.phone_number_id, outgoing.body, turn=turn)
        await self.results.commit(outcome.result_of(sent, outgoing, rt.now(), rt.rng.random()))

    async def _turn(self, rt: Runtime, ready: _Ready) -> str | None:
        """Return when a message may be posted: None, or why it may not any more."""
        if ready.claimed is not None:
            self._lead.learn(asyncio.get_running_loop().time() - ready.claimed)
        slot: float | None = ready.slot
        while slot is not None and slot <= ready.outgoing.post_before:
            late = await self.beat.wait(slot)
            if late is None:
                return "the service was asked to end before its turn came"
            slept = max(
                0.0, _asleep(rt) - ready.asleep
            )  # the loop's clock stands while the machine is suspended
            if asyncio.get_running_loop().time() > ready.outgoing.post_before - slept:
                return "the process stood still between its intent and the POST"
            if late <= TOLERATED_S:
                return None
            try:
                slot = await self._anew.slot(rt, ready.outgoing.phone_number_id)
            except UNAVAILABLE as error:
                return f"it missed its slot, and the database gave no other: {error!r}"
        return "it missed its slot, and no other was free soon enough"

    def stop(self) -> None:
        """Whatever waits for its slot goes back into the queue: it was not posted."""
        self.beat.stop()

    async def disown(self, rt: Runtime, tx: Tx, lease: Lease, keep: Sequence[str]) -> None:
        """An intent whose commit was never heard of was not posted: it goes back into the queue, unless it was."""
        rows = await tx.fetch(
            "UPDATE messages SET state = CASE WHEN id = ANY($3) THEN 'queued' ELSE 'unknown' END, reason = $4, "
            "work = CASE WHEN id = ANY($3) THEN work ELSE 'waiting' END, "
            "work_at = CASE WHEN id = ANY($3) THEN work_at ELSE posted_at + $5::interval END, "
            "posting_until = posted_at + $6::interval "
            "WHERE work = 'running' AND worker = $1 AND id <> ALL($2) AND state = 'sending' RETURNING id, state",
            lease.worker,
            list(keep),
            list(self._ready),
            reason := "the database did not confirm the intent to post it",
            REPORT_UNKNOWN_AFTER,
            UNDER_WAY,
        )
        await note(tx, [Step(row["id"], rt.now(), row["state"], reason) for row in rows])

    async def _intend(
        self, tx: Tx, rt: Runtime, lease: Lease, going: Sequence[Going], base: float, *, asleep: float
    ) -> None:
        if not going:
            return
        now = rt.now()
        ids, forms = [one.row["id"] for one in going], [one.form for one in going]
        await tx.execute(_INTEND, ids, forms, now, lease.worker, [one.price for one in going])
        steps = [
            Step(one.row["id"], now, "sending", None, {"form": one.form, "attempt": one.row["attempt"] + 1})
            for one in going
        ]
        await note(tx, steps)
        for number, one in enumerate(going):
            slot = one.slot.timestamp() + base
            claimed = one.clock.timestamp() + base if number == 0 else None
            self._ready[one.row["id"]] = _Ready(_outgoing(one, slot), slot, claimed, asleep)

    async def _stop(self, tx: Tx, rt: Runtime, stopped: Sequence[tuple[Record, Stop]]) -> None:
        if not stopped:
            return
        ends = [ended_as(row, verdict.state, verdict.reason) for row, verdict in stopped]
        await tx.execute(
            _STOP,
            [row["id"] for row, _ in stopped],
            [state for state, _ in ends],
            [reason for _, reason in ends],
            [verdict.by for _, verdict in stopped],
        )
        now = rt.now()
        steps = [Step(row["id"], now, *end) for (row, _), end in zip(stopped, ends, strict=True)]
        await note(tx, steps)
        for (row, _), (state, reason) in zip(stopped, ends, strict=True):
            ended = {**row, "state": state, "reason": reason, "work": None}
            await tell_ended(tx, rt, ended)
            if state != "unknown":
                await self.on_failed(tx, rt, ended)


def _asleep(rt: Runtime) -> float:
    return rt.booted() - asyncio.get_running_loop().time()


async def _wait(tx: Tx, rt: Runtime, waiting: Sequence[tuple[Record, Wait]]) -> None:
    """Take messages out of what is ready; a hold is told once, not each time it is found to go on."""
    if not waiting:
        return
    await tx.execute(
        _WAIT,
        [row["id"] for row, _ in waiting],
        [verdict.until for _, verdict in waiting],
        [verdict.held for _, verdict in waiting],
        [verdict.held_by for _, verdict in waiting],
    )
    if keys := {verdict.held_by for _, verdict in waiting if verdict.held_by}:
        await hold_on(tx, keys)
    news = [
        (row, verdict) for row, verdict in waiting if verdict.held_by and verdict.held_by != row["held_by"]
    ]
    if news:
        now = rt.now()
        await note(tx, [Step(row["id"], now, "queued", verdict.held, moved=False) for row, verdict in news])


def _look_in(taken: Sequence[Taken], line: Line, at_most: float) -> float:
    """When the next claim is worth it: at once where slots and messages are left, else when there are slots again."""
    if len(taken) == pace.AT_ONCE and any(one.went for one in taken):
        return 0.0  # others may be next
    when = [at_most]
    for one in taken:
        if one.next() is None:
            when.append(one.look_in())
        elif one.id in line.more:
            when.append(0.0)
        elif one.id in line.busy:
            when.append(pace.HORIZON.total_seconds() / 2)
    return min(when)


def _outgoing(going: Going, slot: float) -> Outgoing:
    row, content = going.row, going.content
    fallback = row["outside_window"]
    return Outgoing(
        message_id=row["id"],
        attempt=row["attempt"] + 1,
        phone_number_id=row["phone_number_id"],
        body=going.body,
        known_as=going.person,
        post_before=slot + POST_WITHIN_S,
        refusals=row["retries"],
        template=(content.name, content.language) if isinstance(content, Template) else None,
        fallback=going.form == "session" and fallback is not None and not row["fell_back"],
        marketing="marketing" in (row["category"], row["price_estimate"]),
        reaches=going.reaches,
    )


async def lost_with_their_worker(rt: Runtime, tx: Tx, workers: Sequence[int]) -> None:
    """A worker died between its intent and its result: whether it posted cannot be known, so nobody posts again."""
    now = rt.now()
    reason = "the worker died before it could record Meta's answer"
    rows = await tx.fetch(
        f"UPDATE {QUEUE.table} SET state = 'unknown', reason = $3, work = 'waiting', work_at = $2, worker = NULL, "
        "posting_until = posted_at + $4::interval "
        "WHERE work = 'running' AND worker = ANY($1) AND state = 'sending' RETURNING id",
        list(workers),
        now + REPORT_UNKNOWN_AFTER,
        reason,
        UNDER_WAY,
    )
    await note(tx, [Step(row["id"], now, "unknown", reason) for row in rows])
    await tx.execute(
        f"UPDATE {QUEUE.table} SET work = CASE WHEN state IN ('queued', 'unknown') THEN 'ready' END, worker = NULL "
        "WHERE work = 'running' AND worker = ANY($1)",
        list(workers),
    )
