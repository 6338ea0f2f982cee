"""Bells: rung here at once, in other processes by few NOTIFYs, and after a deaf spell all of them."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import asyncpg
import pytest

from harness.rooms import runtime
from sayso.core.database import Tx
from sayso.core.runtime import Runtime
from sayso.core.wakes import CHANNEL, Wakes
from sayso.events import service as events


@contextlib.asynccontextmanager
async def listening(rt: Runtime) -> AsyncIterator[Wakes]:
    """Another process's bells, as far as PostgreSQL can tell."""
    wakes = Wakes()
    task = asyncio.create_task(wakes.run(rt.db))
    try:
        async with asyncio.timeout(10):
            await wakes.listening.wait()
            yield wakes
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


@pytest.fixture
async def rt(dsn: str) -> AsyncIterator[Runtime]:
    """A runtime on the wall's clock."""
    async with runtime(dsn) as running:
        yield running


async def test_a_bell_is_heard_by_all_who_wait_on_its_name_and_by_nobody_else() -> None:
    wakes = Wakes()
    with wakes.waiting("a") as one, wakes.waiting("a") as two, wakes.waiting("b") as other:
        wakes.ring("a")
        wakes.ring("nobody waits on this")
        assert one.is_set()
        assert two.is_set()
        assert not other.is_set()
    with wakes.waiting("a") as later:
        assert not later.is_set()
    assert not wakes._waiters


async def test_work_wakes_this_process_at_once_and_the_other_by_notify(rt: Runtime) -> None:
    async with listening(rt) as here, listening(rt) as there:
        with here.waiting("jobs") as near, there.waiting("jobs") as far, there.waiting("other") as deaf:
            here.work("jobs")
            assert near.is_set()
            await far.wait()
            assert not deaf.is_set()


async def test_a_thousand_rings_are_a_handful_of_notifies_and_each_queue_is_named(
    rt: Runtime, dsn: str
) -> None:
    heard: list[str] = []
    onlooker = await asyncpg.connect(dsn)
    await onlooker.add_listener(CHANNEL, lambda _c, _pid, _channel, payload: heard.append(payload))
    async with listening(rt) as here, listening(rt) as there:
        with there.waiting("last") as last:
            for _ in range(1_000):
                here.work("jobs")
                await asyncio.sleep(0)
            here.work("last")
            await last.wait()
        await onlooker.fetchval("SELECT 1")
    await onlooker.close()
    queues = [name for payload in heard for name in payload.partition(":")[2].split()]
    assert set(queues) == {"jobs", "last"}
    assert queues.count("jobs") < 20


async def test_its_own_notify_does_not_ring_a_process_twice(rt: Runtime, dsn: str) -> None:
    onlooker = await asyncpg.connect(dsn)
    came = asyncio.Event()
    await onlooker.add_listener(CHANNEL, lambda *_: came.set())
    async with listening(rt) as here:
        with here.waiting("jobs") as bell:
            here.work("jobs")
            bell.clear()
            await came.wait()
            async with rt.db.one() as tx:
                await tx.fetchval("SELECT 1")
            assert not bell.is_set()
    await onlooker.close()


async def test_an_events_news_come_after_its_commit_and_never_without(rt: Runtime) -> None:
    async def emit(tx: Tx, subject: str) -> None:
        await events.emit(tx, rt, client_id="assistant", kind="confirmation.asked", subject=subject, data={})

    with rt.wakes.waiting("cnf_1") as told, rt.wakes.waiting("cnf_2") as never:
        with contextlib.suppress(LookupError):
            async with rt.db.tx() as tx:
                await emit(tx, "cnf_2")
                raise LookupError
        async with rt.db.tx() as tx:
            await emit(tx, "cnf_1")
            assert not told.is_set()
        assert told.is_set()
        assert not never.is_set()


async def test_news_reach_the_other_process_many_in_one_notify(rt: Runtime) -> None:
    names = [f"cnf_{number:026d}" for number in range(400)]
    async with listening(rt) as here, listening(rt) as there:
        with contextlib.ExitStack() as waiting:
            bells = [waiting.enter_context(there.waiting(name)) for name in names]
            for name in names:
                here.news(name)
            for bell in bells:
                await bell.wait()


async def test_when_somebody_may_have_ended_without_a_word_every_process_wakes_all_who_wait(
    rt: Runtime,
) -> None:
    async with listening(rt) as here, listening(rt) as there:
        with here.waiting("a") as a, there.waiting("b") as b:
            here.all_news()
            assert a.is_set()
            await b.wait()


async def test_what_is_said_while_cut_off_and_last_words_are_heard(rt: Runtime) -> None:
    async with listening(rt) as there:
        with there.waiting("early") as early, there.waiting("last") as last:
            here = Wakes()
            here.news("early")
            async with asyncio.timeout(10):
                task = asyncio.create_task(here.run(rt.db))
                await early.wait()
                here.news("last")
                task.cancel()
                await last.wait()
            with contextlib.suppress(asyncio.CancelledError):
                await task


async def test_who_was_cut_off_listens_again_and_rings_everybody_for_what_was_missed(rt: Runtime) -> None:
    async with listening(rt) as here:
        with here.waiting("a") as a, here.waiting("b") as b:
            async with rt.db.one() as tx:
                cut = await tx.fetchval(
                    "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
                    "WHERE datname = current_database() AND query LIKE 'LISTEN%'"
                )
            assert cut == 1
            await a.wait()
            await b.wait()
            assert here.listening.is_set()
            a.clear()
            async with rt.db.one() as tx:
                await tx.execute("SELECT pg_notify($1, 'somebody:a')", CHANNEL)
            await a.wait()


async def test_closing_wakes_everybody() -> None:
    wakes = Wakes()
    with wakes.waiting("a") as a, wakes.waiting("b") as b:
        wakes.close()
        assert a.is_set()
        assert b.is_set()
        assert wakes.closing
