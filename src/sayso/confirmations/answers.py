"""A person's reply meets the questions they were asked: read it, decide or explain, and keep it as evidence."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sayso.confirmations import moving, render, rules, service
from sayso.confirmations.render import Action
from sayso.confirmations.rules import LINGERS, AskWhich, Comment, Decide, Late, NothingOpen, Question, Reply
from sayso.core.database import Record, Tx
from sayso.core.runtime import Runtime
from sayso.events import service as events
from sayso.messages import service as messages
from sayso.messages.rules import MAY_BE_SEEN
from sayso.messages.service import OURSELVES, Draft
from sayso.people.service import Person
from sayso.whatsapp.updates import InboundMessage

#: How long a question is remembered to somebody who says yes or no when nothing is open.
_REMEMBERED = timedelta(days=2)
#: How long a CANCEL may be meant for what was just confirmed.
_FRESH = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Inbound:
    """A message of a person's as it reached us. ``update_key`` names it for ever, in whatever copy it comes."""

    message: InboundMessage
    person: Person
    update_key: str
    received_at: datetime

    @property
    def sent_at(self) -> datetime:
        """When it was written, by WhatsApp's clock; never later than we received it."""
        return min(self.message.sent_at or self.received_at, self.received_at)


@dataclass(frozen=True, slots=True)
class Answered:
    """What came of a reply: a sentence for the record, and what is left for others to do."""

    result: str
    comment: bool = False
    leaving: bool = False
    called_off: bool = False
    aside: str = ""


async def answer(tx: Tx, rt: Runtime, inbound: Inbound, *, calls_off: bool = False) -> Answered:
    """Read a reply and act on it. ``calls_off``: what was written is a word for CANCEL, whatever its language."""
    rows = await _questions(tx, inbound)
    message = inbound.message
    tap = rules.parse_payload(message.payload)
    reply = Reply(
        text="cancel" if calls_off else message.text,
        payload=message.payload,
        sent_at=inbound.sent_at,
        tapped=_question(rows.get(tap[0]), inbound) if tap else None,
        quotes_something=message.quoted_wamid is not None,
        quoted=_question(await _quoted(tx, inbound, rows), inbound),
        forwarded=message.forwarded,
        in_group=message.group_id is not None,
        received_at=inbound.received_at,
    )
    here = [row for row in rows.values() if row["phone_number_id"] == message.phone_number_id]
    questions = [question for row in here if (question := _question(row, inbound))]
    match rules.read(reply, questions):
        case Decide() as decided:
            return await _decide(tx, rt, inbound, rows[decided.question_id], decided)
        case Late() as late:
            return await _late(tx, rt, inbound, rows[late.question_id], late)
        case AskWhich(verdict=verdict):
            shown = {question.id for question in questions if question.open and question.shown_at is not None}
            return await _ask_which(tx, rt, inbound, verdict, [row for row in here if row["id"] in shown])
        case NothingOpen(verdict=verdict):
            return await _nothing_open(tx, rt, inbound, verdict)
        case Comment(why=why):
            return Answered(f"comment: {why}", comment=True)


async def _questions(tx: Tx, inbound: Inbound) -> dict[str, Record]:
    """The person's open questions, those that ended lately, and those that what they sent points at; oldest first.

    Locked: an answer to a question and its expiry take turns.
    """
    tap = rules.parse_payload(inbound.message.payload)
    rows = await tx.fetch(
        "SELECT c.*, CASE WHEN m.state = ANY($4) THEN m.posted_at END AS posted_at, "
        "LEAST(a.sent_at, a.received_at) AS answered_at "
        "FROM confirmations c JOIN messages m ON m.id = c.message_id LEFT JOIN answers a ON a.id = c.decided_by "
        "WHERE c.person_id = ANY($1) AND (c.status = 'pending' OR c.decided_at >= $5 OR c.id = $2 OR c.id = "
        "  (SELECT q.confirmation_id FROM messages q WHERE q.wamid = $3)) ORDER BY c.id FOR UPDATE OF c",
        list(inbound.person.ids),
        tap[0] if tap else None,
        inbound.message.quoted_wamid,
        list(MAY_BE_SEEN),
        inbound.sent_at - LINGERS,
    )
    return {row["id"]: row for row in rows}


async def _quoted(tx: Tx, inbound: Inbound, rows: dict[str, Record]) -> Record | None:
    """The question whose own message (or a line about it) is quoted."""
    if inbound.message.quoted_wamid is None:
        return None
    quoted = await messages.by_wamid(tx, inbound.message.quoted_wamid)
    if quoted is None or quoted["purpose"] not in ("prompt", "closing"):
        return None
    return rows.get(quoted["confirmation_id"])


def _question(row: Record | None, inbound: Inbound) -> Question | None:
    if row is None:
        return None
    is_open = row["status"] == "pending" and inbound.received_at < row["expires_at"]
    ended_at = row["decided_at"] or row["expires_at"]
    return Question(row["id"], is_open, row["posted_at"], None if is_open else ended_at, row["answered_at"])


async def _decide(tx: Tx, rt: Runtime, inbound: Inbound, row: Record, decided: Decide) -> Answered:
    outcome = service.outcome_of(decided.verdict)
    answer_id = await _keep(tx, rt, inbound, row, decided, effect="decided")
    if answer_id is None:
        return Answered("answer: seen before")
    await moving.record(tx, rt, row, inbound.person, decided.verdict, answer_id=answer_id)
    return Answered(f"answer: {row['id']} {outcome} by {decided.how}", called_off=decided.verdict == "cancel")


async def _late(tx: Tx, rt: Runtime, inbound: Inbound, row: Record, late: Late) -> Answered:
    effect = "late" if row["status"] == "pending" or row["outcome"] == "expired" else "repeated"
    if await _keep(tx, rt, inbound, row, late, effect=effect) is None:
        return Answered("answer: seen before")
    told = {"confirmation_id": row["id"], "outcome": row["outcome"], "said": late.verdict}
    await events.emit(
        tx, rt, client_id=row["client_id"], kind="confirmation.answered_late", subject=row["id"], data=told
    )
    if row["status"] == "decided":  # else the line that closes it says so, in a moment
        line = render.too_late(row["outcome"], row["action"]["action_description"], row["decided_at"])
        await service.say(tx, rt, row, line, purpose="notice", person=inbound.person)
    return Answered(f"answer: {row['id']} had ended; nothing changed")


async def _ask_which(
    tx: Tx, rt: Runtime, inbound: Inbound, verdict: rules.Verdict, rows: Sequence[Record]
) -> Answered:
    content = render.which(verdict, [(row["id"], Action.of(row["action"])) for row in rows])
    await messages.send(
        tx,
        rt,
        Draft(
            client_id=rows[0]["client_id"] if len({row["client_id"] for row in rows}) == 1 else OURSELVES,
            person=inbound.person,
            phone_number_id=inbound.message.phone_number_id,
            purpose="notice",
            content=content,
            needs_window=True,
            expires_at=rt.now() + service.NOTICE_LIVES,
            quotes=inbound.message.wamid,
        ),
    )
    return Answered(f"answer: asked which of {len(rows)} was meant; nothing decided")


async def _nothing_open(tx: Tx, rt: Runtime, inbound: Inbound, verdict: rules.Verdict) -> Answered:
    """A yes or no to nothing. CANCEL then means leaving, as the guide has it."""
    last = await tx.fetchrow(
        "SELECT * FROM confirmations WHERE person_id = ANY($1) AND phone_number_id = $2 AND status = 'decided' "
        "AND created_at > $3 ORDER BY decided_at DESC LIMIT 1",
        list(inbound.person.ids),
        inbound.message.phone_number_id,
        inbound.received_at - _REMEMBERED,
    )
    if verdict == "cancel":
        # Whoever means the question they just answered must not believe that it is undone.
        aside = (
            render.not_undone(last["action"]["action_description"]) if last and _recent(last, inbound) else ""
        )
        return Answered("opt-out: CANCEL with nothing open", leaving=True, aside=aside)
    if last is None:
        return Answered("comment: a yes or no, and nothing was asked", comment=True)
    line = render.nothing_open(last["outcome"], last["action"]["action_description"], last["decided_at"])
    await service.say(tx, rt, last, line, purpose="notice", person=inbound.person)
    return Answered("answer: nothing was open; nothing changed")


def _recent(last: Record, inbound: Inbound) -> bool:
    return bool(last["outcome"] == "confirmed" and last["decided_at"] > inbound.received_at - _FRESH)


async def _keep(
    tx: Tx, rt: Runtime, inbound: Inbound, row: Record, reading: Decide | Late, *, effect: str
) -> str | None:
    """Write the reply down as evidence; its id, or None when this very update was written down before."""
    answer_id = rt.new_id("ans")
    written = await tx.execute(
        "INSERT INTO answers (id, confirmation_id, person_id, update_key, wamid, how, said, verdict, effect, sent_at, "
        "received_at, quoted) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) "
        "ON CONFLICT (update_key) DO NOTHING",
        answer_id,
        row["id"],
        inbound.person.id,
        inbound.update_key,
        inbound.message.wamid,
        reading.how,
        inbound.message.text or "",
        reading.verdict,
        effect,
        inbound.message.sent_at,
        inbound.received_at,
        inbound.message.quoted_wamid,
    )
    return answer_id if written else None
