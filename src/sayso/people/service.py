"""People and the set of identifiers each is known by; any subset may be missing."""

from collections.abc import Sequence
from dataclasses import dataclass

import structlog

from sayso.core.database import Record, Tx
from sayso.core.runtime import Runtime
from sayso.whatsapp.updates import Identity

log = structlog.get_logger("sayso.people")

#: A BSUID names a person for good; a number may be given to somebody else.
_ORDER = ("bsuid", "parent_bsuid", "wa_id", "phone")

# What a Person is made of, given ``root``. No OR between two columns: where claims run, the planner may only walk one
# index, and would walk all of it.
_RECORDS = (
    "CROSS JOIN LATERAL (SELECT root.id || array("
    "SELECT m.id FROM people m WHERE m.merged_into = root.id ORDER BY m.id) AS ids) r"
)
_WHO = (
    "root.id AS root, root.name, r.ids, array(SELECT i.kind || ':' || i.value FROM people_identifiers i "
    "WHERE i.person_id = ANY(r.ids) ORDER BY i.learned_at DESC) AS known"
)


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody we may message. ``ids`` are all records found to be this person, ``id`` the one that stands for them.

    Of each kind of identifier the one learned last counts; ``keys`` is whatever an update of theirs may be filed under.
    """

    id: str
    ids: tuple[str, ...]
    name: str | None
    phone: str | None
    wa_id: str | None
    bsuid: str | None
    keys: tuple[str, ...] = ()

    @property
    def to(self) -> str | None:
        """The number to send to, with +: as the caller gave it, else as Meta did."""
        return self.phone or (f"+{self.wa_id}" if self.wa_id else None)


async def get(tx: Tx, person_id: str) -> Person:
    """The person a record belongs to; raises KeyError when there is none."""
    return (await get_many(tx, [person_id]))[person_id]


async def get_many(tx: Tx, person_ids: Sequence[str]) -> dict[str, Person]:
    """The persons records belong to, by record id, in one query."""
    rows = await tx.fetch(
        f"SELECT asked.id AS asked, {_WHO} FROM people asked "
        f"JOIN people root ON root.id = coalesce(asked.merged_into, asked.id) {_RECORDS} WHERE asked.id = ANY($1)",
        list(dict.fromkeys(person_ids)),
    )
    return {row["asked"]: _person(row) for row in rows}


def _person(row: Record) -> Person:
    known: dict[str, str] = {}
    for identifier in row["known"]:
        kind, _, value = identifier.partition(":")
        known.setdefault(kind, value)
    return Person(
        id=row["root"],
        ids=tuple(row["ids"]),
        name=row["name"],
        phone=known.get("phone"),
        wa_id=known.get("wa_id"),
        bsuid=known.get("bsuid"),
        keys=tuple(identifier.partition(":")[2].lstrip("+") for identifier in row["known"]),
    )


async def meet(tx: Tx, rt: Runtime, identity: Identity, *, learned_from: str) -> Person:
    """The person Meta speaks of, created when new; every identifier given is remembered as theirs.

    Identifiers that were thought to be two persons' and turn out to be one's merge them. A number that comes with
    another BSUID than before has changed hands: it moves to a new person, and nothing else does.
    """
    given = {
        kind: value
        for kind, value in (
            ("bsuid", identity.bsuid),
            ("parent_bsuid", identity.parent_bsuid),
            ("wa_id", identity.wa_id),
        )
        if value
    }
    return await _find_or_create(tx, rt, given, name=identity.name, learned_from=learned_from)


async def by_phone(tx: Tx, rt: Runtime, phone: str, *, learned_from: str) -> Person:
    """The person with a number a caller gave (E.164), created when new."""
    return await _find_or_create(tx, rt, {"phone": phone}, name=None, learned_from=learned_from)


async def learn(tx: Tx, rt: Runtime, facts: Sequence[tuple[str, str, str]], *, learned_from: str) -> None:
    """Remember (record id, kind, value) facts, from an answer of Meta's.

    Whoever else is known by one of them is the same person: the number an assistant gave and the one Meta knows may
    differ (Brazil's ninth digit). Unless their BSUIDs differ: then what is known of somebody else stays so.
    """
    persons, kinds, values = ([fact[column] for fact in facts] for column in range(3))
    await tx.execute(
        "INSERT INTO people_identifiers (person_id, kind, value, learned_from, learned_at) "
        "SELECT person, kind, value, $4, $5 FROM unnest($1::text[], $2::text[], $3::text[]) AS f (person, kind, value) "
        "ORDER BY kind, value ON CONFLICT DO NOTHING",
        persons,
        kinds,
        values,
        learned_from,
        rt.now(),
    )
    alike = await tx.fetch(
        "SELECT DISTINCT f.person AS one, i.person_id AS other "
        "FROM unnest($1::text[], $2::text[], $3::text[]) AS f (person, kind, value) "
        "JOIN people_identifiers i USING (kind, value) WHERE i.person_id <> f.person ORDER BY 1, 2",
        persons,
        kinds,
        values,
    )
    for pair in alike:
        await _unite(tx, pair["one"], pair["other"])


async def _unite(tx: Tx, one_id: str, other_id: str) -> None:
    """Make one person of two records' persons, unless it is known that they are two."""
    found = await get_many(tx, [one_id, other_id])
    one, other = found[one_id], found[other_id]
    if one.id == other.id or (one.bsuid and other.bsuid and one.bsuid != other.bsuid):
        return
    root, merged = sorted((one, other), key=lambda person: (person.bsuid is None, person.id))
    await _merge(tx, merged.id, root.id)


async def link(
    tx: Tx, rt: Runtime, *, client_id: str, external_id: str, phone: str, name: str | None
) -> Person:
    """Say which person an assistant's user is."""
    person = await by_phone(tx, rt, phone, learned_from=f"assistant:{client_id}")
    await tx.execute(
        "INSERT INTO people_links (client_id, external_id, person_id, phone, name, updated_at) "
        "VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (client_id, external_id) DO UPDATE SET person_id = $3, "
        "phone = $4, name = coalesce($5, people_links.name), updated_at = $6",
        client_id,
        external_id,
        person.id,
        phone,
        name,
        rt.now(),
    )
    return person


async def linked(tx: Tx, *, client_id: str, external_id: str) -> tuple[Person, str | None] | None:
    """The person an assistant's user is, and the name the assistant gave; None when it never said."""
    row = await tx.fetchrow(
        "SELECT person_id, name FROM people_links WHERE client_id = $1 AND external_id = $2",
        client_id,
        external_id,
    )
    return (await get(tx, row["person_id"]), row["name"]) if row else None


async def link_as_given(tx: Tx, *, client_id: str, external_id: str) -> Record | None:
    """The number and the name an assistant gave for a user: nothing that others know of the person."""
    return await tx.fetchrow(
        "SELECT phone, name FROM people_links WHERE client_id = $1 AND external_id = $2",
        client_id,
        external_id,
    )


async def clients_of(tx: Tx, person: Person) -> list[str]:
    """The assistants that know this person."""
    rows = await tx.fetch(
        "SELECT DISTINCT client_id FROM people_links WHERE person_id = ANY($1) ORDER BY 1", list(person.ids)
    )
    return [row["client_id"] for row in rows]


async def strangers(tx: Tx, keys: Sequence[str]) -> list[str]:
    """Those of the keys (``Person.keys``) that are nobody's we know."""
    rows = await tx.fetch(
        "SELECT k.key FROM unnest($1::text[]) AS k (key) WHERE NOT EXISTS (SELECT 1 FROM people_identifiers i "
        "WHERE (i.kind, i.value) IN (('bsuid', k.key), ('wa_id', k.key), ('phone', '+' || k.key)))",
        list(keys),
    )
    return [row["key"] for row in rows]


async def lock(tx: Tx, person_ids: Sequence[str], *, exclusive: bool) -> None:
    """The fence between sending to a person and the person's leaving: sends share it, an opt-out takes it alone.

    It stands on every record given and on whoever stands for them. A record may be merged while we wait for it: then
    the one that now stands for it is locked, too, so that two who fence the same person always meet.
    """
    wanted, held = set(person_ids), set[str]()
    while wanted := wanted - held:
        rows = await tx.fetch(
            "SELECT id, merged_into FROM people WHERE id = ANY($1) "
            f"ORDER BY id FOR {'NO KEY UPDATE' if exclusive else 'SHARE'}",
            sorted(wanted),
        )
        held |= wanted
        wanted = {row["merged_into"] for row in rows if row["merged_into"]}


async def _find_or_create(
    tx: Tx, rt: Runtime, given: dict[str, str], *, name: str | None, learned_from: str
) -> Person:
    known = await _known(tx, given)
    if _complete(known, given) and name in (None, "", known[0]["name"]):
        return _person(known[0])
    if not _complete(known, given):
        # One at a time per identifier, so that two updates of a new person do not make two of them.
        for key in sorted(f"{kind}:{value}" for kind, value in _candidates(given) if kind != "phone"):
            await tx.execute("SELECT pg_advisory_xact_lock(hashtextextended($1, 7))", key)
        known = await _known(tx, given)
    if "bsuid" in given:
        known = await _without_recycled_numbers(tx, known, given["bsuid"])
    root: str = known[0]["root"] if known else await _create(tx, rt, name)
    for other in {row["root"] for row in known} - {root}:
        await _merge(tx, other, root)
    if not _complete(known, given):
        facts = [(root, kind, value) for kind, value in given.items()]
        await learn(tx, rt, facts, learned_from=learned_from)
    if name and known and known[0]["name"] != name:
        await tx.execute("UPDATE people SET name = $2 WHERE id = $1", root, name)
    return await get(tx, root)


async def _known(tx: Tx, given: dict[str, str]) -> list[Record]:
    """Who is known by any of these identifiers, the surest first."""
    candidates = _candidates(given)
    rows = await tx.fetch(
        f"SELECT f.kind, f.value, {_WHO} FROM unnest($1::text[], $2::text[]) AS f (kind, value) "
        "JOIN people_identifiers known USING (kind, value) JOIN people p ON p.id = known.person_id "
        f"JOIN people root ON root.id = coalesce(p.merged_into, p.id) {_RECORDS}",
        [kind for kind, _ in candidates],
        [value for _, value in candidates],
    )
    return sorted(rows, key=lambda row: _ORDER.index(row["kind"]))


def _complete(known: Sequence[Record], given: dict[str, str]) -> bool:
    """Whether everything given is known already, of one person."""
    same = {(row["kind"], row["value"]) for row in known} >= set(given.items())
    return same and len({row["root"] for row in known}) == 1


def _candidates(given: dict[str, str]) -> list[tuple[str, str]]:
    """The identifiers as given, and the same number under the other name it may be known by."""
    both = dict(given)
    if "wa_id" in given:
        both.setdefault("phone", f"+{given['wa_id']}")
    elif "phone" in given:
        both.setdefault("wa_id", given["phone"].lstrip("+"))
    return list(both.items())


async def _without_recycled_numbers(tx: Tx, known: list[Record], bsuid: str) -> list[Record]:
    """Leave out numbers whose last owner has another BSUID, and take them from that owner."""
    kept = []
    theirs = next((row["root"] for row in known if row["kind"] == "bsuid"), None)
    for row in known:
        if row["root"] == theirs or (await get(tx, row["root"])).bsuid in (None, bsuid):
            kept.append(row)
        else:
            log.warning("number.changed_hands", kind=row["kind"], person=row["root"])
            await tx.execute(
                "DELETE FROM people_identifiers WHERE kind = $1 AND value = $2", row["kind"], row["value"]
            )
    return kept


async def _create(tx: Tx, rt: Runtime, name: str | None) -> str:
    person_id = rt.new_id("per")
    await tx.execute(
        "INSERT INTO people (id, name, created_at) VALUES ($1, $2, $3)", person_id, name, rt.now()
    )
    return person_id


async def _merge(tx: Tx, other: str, root: str) -> None:
    """Let ``root`` stand for ``other`` too. Records keep pointing where they did, so that it can be undone.

    Merges take turns: two at once could each make a root of a record that the other is merging away.
    """
    await tx.execute("SELECT pg_advisory_xact_lock(hashtextextended('people.merge', 7))")
    roots = await tx.fetch(
        "SELECT id, coalesce(merged_into, id) AS root FROM people WHERE id IN ($1, $2)", other, root
    )
    now_is = {row["id"]: row["root"] for row in roots}
    other, root = now_is[other], now_is[root]
    if other == root:
        return
    log.info("people.merged", person=other, into=root)
    await tx.execute("UPDATE people SET merged_into = $2 WHERE id = $1 OR merged_into = $1", other, root)
