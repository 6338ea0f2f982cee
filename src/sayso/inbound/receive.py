"""Taking webhooks in: signature first, one durable commit for all who are waiting, and only then 200."""

import asyncio
import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import asyncpg
import structlog

from sayso.consent import service as consent
from sayso.core import claims
from sayso.core.claims import Queue
from sayso.core.database import UNAVAILABLE, Record, Tx
from sayso.core.errors import DatabaseUnavailableError
from sayso.core.runtime import Runtime
from sayso.core.telemetry import UPDATES, UPDATES_DUPLICATE
from sayso.inbound.history import erased_key
from sayso.people import service as people
from sayso.people.service import Person
from sayso.whatsapp.explode import RawUpdate, explode

log = structlog.get_logger("sayso.receive")

QUEUE = Queue("updates", order="id", key="person_key", inward=True)

#: Updates in one commit. More buys nothing and makes the slowest wait (measured: p99 of 50 ms and more from 500 up).
MOST_ROWS = 250
#: Posts that may wait for the database at once; beyond it Meta is told to come back, and memory stays bounded.
MOST_WAITING = 4_000
MOST_WAITING_BYTES = 64 * 1024 * 1024
#: So many people with words to be read, and a question of somebody little known does not end before they are.
MOST_STRANGERS = 500
#: From so many posts under way on, digesting stands back: Meta brings again what is not answered, what is stored waits.
PRESSED = 32
#: How long a post waits for its commit before Meta is told to come back.
COMMIT_WITHIN_S = 10.0

#: What was here before and has been erased since comes to nothing, and leaves nothing of its webhook either.
_INSERT = """
WITH came AS MATERIALIZED (
    SELECT u.*, EXISTS (SELECT 1 FROM updates k WHERE k.key = u.erased AND starts_with(k.key, 'erased:')) AS gone
    FROM unnest($4::text[], $5::text[], $6::text[], $7::text[], $8::bytea[], $9::bytea[], $10::bytea[],
        $11::timestamptz[], $12::text[]) AS u (key, kind, phone, person, item, context, digest, received, erased)
), bodies AS (
    INSERT INTO webhook_bodies (digest, received_at, body)
    SELECT digest, received, CASE WHEN digest IN (SELECT digest FROM came WHERE gone) THEN '' ELSE body END
    FROM unnest($1::bytea[], $2::timestamptz[], $3::bytea[]) AS b (digest, received, body) ON CONFLICT DO NOTHING
)
INSERT INTO updates (key, kind, phone_number_id, person_key, item, context, body_digest, received_at, work, work_at)
SELECT key, kind, phone, person, item, context, digest, received, 'ready', received FROM came WHERE NOT gone
ON CONFLICT (key) DO NOTHING
"""


#: The worker's number is the fence; it stands only on running rows. Their index is left alone: it is full of dead rows.
_FINISH = """
UPDATE updates u SET work = NULL, worker = NULL, tries = 0, state = e.state, result = e.result, finished_at = $4
FROM unnest($1::bigint[], $2::text[], $3::text[]) AS e (id, state, result) WHERE u.id = e.id AND u.worker = $5
"""


@dataclass(frozen=True, slots=True)
class Ended:
    """An update and what became of it."""

    row: Record
    result: str
    state: str = "done"


@dataclass(frozen=True, slots=True)
class Post:
    """One verified webhook body and what it holds."""

    body: bytes
    digest: bytes
    updates: Sequence[RawUpdate]
    received_at: datetime
    durable: asyncio.Future[None]


@dataclass(slots=True)
class Intake:
    """Group commit: whatever came while one commit ran goes into the next; there is no timer."""

    rt: Runtime
    _waiting: list[Post] = field(default_factory=list)
    _waiting_bytes: int = 0
    _committing: list[Post] = field(default_factory=list)
    _some: asyncio.Event = field(default_factory=asyncio.Event)

    def pressed(self) -> bool:
        """Whether posts come in faster than they are committed."""
        return len(self._waiting) + len(self._committing) >= PRESSED

    async def undigested(self, tx: Tx, person: Person | None, before: datetime) -> bool:
        """Whether something a person (None: anybody) sent before ``before`` still waits to be stored or read.

        What waits to be stored is anybody's yet, so it counts for everybody; other processes' is not seen here, and
        is a commit old at most.
        """
        under_way = [*self._waiting, *self._committing]
        return any(post.received_at < before for post in under_way) or await undigested(tx, person, before)

    async def take(self, body: bytes) -> None:
        """Return once every update of a verified body is durable, or was before.

        Raises :class:`DatabaseUnavailableError` when that cannot be had now; Meta will bring the body again.
        """
        if len(self._waiting) >= MOST_WAITING or self._waiting_bytes + len(body) > MOST_WAITING_BYTES:
            raise DatabaseUnavailableError("More webhooks wait for the database than may; come back.")
        post = Post(
            body,
            hashlib.sha256(body).digest(),
            explode(body),
            self.rt.now(),
            asyncio.get_running_loop().create_future(),
        )
        self._waiting.append(post)
        self._waiting_bytes += len(body)
        self._some.set()
        try:
            async with asyncio.timeout(COMMIT_WITHIN_S):
                await asyncio.shield(post.durable)
        except TimeoutError as error:
            raise DatabaseUnavailableError("The database did not commit in time; come back.") from error

    async def run(self) -> None:
        """Commit for as long as the process lives."""
        while True:
            self._committing = []
            await self._some.wait()
            batch = self._next_batch()
            self._committing = batch
            try:
                await self._commit(batch)
            except asyncpg.DeadlockDetectedError:  # two processes took in the same updates in another order
                await self._one_by_one(batch)
            except UNAVAILABLE as error:
                log.warning("receive.not_durable", posts=len(batch), error=repr(error))
                _fail(batch, DatabaseUnavailableError(f"The database did not commit: {type(error).__name__}"))
            except Exception:
                log.exception("receive.batch_refused", posts=len(batch))
                await self._one_by_one(batch)

    def _next_batch(self) -> list[Post]:
        rows = taken = 0
        for post in self._waiting:
            if taken and rows + len(post.updates) > MOST_ROWS:
                break
            rows += len(post.updates)
            taken += 1
        batch, self._waiting = self._waiting[:taken], self._waiting[taken:]
        self._waiting_bytes -= sum(len(post.body) for post in batch)
        if not self._waiting:
            self._some.clear()
        return [post for post in batch if not post.durable.done()]

    async def _commit(self, batch: Sequence[Post]) -> None:
        if not batch:
            return
        async with self.rt.db.one() as tx:
            stored = await tx.execute(_INSERT, *_columns(batch, consent.key(self.rt)))
        came = sum(len(post.updates) for post in batch)
        UPDATES_DUPLICATE.inc(came - stored)
        _count(Counter((_kind(update.kind), "received") for post in batch for update in post.updates))
        for post in batch:
            if not post.durable.done():
                post.durable.set_result(None)
        if stored:
            self.rt.wakes.work(QUEUE.table)

    async def _one_by_one(self, batch: Sequence[Post]) -> None:
        """Something in one post is refused by the database: it must not cost the others."""
        for post in batch:
            try:
                await self._commit([post])
            except Exception as error:
                log.exception("receive.post_refused", digest=post.digest.hex(), bytes=len(post.body))
                _fail([post], DatabaseUnavailableError(f"The database refused it: {type(error).__name__}"))


def _fail(batch: Sequence[Post], error: DatabaseUnavailableError) -> None:
    for post in batch:
        if not post.durable.done():
            post.durable.set_exception(error)
            post.durable.exception()  # the poster may have gone: not an exception nobody heard of


def _columns(batch: Sequence[Post], secret: bytes) -> tuple[list[Any], ...]:
    """Column arrays, in the order of arrival: the updates' numbers follow it, and so does a person's order."""
    bodies = sorted({post.digest: post for post in batch}.values(), key=lambda post: post.digest)
    updates = [(update, post) for post in batch for update in post.updates]
    return (
        [post.digest for post in bodies],
        [post.received_at for post in bodies],
        [post.body for post in bodies],
        [update.key for update, _ in updates],
        [update.kind for update, _ in updates],
        [update.phone_number_id for update, _ in updates],
        [update.person_key for update, _ in updates],
        [update.item for update, _ in updates],
        [update.context for update, _ in updates],
        [post.digest for _, post in updates],
        [post.received_at for _, post in updates],
        [erased_key(secret, update.key) for update, _ in updates],
    )


def _kind(kind: str) -> str:
    """A label of bounded variety."""
    return kind if kind in ("message", "status", "error", "malformed") else "other"


async def undigested(tx: Tx, person: Person | None, before: datetime) -> bool:
    """Whether something stored that a person (None: anybody) sent before ``before`` still waits to be read.

    Somebody whose user id we do not know yet may have written under it: then any stranger's words count as theirs.
    """
    if person is None:
        found: bool = await tx.fetchval(
            "SELECT EXISTS (SELECT 1 FROM updates WHERE work IS NOT NULL AND kind = 'message' AND received_at < $1)",
            before,
        )
        return found
    if await claims.unfinished(tx, QUEUE, keys=person.keys, before=before):
        return True
    if person.bsuid is not None:
        return False
    waiting = await tx.fetch(
        "SELECT DISTINCT person_key FROM updates WHERE work IS NOT NULL AND kind = 'message' AND received_at < $1 "
        "AND person_key <> '' LIMIT $2",
        before,
        MOST_STRANGERS,
    )
    keys = [row["person_key"] for row in waiting]
    return len(keys) == MOST_STRANGERS or bool(keys and await people.strangers(tx, keys))


async def finish(tx: Tx, rt: Runtime, ended: Sequence[Ended], *, worker: int) -> None:
    """Mark updates finished, in the transaction of their effect; raises LeaseLostError when one is not ours."""
    done = await tx.execute(
        _FINISH,
        [each.row["id"] for each in ended],
        [each.state for each in ended],
        [each.result for each in ended],
        rt.now(),
        worker,
    )
    claims.check_fence(QUEUE, worker=worker, ended=done, of=len(ended))
    tx.after_commit(lambda: _count(Counter((_kind(each.row["kind"]), each.state) for each in ended)))


def _count(results: Mapping[tuple[str, str], int]) -> None:
    for (kind, result), number in results.items():
        UPDATES.labels(kind, result).inc(number)


async def page(
    tx: Tx, *, state: str | None, kind: str | None, before: int | None, limit: int
) -> list[Record]:
    """What was received and what became of it, newest first."""
    return await tx.fetch(
        "SELECT id, key, kind, phone_number_id, received_at, state, result, finished_at, tries, work, "
        "encode(body_digest, 'hex') AS body_digest FROM updates "
        "WHERE ($1::text IS NULL OR state = $1) AND ($2::text IS NULL OR kind = $2) "
        "AND ($3::bigint IS NULL OR id < $3) ORDER BY id DESC LIMIT $4",
        state,
        kind,
        before,
        limit,
    )
