"""What was delivered is kept for a time and then goes; what a receiver answered goes with the person it was about."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from aiohttp import web

from harness.receiver import Courier, Receiver, courier, says
from harness.rooms import Clock
from sayso.core.runtime import Runtime
from sayso.events import deliveries, delivery_figures, forgetting, pruning

KEPT_DAYS = 30
ANSWERS = "SELECT convert_from(body, 'utf8') AS body FROM delivery_attempts ORDER BY id"


@pytest.fixture
async def by(rt: Runtime) -> AsyncIterator[Courier]:
    """Who delivers."""
    async with courier(rt) as made:
        yield made


async def pruned(rt: Runtime) -> list[int]:
    """Prune step by step until nothing more goes; how many went in each."""
    steps: list[int] = []
    while not steps or steps[-1]:
        async with rt.db.tx() as tx:
            steps.append(await pruning.prune(tx, rt))
    return steps


async def test_what_ended_long_ago_goes_and_what_is_under_way_or_newer_stays(
    by: Courier, receiver: Receiver, rt: Runtime, clock: Clock
) -> None:
    endpoint = await by.endpoint(receiver.url())
    await by.tell("old")
    await by.all()
    receiver.answer = says(500)
    await by.tell("stuck")
    await by.all()
    receiver.answer = says(200)
    clock.advance(days=KEPT_DAYS - 1)
    async with rt.db.tx() as tx:
        await tx.execute("UPDATE deliveries SET work_at = 'infinity' WHERE state = 'pending'")
    await by.tell("new")
    await by.all()
    assert await pruned(rt) == [0]
    clock.advance(days=1, seconds=1)
    assert await pruned(rt) == [1, 0]
    rows = await by.rows()
    assert [row["state"] for row in rows] == ["pending", "delivered"]
    left = await by.rows("SELECT DISTINCT delivery_id FROM delivery_attempts")
    assert {row["delivery_id"] for row in left} == {row["id"] for row in rows}
    async with rt.db.tx() as tx:
        since = clock.at - timedelta(days=100)
        missing = await deliveries.replay_since(tx, rt, await by.one(endpoint), since, "missing")
    assert missing == 0, "what is not known any more is not delivered twice"


async def test_much_goes_in_small_steps(by: Courier, receiver: Receiver, rt: Runtime, clock: Clock) -> None:
    endpoint, count = await by.endpoint(receiver.url()), pruning.AT_ONCE + 5
    await by.rows(
        "INSERT INTO deliveries (id, client_id, endpoint_id, event_id, type, line, state, created_at, finished_at, "
        "work_at) SELECT 'dlv_' || n, 'bot', $1, 'evt_' || n, 'person.said', 'x', 'failed', $2, $2, $2 "
        "FROM generate_series(1, $3::int) n",
        endpoint["id"],
        clock.at,
        count,
    )
    clock.advance(days=KEPT_DAYS, seconds=1)
    assert await pruned(rt) == [pruning.AT_ONCE, 5, 0]


async def test_what_receivers_answered_about_somebody_goes_with_them_and_nobody_elses(
    by: Courier, receiver: Receiver, rt: Runtime
) -> None:
    await by.endpoint(receiver.url())
    receiver.answer = says(200)
    await by.tell("alice", "ben", "cnf_1")
    await by.all()
    async with rt.db.tx() as tx:
        assert await forgetting.empty(tx, ["alice"], ["cnf_1"], None) == 2
    assert [row["body"] for row in await by.rows(ANSWERS)].count("what the receiver says") == 1


async def test_what_is_answered_while_somebody_is_forgotten_is_not_kept(
    by: Courier, receiver: Receiver, rt: Runtime
) -> None:
    asked, forgotten = asyncio.Event(), asyncio.Event()

    async def slow(_request: web.Request) -> web.StreamResponse:
        asked.set()
        await forgotten.wait()
        return web.Response(text="about alice")

    await by.endpoint(receiver.url())
    receiver.answer = slow
    await by.tell("alice")
    calling = asyncio.create_task(by.turn())
    await asked.wait()
    async with rt.db.tx() as tx:
        await forgetting.empty(tx, ["alice"], [], None)
        forgotten.set()
    assert await calling == 1
    (row,) = await by.rows(
        "SELECT d.state, a.body FROM deliveries d JOIN delivery_attempts a ON a.delivery_id = d.id"
    )
    assert (row["state"], row["body"]) == ("delivered", None)


async def test_figures_tell_how_each_endpoint_does(
    by: Courier, receiver: Receiver, rt: Runtime, clock: Clock
) -> None:
    good, bad = (
        await by.endpoint(receiver.url("/good")),
        await by.endpoint(receiver.url("/bad"), client="other"),
    )
    receiver.answers["/bad"] = says(500)
    since = clock.at
    await by.tell("one", "two", "three")
    await by.tell("four", client="other")
    await by.all()
    await by.rows("UPDATE delivery_attempts SET ms = 100 * id")
    await by.rows("UPDATE deliveries SET finished_at = created_at + seq * interval '1 second'")
    async with rt.db.one() as tx:
        found = await delivery_figures.by_endpoint(tx, since, clock.at + timedelta(seconds=1), (0.5, 1.0))
        before = await delivery_figures.by_endpoint(tx, since - timedelta(days=1), since, (0.5, 1.0))
    by_id = {each.endpoint: each for each in found}
    fine, failing = by_id[good["id"]], by_id[bad["id"]]
    assert (fine.client, fine.state, fine.delivered, fine.pending) == ("bot", "enabled", 3, 0)
    assert fine.call_ms is not None
    assert len(fine.call_ms) == 2
    assert fine.call_ms[0] < fine.call_ms[1]
    assert fine.took_s == [2.0, 3.0]
    assert (failing.delivered, failing.failed, failing.pending, failing.retrying) == (0, 0, 1, 1)
    assert (failing.call_ms, failing.took_s) == (None, None)
    assert [each.endpoint for each in found] == [bad["id"], good["id"]], "those that fail come first"
    assert {(each.delivered, each.pending) for each in before} == {(0, 0)}
