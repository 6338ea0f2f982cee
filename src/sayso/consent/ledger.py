"""The ledger: appended to under the head's lock, one entry after the other, and never changed."""

import secrets
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from sayso.consent import chain
from sayso.consent.chain import Head, Line
from sayso.consent.rules import ALL, Action, Entry
from sayso.core import chains
from sayso.core.database import Record, Tx
from sayso.core.runtime import Runtime
from sayso.core.settings import Settings, consent_key
from sayso.people import service as people
from sayso.people.service import Person

#: The client of what people and Meta say themselves. No token can carry it.
OURSELVES = ""
_PAGE = 1_000
_IDENTIFIERS = ("phone", "wa_id", "bsuid", "parent_bsuid")
#: Beyond every entry.
NO_END = 2**63 - 1
_PAGE_OF = "SELECT * FROM consent_entries WHERE seq > $1 AND seq <= $2 ORDER BY seq LIMIT $3"
_PAGE_OF_SOME = (
    "SELECT * FROM consent_entries WHERE seq > $1 AND seq <= $2 AND person_id = ANY($4) ORDER BY seq LIMIT $3"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """An entry to be: what a person (or Meta, or somebody on record) said, when, and the proof of it.

    ``personal`` is what an erasure takes away: wording, wording_version, locale, evidence, source, sender,
    lawful_basis, actor, reason, jurisdiction, review_at, time_zone; the person's identifiers, their number's country
    and our names are added to it.
    """

    person: Person
    action: Action
    method: str
    captured_at: datetime
    scope: tuple[str, ...] = (ALL,)
    client_id: str = OURSELVES
    about: str | None = None
    expires_at: datetime | None = None
    verified: bool = True
    personal: Mapping[str, Any] = field(default_factory=dict)


@lru_cache(maxsize=8)
def _key(settings: Settings) -> bytes:
    return consent_key(settings)


def key(rt: Runtime) -> bytes:
    """The installation's key: it seals the ledger and stands for erased identifiers. Raises SettingError."""
    return _key(rt.settings)


async def append(tx: Tx, rt: Runtime, said: Sequence[Said]) -> list[Entry]:
    """Write entries, in this order; they are as durable as the transaction.

    Takes the fence of everybody concerned alone: sends being claimed either are visible as under way afterwards, or
    see this. Then the head's lock, so that the numbers have neither gaps nor forks.
    """
    persons = sorted({record_id for each in said for record_id in each.person.ids})
    await people.lock(tx, persons, exclusive=True)
    head = await head_of(tx, lock=True)
    if head is None:
        raise RuntimeError("the ledger has lost its head; restore it from a backup")
    before = await _last_of(tx, [each.person.id for each in said])
    lines: list[Line] = []
    for number, each in enumerate(said, start=1):
        prev = lines[-1].hash if lines else head.hash
        line = _line(rt, each, seq=head.seq + number, prev=prev, person_prev=before.get(each.person.id))
        before[each.person.id] = line.hash
        lines.append(line)
    await _write(tx, rt, lines)
    return [_entry(line) for line in lines]


async def head_of(tx: Tx, *, lock: bool = False) -> Head | None:
    """The end of the chain as it is now, for whoever locks it until their transaction ends; None when it is gone."""
    row = await tx.fetchrow(f"SELECT seq, hash, seal FROM consent_head{' FOR UPDATE' if lock else ''}")
    return Head(row["seq"], row["hash"], row["seal"]) if row else None


async def _last_of(tx: Tx, person_ids: Sequence[str]) -> dict[str, bytes]:
    rows = await tx.fetch(
        "SELECT p.id, e.hash FROM unnest($1::text[]) AS p (id) CROSS JOIN LATERAL (SELECT hash FROM consent_entries "
        "WHERE person_id = p.id ORDER BY seq DESC LIMIT 1) e",
        sorted(set(person_ids)),
    )
    return {row["id"]: row["hash"] for row in rows}


def _line(rt: Runtime, said: Said, *, seq: int, prev: bytes, person_prev: bytes | None) -> Line:
    known = {kind: value for kind in _IDENTIFIERS if (value := getattr(said.person, kind))}
    personal: dict[str, Any] = {
        "identifiers": known,
        "business": rt.settings.sayso_business_name,
        "waba_id": rt.settings.whatsapp_business_account_id,
    }
    if (country := said.person.country) is not None:
        personal["jurisdiction"] = country  # unless another one is declared
    personal |= {name: value for name, value in said.personal.items() if value is not None}
    salt = secrets.token_bytes(chains.SALT_BYTES)
    line = Line(
        seq=seq,
        id=rt.new_id("con"),
        client_id=said.client_id,
        person_id=said.person.id,
        action=said.action,
        scope=said.scope,
        method=said.method,
        about=said.about,
        captured_at=said.captured_at.astimezone(UTC),
        received_at=rt.now(),
        expires_at=said.expires_at and said.expires_at.astimezone(UTC),
        verified=said.verified,
        personal=personal,
        salt=salt,
        personal_digest=chain.personal_digest(personal, salt),
        prev_hash=prev,
        person_prev_hash=person_prev or chains.NOTHING,
    )
    return replace(line, hash=chain.digest(line))


async def _write(tx: Tx, rt: Runtime, lines: Sequence[Line]) -> None:
    if not lines:
        return
    await tx.executemany(
        "INSERT INTO consent_entries (seq, id, client_id, person_id, action, scope, method, about, captured_at, "
        "received_at, expires_at, verified, personal, salt, personal_digest, prev_hash, person_prev_hash, hash) "
        "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)",
        [
            (
                line.seq,
                line.id,
                line.client_id,
                line.person_id,
                line.action,
                list(line.scope),
                line.method,
                line.about,
                line.captured_at,
                line.received_at,
                line.expires_at,
                line.verified,
                line.personal,
                line.salt,
                line.personal_digest,
                line.prev_hash,
                line.person_prev_hash,
                line.hash,
            )
            for line in lines
        ],
    )
    last = lines[-1]
    await tx.execute(
        "UPDATE consent_head SET seq = $1, hash = $2, seal = $3",
        last.seq,
        last.hash,
        chain.seal(last.seq, last.hash, key(rt)),
    )


def _entry(line: Line) -> Entry:
    return Entry(
        id=line.id,
        action=line.action,  # type: ignore[arg-type] # it came in as one
        method=line.method,
        captured_at=line.captured_at,
        scope=line.scope,
        expires_at=line.expires_at,
        verified=line.verified,
        about=line.about,
        seq=line.seq,
    )


def line_of(row: Record) -> Line:
    """A row of the table, as the chain sees it."""
    return Line(**{**row, "scope": tuple(row["scope"])})


async def pages(
    rt: Runtime, *, up_to: int, person_ids: Sequence[str] | None = None
) -> AsyncIterator[list[Line]]:
    """The ledger up to an entry, or some people's part of it, in order; nothing is held between two pages."""
    after = 0
    while True:
        async with rt.db.one() as tx:
            rows = await tx.fetch(
                _PAGE_OF if person_ids is None else _PAGE_OF_SOME,
                after,
                up_to,
                _PAGE,
                *([] if person_ids is None else [list(person_ids)]),
            )
        if not rows:
            return
        yield [line_of(row) for row in rows]
        after = rows[-1]["seq"]


async def lines(tx: Tx, *, after: int = 0) -> AsyncIterator[Line]:
    """The ledger after an entry, in order, page by page."""
    while rows := await tx.fetch(_PAGE_OF, after, NO_END, _PAGE):
        for row in rows:
            yield line_of(row)
        after = rows[-1]["seq"]
