"""Due rows are taken in order, by one worker each, and given back only to somebody who lives."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from harness.rooms import (
    JOBS,
    KEYED,
    LANES,
    Clock,
    add_jobs,
    make_jobs,
    runtime,
    until_one_waits_for_a_lock,
)
from sayso.core import claims
from sayso.core.claims import PROMOTE_LIMIT, LeaseLostError, Queue
from sayso.core.database import UNAVAILABLE, Tx
from sayso.core.runtime import Runtime
from sayso.events import claiming
from sayso.messages import service as messages

DEAD_AT_ONCE = 0.0


def ids(rows: Any) -> list[int]:
    return [row["id"] for row in rows]


async def enlist(rt: Runtime) -> int:
    async with rt.db.tx(claims=True) as tx:
        return await claims.enlist(tx)


async def claim(rt: Runtime, queue: Queue, worker: int, limit: int = 100) -> list[int]:
    async with rt.db.tx(claims=True) as tx:
        return ids(await claims.claim(tx, queue, worker=worker, limit=limit))


async def bury(rt: Runtime, queue: Queue) -> list[int]:
    """Everybody counts as dead; their rows are handed on."""
    async with rt.db.tx(claims=True) as tx:
        dead = await claims.bury(tx, lease_s=DEAD_AT_ONCE)
        await claims.release(tx, queue, workers=dead)
    return dead


async def state(rt: Runtime) -> list[tuple[int, str | None, int | None, int]]:
    async with rt.db.one() as tx:
        rows = await tx.fetch("SELECT id, work, worker, tries FROM jobs ORDER BY id")
    return [(row["id"], row["work"], row["worker"], row["tries"]) for row in rows]


@pytest.fixture
async def jobs(rt: Runtime) -> Runtime:
    async with rt.db.tx() as tx:
        await make_jobs(tx)
    return rt


async def test_rows_are_taken_in_order_in_batches_and_counted(jobs: Runtime) -> None:
    async with jobs.db.tx() as tx:
        await add_jobs(tx, 7)
        await add_jobs(tx, 1, work="waiting")
    worker = await enlist(jobs)
    assert await claim(jobs, JOBS, worker, 4) == [1, 2, 3, 4]
    assert await claim(jobs, JOBS, worker, 4) == [5, 6, 7]
    assert await claim(jobs, JOBS, worker, 4) == []
    assert (await state(jobs))[0] == (1, "running", worker, 1)
    assert (await state(jobs))[7] == (8, "waiting", None, 0)


@pytest.mark.parametrize(
    ("queue", "waits"),
    [(JOBS, "on"), (replace(JOBS, inward=True), "off"), (replace(KEYED, inward=True), "off")],
)
async def test_only_a_claim_that_leads_to_more_than_writing_waits_for_the_disk(
    jobs: Runtime, queue: Queue, waits: str
) -> None:
    async with jobs.db.tx() as tx:
        await add_jobs(tx, 1)
    worker = await enlist(jobs)
    async with jobs.db.tx(claims=True) as tx:
        assert ids(await claims.claim(tx, queue, worker=worker, limit=1)) == [1]
        assert await tx.fetchval("SHOW synchronous_commit") == waits
    async with jobs.db.tx(claims=True) as tx:
        assert await tx.fetchval("SHOW synchronous_commit") == "on"


@pytest.mark.parametrize("queue", [messages.QUEUE, claiming.QUEUE])
def test_what_leads_to_a_call_waits_for_the_disk(queue: Queue) -> None:
    assert not queue.inward


async def test_an_order_of_two_columns_is_kept(jobs: Runtime) -> None:
    async with jobs.db.tx() as tx:
        await tx.execute(
            "INSERT INTO jobs (lane, work) SELECT 3 - n % 3, 'ready' FROM generate_series(1, 9) n"
        )
        rows = await tx.fetch("SELECT id, lane FROM jobs")
    lanes = {row["id"]: row["lane"] for row in rows}
    worker = await enlist(jobs)
    taken = await claim(jobs, LANES, worker, 5) + await claim(jobs, LANES, worker, 5)
    assert taken == sorted(lanes, key=lambda job: (lanes[job], job))


async def test_two_workers_never_take_the_same_row_and_neither_waits(jobs: Runtime) -> None:
    async with jobs.db.tx() as tx:
        await add_jobs(tx, 10)
    one, other = await enlist(jobs), await enlist(jobs)
    async with asyncio.timeout(5), jobs.db.tx(claims=True) as first, jobs.db.tx(claims=True) as second:
        assert ids(await claims.claim(first, JOBS, worker=one, limit=4)) == [1, 2, 3, 4]
        assert ids(await claims.claim(second, JOBS, worker=other, limit=9)) == [5, 6, 7, 8, 9, 10]


async def test_of_a_key_one_worker_has_all_and_the_next_gets_none(jobs: Runtime) -> None:
    async with jobs.db.tx() as tx:
        await add_jobs(tx, 3, who="alice")
        await add_jobs(tx, 2, who="bob")
    one, other = await enlist(jobs), await enlist(jobs)
    async with jobs.db.tx(claims=True) as first:
        assert ids(await claims.claim(first, KEYED, worker=one, limit=1)) == [1]
        waiting = asyncio.create_task(claim(jobs, KEYED, other))
        await until_one_waits_for_a_lock(jobs)  # the second claim waits for the first to be known to all
        assert not waiting.done()
    assert await waiting == [4, 5]
    assert await claim(jobs, KEYED, one) == []
    async with jobs.db.tx() as tx:
        await claims.complete(tx, KEYED, worker=one, ids=[1])
    assert await claim(jobs, KEYED, other) == [2, 3]


async def test_rows_without_a_key_do_not_wait_for_each_other(jobs: Runtime) -> None:
    async with jobs.db.tx() as tx:
        await add_jobs(tx, 4, who="")
    worker = await enlist(jobs)
    assert await claim(jobs, KEYED, worker, 1) == [1]
    assert await claim(jobs, KEYED, worker, 9) == [2, 3, 4]


async def test_a_postponed_row_holds_up_the_later_ones_of_its_key(jobs: Runtime, clock: Clock) -> None:
    async with jobs.db.tx() as tx:
        await add_jobs(tx, 2, who="alice")
    worker = await enlist(jobs)
    assert await claim(jobs, KEYED, worker, 1) == [1]
    later = clock() + timedelta(seconds=30)
    async with jobs.db.tx() as tx:
        assert await claims.postpone(tx, KEYED, worker=worker, row_id=1, until=later)
    assert await claim(jobs, KEYED, worker) == []
    async with jobs.db.tx(claims=True) as tx:
        assert await claims.promote(tx, KEYED, now=later - timedelta(microseconds=1)) == 0
        assert await claims.promote(tx, KEYED, now=later) == 1
    assert await claim(jobs, KEYED, worker) == [1, 2]
    assert await state(jobs) == [(1, "running", worker, 2), (2, "running", worker, 1)]


async def test_what_is_due_becomes_ready_the_longest_due_first_a_batch_at_a_time(
    jobs: Runtime, clock: Clock
) -> None:
    async with jobs.db.tx() as tx:
        await tx.execute(
            "INSERT INTO jobs (work, work_at) SELECT 'waiting', $1::timestamptz - n * interval '1 second' "
            "FROM generate_series(-3, $2) n",
            clock(),
            PROMOTE_LIMIT + 20,
        )
        assert await claims.promote(tx, JOBS, now=clock()) == PROMOTE_LIMIT
        left = await tx.fetchval(
            "SELECT count(*) FROM jobs WHERE work = 'waiting' AND work_at <= $1", clock()
        )
        youngest = await tx.fetchval("SELECT max(work_at) FROM jobs WHERE work = 'ready'")
        oldest = await tx.fetchval(
            "SELECT max(work_at) FROM jobs WHERE work = 'waiting' AND work_at <= $1", clock()
        )
        assert left == 21
        assert youngest < oldest
        assert await claims.promote(tx, JOBS, now=clock()) == 21
        assert await claims.promote(tx, JOBS, now=clock()) == 0


async def test_after_a_burial_the_rows_are_anothers_and_the_dead_ones_results_are_refused(
    jobs: Runtime,
) -> None:
    async with jobs.db.tx() as tx:
        await add_jobs(tx, 2)
    dead = await enlist(jobs)
    assert await claim(jobs, JOBS, dead) == [1, 2]
    assert await bury(jobs, JOBS) == [dead]
    heir = await enlist(jobs)
    assert await claim(jobs, JOBS, heir) == [1, 2]

    async def by_the_dead() -> None:
        async with jobs.db.tx() as tx:
            await tx.execute("UPDATE jobs SET said = 'by the dead'")
            await claims.complete(tx, JOBS, worker=dead, ids=[1])

    with pytest.raises(LeaseLostError, match=r"1 of 1 jobs rows are no longer worker \d+'s"):
        await by_the_dead()
    async with jobs.db.tx() as tx:
        assert not await claims.postpone(tx, JOBS, worker=dead, row_id=1, until=jobs.now())
        await claims.put_back(tx, JOBS, worker=dead, ids=[1, 2])
        assert await tx.fetchval("SELECT count(*) FROM jobs WHERE said IS NOT NULL") == 0
        await claims.complete(tx, JOBS, worker=heir, ids=[1, 2])
    assert await state(jobs) == [(1, None, None, 0), (2, None, None, 0)]


async def test_one_lost_row_among_many_refuses_them_all(jobs: Runtime) -> None:
    async with jobs.db.tx() as tx:
        await add_jobs(tx, 3)
    worker = await enlist(jobs)
    await claim(jobs, JOBS, worker)
    async with jobs.db.tx() as tx:
        await tx.execute("UPDATE jobs SET work = NULL WHERE id = 2")
    with pytest.raises(LeaseLostError, match="1 of 3"):
        async with jobs.db.tx() as tx:
            await claims.complete(tx, JOBS, worker=worker, ids=[1, 2, 3])
    assert [row[1] for row in await state(jobs)] == ["running", None, "running"]


async def test_who_was_buried_takes_nothing_and_is_told(jobs: Runtime) -> None:
    async with jobs.db.tx() as tx:
        await add_jobs(tx, 2)
    worker = await enlist(jobs)
    async with jobs.db.tx(claims=True) as tx:
        assert await claims.beat(tx, worker)
    assert await bury(jobs, JOBS) == [worker]
    assert await claim(jobs, JOBS, worker) == []
    async with jobs.db.tx(claims=True) as tx:
        assert not await claims.beat(tx, worker)


async def test_a_burial_passes_over_a_worker_in_the_middle_of_a_claim(jobs: Runtime) -> None:
    async with jobs.db.tx() as tx:
        await add_jobs(tx, 1)
    worker = await enlist(jobs)
    async with asyncio.timeout(5), jobs.db.tx(claims=True) as claiming:
        assert ids(await claims.claim(claiming, JOBS, worker=worker, limit=1)) == [1]
        assert await bury(jobs, JOBS) == []
    assert await bury(jobs, JOBS) == [worker]
    assert await state(jobs) == [(1, "ready", None, 1)]


async def test_a_claim_of_another_process_that_stands_still_is_ended_and_its_worker_buried(
    jobs: Runtime, dsn: str
) -> None:
    async with jobs.db.tx() as tx:
        await add_jobs(tx, 1)

    claimed, buried = asyncio.Event(), list[int]()

    async def stand_still(frozen: Runtime, worker: int) -> None:
        async with frozen.db.tx(claims=True) as claiming:
            assert ids(await claims.claim(claiming, JOBS, worker=worker, limit=1)) == [1]
            claimed.set()
            await claiming.fetchval("SELECT pg_sleep(60)")  # PostgreSQL does not call it idle

    async with runtime(dsn) as frozen:
        worker = await enlist(frozen)
        standing = asyncio.create_task(stand_still(frozen, worker))
        await claimed.wait()
        async with asyncio.timeout(20):
            while not buried:
                buried += await bury(jobs, JOBS)
        with pytest.raises(UNAVAILABLE):
            await standing
    assert buried == [worker]
    assert await state(jobs) == [(1, "ready", None, 0)]


async def test_a_claim_in_the_middle_of_a_burial_waits_and_takes_nothing(jobs: Runtime) -> None:
    async with jobs.db.tx() as tx:
        await add_jobs(tx, 1)
    worker = await enlist(jobs)
    async with jobs.db.tx(claims=True) as burying:
        assert await claims.bury(burying, lease_s=DEAD_AT_ONCE) == [worker]
        claiming = asyncio.create_task(claim(jobs, JOBS, worker))
        await until_one_waits_for_a_lock(jobs)
    assert await claiming == []


async def test_the_living_are_not_buried(jobs: Runtime) -> None:
    living, late = await enlist(jobs), await enlist(jobs)
    async with jobs.db.tx() as tx:
        await tx.execute(
            "UPDATE workers SET beat_at = clock_timestamp() - interval '6 s' WHERE id = $1", late
        )
        assert await claims.bury(tx, lease_s=5) == [late]
        await claims.retire(tx, living)
        assert await tx.fetchval("SELECT count(*) FROM workers") == 0


async def test_what_was_not_tried_goes_back_as_if_never_taken_and_what_was_lost_counts(jobs: Runtime) -> None:
    async with jobs.db.tx() as tx:
        await add_jobs(tx, 3)
    worker = await enlist(jobs)
    await claim(jobs, JOBS, worker)
    async with jobs.db.tx() as tx:
        await claims.put_back(tx, JOBS, worker=worker, ids=[2])
        assert sorted(await claims.release(tx, JOBS, workers=[worker])) == [1, 3]
    assert await state(jobs) == [(1, "ready", None, 1), (2, "ready", None, 0), (3, "ready", None, 1)]


async def _backlog(tx: Tx) -> tuple[int, Any]:
    return await claims.backlog(tx, JOBS)


async def test_the_backlog_is_counted_with_the_age_of_its_oldest(jobs: Runtime, clock: Clock) -> None:
    async with jobs.db.tx() as tx:
        assert await _backlog(tx) == (0, None)
        await add_jobs(tx, 3)
        await add_jobs(tx, 2, work="waiting")
        oldest = clock() - timedelta(minutes=3)
        await tx.execute("UPDATE jobs SET work_at = $1 WHERE id = 2", oldest)
        assert await _backlog(tx) == (3, oldest)


@pytest.mark.parametrize("work", ["ready", "running", "waiting"])
async def test_a_key_is_unfinished_until_its_last_earlier_row_is_done(jobs: Runtime, work: str) -> None:
    async with jobs.db.tx() as tx:
        await add_jobs(tx, 1, who="alice", work=work)
        came = await tx.fetchval("SELECT received_at FROM jobs")
        after = came + timedelta(microseconds=1)
        assert await claims.unfinished(tx, KEYED, keys=["bob", "alice"], before=after)
        assert not await claims.unfinished(tx, KEYED, keys=["alice"], before=came)
        assert not await claims.unfinished(tx, KEYED, keys=["bob"], before=after)
        assert not await claims.unfinished(tx, KEYED, keys=[], before=after)
        await tx.execute("UPDATE jobs SET work = NULL")
        assert not await claims.unfinished(tx, KEYED, keys=["alice"], before=after)
