"""Taking webhooks in: one commit for all who wait, acknowledged only when durable, each update once."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from typing import Any

import pytest

from harness.rooms import Clock, runtime
from sayso.core.claims import LeaseLostError
from sayso.core.errors import DatabaseUnavailableError
from sayso.core.runtime import Runtime
from sayso.inbound import receive
from sayso.inbound.receive import Ended, Intake
from sayso.people import service as people
from sayso.whatsapp.explode import RawUpdate, explode
from sayso.whatsapp.updates import Identity

ALICE, BOB = "15550001111", "15550002222"


def message(number: int, sender: str = ALICE) -> dict[str, Any]:
    return {
        "id": f"wamid.{number}", "from": sender, "timestamp": "1790000000", "type": "text",
        "text": {"body": f"t{number}"},
    }  # fmt: skip


def body(*messages: dict[str, Any], mark: str = "") -> bytes:
    """A webhook; ``mark`` makes the bytes others, and changes nothing in the updates."""
    value = {"metadata": {"phone_number_id": "100000000000001"}, "messages": list(messages)}
    entry = {"id": "2" + mark, "changes": [{"field": "messages", "value": value}]}
    return json.dumps({"object": "whatsapp_business_account", "entry": [entry]}).encode()


@contextlib.asynccontextmanager
async def committing(intake: Intake) -> AsyncIterator[None]:
    """The loop that commits, while the block lasts."""
    task = asyncio.create_task(intake.run())
    try:
        async with asyncio.timeout(30):
            yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


@pytest.fixture
def intake(rt: Runtime) -> Intake:
    """Nothing came yet."""
    return Intake(rt)


async def count(rt: Runtime, what: str = "count(*)", table: str = "updates") -> int:
    async with rt.db.one() as tx:
        return int(await tx.fetchval(f"SELECT {what} FROM {table}"))


async def test_posts_that_wait_together_are_committed_together_and_all_kept(intake: Intake) -> None:
    bodies = [body(message(n, f"1555{n % 7:07}")) for n in range(300)]
    posts = [asyncio.create_task(intake.take(each)) for each in bodies]
    await asyncio.sleep(0)
    async with committing(intake):
        await asyncio.gather(*posts)
    assert await count(intake.rt) == 300
    assert (
        await count(intake.rt, "count(DISTINCT xmin::text)") == 2
    )  # 250 in the first commit, 50 in the second
    async with intake.rt.db.one() as tx:
        kept = await tx.fetch("SELECT body FROM webhook_bodies")
        pairs = await tx.fetchval(
            "SELECT count(*) FROM updates u JOIN webhook_bodies b ON b.digest = u.body_digest AND work = 'ready'"
        )
    assert {row["body"] for row in kept} == set(bodies)
    assert pairs == 300


async def test_a_lonely_post_does_not_wait_for_company(intake: Intake) -> None:
    async with committing(intake):
        for n in range(3):
            await intake.take(body(message(n)))
    assert await count(intake.rt, "count(DISTINCT xmin::text)") == 3


async def test_acknowledged_means_committed_as_others_see_it(intake: Intake) -> None:
    async with committing(intake):
        for n in range(20):
            await intake.take(body(message(n)))
            assert await count(intake.rt) == n + 1


async def test_the_order_of_arrival_is_the_order_of_the_numbers(intake: Intake) -> None:
    posts = [
        asyncio.create_task(intake.take(body(*(message(n * 10 + k) for k in range(7))))) for n in range(80)
    ]
    await asyncio.sleep(0)
    async with committing(intake):
        await asyncio.gather(*posts)
    async with intake.rt.db.one() as tx:
        rows = await tx.fetch("SELECT item FROM updates ORDER BY id")
    came = [int(json.loads(row["item"])["id"].removeprefix("wamid.")) for row in rows]
    assert came == [n * 10 + k for n in range(80) for k in range(7)]


async def test_twenty_copies_are_acknowledged_and_kept_once(intake: Intake) -> None:
    async with committing(intake):
        await asyncio.gather(*(intake.take(body(message(1), message(2))) for _ in range(20)))
        await intake.take(body(message(1), message(2)))
    assert await count(intake.rt) == 2
    assert await count(intake.rt, table="webhook_bodies") == 1


async def test_the_same_update_in_another_batch_is_the_same_update(intake: Intake) -> None:
    async with committing(intake):
        await intake.take(body(message(1), message(2)))
        await intake.take(body(message(2), message(3), mark="0"))
    assert await count(intake.rt) == 3
    assert await count(intake.rt, table="webhook_bodies") == 2


async def test_two_processes_that_take_in_the_same_updates_keep_them_once(intake: Intake, dsn: str) -> None:
    async with runtime(dsn) as other_rt:
        other = Intake(other_rt)
        async with committing(intake), committing(other):
            forward = [body(message(n), message(n + 1)) for n in range(60)]
            backward = [body(message(n + 1), message(n), mark="0") for n in reversed(range(60))]
            await asyncio.gather(
                *(intake.take(each) for each in forward), *(other.take(each) for each in backward)
            )
    assert await count(intake.rt) == 61


async def test_what_the_database_refuses_costs_the_others_nothing(
    intake: Intake, monkeypatch: pytest.MonkeyPatch
) -> None:
    def planted(raw: bytes) -> Sequence[RawUpdate]:
        found = explode(raw)
        return (
            [RawUpdate(f"{each.key}\x00", each.kind, "", "", b"", b"") for each in found]
            if b"t7" in raw
            else found
        )

    monkeypatch.setattr(receive, "explode", planted)
    posts = [asyncio.create_task(intake.take(body(message(n)))) for n in range(10)]
    await asyncio.sleep(0)
    async with committing(intake):
        ended = await asyncio.gather(*posts, return_exceptions=True)
    assert [n for n, result in enumerate(ended) if result is not None] == [7]
    assert isinstance(ended[7], DatabaseUnavailableError)
    assert await count(intake.rt) == 9


async def test_a_database_that_is_away_is_never_an_acknowledgement_and_comes_back(
    intake: Intake, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = type(intake.rt.db).one

    def away(_db: object) -> contextlib.AbstractAsyncContextManager[None]:
        raise ConnectionRefusedError

    async with committing(intake):
        monkeypatch.setattr(type(intake.rt.db), "one", away)
        ended = await asyncio.gather(
            *(intake.take(body(message(n))) for n in range(5)), return_exceptions=True
        )
        assert {type(each) for each in ended} == {DatabaseUnavailableError}
        monkeypatch.setattr(type(intake.rt.db), "one", real)
        await intake.take(body(message(1)))
    assert await count(intake.rt) == 1


async def test_more_than_may_wait_is_refused_at_once_in_number_and_in_size(
    intake: Intake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(receive, "MOST_WAITING", 3)
    waiting = [asyncio.create_task(intake.take(body(message(n)))) for n in range(3)]
    await asyncio.sleep(0)
    with pytest.raises(DatabaseUnavailableError, match="More webhooks wait"):
        await intake.take(body(message(9)))
    monkeypatch.setattr(receive, "MOST_WAITING", 100)
    monkeypatch.setattr(receive, "MOST_WAITING_BYTES", 3 * len(body(message(1))) + 10)
    with pytest.raises(DatabaseUnavailableError, match="More webhooks wait"):
        await intake.take(body(message(9)))
    async with committing(intake):
        await asyncio.gather(*waiting)
        await intake.take(body(message(9)))  # there is room again
    assert await count(intake.rt) == 4


async def test_a_commit_that_does_not_come_in_time_is_no_acknowledgement(
    intake: Intake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(receive, "COMMIT_WITHIN_S", 0.02)
    with pytest.raises(DatabaseUnavailableError, match="did not commit in time"):
        await intake.take(body(message(1)))


async def test_new_rows_ring_and_mere_copies_do_not(intake: Intake) -> None:
    with intake.rt.wakes.waiting("updates") as bell:
        async with committing(intake):
            await intake.take(body(message(1)))
            assert bell.is_set()
            bell.clear()
            await intake.take(body(message(1)))
            assert not bell.is_set()


async def test_what_cannot_be_read_is_kept_as_it_came(intake: Intake) -> None:
    odd = [b"", b"[", b"null", b"\xff\x00\xfe", b"[" * 5_000, b'{"object":"x"}']
    async with committing(intake):
        await asyncio.gather(*(intake.take(each) for each in odd))
    async with intake.rt.db.one() as tx:
        kept = {row["body"] for row in await tx.fetch("SELECT body FROM webhook_bodies")}
    assert kept == set(odd)


async def test_words_wait_undigested_until_they_are_finished(intake: Intake, clock: Clock) -> None:
    async with committing(intake):
        await intake.take(body(message(1)))
    deadline = clock() + timedelta(seconds=1)
    async with intake.rt.db.tx() as tx:
        alice = await people.meet(tx, intake.rt, Identity(bsuid="US.1", wa_id=ALICE), learned_from="meta")
        bob = await people.meet(tx, intake.rt, Identity(bsuid="US.2", wa_id=BOB), learned_from="meta")
        assert await receive.undigested(tx, alice, deadline)
        assert not await receive.undigested(tx, bob, deadline)
        assert not await receive.undigested(
            tx, alice, clock()
        )  # it came at that very moment, which is too late
        await tx.execute("UPDATE updates SET work = NULL")
        assert not await receive.undigested(tx, alice, deadline)


async def test_a_strangers_words_may_be_those_of_somebody_whose_user_id_we_do_not_know(
    intake: Intake, clock: Clock
) -> None:
    hidden = {**message(1, ""), "from_user_id": "US.9"}
    del hidden["from"]
    async with committing(intake):
        await intake.take(body(hidden))
    deadline = clock() + timedelta(seconds=1)
    async with intake.rt.db.tx() as tx:
        numbered = await people.by_phone(tx, intake.rt, "+" + ALICE, learned_from="assistant:bot")
        known = await people.meet(tx, intake.rt, Identity(bsuid="US.2"), learned_from="meta")
        assert await receive.undigested(tx, numbered, deadline)
        assert not await receive.undigested(tx, known, deadline)
        await people.meet(tx, intake.rt, Identity(bsuid="US.9"), learned_from="meta")
        assert not await receive.undigested(tx, numbered, deadline)


async def test_an_update_is_finished_only_by_whoever_holds_it(intake: Intake) -> None:
    async with committing(intake):
        await intake.take(body(message(1), message(2)))
    async with intake.rt.db.tx() as tx:
        rows = await tx.fetch("UPDATE updates SET work = 'running', worker = 5 RETURNING *")

    async def finish(worker: int, state: str) -> None:
        async with intake.rt.db.tx() as tx:
            ended = [Ended(row, "why", state) for row in rows]
            await receive.finish(tx, intake.rt, ended, worker=worker)

    with pytest.raises(LeaseLostError):
        await finish(4, "done")
    await finish(5, "parked")
    async with intake.rt.db.one() as tx:
        page = await receive.page(tx, state="parked", kind=None, before=None, limit=10)
    assert [(row["id"], row["result"], row["work"]) for row in page] == [(2, "why", None), (1, "why", None)]
    with pytest.raises(LeaseLostError):
        await finish(5, "done")
