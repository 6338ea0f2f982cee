"""Who answers for whom while they are away: one delegate a person, from when until when."""

from collections.abc import Sequence
from datetime import datetime

from sayso.core.database import Record, Tx
from sayso.core.runtime import Runtime
from sayso.people import service as people
from sayso.people.service import Person

#: Delegates of delegates are followed so far, and never in a circle.
_MOST_STEPS = 5


async def put(
    tx: Tx, person: Person, delegate: Person, *, from_at: datetime, until: datetime, set_by: str
) -> None:
    """Say that ``delegate`` is asked in the person's place from ``from_at`` until ``until``."""
    await tx.execute(
        "INSERT INTO absences (person_id, from_at, until, delegate_id, set_by) VALUES ($1, $2, $3, $4, $5) "
        "ON CONFLICT (person_id) DO UPDATE SET from_at = excluded.from_at, until = excluded.until, "
        "delegate_id = excluded.delegate_id, set_by = excluded.set_by",
        person.id,
        from_at,
        until,
        delegate.id,
        set_by,
    )


async def get(tx: Tx, person: Person) -> Record | None:
    """The person's absence, past, present or to come."""
    return await tx.fetchrow(
        "SELECT * FROM absences WHERE person_id = ANY($1) ORDER BY until DESC LIMIT 1", list(person.ids)
    )


async def drop(tx: Tx, person: Person) -> bool:
    """Forget it; whether there was one."""
    return await tx.execute("DELETE FROM absences WHERE person_id = ANY($1)", list(person.ids)) > 0


async def forget(tx: Tx, person: Person, client_id: str | None) -> None:
    """Whoever is forgotten, by one client or by all, is away no more, and stands in for nobody."""
    await tx.execute(
        "DELETE FROM absences WHERE (person_id = ANY($1) OR delegate_id = ANY($1)) "
        "AND ($2::text IS NULL OR set_by = $2)",
        list(person.ids),
        client_id,
    )


async def stand_ins(tx: Tx, rt: Runtime, person_ids: Sequence[str]) -> dict[str, str]:
    """Who is asked now in whose place: a delegate who is away hands on to theirs, unless it goes in a circle."""
    found: dict[str, str] = {}
    for person_id in person_ids:
        seen, at = {person_id}, person_id
        for _ in range(_MOST_STEPS):
            delegate = await _delegate(tx, rt, at)
            if delegate is None or delegate in seen:
                break
            seen.add(delegate)
            at = delegate
        if at != person_id:
            found[person_id] = at
    return found


async def _delegate(tx: Tx, rt: Runtime, person_id: str) -> str | None:
    person = await people.get(tx, person_id)
    delegate_id = await tx.fetchval(
        "SELECT delegate_id FROM absences WHERE person_id = ANY($1) AND from_at <= $2 AND until > $2 LIMIT 1",
        list(person.ids),
        rt.now(),
    )
    return (await people.get(tx, delegate_id)).id if delegate_id else None
