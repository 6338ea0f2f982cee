"""The conductor: what one update means, in a fixed order, in one transaction, once.

Identity, then consent, then an answer to a question, then a status or a mere record, then the event.
"""

from collections.abc import Sequence
from dataclasses import replace

import structlog

from sayso.confirmations import answers, moving, payloads
from sayso.confirmations.answers import Inbound
from sayso.core.database import Record, Tx
from sayso.core.runtime import Runtime
from sayso.core.worker import Lease
from sayso.events import service as events
from sayso.inbound import account_news, consenting, history, identity, receive, template_news
from sayso.inbound.receive import Ended
from sayso.messages import conversations, forgetting, statuses
from sayso.messages import service as messages
from sayso.messages.statuses import Joined
from sayso.people import erasing
from sayso.people import service as people
from sayso.senders import service as senders
from sayso.whatsapp.updates import InboundMessage, OtherUpdate, StatusUpdate, UnreadableUpdateError, read

log = structlog.get_logger("sayso.handle")

Update = InboundMessage | StatusUpdate | OtherUpdate

#: What is done with the webhook fields that are no messages and no statuses.
NEWS = {**account_news.NEWS, **template_news.NEWS, **identity.NEWS, **consenting.NEWS}


#: What people say takes their fence and the ledger's head: two at once in one transaction might block one another.
#: A tap on a question takes the question alone.
_ALONE = frozenset({"message", "user_preferences"})


async def handle(rt: Runtime, lease: Lease, row: Record) -> None:
    """Digest one update. What cannot be read is parked with its reason; the others never wait for it."""
    try:
        update = read(row["kind"], row["item"], row["context"])
    except UnreadableUpdateError as error:
        log.warning("update.parked", id=row["id"], kind=row["kind"], reason=error.reason)
        async with rt.db.tx() as tx:
            await receive.finish(tx, rt, [Ended(row, error.reason, "parked")], worker=lease.worker)
        return
    async with rt.db.tx() as tx:
        await receive.finish(tx, rt, await _digest(tx, rt, [(row, update)]), worker=lease.worker)


def in_company(row: Record) -> bool:
    """Whether an update may share its transaction: no word of a person's, nor what was claimed before."""
    tapped = row["kind"] == "message" and payloads.MARK in row["item"]
    return bool((tapped or row["kind"] not in _ALONE) and row["tries"] <= 1)


async def handle_together(rt: Runtime, lease: Lease, rows: Sequence[Record]) -> Sequence[Record]:
    """Digest updates that are no words in one transaction; whatever is wrong with one, each is then tried alone."""
    updates = [(row, read(row["kind"], row["item"], row["context"])) for row in rows]
    async with rt.db.tx() as tx:
        await receive.finish(tx, rt, await _digest(tx, rt, updates), worker=lease.worker)
    return []


async def park(rt: Runtime, tx: Tx, lease: Lease, row: Record, reason: str) -> None:
    """Take a poisonous update out of the way; its bytes stay."""
    log.error("update.parked", id=row["id"], kind=row["kind"], reason=reason)
    await receive.finish(tx, rt, [Ended(row, reason, "parked")], worker=lease.worker)


async def _digest(tx: Tx, rt: Runtime, updates: Sequence[tuple[Record, Update]]) -> list[Ended]:
    """What became of each: statuses first, all in one go, then the others one by one."""
    told = [
        (row, update) for row, update in updates if isinstance(update, StatusUpdate) and _ours(rt, update)
    ]
    joined = await statuses.record(tx, rt, [status for _, status in told])
    ended = [
        Ended(row, await _status(tx, rt, status, one))
        for (row, status), one in zip(told, joined, strict=True)
    ]
    await _leave_nothing(tx, rt, [row for row, _ in told], joined)
    done = {row["id"] for row, _ in told}
    return ended + [
        Ended(row, await _act(tx, rt, row, update)) for row, update in updates if row["id"] not in done
    ]


def _ours(rt: Runtime, update: InboundMessage | StatusUpdate) -> bool:
    return senders.known(rt, update.phone_number_id)


async def _leave_nothing(
    tx: Tx, rt: Runtime, rows: Sequence[Record], joined: Sequence[Joined | None]
) -> None:
    """Statuses about somebody who was erased leave behind how far a message came, and no trace of the person."""
    found = [(row, one.message) for row, one in zip(rows, joined, strict=True) if one is not None]
    gone = await erasing.erased(tx, {message["person_id"] for _, message in found})
    theirs = [(row, message["id"]) for row, message in found if message["person_id"] in gone]
    if theirs:
        await forgetting.empty_again(tx, [message_id for _, message_id in theirs])
        await history.empty_these(tx, rt, [row for row, _ in theirs])


async def _status(tx: Tx, rt: Runtime, status: StatusUpdate, joined: Joined | None) -> str:
    if joined is None:
        return f"status {status.status}: of no message of ours"
    message = joined.message
    if not joined.moved:
        return f"status {status.status}: {message['id']} was at {message['state']} already"
    if message["state"] == "failed":
        await messages.tell_failed(tx, rt, message)
        await moving.prompt_failed(tx, rt, message)
    elif message["state"] == "unknown":
        await messages.tell_unknown(tx, rt, message)
    return f"status {status.status}: {message['id']}"


async def _act(tx: Tx, rt: Runtime, row: Record, update: Update) -> str:
    if isinstance(update, OtherUpdate):
        act = NEWS.get(update.kind)
        return await act(tx, rt, update) if act else f"kept: nothing is done with {update.kind}"
    if isinstance(update, StatusUpdate) or not _ours(rt, update):
        return f"ignored: the number {update.phone_number_id or '(none)'} is not ours"
    return await _message(tx, rt, row, update)


async def _message(tx: Tx, rt: Runtime, row: Record, message: InboundMessage) -> str:
    if message.type == "system":
        return await identity.system(
            tx, rt, message, min(message.sent_at or row["received_at"], row["received_at"])
        )
    person = await people.meet(tx, rt, message.person, learned_from="meta:message")
    inbound = Inbound(message, person, row["key"], row["received_at"])
    heard = consenting.NOTHING
    if not message.group_id:
        await conversations.note_inbound(
            tx, rt, person, message.phone_number_id, inbound.sent_at, referred=message.referred
        )
        heard = await consenting.hear(tx, rt, inbound)
        if heard.result is not None:
            return heard.result
    if heard.soft:  # the word may have given away the language in which they are answered
        inbound = replace(inbound, person=await people.get(tx, person.id))
    answered = await answers.answer(tx, rt, inbound, calls_off=heard.soft)
    if answered.leaving:
        return await consenting.leave(tx, rt, inbound, aside=answered.aside)
    if answered.called_off and heard.soft:
        await consenting.clarify(tx, rt, inbound)
    if answered.comment:
        await _pass_on(tx, rt, inbound)
    return answered.result


async def _pass_on(tx: Tx, rt: Runtime, inbound: Inbound) -> None:
    """A comment goes to the assistant whose message it quotes, else to all who know the person."""
    message = inbound.message
    quoted = await messages.by_wamid(tx, message.quoted_wamid) if message.quoted_wamid else None
    clients = [quoted["client_id"]] if quoted else await people.clients_of(tx, inbound.person)
    data = {
        "person": inbound.person.to or inbound.person.bsuid,
        "type": message.type,
        "text": message.text,
        "wamid": message.wamid,
        "quotes": quoted["id"] if quoted else None,
        "confirmation_id": quoted["confirmation_id"] if quoted else None,
    }
    for client_id in clients:
        await events.emit(
            tx, rt, client_id=client_id, kind="person.said", subject=inbound.person.id, data=data
        )
