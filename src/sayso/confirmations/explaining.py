"""Answers that decide nothing: each is kept as evidence, and the person is told why nothing came of it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from sayso.confirmations import lines, lists, payloads, render, rules, service, showing, told, unseen
from sayso.confirmations.asked import LONGEST, Inbound
from sayso.confirmations.question import offer
from sayso.confirmations.rules import Explain, How, InALine, Late
from sayso.core.database import Record, Tx
from sayso.core.runtime import Runtime, id_at
from sayso.events import service as events
from sayso.messages import service as messages
from sayso.whatsapp.content import Content, Text

#: How long what follows a no is taken for its reason, where one was asked for.
REASON_WITHIN = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Answered:
    """What came of a reply: a sentence for the record, and what is left for others to do.

    ``aside``: what was confirmed just before, which somebody who is leaving must not believe to be undone.
    """

    result: str
    comment: bool = False
    leaving: bool = False
    called_off: bool = False
    aside: str = ""


SEEN = Answered("answer: seen before")


async def keep(
    tx: Tx, rt: Runtime, inbound: Inbound, row: Record, *, how: How, verdict: str, effect: str
) -> str | None:
    """Write the reply down as evidence; its id, or None when this very update was written down before."""
    answer_id = rt.new_id("ans")
    message = inbound.message
    written = await tx.execute(
        "INSERT INTO answers (id, confirmation_id, person_id, update_key, wamid, how, said, verdict, effect, sent_at, "
        "received_at, quoted) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) "
        "ON CONFLICT (update_key) DO NOTHING",
        answer_id,
        row["id"],
        inbound.person.id,
        inbound.update_key,
        message.wamid,
        how,
        (message.reaction[1] if message.reaction else message.text) or "",
        verdict,
        effect,
        message.sent_at,
        inbound.received_at,
        message.reaction[0] if message.reaction else message.quoted_wamid,
    )
    return answer_id if written else None


async def tell(tx: Tx, rt: Runtime, inbound: Inbound, row: Record, line: Content) -> str:
    """Say something below the question as this person was asked it; the message's id."""
    return await messages.send(
        tx, rt, service.about(rt, row, line, purpose="notice", person=inbound.person, quotes=row["asked_by"])
    )


async def late(tx: Tx, rt: Runtime, inbound: Inbound, row: Record, late: Late) -> Answered:
    """An answer to a question that has ended: kept, told to the assistant, explained, and nothing more."""
    effect = "late" if row["status"] == "pending" or row["outcome"] == "expired" else "repeated"
    if await keep(tx, rt, inbound, row, how=late.how, verdict=late.verdict, effect=effect) is None:
        return SEEN
    data = {"confirmation_id": row["id"], "outcome": row["outcome"], "said": late.verdict}
    await events.emit(
        tx, rt, client_id=row["client_id"], kind="confirmation.answered_late", subject=row["id"], data=data
    )
    if row["status"] == "decided":  # else the line that closes it says so, in a moment
        await tell(tx, rt, inbound, row, _ended(render.too_late, inbound, row))
    return Answered(f"answer: {row['id']} had ended; nothing changed")


def nothing_open(inbound: Inbound, last: Record) -> Text:
    """That nothing is open, and what became of the last question."""
    return _ended(render.nothing_open, inbound, last)


def _ended(line: Callable[..., Text], inbound: Inbound, row: Record) -> Text:
    what, person = row["action"]["action_description"], inbound.person
    return line(row["outcome"], what, row["decided_at"], language=person.language, time_zone=person.time_zone)


async def explain(tx: Tx, rt: Runtime, inbound: Inbound, row: Record, said: Explain) -> Answered:
    """It is clear which question was meant, and nothing comes of it: kept, and explained."""
    if await keep(tx, rt, inbound, row, how=said.how, verdict=said.verdict or "", effect=said.why) is None:
        return SEEN
    if said.why == "unseen":
        shown = await unseen.show(tx, rt, inbound, row)
        return Answered(f"answer: {row['id']} stays as it is: {'all of it is shown' if shown else said.why}")
    message_id = await tell(tx, rt, inbound, row, line(rt, said.why, inbound, row))
    if row["kind"] == "choose" and said.why in _SHOWS_ANSWERS:
        items, sender = [each["id"] for each in row["options"]], row["phone_number_id"]
        person, of = inbound.person, row["id"]
        await lists.keep(
            tx, rt, person, message_id, sender=sender, verdict="answer", items=items, options_of=of
        )
    return Answered(f"answer: {row['id']} stays as it is: {said.why}")


#: What is told with the question's own answers below it; the numbers of its options are good from then on.
_SHOWS_ANSWERS: frozenset[InALine] = frozenset({"needs_option", "how"})


def line(rt: Runtime, why: InALine, inbound: Inbound, row: Record) -> Content:
    """Why nothing comes of an answer."""
    what, spoken = row["action"]["action_description"], inbound.person.language
    match why:
        case "again":
            held, theirs = row["status"] == "held", row["standing"] == "answered"
            return lines.again(what, held=held, theirs=theirs, language=spoken)
        case "needs_code":
            return lines.needs_code(what, row["challenge"], spoken)
        case "frozen" | "locked" | "not_extendable" | "not_undoable":
            return told.line(why, what, spoken)
        case "needs_option" | "how":
            question = showing.again(row, rt.now(), asked=1)
            body = lines.how(question.kind, what, [each.label for each in question.options], spoken)
            return offer(question, body, partial(payloads.make, payloads.key(rt.settings), row["id"]), spoken)


async def wrong_code(tx: Tx, rt: Runtime, inbound: Inbound, rows: Sequence[Record]) -> Answered:
    """A wrong code counts against every question that it may have been for; the person is told of the oldest."""
    row = rows[0]
    if await keep(tx, rt, inbound, row, how="code", verdict="confirm", effect="wrong_code") is None:
        return SEEN
    await tx.execute(
        "UPDATE approvers SET wrong = wrong + 1 WHERE confirmation_id = ANY($1) AND person_id = ANY($2)",
        [each["id"] for each in rows],
        list(inbound.person.ids),
    )
    left = rules.MOST_WRONG - row["wrong"] - 1
    line = lines.wrong_code(row["action"]["action_description"], left, inbound.person.language)
    await tell(tx, rt, inbound, row, line)
    return Answered(f"answer: a wrong code for {row['id']}; {left} tries left")


async def declined_lately(tx: Tx, inbound: Inbound) -> Record | None:
    """The question the person declined last, when its reason was asked for and not told yet, within the time for it."""
    if inbound.message.type != "text":
        return None
    return await tx.fetchrow(
        "SELECT c.*, p.verdict AS said FROM approvers p JOIN confirmations c ON c.id = p.confirmation_id "
        "WHERE p.person_id = ANY($1) AND p.confirmation_id >= $4 AND p.verdict = 'decline' AND p.answered_at > $2 "
        "AND c.phone_number_id = $3 AND (c.rule->>'ask_reason')::boolean AND NOT EXISTS "
        "(SELECT 1 FROM answers s WHERE s.confirmation_id = c.id AND s.person_id = ANY($1) "
        "AND s.effect = 'commented') ORDER BY p.answered_at DESC LIMIT 1",
        list(inbound.person.ids),
        inbound.received_at - REASON_WITHIN,
        inbound.message.phone_number_id,
        id_at("cnf", inbound.received_at - LONGEST),
    )


async def commented(tx: Tx, rt: Runtime, inbound: Inbound, quoted: Record | None) -> Answered | None:
    """What was written is the reason of a no: told to the assistant that asked. None when it is nothing like that."""
    message = inbound.message
    if message.type != "text" or message.forwarded or message.group_id is not None:
        return None
    row = quoted if message.quoted_wamid else await declined_lately(tx, inbound)
    if row is None or row["said"] != "decline" or not row["rule"].get("ask_reason"):
        return None
    how: How = "quote" if message.quoted_wamid else "word"
    if await keep(tx, rt, inbound, row, how=how, verdict="comment", effect="commented") is None:
        return SEEN
    data = {"confirmation_id": row["id"], "text": message.text, "wamid": message.wamid}
    await events.emit(
        tx, rt, client_id=row["client_id"], kind="confirmation.commented", subject=row["id"], data=data
    )
    return Answered(f"answer: the reason for declining {row['id']}")
