"""The fence between sending to a person and the person's leaving holds while records are found to be one person's."""

import asyncio

import asyncpg
import pytest

from sayso.core.database import Tx
from sayso.core.runtime import Runtime
from sayso.people import merging
from sayso.people import service as people
from sayso.whatsapp.updates import Identity


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
        async with rt.db.tx() as tx_of_the_merge:
            await merging.merge(tx_of_the_merge, rt, other, root, because="test")
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


SPELLINGS = [
    ("+5541988887777", "554188887777"),  # Brazil, with and without the ninth digit
    ("+525639691841", "5215639691841"),  # Mexico
    ("+541158749895", "5491158749895"),  # Argentina
]


@pytest.mark.parametrize(("given", "written"), SPELLINGS)
async def test_who_leaves_under_one_spelling_of_a_number_meets_sends_under_the_other(
    rt: Runtime, given: str, written: str
) -> None:
    async with rt.db.tx() as tx:
        asked = await people.by_phone(tx, rt, given, learned_from="assistant:bot")
        wrote = await people.meet(tx, rt, Identity(wa_id=written), learned_from="meta:message")
    assert asked.id != wrote.id  # that they are one, Meta has yet to say
    assert set(wrote.fence) == {asked.id, wrote.id}
    assert (await _whole(rt, asked.id)).twins == (wrote.id,)
    for sender, leaver in ((asked.id, wrote.id), (wrote.id, asked.id)):
        async with rt.db.tx() as sending:
            fenced = await people.lock(sending, [sender], exclusive=False)
            assert fenced[sender].twins == (leaver,)
            with pytest.raises(asyncpg.LockNotAvailableError):
                await _leave_at_once(rt, leaver)


async def test_the_later_of_two_spellings_sees_the_earlier_however_close(rt: Runtime) -> None:
    """Else a leaving could miss a send to somebody who was found at the same time."""
    given, written = SPELLINGS[0]
    async with asyncio.TaskGroup() as tasks, rt.db.tx() as earlier:
        wrote = await people.meet(earlier, rt, Identity(wa_id=written), learned_from="meta:message")

        async def later() -> people.Person:
            async with rt.db.tx() as tx:
                return await people.by_phone(tx, rt, given, learned_from="assistant:bot")

        task = tasks.create_task(later())
        await _until_somebody_waits(rt)
        assert not task.done()
    assert task.result().twins == (wrote.id,)


async def test_linked_by_meta_they_are_one_and_nobodys_twin(rt: Runtime) -> None:
    given, written = SPELLINGS[0]
    async with rt.db.tx() as tx:
        wrote = await people.meet(tx, rt, Identity(wa_id=written), learned_from="meta:message")
        asked = await people.by_phone(tx, rt, given, learned_from="assistant:bot")
        await people.learn(tx, rt, [(asked.id, "wa_id", written)], learned_from="meta:send")
    whole = await _whole(rt, asked.id)
    assert set(whole.ids) == set(whole.fence) == {wrote.id, asked.id}
    assert whole.to == given


@pytest.mark.parametrize("learned_first", [True, False])
async def test_a_number_that_meta_names_while_an_assistant_gives_it_is_one_persons(
    rt: Runtime, learned_first: bool
) -> None:
    """Else a message could go out as a stranger's while the person it is for leaves by the record that Meta knows."""
    given, named = "+15550001111", "15550001111"
    async with rt.db.tx() as tx:
        known = await people.meet(tx, rt, Identity("US.1"), learned_from="meta:message")

    async def answered(tx: Tx) -> None:
        await people.learn(tx, rt, [(known.id, "wa_id", named)], learned_from="meta:send")

    async def asked(tx: Tx) -> None:
        await people.by_phone(tx, rt, given, learned_from="assistant:bot")

    first, second = (answered, asked) if learned_first else (asked, answered)
    async with asyncio.TaskGroup() as tasks, rt.db.tx() as earlier:
        await first(earlier)

        async def later() -> None:
            async with rt.db.tx() as tx:
                await second(tx)

        task = tasks.create_task(later())
        await _until_somebody_waits(rt)
        assert not task.done()
    async with rt.db.tx() as tx:
        one = await people.by_phone(tx, rt, given, learned_from="assistant:bot")
    assert known.id in one.ids
    async with rt.db.tx() as sending:
        await people.lock(sending, [one.id], exclusive=False)
        with pytest.raises(asyncpg.LockNotAvailableError):
            await _leave_at_once(rt, known.id)
