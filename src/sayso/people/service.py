"""Who is who: the face of this room. Any subset of identifiers may be missing, of anybody."""

from collections.abc import Sequence

from sayso.core.database import Tx
from sayso.people.links import clients_of, link, link_as_given, linked
from sayso.people.meeting import by_phone, learn, meet
from sayso.people.persons import Person, fence, get, get_many, lock
from sayso.people.speaking import note_language

__all__ = [
    "Person",
    "by_phone",
    "clients_of",
    "fence",
    "get",
    "get_many",
    "learn",
    "link",
    "link_as_given",
    "linked",
    "lock",
    "meet",
    "note_language",
    "strangers",
]


async def strangers(tx: Tx, keys: Sequence[str]) -> list[str]:
    """Those of the keys (``Person.keys``) that are nobody's we know."""
    rows = await tx.fetch(
        "SELECT k.key FROM unnest($1::text[]) AS k (key) WHERE NOT EXISTS (SELECT 1 FROM people_identifiers i "
        "WHERE (i.kind, i.value) IN (('bsuid', k.key), ('wa_id', k.key), ('phone', '+' || k.key)))",
        list(keys),
    )
    return [row["key"] for row in rows]
