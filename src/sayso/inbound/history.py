"""What somebody sent, as it was received: told once more, or emptied so that its repetition is still recognised."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sayso.consent import service as consent
from sayso.core.database import Record, Tx
from sayso.core.runtime import Runtime
from sayso.whatsapp.heads import short

#: Updates looked at in one transaction: they have no index by person, which every webhook would pay for.
_AT_ONCE = 20_000
#: In so many parts webhooks are looked through, each in a transaction of its own.
_PARTS = 64
_END = b"\xff" * 33
#: The same secret serves the ledger; blake2b, since each update taken in is hashed, and HMAC takes twice as long.
_USE = b"sayso.updates.1"
#: What is shorter is in many a text by chance; no number that anybody can be called at is.
_TELLING = 7
#: By how much the clocks of our processes may differ, at most.
_CLOCKS = timedelta(minutes=1)

_NAMED = "EXISTS (SELECT 1 FROM unnest({names}::bytea[]) AS n (name) WHERE position(n.name IN {where}) > 0)"
#: Filed under the person's names ($1), or under nobody's and naming them ($2), as what could not be read.
_THEIRS = f"(person_key = ANY($1) OR person_key = '' AND {_NAMED.format(names='$2', where='item')})"
_EMPTY = """
WITH emptied AS (
    UPDATE updates u SET item = '', context = '', person_key = '', key = e.key
    FROM unnest($1::bigint[], $2::text[]) AS e (id, key) WHERE u.id = e.id RETURNING u.body_digest
)
UPDATE webhook_bodies b SET body = '' FROM (SELECT DISTINCT body_digest FROM emptied) e WHERE b.digest = e.body_digest
"""


@dataclass(frozen=True, slots=True)
class Looked:
    """Up to which update, and until when, everything has been looked at for these names."""

    update_id: int
    at: datetime
    names: frozenset[str] = frozenset()


def erased_key(secret: bytes, key: str) -> str:
    """What stands for the key of an update that was emptied: without the secret nobody can tell whose it was.

    A key holds Meta's message id, in which the digits of a number can be read.
    """
    keyed = hashlib.blake2b(
        key.encode(), key=secret[: hashlib.blake2b.MAX_KEY_SIZE], digest_size=32, person=_USE
    )
    return "erased:" + keyed.hexdigest()


async def sent_by(tx: Tx, names: Sequence[str]) -> list[Record]:
    """Every update of somebody with these names, oldest first, with the bytes that Meta sent."""
    return await tx.fetch(
        "SELECT id, kind, received_at, state, result, item FROM updates "
        f"WHERE item <> '' AND {_THEIRS} ORDER BY id",
        *_sought(names),
    )


async def unread(tx: Tx, names: Sequence[str]) -> bool:
    """Whether something filed under these names still waits to be digested: it may be a word that has to count."""
    found: bool = await tx.fetchval(
        "SELECT EXISTS (SELECT 1 FROM updates WHERE person_key = ANY($1) AND work IS NOT NULL)",
        _sought(names)[0],
    )
    return found


async def empty(rt: Runtime, names: Sequence[str]) -> Looked:
    """Take the bytes from every digested update of somebody with these names, and from each webhook that names them.

    What these held of others stays in the others' own updates, byte for byte. A keyed hash takes the place of an
    update's key: by it the same webhook, which Meta may repeat for a week, is known to have been here.
    """
    began = rt.now()
    async with rt.db.one() as tx:
        last: int = await tx.fetchval(
            "SELECT coalesce((SELECT min(id) FROM updates WHERE work IS NOT NULL) - 1, "
            "(SELECT max(id) FROM updates), 0)"
        )
    for first in range(0, last, _AT_ONCE):
        async with rt.db.tx() as tx:
            await _empty_between(tx, rt, names, first, min(first + _AT_ONCE, last))
    for begin, end in _parts():
        async with rt.db.tx() as tx:
            await _empty_bodies(tx, names, "digest >= $2 AND digest < $3", begin, end)
    return Looked(last, began, frozenset(names))


async def empty_since(tx: Tx, rt: Runtime, names: Sequence[str], looked: Looked) -> None:
    """The same for what was not looked at then; for everything, when other names are known by now."""
    if not set(names) <= looked.names:
        looked = Looked(0, datetime.min.replace(tzinfo=UTC) + _CLOCKS)
    await _empty_between(tx, rt, names, looked.update_id, 2**62)
    await _empty_bodies(tx, names, "received_at >= $2", looked.at - _CLOCKS)


async def empty_these(tx: Tx, rt: Runtime, rows: Sequence[Record]) -> None:
    """Take the bytes from updates (id, key) about somebody who was erased before they came."""
    secret = consent.key(rt)
    await tx.execute(_EMPTY, [row["id"] for row in rows], [erased_key(secret, row["key"]) for row in rows])


async def _empty_between(tx: Tx, rt: Runtime, names: Sequence[str], after: int, last: int) -> None:
    rows = await tx.fetch(
        "SELECT id, key FROM updates WHERE id > $3 AND id <= $4 AND work IS NULL AND item <> '' "
        f"AND {_THEIRS} ORDER BY id FOR UPDATE",
        *_sought(names),
        after,
        last,
    )
    await empty_these(tx, rt, rows)


async def _empty_bodies(tx: Tx, names: Sequence[str], which: str, *args: object) -> None:
    """A webhook may name somebody in copies only of updates that came in another webhook before."""
    await tx.execute(
        f"UPDATE webhook_bodies SET body = '' WHERE {which} AND body <> '' "
        f"AND {_NAMED.format(names='$1', where='body')}",
        _sought(names)[1],
        *args,
    )


def _sought(names: Sequence[str]) -> tuple[list[str], list[bytes]]:
    """Names as updates are filed under them, and as they stand in bytes."""
    return (
        sorted({*names, *map(short, names)}),
        [name.encode() for name in names if len(name) >= _TELLING],
    )


def _parts() -> Iterator[tuple[bytes, bytes]]:
    begins = [bytes([256 * part // _PARTS]) for part in range(_PARTS)]
    return zip(begins, [*begins[1:], _END], strict=True)
