"""Entries about entries: an opt-in whose time has come to its end, and what was recorded by mistake."""

import asyncio

import structlog

from sayso.consent.ledger import OURSELVES, Said, append
from sayso.consent.rules import ALL, IN_CHAT, METAS, OPENS, SCOPES, Entry, Standing
from sayso.consent.service import verdicts
from sayso.core.database import UNAVAILABLE, Record, Tx
from sayso.core.errors import InputInvalidError, NotFoundError
from sayso.core.runtime import Runtime
from sayso.events import service as events
from sayso.events.service import Event
from sayso.people import service as people

log = structlog.get_logger("sayso.consent")

#: How often ends are looked for, and how many are noted in one transaction. What may go does not wait for it.
LOOK_S = 60.0
_AT_ONCE = 200


async def note_ends(tx: Tx, rt: Runtime) -> int:
    """Note the opt-ins that have ended since the last look, and tell the assistants; how many.

    An opt-in ends by its own ``expires_at``, noted or not: the note is evidence, and the event a reason to ask again.
    Nobody is told of one that was renewed before, or withdrawn: with it nothing ends.
    """
    if not await tx.fetchval("SELECT pg_try_advisory_xact_lock(hashtextextended('consent.ends', 7))"):
        return 0  # another process is at it
    rows = await tx.fetch(
        "SELECT e.id, e.person_id, e.scope, e.expires_at FROM consent_entries e WHERE e.expires_at <= $1 "
        "AND e.action = ANY($2) AND NOT EXISTS (SELECT 1 FROM consent_entries n WHERE n.about = e.id "
        "AND n.action IN ('expired', 'corrected')) ORDER BY e.seq LIMIT $3",
        rt.now(),
        sorted(OPENS),
        _AT_ONCE,
    )
    persons = await people.get_many(tx, [row["person_id"] for row in rows])
    said = [
        Said(
            person=persons[row["person_id"]],
            action="expired",
            method="time",
            captured_at=row["expires_at"],
            scope=tuple(row["scope"]),
            about=row["id"],
        )
        for row in rows
    ]
    if said:
        await append(tx, rt, said)
        holds = await verdicts(tx, rt, list({each.person.id: each.person for each in said}.values()))
        told = [await _told(tx, each, holds[each.person.id]) for each in said]
        await events.emit_all(tx, rt, [event for some in told for event in some])
    return len(said)


async def _told(tx: Tx, said: Said, holds: Standing) -> list[Event]:
    covered = SCOPES if ALL in said.scope else said.scope
    ended = [scope for scope in covered if (own := holds.own.get(scope)) and own.id == said.about]
    if not ended:
        return []
    data = {
        "person": said.person.to or said.person.bsuid,
        "scope": list(said.scope) if len(ended) == len(covered) else ended,
        "entry_id": said.about,
    }
    clients = await people.clients_of(tx, said.person)
    return [Event(client_id, "person.opt_in_ended", said.person.id, data) for client_id in clients]


async def watch(rt: Runtime) -> None:
    """Note ends as they come, for ever."""
    while True:
        try:
            async with rt.db.tx() as tx:
                more = await note_ends(tx, rt) == _AT_ONCE
        except UNAVAILABLE as error:
            more = False
            log.warning("consent.ends_not_noted", error=repr(error))
        await asyncio.sleep(0 if more else LOOK_S)


async def correct(tx: Tx, rt: Runtime, entry_id: str, *, actor: str, reason: str) -> Entry:
    """Strike out an entry that was recorded by mistake: it no longer counts, and stays where it is.

    What a person wrote or tapped to leave, and what Meta told, cannot be struck out. Raises :class:`NotFoundError` and
    :class:`InputInvalidError`.
    """
    row = await tx.fetchrow("SELECT * FROM consent_entries WHERE id = $1", entry_id)
    if row is None:
        raise NotFoundError(f"There is no consent entry {entry_id!r}.")
    person = await people.get(tx, row["person_id"])
    await people.lock(tx, person.ids, exclusive=True)
    struck = await tx.fetchval(
        "SELECT id FROM consent_entries WHERE about = $1 AND action = 'corrected'", entry_id
    )
    if why := _kept(row, struck):
        raise InputInvalidError(f"Entry {entry_id} cannot be struck out: {why}.")
    said = Said(
        person=person,
        action="corrected",
        method="other",
        captured_at=rt.now(),
        scope=tuple(row["scope"]),
        client_id=OURSELVES,
        about=entry_id,
        personal={"actor": actor, "reason": reason},
    )
    return (await append(tx, rt, [said]))[0]


def _kept(row: Record, struck_by: str | None) -> str | None:
    """Why an entry stays; None when it may be struck out."""
    if struck_by is not None:
        return f"entry {struck_by} did so already"
    if row["action"] in METAS:
        return "Meta told it, and only Meta takes it back"
    if row["action"] not in OPENS and row["method"] in IN_CHAT:
        return "the person said it, and only they take it back"
    if row["action"] in ("corrected", "expired"):
        return "it is a note about another entry"
    return None
