"""Identifiers that a person had and has no more: kept for the record, and so as not to be learned again by mistake."""

from collections.abc import Callable, Sequence

from sayso.core.database import Record, Tx
from sayso.core.runtime import Runtime
from sayso.people import rules
from sayso.people.persons import Person

_NUMBERS = ("wa_id", "phone")


async def let_numbers_go(tx: Tx, rt: Runtime, person: Person, *, lost: str, because: str) -> None:
    """Take a number from a person, under every spelling.

    Numbers that only assistants gave go with it, unless Meta knows another number of the person's that they spell: to
    which of them the lost one answered cannot be told, and whoever has it now must not be sent what is theirs.
    """
    gone = rules.line(lost)
    await _let_go_of_numbers(tx, rt, person, lambda line: line != gone, because)


async def let_other_numbers_go(
    tx: Tx, rt: Runtime, person: Person, *, keep: str | None, because: str
) -> None:
    """Take every number from a person but ``keep``, the one they have now; all of them when it is not told."""
    kept = rules.line(keep) if keep else None
    await _let_go_of_numbers(tx, rt, person, lambda line: line == kept, because)


async def _let_go_of_numbers(
    tx: Tx, rt: Runtime, person: Person, stays: Callable[[str], bool], because: str
) -> None:
    rows = await tx.fetch(
        "SELECT kind, value FROM people_identifiers WHERE person_id = ANY($1) AND kind = ANY($2)",
        list(person.ids),
        list(_NUMBERS),
    )
    lines = {(row["kind"], row["value"]): rules.line(row["value"]) for row in rows}
    known = {line for (kind, _), line in lines.items() if kind == "wa_id" and stays(line)}
    gone = [
        key for key, line in lines.items() if not stays(line) or (key[0] == "phone" and line not in known)
    ]
    await let_go(tx, rt, gone, because=because)


async def let_go(tx: Tx, rt: Runtime, identifiers: Sequence[tuple[str, str]], *, because: str) -> None:
    """Move identifiers (kind, value) to what was."""
    rows = await tx.fetch(
        "DELETE FROM people_identifiers i USING unnest($1::text[], $2::text[]) AS f (kind, value) "
        "WHERE i.kind = f.kind AND i.value = f.value RETURNING i.*",
        [kind for kind, _ in identifiers],
        [value for _, value in identifiers],
    )
    await remember(tx, rt, rows, because=because)


async def remember(tx: Tx, rt: Runtime, rows: Sequence[Record], *, because: str) -> None:
    """Write down what a person had: kind, value, person_id, learned_from, learned_at."""
    await tx.executemany(
        "INSERT INTO people_past_identifiers (id, kind, value, person_id, learned_from, learned_at, gone_at, because) "
        "VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        [
            (
                rt.new_id("pid"),
                row["kind"],
                row["value"],
                row["person_id"],
                row["learned_from"],
                row["learned_at"],
                rt.now(),
                because,
            )
            for row in rows
        ],
    )


async def owner(tx: Tx, bsuid: str) -> str | None:
    """Whose BSUID this was: it names nobody else, ever (cloud-api 4.7), so a late webhook under it is theirs."""
    found: str | None = await tx.fetchval(
        "SELECT person_id FROM people_past_identifiers WHERE kind = 'bsuid' AND value = $1 "
        "ORDER BY gone_at DESC LIMIT 1",
        bsuid,
    )
    return found


async def left_at(tx: Tx, person: Person, phone: str) -> object:
    """When a person let a number go, in whatever spelling an assistant gave it; None while they did not."""
    return await tx.fetchval(
        "SELECT max(gone_at) FROM people_past_identifiers WHERE person_id = ANY($1) AND kind = 'phone' AND value = $2 "
        "AND NOT EXISTS (SELECT 1 FROM people_identifiers i WHERE i.person_id = ANY($1) AND i.value = $2)",
        list(person.ids),
        phone,
    )
