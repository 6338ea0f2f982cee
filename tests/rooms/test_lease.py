"""A worker that stands still beyond its lease loses its rows, and what it does when it wakes is refused."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

from harness.rooms import KEYED, make_jobs, runtime
from sayso.core import claims
from sayso.core.database import Record
from sayso.core.runtime import Runtime
from sayso.core.worker import BEAT_S, LEASE_S, Lease, Work, Worker

TESTS = Path(__file__).parents[1]


@contextlib.asynccontextmanager
async def process(dsn: str, where: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """The worker that will be stopped; killed at the end, whatever happened to it."""
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "harness.frozen_worker",
        dsn,
        where,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(TESTS), *sys.path])},
    )
    try:
        yield child
    finally:
        with contextlib.suppress(ProcessLookupError):
            child.kill()
        await child.wait()


async def heard(child: asyncio.subprocess.Process, word: str) -> None:
    """Read lines until this one, passing over what is logged."""
    assert child.stdout is not None
    async with asyncio.timeout(20):
        while (line := await child.stdout.readline()).strip() != word.encode():
            assert line, f"it ended without saying {word!r}"


def go_on(child: asyncio.subprocess.Process) -> None:
    assert child.stdin is not None
    child.stdin.write(b"\n")


async def taken_over(rt: Runtime) -> float:
    """Work as another worker until the row has come to us; the seconds that took."""
    came = asyncio.Event()

    async def handle(_rt: Runtime, lease: Lease, row: Record) -> None:
        async with rt.db.tx() as tx:
            await claims.complete(tx, KEYED, worker=lease.worker, ids=[row["id"]])
            await tx.execute("UPDATE jobs SET said = 'by the heir' WHERE id = $1", row["id"])
        came.set()

    loop = asyncio.get_running_loop()
    began = loop.time()
    worker = Worker(rt, [Work(KEYED, handle)])
    running = asyncio.create_task(worker.run())
    async with asyncio.timeout(30):
        await came.wait()
        worker.stop()
        await running
    return loop.time() - began


async def said(rt: Runtime) -> object:
    async with rt.db.one() as tx:
        return await tx.fetchval("SELECT said FROM jobs")


async def prepared(rt: Runtime) -> None:
    async with rt.db.tx() as tx:
        await make_jobs(tx, 1, who="alice")


async def test_a_worker_frozen_over_a_row_loses_it_after_its_lease_and_cannot_finish_it(dsn: str) -> None:
    async with runtime(dsn) as rt:
        await prepared(rt)
        async with process(dsn, "handler") as child:
            await heard(child, "have")
            child.send_signal(signal.SIGSTOP)
            took = await taken_over(rt)
            assert (
                LEASE_S - BEAT_S - 0.5 < took < 3 * LEASE_S
            )  # not before the lease is over, and soon after it
            child.send_signal(signal.SIGCONT)
            go_on(child)
            await heard(child, "refused")
            await heard(child, "left")
            assert await said(rt) == "by the heir"
        async with rt.db.one() as tx:
            assert await tx.fetchval("SELECT count(*) FROM workers") == 0


async def test_a_worker_frozen_in_the_middle_of_a_statement_gives_its_locks_back(dsn: str) -> None:
    async with runtime(dsn) as rt:
        await prepared(rt)
        async with process(dsn, "statement") as child:
            await heard(child, "have")
            child.send_signal(signal.SIGSTOP)
            await taken_over(rt)
            child.send_signal(signal.SIGCONT)
            go_on(child)
            await heard(child, "refused")
            assert await said(rt) == "by the heir"


async def test_a_worker_frozen_inside_a_claim_does_not_stop_the_claims_of_others(dsn: str) -> None:
    async with runtime(dsn) as rt:
        await prepared(rt)
        async with process(dsn, "claim") as child:
            await heard(child, "have")
            child.send_signal(signal.SIGSTOP)
            assert await taken_over(rt) < 3 * LEASE_S
            child.send_signal(signal.SIGCONT)
            go_on(child)
            await heard(child, "refused")
            assert await said(rt) == "by the heir"
