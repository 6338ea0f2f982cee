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
    """Take from events what they say of persons, and what was said in events of objects; how many. None goes.

    What receivers answered to them goes: it may repeat what they were told.
    """
    rows = await tx.fetch(
        "UPDATE events e SET data = CASE WHEN s.whole THEN '{\"erased\": true}' ELSE e.data - $3::text[] END "
        "FROM (SELECT unnest($1::text[]) AS subject, true AS whole UNION ALL SELECT unnest($2::text[]), false) s "
        "WHERE e.subject = s.subject AND ($4::text IS NULL OR e.client_id = $4) RETURNING e.id",
        list(persons),
        list(objects),
        list(_TELLING),
        client_id,
    )
    await _empty_answers(tx, [row["id"] for row in rows])
    return len(rows)


async def unsay(tx: Tx, objects: Sequence[str], wamids: Sequence[str], names: Sequence[str]) -> None:
    """Take from events of these objects what these messages said, and these names of whom was asked.

    What receivers answered to them goes, too.
    """
    rows = await tx.fetch(
        "UPDATE events SET data = CASE WHEN data->>'to' = ANY($3) THEN data - 'to' ELSE data - $4::text[] END "
        "WHERE subject = ANY($1) AND (data->>'wamid' = ANY($2) OR data->>'to' = ANY($3)) RETURNING id",
        list(objects),
        list(wamids),
        list(names),
        list(_TELLING),
    )
    await _empty_answers(tx, [row["id"] for row in rows])


async def _empty_answers(tx: Tx, event_ids: Sequence[str]) -> None:
    """Take what receivers answered to events that were just emptied.

    A call under way is waited for, or finds its event changed; see ``delivering``.
    """
    await tx.fetch(
        "SELECT id FROM deliveries WHERE event_id = ANY($1) AND work = 'running' ORDER BY id FOR UPDATE",
        event_ids,
    )
    await tx.execute(
        "UPDATE delivery_attempts a SET body = NULL FROM deliveries d WHERE d.event_id = ANY($1) "
        "AND a.delivery_id = d.id AND a.body IS NOT NULL",
        event_ids,
    )
