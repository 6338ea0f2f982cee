"""Webhooks that wait before they are posted: held, delayed, gathered; in their order and within the bound."""

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from sayso.simulator import Simulator, SimulatorConfig
from sayso.simulator.faults.model import Fault, WebhookDelay, WebhookReorder
from simulator.known import ANA

if TYPE_CHECKING:
    from simulator.conftest import Graph, Receiver

BOUND = 5


@pytest.fixture
def config(receiver: "Receiver", request: pytest.FixtureRequest) -> SimulatorConfig:
    usual: dict[str, Any] = {"port": 0, "webhook_url": receiver.url, "verify_at_start": False}
    return SimulatorConfig(**usual | getattr(request, "param", {}))


async def test_held_statuses_are_released_one_by_one_in_their_order(
    sim: Simulator, graph: "Graph", receiver: "Receiver"
) -> None:
    await sim.inbound(ANA, text="hi")
    await sim.settled()
    sim.hold_webhooks(on=True)
    wamids = [(await graph.text()).wamid for _ in range(3)]
    await sim.settled()
    held = [
        (each["updates"][0]["message_id"], each["updates"][0]["status"])
        for each in sim.webhooks(state="held")
    ]
    assert len(held) == 3 * len(wamids)
    before = len(receiver.hooks)
    receiver.stuck = go_on = asyncio.Event()
    assert sim.hold_webhooks(on=False) == len(held)
    await receiver.until(lambda hooks: len(hooks) > before)
    assert len(sim.webhooks(state="pending")) == len(held)
    assert len(receiver.hooks) == before + 1, "the next waits for the answer to the first"
    go_on.set()
    await sim.settled()
    assert [(each["id"], each["status"]) for each in receiver.statuses()] == held


@pytest.mark.parametrize("config", [{"keep_pending_webhooks": BOUND}], indirect=True)
async def test_held_ones_stay_within_the_bound_and_all_of_them_are_released(
    sim: Simulator, graph: "Graph", receiver: "Receiver"
) -> None:
    await sim.inbound(ANA, text="hi")
    await sim.settled()
    sim.hold_webhooks(on=True)
    for _ in range(BOUND):
        await graph.text()
    await sim.settled()
    states = [each["state"] for each in sim.webhooks(kind="status")]
    assert states == ["held"] * BOUND + ["dropped"] * (2 * BOUND)
    assert sim.hold_webhooks(on=False) == BOUND
    await sim.settled()
    assert len(receiver.statuses()) == BOUND
    await sim.inbound(ANA, text="there is room again")
    await sim.settled()
    assert sim.webhooks()[-1]["state"] == "delivered"


@pytest.mark.parametrize("config", [{"keep_pending_webhooks": BOUND}], indirect=True)
@pytest.mark.parametrize(
    "fault", [WebhookDelay(delay_s=60, until_cleared=True), WebhookReorder(span_s=60, until_cleared=True)]
)
async def test_delayed_and_gathered_ones_stay_within_the_bound(
    frozen: Simulator, receiver: "Receiver", fault: Fault
) -> None:
    frozen.arm(fault)
    for place in range(2 * BOUND):
        await frozen.inbound(ANA, text=f"{place}")
    assert [each["state"] for each in frozen.webhooks()] == ["pending"] * BOUND + ["dropped"] * BOUND
    assert frozen.parts.deliverer.pending == BOUND
    frozen.advance(60)
    await frozen.settled()
    assert len(receiver.hooks) == BOUND, "nothing that was taken is thrown away"


@pytest.mark.parametrize(
    "config", [{"keep_pending_webhooks": 0}, {}], indirect=True, ids=["dropped", "hanging"]
)
async def test_a_wait_for_webhooks_wakes_when_one_is_composed(
    sim: Simulator, receiver: "Receiver", config: SimulatorConfig
) -> None:
    receiver.stuck = asyncio.Event()
    waiting = asyncio.create_task(sim.live.until(lambda: sim.webhooks(kind="inbound") or None, 10))
    await asyncio.sleep(0)  # it has looked, and waits
    await sim.inbound(ANA, text="hi")
    told = await waiting
    assert told is not None
    assert told[0]["state"] == ("pending" if config.keep_pending_webhooks else "dropped")
