"""What follows when a person leaves or comes back, by whatever way we hear of it: all of it in one transaction.

The fence, the ledger, the questions that are open, the messages that wait, one answer in the person's language, and
the event.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace

from sayso.confirmations import moving
from sayso.confirmations import service as confirmations
from sayso.consent import rules, texts
from sayso.consent import service as consent
from sayso.consent.rules import ALL, SCOPES, Entry, Standing
from sayso.consent.service import Said
from sayso.core.database import Tx
from sayso.core.runtime import Runtime
from sayso.events import service as events
from sayso.messages import service as messages
from sayso.messages.price import FREE_ENTRY
from sayso.messages.service import OURSELVES, TO_WHO_LEFT, Draft
from sayso.people import service as people
from sayso.people.service import Person
from sayso.whatsapp.content import Content, Text

#: How long an opt-out waits for what is on its way to the person; one POST takes less.
QUIET_WITHIN_S = 15.0
_LOOK_S = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class Chat:
    """Where the person is answered: by which sender (None: not at all), in which language, to which message."""

    phone_number_id: str | None
    language: str
    wamid: str | None = None


@dataclass(frozen=True, slots=True)
class Left:
    """What a leaving did. ``entry`` is the one that holds; ``stale``: only later opt-ins hold."""

    entry: Entry
    news: bool = False
    stale: bool = False
    ended: int = 0
    suppressed: int = 0


@dataclass(frozen=True, slots=True)
class Back:
    """What a coming back did. Without ``entry`` there was nothing that this way of coming back restores."""

    entry: Entry | None
    news: bool = False
    stale: bool = False


def scopes(scope: Sequence[str]) -> tuple[str, ...]:
    """The categories a scope covers."""
    return SCOPES if ALL in scope else tuple(scope)


async def leave(tx: Tx, rt: Runtime, said: Said, chat: Chat, *, aside: str = "") -> Left:
    """Opt out: from here on nothing of that scope to this person starts. The answer leaves when nothing is under way.

    It is written down even when the person was out already; the answer, the event and the rest only come with a change.
    """
    person = said.person
    await people.lock(tx, person.ids, exclusive=True)
    before = await consent.verdict(tx, rt, person)
    (entry,) = await consent.append(tx, rt, [said])
    after = await consent.verdict(tx, rt, person)
    covered = scopes(said.scope)
    held = tuple(scope for scope in covered if after.stopped(scope) and not _metas(after, scope))
    if not held:
        return Left(entry, stale=True)
    scope = said.scope if held == covered else held
    ended, suppressed = await _end(tx, rt, person, entry, scope)
    if all(before.stopped(each) for each in held):
        return Left(after.stopped(held[0]) or entry, ended=ended, suppressed=suppressed)
    await answer(tx, rt, person, chat, _farewell(rt, scope, ended, chat.language, aside))
    await tell(tx, rt, replace(said, scope=scope), entry, kind="person.opted_out", wamid=chat.wamid)
    return Left(entry, news=True, ended=ended, suppressed=suppressed)


async def _end(tx: Tx, rt: Runtime, person: Person, entry: Entry, scope: Sequence[str]) -> tuple[int, int]:
    """Close what is open and take back what waits; how many questions and messages."""
    everything = ALL in scope
    ended = 0
    if everything or "confirmations" in scope:
        ended = await moving.opted_out(tx, rt, person)
    what = "" if everything else f" of {', '.join(scope)}"
    taken_back = await messages.suppress_all(
        tx,
        rt,
        person,
        entry.id,
        scope=None if everything else scope,
        reason=f"the person opted out{what} (consent entry {entry.id})",
    )
    return ended, len(taken_back)


async def come_back(tx: Tx, rt: Runtime, said: Said, chat: Chat) -> Back:
    """Opt in by a word in the chat: to everything but what was stopped otherwise than in the chat."""
    person = said.person
    await people.lock(tx, person.ids, exclusive=True)
    scope = rules.restorable((await consent.entries_of(tx, rt, [person]))[person.id])
    if not scope:
        return Back(None)
    return await opt_in(tx, rt, replace(said, scope=scope), chat)


async def opt_in(tx: Tx, rt: Runtime, said: Said, chat: Chat) -> Back:
    """Opt in, by whatever way; the answer and the event come with a change only."""
    person = said.person
    await people.lock(tx, person.ids, exclusive=True)
    before = await consent.verdict(tx, rt, person)
    (entry,) = await consent.append(tx, rt, [said])
    after = await consent.verdict(tx, rt, person)
    covered = [scope for scope in scopes(said.scope) if scope not in after.metas or not _metas(after, scope)]
    if any(after.stopped(scope) for scope in covered):
        return Back(entry, stale=True)
    if all(before.opt_in(scope) for scope in covered):
        return Back(entry)
    business = rt.settings.sayso_business_name
    await answer(tx, rt, person, chat, Text(texts.text("opt_in", chat.language, business=business)))
    await tell(tx, rt, said, entry, kind="person.opted_in", wamid=chat.wamid)
    return Back(entry, news=True)


def _metas(holds: Standing, scope: str) -> bool:
    """Whether the stop is the person's at Meta, which no word to us lifts."""
    stop = holds.stopped(scope)
    return stop is not None and stop.action in rules.METAS


def _farewell(rt: Runtime, scope: Sequence[str], ended: int, language: str, aside: str) -> Content:
    name = "opt_out_marketing" if tuple(scope) == ("marketing",) else "opt_out"
    lines = [texts.text(name, language, business=rt.settings.sayso_business_name)]
    if ended:
        lines.append(texts.text("closed_one" if ended == 1 else "closed_many", language, count=ended))
    if name == "opt_out":
        lines.append(texts.text("back", language))
    said = " ".join(lines)
    return Text(f"{said}\n\n{aside}" if aside else said)


def help_text(rt: Runtime, language: str) -> Content:
    """Who writes here, what, how to stop, and whom to ask."""
    lines = [texts.text("help", language, business=rt.settings.sayso_business_name)]
    if rt.settings.sayso_contact:
        lines.append(texts.text("contact", language, contact=rt.settings.sayso_contact))
    return Text(" ".join(lines))


async def answer(tx: Tx, rt: Runtime, person: Person, chat: Chat, content: Content) -> None:
    """Answer a word about being messaged; asked by somebody who has left, it goes to them all the same."""
    if chat.phone_number_id is None:
        return
    has_left = (await consent.verdict(tx, rt, person)).stopped("service") is not None
    await messages.send(
        tx,
        rt,
        Draft(
            client_id=OURSELVES,
            person=person,
            phone_number_id=chat.phone_number_id,
            purpose="consent",
            content=content,
            expires_at=rt.now() + confirmations.NOTICE_LIVES,
            dedupe=f"{TO_WHO_LEFT}{rt.new_id('ans')}" if has_left else None,
        ),
    )


async def tell(tx: Tx, rt: Runtime, said: Said, entry: Entry, *, kind: str, wamid: str | None) -> None:
    """Tell every assistant that knows the person."""
    data = {
        "person": said.person.to or said.person.bsuid,
        "scope": list(said.scope),
        "method": said.method,
        "entry_id": entry.id,
        "wamid": wamid,
    }
    clients = await people.clients_of(tx, said.person)
    await events.emit_all(
        tx, rt, [events.Event(client_id, kind, said.person.id, data) for client_id in clients]
    )


async def in_flight(tx: Tx, rt: Runtime, person: Person, scope: Sequence[str]) -> int:
    """How many messages of this scope to a person are on their way; after a leaving there come no more of them.

    What a worker posted that only seems to be dead is among them, for as long as a POST may last. A template that is
    free since the person came by an ad may be marketing: what is expected to be charged does not tell.
    """
    number: int = await tx.fetchval(
        "SELECT count(*) FROM messages WHERE person_id = ANY($1) AND coalesce(work, '') <> '' AND purpose <> 'consent' "
        "AND (state = 'sending' OR state = 'unknown' AND posting_until > $3) "
        "AND (category = ANY($2) OR 'marketing' = ANY($2) AND form = 'template' AND price_estimate = ANY($4))",
        list(person.fence),
        list(scopes(scope)),
        rt.now(),
        ["marketing", FREE_ENTRY],
    )
    return number


async def quiet(rt: Runtime, person: Person, scope: Sequence[str]) -> int:
    """Wait until nothing to a person is on its way any more; how many messages still may be when the time is over.

    Whoever tells of an opt-out by another way than the chat waits so before they call it done.
    """
    loop = asyncio.get_running_loop()
    until = loop.time() + QUIET_WITHIN_S
    while True:
        async with rt.db.one() as tx:
            under_way = await in_flight(tx, rt, person, scope)
        if not under_way or loop.time() > until:
            return under_way
        await asyncio.sleep(_LOOK_S)
