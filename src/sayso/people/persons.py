"""A person as everybody sees them: the records found to be theirs, how to reach them, and the fence around them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from sayso.core.database import Record, Tx
from sayso.people import places, rules

# What a Person is made of, given ``root``. No OR between two columns: where claims run, the planner may only walk one
# index, and would walk all of it.
RECORDS = (
    "CROSS JOIN LATERAL (SELECT root.id || array("
    "SELECT m.id FROM people m WHERE m.merged_into = root.id ORDER BY m.id) AS ids) r"
)
# What is said of a person stays on the record it was said on: on theirs, or on one that was merged into it.
SPOKEN = (
    "CROSS JOIN LATERAL (SELECT root.language, root.time_zone, root.language_said "
    "WHERE cardinality(r.ids) = 1 UNION ALL SELECT "
    + ", ".join(
        f"(array_agg(m.{column} ORDER BY m.merged_into IS NOT NULL, m.id) FILTER (WHERE m.{column} IS NOT NULL))[1]"
        for column in ("language", "time_zone", "language_said")
    )
    + " FROM people m WHERE m.id = ANY(r.ids) HAVING cardinality(r.ids) > 1) s"
)
WHO = (
    "root.id AS root, root.name, s.language, s.time_zone, s.language_said, r.ids, "
    "array(SELECT i.kind || ':' || CASE WHEN i.learned_from IN ('meta:send', 'meta:status') THEN 'a' ELSE '-' END "
    "|| i.value FROM people_identifiers i WHERE i.person_id = ANY(r.ids) ORDER BY i.said_at DESC, i.value) AS known"
)


Where = Literal["language", "time_zone"]
#: An assistant set it; the person's own word gave it away; their number's country lets one guess.
Source = Literal["set", "said", "guessed"]


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody we may message. ``ids`` are all records found to be this person, ``id`` the one that stands for them.

    Of each kind of identifier the one said last counts; ``keys`` is whatever an update of theirs may be filed under.
    ``twins`` are the records of whoever has the same line under another spelling, as far as it is not known yet that
    they are one. ``answered``: the ``wa_id`` was Meta's answer to a message, to whichever number that went.
    """

    id: str
    ids: tuple[str, ...]
    name: str | None
    phone: str | None
    wa_id: str | None
    bsuid: str | None
    keys: tuple[str, ...] = ()
    twins: tuple[str, ...] = ()
    parent_bsuid: str | None = None
    answered: bool = False
    language_known: str | None = None
    language_said: str | None = None
    time_zone_known: str | None = None

    @property
    def to(self) -> str | None:
        """The number to send to, with +.

        Meta's word on a number beats an assistant's; but a number that an assistant gave is dialled as it was given
        where it is the same line, or where Meta answered to it with the one it knows.
        """
        if self.phone is None or self.wa_id is None:
            return self.phone or (f"+{self.wa_id}" if self.wa_id else None)
        same = self.answered or rules.line(self.phone) == rules.line(self.wa_id)
        return self.phone if same else f"+{self.wa_id}"

    @property
    def user_id(self) -> str | None:
        """What to send to where no number is known (cloud-api 2.1: ``recipient``)."""
        return self.bsuid or self.parent_bsuid

    @property
    def fence(self) -> tuple[str, ...]:
        """Every record under which a leaving counts for this person: their own, and those of the same line."""
        return (*self.ids, *self.twins)

    @property
    def language(self) -> str | None:
        """The language to write to them in (BCP 47): as set, else as they said, else as their number lets one guess."""
        return self.in_force("language", self.language_known)[0]

    @property
    def time_zone(self) -> str | None:
        """Their IANA time zone: as set, else as their number tells. No word of theirs gives one away."""
        return self.in_force("time_zone", self.time_zone_known)[0]

    @property
    def country(self) -> str | None:
        """The country of their number (ISO 3166); None without one, or where the number tells none."""
        return places.country_of(self.to) if self.to else None

    def in_force(self, what: Where, given: str | None) -> tuple[str | None, Source | None]:
        """What counts, and where it comes from, with ``given`` as what was set; None where nothing tells."""
        if given:
            return given, "set"
        guess = self.guessed(what)
        if what == "language" and self.language_said:
            return rules.with_region(self.language_said, guess), "said"
        return guess, "guessed" if guess else None

    def guessed(self, what: Where) -> str | None:
        """What their number lets one guess; None without a number, or where it tells nothing."""
        guess = {"language": places.language_of, "time_zone": places.time_zone_of}[what]
        return guess(self.to) if self.to else None


async def get(tx: Tx, person_id: str) -> Person:
    """The person a record belongs to; raises KeyError when there is none."""
    return (await get_many(tx, [person_id]))[person_id]


async def get_many(tx: Tx, person_ids: Sequence[str]) -> dict[str, Person]:
    """The persons records belong to, by record id, in one query (two where lines have several spellings)."""
    rows = await tx.fetch(
        f"SELECT asked.id AS asked, {WHO} FROM people asked "
        f"JOIN people root ON root.id = coalesce(asked.merged_into, asked.id) {RECORDS} {SPOKEN} "
        "WHERE asked.id = ANY($1)",
        list(dict.fromkeys(person_ids)),
    )
    found = await complete(tx, {row["root"]: person_of(row) for row in rows})
    return {row["asked"]: found[row["root"]] for row in rows}


def person_of(row: Record) -> Person:
    """A person from the columns of ``WHO``, without their twins."""
    known: dict[str, tuple[bool, str]] = {}
    values = []
    for identifier in row["known"]:
        kind, _, value = identifier.partition(":")
        known.setdefault(kind, (value[0] == "a", value[1:]))
        values.append(value[1:].lstrip("+"))
    answered, wa_id = known.get("wa_id", (False, None))
    return Person(
        id=row["root"],
        ids=tuple(row["ids"]),
        name=row["name"],
        phone=known.get("phone", (False, None))[1],
        wa_id=wa_id,
        bsuid=known.get("bsuid", (False, None))[1],
        keys=tuple(values),
        parent_bsuid=known.get("parent_bsuid", (False, None))[1],
        answered=answered,
        language_known=row["language"],
        language_said=row["language_said"],
        time_zone_known=row["time_zone"],
    )


async def complete(tx: Tx, persons: Mapping[str, Person]) -> dict[str, Person]:
    """The same persons, by id, with their twins."""
    spelled = [
        (twin, person.id) for person in persons.values() for key in person.keys for twin in rules.twins(key)
    ]
    if not spelled:
        return dict(persons)
    rows = await tx.fetch(
        f"SELECT DISTINCT f.of, root.id AS root, r.ids FROM unnest($1::text[], $2::text[], $3::text[]) "
        "AS f (kind, value, of) JOIN people_identifiers i USING (kind, value) JOIN people p ON p.id = i.person_id "
        f"JOIN people root ON root.id = coalesce(p.merged_into, p.id) {RECORDS} ORDER BY f.of, root.id",
        ["wa_id"] * len(spelled) + ["phone"] * len(spelled),
        [twin for twin, _ in spelled] + [f"+{twin}" for twin, _ in spelled],
        [of for _, of in spelled] * 2,
    )
    twins: dict[str, tuple[str, ...]] = {}
    for row in rows:
        if row["root"] != row["of"]:
            twins[row["of"]] = (*twins.get(row["of"], ()), *row["ids"])
    return {key: replace(person, twins=twins.get(key, ())) for key, person in persons.items()}


async def lock(tx: Tx, person_ids: Sequence[str], *, exclusive: bool) -> dict[str, Person]:
    """The fence between sending to a person and the person's leaving: sends share it, an opt-out takes it alone.

    It stands on every record given, on whoever stands for them, and on those of the same line under another spelling.
    Identities may change while we wait: then what now belongs to them is locked, too, so that two who fence the same
    person always meet. Returns the persons, by the record ids given, as they are once the fence stands.
    """
    given, held = list(dict.fromkeys(person_ids)), set[str]()
    wanted = set(given)
    if exclusive:  # it is rare, and all in one order cannot meet another half-way
        wanted |= _fenced(await get_many(tx, given), exclusive=True)
    while True:
        await tx.execute(
            f"SELECT id FROM people WHERE id = ANY($1) ORDER BY id FOR {'NO KEY UPDATE' if exclusive else 'SHARE'}",
            sorted(wanted - held),
        )
        held |= wanted
        persons = await get_many(tx, given)
        wanted = _fenced(persons, exclusive=exclusive)
        if wanted <= held:
            return persons


async def fence(tx: Tx, person_ids: Sequence[str]) -> dict[str, Person]:
    """Share the fence (:func:`lock`) of as many as can be without waiting: those persons, by the record ids given.

    Left out is whoever is just leaving, or being found to be somebody else: claims hold senders, and wait for nobody.
    """
    given, held = list(dict.fromkeys(person_ids)), set[str]()
    wanted = set(given)
    persons: dict[str, Person] = {}
    while wanted:
        rows = await tx.fetch(
            "SELECT id FROM people WHERE id = ANY($1) ORDER BY id FOR SHARE SKIP LOCKED", sorted(wanted)
        )
        held |= {row["id"] for row in rows}
        lost = wanted - held
        persons = await get_many(tx, given)
        given = [
            each
            for each in given
            if lost.isdisjoint({each} | _fenced({each: persons[each]}, exclusive=False))
        ]
        persons = {each: persons[each] for each in given}
        wanted = _fenced(persons, exclusive=False) - held
    return persons


def _fenced(persons: Mapping[str, Person], *, exclusive: bool) -> set[str]:
    """The rows of a fence around these persons: who stands alone takes every record, who shares needs the root."""
    return {
        record
        for person in persons.values()
        for record in (person.id, *(person.fence if exclusive else person.twins))
    }
