"""What a person cannot do leaves no trace: nobody comes into being, nobody is renamed, no file is kept."""

import json
from typing import TYPE_CHECKING, Any

import pytest

from sayso.simulator import Simulator
from simulator.known import ANA, BEN

if TYPE_CHECKING:
    from simulator.conftest import Graph, Receiver

ZED = "+15550009998"
MEDIA = {"kind": "image", "sample": True}

REFUSED: list[dict[str, Any]] = [
    {"from": ZED, "name": "Zed", "tap": {"message_id": "nope", "button": 0}},
    {"from": ZED, "text": "hello", "quote": "nope"},
    {"from": ZED, "text": "hello", "to": "nope"},
    {"from": ZED, "media": MEDIA, "quote": "nope"},
    {"from": ZED, "location": {"latitude": 0, "longitude": 0, "message_id": "nope"}},
    {"from": ANA, "name": "Zed", "react": {"message_id": "nope", "emoji": "👍"}},
    {"from": ANA, "name": "Zed", "media": MEDIA, "quote": "nope"},
    {"from": ANA, "media": MEDIA, "quote": "nope"},
    {"from": ANA, "media": MEDIA, "to": "nope"},
    {"from": BEN, "name": "Zed", "text": "from a phone that is off"},
]


@pytest.mark.parametrize("deed", REFUSED)
async def test_what_is_refused_leaves_everything_as_it_was(frozen: Simulator, deed: dict[str, Any]) -> None:
    await frozen.person(ANA).says("hello")
    await frozen.person(BEN).turns_phone_off()
    await frozen.settled()
    before = json.loads(frozen.snapshot())
    with pytest.raises(ValueError, match=r"nope|is off"):
        await frozen.inbound(deed["from"], **{key: each for key, each in deed.items() if key != "from"})
    assert json.loads(frozen.snapshot()) == before


async def test_what_is_done_is_done_by_that_name(
    sim: Simulator, graph: "Graph", receiver: "Receiver"
) -> None:
    for phone in (ZED, ANA):
        status, answer = await graph.control(
            "POST", "/inbound", {"from": phone, "name": "Zed", "text": "hello"}
        )
        assert (status, answer["reached"]) == (200, True)
    await sim.settled()
    assert [hook.value["contacts"][0]["profile"]["name"] for hook in receiver.hooks] == ["Zed", "Zed"]
    names = {each["phone"]: each["name"] for each in sim.state()["people"]}
    assert (names[ZED], names[ANA]) == ("Zed", "Zed")


async def test_who_left_a_number_is_followed_by_whoever_writes_from_it(sim: Simulator) -> None:
    await sim.person(ANA).changes_number(ZED)
    with pytest.raises(ValueError, match="no message"):
        await sim.inbound(ANA, react={"message_id": "nope", "emoji": "👍"})
    assert ANA not in {each["phone"] for each in sim.state()["people"]}
    await sim.inbound(ANA, text="I am new here")
    there = {each["phone"]: each["on_whatsapp"] for each in sim.state()["people"]}
    assert there[ANA] is True


async def test_a_file_is_kept_for_the_number_it_went_to(sim: Simulator, graph: "Graph") -> None:
    """Also when only the message quoted says which that is."""
    second = sim.accounts.add_number(phone="+15550100001").phone_number_id
    quoted = await sim.person(ANA).says("hello", to=second)
    await sim.person(ANA).sends_image(quote=quoted)
    (kept,) = sim.world.media.values()
    assert kept.phone_number_id == second
    answer = await graph.call("GET", f"/v25.0/{kept.id}?phone_number_id={second}")
    assert answer.status == 200
