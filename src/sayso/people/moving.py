"""A person who gets another number, another user id or other keys: what Meta's system messages mean for who is who."""

from dataclasses import dataclass
from datetime import datetime

from sayso.core.database import Tx
from sayso.core.runtime import Runtime
from sayso.people import meeting, merging, past
from sayso.people.meeting import given_by
from sayso.people.persons import Person, get
from sayso.whatsapp.updates import Identity


@dataclass(frozen=True, slots=True)
class Moved:
    """Who changed, and whether that was news to us."""

    person: Person
    news: bool


async def change(
    tx: Tx, rt: Runtime, before: Identity, after: Identity, *, number: bool, learned_from: str
) -> Moved:
    """Somebody known as ``before`` is known as ``after`` now; ``number``: they have another phone number.

    The new identifiers are theirs, the old ones are let go: the number may be given to somebody else, who is then
    another person; the old user id is dead, and whatever comes late under it is still theirs. Their consent, windows
    and messages stay with them. Several of our numbers each hear of it, in any order; it is done once.
    """
    person = await _known_as(tx, before)
    if person is None:
        # Only the news has reached us, or a later change before this one: remember who this was.
        person = await meeting.meet(tx, rt, after, learned_from=learned_from)
        await _remember_user_id(tx, rt, person, before, learned_from)
        return Moved(person, news=False)
    given = given_by(after)
    if not given or {_key(person, kind) for kind in given} == set(given.values()):
        return Moved(person, news=False)
    later = await past.owner(tx, after.bsuid) if after.bsuid else None
    await _let_go(tx, rt, person, before, after, number=number)
    if later is not None:  # what they became has changed again since, and we heard of that first
        await merging.unite(tx, rt, later, person.id, because=f"{learned_from} told of two changes in a row")
        return Moved(await get(tx, person.id), news=True)
    now_is = await meeting.find_or_create(
        tx, rt, given, name=after.name, learned_from=learned_from, root=person.id
    )
    return Moved(now_is, news=True)


async def note_identity_change(tx: Tx, person: Person, at: datetime) -> bool:
    """The person's keys changed at ``at``, as with a new phone; False when a later change is known already."""
    return bool(
        await tx.execute(
            "UPDATE people SET identity_changed_at = $2 WHERE id = $1 "
            "AND (identity_changed_at IS NULL OR identity_changed_at < $2)",
            person.id,
            at,
        )
    )


async def _known_as(tx: Tx, before: Identity) -> Person | None:
    """Who was known so: by the user id, or by the number where that is nobody else's by now."""
    found = await meeting.find(tx, given_by(before))
    by_user_id = await past.owner(tx, before.bsuid) if before.bsuid else None
    if by_user_id and (found is None or found.bsuid != before.bsuid):
        return await get(tx, by_user_id)
    if found and before.bsuid and found.bsuid not in (None, before.bsuid):
        return None
    return found


def _key(person: Person, kind: str) -> str | None:
    return {"bsuid": person.bsuid, "wa_id": person.wa_id}.get(kind)


async def _let_go(
    tx: Tx, rt: Runtime, person: Person, before: Identity, after: Identity, *, number: bool
) -> None:
    if after.bsuid and person.bsuid and person.bsuid != after.bsuid:
        await past.let_go(tx, rt, [("bsuid", person.bsuid)], because="the person has another user id")
    if number:
        await past.let_other_numbers_go(
            tx, rt, person, keep=after.wa_id, because="the person has another number"
        )
    elif before.wa_id and after.wa_id and before.wa_id != after.wa_id:
        await past.let_numbers_go(tx, rt, person, lost=before.wa_id, because="the person has another number")


async def _remember_user_id(tx: Tx, rt: Runtime, person: Person, before: Identity, learned_from: str) -> None:
    if before.bsuid and before.bsuid != person.bsuid and not await past.owner(tx, before.bsuid):
        row = {
            "kind": "bsuid",
            "value": before.bsuid,
            "person_id": person.id,
            "learned_from": learned_from,
            "learned_at": rt.now(),
        }
        await past.remember(tx, rt, [row], because="told of only when it was over")
