"""The loops: every row handled, failures tried again or parked, and an end that leaves nothing in anybody's hand."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import asyncpg
import pytest

from harness.rooms import JOBS, KEYED, add_jobs, make_jobs, runtime
from sayso.core import claims, worker
from sayso.core.claims import LeaseLostError, Queue
from sayso.core.database import Record, Tx
from sayso.core.runtime import Runtime
from sayso.core.worker import Lease, Work, Worker


@pytest.fixture(autouse=True)
def _a_quicker_pulse(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same loops, some twenty times as fast; the lease stays what it is."""
    for name, seconds in {"BEAT_S": 0.02, "LOOK_S": 0.02, "_RETRY_BASE_S": 0.03, "DRAIN_S": 0.3}.items():
        monkeypatch.setattr(worker, name, seconds)


@pytest.fixture
async def jobs(dsn: str) -> AsyncIterator[Runtime]:
    """A runtime on the wall's clock, with the table of jobs."""
    async with runtime(dsn) as rt:
        async with rt.db.tx() as tx:
            await make_jobs(tx)
        yield rt


@dataclass
class Bench:
    """A handler that does as it is told per row, and remembers."""

    act: Callable[[int], Awaitable[None]] | None = None
    queue: Queue = JOBS
    tried: Counter[int] = field(default_factory=Counter)
    finished: list[int] = field(default_factory=list)
    parked: dict[int, str] = field(default_factory=dict)
    refuse_to_park: int = 0

    async def handle(self, rt: Runtime, lease: Lease, row: Record) -> None:
        """Try, then finish."""
        self.tried[row["id"]] += 1
        if self.act:
            await self.act(row["id"])
        async with rt.db.tx() as tx:
            await claims.complete(tx, self.queue, worker=lease.worker, ids=[row["id"]])
        self.finished.append(row["id"])

    async def park(self, _rt: Runtime, tx: Tx, lease: Lease, row: Record, reason: str) -> None:
        """Take it out of the way, or fail to."""
        if self.refuse_to_park:
            self.refuse_to_park -= 1
            raise asyncpg.DeadlockDetectedError("not now")
        await claims.complete(tx, self.queue, worker=lease.worker, ids=[row["id"]])
        self.parked[row["id"]] = reason

    def work(self, **changes: Any) -> Work:
        """This handler's work."""
        return Work(self.queue, self.handle, **changes)


@contextlib.asynccontextmanager
async def at_work(rt: Runtime, *works: Work) -> AsyncIterator[Worker]:
    """A worker, stopped at the end."""
    hand = Worker(rt, works)
    running = asyncio.create_task(hand.run())
    try:
        async with asyncio.timeout(20):
            yield hand
    finally:
        hand.stop()
        async with asyncio.timeout(20):
            await running


async def nothing_left(rt: Runtime, *, but: int = 0) -> None:
    """Return when the table has no more than ``but`` rows with work."""
    async with rt.db.one() as tx:
        while await tx.fetchval("SELECT count(*) FROM jobs WHERE work IS NOT NULL") > but:
            pass


async def rows(rt: Runtime) -> list[tuple[int, str | None, int]]:
    async with rt.db.one() as tx:
        found = await tx.fetch("SELECT id, work, tries FROM jobs ORDER BY id")
    return [(row["id"], row["work"], row["tries"]) for row in found]


async def add(rt: Runtime, count: int, **of: str) -> None:
    async with rt.db.tx() as tx:
        await add_jobs(tx, count, **of)


async def test_every_row_is_handled_once_however_few_the_slots(jobs: Runtime) -> None:
    await add(jobs, 40)
    bench = Bench()
    async with at_work(jobs, bench.work(slots=3)):
        await nothing_left(jobs)
    assert sorted(bench.finished) == list(range(1, 41))
    assert set(bench.tried.values()) == {1}


async def test_no_more_rows_are_in_hand_than_there_are_slots(jobs: Runtime) -> None:
    await add(jobs, 30)
    in_hand, most = 0, 0

    async def act(_job: int) -> None:
        nonlocal in_hand, most
        in_hand += 1
        most = max(most, in_hand)
        await asyncio.sleep(0.002)
        in_hand -= 1

    async with at_work(jobs, Bench(act).work(slots=4)):
        await nothing_left(jobs)
    assert most == 4


async def test_what_fails_is_tried_again_later_until_it_works(jobs: Runtime) -> None:
    await add(jobs, 3)

    async def act(job: int) -> None:
        if job == 2 and bench.tried[2] < 4:
            raise RuntimeError("not yet")

    bench = Bench(act)
    async with at_work(jobs, bench.work(park=bench.park)):
        await nothing_left(jobs)
    assert bench.tried == {1: 1, 2: 4, 3: 1}
    assert bench.parked == {}
    assert await rows(jobs) == [(1, None, 0), (2, None, 0), (3, None, 0)]


async def test_what_always_fails_is_parked_with_its_reason_after_its_tries(jobs: Runtime) -> None:
    await add(jobs, 2)

    async def act(job: int) -> None:
        if job == 1:
            raise RuntimeError("poison")

    bench = Bench(act)
    async with at_work(jobs, bench.work(park=bench.park, max_tries=3)):
        await nothing_left(jobs)
    assert bench.tried == {1: 3, 2: 1}
    assert bench.parked == {1: "RuntimeError('poison')"}


async def test_what_cannot_be_parked_now_is_not_forgotten(jobs: Runtime) -> None:
    await add(jobs, 1)

    async def act(_job: int) -> None:
        raise RuntimeError("poison")

    bench = Bench(act, refuse_to_park=2)
    async with at_work(jobs, bench.work(park=bench.park, max_tries=2)):
        await nothing_left(jobs)
    assert list(bench.parked) == [1]


async def test_without_a_place_to_park_a_row_is_tried_for_ever(jobs: Runtime) -> None:
    await add(jobs, 1)

    async def act(_job: int) -> None:
        if bench.tried[1] <= 7:
            raise RuntimeError("still")

    bench = Bench(act)
    async with at_work(jobs, bench.work(max_tries=2)):
        await nothing_left(jobs)
    assert bench.tried[1] == 8


async def test_a_database_that_goes_away_parks_nothing(jobs: Runtime) -> None:
    await add(jobs, 1)

    async def act(_job: int) -> None:
        if bench.tried[1] <= 5:
            raise ConnectionResetError("gone")

    bench = Bench(act)
    async with at_work(jobs, bench.work(park=bench.park, max_tries=2)):
        await nothing_left(jobs)
    assert bench.parked == {}
    assert bench.finished == [1]


async def test_a_row_over_which_workers_keep_dying_is_parked_untried(jobs: Runtime) -> None:
    await add(jobs, 1)
    async with jobs.db.tx() as tx:
        await tx.execute("UPDATE jobs SET tries = 20")
    bench = Bench()
    async with at_work(jobs, bench.work(park=bench.park, max_tries=5)):
        await nothing_left(jobs)
    assert bench.parked == {1: "its worker died 20 times over it"}
    assert bench.tried == {}


async def test_the_later_rows_of_a_key_wait_untouched_for_the_one_that_failed(jobs: Runtime) -> None:
    await add(jobs, 4, who="alice")
    await add(jobs, 2, who="bob")
    seen: list[tuple[int, int]] = []

    async def act(job: int) -> None:
        if job == 2 and bench.tried[2] < 3:
            raise RuntimeError("not yet")

    bench = Bench(act, queue=KEYED)
    handle = bench.handle

    async def noting(rt: Runtime, lease: Lease, row: Record) -> None:
        seen.append((row["id"], row["tries"]))
        await handle(rt, lease, row)

    async with at_work(jobs, Work(KEYED, noting, park=bench.park)):
        await nothing_left(jobs)
    assert [job for job in bench.finished if job <= 4] == [1, 2, 3, 4]
    assert [pair for pair in seen if pair[0] <= 4] == [(1, 1), (2, 1), (2, 2), (2, 3), (3, 1), (4, 1)]


async def test_who_lost_the_lease_neither_retries_nor_parks(jobs: Runtime) -> None:
    await add(jobs, 1)

    async def act(_job: int) -> None:
        async with jobs.db.tx() as tx:
            await tx.execute("UPDATE jobs SET work = NULL, worker = NULL, said = 'by another'")

    bench = Bench(act)
    async with at_work(jobs, bench.work(park=bench.park, max_tries=1)):
        await nothing_left(jobs)
        async with jobs.db.one() as tx:
            assert await tx.fetchval("SELECT said FROM jobs") == "by another"
    assert bench.parked == {}
    assert bench.finished == []
    assert bench.tried == {1: 1}


async def test_asked_to_stop_it_finishes_what_is_in_hand_and_takes_nothing_new(jobs: Runtime) -> None:
    await add(jobs, 2)
    started, go_on = asyncio.Event(), asyncio.Event()

    async def act(_job: int) -> None:
        started.set()
        await go_on.wait()

    bench = Bench(act)
    hand = Worker(jobs, [bench.work(slots=2)])
    running = asyncio.create_task(hand.run())
    async with asyncio.timeout(10):
        await started.wait()
        hand.stop()
        await add(jobs, 3)
        go_on.set()
        await running
    assert sorted(bench.finished) == [1, 2]
    assert [row[1] for row in await rows(jobs)] == [None, None, "ready", "ready", "ready"]
    async with jobs.db.one() as tx:
        assert await tx.fetchval("SELECT count(*) FROM workers") == 0


@pytest.mark.parametrize("slots", [1, 5])
async def test_a_handler_that_never_ends_does_not_keep_the_process(jobs: Runtime, slots: int) -> None:
    await add(jobs, 1)
    started = asyncio.Event()

    async def act(_job: int) -> None:
        started.set()
        await asyncio.Event().wait()

    hand = Worker(jobs, [Bench(act).work(slots=slots)])
    running = asyncio.create_task(hand.run())
    async with asyncio.timeout(10):
        await started.wait()
        hand.stop()
        await running
    assert await rows(jobs) == [(1, "ready", 1)]  # handed on to whoever comes
    for task in asyncio.all_tasks() - {asyncio.current_task()}:
        task.cancel()


async def test_presumed_dead_it_takes_a_new_number_and_goes_on(jobs: Runtime) -> None:
    bench = Bench()
    async with at_work(jobs, bench.work()) as hand:
        await add(jobs, 1)
        await nothing_left(jobs)
        first = hand.lease.worker
        async with jobs.db.tx() as tx:
            await tx.execute("DELETE FROM workers WHERE id = $1", first)
        async with jobs.db.one() as tx:
            while not await tx.fetchval("SELECT count(*) FROM workers"):
                pass
        await add(jobs, 2)
        await nothing_left(jobs)
        assert hand.lease.worker > first
        assert hand.alive
    assert sorted(bench.finished) == [1, 2, 3]


async def test_the_rows_of_the_dead_are_taken_over_unless_a_work_says_otherwise(jobs: Runtime) -> None:
    async with jobs.db.tx() as tx:
        await add_jobs(tx, 3)
        dead = await claims.enlist(tx)
        await tx.execute("UPDATE workers SET beat_at = beat_at - interval '5.5 s'")
        await tx.execute("UPDATE jobs SET work = 'running', worker = $1, tries = 1", dead)
    told: list[list[int]] = []

    async def on_lost(_rt: Runtime, tx: Tx, workers: Any) -> None:
        told.append(list(workers))
        await claims.release(tx, JOBS, workers=workers)

    bench = Bench()
    async with at_work(jobs, bench.work(on_lost=on_lost)):
        await nothing_left(jobs)
    assert told[0] == [dead]
    assert sorted(bench.finished) == [1, 2, 3]
    assert set(bench.tried.values()) == {1}


async def test_prepare_runs_in_the_claims_transaction_and_chooses_what_is_handled(jobs: Runtime) -> None:
    await add(jobs, 4)

    async def prepare(_rt: Runtime, tx: Tx, _lease: Lease, claimed: list[Record]) -> list[Record]:
        await tx.execute("UPDATE jobs SET work = NULL, worker = NULL WHERE id % 2 = 0 AND work = 'running'")
        return [row for row in claimed if row["id"] % 2]

    bench = Bench()
    async with at_work(jobs, bench.work(prepare=prepare)):
        await nothing_left(jobs)
    assert sorted(bench.finished) == [1, 3]


async def test_a_prepare_that_fails_undoes_its_claim(jobs: Runtime) -> None:
    await add(jobs, 2)
    failures = 0

    async def prepare(_rt: Runtime, _tx: Tx, _lease: Lease, claimed: list[Record]) -> list[Record]:
        nonlocal failures
        if failures < 2:
            failures += 1
            raise RuntimeError("not now")
        return claimed

    bench = Bench()
    async with at_work(jobs, bench.work(prepare=prepare)):
        await nothing_left(jobs)
    assert bench.tried == {1: 1, 2: 1}
    with pytest.raises(LeaseLostError):
        async with jobs.db.tx() as tx:
            await claims.complete(tx, JOBS, worker=1, ids=[1])
