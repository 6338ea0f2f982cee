"""Words in either case, and what serialisers write for nothing, are taken wherever they stand (cloud-api.md 3.2)."""

from typing import TYPE_CHECKING, Any

import pytest

from sayso.simulator import Simulator
from simulator.known import ANA

if TYPE_CHECKING:
    from simulator.conftest import Graph

NUMBER = "/v25.0/100000000000001"
CASES: dict[str, tuple[str, dict[str, Any]]] = {
    "register": ("register", {"pin": "123456"}),
    "profile": ("whatsapp_business_profile", {"vertical": "retail"}),
    "block": ("block_users", {"block_users": [{"user": ANA}]}),
    "block by an integer": ("block_users", {"block_users": [{"user": 15550001111}]}),
    "code": ("request_code", {"code_method": "sms", "language": "en_US"}),
    "receipt": ("messages", {"status": "READ", "typing_indicator": {"type": "TEXT"}}),
}


@pytest.mark.parametrize("case", CASES)
async def test_in_either_case(graph: "Graph", sim: Simulator, case: str) -> None:
    edge, given = CASES[case]
    wamid = await sim.inbound(ANA, text="hi")
    body = {"messaging_product": "WHATSAPP", **given}
    if case == "receipt":
        body["message_id"] = wamid
    answer = await graph.call("POST", f"{NUMBER}/{edge}", json=body)
    assert answer.status == 200, answer.json


async def test_a_vertical_is_told_as_the_api_writes_it(graph: "Graph") -> None:
    edge = f"{NUMBER}/whatsapp_business_profile"
    await graph.call("POST", edge, json={"messaging_product": "whatsapp", "vertical": "retail"})
    assert (await graph.call("GET", edge)).json["data"][0]["vertical"] == "RETAIL"


async def test_a_template_in_capitals_by_the_marketing_api(graph: "Graph") -> None:
    template = {"name": "hello_world", "language": {"code": "en_US"}}
    body = {"messaging_product": "whatsapp", "to": ANA, "type": "TEMPLATE", "template": template}
    answer = await graph.call("POST", f"{NUMBER}/marketing_messages", json=body)
    assert answer.code == 134100, "its category, not its type"


BUTTONS = [{"type": "reply", "reply": {"id": "a", "title": "A"}}]
ROW = {"id": "a", "title": "A"}
EMPTY: dict[str, dict[str, Any]] = {
    "sections on buttons": {"type": "button", "action": {"buttons": BUTTONS, "sections": []}},
    "header and footer": {"type": "button", "header": {}, "footer": {}, "action": {"buttons": BUTTONS}},
    "buttons on a list": {
        "type": "list",
        "action": {"button": "Go", "buttons": [], "sections": [{"rows": [ROW], "product_items": []}]},
    },
    "description": {
        "type": "list",
        "action": {"button": "Go", "sections": [{"rows": [ROW | {"description": ""}]}]},
    },
}


@pytest.mark.parametrize("case", EMPTY)
async def test_nothing_counts_as_left_out(graph: "Graph", sim: Simulator, case: str) -> None:
    await sim.inbound(ANA, text="hi")
    answer = await graph.send(type="interactive", interactive={"body": {"text": "Well?"}, **EMPTY[case]})
    assert answer.status == 200, answer.json
