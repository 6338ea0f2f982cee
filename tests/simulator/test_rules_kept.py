"""What is used up of every limit, and what waits, outlives a snapshot."""

from typing import TYPE_CHECKING, Any

import pytest

from sayso.simulator import Simulator
from sayso.simulator.world.templates import Template
from simulator.known import ANA, BEN, HELLO

if TYPE_CHECKING:
    from simulator.conftest import Graph, Receiver

OFFER: dict[str, Any] = {"type": "template", "template": {"name": "offer", "language": {"code": "en"}}}


@pytest.fixture
def rates() -> bool:
    return True


async def again(sim: Simulator) -> None:
    """Save everything, forget it, and take it back."""
    saved = sim.snapshot()
    await sim.reset()
    await sim.restore(saved)


async def test_rates_reach_and_marketing(sim: Simulator, graph: "Graph", receiver: "Receiver") -> None:
    components = ({"type": "BODY", "text": "Three for two."},)
    offer = Template("1900000000000777", "offer", "en", "MARKETING", components, waba_id=sim.config.waba_id)
    sim.parts.world.templates[offer.id] = offer
    sim.parts.world.accounts.portfolios[sim.config.portfolio_id].tier = "TIER_50"
    for _ in range(2):
        await receiver.status((await graph.send(to=BEN, **OFFER)).wamid, "read")
    for index in range(49):
        await graph.send(to=f"+1555100{index:04d}", **HELLO)
    await sim.settled()
    sim.advance(60)
    sim.clock.run(0)
    for _ in range(45):
        assert (await graph.text()).status == 200
    await again(sim)
    assert (await graph.text()).code == 131056
    sim.clock.run(1)
    capped = await receiver.status((await graph.send(to=BEN, **OFFER)).wamid, "failed")
    beyond = await receiver.status((await graph.send(to="+15551009999", **HELLO)).wamid, "failed")
    assert [each["errors"][0]["code"] for each in (capped, beyond)] == [131049, 131048]


async def test_throughput(sim: Simulator, graph: "Graph") -> None:
    sim.clock.run(0)
    for index in range(80):
        await sim.inbound(f"+1555100{index:04d}", text="hi")
    await again(sim)
    assert (await graph.text()).code == 130429


async def test_messages_that_wait_for_a_phone_or_a_template(
    sim: Simulator, graph: "Graph", receiver: "Receiver"
) -> None:
    sim.journey.phone_off(sim.parts.world.people[ANA[1:]])
    waiting = (await graph.send(**HELLO)).wamid
    hello = next(each for each in sim.parts.world.templates.values() if each.name == "hello_world")
    await receiver.status(waiting, "sent")
    await sim.settled()
    hello.pacing = True
    held = (await graph.send(to=BEN, **HELLO)).wamid
    await again(sim)
    assert [each["status"] for each in sim.messages()] == ["sent", "held"]
    sim.journey.phone_on(sim.parts.world.people[ANA[1:]])
    assert sim.journey.release_held(hello.id) == 1
    await receiver.status(waiting, "read")
    await receiver.status(held, "read")
