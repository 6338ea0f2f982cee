"""From accepted to read, or failed: the 24-hour window and the statuses (cloud-api.md 4.6, 4.7, 4.9, 7.1)."""

import dataclasses
from typing import TYPE_CHECKING

import aiohttp
import pytest

from sayso.simulator import Simulator, SimulatorConfig
from simulator.known import ANA, BEN

if TYPE_CHECKING:
    from simulator.conftest import Graph, Receiver

HELLO = {"name": "hello_world", "language": {"code": "en_US"}}


async def test_sent_delivered_read_echo_our_data(
    sim: Simulator, graph: "Graph", receiver: "Receiver"
) -> None:
    await sim.inbound(ANA, text="hi")
    wamid = (await graph.text(biz_opaque_callback_data="conf:7f3a")).wamid
    await receiver.status(wamid, "read")
    await sim.settled()
    told = {each["status"]: each for each in receiver.statuses(wamid)}
    assert set(told) == {"sent", "delivered", "read"}
    user_id = sim.state()["people"][0]["user_id"]
    for status in told.values():
        assert status["biz_opaque_callback_data"] == "conf:7f3a"
        assert status["recipient_id"] == "15550001111"
        assert status["recipient_user_id"] == user_id
        assert status["timestamp"].isdecimal()
        assert "conversation" not in status
    assert told["sent"]["pricing"]["category"] == "service"
    assert "pricing" in told["delivered"]
    assert "pricing" not in told["read"]
    (hook,) = [h for h in receiver.hooks if h.value.get("statuses", [{}])[0].get("status") == "sent"]
    assert hook.value["contacts"][0]["user_id"] == user_id


async def test_a_template_is_priced_by_its_category(graph: "Graph", receiver: "Receiver") -> None:
    wamid = (await graph.send(type="template", template=HELLO)).wamid
    sent = await receiver.status(wamid, "sent")
    assert sent["pricing"] == {
        "billable": True,
        "pricing_model": "PMP",
        "category": "utility",
        "type": "regular",
    }


async def test_outside_the_window_accepted_then_failed(
    sim: Simulator, graph: "Graph", receiver: "Receiver"
) -> None:
    wamid = (await graph.text(biz_opaque_callback_data="m:1")).wamid
    failed = await receiver.status(wamid, "failed")
    await sim.settled()
    assert receiver.statuses(wamid) == [failed], "no sent, no delivered"
    assert failed["biz_opaque_callback_data"] == "m:1"
    assert "recipient_user_id" not in failed
    (error,) = failed["errors"]
    assert (error["code"], error["title"]) == (131047, "Re-engagement message")
    assert error["title"] == error["message"]
    assert "24 hours" in error["error_data"]["details"]
    assert receiver.hooks[0].value["contacts"] == [{"wa_id": "15550001111"}]
    with pytest.raises(ValueError, match="never reached"):
        await sim.inbound(ANA, text="what?", quote=wamid)


async def test_the_window_is_one_person_s_and_lasts_24_hours(
    sim: Simulator, graph: "Graph", receiver: "Receiver"
) -> None:
    await sim.inbound(ANA, text="hi")
    assert [each["window_open"] for each in sim.state()["people"]] == [True, False, False]
    sim.advance(24 * 3600 - 60)
    await receiver.status((await graph.text()).wamid, "delivered")
    await receiver.status((await graph.text(to=BEN)).wamid, "failed")
    sim.advance(120)
    await receiver.status((await graph.text()).wamid, "failed")


async def test_a_tap_opens_the_window_and_our_own_messages_do_not(
    sim: Simulator, graph: "Graph", receiver: "Receiver"
) -> None:
    parameters = [{"type": "text", "text": "x"}] * 3
    template = {
        "name": "confirmation_request",
        "language": {"code": "en"},
        "components": [{"type": "body", "parameters": parameters}],
    }
    prompt = (await graph.send(type="template", template=template)).wamid
    await receiver.status(prompt, "read")
    await receiver.status((await graph.text()).wamid, "failed")
    await sim.tap(ANA, prompt, "Confirm")
    await receiver.status((await graph.text()).wamid, "delivered")


async def test_without_auto_read_it_is_read_when_the_person_answers(
    config: SimulatorConfig, receiver: "Receiver"
) -> None:
    async with Simulator(dataclasses.replace(config, auto_read=False)) as sim:
        await sim.inbound(ANA, text="hi")
        body = {"messaging_product": "whatsapp", "to": ANA, "type": "text", "text": {"body": "so?"}}
        headers = {"Authorization": "Bearer sim-token"}
        async with (
            aiohttp.ClientSession(headers=headers) as session,
            session.post(f"{sim.base_url}/100000000000001/messages", json=body) as answer,
        ):
            wamid = (await answer.json())["messages"][0]["id"]
        await sim.expect_message(status="delivered")
        await sim.settled()
        assert [m["status"] for m in sim.messages()] == ["delivered"]
        await sim.inbound(ANA, text="yes")
        await receiver.status(wamid, "read")


async def test_timestamps_are_simulated(sim: Simulator, graph: "Graph", receiver: "Receiver") -> None:
    sim.advance(30 * 86_400)
    await sim.inbound(ANA, text="hi")
    wamid = (await graph.text()).wamid
    sent = await receiver.status(wamid, "sent")
    now = sim.state()["now"]
    assert 0 <= now - int(sent["timestamp"]) < 60
    assert 0 <= now - int(receiver.inbound()[0]["timestamp"]) < 60
