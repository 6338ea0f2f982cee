"""The handle of a person in a test: who it is after a reset, a restore or another number, and what she hears."""

from typing import TYPE_CHECKING

import pytest

from sayso.simulator import Simulator
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
