"""People, messages and time over the control API, each answer whole (docs/simulator-control.md)."""

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from sayso.simulator import Simulator, SimulatorConfig
from simulator.known import ANA, BEN
from simulator.sheet.shapes import asks, flow, listed, row, section

if TYPE_CHECKING:
    from simulator.conftest import Graph, Receiver

ROSA = "+15550004444"
PHONE_ID = "100000000000001"


# --- people -------------------------------------------------------------------------------------------------


async def test_somebody_new_and_nobody_renamed(graph: "Graph") -> None:
    status, rosa = await graph.control("POST", "/people", {"phone": "+1 (555) 000-4444", "name": "Rosa"})
    assert (status, rosa["phone"], rosa["name"], rosa["created"]) == (200, ROSA, "Rosa", True)
    status, again = await graph.control("POST", "/people", {"phone": ROSA, "name": "Rosalind"})
    assert (status, again["name"], again["created"]) == (200, "Rosa", False)
    assert (await graph.control("GET", f"/people/{ROSA}"))[1]["name"] == "Rosa"
    everybody = (await graph.control("GET", "/people"))[1]["people"]
    assert [each["phone"] for each in everybody][-1] == ROSA


async def test_everything_that_can_be_set(sim: Simulator, graph: "Graph") -> None:
    profile = {
        "name": "Ana Q.",
        "username": "anaq",
        "phone_hidden": True,
        "parent_user_id": "US.ENT.55",
        "on_whatsapp": False,
        "read_receipts": False,
        "phone_off": True,
    }
    status, ana = await graph.control("POST", f"/people/{ANA}", profile)
    assert status == 200
    assert {key: ana[key] for key in profile} == profile
    assert sim.world.person_by_user_id("US.ENT.55") is sim.world.people["15550001111"]
    taken_away: dict[str, Any] = {"username": None, "parent_user_id": None, "phone_off": False}
    status, ana = await graph.control("POST", f"/people/{ANA}", taken_away)
    assert (ana["username"], ana["parent_user_id"], ana["phone_hidden"]) == (None, None, False)
    assert sim.world.person_by_user_id("US.ENT.55") is None
    assert ana["name"] == "Ana Q.", "what is left out stays"


async def test_every_change_answers_with_the_person(sim: Simulator, graph: "Graph") -> None:
    before = (await graph.control("GET", f"/people/{ANA}"))[1]
    assert (await graph.control("POST", f"/people/{ANA}/block"))[1]["blocked_by"] == [PHONE_ID]
    assert (await graph.control("POST", f"/people/{ANA}/unblock", {"number": PHONE_ID}))[1][
        "blocked_by"
    ] == []
    keys = (await graph.control("POST", f"/people/{ANA}/change_identity"))[1]["identity_hash"]
    assert keys != before["identity_hash"]
    user_id = (await graph.control("POST", f"/people/{ANA}/change_user_id"))[1]["user_id"]
    assert user_id != before["user_id"]
    moved = (await graph.control("POST", f"/people/{ANA}/change_number", {"to": ROSA}))[1]
    assert (moved["phone"], moved["name"]) == (ROSA, "Ana Quiroga")
    assert (await graph.control("GET", f"/people/{ANA}"))[0] == 404


# --- messages -----------------------------------------------------------------------------------------------


async def test_messages_by_what_they_are(sim: Simulator, graph: "Graph") -> None:
    await sim.person(ANA).says("hello")
    await sim.person(BEN).says("hello")
    place = {"latitude": 1, "longitude": 2, "name": "Here"}
    hello = {"name": "hello_world", "language": {"code": "en_US"}}
    text = (await graph.text("a text")).wamid
    there = (await graph.send(type="location", location=place)).wamid
    template = (await graph.send(type="template", template=hello, to=BEN)).wamid
    for query, wanted in (
        ("", [text, there, template]),
        ("?type=location", [there]),
        ("?template=hello_world", [template]),
        (f"?after={text}", [there, template]),
        (f"?after={text}&to=%2B15550001111", [there]),
        ("?containing=a%20t", [text]),
        ("?to=+15550002222", [template]),
        (f"?number={PHONE_ID}&type=text", [text]),
        ("?status=failed", []),
        (f"?after={template}", []),
    ):
        found = (await graph.control("GET", f"/messages{query}"))[1]["messages"]
        assert [each["wamid"] for each in found] == wanted, query


async def test_waiting_for_a_status_takes_any_later_one(sim: Simulator, graph: "Graph") -> None:
    await sim.person(ANA).says("hello")
    waiting = asyncio.create_task(graph.control("GET", "/messages?status=delivered&wait_s=10"))
    wamid = (await graph.text()).wamid
    assert [each["wamid"] for each in (await waiting)[1]["messages"]] == [wamid]
    await sim.expect_message(status="read")
    assert (await sim.expect_message(status="sent"))["status"] == "read"


# --- time ---------------------------------------------------------------------------------------------------


async def test_time_is_set_frozen_and_sped_up(sim: Simulator, graph: "Graph") -> None:
    noon = "2031-05-01T12:00:00Z"
    at_noon = datetime(2031, 5, 1, 12, tzinfo=UTC).timestamp()
    assert (await graph.control("POST", "/clock", {"freeze": True}))[1]["frozen"] is True
    for moment, now in (
        (noon, at_noon),
        (at_noon + 60, at_noon + 60),
        ("2031-05-01T14:02:00+02:00", at_noon + 120),
    ):
        status, clock = await graph.control("POST", "/clock", {"set": moment})
        assert (status, clock["now"]) == (200, now)
    assert (await graph.control("POST", "/clock", {"advance_s": 0.5}))[1]["now"] == at_noon + 120.5
    assert (await graph.control("GET", "/clock"))[1] == {
        "now": at_noon + 120.5,
        "offset_s": pytest.approx(sim.clock.offset_s, abs=60),
        "speed": 0.0,
        "frozen": True,
    }
    assert (await graph.control("POST", "/clock", {"set": "2031-05-01T11:00:00"}))[0] == 400, (
        "UTC, and gone by"
    )
    clock = (await graph.control("POST", "/clock", {"speed": 3600}))[1]
    assert (clock["speed"], clock["frozen"]) == (3600, False)
    clock = (await graph.control("POST", "/clock", {"freeze": False}))[1]
    assert (clock["speed"], clock["frozen"]) == (1, False)


async def test_nothing_happens_while_time_stands_still(
    sim: Simulator, graph: "Graph", receiver: "Receiver"
) -> None:
    await graph.control("POST", "/clock", {"freeze": True})
    await sim.person(ANA).says("hello")
    wamid = (await graph.text()).wamid
    assert sim.messages()[0]["status"] == "accepted"
    await graph.control("POST", "/clock", {"advance_s": 1})
    assert sim.messages()[0]["status"] == "read"
    await receiver.status(wamid, "read")


# --- in Python ----------------------------------------------------------------------------------------------


async def test_a_persons_handle_says_who_it_is(sim: Simulator, graph: "Graph") -> None:
    ana = sim.person("+1 555 000 1111")
    assert repr(ana) == "<Ana Quiroga, +15550001111>"
    assert sim.person(ROSA, "Rosa").name == "Rosa"
    with pytest.raises(ValueError, match="international form"):
        sim.person("15550001111")
    await ana.comes_by_ad()
    await ana.shares_contact("Bo", BEN)
    await ana.sends_unsupported("poll")
    await ana.sends_document(b"%PDF-1.4", filename="a.pdf", caption="Read")
    kinds = [each.type for each in sim.world.messages.values()]
    assert kinds == ["text", "contacts", "unsupported", "document"]
    await graph.text("for you")
    heard = await ana.hears("for", status="read")
    assert heard["text"] == {"body": "for you"}
    with pytest.raises(AssertionError, match="no message like"):
        await ana.hears("never", timeout_s=0)


async def test_python_names_what_is_mistyped(sim: Simulator) -> None:
    with pytest.raises(ValueError, match="`txt` is not known; did you mean `text`"):
        await sim.inbound(ANA, txt="hi")
    with pytest.raises(ValueError, match="exactly one of"):
        await sim.inbound(ANA)
    with pytest.raises(ValueError, match=r"has no message 'wamid\.x'"):
        await sim.inbound(ANA, tap=("wamid.x", 0), quote="wamid.y")


async def test_subscribing_later(config: SimulatorConfig, receiver: "Receiver") -> None:
    async with Simulator(SimulatorConfig(port=0, webhook_url="")) as sim:
        assert sim.state()["webhooks"] == {"url": "", "verification": "not subscribed", "pending": 0}
        await sim.person(ANA).says("to nobody")
        sim.subscribe(receiver.url)
        await sim.person(ANA).says("to us")
        await sim.settled()
        assert [each["text"]["body"] for each in receiver.inbound()] == ["to us"]


async def test_a_persons_handle_answers_what_it_was_asked(sim: Simulator, graph: "Graph") -> None:
    ana = sim.person(ANA)
    await ana.says("hello")
    rows = listed(section(row("five", "17:00")))
    permission = asks("call_permission_request", "call_permission_request")
    where = asks("location_request_message", "send_location")
    for asked, answer in (
        (rows, lambda wamid: ana.chooses(wamid, "17:00")),
        (flow(), lambda wamid: ana.completes(wamid, {"day": "Monday"})),
        (permission, lambda wamid: ana.allows_calls(wamid, permanent=True)),
        (permission, ana.refuses_calls),
        (where, lambda wamid: ana.shares_location(52.5, 13.4, answering=wamid, name="Office")),
    ):
        wamid = (await graph.send(**asked)).wamid
        answered = sim.world.messages[await answer(wamid)]
        assert answered.body["context"]["id"] == wamid


async def test_a_persons_handle_stops_and_resumes_marketing(sim: Simulator) -> None:
    ana, number = sim.person(ANA), sim.world.number.phone_number_id
    await ana.stops_marketing(number)
    assert sim.world.people[ANA[1:]].no_marketing == {number}
    await ana.resumes_marketing(number)
    assert sim.world.people[ANA[1:]].no_marketing == set()
