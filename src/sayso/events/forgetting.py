"""Events about somebody who is to be forgotten: told once more, and emptied."""

from collections.abc import Sequence

from sayso.core.database import Record, Tx

#: Members of an event's data that may hold words or identifiers of the person.
_TELLING = ("person", "text", "reason", "wamid", "said", "note")


async def about(tx: Tx, subjects: Sequence[str], client_id: str | None) -> list[Record]:
    """Events about these subjects, oldest first."""
    return await tx.fetch(
        "SELECT e.client_id, e.type, e.subject, e.data, e.at FROM events e JOIN unnest($1::text[]) AS s (subject) "
        "ON e.subject = s.subject WHERE $2::text IS NULL OR e.client_id = $2 ORDER BY e.id",
        list(subjects),
        client_id,
    )


async def empty(tx: Tx, persons: Sequence[str], objects: Sequence[str], client_id: str | None) -> int:
    """Take from events what they say of persons, and what was said in events of objects; how many. None goes."""
    return await tx.execute(
        "UPDATE events e SET data = CASE WHEN s.whole THEN '{\"erased\": true}' ELSE e.data - $3::text[] END "
        "FROM (SELECT unnest($1::text[]) AS subject, true AS whole UNION ALL SELECT unnest($2::text[]), false) s "
        "WHERE e.subject = s.subject AND ($4::text IS NULL OR e.client_id = $4)",
        list(persons),
        list(objects),
        list(_TELLING),
        client_id,
    )


async def unsay(tx: Tx, objects: Sequence[str], wamids: Sequence[str], names: Sequence[str]) -> None:
    """Take from events of these objects what these messages said, and these names of whom was asked."""
    await tx.execute(
        "UPDATE events SET data = CASE WHEN data->>'to' = ANY($3) THEN data - 'to' ELSE data - $4::text[] END "
        "WHERE subject = ANY($1) AND (data->>'wamid' = ANY($2) OR data->>'to' = ANY($3))",
        list(objects),
        list(wamids),
        list(names),
        list(_TELLING),
    )
