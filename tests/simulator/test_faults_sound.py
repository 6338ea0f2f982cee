"""Faults that could never strike are refused in words; those of what was accepted leave a refused call alone."""

from typing import TYPE_CHECKING, Any

import aiohttp
import pytest

from sayso.simulator import Simulator
from sayso.simulator.faults.model import CutAnswer, DropBefore, FailLate, PlainHttp, TakeCourse, WebhookLoss
from simulator.known import ANA

if TYPE_CHECKING:
    from simulator.conftest import Graph, Receiver

NEVER: list[tuple[dict[str, Any], tuple[str, ...]]] = [
    ({"kind": "webhook_loss", "field": "mesages"}, ("`field`", "did you mean `messages`?")),
    ({"kind": "webhook_loss", "field": "account_update", "status": "read"}, ("`status`", "'account_update'")),
    ({"kind": "webhook_loss", "on": "messages", "field": "security"}, ("'messages'", "'security'")),
    ({"kind": "webhook_loss", "on": "media"}, ("'media'", "webhooks")),
    ({"kind": "webhook_loss", "on": "receipts"}, ("'receipts'", "webhooks")),
    ({"kind": "webhook_loss", "app_id": "nope"}, ("`app_id`", "`900000000000001`")),
    ({"kind": "webhook_loss", "template": "hello_world"}, ("`template`", "about calls")),
    ({"kind": "webhook_loss", "token": "sim-token"}, ("`token`", "about calls")),
    ({"kind": "webhook_loss", "method": "POST"}, ("`method`", "about calls")),
    ({"kind": "drop_before", "method": "GET"}, ("`method`", "`POST`")),
    ({"kind": "drop_before", "on": "receipts", "method": "DELETE"}, ("`method`", "`POST`")),
    ({"kind": "drop_before", "phone_number_id": "nope"}, ("`phone_number_id`", "`100000000000001`")),
    ({"kind": "drop_before", "waba_id": "nope"}, ("`waba_id`", "`200000000000001`")),
    ({"kind": "drop_before", "template": "Hello World"}, ("`template`", "small letters")),
    ({"kind": "drop_before", "token": " "}, ("`token`", "empty")),
    ({"kind": "fail_late", "code": 131026, "on": "receipts"}, ("'receipts'", "'messages' alone")),
    ({"kind": "course", "course": "twice", "on": "media"}, ("'media'", "'messages' alone")),
    ({"kind": "http", "content_type": "text/html\r\nX-Other: 1"}, ("`content_type`", "text/html")),
    ({"kind": "http", "content_type": "html"}, ("`content_type`", "media type")),
]
ALLOWED: list[dict[str, Any]] = [
    {"kind": "webhook_loss", "field": "messages", "status": "read"},
    {"kind": "webhook_loss", "field": "calls"},
    {"kind": "webhook_loss", "on": "*", "field": "messages"},
    {"kind": "webhook_loss", "on": "messages", "method": "POST", "template": "hello_world"},
    {"kind": "drop_before", "on": "*", "method": "GET"},
    {"kind": "drop_before", "on": "media", "method": "DELETE"},
    {"kind": "drop_before", "template": "made_later", "token": "issued-later"},
    {"kind": "fail_late", "code": 131026, "on": "*"},
    {"kind": "http", "content_type": 'application/problem+json; charset="utf-8"'},
]


@pytest.mark.parametrize(("body", "named"), NEVER)
async def test_what_could_never_strike_is_named(graph: "Graph", body: Any, named: tuple[str, ...]) -> None:
    status, answer = await graph.control("POST", "/faults", body)
    assert status == 400
    assert all(each in answer["error"] for each in named), answer
    assert (await graph.control("GET", "/faults"))[1]["armed"] == []


@pytest.mark.parametrize("body", ALLOWED)
async def test_what_may_strike_is_armed(graph: "Graph", body: Any) -> None:
    assert (await graph.control("POST", "/faults", body))[0] == 200


async def test_a_content_type_with_its_charset(sim: Simulator, graph: "Graph") -> None:
    sim.arm(PlainHttp(http_status=503, content_type="text/html; charset=iso-8859-1"))
    url = f"{graph.base_url}/v25.0/100000000000001/messages"
    async with graph.session.post(url, headers={"Authorization": "Bearer sim-token"}, json={}) as answer:
        assert answer.status == 503
        assert answer.headers["Content-Type"] == "text/html; charset=iso-8859-1"


async def test_a_refused_send_does_not_use_up_what_is_about_accepted_ones(
    sim: Simulator, graph: "Graph"
) -> None:
    await sim.inbound(ANA, text="hi")
    for fault in (
        FailLate(code=131026),
        TakeCourse(course="no_delivered"),
        WebhookLoss(on="messages"),
        CutAnswer(),
    ):
        ident = sim.arm(fault)
        assert (await graph.send(type="text")).status == 400
        (armed,) = sim.faults()["armed"]
        assert (armed["id"], armed["next"], armed["hits"]) == (ident, 1, 0)
        assert sim.exchanges()[-1]["fault"] is None
        sim.clear_faults()
    sim.arm(FailLate(code=131026))
    await graph.send(type="text")
    wamid = (await graph.text()).wamid
    assert (await sim.expect_message(status="failed"))["wamid"] == wamid
    assert sim.faults()["armed"] == []


async def test_a_fault_given_back_keeps_its_turn(sim: Simulator, graph: "Graph") -> None:
    first, second = sim.arm(FailLate(code=131026)), sim.arm(DropBefore(to="+15550002222"))
    await graph.send(type="text")
    assert [each["id"] for each in sim.faults()["armed"]] == [first, second]


async def test_a_fault_disarmed_strikes_no_message_sent_before(
    frozen: Simulator, receiver: "Receiver"
) -> None:
    """Neither while it has strikes left, nor when its last is used up."""
    await frozen.inbound(ANA, text="hi")
    async with aiohttp.ClientSession() as session:
        for left in (None, 1):
            ident = frozen.arm(WebhookLoss(on="messages", next=left, until_cleared=left is None))
            body = {"messaging_product": "whatsapp", "to": ANA, "type": "text", "text": {"body": "x"}}
            url = f"{frozen.base_url}/v25.0/100000000000001/messages"
            async with session.post(url, json=body, headers={"Authorization": "Bearer sim-token"}) as answer:
                assert answer.status == 200
            frozen.parts.faults.disarm(ident)
            with pytest.raises(LookupError):
                frozen.parts.faults.disarm(ident)
    frozen.advance(60)
    await frozen.settled()
    assert len(receiver.statuses()) == 6


async def test_the_head_of_an_answer_cut_short_is_whole(sim: Simulator, graph: "Graph") -> None:
    await sim.inbound(ANA, text="hi")
    url = f"{graph.base_url}/v25.0/100000000000001/messages"
    heads = []
    body = {"messaging_product": "whatsapp", "to": ANA, "type": "text", "text": {"body": "x"}}
    for fault in (CutAnswer(), None):
        if fault is not None:
            sim.arm(fault)
        async with graph.session.post(
            url, json=body, headers={"Authorization": "Bearer sim-token"}
        ) as answer:
            heads.append(answer.headers)
            if fault is not None:
                with pytest.raises(aiohttp.ClientPayloadError):
                    await answer.read()
    assert set(heads[0]) == set(heads[1])
    assert "facebook-api-version" in heads[0]
    assert {name: heads[0][name] for name in ("Content-Length", "Content-Type")} == {
        name: heads[1][name] for name in ("Content-Length", "Content-Type")
    }
