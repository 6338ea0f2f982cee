"""The ledger of who left and who came back; append-only, whoever asks reads the entry that holds."""

from collections.abc import Sequence
from datetime import datetime

from sayso.consent.rules import Action, Entry, standing
from sayso.core.database import Tx
from sayso.core.runtime import Runtime
from sayso.people import service as people
from sayso.people.service import Person


async def record(
    tx: Tx,
    rt: Runtime,
    person: Person,
    *,
    action: Action,
    method: str,
    wording: str,
    evidence: str,
    captured_at: datetime,
) -> Entry:
    """Append what the person said, and return the entry that holds now.

    Takes the person's fence alone: sends being claimed either are visible as under way afterwards, or see this.
    ``evidence`` is the wamid of the message, ``captured_at`` its own time: an old START that comes late lifts nothing.
    """
    await people.lock(tx, person.ids, exclusive=True)
    await tx.execute(
        "INSERT INTO consent_entries (id, person_id, action, method, wording, evidence, captured_at, received_at) "
        "VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        rt.new_id("con"),
        person.id,
        action,
        method,
        wording,
        evidence,
        captured_at,
        rt.now(),
    )
    entry = await stands(tx, person)
    if entry is None:
        raise RuntimeError("an entry was just written")
    return entry


async def stands(tx: Tx, person: Person) -> Entry | None:
    """The entry that holds for a person, under any of their records."""
    return (await stand(tx, [person])).get(person.id)


async def stand(tx: Tx, persons: Sequence[Person]) -> dict[str, Entry]:
    """The entries that hold, by person id, in one query."""
    owner = {record_id: person.id for person in persons for record_id in person.ids}
    rows = await tx.fetch(
        "SELECT id, person_id, action, method, captured_at FROM consent_entries WHERE person_id = ANY($1)",
        list(owner),
    )
    by_person: dict[str, list[Entry]] = {}
    for row in rows:
        entry = Entry(row["id"], row["action"], row["method"], row["captured_at"])
        by_person.setdefault(owner[row["person_id"]], []).append(entry)
    found = {person: standing(entries) for person, entries in by_person.items()}
    return {person: entry for person, entry in found.items() if entry is not None}


def opted_out(entry: Entry | None) -> bool:
    """Whether nothing may be sent."""
    return entry is not None and entry.action == "withdrawn"
