"""The control API: being the person, time, faults; whatever is mistyped is named (docs/simulator-control.md)."""

import asyncio
import dataclasses
from typing import TYPE_CHECKING

import aiohttp
import pytest

from sayso.simulator import Simulator, SimulatorConfig
from simulator.known import ANA, BEN

if TYPE_CHECKING:
    from simulator.conftest import Graph, Receiver

BUTTONS = {
    "type": "interactive",
    "interactive": {
        "type": "button",
        "header": {"type": "text", "text": "Confirmation needed"},
        "body": {"text": "Send it?"},
        "footer": {"text": "Expires in 30 min"},
        "action": {
            "buttons": [
                {"type": "reply", "reply": {"id": "cf:1:yes", "title": "Confirm"}},
                {"type": "reply", "reply": {"id": "cf:1:no", "title": "Decline"}},
            ]
        },
    },
}


async def prompt(sim: Simulator, graph: "Graph") -> str:
    await sim.inbound(ANA, text="hello")
    return (await graph.send(**BUTTONS)).wamid


async def test_tap_on_an_interactive_button(sim: Simulator, graph: "Graph", receiver: "Receiver") -> None:
    wamid = await prompt(sim, graph)
    body = {"from": ANA, "tap": {"message_id": wamid, "button": 1}}
    status, answer = await graph.control("POST", "/inbound", body)
    assert status == 200
    await receiver.until(lambda _: len(receiver.inbound()) == 2)
    tap = next(each for each in receiver.inbound() if each["id"] == answer["wamid"])
    assert tap["type"] == "interactive"
    reply = {"id": "cf:1:no", "title": "Decline"}
    assert tap["interactive"] == {"type": "button_reply", "button_reply": reply}
    assert tap["context"] == {"from": "15550100000", "id": wamid}


async def test_buttons_stay_tappable_and_context_may_be_missing(
    sim: Simulator, graph: "Graph", receiver: "Receiver"
) -> None:
    wamid = await prompt(sim, graph)
    first = await sim.tap(ANA, wamid, "Confirm")
    body = {"from": ANA, "tap": {"message_id": wamid, "button": "Confirm", "context": False}}
    second = (await graph.control("POST", "/inbound", body))[1]["wamid"]
    assert first != second
    await receiver.until(lambda _: len(receiver.inbound()) == 3)
    taps = {each["id"]: each for each in receiver.inbound()}
    assert "context" in taps[first]
    assert "context" not in taps[second]


async def test_quoted_reply_and_a_name(sim: Simulator, graph: "Graph", receiver: "Receiver") -> None:
    wamid = await prompt(sim, graph)
    await graph.control("POST", "/inbound", {"from": ANA, "text": "Y", "quote": wamid, "name": "Ana Ñ"})
    hooks = await receiver.until(lambda _: len(receiver.inbound()) == 2)
    value = next(h.value for h in hooks if h.value.get("messages", [{}])[0].get("text") == {"body": "Y"})
    assert value["messages"][0]["context"] == {"from": "15550100000", "id": wamid}
    assert value["contacts"][0]["profile"] == {"name": "Ana Ñ"}


async def test_somebody_new_writes(sim: Simulator, receiver: "Receiver") -> None:
    await sim.inbound("+44 7700 900123", text="hi")
    (hook,) = await receiver.until(lambda hooks: len(hooks) == 1)
    (contact,) = hook.value["contacts"]
    assert contact["wa_id"] == "447700900123"
    assert contact["user_id"].startswith("GB.")


async def test_messages_are_listed_as_sent_oldest_first(sim: Simulator, graph: "Graph") -> None:
    wamid = await prompt(sim, graph)
    other = (await graph.text("for Ben", to=BEN, biz_opaque_callback_data="m:2")).wamid
    listed = (await graph.control("GET", "/messages"))[1]["messages"]
    assert [each["wamid"] for each in listed] == [wamid, other]
    assert listed[0]["interactive"] == BUTTONS["interactive"]
    assert listed[1]["text"] == {"body": "for Ben"}
    assert listed[1]["biz_opaque_callback_data"] == "m:2"
    assert listed[0]["shown"] == "Confirmation needed\nSend it?\nExpires in 30 min"
    status, found = await graph.control("GET", "/messages?to=%2B15550002222")
    assert (status, [each["wamid"] for each in found["messages"]]) == (200, [other])


async def test_waiting_for_a_message_over_http(graph: "Graph") -> None:
    waiting = asyncio.create_task(graph.control("GET", "/messages?containing=second&wait_s=10"))
    await graph.text("first")
    await graph.text("second")
    assert [each["shown"] for each in (await waiting)[1]["messages"]] == ["second"]
    assert await graph.control("GET", "/messages?containing=third&wait_s=0") == (200, {"messages": []})


async def test_expect_message_waits_and_says_what_was_there(sim: Simulator, graph: "Graph") -> None:
    waiting = asyncio.create_task(sim.expect_message(to=ANA, containing="later", timeout_s=10))
    first = (await graph.text("later")).wamid
    assert (await waiting)["wamid"] == first
    with pytest.raises(AssertionError, match="later"):
        await sim.expect_message(to=ANA, containing="later", after=first, timeout_s=0)
    second = (await graph.text("later still")).wamid
    assert (await sim.expect_message(containing="later", after=first))["wamid"] == second


async def test_clock_moves_at_once_and_reset_brings_everything_back(sim: Simulator, graph: "Graph") -> None:
    before = sim.clock.now()
    status, answer = await graph.control("POST", "/clock", {"advance_s": 3600})
    assert status == 200
    assert answer["offset_s"] == 3600
    assert answer["now"] >= before + 3600
    await prompt(sim, graph)
    await sim.inbound("+15550009999", text="new here")
    await graph.control("POST", "/faults", {"kind": "drop_before"})
    await graph.control("POST", "/faults", {"hold_webhooks": True})
    assert (await graph.control("POST", "/reset"))[0] == 200
    state = (await graph.control("GET", "/state"))[1]
    assert (state["messages"], state["offset_s"], state["armed"]) == (0, 0, [])
    assert state["hold_webhooks"] is False
    assert [each["window_open"] for each in state["people"]] == [False] * 3
    assert (await graph.control("GET", "/webhooks"))[1] == {"webhooks": []}


async def test_taps_that_cannot_be(sim: Simulator, graph: "Graph") -> None:
    wamid = await prompt(sim, graph)
    plain = (await graph.text()).wamid
    for message, button, why in ((wamid, 2, "button 2"), (wamid, "Yes", "'Yes'"), (plain, 0, "no buttons")):
        with pytest.raises(ValueError, match=why):
            await sim.tap(ANA, message, button)
    with pytest.raises(ValueError, match="no message"):
        await sim.tap(BEN, wamid, 0)


# --- down and up -------------------------------------------------------------------------------------------


async def test_down_and_up_again_at_the_same_address(sim: Simulator, graph: "Graph") -> None:
    base_url = sim.base_url
    await sim.go_down()
    with pytest.raises(aiohttp.ClientError):
        await graph.text()
    with pytest.raises(aiohttp.ClientConnectorError):
        await graph.text()
    await sim.come_up()
    assert sim.base_url == base_url
    assert (await graph.text()).status == 200


# --- bounds -------------------------------------------------------------------------------------------------


async def test_memory_is_bounded(config: SimulatorConfig) -> None:
    small = dataclasses.replace(config, keep_messages=5, keep_people=4, keep_webhooks=3)
    async with Simulator(small) as sim:
        for number in range(20):
            await sim.inbound(f"+1555000{number:04d}", text="hi")
        await sim.settled()
        assert len(sim.bubbles(100)) == 5
        assert len(sim.state()["people"]) == 4
        assert len(sim.webhooks()) == 3
        assert len(sim.world.threads) <= 4
        assert len(sim.world.unread) <= 5
