"""What somebody sent, as it was received: told once more, or emptied."""

from collections.abc import Sequence

from sayso.core.database import Record, Tx
from sayso.core.runtime import Runtime

#: Updates looked at in one transaction: they have no index by person, which every webhook would pay for.
_AT_ONCE = 20_000

_EMPTY = """
WITH emptied AS (
    UPDATE updates SET item = '', context = '', person_key = ''
    WHERE id > $1 AND id <= $2 AND person_key = ANY($3) AND work IS NULL RETURNING body_digest
)
UPDATE webhook_bodies b SET body = '' FROM (SELECT DISTINCT body_digest FROM emptied) e WHERE b.digest = e.body_digest
"""


async def sent_by(tx: Tx, names: Sequence[str]) -> list[Record]:
    """Every update filed under these names, oldest first, with the bytes that Meta sent."""
    return await tx.fetch(
        "SELECT id, kind, received_at, state, result, item FROM updates WHERE person_key = ANY($1) ORDER BY id",
        list(names),
    )


async def empty(rt: Runtime, names: Sequence[str]) -> int:
    """Take the bytes from every digested update filed under these names; the id up to which all were looked at.

    The whole webhooks they came in go, too; what these held of others stays in the others' own updates, byte for byte.
    An update's key stays: by it the same webhook, which Meta may repeat for a week, is known to have been here.
    """
    async with rt.db.one() as tx:
        last: int = await tx.fetchval("SELECT coalesce(max(id), 0) FROM updates")
    for first in range(0, last, _AT_ONCE):
        async with rt.db.tx() as tx:
            await tx.execute(_EMPTY, first, min(first + _AT_ONCE, last), list(names))
    return last


async def empty_since(tx: Tx, names: Sequence[str], after: int) -> None:
    """The same for those that came behind ``after``."""
    await tx.execute(_EMPTY, after, 2**62, list(names))


async def empty_these(tx: Tx, ids: Sequence[int]) -> None:
    """Take the bytes from updates about somebody who was erased before they came."""
    await tx.execute(
        "WITH emptied AS (UPDATE updates SET item = '', context = '', person_key = '' WHERE id = ANY($1) "
        "RETURNING body_digest) UPDATE webhook_bodies b SET body = '' FROM emptied e WHERE b.digest = e.body_digest",
        list(ids),
    )
