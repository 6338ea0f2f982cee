"""What is known of a person, told or forgotten."""

from collections.abc import Collection

from sayso.core.database import Record, Tx
from sayso.core.runtime import Runtime
from sayso.people.persons import Person


async def identifiers(tx: Tx, person: Person) -> list[Record]:
    """Everything the person is or was known by: kind, value, from whom, when; what is gone with when and why."""
    return await tx.fetch(
        "SELECT kind, value, learned_from, learned_at, NULL::timestamptz AS gone_at, NULL AS because "
        "FROM people_identifiers WHERE person_id = ANY($1) UNION ALL "
        "SELECT kind, value, learned_from, learned_at, gone_at, because FROM people_past_identifiers "
        "WHERE person_id = ANY($1) ORDER BY learned_at, kind, value",
        list(person.ids),
    )


async def names(tx: Tx, person: Person) -> list[str]:
    """Whatever an update of theirs is or was filed under: user ids, and numbers without plus."""
    return sorted({row["value"].lstrip("+") for row in await identifiers(tx, person)})


async def users(tx: Tx, person: Person) -> list[Record]:
    """What each assistant calls the person and gave of them."""
    return await tx.fetch(
        "SELECT client_id, external_id, phone, bsuid, name, language, time_zone, updated_at FROM people_links "
        "WHERE person_id = ANY($1) ORDER BY client_id, external_id",
        list(person.ids),
    )


async def forget(tx: Tx, rt: Runtime, person: Person) -> None:
    """Let everything go by which somebody could be found or named; their records stay, as nobody's in particular.

    Whoever comes with one of the identifiers afterwards is somebody new.
    """
    for table in ("people_identifiers", "people_past_identifiers", "people_links"):
        await tx.execute(f"DELETE FROM {table} WHERE person_id = ANY($1)", list(person.ids))
    await tx.execute(  # an operator's own words, which may name somebody
        "UPDATE people_merges SET undone_because = '(erased)' WHERE undone_because IS NOT NULL "
        "AND (other_id = ANY($1) OR root_id = ANY($1))",
        list(person.ids),
    )
    await tx.execute(
        "UPDATE people SET name = NULL, language = NULL, language_said = NULL, language_said_at = NULL, "
        "time_zone = NULL, identity_changed_at = NULL, erased_at = $2 WHERE id = ANY($1)",
        list(person.ids),
        rt.now(),
    )


async def erased(tx: Tx, person_ids: Collection[str]) -> set[str]:
    """Those of these records that belong to somebody who was erased."""
    if not person_ids:
        return set()
    rows = await tx.fetch(
        "SELECT p.id FROM people p JOIN people root ON root.id = coalesce(p.merged_into, p.id) "
        "WHERE p.id = ANY($1) AND root.erased_at IS NOT NULL",
        sorted(person_ids),
    )
    return {row["id"] for row in rows}
