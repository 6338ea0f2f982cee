"""The loops that claim due rows and hand them to their handlers; liveness, retries, and an orderly end."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Any

import structlog

from sayso.core import claims
from sayso.core.claims import LeaseLostError, Queue
from sayso.core.database import UNAVAILABLE, Record, Tx
from sayso.core.runtime import Runtime
from sayso.core.slots import Slots
from sayso.core.telemetry import LEASE_LOST
from sayso.core.wakes import rung

log = structlog.get_logger("sayso.worker")

BEAT_S = 1.0
LEASE_S = 5.0
#: The safety net: how long a ready row waits at most when every wake-up was lost; also how late a timer may fire.
LOOK_S = 0.5
#: Claims are this far apart under load, so that they come in batches; a wake-up after a quiet spell is not delayed.
PACE_S = 0.008
#: Rows handled together in one transaction: more gain little, and each waits for all.
TOGETHER = 100
#: How long rows under way may take to finish when the process is asked to stop.
DRAIN_S = 12.0

#: A row whose worker keeps dying may be the cause, or just unlucky: it gets more chances than one that raises.
_CRASHES_PER_TRY = 4

#: How long a row waits at most that failed because the database was away.
_OUTAGE_LOOK_S = 2.0
_RETRY_BASE_S = 0.2
_RETRY_CAP_S = 60.0


@dataclass(slots=True)
class Lease:
    """The worker's number: what its claims, and the fence around its results, go by."""

    worker: int


@dataclass(frozen=True, slots=True)
class Together:
    """Rows that ``fit`` are handled many at a time; when that fails for whatever reason, each is handled alone.

    So are those that ``handle`` returns, untouched; of rows that share a key, all or none.
    """

    fit: Callable[[Record], bool]
    handle: Callable[[Runtime, Lease, Sequence[Record]], Awaitable[Sequence[Record]]]


@dataclass(frozen=True, slots=True)
class Claimed:
    """What an own claim took: the rows that need ``handle``, and in how many seconds to look again if nobody rings."""

    todo: Sequence[Record]
    look_in: float


@dataclass(frozen=True, slots=True)
class Work:
    """A queue and what is done with its rows: at most ``slots`` in hand, ``hands`` handlers at once (None: no limit).

    While ``urgent`` says so, handlers stand back for something else, but never for long.
    ``prepare`` runs in the claim's transaction and returns the rows that need ``handle``. ``park`` takes a row out of
    the way for good after ``max_tries``; without it a row is retried for ever, ever more slowly. ``on_lost`` replaces
    handing a dead worker's rows on; ``disown`` replaces returning what a claim took that was never heard to commit.
    ``claim`` replaces the claim by order: it is given the free slots, and decides as ``prepare`` does. ``stop`` is
    called when the worker is asked to end: handlers that wait for something need not any more.
    """

    queue: Queue
    handle: Callable[[Runtime, Lease, Record], Awaitable[None]]
    slots: int = 250
    hands: int | None = None
    urgent: Callable[[], bool] = bool
    pace_s: float = PACE_S
    together: Together | None = None
    prepare: Callable[[Runtime, Tx, Lease, list[Record]], Awaitable[Sequence[Record]]] | None = None
    park: Callable[[Runtime, Tx, Lease, Record, str], Awaitable[None]] | None = None
    on_lost: Callable[[Runtime, Tx, Sequence[int]], Awaitable[None]] | None = None
    disown: Callable[[Runtime, Tx, Lease, Sequence[Any]], Awaitable[None]] | None = None
    claim: Callable[[Runtime, Tx, Lease, int], Awaitable[Claimed]] | None = None
    stop: Callable[[], None] | None = None
    max_tries: int = 5


@dataclass(slots=True)
class Worker:
    """One life of a worker: its number, its loops, the rows it has in hand."""

    rt: Runtime
    works: Sequence[Work]
    lease: Lease = field(default_factory=lambda: Lease(0))
    last_beat: float = 0.0
    _stopping: asyncio.Event = field(default_factory=asyncio.Event)
    _in_hand: set[asyncio.Task[None]] = field(default_factory=set)
    _slots: list[Slots] = field(default_factory=list)

    async def run(self) -> None:
        """Work until :meth:`stop`; then finish what is in hand, release the rest and leave the list."""
        await self._enlist()
        async with asyncio.TaskGroup() as loops:
            beating = loops.create_task(self._beat())
            taking = [loops.create_task(self._take(work)) for work in self.works]
            await self._stopping.wait()
            for loop in taking:
                await asyncio.wait([loop])
            if self._in_hand:
                await asyncio.wait(self._in_hand, timeout=DRAIN_S)
            beating.cancel()
        await self._leave()

    def stop(self) -> None:
        """Ask the worker to end; :meth:`run` returns once it has."""
        self._stopping.set()
        for slots in self._slots:
            slots.close()
        for work in self.works:
            if work.stop:
                work.stop()
            self.rt.wakes.ring(work.queue.table)

    @property
    def alive(self) -> bool:
        """Whether a heartbeat was committed within the lease."""
        return asyncio.get_running_loop().time() - self.last_beat < LEASE_S

    async def _enlist(self) -> None:
        async with self.rt.db.tx(claims=True) as tx:
            self.lease.worker = await claims.enlist(tx)
        self.last_beat = asyncio.get_running_loop().time()

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(BEAT_S)
            try:
                async with self.rt.db.tx(claims=True) as tx:
                    alive = await claims.beat(tx, self.lease.worker)
                    await self._bury_the_dead(tx)
                if not alive:
                    log.warning("worker.presumed_dead", worker=self.lease.worker)
                    await self._enlist()
                self.last_beat = asyncio.get_running_loop().time()
            except UNAVAILABLE as error:
                log.warning("worker.no_heartbeat", error=repr(error))
            except Exception:
                log.exception("worker.no_heartbeat")  # a heart that stops beating takes every row with it

    async def _bury_the_dead(self, tx: Tx) -> None:
        dead = await claims.bury(tx, lease_s=LEASE_S)
        if not dead:
            return
        log.warning("worker.buried", workers=dead)
        for work in self.works:
            await self._hand_on(tx, work, dead)
        tx.after_commit(self.rt.wakes.all_news)  # for what the dead committed and could not tell any more

    async def _hand_on(self, tx: Tx, work: Work, workers: Sequence[int]) -> None:
        if work.on_lost:
            await work.on_lost(self.rt, tx, workers)
        else:
            await claims.release(tx, work.queue, workers=workers)
        tx.after_commit(lambda: self.rt.wakes.work(work.queue.table))

    async def _leave(self) -> None:
        try:
            async with self.rt.db.tx(claims=True) as tx:
                for work in self.works:
                    await self._hand_on(tx, work, [self.lease.worker])
                await claims.retire(tx, self.lease.worker)
        except UNAVAILABLE as error:
            log.warning("worker.left_without_a_word", error=repr(error))

    async def _take(self, work: Work) -> None:
        """Claim and hand out, as slots allow, until asked to stop."""
        slots = Slots(work.slots, asyncio.Semaphore(work.hands or work.slots), work.urgent)
        self._slots.append(slots)
        loop = asyncio.get_running_loop()
        with self.rt.wakes.waiting(work.queue.table) as bell:
            enough = 1
            while True:
                await slots.room(enough)
                if self._stopping.is_set():
                    return
                bell.clear()
                began = loop.time()
                look_in = await self._look(work, slots)
                if look_in > 0:  # that was all for now; what becomes ready from here on rings
                    await rung(bell, min(look_in, LOOK_S))
                enough = 1 if look_in > 0 else work.slots // 4  # a full claim leaves more behind
                await asyncio.sleep(max(0.0, began + work.pace_s - loop.time()))

    async def _look(self, work: Work, slots: Slots) -> float:
        """Make ready what is due, take what is ready; in how many seconds to look again if nobody rings."""
        now = asyncio.get_running_loop().time()
        try:
            if slots.in_doubt:
                await self._disown(work, slots)
                slots.in_doubt = False
            if now - slots.looked >= LOOK_S:
                slots.looked = now
                await self._promote(work)
            return await self._claim(work, slots)
        except UNAVAILABLE as error:
            log.warning("claim.failed", queue=work.queue.table, error=repr(error))
        except Exception:
            log.exception("claim.failed", queue=work.queue.table)
        slots.in_doubt = True
        return LOOK_S

    async def _promote(self, work: Work) -> None:
        promoted = claims.PROMOTE_LIMIT
        while promoted == claims.PROMOTE_LIMIT:
            async with self.rt.db.tx(claims=True) as tx:
                promoted = await claims.promote(tx, work.queue, now=self.rt.now())

    async def _claim(self, work: Work, slots: Slots) -> float:
        # Rows belong to the number they were claimed under, whatever comes later.
        lease = Lease(self.lease.worker)
        slots.claims += 1
        async with self.rt.db.tx(claims=True) as tx:
            claimed = await (work.claim or partial(_in_order, work))(self.rt, tx, lease, slots.free)
        slots.taken((lease.worker, row["id"]) for row in claimed.todo)
        for batch in _batches(claimed.todo, work):
            task = asyncio.create_task(self._handle_batch(work, lease, batch, slots))
            task.add_done_callback(partial(self._ring_for_passed_over, work, slots, slots.claims))
            self._in_hand.add(task)
            task.add_done_callback(self._in_hand.discard)
        return claimed.look_in

    async def _disown(self, work: Work, slots: Slots) -> None:
        """A claim may have committed although its answer never came: what it took is returned, or nobody would."""
        lease = Lease(self.lease.worker)
        keep = [row_id for worker, row_id in slots.in_hand if worker == lease.worker]
        async with self.rt.db.tx(claims=True) as tx:
            if work.disown:
                await work.disown(self.rt, tx, lease, keep)
            await claims.disown(tx, work.queue, worker=lease.worker, keep=keep)

    async def _handle_batch(self, work: Work, lease: Lease, batch: list[list[Record]], slots: Slots) -> None:
        """One key's rows, or those of many keys together; if together fails, each key's on their own."""
        if work.together and len(batch) > 1:
            rows = [row for group in batch for row in group]
            try:
                async with slots.hand():
                    left = {row["id"] for row in await work.together.handle(self.rt, lease, rows)}
            except Exception as error:  # noqa: BLE001 - whatever it was, it shows again where the row is alone
                log.warning("work.one_by_one", queue=work.queue.table, rows=len(rows), error=repr(error))
            else:
                slots.given_back((lease.worker, row["id"]) for row in rows if row["id"] not in left)
                batch = [group for group in batch if group[0]["id"] in left]
        await asyncio.gather(*(self._handle_group(work, lease, group, slots) for group in batch))

    async def _handle_group(self, work: Work, lease: Lease, group: list[Record], slots: Slots) -> None:
        """Rows of one key, one after another; the first that fails sends the rest back, to keep their order."""
        try:
            async with slots.hand():
                for done, row in enumerate(group, start=1):
                    if not await self._handle(work, lease, row):
                        await self._put_back(work, lease, [later["id"] for later in group[done:]])
                        break
        finally:
            slots.given_back((lease.worker, row["id"]) for row in group)

    def _ring_for_passed_over(
        self, work: Work, slots: Slots, claimed: int, _done: asyncio.Task[None]
    ) -> None:
        """What a later claim passed over because its key was busy has nobody else to wake it."""
        if work.queue.key and slots.claims > claimed:
            self.rt.wakes.ring(work.queue.table)

    async def _handle(self, work: Work, lease: Lease, row: Record) -> bool:
        try:
            if work.park and row["tries"] > work.max_tries * _CRASHES_PER_TRY:
                return await self._park(work, lease, row, f"its worker died {row['tries'] - 1} times over it")
            await work.handle(self.rt, lease, row)
        except LeaseLostError as error:
            LEASE_LOST.labels(work.queue.table).inc()
            log.warning("lease.lost", queue=work.queue.table, id=row["id"], detail=str(error))
        except UNAVAILABLE as error:
            log.warning("work.postponed", queue=work.queue.table, id=row["id"], error=repr(error))
            await self._postpone(work, lease, row, self.rt.rng.uniform(0.05, _OUTAGE_LOOK_S), blameless=True)
            return False
        except Exception as error:
            log.exception("work.failed", queue=work.queue.table, id=row["id"], tries=row["tries"])
            if work.park and row["tries"] >= work.max_tries:
                return await self._park(work, lease, row, repr(error))
            await self._postpone(work, lease, row, self._backoff(row["tries"]))
            return False
        return True

    async def _park(self, work: Work, lease: Lease, row: Record, reason: str) -> bool:
        """Take a row out of the way; False when even that failed, and it will come again."""
        if work.park is None:
            return True
        try:
            async with self.rt.db.tx() as tx:
                await work.park(self.rt, tx, lease, row, reason)
        except LeaseLostError as error:
            log.warning("lease.lost", queue=work.queue.table, id=row["id"], detail=str(error))
        except Exception as error:  # noqa: BLE001 - whatever it was, nobody else would give the row back
            log.warning("park.failed", queue=work.queue.table, id=row["id"], error=repr(error))
            await self._postpone(work, lease, row, self._backoff(row["tries"]))
            return False
        return True

    async def _postpone(
        self, work: Work, lease: Lease, row: Record, delay_s: float, *, blameless: bool = False
    ) -> None:
        until = self.rt.now() + timedelta(seconds=delay_s)

        async def postpone(tx: Tx) -> None:
            await claims.postpone(
                tx, work.queue, worker=lease.worker, row_id=row["id"], until=until, blameless=blameless
            )

        await self._insist(work.queue, postpone)

    async def _put_back(self, work: Work, lease: Lease, ids: list[Any]) -> None:
        async def put_back(tx: Tx) -> None:
            await claims.put_back(tx, work.queue, worker=lease.worker, ids=ids)

        if ids:
            await self._insist(work.queue, put_back)

    async def _insist(self, queue: Queue, act: Callable[[Tx], Awaitable[None]]) -> None:
        """Give rows back although the database may be away; failing that, they go on when we leave or die."""
        for attempt in range(5):
            try:
                async with self.rt.db.tx() as tx:
                    await act(tx)
            except UNAVAILABLE as error:
                log.warning("give_back.failed", queue=queue.table, error=repr(error))
                await asyncio.sleep(min(0.5 * 2**attempt, 4))
            else:
                return

    def _backoff(self, tries: int) -> float:
        """Exponential with full jitter, in seconds."""
        return self.rt.rng.uniform(0.05, min(_RETRY_CAP_S, _RETRY_BASE_S * 2 ** min(tries, 12)))


async def _in_order(work: Work, rt: Runtime, tx: Tx, lease: Lease, limit: int) -> Claimed:
    """The claim by the queue's order; a full one leaves more behind."""
    rows: Sequence[Record] = await claims.claim(tx, work.queue, worker=lease.worker, limit=limit)
    todo = await work.prepare(rt, tx, lease, list(rows)) if rows and work.prepare else rows
    return Claimed(todo, 0.0 if len(rows) >= limit else LOOK_S)


def _groups(rows: Sequence[Record], key: str | None) -> list[list[Record]]:
    """Rows by key, order kept; rows without a key stand alone."""
    if key is None:
        return [[row] for row in rows]
    groups: dict[Any, list[Record]] = {}
    for row in rows:
        groups.setdefault(row[key] or ("alone", row["id"]), []).append(row)
    return list(groups.values())


def _batches(rows: Sequence[Record], work: Work) -> list[list[list[Record]]]:
    """The keys' groups: alone, or up to ``TOGETHER`` rows of those where every row fits."""
    batches: list[list[list[Record]]] = []
    company: list[list[Record]] = []
    room = 0
    for group in _groups(rows, work.queue.key):
        if work.together is None or not all(map(work.together.fit, group)):
            batches.append([group])
            continue
        if len(group) > room:
            company, room = [], TOGETHER
            batches.append(company)
        company.append(group)
        room -= len(group)
    return batches
