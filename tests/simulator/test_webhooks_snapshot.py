"""Webhooks that are gathered or being put together survive a snapshot, and taking one changes nothing."""

import dataclasses
from typing import TYPE_CHECKING

import pytest

from sayso.simulator import Simulator, SimulatorConfig
from sayso.simulator.faults.model import WebhookReorder
from simulator.known import ANA

if TYPE_CHECKING:
    from simulator.conftest import Receiver


@pytest.fixture
def config(receiver: "Receiver") -> SimulatorConfig:
    return SimulatorConfig(port=0, webhook_url=receiver.url, verify_at_start=False)


async def says(sim: Simulator, *words: str) -> None:
    """Have Ana say these, one by one."""
    for each in words:
        await sim.inbound(ANA, text=each)


async def shuffled(config: SimulatorConfig, receiver: "Receiver", *, resumed: bool) -> list[str]:
    """Gather six webhooks, if ``resumed`` the first three before a snapshot; return their order on the wire."""
    receiver.hooks.clear()
    async with Simulator(config) as sim:
        sim.clock.run(0)
        sim.arm(WebhookReorder(next=6, seed=3, span_s=60))
        await says(sim, "a", "b", "c")
        document = sim.snapshot()
        if not resumed:
            await says(sim, "d", "e", "f")
            await sim.settled()
    if resumed:
        async with Simulator(config) as sim:
            await sim.restore(document)
            assert not receiver.hooks
            assert sim.parts.deliverer.pending == 3
            await says(sim, "d", "e", "f")
            await sim.settled()
    return [each["text"]["body"] for each in receiver.inbound()]


async def test_what_is_gathered_goes_on_being_gathered(config: SimulatorConfig, receiver: "Receiver") -> None:
    order = await shuffled(config, receiver, resumed=False)
    assert len(order) == 6
    assert order != sorted(order)
    assert await shuffled(config, receiver, resumed=True) == order


async def test_the_span_of_what_is_gathered_goes_on(config: SimulatorConfig, receiver: "Receiver") -> None:
    async with Simulator(config) as sim:
        sim.clock.run(0)
        sim.arm(WebhookReorder(until_cleared=True, span_s=60))
        await says(sim, "a", "b")
        sim.advance(50)
        await sim.restore(sim.snapshot())
        sim.advance(9.9)
        assert sim.parts.deliverer.pending == 2
        sim.advance(0.1)
        await sim.settled()
        assert [each["text"]["body"] for each in receiver.inbound()] == ["b", "a"]


async def test_a_snapshot_posts_nothing_and_what_waits_for_company_is_in_it(
    config: SimulatorConfig, receiver: "Receiver"
) -> None:
    joining = dataclasses.replace(config, batch_at_most=100, batch_wait_ms=1_000)
    async with Simulator(joining) as sim:
        sim.clock.run(0)
        await says(sim, "a", "b")
        document = sim.snapshot()
        assert sim.webhooks() == [], "nothing is put together before its time"
        assert sim.snapshot() == document
    async with Simulator(joining) as sim:
        await sim.restore(document)
        await says(sim, "c")
        sim.advance(1)
        await sim.settled()
        assert len(receiver.hooks) == 1
        assert [each["text"]["body"] for each in receiver.inbound()] == ["a", "b", "c"]
