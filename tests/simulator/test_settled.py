"""Coming to rest: what is waited for, and what a wait costs while others are at work."""

import dataclasses
from typing import TYPE_CHECKING

import pytest

from sayso.simulator import Simulator, SimulatorConfig
from simulator.known import ANA

if TYPE_CHECKING:
    from simulator.conftest import Graph


@pytest.fixture
def config(config: SimulatorConfig) -> SimulatorConfig:
    """Nobody has subscribed: there is no webhook to wait for."""
    return dataclasses.replace(config, webhook_url="")


async def test_a_message_comes_to_its_end_with_nobody_to_tell(sim: Simulator, graph: "Graph") -> None:
    await sim.inbound(ANA, text="hi")
    await graph.text()
    await sim.settled()
    assert [each["status"] for each in sim.messages()] == ["read"]
