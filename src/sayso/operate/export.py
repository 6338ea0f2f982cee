"""Everything that is known of a person, in one JSON document: for them, when they ask."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from sayso.confirmations import forgetting as questions
from sayso.consent import service as consent
from sayso.core.database import Tx
from sayso.core.runtime import Runtime
from sayso.events import forgetting as events
from sayso.messages import forgetting as messages
from sayso.messages.service import OURSELVES
from sayso.operate.erasure import Inbox, read_whole
from sayso.people import erasing, merging
from sayso.people.persons import Where
from sayso.people.service import Person

#: Columns that are about our work on a row, not about the person.
_WORK = frozenset({"work", "work_at", "worker", "tries", "lane"})


async def export(
    tx: Tx, rt: Runtime, inbox: Inbox, person: Person, *, client_id: str | None
) -> dict[str, Any]:
    """What is known of a person; with ``client_id`` what concerns that assistant, and nothing of the others.

    An assistant gets what it gave, sent, asked and was told, what Meta says of who the person is, and the person's own
    words on consent; None gets all, the raw updates of Meta's and every merge among it.
    """
    await read_whole(tx)
    sent = await messages.all_of(tx, person, client_id)
    asked = await questions.all_of(tx, person, client_id)
    own = [
        row["id"] for row in asked if row.get("person_id") in person.ids
    ]  # of others' questions others were told
    subjects = [*person.ids, *(row["id"] for row in sent), *own]
    users = _of(await erasing.users(tx, person), client_id)
    told: dict[str, Any] = {
        "exported_at": rt.now(),
        "profile_name": person.name,
        "language": _in_force(person, "language", users, client_id),
        "time_zone": _in_force(person, "time_zone", users, client_id),
        "identifiers": _theirs(await erasing.identifiers(tx, person), client_id),
        "users": users,
        "consent": _of(await consent.history(tx, person), client_id),
        "messages": [_row(row) for row in sent],
        "confirmations": [_row(row) for row in asked],
        "events": [_row(row) for row in await events.about(tx, subjects, client_id)],
    }
    if client_id is None:
        names = await erasing.names(tx, person)
        told["updates"] = [_update(row) for row in await inbox.sent_by(tx, names)]
        told["merges"] = [_row(row) for row in await merging.merges_of(tx, person)]
    return told


def _in_force(
    person: Person, what: Where, users: Sequence[Mapping[str, Any]], client_id: str | None
) -> dict[str, Any]:
    """What counts, and where it comes from; for an assistant with what it set itself, last."""
    known = {"language": person.language_known, "time_zone": person.time_zone_known}[what]
    own = sorted((user["updated_at"], user[what]) for user in users if user[what])
    value, source = person.in_force(what, known if client_id is None else own[-1][1] if own else None)
    return {"value": value, "from": source}


def _theirs(rows: Sequence[Mapping[str, Any]], client_id: str | None) -> list[dict[str, Any]]:
    """Identifiers that Meta told of, or this assistant gave."""
    own = f"assistant:{client_id}"
    return [
        _row(row)
        for row in rows
        if client_id is None or row["learned_from"] == own or row["learned_from"].startswith("meta:")
    ]


def _of(rows: Sequence[Mapping[str, Any]], client_id: str | None) -> list[dict[str, Any]]:
    return [_row(row) for row in rows if client_id is None or row["client_id"] in (client_id, OURSELVES)]


def _row(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _plain(value) for name, value in dict(row).items() if name not in _WORK}


def _plain(value: Any) -> Any:
    if isinstance(value, bytes | memoryview):
        return bytes(value).hex()
    return value.isoformat() if isinstance(value, datetime) else value


def _update(row: Mapping[str, Any]) -> dict[str, Any]:
    """An update with what Meta sent: as JSON where it is that, else as text."""
    raw = bytes(row["item"])
    try:
        item: Any = msgspec.json.decode(raw)
    except (msgspec.DecodeError, ValueError, RecursionError):
        item = raw.decode("utf-8", "replace")
    return {**_row({name: value for name, value in dict(row).items() if name != "item"}), "item": item}
