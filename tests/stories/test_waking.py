"""Whoever waits is woken by what happened, in this process or another, and never by looking again and again."""

import asyncio
from typing import Any

import pytest

from harness.service import serving, settings
from harness.world import ALICE, World
from sayso.confirmations import service as confirmations
from sayso.core import worker


@pytest.fixture
def no_looking(monkeypatch: pytest.MonkeyPatch) -> None:
    """The safety net is out of reach: what is not woken is not worked on within a test's time."""
    monkeypatch.setattr(worker, "LOOK_S", 600.0)


class Looks:
    """Counts how often it is read how a confirmation stands, or all of it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.count = 0
        self.first = asyncio.Event()
        for name in ("standing", "get"):
            monkeypatch.setattr(confirmations, name, self._counted(getattr(confirmations, name)))

    def _counted(self, real: Any) -> Any:
        async def read(*args: Any) -> Any:
            found = await real(*args)
            self.count += 1
            self.first.set()
            return found

        return read


async def test_a_long_poll_looks_once_at_first_and_once_when_it_is_decided(
    no_looking: None, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, prompt = await world.asked()
    await world.at_rest()
    looks = Looks(monkeypatch)
    waiting = asyncio.create_task(world.api.outcome(asked["id"], wait=60))
    await looks.first.wait()
    await world.said("what is this?")  # something happens, but not to this question
    assert looks.count == 1
    await world.tapped(prompt["wamid"], 0)
    assert (await waiting)["outcome"] == "confirmed"
    assert looks.count == 2
    await world.keeps_its_promises()


async def test_a_hundred_long_polls_are_all_woken(no_looking: None, world: World) -> None:
    asked, prompt = await world.asked()
    waiting = [asyncio.create_task(world.api.outcome(asked["id"], wait=60)) for _ in range(100)]
    await asyncio.sleep(0)
    await world.tapped(prompt["wamid"], 1)
    assert {row["outcome"] for row in await asyncio.gather(*waiting)} == {"declined"}


async def test_a_long_poll_that_is_not_decided_answers_in_time(world: World) -> None:
    asked, _ = await world.asked()
    row = await world.api.outcome(asked["id"], wait=0.2)
    assert (row["status"], row["outcome"]) == ("pending", None)


async def test_what_is_passed_over_because_its_person_is_busy_is_not_forgotten(
    no_looking: None, world: World
) -> None:
    """Twenty messages of one person at once: each waits for the one before, and nobody rings again for them."""
    wamids = await asyncio.gather(*(world.sim.inbound(ALICE, text=f"line {n}") for n in range(20)))
    for wamid in wamids:
        await world.digested(wamid)


async def test_two_services_on_one_database_wake_each_other(no_looking: None, world: World) -> None:
    configured = settings(world.dsn, base_url=world.wire.url, data_dir=world.data_dir)
    async with serving(configured) as other:
        asked, prompt = await world.asked()
        row = await other.api.outcome(asked["id"], wait=0)
        assert row["status"] == "pending"
        waiting = asyncio.create_task(other.api.outcome(asked["id"], wait=60))
        await world.tapped(prompt["wamid"], 0)
        assert (await waiting)["outcome"] == "confirmed"


async def test_work_made_here_is_done_there(no_looking: None, world: World) -> None:
    await world.open_window()
    await world.at_rest()
    configured = settings(world.dsn, base_url=world.wire.url, data_dir=world.data_dir)
    async with serving(configured):
        world.running.service.worker.stop()  # it goes on serving the API, and works on nothing
        status, body = await world.api.call(
            "POST", "/send", json={"recipient": ALICE, "content": "by the other"}
        )
        assert status == 202, body
        await world.stands(body["id"], "read")
        await world.said("thank you")
        await world.keeps_its_promises()
