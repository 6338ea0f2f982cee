"""The decision log: appended to by every decision, in its own transaction; and signed checkpoints of it.

The hash after an entry covers the hash before it, so it stands for all entries so far. Who has the database alone
cannot sign a checkpoint; who has the key as well is found out by a checkpoint that is kept elsewhere.
"""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

import structlog

from sayso.core import keys, notes
from sayso.core.chains import NOTHING
from sayso.core.database import UNAVAILABLE, Record, Tx
from sayso.core.runtime import Runtime
from sayso.core.settings import TokenSettings
from sayso.events import service as events
from sayso.events.alerts import OPERATOR
from sayso.events.service import Event

log = structlog.get_logger("sayso.decisions")

#: A checkpoint is made after so many entries, or so long after the last one.
ENTRIES = 1_000
EVERY = timedelta(minutes=5)
_LOOK_S = 5.0
_PAGE = 1_000


@dataclass(frozen=True, slots=True)
class Place:
    """Where an entry stands: its index, the hash before it, its own, and the one after it."""

    index: int
    before: bytes
    leaf: bytes
    head: bytes

    @property
    def size(self) -> int:
        """How many entries the log had with it."""
        return self.index + 1


@dataclass(frozen=True, slots=True)
class Logged:
    """An entry as it is stored."""

    index: int
    confirmation_id: str
    entry: bytes
    leaf: bytes
    head: bytes


def origin(settings: TokenSettings) -> str:
    """The name of this installation's log."""
    return f"{settings.sayso_receipt_issuer}/decisions"


def leaf_of(entry: bytes) -> bytes:
    """The hash of an entry by itself."""
    return hashlib.sha256(b"\x00" + entry).digest()


def head_of(before: bytes, leaf: bytes) -> bytes:
    """The hash that stands for everything up to and with an entry."""
    return hashlib.sha256(b"\x01" + before + leaf).digest()


async def places(tx: Tx, entries: Sequence[bytes]) -> list[Place]:
    """The places that entries get which are written in this transaction.

    Takes the lock of the head, which every decision takes: call it as the last of a transaction (``before_commit``),
    after the head of the consent ledger and everybody else's row. Whoever holds it waits for nothing but the disk.
    """
    row = await tx.fetchrow("SELECT size, head FROM decision_head FOR UPDATE")
    if row is None:
        raise RuntimeError("the decision log has lost its head; restore it from a backup")
    found: list[Place] = []
    head = row["head"]
    for index, entry in enumerate(entries, start=row["size"]):
        leaf = leaf_of(entry)
        found.append(Place(index, head, leaf, head_of(head, leaf)))
        head = found[-1].head
    return found


async def checkpoint(tx: Tx, rt: Runtime, *, now: bool = False) -> notes.Checkpoint | None:
    """Sign the state of the log where that is due (or ``now``), and tell it; None where there is nothing to sign.

    Told to the operator's feed, and to every assistant with a decision in it: so others than we hold what they cannot
    be told otherwise later.
    """
    if not await tx.fetchval("SELECT pg_try_advisory_xact_lock(hashtextextended('decision.checkpoints', 7))"):
        return None  # another process is at it
    row = await tx.fetchrow(
        "SELECT h.size, h.head, coalesce(c.size, 0) AS signed, c.at FROM decision_head h LEFT JOIN LATERAL "
        "(SELECT size, at FROM decision_checkpoints ORDER BY size DESC LIMIT 1) c ON true"
    )
    if row is None or row["size"] == row["signed"]:
        return None
    waited = row["at"] is None or rt.now() - row["at"] >= EVERY
    if not (now or waited or row["size"] - row["signed"] >= ENTRIES):
        return None
    made = notes.Checkpoint(origin(rt.settings), row["size"], row["head"])
    held = keys.load(rt.settings, now=rt.now)
    note = notes.sign(made, public=held.public_bytes()[held.kid], by=held.sign_bytes)
    await tx.execute(
        "INSERT INTO decision_checkpoints (size, note, at) VALUES ($1, $2, $3)", made.size, note, rt.now()
    )
    await events.emit_all(tx, rt, await _told(tx, made, note, since=row["signed"]))
    return made


async def _told(tx: Tx, made: notes.Checkpoint, note: str, *, since: int) -> list[Event]:
    rows = await tx.fetch(
        "SELECT DISTINCT c.client_id FROM decision_log l JOIN confirmations c ON c.id = l.confirmation_id "
        "WHERE l.index >= $1 AND l.index < $2",
        since,
        made.size,
    )
    data = {"origin": made.origin, "size": made.size, "root": made.root.hex(), "note": note}
    clients = sorted({OPERATOR, *(row["client_id"] for row in rows)})
    return [Event(client_id, "log.checkpoint", "decisions", data) for client_id in clients]


async def watch(rt: Runtime) -> None:
    """Make checkpoints as they become due, for ever."""
    while True:
        try:
            async with rt.db.tx() as tx:
                await checkpoint(tx, rt)
        except UNAVAILABLE as error:
            log.warning("decisions.no_checkpoint", error=repr(error))
        await asyncio.sleep(_LOOK_S)


async def end(tx: Tx) -> tuple[int, bytes]:
    """The size of the log and its head."""
    row = await tx.fetchrow("SELECT size, head FROM decision_head")
    return (row["size"], row["head"]) if row else (0, NOTHING)


async def checkpoints(tx: Tx) -> list[Record]:
    """Every checkpoint, oldest first."""
    return await tx.fetch("SELECT size, note, at FROM decision_checkpoints ORDER BY size")


async def entry_of(tx: Tx, confirmation_id: str) -> Logged | None:
    """The entry of a decision."""
    row = await tx.fetchrow("SELECT * FROM decision_log WHERE confirmation_id = $1", confirmation_id)
    return Logged(**row) if row else None


async def covering(tx: Tx, index: int) -> Record | None:
    """The first checkpoint that vouches for an entry; None until it is made."""
    return await tx.fetchrow(
        "SELECT size, note, at FROM decision_checkpoints WHERE size > $1 ORDER BY size LIMIT 1", index
    )


async def onward(tx: Tx, entry: Logged, size: int) -> bytes:
    """The head that a log of ``size`` entries has if this entry is in it, by the hashes of those behind it."""
    rows = await tx.fetch(
        "SELECT leaf FROM decision_log WHERE index > $1 AND index < $2 ORDER BY index", entry.index, size
    )
    head = entry.head
    for row in rows:
        head = head_of(head, row["leaf"])
    return head


async def pages(rt: Runtime) -> AsyncIterator[list[Logged]]:
    """The log in its order, page by page; nothing is held between two."""
    after = -1
    while rows := await _page(rt, after):
        yield rows
        after = rows[-1].index


async def _page(rt: Runtime, after: int) -> list[Logged]:
    async with rt.db.one() as tx:
        rows = await tx.fetch(
            "SELECT * FROM decision_log WHERE index > $1 ORDER BY index LIMIT $2", after, _PAGE
        )
    return [Logged(**row) for row in rows]
