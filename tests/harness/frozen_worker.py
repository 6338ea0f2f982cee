"""A worker in a process of its own, to be stopped in the middle: of a row's handler, or of the claim itself.

Says ``have`` when it has something in hand, waits for a line, and says what became of it.
"""

import asyncio
import sys

from harness.rooms import KEYED, runtime
from sayso.core import claims
from sayso.core.claims import LeaseLostError
from sayso.core.database import UNAVAILABLE, Record
from sayso.core.runtime import Runtime
from sayso.core.worker import Lease, Work, Worker


def say(word: str) -> None:
    """One line to whoever started this."""
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()


async def a_line() -> None:
    """Wait until told to go on."""
    await asyncio.to_thread(sys.stdin.readline)


async def frozen_in_a_handler(rt: Runtime) -> None:
    """Claim by the real loops; finish the row after a line, and leave."""
    over = asyncio.Event()

    async def handle(_rt: Runtime, lease: Lease, row: Record) -> None:
        say("have")
        await a_line()
        try:
            async with rt.db.tx() as tx:
                await tx.execute("UPDATE jobs SET said = 'by the frozen' WHERE id = $1", row["id"])
                await claims.complete(tx, KEYED, worker=lease.worker, ids=[row["id"]])
        except LeaseLostError:
            say("refused")
            raise
        finally:
            over.set()
        say("done")

    worker = Worker(rt, [Work(KEYED, handle)])
    running = asyncio.create_task(worker.run())
    await over.wait()
    worker.stop()
    await running
    say("left")


async def frozen_in_a_claim(rt: Runtime) -> None:
    """Hold a claim's transaction open, with all its locks, until a line comes."""
    async with rt.db.tx(claims=True) as tx:
        number = await claims.enlist(tx)
    try:
        async with rt.db.tx(claims=True) as tx:
            await claims.claim(tx, KEYED, worker=number, limit=10)
            say("have")
            await a_line()
    except UNAVAILABLE:
        say("refused")
    else:
        say("done")


async def frozen_in_a_statement(rt: Runtime) -> None:
    """Hold a row's lock between a statement's parse and its execution, where PostgreSQL does not call us idle."""
    async with rt.db.tx(claims=True) as tx:
        await claims.claim(tx, KEYED, worker=await claims.enlist(tx), limit=10)
    try:
        async with rt.db.tx() as tx:
            await tx.execute("UPDATE jobs SET said = 'by the frozen'")
            await tx._connection.prepare("SELECT 1")
            say("have")
            await a_line()
            await tx.execute("SELECT 1")
    except UNAVAILABLE:
        say("refused")
    else:
        say("done")


async def main(dsn: str, where: str) -> None:
    """Freeze there."""
    async with runtime(dsn, size=3) as rt:
        await {
            "handler": frozen_in_a_handler,
            "claim": frozen_in_a_claim,
            "statement": frozen_in_a_statement,
        }[where](rt)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
