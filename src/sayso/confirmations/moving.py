"""What moves a question: an answer, its taking back, more time; the assistant's withdrawal; a person who is lost.

Each takes the question's row locked, or locks it first: the row is what all of them, and its timers, take turns by.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from sayso.confirmations import approvers, service, steps, told
from sayso.confirmations.rules import Outcome, Verdict
from sayso.confirmations.service import Everyone
from sayso.confirmations.steps import Leaning, Lost
from sayso.consent import service as consent
from sayso.core.database import Record, Tx
from sayso.core.errors import NotFoundError, SaysoError
from sayso.core.runtime import Runtime
from sayso.core.tokens import Actor
from sayso.events import service as events
from sayso.people import service as people
from sayso.people.service import Person

#: What may be taken back; CANCEL, and what nobody answered, may not.
_HELD = frozenset({"confirmed", "declined"})


class AlreadyDecidedError(SaysoError):
    """The confirmation has its outcome, for ever; the detail says which."""

    status = 409
    code = "already_decided"
    title = "The confirmation is decided"


@dataclass(frozen=True, slots=True)
class Recorded:
    """What an answer did. ``until``: it may be undone until then."""

    state: Literal["decided", "held", "counted", "not_asked", "closed"]
    outcome: Outcome | None = None
    until: datetime | None = None


async def record(
    tx: Tx,
    rt: Runtime,
    row: Record,
    person: Person,
    verdict: Verdict,
    *,
    answer_id: str,
    answer: dict[str, Any] | None = None,
) -> Recorded:
    """Count what somebody answered. ``row`` is locked; the answer is written down as ``answer_id`` already."""
    everyone = await approvers.everyone(tx, row["id"])
    mine = _may_answer(row, everyone, person, verdict)
    if mine is None:
        await _effect(tx, answer_id, "evidence")
        if row["status"] != "decided" and row["frozen_why"] is not None:
            await _tell(tx, rt, row, person, "frozen")
        return Recorded("closed" if row["status"] != "pending" or row["frozen_why"] else "not_asked")
    if row["status"] == "held":
        await _reopen(tx, rt, row)
    said = await approvers.answered(tx, mine, verdict, answer_id=answer_id, answer=answer, at=rt.now())
    everyone = [said if each is mine else each for each in everyone]
    counted = steps.tally(row["needed"], approvers.read(everyone))
    if not isinstance(counted, Leaning):
        await _effect(tx, answer_id, "counted")
        await _count(tx, rt, row, person, everyone)
        return Recorded("counted")
    if answer is not None and counted.outcome == "confirmed":
        await tx.execute("UPDATE confirmations SET answer = $2 WHERE id = $1", row["id"], answer)
    if (row["rule"].get("undo_s") or 0) and counted.outcome in _HELD:
        until = await _hold(tx, rt, row, counted.outcome, answer_id)
        await _tell(tx, rt, row, person, f"held_{counted.outcome}", span=until - rt.now())
        return Recorded("held", counted.outcome, until)
    known = Everyone({row["id"]: everyone}, dict.fromkeys(person.ids, person))
    await service.decide(tx, rt, row["id"], counted.outcome, by=answer_id, everyone=known)
    return Recorded("decided", counted.outcome)


def _may_answer(row: Record, everyone: list[Record], person: Person, verdict: Verdict) -> Record | None:
    """The row of somebody who is asked still; CANCEL may be said by who has answered, too, until it is decided.

    Who was asked under two names, and turned out to be one, answers once.
    """
    if row["status"] == "decided" or row["frozen_why"] is not None:
        return None
    asked, answered = (approvers.mine(everyone, person, state) for state in ("asked", "answered"))
    if verdict == "cancel":
        return asked or answered
    return asked if row["status"] == "pending" and answered is None else None


async def _count(tx: Tx, rt: Runtime, row: Record, person: Person, everyone: list[Record]) -> None:
    have = sum(each["state"] == "answered" and each["verdict"] == "confirm" for each in everyone)
    await _event(tx, rt, row, "counted", have=have, needed=row["needed"])
    await _tell(tx, rt, row, person, "counted", have=have, needed=row["needed"])
    await look(tx, rt, row["id"])


async def _hold(tx: Tx, rt: Runtime, row: Record, outcome: Outcome, answer_id: str) -> datetime:
    until = rt.now() + timedelta(seconds=row["rule"]["undo_s"])
    await tx.execute(
        "UPDATE confirmations SET status = 'held', leaning = $2, held_until = $3, decided_by = $4, "
        "work = 'waiting', work_at = $3, worker = NULL, tries = 0 WHERE id = $1",
        row["id"],
        outcome,
        until,
        answer_id,
    )
    await _effect(tx, answer_id, "held")
    await _event(tx, rt, row, "held", leaning=outcome, held_until=until)
    return until


async def release(tx: Tx, rt: Runtime, row: Record, *, worker: int) -> list[Record]:
    """What was held has not been taken back in time: it is the outcome now; as ``service.decide_all``."""
    await _effect(tx, row["decided_by"], "decided")
    return await service.decide_all(tx, rt, [row["id"]], row["leaning"], by=row["decided_by"], worker=worker)


async def undo(tx: Tx, rt: Runtime, row: Record, person: Person) -> bool:
    """Take this person's answer back while the outcome is held; False when there is nothing of theirs to take back.

    The question is open again, unless the answers of the others come to the same without it, or too few are left to
    answer: then it ends.
    """
    if row["status"] != "held" or row["frozen_why"] is not None:
        return False
    mine = approvers.mine(await approvers.everyone(tx, row["id"]), person, "answered")
    if mine is None:
        return False
    await _effect(tx, mine["answer_id"], "undone")
    await approvers.taken_back(tx, mine)
    await _event(tx, rt, row, "undone")
    counted = steps.tally(row["needed"], approvers.read(await approvers.everyone(tx, row["id"])))
    if counted == Leaning(row["leaning"]):
        await _tell(tx, rt, row, person, "undone_still")
        return True
    await _reopen(tx, rt, row)
    if isinstance(counted, Leaning):  # somebody has left since
        await service.decide(tx, rt, row["id"], counted.outcome, by=None)
        return True
    left = row["expires_at"] - rt.now()
    if left > timedelta(0):  # else the line that ends it says so, in a moment
        await _tell(tx, rt, row, person, "undone", span=left)
    return True


async def _reopen(tx: Tx, rt: Runtime, row: Record) -> None:
    """What was held is open again; the answer that made it so counts on, unless it was taken back."""
    await tx.execute(
        "UPDATE answers SET effect = 'counted' WHERE id = $1 AND effect = 'held'", row["decided_by"]
    )
    await tx.execute(
        "UPDATE confirmations SET status = 'pending', leaning = NULL, held_until = NULL, decided_by = NULL, "
        "answer = NULL WHERE id = $1",
        row["id"],
    )
    await look(tx, rt, row["id"])


async def extend(tx: Tx, rt: Runtime, row: Record, person: Person) -> datetime | None:
    """Give a question more time because somebody who was asked wants it; its new end, or None where that is not due."""
    rule = row["rule"]
    span = timedelta(seconds=rule.get("extend_s") or 0)
    everyone = await approvers.everyone(tx, row["id"])
    mine = approvers.mine(everyone, person, "asked")
    may = row["status"] == "pending" and row["frozen_why"] is None and mine is not None
    if not may or not span or row["extended"] >= (rule.get("extends_left") or 0):
        return None
    until: datetime = row["expires_at"] + span
    await tx.execute(
        "UPDATE confirmations SET expires_at = $2, extended = extended + 1 WHERE id = $1", row["id"], until
    )
    await approvers.reminded(tx, row["id"], [each["person_id"] for each in everyone], None)
    await look(tx, rt, row["id"])
    await _event(tx, rt, row, "extended", expires_at=until)
    await _tell(tx, rt, row, person, "extended", span=until - rt.now())
    return until


async def withdraw(tx: Tx, rt: Runtime, actor: Actor, confirmation_id: str) -> None:
    """The assistant takes its question back; doing so twice is no error.

    Raises :class:`NotFoundError`, and :class:`AlreadyDecidedError` when there is an outcome already.
    """
    row = service.visible(await locked(tx, confirmation_id), actor, confirmation_id)
    if row["status"] != "decided":
        await service.decide(tx, rt, confirmation_id, "withdrawn", by=None)
    elif row["outcome"] != "withdrawn":
        raise _already(row)


def _already(row: Record) -> AlreadyDecidedError:
    return AlreadyDecidedError(f"{row['id']} has ended as {row['outcome']}; nothing can change that.")


async def supersede(tx: Tx, rt: Runtime, client_id: str, confirmation_id: str, *, by: str) -> bool:
    """Another question takes the place of this one, once and for all; False when it was decided otherwise before.

    Raises :class:`NotFoundError` for a question that is not this assistant's.
    """
    row = await locked(tx, confirmation_id)
    if row is None or row["client_id"] != client_id:
        raise NotFoundError(f"No confirmation {confirmation_id!r}.")
    if row["status"] == "decided":
        return bool(row["superseded_by"] == by)
    await tx.execute("UPDATE confirmations SET superseded_by = $2 WHERE id = $1", confirmation_id, by)
    await service.decide(tx, rt, confirmation_id, "superseded", by=None)
    return True


async def escalated(tx: Tx, rt: Runtime, row: Record, person_id: str) -> None:
    """Tell that somebody else was asked."""
    everyone = await approvers.everyone(tx, row["id"])
    step = next(each["position"] for each in everyone if each["person_id"] == person_id)
    named = {each["position"]: each["to"] for each in row["rule"]["escalation"]}
    await _event(tx, rt, row, "escalated", step=step, to=named.get(step))


async def freeze(tx: Tx, rt: Runtime, person: Person, why: str) -> int:
    """Nothing this person was asked is decided until somebody looks at it; how many questions there were."""
    rows = [row for row in await approvers.open_to(tx, person.ids) if row["frozen_why"] is None]
    for row in rows:
        await tx.execute("UPDATE confirmations SET frozen_why = $2 WHERE id = $1", row["id"], why)
        await look(tx, rt, row["id"])
        await _event(tx, rt, row, "frozen", why=why)
    return len(rows)


async def unfreeze(tx: Tx, rt: Runtime, confirmation_id: str) -> None:
    """Somebody has looked: it can be answered again, until its end; doing so twice is no error.

    Raises :class:`NotFoundError`, and :class:`AlreadyDecidedError` when it has ended.
    """
    row = await locked(tx, confirmation_id)
    if row is None:
        raise NotFoundError(f"No confirmation {confirmation_id!r}.")
    if row["status"] == "decided":
        raise _already(row)
    if row["frozen_why"] is None:
        return
    await tx.execute("UPDATE confirmations SET frozen_why = NULL WHERE id = $1", confirmation_id)
    await look(tx, rt, confirmation_id)
    await _event(tx, rt, row, "unfrozen")


async def prompt_failed(tx: Tx, rt: Runtime, message: Record) -> None:
    """A message did not go out, or not through. If it was a question, whoever it was for is not asked."""
    if message["purpose"] != "prompt" or message["confirmation_id"] is None or message["state"] == "expired":
        return
    row = await locked(tx, message["confirmation_id"])
    if row is None or row["status"] == "decided":
        return
    person = await people.get(tx, message["person_id"])
    opted_out = (await consent.verdict(tx, rt, person)).stopped("confirmations") is not None
    mine = approvers.mine(await approvers.everyone(tx, row["id"]), person, "asked")
    if mine is not None and mine["message_id"] == message["id"]:
        await lose(tx, rt, row, [mine["person_id"]], "opted_out" if opted_out else "undeliverable")


async def opted_out(tx: Tx, rt: Runtime, person: Person) -> int:
    """Whoever has left is asked nothing more, nor is anybody who has the same line; how many questions were open."""
    rows = await approvers.open_to(tx, person.fence)
    for row in rows:
        await lose(tx, rt, row, person.fence, "opted_out")
    return len(rows)


async def lose(tx: Tx, rt: Runtime, row: Record, person_ids: tuple[str, ...] | list[str], why: Lost) -> None:
    """These cannot answer; it ends where the others are too few, and goes on where somebody is left to be asked."""
    await approvers.lose(tx, row["id"], person_ids, why)
    everyone = await approvers.everyone(tx, row["id"])
    counted = steps.tally(row["needed"], approvers.read(everyone))
    if not isinstance(counted, Leaning):
        await (_reopen(tx, rt, row) if row["status"] == "held" else look(tx, rt, row["id"]))
    elif row["status"] == "pending" or counted.outcome != row["leaning"]:
        await service.decide(tx, rt, row["id"], counted.outcome, by=None)


async def locked(tx: Tx, confirmation_id: str) -> Record | None:
    """A question's row, which nobody else changes until this transaction ends."""
    return await tx.fetchrow("SELECT * FROM confirmations WHERE id = $1 FOR UPDATE", confirmation_id)


async def look(tx: Tx, rt: Runtime, confirmation_id: str) -> None:
    """Have its timers look at a question at once: what they go by has changed. Whoever has it in hand loses it."""
    await tx.execute(
        "UPDATE confirmations SET work = 'ready', work_at = $2, worker = NULL, tries = 0 "
        "WHERE id = $1 AND status <> 'decided'",
        confirmation_id,
        rt.now(),
    )
    tx.after_commit(lambda: rt.wakes.work(service.QUEUE.table))


async def _effect(tx: Tx, answer_id: str, effect: str) -> None:
    await tx.execute("UPDATE answers SET effect = $2 WHERE id = $1", answer_id, effect)


async def _event(tx: Tx, rt: Runtime, row: Record, what: str, **data: Any) -> None:
    await events.emit(
        tx,
        rt,
        client_id=row["client_id"],
        kind=f"confirmation.{what}",
        subject=row["id"],
        data={"confirmation_id": row["id"], **data},
    )


async def _tell(tx: Tx, rt: Runtime, row: Record, person: Person, name: str, **values: object) -> None:
    everyone = await approvers.everyone(tx, row["id"])
    theirs = next((each["message_id"] for each in everyone if each["person_id"] in person.ids), None)
    line = told.line(name, row["action"]["action_description"], person.language, **values)
    await service.say(tx, rt, row, line, purpose="notice", person=person, quotes=theirs)
