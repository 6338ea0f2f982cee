"""Coming to rest: what is waited for, and what a wait costs while others are at work."""

import asyncio
import dataclasses
from typing import TYPE_CHECKING

import pytest

from sayso.simulator import Simulator, SimulatorConfig
from simulator.known import ANA

if TYPE_CHECKING:
    from simulator.conftest import Graph, Receiver


@pytest.fixture
def config(config: SimulatorConfig) -> SimulatorConfig:
    """Nobody has subscribed: there is no webhook to wait for. Between two statuses there is time."""
    return dataclasses.replace(config, webhook_url="", delivered_after_ms=30, read_after_ms=30)


async def test_a_message_comes_to_its_end_with_nobody_to_tell(sim: Simulator, graph: "Graph") -> None:
    await sim.inbound(ANA, text="hi")
    await graph.text()
    await sim.settled()
    assert [each["status"] for each in sim.messages()] == ["read"]


@pytest.mark.parametrize("how", ["reset", "restore"])
async def test_what_is_sent_while_a_reset_is_made_holds_nobody_up(
    sim: Simulator, receiver: "Receiver", how: str
) -> None:
    receiver.stuck = asyncio.Event()  # a webhook that must be given up, which takes its time
    sim.subscribe(receiver.url)
    before = sim.snapshot()
    await sim.inbound(ANA, text="hi")
    await receiver.until(bool)
    body = {"messaging_product": "whatsapp", "to": ANA, "type": "text", "text": {"body": "meanwhile"}}

    async def meanwhile() -> None:
        sim.parts.sending.accept(sim.world.number, body)

    await asyncio.gather(sim.reset() if how == "reset" else sim.restore(before), meanwhile())
    receiver.stuck = None
    await sim.settled()
    assert sim.messages() == []
