"""The messages of somebody who is to be forgotten: taken back while they wait, told once more, and emptied."""

from collections.abc import Sequence

from sayso.core.database import Record, Tx
from sayso.core.runtime import Runtime
from sayso.messages.service import IN_DOUBT, Step, note, tell_unknown
from sayso.people.service import Person

_THEIRS = "person_id = ANY($1) AND ($2::text IS NULL OR client_id = $2)"
#: What nobody knows the end of is still reported in its time.
_EMPTY = """
UPDATE messages SET content = '{"type": "erased"}', type = 'erased', outside_window = NULL, reason = NULL, wamid = NULL,
    past_wamids = '{}', quotes = NULL, dedupe = NULL, held = NULL, held_by = NULL, worker = NULL,
    work = CASE WHEN state = 'unknown' AND work <> 'running' THEN work END
"""


async def take_back(tx: Tx, rt: Runtime, person: Person, client_id: str | None, *, reason: str) -> int:
    """Cancel what waits to go to the person, of one client or of all; how many. The caller holds the person's fence."""
    rows = await tx.fetch(
        f"WITH these AS MATERIALIZED (SELECT id FROM messages WHERE {_THEIRS} AND state = 'queued' "
        "AND coalesce(work, '') <> '' AND work <> 'running' ORDER BY id FOR UPDATE SKIP LOCKED) "
        "UPDATE messages m SET state = CASE WHEN m.risked THEN 'unknown' ELSE 'cancelled' END, "
        "reason = CASE WHEN m.risked THEN $4 ELSE $3 END, work = NULL, worker = NULL, held = NULL, "
        "held_by = NULL FROM these WHERE m.id = these.id RETURNING m.*",
        list(person.ids),
        client_id,
        reason,
        f"{reason}{IN_DOUBT}",
    )
    await note(tx, [Step(row["id"], rt.now(), row["state"], row["reason"]) for row in rows])
    for row in rows:
        if row["state"] == "unknown":
            await tell_unknown(tx, rt, row)
    return len(rows)


async def under_way(tx: Tx, rt: Runtime, person: Person, client_id: str | None) -> bool:
    """Whether anything to the person is being posted, or may be, or is in the hands of a claim."""
    found: bool = await tx.fetchval(
        f"SELECT EXISTS (SELECT 1 FROM messages WHERE {_THEIRS} AND state = 'sending') "
        f"OR EXISTS (SELECT 1 FROM messages WHERE {_THEIRS} AND coalesce(work, '') <> '' "
        "AND (state = 'queued' OR state = 'unknown' AND posting_until > $3))",
        list(person.ids),
        client_id,
        rt.now(),
    )
    return found


async def clients(tx: Tx, person: Person) -> set[str]:
    """Who has ever sent to the person, and has not forgotten it."""
    rows = await tx.fetch("SELECT client_id FROM message_clients WHERE person_id = ANY($1)", list(person.ids))
    return {row["client_id"] for row in rows}


async def all_of(tx: Tx, person: Person, client_id: str | None) -> list[Record]:
    """Every message to the person, oldest first, each with its timeline."""
    return await tx.fetch(
        "SELECT m.*, (SELECT coalesce(jsonb_agg(jsonb_build_object('at', t.at, 'state', t.state, 'reason', t.reason, "
        "'detail', t.detail) ORDER BY t.id), '[]') FROM message_timeline t WHERE t.message_id = m.id) AS timeline "
        f"FROM messages m WHERE {_THEIRS} ORDER BY m.id",
        list(person.ids),
        client_id,
    )


async def empty(tx: Tx, person: Person, client_id: str | None) -> list[str]:
    """Take from the person's messages what they say and by what Meta knows them; their ids. States and times stay."""
    rows = await tx.fetch(f"{_EMPTY} WHERE {_THEIRS} RETURNING id", list(person.ids), client_id)
    message_ids = [row["id"] for row in rows]
    await _empty_timelines(tx, message_ids)
    await tx.execute(f"DELETE FROM message_clients WHERE {_THEIRS}", list(person.ids), client_id)
    if client_id is None:
        await tx.execute("DELETE FROM conversations WHERE person_id = ANY($1)", list(person.ids))
    return message_ids


async def empty_again(tx: Tx, message_ids: Sequence[str]) -> None:
    """A status came for messages that were emptied: it leaves nothing behind but how far they came."""
    await tx.execute(f"{_EMPTY} WHERE id = ANY($1)", list(message_ids))
    await _empty_timelines(tx, message_ids)


async def _empty_timelines(tx: Tx, message_ids: Sequence[str]) -> None:
    await tx.execute(
        "UPDATE message_timeline SET reason = NULL, detail = NULL WHERE message_id = ANY($1)",
        list(message_ids),
    )
