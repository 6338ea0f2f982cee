"""A person's reply meets the questions they were asked: read it, decide or explain, and keep it as evidence."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from typing import Any

from sayso.confirmations import (
    asked,
    explaining,
    lines,
    lists,
    moving,
    payloads,
    reading,
    rules,
    service,
    told,
)
from sayso.confirmations.asked import Inbound
from sayso.confirmations.explaining import Answered, keep, tell
from sayso.confirmations.render import Action
from sayso.confirmations.rules import (
    AskWhich,
    Comment,
    Decide,
    Explain,
    Extend,
    Late,
    NothingOpen,
    Pending,
    Question,
    Reading,
    Reply,
    Undo,
    Wish,
    WrongCode,
)
from sayso.core.database import Record, Tx
from sayso.core.runtime import Runtime
from sayso.messages import service as messages
from sayso.messages.service import OURSELVES, Draft
from sayso.whatsapp.content import Content

__all__ = ["Answered", "Inbound", "answer"]

#: How long a question is remembered to somebody who says yes or no when nothing is open.
_REMEMBERED = timedelta(days=2)
#: How long a CANCEL may be meant for what was just confirmed.
_FRESH = timedelta(hours=1)
#: What a person types or taps. What else there is (media, contacts, edits, whatever comes) is no answer.
_SAID = frozenset({"text", "button", "interactive"})
_TAPPED = _SAID - {"text"}


@dataclass(frozen=True, slots=True)
class _Met:
    """A reply and the questions it meets, by id; ``questions`` are those from the sender it was written to."""

    inbound: Inbound
    rows: Mapping[str, Record]
    questions: Sequence[Question]
    quoted: str | None


async def answer(tx: Tx, rt: Runtime, inbound: Inbound, *, calls_off: bool = False) -> Answered:
    """Read a reply and act on it. ``calls_off``: what was written is a word for CANCEL, whatever its language."""
    reply = _reply(inbound, calls_off=calls_off)
    message = inbound.message
    tap = payloads.read(payloads.key(rt.settings), reply.payload)
    kept: Sequence[Record] = ()
    quoted = None
    if tap is None:  # a button of ours says by itself which question it is
        kept = await lists.around(tx, inbound.person, message, reply)
        quoted = await asked.behind(tx, message.quoted_wamid)
    reacted = await asked.behind(tx, message.reaction[0], prompt=True) if message.reaction else None
    named = {name for row in kept for name in lists.names(row)} | {each for each in (reacted, quoted) if each}
    rows = await asked.of(tx, inbound, named | ({tap.question_id} if tap else set()))
    reply = replace(
        reply,
        answer=tap.answer if tap else None,
        tapped=asked.question(rows.get(tap.question_id), inbound) if tap else None,
        quoted=asked.question(rows.get(quoted), inbound) if quoted else None,
        quoted_list=_quoted_list(kept, message.quoted_wamid),
        reacted=asked.question(rows.get(reacted), inbound) if reacted else None,
        asked_why=await explaining.declined_lately(tx, inbound) is not None,
        opt_in_at=await asked.opt_in_at(tx, inbound) if rules.word(reply.text) and tap is None else None,
    )
    here = [row for row in rows.values() if row["phone_number_id"] == message.phone_number_id]
    met = _Met(inbound, rows, [each for row in here if (each := asked.question(row, inbound))], quoted)
    shown = [one for row in kept if (one := lists.listed(row))]
    return await _act(tx, rt, met, reading.read(reply, met.questions, shown))


def _reply(inbound: Inbound, *, calls_off: bool) -> Reply:
    """What can be told of a reply by itself. A button without payload has its label, which nobody wrote."""
    message = inbound.message
    text = message.text if message.type in _SAID else None
    return Reply(
        text="cancel" if calls_off else text,
        payload=message.payload or "" if message.type in _TAPPED else message.payload,
        sent_at=inbound.sent_at,
        tapped=None,
        quotes_something=message.quoted_wamid is not None,
        quoted=None,
        forwarded=message.forwarded,
        in_group=message.group_id is not None,
        received_at=inbound.received_at,
        emoji=message.reaction[1] if message.reaction else None,
    )


def _quoted_list(kept: Sequence[Record], wamid: str | None) -> rules.Listed | None:
    """The list of questions that is quoted; whoever quotes one question's options quotes that question."""
    found = [row for row in kept if wamid is not None and row["wamid"] == wamid and not row["options_of"]]
    return lists.listed(found[0]) if found else None


async def _act(tx: Tx, rt: Runtime, met: _Met, said: Reading) -> Answered:
    match said:
        case Decide():
            return await _decide(tx, rt, met, said)
        case Late():
            return await explaining.late(tx, rt, met.inbound, met.rows[said.question_id], said)
        case Explain():
            return await explaining.explain(tx, rt, met.inbound, met.rows[said.question_id], said)
        case WrongCode():
            rows = [met.rows[each] for each in said.question_ids]
            return await explaining.wrong_code(tx, rt, met.inbound, rows)
        case Extend() | Undo():
            return await _change(tx, rt, met, said)
        case _:
            return await _undecided(tx, rt, met, said)


async def _undecided(
    tx: Tx, rt: Runtime, met: _Met, said: AskWhich | Pending | NothingOpen | Comment
) -> Answered:
    match said:
        case AskWhich(verdict=wish):
            return await _ask_which(tx, rt, met, wish)
        case Pending():
            return await _pending(tx, rt, met)
        case NothingOpen(verdict=wish):
            return await _nothing_open(tx, rt, met, wish)
        case Comment(why=why):
            reason = await explaining.commented(tx, rt, met.inbound, met.rows.get(met.quoted or ""))
            return reason or Answered(f"comment: {why}", comment=True)


async def _decide(tx: Tx, rt: Runtime, met: _Met, decided: Decide) -> Answered:
    inbound, row = met.inbound, met.rows[decided.question_id]
    answer_id = await keep(tx, rt, inbound, row, how=decided.how, verdict=decided.verdict, effect="decided")
    if answer_id is None:
        return explaining.SEEN
    verdict: rules.Verdict = "confirm" if decided.verdict == "answer" else decided.verdict
    value = _value(row, decided.value)
    done = await moving.record(tx, rt, row, inbound.person, verdict, answer_id=answer_id, answer=value)
    if done.state in ("closed", "not_asked"):
        await tell(tx, rt, inbound, row, explaining.line(rt, "again", inbound, row))
        return Answered(f"answer: {row['id']} stays as it is: {done.state}")
    if verdict == "decline" and row["rule"].get("ask_reason"):
        asks = told.line(
            "why",
            row["action"]["action_description"],
            inbound.person.language,
            span=explaining.REASON_WITHIN,
        )
        await tell(tx, rt, inbound, row, asks)
    what = done.outcome if done.state == "decided" else done.state
    return Answered(f"answer: {row['id']} {what} by {decided.how}", called_off=verdict == "cancel")


def _value(row: Record, value: str | None) -> dict[str, Any] | None:
    """What was chosen or written, as it is kept."""
    if value is None:
        return None
    if row["kind"] == "ask":
        return {"text": value}
    return next(
        {"option": each["id"], "label": each["label"]} for each in row["options"] if each["id"] == value
    )


async def _change(tx: Tx, rt: Runtime, met: _Met, wished: Extend | Undo) -> Answered:
    """More time, or an answer taken back."""
    inbound, row = met.inbound, met.rows[wished.question_id]
    more = isinstance(wished, Extend)
    done = await (moving.extend if more else moving.undo)(tx, rt, row, inbound.person)
    wish: Wish = "extend" if more else "undo"
    if not done:
        why: rules.Why = "not_extendable" if more else "not_undoable"
        return await explaining.explain(tx, rt, inbound, row, Explain(row["id"], wish, wished.how, why))
    effect = "extended" if more else "undid"
    if await keep(tx, rt, inbound, row, how=wished.how, verdict=wish, effect=effect) is None:
        return explaining.SEEN
    return Answered(f"answer: {row['id']} {effect} by {wished.how}")


async def _ask_which(tx: Tx, rt: Runtime, met: _Met, wish: Wish | None) -> Answered:
    rows = [met.rows[each.id] for each in rules.waiting(wish, met.questions)]
    if wish == "answer":  # what was written is an option or words of their own: neither is for a yes or no
        rows = [row for row in rows if row["kind"] != "approve"] or rows
    if wish in ("confirm", "decline") and all(row["kind"] != "approve" for row in rows):
        wish = None  # nothing there takes a yes or no: no button may say so
    if not rows:
        return await _pending(tx, rt, met)
    make = partial(payloads.make, payloads.key(rt.settings))
    content = lines.which(wish, _told(rows), make, met.inbound.person.language)
    await _list(tx, rt, met.inbound, rows, content, wish=wish)
    return Answered(f"answer: asked which of {len(rows)} was meant; nothing decided")


async def _pending(tx: Tx, rt: Runtime, met: _Met) -> Answered:
    """What is open; what has its answer, and not for good, is told, too."""
    rows = [met.rows[each.id] for each in rules.waiting(None, met.questions)]
    answered = [Action.of(met.rows[each.id]["action"]) for each in met.questions if each.undecided]
    content = lines.pending(_told(rows), answered, met.inbound.person.language)
    await _list(tx, rt, met.inbound, rows, content, wish=None)
    return Answered(f"answer: listed {len(rows)} open questions")


def _told(rows: Sequence[Record]) -> list[tuple[str, Action]]:
    return [(row["id"], Action.of(row["action"])) for row in rows]


async def _list(
    tx: Tx,
    rt: Runtime,
    inbound: Inbound,
    rows: Sequence[Record],
    content: Content,
    *,
    wish: Wish | None,
) -> None:
    """Send a list, and write down what its numbers mean."""
    clients = {row["client_id"] for row in rows}
    message_id = await messages.send(
        tx,
        rt,
        Draft(
            client_id=clients.pop() if len(clients) == 1 else OURSELVES,
            person=inbound.person,
            phone_number_id=inbound.message.phone_number_id,
            purpose="notice",
            content=content,
            needs_window=True,
            expires_at=rt.now() + service.NOTICE_LIVES,
            quotes=inbound.message.wamid,
        ),
    )
    if rows and lines.tells_apart(_told(rows)):
        items = [row["id"] for row in rows[: lines.MOST_LISTED]]
        sender = inbound.message.phone_number_id
        await lists.keep(tx, rt, inbound.person, message_id, sender=sender, verdict=wish, items=items)


async def _nothing_open(tx: Tx, rt: Runtime, met: _Met, wish: Wish) -> Answered:
    """A word to nothing that it could be for. CANCEL then means leaving, as the guide has it."""
    inbound = met.inbound
    last = await asked.last(tx, inbound, inbound.received_at - _REMEMBERED)
    # CANCEL 2 is for a question, whichever that was.
    numbered = rules.numbered(inbound.message.text) is not None
    if wish == "cancel" and not numbered:
        # Whoever means the question they just answered must not believe that it is undone.
        aside = last["action"]["action_description"] if last and _recent(last, inbound) else ""
        return Answered("opt-out: CANCEL with nothing open", leaving=True, aside=aside)
    is_open = any(each.open for each in met.questions)
    if wish == "undo" and (is_open or last is not None):
        await _list(tx, rt, inbound, (), lines.nothing_to_undo(inbound.person.language), wish=None)
        return Answered("answer: nothing can be taken back; nothing changed")
    if is_open or last is None:  # one that is open has not been shown yet
        return Answered("comment: a yes or no, and nothing was asked", comment=True)
    await tell(tx, rt, inbound, last, explaining.nothing_open(inbound, last))
    return Answered("answer: nothing was open; nothing changed")


def _recent(last: Record, inbound: Inbound) -> bool:
    return bool(last["outcome"] == "confirmed" and last["decided_at"] > inbound.received_at - _FRESH)
