"""Who answers for whom while they are away: one delegate a person, from when until when.

An absence holds for the questions of the assistant that told of it: it says nothing of whom others ask.
"""

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
        "ON CONFLICT (person_id, set_by) DO UPDATE SET from_at = excluded.from_at, until = excluded.until, "
        "delegate_id = excluded.delegate_id",
        person.id,
        from_at,
        until,
        delegate.id,
        set_by,
    )


async def get(tx: Tx, person: Person, client_id: str) -> Record | None:
    """The person's absence, past, present or to come, as this assistant told of it."""
    return await tx.fetchrow(
        "SELECT * FROM absences WHERE person_id = ANY($1) AND set_by = $2 ORDER BY until DESC LIMIT 1",
        list(person.ids),
        client_id,
    )


async def drop(tx: Tx, person: Person, client_id: str) -> None:
    """Forget it."""
    await tx.execute(
        "DELETE FROM absences WHERE person_id = ANY($1) AND set_by = $2", list(person.ids), client_id
    )


async def forget(tx: Tx, person: Person, client_id: str | None) -> None:
    """Whoever is forgotten, by one client or by all, is away no more, and stands in for nobody."""
    await tx.execute(
        "DELETE FROM absences WHERE (person_id = ANY($1) OR delegate_id = ANY($1)) "
        "AND ($2::text IS NULL OR set_by = $2)",
        list(person.ids),
        client_id,
    )


async def stand_ins(tx: Tx, rt: Runtime, client_id: str, persons: Sequence[Person]) -> dict[str, Person]:
    """Whom an assistant asks now in whose place: a delegate who is away hands on to theirs, unless in a circle."""
    found: dict[str, Person] = {}
    away = await _delegates(tx, rt, client_id, persons)
    for person in persons:
        seen, at = {person.id}, person
        delegate = away.get(person.id)
        while delegate is not None and delegate.id not in seen and len(seen) <= _MOST_STEPS:
            seen.add(delegate.id)
            at = delegate
            delegate = (await _delegates(tx, rt, client_id, [at])).get(at.id)
        if at is not person:
            found[person.id] = at
    return found


async def _delegates(tx: Tx, rt: Runtime, client_id: str, persons: Sequence[Person]) -> dict[str, Person]:
    """The delegates of those who are away now, by their ids."""
    owner = {record_id: person.id for person in persons for record_id in person.ids}
    rows = await tx.fetch(
        "SELECT person_id, delegate_id FROM absences WHERE person_id = ANY($1) AND from_at <= $2 AND until > $2 "
        "AND set_by = $3 ORDER BY until",
        list(owner),
        rt.now(),
        client_id,
    )
    if not rows:
        return {}
    delegates = await people.get_many(tx, [row["delegate_id"] for row in rows])
    return {owner[row["person_id"]]: delegates[row["delegate_id"]] for row in rows}
