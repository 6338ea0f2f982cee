"""What the manual says is not simulated is refused in words, or comes by a hand only (docs/simulator.md, "Not yet")."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from simulator.conftest import Graph, Receiver

DOCS = (Path(__file__).parents[2] / "docs" / "simulator.md").read_text("utf-8")
NOT_YET = DOCS.partition("## Not yet")[2].partition("\n## ")[0]
NUMBER, WABA = "/v25.0/100000000000001", "/v25.0/200000000000001"
FORM = {"messaging_product": "whatsapp", "to": "+15550001111", "type": "text", "text": '{"body":"hi"}'}


@pytest.mark.parametrize("edge", ["messages", "marketing_messages"])
async def test_a_form_is_no_send(graph: "Graph", edge: str) -> None:
    assert f"`/{edge}`" in NOT_YET
    answer = await graph.call("POST", f"{NUMBER}/{edge}", data=FORM)
    assert (answer.status, answer.code) == (400, 100), answer.json
    assert "Content-Type must be application/json" in answer.details


async def test_an_edge_is_a_field_where_the_manual_says_so(graph: "Graph") -> None:
    for field in ("phone_numbers", "subscribed_apps"):
        assert f"`{field}`" in NOT_YET
        assert "data" in (await graph.call("GET", f"{WABA}?fields={field}")).json[field]
    answer = await graph.call("GET", f"{WABA}?fields=message_templates")
    assert (answer.status, answer.code) == (400, 100), answer.json


@pytest.mark.parametrize("event", ["LOCKED", "LIMIT_EXCEEDED"])
async def test_some_events_of_templates_come_by_hand(
    graph: "Graph", receiver: "Receiver", event: str
) -> None:
    assert f"`{event}`" in NOT_YET
    value: dict[str, Any] = {"event": event, "message_template_id": 1900000000000001, "reason": "NONE"}
    status, told = await graph.control(
        "POST", "/webhooks", {"field": "message_template_status_update", "value": value}
    )
    assert status == 200, told
    await receiver.until(bool)
    assert receiver.hooks[0].payload["entry"][0]["changes"][0]["value"] == value


@pytest.mark.parametrize("code", [133008, 133009])
async def test_some_codes_come_by_a_fault(graph: "Graph", code: int) -> None:
    assert str(code) in NOT_YET
    status, told = await graph.control("POST", "/faults", {"kind": "error", "code": code, "on": "register"})
    assert status == 200, told
    answer = await graph.call(
        "POST", f"{NUMBER}/register", json={"messaging_product": "whatsapp", "pin": "123456"}
    )
    assert answer.code == code, answer.json
