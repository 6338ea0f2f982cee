"""Coming to rest: what is waited for, and what a wait costs while others are at work."""

import asyncio
import dataclasses
from typing import TYPE_CHECKING

import pytest

from sayso.simulator import Simulator, SimulatorConfig
from sayso.simulator.api.sent import Filter
from sayso.simulator.world.messages import Message
from simulator.known import ANA, HELLO

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


async def test_a_wait_looks_through_all_messages_once_and_then_at_what_changes(
    sim: Simulator, graph: "Graph", monkeypatch: pytest.MonkeyPatch
) -> None:
    looked = 0
    fits = Filter.fits

    def counted(wanted: Filter, message: Message) -> bool:
        nonlocal looked
        looked += 1
        return fits(wanted, message)

    monkeypatch.setattr(Filter, "fits", counted)
    for index in range(30):
        await graph.send(to=f"+1555100{index:04d}", **HELLO)
    await sim.settled()
    waits = asyncio.create_task(sim.expect_message(containing="seven days"))
    for index in range(30):
        await graph.send(to=f"+1555100{index:04d}", **HELLO)
    assert looked <= 30 + 30 * 4, "those there already, then each message when it came and with each status"
    await sim.inbound(ANA, text="hi")
    said = (await graph.text("in seven days")).wamid
    assert (await waits)["wamid"] == said


async def test_what_came_after_a_message_at_the_same_moment_is_behind_it(
    sim: Simulator, graph: "Graph"
) -> None:
    sim.clock.run(0)
    said = await sim.inbound(ANA, text="hi")
    answer = (await graph.text("hello")).wamid
    assert (await sim.expect_message(to=ANA, after=said))["wamid"] == answer
    assert sim.messages(after=answer) == []


async def test_a_wait_sees_what_somebody_s_number_change_brings_them(sim: Simulator, graph: "Graph") -> None:
    await graph.send(**HELLO)
    heard = asyncio.create_task(sim.expect_message(to="+15550009999"))
    await sim.settled()
    await sim.person(ANA).changes_number("+15550009999")
    assert (await heard)["to"] == ANA


async def unsettled(sim: Simulator) -> str:
    with pytest.raises(AssertionError) as refused:
        await sim.settled(timeout_s=0.2)
    return str(refused.value).partition(": ")[2]


async def test_what_does_not_come_to_rest_is_named_with_the_reason(
    sim: Simulator, receiver: "Receiver", unused_tcp_port: int
) -> None:
    nobody = f"http://127.0.0.1:{unused_tcp_port}/hook"
    sim.subscribe(nobody)
    await sim.inbound(ANA, text="hi")
    assert (await unsettled(sim)).startswith(f"1 webhook to {nobody} (")
    assert "onnect" in await unsettled(sim), "the reason"
    await sim.inbound(ANA, text="hi")
    assert (await unsettled(sim)).startswith(f"2 webhooks to {nobody} (")
    await sim.reset()
    receiver.script = [503] * 100
    sim.subscribe(receiver.url)
    await sim.inbound(ANA, text="hi")
    assert await unsettled(sim) == f"1 webhook to {receiver.url} (HTTP 503)"
    sim.freeze()
    assert await unsettled(sim) == f"1 webhook to {receiver.url} (HTTP 503), and simulated time stands still"


async def test_a_message_that_does_not_come_to_rest_is_named(sim: Simulator, graph: "Graph") -> None:
    await sim.inbound(ANA, text="hi")
    sim.freeze()
    await graph.text()
    assert await unsettled(sim) == "messages between two statuses, and simulated time stands still"
