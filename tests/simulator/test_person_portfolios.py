"""A person has another BSUID towards each portfolio, and it works from its numbers only (2.1, 4.7)."""

from typing import TYPE_CHECKING, Any

import pytest

from sayso.simulator import Simulator
from simulator.known import ANA, HELLO

if TYPE_CHECKING:
    from simulator.conftest import Graph, Receiver

OURS = "100000000000001"


@pytest.fixture
def theirs(sim: Simulator) -> str:
    """Open another business, in a portfolio of its own, told by the same app; return its number's id."""
    portfolio = sim.accounts.add_portfolio(name="Another company")
    waba = sim.accounts.add_waba(portfolio_id=portfolio.id, apps=[sim.config.app_id])
    return str(sim.accounts.add_number(waba_id=waba.id, phone="+15550107777").phone_number_id)


async def send(graph: "Graph", number: str, recipient: str) -> Any:
    body = {"messaging_product": "whatsapp", "recipient": recipient, **HELLO}
    return await graph.call("POST", f"/{number}/messages", json=body)


async def told_user_id(sim: Simulator, receiver: "Receiver", number: str) -> str:
    wamid = await sim.person(ANA).says("hi", to=number)
    await sim.settled()
    (message,) = [each for each in receiver.inbound() if each["id"] == wamid]
    return str(message["from_user_id"])


async def test_each_portfolio_knows_them_by_another_id(
    sim: Simulator, graph: "Graph", receiver: "Receiver", theirs: str
) -> None:
    ours_id = await told_user_id(sim, receiver, OURS)
    theirs_id = await told_user_id(sim, receiver, theirs)
    assert ours_id != theirs_id
    assert (await send(graph, OURS, ours_id)).status == 200
    answer = await send(graph, theirs, theirs_id)
    assert answer.json["contacts"] == [{"input": theirs_id, "user_id": theirs_id}]
    delivered = await receiver.status(answer.wamid, "delivered")
    assert delivered["recipient_user_id"] == theirs_id
    for number, foreign in ((OURS, theirs_id), (theirs, ours_id)):
        refused = await send(graph, number, foreign)
        assert (refused.status, refused.code) == (400, 131026), "of another portfolio"


async def test_each_is_told_of_its_own_when_they_change(
    sim: Simulator, graph: "Graph", receiver: "Receiver", theirs: str
) -> None:
    old = {number: await told_user_id(sim, receiver, number) for number in (OURS, theirs)}
    await sim.person(ANA).changes_number("+15550009999")
    await sim.settled()
    told = {
        hook.value["metadata"]["phone_number_id"]: hook.value["messages"][0]["system"]
        for hook in receiver.hooks
        if hook.value["messages"][0]["type"] == "system"
    }
    assert {number: each["previous_user_id"] for number, each in told.items()} == old
    assert len({each["user_id"] for each in told.values()} | set(old.values())) == 4
    for number, dead in old.items():
        assert (await send(graph, number, dead)).code == 131026
        assert (await send(graph, number, told[number]["user_id"])).status == 200


async def test_they_survive_a_snapshot(sim: Simulator, receiver: "Receiver", theirs: str) -> None:
    before = await told_user_id(sim, receiver, theirs)
    await sim.restore(sim.snapshot())
    assert await told_user_id(sim, receiver, theirs) == before
