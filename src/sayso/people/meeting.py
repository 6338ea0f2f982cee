"""Finding out who somebody is, from whatever identifiers come together; Meta alone can say that two are one."""

from collections.abc import Iterable, Mapping, Sequence

import structlog

from sayso.core.database import Record, Tx
from sayso.core.runtime import Runtime
from sayso.people import merging, past, rules
from sayso.people.persons import RECORDS, SPOKEN, WHO, Person, complete, get, person_of
from sayso.whatsapp.updates import Identity

log = structlog.get_logger("sayso.people")

#: A BSUID names a person for good; a number may be given to somebody else.
_ORDER = ("bsuid", "parent_bsuid", "wa_id", "phone")

#: Facts that may be written down: of nobody who was erased, and nothing that was let go or that another fact rules out.
_FACTS = f"""
    unnest($1::text[], $2::text[], $3::text[]) AS f (person, kind, value)
    JOIN people asked ON asked.id = f.person JOIN people root ON root.id = coalesce(asked.merged_into, asked.id)
    {RECORDS}
    WHERE root.erased_at IS NULL
    AND NOT EXISTS (SELECT 1 FROM people_past_identifiers p
        WHERE p.kind = f.kind AND p.value = f.value AND p.person_id = ANY(r.ids))
    AND NOT (f.kind = 'bsuid' AND EXISTS (SELECT 1 FROM people_identifiers i
        WHERE i.person_id = ANY(r.ids) AND i.kind = 'bsuid' AND i.value <> f.value))
"""
_NEWS = f"""
SELECT f.* FROM {_FACTS} AND NOT EXISTS (SELECT 1 FROM people_identifiers k
    WHERE k.kind = f.kind AND k.value = f.value AND k.person_id = ANY(r.ids))
"""
_LEARN = f"""
WITH new AS MATERIALIZED (
    SELECT f.* FROM {_FACTS}
), written AS (
    INSERT INTO people_identifiers (person_id, kind, value, learned_from, learned_at, said_at)
    SELECT person, kind, value, $4, $5, $5 FROM new ORDER BY kind, value ON CONFLICT DO NOTHING
)
SELECT person, kind, value FROM new
"""


def given_by(identity: Identity) -> dict[str, str]:
    """What an identity of Meta's says, by kind."""
    said = {"bsuid": identity.bsuid, "parent_bsuid": identity.parent_bsuid, "wa_id": identity.wa_id}
    return {kind: value for kind, value in said.items() if value}


async def meet(tx: Tx, rt: Runtime, identity: Identity, *, learned_from: str) -> Person:
    """The person Meta speaks of, created when new; every identifier given is remembered as theirs.

    Identifiers that were thought to be two persons' and turn out to be one's merge them. A number that comes with
    another BSUID than before has changed hands: it moves to a new person, and nothing else does.
    """
    return await find_or_create(tx, rt, given_by(identity), name=identity.name, learned_from=learned_from)


async def by_phone(tx: Tx, rt: Runtime, phone: str, *, learned_from: str) -> Person:
    """The person with a number a caller gave (E.164), created when new."""
    return await find_or_create(tx, rt, {"phone": phone}, name=None, learned_from=learned_from)


async def find_or_create(
    tx: Tx,
    rt: Runtime,
    given: Mapping[str, str],
    *,
    name: str | None,
    learned_from: str,
    root: str | None = None,
) -> Person:
    """The person with these identifiers; with ``root``, the identifiers are that record's from now on."""
    known = await _known(tx, given)
    if root is None and _settled(known, given) and name in (None, "", known[0]["name"]):
        person = person_of(known[0])
        return (await complete(tx, {person.id: person}))[person.id]
    await _in_turn(tx, given.items())
    known = await _known(tx, given)
    if root is None and (before := await _formerly(tx, known, given)):
        return before
    known = await _without_recycled_numbers(tx, rt, known, given, root)
    root = root or (known[0]["root"] if known else await _create(tx, rt, name))
    for other in {row["root"] for row in known} - {root}:
        await _join(
            tx,
            rt,
            root,
            other,
            known,
            because=f"{learned_from} gave {' and '.join(sorted(given))} of one person",
        )
    if not _settled(known, given):
        await _write(tx, rt, root, given, learned_from)
    if name and known and known[0]["name"] != name:
        await tx.execute("UPDATE people SET name = $2 WHERE id = $1", root, name)
    return await get(tx, root)


async def by_user_id(tx: Tx, rt: Runtime, user_id: str, *, learned_from: str) -> Person:
    """The person with a WhatsApp user id a caller gave, created when new."""
    return await find_or_create(
        tx, rt, {rules.user_id_kind(user_id): user_id}, name=None, learned_from=learned_from
    )


async def find(tx: Tx, given: Mapping[str, str]) -> Person | None:
    """Who is known by the surest of these identifiers; nobody is created."""
    known = await _known(tx, given)
    return await get(tx, known[0]["root"]) if known else None


async def learn(tx: Tx, rt: Runtime, facts: Sequence[tuple[str, str, str]], *, learned_from: str) -> None:
    """Remember (record id, kind, value) facts, from an answer or a status of Meta's.

    Whoever else is known by one of them is the same person: the number an assistant gave and the one Meta knows may
    differ (Brazil's ninth digit). Unless their BSUIDs differ: then what is known of somebody else stays so. What an
    answer says late does not bring back a number that was let go, nor anything of somebody who was erased.
    """
    facts = [
        (person, rules.user_id_kind(value) if kind == "bsuid" else kind, value)
        for person, kind, value in facts
    ]
    news = [tuple(row.values()) for row in await tx.fetch(_NEWS, *_columns(facts))]
    if not news:
        return
    await _in_turn(tx, [(kind, value) for _, kind, value in news])
    new = [tuple(row.values()) for row in await tx.fetch(_LEARN, *_columns(news), learned_from, rt.now())]
    alike = await tx.fetch(
        "SELECT DISTINCT f.person AS one, i.person_id AS other "
        "FROM unnest($1::text[], $2::text[], $3::text[]) AS f (person, kind, value) "
        "JOIN people_identifiers i ON i.kind = f.kind AND i.value = f.value WHERE i.person_id <> f.person "
        "ORDER BY 1, 2",
        *_columns([(one, *each) for one, kind, value in new for each in _candidates({kind: value})]),
    )
    for pair in alike:
        because = f"{learned_from} names a number of one by an identifier of the other"
        await merging.unite(tx, rt, pair["one"], pair["other"], because=because)


def _columns(facts: Sequence[tuple[str, ...]]) -> tuple[list[str], ...]:
    return tuple([fact[column] for fact in facts] for column in range(3))


async def _in_turn(tx: Tx, identifiers: Iterable[tuple[str, str]]) -> None:
    """One at a time per identifier and per line: two updates of a new person do not make two of them.

    Whoever writes identifiers waits here, so that of two who write the same number, or two spellings of one line, the
    later sees the earlier: nobody can be sent to as a stranger while they leave.
    """
    await tx.execute(
        "SELECT pg_advisory_xact_lock(hashtextextended(key, 7)) FROM unnest($1::text[]) AS k (key)",
        sorted({_turn(kind, value) for kind, value in identifiers}),
    )


async def _known(tx: Tx, given: Mapping[str, str]) -> list[Record]:
    """Who is known by any of these identifiers, the surest first."""
    candidates = _candidates(given)
    rows = await tx.fetch(
        f"SELECT f.kind, f.value, {WHO} FROM unnest($1::text[], $2::text[]) AS f (kind, value) "
        "JOIN people_identifiers known USING (kind, value) JOIN people p ON p.id = known.person_id "
        f"JOIN people root ON root.id = coalesce(p.merged_into, p.id) {RECORDS} {SPOKEN}",
        [kind for kind, _ in candidates],
        [value for _, value in candidates],
    )
    return sorted(rows, key=lambda row: _ORDER.index(row["kind"]))


def _settled(known: Sequence[Record], given: Mapping[str, str]) -> bool:
    """Whether everything given is known already, of one person, and is what was last said of them."""
    if not {(row["kind"], row["value"]) for row in known} >= set(given.items()):
        return False
    person = person_of(known[0])
    last = {"bsuid": person.bsuid, "wa_id": person.wa_id}
    current = all(last.get(kind, value) == value for kind, value in given.items())
    return current and len({row["root"] for row in known}) == 1


def _candidates(given: Mapping[str, str]) -> list[tuple[str, str]]:
    """The identifiers as given, and the same number under the other name it may be known by."""
    both = dict(given)
    if "wa_id" in given:
        both.setdefault("phone", f"+{given['wa_id']}")
    elif "phone" in given:
        both.setdefault("wa_id", given["phone"].lstrip("+"))
    return list(both.items())


def _turn(kind: str, value: str) -> str:
    return f"line:{rules.line(value)}" if kind in ("wa_id", "phone") else f"{kind}:{value}"


async def _formerly(tx: Tx, known: Sequence[Record], given: Mapping[str, str]) -> Person | None:
    """Whose BSUID this was before they got another: an update that came late. What it says besides is over."""
    if "bsuid" not in given or any(row["kind"] == "bsuid" for row in known):
        return None
    owner = await past.owner(tx, given["bsuid"])
    return await get(tx, owner) if owner else None


async def _without_recycled_numbers(
    tx: Tx, rt: Runtime, known: Sequence[Record], given: Mapping[str, str], root: str | None
) -> list[Record]:
    """Leave out numbers whose last owner has another BSUID, and take them from that owner."""
    if "bsuid" not in given:
        return list(known)
    kept = []
    theirs = next((row["root"] for row in known if row["kind"] == "bsuid"), None)
    for row in known:
        owner = person_of(row)
        if owner.id in (theirs, root) or owner.bsuid in (None, given["bsuid"]):
            kept.append(row)
        else:
            log.warning("number.changed_hands", kind=row["kind"], person=owner.id)
            because = f"the {row['kind']} came with another user id"
            if row["kind"] in ("wa_id", "phone"):
                await past.let_numbers_go(tx, rt, owner, lost=row["value"], because=because)
            else:
                await past.let_go(tx, rt, [(row["kind"], row["value"])], because=because)
    return kept


async def _join(tx: Tx, rt: Runtime, root: str, other: str, known: Sequence[Record], *, because: str) -> None:
    """Merge two, or, where somebody took them apart, let what is said of the one go from the other."""
    one, two = await get(tx, root), await get(tx, other)
    if not await merging.apart(tx, one, two):
        await merging.merge(tx, rt, other, root, because=because)
        return
    for row in known:
        if row["root"] == other and row["kind"] in ("wa_id", "phone"):
            await past.let_numbers_go(
                tx, rt, two, lost=row["value"], because="the number is said of another person"
            )


async def _write(tx: Tx, rt: Runtime, person_id: str, given: Mapping[str, str], learned_from: str) -> None:
    await tx.execute(
        "INSERT INTO people_identifiers (person_id, kind, value, learned_from, learned_at, said_at) "
        "SELECT $1, kind, value, $4, $5, $5 FROM unnest($2::text[], $3::text[]) AS f (kind, value) "
        "ORDER BY kind, value ON CONFLICT (kind, value) DO UPDATE SET said_at = excluded.said_at",
        person_id,
        list(given),
        list(given.values()),
        learned_from,
        rt.now(),
    )


async def _create(tx: Tx, rt: Runtime, name: str | None) -> str:
    person_id = rt.new_id("per")
    await tx.execute(
        "INSERT INTO people (id, name, created_at) VALUES ($1, $2, $3)", person_id, name, rt.now()
    )
    return person_id
