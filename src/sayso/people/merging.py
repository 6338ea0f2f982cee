"""Two records that turn out to be one person: the merge, with its reason, and its undoing."""

from typing import Any

import structlog

from sayso.core.database import Record, Tx
from sayso.core.runtime import Runtime
from sayso.people.persons import Person, get_many

log = structlog.get_logger("sayso.people")

_TURNS = "SELECT pg_advisory_xact_lock(hashtextextended('people.merge', 7))"


async def merge(tx: Tx, rt: Runtime, other: str, root: str, *, because: str) -> None:
    """Let ``root`` stand for ``other`` too. Records keep what was learned on them, so that it can be undone.

    Merges take turns: two at once could each make a root of a record that the other is merging away.
    """
    await tx.execute(_TURNS)
    roots = await tx.fetch(
        "SELECT id, coalesce(merged_into, id) AS root FROM people WHERE id IN ($1, $2)", other, root
    )
    now_is = {row["id"]: row["root"] for row in roots}
    other, root = now_is[other], now_is[root]
    if other == root:
        return
    log.info("people.merged", person=other, into=root, because=because)
    await tx.execute("UPDATE people SET merged_into = $2 WHERE id = $1 OR merged_into = $1", other, root)
    await tx.execute(
        "INSERT INTO people_merges (id, other_id, root_id, because, at) VALUES ($1, $2, $3, $4, $5)",
        rt.new_id("mrg"),
        other,
        root,
        because,
        rt.now(),
    )


async def unite(tx: Tx, rt: Runtime, one_id: str, other_id: str, *, because: str) -> None:
    """Make one person of two records' persons, unless it is known that they are two: by their BSUIDs, or by us."""
    found = await get_many(tx, [one_id, other_id])
    one, other = found[one_id], found[other_id]
    if one.id == other.id or (one.bsuid and other.bsuid and one.bsuid != other.bsuid):
        return
    if await apart(tx, one, other):
        log.warning("people.kept_apart", one=one.id, other=other.id, because=because)
        return
    root, merged = sorted((one, other), key=lambda person: (person.bsuid is None, person.id))
    await merge(tx, rt, merged.id, root.id, because=because)


async def apart(tx: Tx, one: Person, other: Person) -> bool:
    """Whether somebody has taken these two apart: then nothing makes them one again by itself."""
    found: bool = await tx.fetchval(
        "SELECT EXISTS (SELECT 1 FROM people_merges WHERE undone_at IS NOT NULL AND other_id = ANY($1) "
        "AND root_id = ANY($2)) OR EXISTS (SELECT 1 FROM people_merges WHERE undone_at IS NOT NULL "
        "AND other_id = ANY($2) AND root_id = ANY($1))",
        list(one.ids),
        list(other.ids),
    )
    return found


async def merges_of(tx: Tx, person: Person) -> list[Record]:
    """Every merge that made or once made this person what they are, oldest first."""
    return await tx.fetch(
        "SELECT id, other_id, root_id, because, at, undone_at, undone_because FROM people_merges "
        "WHERE root_id = ANY($1) OR other_id = ANY($1) ORDER BY at, id",
        list(person.ids),
    )


async def undo(tx: Tx, rt: Runtime, merge_id: str, *, because: str) -> tuple[Person, Person] | None:
    """Take two persons apart again; (the one that stood for both, the other), or None when there is nothing to undo.

    Each identifier, link, message, consent entry and window is of the record on which it was learned or made, and goes
    back with it. Whatever Meta says later does not merge the two again; a number then goes to whom it is said of.
    """
    await tx.execute(_TURNS)
    edge = await tx.fetchrow(
        "UPDATE people_merges SET undone_at = $2, undone_because = $3 WHERE id = $1 AND undone_at IS NULL "
        "RETURNING other_id, root_id",
        merge_id,
        rt.now(),
        because,
    )
    if edge is None:
        return None
    together = (await get_many(tx, [edge["root_id"]]))[edge["root_id"]]
    edges = await tx.fetch(
        "SELECT other_id, root_id FROM people_merges WHERE undone_at IS NULL AND other_id = ANY($1)",
        list(together.ids),
    )
    into: dict[str, str] = {row["other_id"]: row["root_id"] for row in edges}
    roots = {record: _top(record, into) for record in together.ids}
    await tx.execute(
        "UPDATE people p SET merged_into = nullif(f.root, f.id) FROM unnest($1::text[], $2::text[]) AS f (id, root) "
        "WHERE p.id = f.id",
        list(roots),
        list(roots.values()),
    )
    log.warning("people.taken_apart", person=edge["other_id"], of=edge["root_id"])
    now_are: dict[str, Any] = await get_many(tx, [edge["root_id"], edge["other_id"]])
    return now_are[edge["root_id"]], now_are[edge["other_id"]]


def _top(record: str, into: dict[str, str]) -> str:
    while record in into:
        record = into[record]
    return record
