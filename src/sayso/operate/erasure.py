"""Forgetting a person: everything stops first, then everything goes but what keeps us from writing to them again."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sayso.confirmations import forgetting as questions
from sayso.consent import service as consent
from sayso.core import idempotency
from sayso.core.database import Record, Tx
from sayso.core.errors import StillSendingError
from sayso.core.runtime import Runtime
from sayso.events import forgetting as events
from sayso.messages import forgetting as messages
from sayso.messages.service import OURSELVES
from sayso.people import erasing, links
from sayso.people import service as people
from sayso.people.service import Person

#: A POST under way ends within 10 seconds of its claim's 4 (docs/decisions/0003): longer than that nobody waits here.
WAIT_S = 15.0
_LOOK_S = 0.05

#: What has no index by person is read whole, once: rare enough, and one would be paid by every event and webhook.
READ_WHOLE = ("SET LOCAL enable_seqscan = on", "SET LOCAL enable_hashjoin = on")


@dataclass(frozen=True, slots=True)
class Inbox:
    """What this room needs of what came in: it may not see that room.

    ``empty`` goes without the fence, and gives what tells ``empty_since``, within it, where to go on.
    """

    sent_by: Callable[[Tx, Sequence[str]], Awaitable[list[Record]]]
    unread: Callable[[Tx, Sequence[str]], Awaitable[bool]]
    empty: Callable[[Runtime, Sequence[str]], Awaitable[Any]]
    empty_since: Callable[[Tx, Runtime, Sequence[str], Any], Awaitable[None]]


async def read_whole(tx: Tx) -> None:
    """Let this transaction read tables whole; the planner of our sessions would rather not."""
    for setting in READ_WHOLE:
        await tx.execute(setting)


async def forget_user(
    rt: Runtime, inbox: Inbox, *, client_id: str, external_id: str, everywhere: bool, wait_s: float = WAIT_S
) -> None:
    """Forget an assistant's user; nobody's, when there is none. Done when it returns.

    What the assistant sent and asked goes, and its link. The person goes with it when no other assistant knows them,
    or when it is to be ``everywhere``. Raises :class:`StillSendingError` when a message to them stays under way.
    """
    async with rt.db.one() as tx:
        found = await people.linked(tx, client_id=client_id, external_id=external_id)
    if found is None:
        return
    person = found[0]
    whole = everywhere or not await _known_to_others(rt, person, client_id)
    if whole:
        await forget(rt, inbox, person, wait_s=wait_s)
    else:
        await _each_look(
            rt, person, client_id, lambda tx, who: _forget_of(tx, who, client_id, external_id), wait_s
        )


async def forget(rt: Runtime, inbox: Inbox, person: Person, *, wait_s: float = WAIT_S) -> None:
    """Forget a person, whoever knows them. Their leaving holds for whoever has one of their identifiers."""
    async with rt.db.one() as tx:
        names = await erasing.names(tx, person)
    looked = await inbox.empty(rt, names)

    async def all_of(tx: Tx, who: Person) -> bool:
        names = await erasing.names(tx, who)
        if await inbox.unread(tx, names):
            return False
        await _empty(tx, who, None)
        await inbox.empty_since(tx, rt, names, looked)
        await consent.erase(tx, rt, who)
        await erasing.forget(tx, rt, who)
        return True

    await _each_look(rt, person, None, all_of, wait_s)


async def _each_look(
    rt: Runtime,
    person: Person,
    client_id: str | None,
    then: Callable[[Tx, Person], Awaitable[bool]],
    wait_s: float,
) -> None:
    """Stop everything, and go on once nothing is under way: within the fence, so that nothing starts meanwhile.

    ``then`` gives False while it cannot be yet.
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + wait_s
    while True:
        async with rt.db.tx() as tx:
            who = (await people.lock(tx, list(person.ids), exclusive=True))[person.id]
            await questions.end(tx, rt, who, client_id)
            await messages.take_back(tx, rt, who, client_id, reason="the person is being forgotten")
            if not await messages.under_way(tx, rt, who, client_id) and await then(tx, who):
                return
        if loop.time() > deadline:
            raise StillSendingError(
                "A message to this person is still under way, or one of theirs is not digested yet; what waited is "
                "cancelled. Ask again in a moment."
            )
        await asyncio.sleep(_LOOK_S)


async def _forget_of(tx: Tx, person: Person, client_id: str, external_id: str) -> bool:
    await _empty(tx, person, client_id)
    await links.unlink(tx, client_id=client_id, external_id=external_id)
    return True


async def _empty(tx: Tx, person: Person, client_id: str | None) -> None:
    """What was said by us, asked, answered and told, of one client or of all."""
    await read_whole(tx)
    message_ids = await messages.empty(tx, person, client_id)
    whole, part = await questions.empty(tx, person, client_id)
    await events.empty(tx, person.ids, [*message_ids, *whole], client_id)
    await idempotency.forget(tx, [*message_ids, *whole, *part])


async def _known_to_others(rt: Runtime, person: Person, client_id: str) -> bool:
    async with rt.db.tx() as tx:
        clients = set(await people.clients_of(tx, person))
        clients |= await messages.clients(tx, person) | await questions.clients(tx, person)
    return bool(clients - {client_id, OURSELVES})
