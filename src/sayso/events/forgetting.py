"""Events about somebody who is to be forgotten: told once more, and emptied."""

from collections.abc import Sequence

from sayso.core.database import Record, Tx

#: Members of an event's data that may hold words or identifiers of the person.
_TELLING = ("person", "text", "reason", "wamid", "said")


async def about(tx: Tx, subjects: Sequence[str], client_id: str | None) -> list[Record]:
    """Events about these subjects, oldest first."""
    return await tx.fetch(
        "SELECT client_id, type, subject, data, at FROM events WHERE subject = ANY($1) "
        "AND ($2::text IS NULL OR client_id = $2) ORDER BY id",
        list(subjects),
        client_id,
    )


async def empty(tx: Tx, persons: Sequence[str], objects: Sequence[str], client_id: str | None) -> int:
    """Take from events what they say of persons, and what was said in events of objects; how many. None goes."""
    return await tx.execute(
        "UPDATE events SET data = CASE WHEN subject = ANY($1::text[]) THEN '{\"erased\": true}' ELSE data - $3::text[] "
        "END WHERE subject = ANY($1::text[] || $2::text[]) AND ($4::text IS NULL OR client_id = $4)",
        list(persons),
        list(objects),
        list(_TELLING),
        client_id,
    )
