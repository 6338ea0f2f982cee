"""A call that is under way while what it is about goes, as by a reset."""

import asyncio
from typing import TYPE_CHECKING

import pytest

from sayso.simulator import Simulator
from sayso.simulator.faults.model import EVERYWHERE, Delay
from simulator.known import ANA

if TYPE_CHECKING:
    from simulator.conftest import Graph


@pytest.mark.parametrize("edge", ["messages", "whatsapp_business_profile", ""])
async def test_a_delayed_call_whose_number_goes_is_told_so(sim: Simulator, graph: "Graph", edge: str) -> None:
    number = sim.accounts.add_number(phone="+15550100001")
    sim.arm(Delay(on=EVERYWHERE, delay_s=0.2, until_cleared=True))
    body = {"messaging_product": "whatsapp", "to": ANA, "type": "text", "text": {"body": "hello"}}
    path = f"/v25.0/{number.phone_number_id}/{edge}"
    calling = asyncio.create_task(
        graph.call("POST", path, json=body) if edge == "messages" else graph.call("GET", path)
    )
    assert await sim.live.until(lambda: sim.faults()["armed"][0]["hits"] or None, 10)
    await sim.reset()
    answer = await calling
    assert (answer.status, answer.code) == (400, 33)
    assert f"Object with ID '{number.phone_number_id}' does not exist" in answer.json["error"]["message"]
    assert sim.messages() == []
