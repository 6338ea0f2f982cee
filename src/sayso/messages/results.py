"""Results of POSTs, committed in company: nobody waits for them, so they wait 20 ms for each other."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import structlog

from sayso.core.database import UNAVAILABLE, Record, Tx
from sayso.core.runtime import Runtime
from sayso.messages import conversations, forgetting, pairs, trouble
from sayso.messages.outcome import Result
from sayso.messages.service import IN_DOUBT, Step, note, tell_failed, tell_unknown
from sayso.people import service as people
from sayso.senders import reach

__all__ = ["Failed", "Result", "Results", "apply"]

log = structlog.get_logger("sayso.results")

_COMPANY_S = 0.02
_AT_MOST = 250
_LONGEST_PAUSE_S = 5.0

_APPLY = """
WITH r AS (
    SELECT * FROM unnest($1::text[], $2::int[], $3::text[], $4::text[], $5::int[], $6::text[], $7::timestamptz[],
        $8::bool[], $9::text[], $10::text[], $11::bool[])
        AS r (id, attempt, state, reason, code, wamid, again_at, refused, held, held_by, falls_back)
), was AS MATERIALIZED (
    SELECT m.id, m.state = 'sending' OR m.state = 'unknown' AND m.work IS DISTINCT FROM 'running'
            OR m.state = 'queued' AND m.risked AND r.state = 'accepted' AS open,
        m.state = 'unknown' AND m.work IS NULL AS told, m.risked AND r.state = 'failed' AS in_doubt
    FROM messages m JOIN r ON r.id = m.id
    WHERE m.attempt = r.attempt AND (m.state IN ('sending', 'unknown') OR m.work = 'running'
        OR m.state = 'queued' AND m.risked AND r.state = 'accepted')
    ORDER BY m.id FOR UPDATE OF m
)
UPDATE messages m SET
    state = CASE WHEN NOT was.open THEN m.state WHEN was.in_doubt THEN 'unknown' ELSE r.state END,
    reason = CASE WHEN was.open THEN r.reason || CASE WHEN was.in_doubt THEN $12 ELSE '' END ELSE m.reason END,
    error_code = CASE WHEN was.open THEN r.code ELSE m.error_code END,
    wamid = CASE WHEN was.open OR m.state <> 'queued' THEN coalesce(m.wamid, r.wamid) END,
    retries = m.retries + (was.open AND r.refused)::int,
    fell_back = m.fell_back OR (was.open AND r.falls_back),
    held = CASE WHEN was.open THEN r.held ELSE m.held END,
    held_by = CASE WHEN was.open THEN r.held_by ELSE m.held_by END,
    work = CASE WHEN was.open AND r.again_at IS NOT NULL THEN 'waiting'
        WHEN m.state = 'queued' AND NOT was.open THEN 'ready' END,
    work_at = coalesce(least(r.again_at, CASE WHEN r.state = 'queued' THEN m.expires_at END), m.work_at),
    worker = NULL, tries = 0
FROM r JOIN was ON was.id = r.id WHERE m.id = r.id RETURNING m.*, was.open AS was_open,
    was.told AS was_told
"""

#: Who is told, in the transaction, that a message did not reach the person: its row as it is now.
Failed = Callable[[Tx, Runtime, Record], Awaitable[None]]


@dataclass(slots=True)
class Results:
    """Commits results in batches; each caller returns when its own is durable."""

    rt: Runtime
    on_failed: Failed
    _pending: list[tuple[Result, asyncio.Future[None]]] = field(default_factory=list)
    _some: asyncio.Event = field(default_factory=asyncio.Event)

    async def commit(self, result: Result) -> None:
        """Return once the result is durable."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._pending.append((result, done))
        self._some.set()
        await done

    async def run(self) -> None:
        """Commit batches for as long as the process lives.

        A result is kept until the database takes it: losing it would turn a known answer into an unknown one.
        """
        pause = 0.05
        while True:
            await self._some.wait()
            await asyncio.sleep(_COMPANY_S)
            batch, self._pending = self._pending[:_AT_MOST], self._pending[_AT_MOST:]
            if not self._pending:
                self._some.clear()
            try:
                async with self.rt.db.tx() as tx:
                    await apply(tx, self.rt, [result for result, _ in batch], on_failed=self.on_failed)
            except UNAVAILABLE as error:
                log.warning("results.kept", count=len(batch), error=repr(error), retry_in_s=pause)
                self._pending = batch + self._pending
                self._some.set()
                await asyncio.sleep(pause)
                pause = min(pause * 2, _LONGEST_PAUSE_S)
            except Exception as error:
                log.exception("results.failed", count=len(batch))
                if len(batch) == 1:
                    batch[0][1].set_exception(error)
                else:
                    await self._one_by_one(batch)
            else:
                pause = 0.05
                for _, done in batch:
                    done.set_result(None)

    async def _one_by_one(self, batch: list[tuple[Result, asyncio.Future[None]]]) -> None:
        """One result is refused by the database: it must not cost the others theirs."""
        for result, done in batch:
            try:
                async with self.rt.db.tx() as tx:
                    await apply(tx, self.rt, [result], on_failed=self.on_failed)
            except UNAVAILABLE:
                self._pending.append((result, done))
                self._some.set()
            except Exception as error:  # noqa: BLE001 - handed to whoever waits for this result, who logs it
                done.set_exception(error)
            else:
                done.set_result(None)


async def apply(tx: Tx, rt: Runtime, results: Sequence[Result], *, on_failed: Failed) -> None:
    """Write results. The fence is the attempt: a later attempt exists only if this one was proved not accepted.

    A status may have moved the message on before its answer was recorded; the higher state stays (``queued`` is one,
    where a late failure had it fall back to its template). Written twice, as after a commit that was never heard of, a
    result changes nothing the second time. An acceptance so late that the message waits to be posted again ends that,
    as a status does. A refusal for good says nothing about an earlier attempt whose answer was lost: such a message
    (``risked``) ends ``unknown``. What is to wait for longer than it lives is looked at when its life ends.
    """
    if learned := [
        fact for result in results for fact in result.learned
    ]:  # first of all: it may wait its turn
        await people.learn(tx, rt, learned, learned_from="meta:send")
    await trouble.obey(tx, rt, [result.trouble for result in results if result.trouble])
    results = await _after_their_holds(tx, results)
    rows = await tx.fetch(_APPLY, *_columns(results), IN_DOUBT)
    now_is = {row["id"]: row for row in rows}
    await note(
        tx, [_step(result, now_is[result.message_id]) for result in results if result.message_id in now_is]
    )
    await _leave_nothing(tx, rows)
    taken = {result.message_id for result in results if result.state == "accepted"}
    await conversations.note_answered(
        tx,
        [
            (row["person_id"], row["phone_number_id"], row["posted_at"] or rt.now())
            for row in rows
            if row["id"] in taken
        ],
    )
    refused = {result.message_id for result in results if result.state == "failed"}
    for row in rows:
        if row["id"] not in refused:
            continue
        if row["state"] == "failed":
            await tell_failed(tx, rt, row)
            await on_failed(tx, rt, row)
        elif row["was_open"] and not row["was_told"]:
            await tell_unknown(tx, rt, row)
    await _settle(tx, rt, rows, {result.message_id: result for result in results})


async def _leave_nothing(tx: Tx, rows: Sequence[Record]) -> None:
    """Of what was erased meanwhile, as when its worker was believed dead, an answer tells how far it came and no more.

    What is queued keeps its place in the queue: it ends there.
    """
    erased = [row["id"] for row in rows if row["type"] == "erased" and row["state"] != "queued"]
    if erased:
        await forgetting.empty_again(tx, erased)


async def _after_their_holds(tx: Tx, results: Sequence[Result]) -> list[Result]:
    """What waits for its person looks again when that hold ends, which grows from one to the next."""
    held = {
        result.message_id: (result.trouble.person_id, result.trouble.phone_number_id)
        for result in results
        if result.trouble and result.again_at and result.trouble.failure.holds == "person"
    }
    ends = await trouble.ends_of(tx, held.values())
    return [
        replace(result, again_at=max(result.again_at, end))
        if result.again_at and (end := ends.get(held.get(result.message_id, ("", ""))))
        else result
        for result in results
    ]


async def _settle(tx: Tx, rt: Runtime, rows: Sequence[Record], results: Mapping[str, Result]) -> None:
    """What counts towards the messaging limit and was accepted is kept; what was not gives place and credit back.

    Last of all: a claim may wait for the portfolios' rows, and holds people and senders meanwhile.
    """
    ours = [(row, results[row["id"]]) for row in rows if row["was_open"]]
    not_taken = [(row, result) for row, result in ours if result.state in ("queued", "failed")]
    accepted = [
        (row["phone_number_id"], row["person_id"], row["id"])
        for row, result in ours
        if result.state == "accepted" and result.reaches
    ]
    given_back = [row["id"] for row, result in not_taken if result.reaches]
    await reach.settle(tx, accepted=accepted, given_back=given_back, now=rt.now())
    await pairs.give_back(tx, [(row["person_id"], row["phone_number_id"]) for row, _ in not_taken])


def _step(result: Result, row: Record) -> Step:
    detail: dict[str, Any] = {"attempt": result.attempt}
    if result.wamid:
        detail["wamid"] = result.wamid
    if result.error_code is not None:
        detail["code"] = result.error_code
    if result.again_at and result.state == "queued" and result.again_at < row["expires_at"]:
        detail["next_attempt_at"] = result.again_at
    if result.falls_back:
        detail["again"] = "window"
    overtaken = not row["was_open"]
    return Step(
        result.message_id,
        result.at,
        row["state"],
        "Meta's answer to the POST: a status overtook it" if overtaken else row["reason"],
        detail,
    )


def _columns(results: Sequence[Result]) -> tuple[list[Any], ...]:
    return (
        [result.message_id for result in results],
        [result.attempt for result in results],
        [result.state for result in results],
        [result.reason for result in results],
        [result.error_code for result in results],
        [result.wamid for result in results],
        [result.again_at for result in results],
        [result.refused for result in results],
        [result.held for result in results],
        [result.held_by for result in results],
        [result.falls_back for result in results],
    )
