"""The handle of a person in a test: who it is after a reset, a restore or another number, and what she hears."""

from typing import TYPE_CHECKING

import pytest

from sayso.simulator import Simulator
from sayso.simulator.faults.model import FailLate
from simulator.known import ANA

if TYPE_CHECKING:
    from simulator.conftest import Graph

ROSA, MOVED = "+15550009999", "+15550007777"


async def test_a_handle_outlives_a_reset(sim: Simulator) -> None:
    ana = sim.person(ANA)
    await ana.changes_number(MOVED)
    assert ana.phone == MOVED
    await sim.reset()
    assert ana.phone == ANA, "who she was at first"
    await ana.changes(name="Ana Maria")
    await ana.turns_phone_off()
    there = {each["phone"]: (each["name"], each["phone_off"]) for each in sim.state()["people"]}
    assert there[ANA] == ("Ana Maria", True)


async def test_a_handle_outlives_a_restore(sim: Simulator) -> None:
    ana = sim.person(ANA)
    await ana.changes_number(MOVED)
    document = sim.snapshot()
    await ana.says("hello")
    await sim.restore(document)
    await ana.blocks()
    assert ana.phone == MOVED
    assert sim.state()["people"][-1]["blocked_by"], "it is the one who is there now"


async def test_a_handle_follows_a_change_made_elsewhere(sim: Simulator, graph: "Graph") -> None:
    ana = sim.person(ANA)
    status, _ = await graph.control("POST", f"/people/{ANA}/change_number", {"to": MOVED})
    assert (status, ana.phone) == (200, MOVED)


async def test_a_handle_of_nobody_says_so(sim: Simulator) -> None:
    rosa = sim.person(ROSA, "Rosa")
    await sim.reset()
    with pytest.raises(LookupError, match=r"nobody has the number \+15550009999"):
        await rosa.turns_phone_off()
    with pytest.raises(LookupError, match="nobody"):
        assert rosa.user_id
    assert repr(rosa) == "<Rosa, +15550009999>"
    await rosa.says("hello")
    await rosa.turns_phone_off()
    assert sim.state()["people"][-1]["phone_off"] is True, "she came back by writing"


async def test_nobody_hears_what_failed(sim: Simulator, graph: "Graph") -> None:
    ana = sim.person(ANA)
    await ana.says("hello")
    sim.arm(FailLate(code=131026, next=1))
    failed = (await graph.text("Shall I?")).wamid
    await sim.settled()
    with pytest.raises(AssertionError, match="'failed', '15550001111', 'Shall I"):
        await ana.hears("Shall I", timeout_s=0)
    assert (await ana.hears("Shall I", status="failed"))["wamid"] == failed
    assert (await sim.expect_message(containing="Shall I"))["wamid"] == failed, "the business did send it"
    again = (await graph.text("Shall I?")).wamid
    assert (await ana.hears("Shall I"))["wamid"] == again


async def test_nobody_hears_what_waits_for_the_phone(sim: Simulator, graph: "Graph") -> None:
    ana = sim.person(ANA)
    await ana.says("hello")
    await ana.turns_phone_off()
    await graph.text("Shall I?")
    await sim.settled()
    with pytest.raises(AssertionError, match="'sent', '15550001111', 'Shall I"):
        await ana.hears("Shall I", timeout_s=0)
    await ana.turns_phone_on()
    assert (await ana.hears("Shall I"))["status"] in ("delivered", "read")


async def test_a_reaction_is_heard_once_it_was_sent(sim: Simulator, graph: "Graph") -> None:
    ana = sim.person(ANA)
    wamid = await ana.says("hello")
    await graph.send(type="reaction", reaction={"message_id": wamid, "emoji": "👍"})
    assert (await ana.hears(type="reaction"))["status"] == "sent"
