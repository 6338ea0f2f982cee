"""From the queue to the wire: intent committed, one POST, result committed. Nothing is ever posted twice blindly."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from sayso.consent import service as consent
from sayso.core.database import Record, Tx
from sayso.core.runtime import Runtime
from sayso.core.worker import Lease
from sayso.messages import attempts, lost, outcome
from sayso.messages.outcome import REPORT_UNKNOWN_AFTER, Outgoing
from sayso.messages.results import Failed, Results
from sayso.messages.rules import Facts, Go, Stop, Wait, decide
from sayso.messages.service import QUEUE, Step, note, tell_failed, windows
from sayso.people import service as people
from sayso.people.service import Person
from sayso.whatsapp.client import GraphClient, NotSent, Sent
from sayso.whatsapp.content import Template, from_data, to_json

#: A process that was frozen between its claim and its POST must not post any more: others believe it dead by then.
POST_WITHIN_S = 4.0


@dataclass(slots=True)
class Dispatcher:
    """Claims what is next, decides at the wire, posts, and commits what came of it."""

    graph: GraphClient
    results: Results
    on_failed: Failed
    _ready: dict[str, Outgoing] = field(default_factory=dict)

    async def prepare(self, rt: Runtime, tx: Tx, _lease: Lease, rows: list[Record]) -> Sequence[Record]:
        """In the claim's transaction: decide each message afresh and commit the intent to post it."""
        queued = [row for row in rows if row["state"] == "queued"]
        await lost.give_up_waiting(tx, rt, [row for row in rows if row["state"] != "queued"])
        if not queued:
            return []
        await people.lock(tx, [row["person_id"] for row in queued], exclusive=False)
        verdicts = await _decide_all(tx, rt, queued)
        await self._stop(tx, rt, [(r, v) for r, v in verdicts if isinstance(v, Stop)])
        await _wait(tx, [(r, v) for r, v in verdicts if isinstance(v, Wait)])
        going = [(row, verdict) for row, verdict in verdicts if isinstance(verdict, _Going)]
        await self._intend(tx, rt, going)
        return [row for row, _ in going]

    async def handle(self, rt: Runtime, _lease: Lease, row: Record) -> None:
        """Post one message and see its result committed."""
        outgoing = self._ready.pop(row["id"])
        if asyncio.get_running_loop().time() > outgoing.post_before:
            sent: Sent = NotSent("the process stood still between its intent and the POST")
        else:
            sent = await self.graph.post_message(outgoing.phone_number_id, outgoing.body)
        await self.results.commit(outcome.result_of(sent, outgoing, rt.now(), rt.rng.random()))

    async def disown(self, rt: Runtime, tx: Tx, lease: Lease, keep: Sequence[str]) -> None:
        """An intent whose commit was never heard of was not posted: it goes back into the queue, unless it was."""
        rows = await tx.fetch(
            "UPDATE messages SET state = CASE WHEN id = ANY($3) THEN 'queued' ELSE 'unknown' END, reason = $4 "
            "WHERE work = 'running' AND worker = $1 AND id <> ALL($2) AND state = 'sending' RETURNING id, state",
            lease.worker,
            list(keep),
            list(self._ready),
            reason := "the database did not confirm the intent to post it",
        )
        await note(tx, [Step(row["id"], rt.now(), row["state"], reason) for row in rows])

    async def _intend(self, tx: Tx, rt: Runtime, going: Sequence[tuple[Record, "_Going"]]) -> None:
        if not going:
            return
        now = rt.now()
        await tx.execute(
            "UPDATE messages m SET state = 'sending', form = r.form, attempt = m.attempt + 1, posted_at = $3, "
            "reason = NULL, held = NULL, held_by = NULL FROM unnest($1::text[], $2::text[]) AS r (id, form) "
            "WHERE m.id = r.id",
            [row["id"] for row, _ in going],
            [verdict.form for _, verdict in going],
            now,
        )
        await note(
            tx,
            [
                Step(row["id"], now, "sending", None, {"form": verdict.form, "attempt": row["attempt"] + 1})
                for row, verdict in going
            ],
        )
        deadline = asyncio.get_running_loop().time() + POST_WITHIN_S
        for row, verdict in going:
            self._ready[row["id"]] = _outgoing(row, verdict, deadline)

    async def _stop(self, tx: Tx, rt: Runtime, stopped: Sequence[tuple[Record, Stop]]) -> None:
        if not stopped:
            return
        await tx.execute(
            "UPDATE messages m SET state = s.state, reason = s.reason, work = NULL, worker = NULL "
            "FROM unnest($1::text[], $2::text[], $3::text[]) AS s (id, state, reason) WHERE m.id = s.id",
            [row["id"] for row, _ in stopped],
            [verdict.state for _, verdict in stopped],
            [verdict.reason for _, verdict in stopped],
        )
        now = rt.now()
        await note(tx, [Step(row["id"], now, verdict.state, verdict.reason) for row, verdict in stopped])
        for row, verdict in stopped:
            ended = {**row, "state": verdict.state, "reason": verdict.reason}
            if row["purpose"] in ("send", "prompt"):
                await tell_failed(tx, rt, ended)
            await self.on_failed(tx, rt, ended)


@dataclass(frozen=True, slots=True)
class _Going:
    form: Literal["session", "template"]
    person: Person


async def _decide_all(
    tx: Tx, rt: Runtime, rows: Sequence[Record]
) -> list[tuple[Record, "_Going | Stop | Wait"]]:
    persons = await people.get_many(tx, [row["person_id"] for row in rows])
    distinct = list({person.id: person for person in persons.values()}.values())
    entries = await consent.stand(tx, distinct)
    opened = await windows(tx, distinct)
    busy = await _in_flight(tx, [persons[r["person_id"]] for r in rows if r["purpose"] == "consent"])
    now = rt.now()
    verdicts: list[tuple[Record, _Going | Stop | Wait]] = []
    for row in rows:
        person = persons[row["person_id"]]
        entry = entries.get(person.id)
        verdict = decide(
            Facts(
                purpose=row["purpose"],
                now=now,
                expires_at=row["expires_at"],
                opted_out_by=entry.id if entry and consent.opted_out(entry) else None,
                window_opened_at=opened.get((person.id, row["phone_number_id"])),
                in_flight=person.id in busy,
                has_template=row["outside_window"] is not None,
                needs_window=row["needs_window"],
                reachable=bool(person.to or person.bsuid),
                fell_back=row["fell_back"],
            )
        )
        verdicts.append((row, _Going(verdict.form, person) if isinstance(verdict, Go) else verdict))
    return verdicts


async def _in_flight(tx: Tx, persons: Sequence[Person]) -> set[str]:
    if not persons:
        return set()
    owner = {record_id: person.id for person in persons for record_id in person.ids}
    rows = await tx.fetch(
        "SELECT DISTINCT person_id FROM messages WHERE state = 'sending' AND person_id = ANY($1)", list(owner)
    )
    return {owner[row["person_id"]] for row in rows}


def _outgoing(row: Record, verdict: _Going, deadline: float) -> Outgoing:
    fallback = row["outside_window"]
    content = from_data(fallback if verdict.form == "template" and fallback else row["content"])
    to = verdict.person.to
    return Outgoing(
        message_id=row["id"],
        attempt=row["attempt"] + 1,
        phone_number_id=row["phone_number_id"],
        body=to_json(
            content,
            to=to,
            recipient=None if to else verdict.person.bsuid,
            callback=attempts.callback(row["id"], row["attempt"] + 1),
            context_wamid=row["quotes"],
        ),
        known_as=verdict.person,
        post_before=deadline,
        refusals=row["retries"],
        template=(content.name, content.language) if isinstance(content, Template) else None,
        fallback=verdict.form == "session" and fallback is not None and not row["fell_back"],
        marketing="marketing" in (row["category"], row["price_estimate"]),
    )


async def _wait(tx: Tx, waiting: Sequence[tuple[Record, Wait]]) -> None:
    if waiting:
        await tx.execute(
            "UPDATE messages m SET work = 'waiting', work_at = w.until, worker = NULL, tries = 0 "
            "FROM unnest($1::text[], $2::timestamptz[]) AS w (id, until) WHERE m.id = w.id",
            [row["id"] for row, _ in waiting],
            [verdict.until for _, verdict in waiting],
        )


async def lost_with_their_worker(rt: Runtime, tx: Tx, workers: Sequence[int]) -> None:
    """A worker died between its intent and its result: whether it posted cannot be known, so nobody posts again."""
    now = rt.now()
    reason = "the worker died before it could record Meta's answer"
    rows = await tx.fetch(
        f"UPDATE {QUEUE.table} SET state = 'unknown', reason = $3, work = 'waiting', work_at = $2, worker = NULL "
        "WHERE work = 'running' AND worker = ANY($1) AND state = 'sending' RETURNING id",
        list(workers),
        now + REPORT_UNKNOWN_AFTER,
        reason,
    )
    await note(tx, [Step(row["id"], now, "unknown", reason) for row in rows])
    await tx.execute(
        f"UPDATE {QUEUE.table} SET work = CASE WHEN state IN ('queued', 'unknown') THEN 'ready' END, worker = NULL "
        "WHERE work = 'running' AND worker = ANY($1)",
        list(workers),
    )
