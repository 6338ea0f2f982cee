"""The fence between sending to a person and the person's leaving holds while records are found to be one person's."""

import asyncio

import asyncpg
import pytest

from sayso.core.runtime import Runtime
from sayso.people import service as people


async def _two(rt: Runtime) -> tuple[str, str]:
    async with rt.db.tx() as tx:
        one = await people.by_phone(tx, rt, "+15550001111", learned_from="test")
        two = await people.by_phone(tx, rt, "+15550002222", learned_from="test")
    return one.id, two.id


async def _until_somebody_waits(rt: Runtime) -> None:
    waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted AND pid <> pg_backend_pid()"
    async with asyncio.timeout(10), rt.db.one() as tx:
        while not await tx.fetchval(waiting):  # noqa: ASYNC110 - a lock has no event
            await asyncio.sleep(0)


async def _whole(rt: Runtime, person_id: str) -> people.Person:
    async with rt.db.one() as tx:
        return await people.get(tx, person_id)


async def _leave_at_once(rt: Runtime, person_id: str) -> None:
    async with rt.db.tx() as leaving:
        await leaving.execute("SET LOCAL lock_timeout = '50ms'")
        await people.lock(leaving, [person_id], exclusive=True)


@pytest.mark.parametrize("merged_away", [0, 1])
async def test_a_send_that_waited_out_a_merge_meets_the_leaving_of_the_whole_person(
    rt: Runtime, merged_away: int
) -> None:
    pair = await _two(rt)
    other, root = pair[merged_away], pair[1 - merged_away]
    fenced, go_on = asyncio.Event(), asyncio.Event()

    async def send() -> None:
        async with rt.db.tx() as tx:
            await people.lock(tx, [other], exclusive=False)
            fenced.set()
            await go_on.wait()

    async with asyncio.TaskGroup() as tasks:
        async with rt.db.tx() as merging:
            await people._merge(merging, other, root)
            tasks.create_task(send())
            await _until_somebody_waits(rt)
        await fenced.wait()
        person = (await _whole(rt, root)).id
        with pytest.raises(asyncpg.LockNotAvailableError):
            await _leave_at_once(rt, person)
        go_on.set()


async def test_leaving_waits_for_no_send_to_somebody_else(rt: Runtime) -> None:
    one, two = await _two(rt)
    async with rt.db.tx() as sending:
        await people.lock(sending, [one], exclusive=False)
        await _leave_at_once(rt, two)
