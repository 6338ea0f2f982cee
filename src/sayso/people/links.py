"""Which person an assistant's user is: what each assistant gave, seen by nobody else."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sayso.core import faults
from sayso.core.database import Record, Tx
from sayso.core.runtime import Runtime
from sayso.people import meeting, past
from sayso.people.persons import Person, Where, get


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What an assistant says of one of its users; None is not said, and what was said before stays."""

    phone: str | None = None
    bsuid: str | None = None
    name: str | None = None
    language: str | None = None
    time_zone: str | None = None


async def put(tx: Tx, rt: Runtime, *, client_id: str, external_id: str, given: Given) -> Person:
    """Link a user, or say more of one. Raises :class:`InputInvalidError` for a new user without any identifier.

    That a number and a user id are one person's is believed of Meta alone: an assistant's word must not let anybody
    answer for somebody else. Where both are given and Meta has not said so, the number counts.
    """
    was = await link_as_given(tx, client_id=client_id, external_id=external_id)
    same = _same(was, given)
    person = await _meant(tx, rt, client_id, was if same else None, given)
    await tx.execute(
        "INSERT INTO people_links AS l "
        "(client_id, external_id, person_id, phone, bsuid, name, language, time_zone, updated_at) "
        "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (client_id, external_id) DO UPDATE "
        "SET person_id = $3, phone = CASE WHEN $10 THEN l.phone ELSE $4 END, "
        "bsuid = CASE WHEN $10 THEN l.bsuid ELSE $5 END, name = coalesce($6, l.name), "
        "language = coalesce($7, l.language), time_zone = coalesce($8, l.time_zone), updated_at = $9",
        client_id,
        external_id,
        person.id,
        given.phone,
        given.bsuid,
        given.name,
        given.language,
        given.time_zone,
        rt.now(),
        same,
    )
    await tx.execute(
        "UPDATE people SET language = coalesce($2, language), time_zone = coalesce($3, time_zone) "
        "WHERE id = $1 AND coalesce($2, $3) IS NOT NULL",
        person.id,
        given.language,
        given.time_zone,
    )
    return await get(tx, person.id)


def _same(was: Record | None, given: Given) -> bool:
    """Whether the identifiers are those given before, or none: said again, as by an assistant that starts anew.

    Then who is meant stays who was meant, also when they have changed their number since.
    """
    if was is None:
        return False
    return given.phone in (None, was["phone"]) and given.bsuid in (None, was["bsuid"])


async def _meant(tx: Tx, rt: Runtime, client_id: str, was: Record | None, given: Given) -> Person:
    if was is not None:
        return await get(tx, was["person_id"])
    if given.phone is None and given.bsuid is None:
        raise faults.wrong("/phone", "give a phone number or a WhatsApp user id for a user who is new")
    said_by = f"assistant:{client_id}"
    if given.phone is not None:
        return await meeting.by_phone(tx, rt, given.phone, learned_from=said_by)
    return await meeting.by_user_id(tx, rt, str(given.bsuid), learned_from=said_by)


async def link(
    tx: Tx, rt: Runtime, *, client_id: str, external_id: str, phone: str, name: str | None
) -> Person:
    """Say which person an assistant's user is, by a number."""
    return await put(
        tx, rt, client_id=client_id, external_id=external_id, given=Given(phone=phone, name=name)
    )


async def unlink(tx: Tx, *, client_id: str, external_id: str) -> None:
    """Forget which person an assistant's user is, and all that it said of them."""
    await tx.execute(
        "DELETE FROM people_links WHERE client_id = $1 AND external_id = $2", client_id, external_id
    )


async def linked(tx: Tx, *, client_id: str, external_id: str) -> tuple[Person, str | None] | None:
    """The person an assistant's user is, and the name the assistant gave; None when it never said."""
    row = await link_as_given(tx, client_id=client_id, external_id=external_id)
    return (await get(tx, row["person_id"]), row["name"]) if row else None


async def link_as_given(tx: Tx, *, client_id: str, external_id: str) -> Record | None:
    """What an assistant gave for a user: nothing that others know of the person."""
    return await tx.fetchrow(
        "SELECT person_id, phone, bsuid, name, language, time_zone, updated_at FROM people_links "
        "WHERE client_id = $1 AND external_id = $2",
        client_id,
        external_id,
    )


async def seen_by(tx: Tx, client_id: str, external_id: str) -> dict[str, object] | None:
    """A user as their assistant sees them: what it gave, and what is in force with where it comes from.

    ``set`` is what this assistant gave, ``said`` what a word of the person's gave away, ``guessed`` what their number
    tells; what other assistants set is theirs.
    ``phone_left_at``: when the person was told to have left the number given.
    """
    row = await link_as_given(tx, client_id=client_id, external_id=external_id)
    if row is None:
        return None
    person = await get(tx, row["person_id"])
    return {
        "external_id": external_id,
        "phone": row["phone"],
        "bsuid": row["bsuid"],
        "phone_left_at": await past.left_at(tx, person, row["phone"]) if row["phone"] else None,
        "name": row["name"],
        **_in_force("language", row, person),
        **_in_force("time_zone", row, person),
    }


def _in_force(what: Where, row: Mapping[str, Any], person: Person) -> dict[str, object]:
    value, source = person.in_force(what, row[what])
    return {what: value, f"{what}_from": source}


async def called(tx: Tx, external_id: str) -> list[str]:
    """The assistants that have a user of this name."""
    rows = await tx.fetch(
        "SELECT client_id FROM people_links WHERE external_id = $1 ORDER BY client_id", external_id
    )
    return [row["client_id"] for row in rows]


async def clients_of(tx: Tx, person: Person) -> list[str]:
    """The assistants that know this person."""
    rows = await tx.fetch(
        "SELECT DISTINCT client_id FROM people_links WHERE person_id = ANY($1) ORDER BY 1", list(person.ids)
    )
    return [row["client_id"] for row in rows]


async def users_of(tx: Tx, person: Person) -> dict[str, list[str]]:
    """What each assistant that knows this person calls them."""
    rows = await tx.fetch(
        "SELECT client_id, array_agg(external_id ORDER BY external_id) AS users FROM people_links "
        "WHERE person_id = ANY($1) GROUP BY client_id ORDER BY 1",
        list(person.ids),
    )
    return {row["client_id"]: list(row["users"]) for row in rows}
