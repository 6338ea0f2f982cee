"""Which business number somebody writes to, and the two spellings of some people's own (2.1, 4.8)."""

import json
from typing import TYPE_CHECKING

import pytest

from sayso.simulator import Simulator
from sayso.simulator.world.accounts import BusinessNumber, Waba
from sayso.simulator.world.numbers import other_spelling, preferred_spelling
from simulator.known import ANA

if TYPE_CHECKING:
    from simulator.conftest import Graph, Receiver

PHONE_ID, OTHER_ID = "100000000000001", "100000000000002"


async def test_which_business_number_they_write_to(sim: Simulator, receiver: "Receiver") -> None:
    world = sim.world
    waba = world.add_waba(Waba("200000000000002", "300000000000001"))
    waba.subscribed[sim.config.app_id] = None
    world.accounts.numbers[OTHER_ID] = BusinessNumber(OTHER_ID, waba.id, "15550100002", "Other")
    ana = sim.person(ANA)
    first, second = await ana.says("one"), await ana.says("two", to=OTHER_ID)
    quoting = await ana.says("three", quoting=second)
    reaction = await ana.reacts(second, "👍")
    await sim.settled()
    values = [hook.value for hook in receiver.hooks]
    numbers = {each["messages"][0]["id"]: each["metadata"]["phone_number_id"] for each in values}
    assert numbers == {first: PHONE_ID, second: OTHER_ID, quoting: OTHER_ID, reaction: OTHER_ID}
    entries = {json.loads(hook.raw)["entry"][0]["id"] for hook in receiver.hooks}
    assert entries == {"200000000000001", "200000000000002"}
    with pytest.raises(ValueError, match="in the conversation with"):
        await ana.says("x", quoting=second, to=PHONE_ID)
    with pytest.raises(ValueError, match="one of 100000000000001"):
        await ana.says("x", to="7")
    await ana.blocks(OTHER_ID)
    await ana.says("still")
    with pytest.raises(ValueError, match="has blocked"):
        await ana.reacts(second, "👎")
    assert world.messages[second].reactions == {"15550001111": "👍"}, "nothing happened"


SPELLINGS = [
    ("5541988887777", "554188887777", "554188887777"),  # Brazil, area 41: without the ninth digit
    ("5511988887777", "551188887777", "5511988887777"),  # area 11: with it
    ("5528988887777", "552888887777", "5528988887777"),
    ("5531988887777", "553188887777", "553188887777"),
    ("525639691841", "5215639691841", "5215639691841"),  # Mexico
    ("541158749895", "5491158749895", "5491158749895"),  # Argentina
]


@pytest.mark.parametrize(("one", "other", "preferred"), SPELLINGS)
async def test_both_spellings_reach_the_same_person(
    sim: Simulator, graph: "Graph", one: str, other: str, preferred: str
) -> None:
    assert (other_spelling(one), other_spelling(other)) == (other, one)
    assert preferred_spelling(one) == preferred_spelling(other) == preferred
    for dialled in (one, other):
        answer = await graph.text(to=f"+{dialled}")
        assert answer.json["contacts"] == [{"input": f"+{dialled}", "wa_id": preferred}]
    assert len(sim.messages(to=f"+{one}")) == len(sim.messages(to=f"+{other}")) == 2
    assert sim.person(f"+{one}").phone == sim.person(f"+{other}").phone == f"+{preferred}"


@pytest.mark.parametrize("digits", ["15550001111", "554133334444", "447700900123", "5541", "52123456789012"])
def test_other_numbers_have_one_spelling(digits: str) -> None:
    assert other_spelling(digits) is None
    assert preferred_spelling(digits) == digits
