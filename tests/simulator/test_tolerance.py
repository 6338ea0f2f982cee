"""Words in either case and what serialisers write for nothing are taken wherever they stand, no others (3.2, 5.3)."""

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


WRONG: dict[str, tuple[str, dict[str, Any], int]] = {
    "region": ("register", {"pin": "123456", "data_localization_region": "XX"}, 100),
    "policy": ("marketing_messages", {"type": "template", "product_policy": "FOO"}, 100),
    "sharing": ("marketing_messages", {"type": "template", "message_activity_sharing": "x"}, 100),
    "to nobody": ("messages", {"to": "+00000000", "text": {"body": "x"}}, 131009),
    "to no country": ("messages", {"to": "+999999999999", "text": {"body": "x"}}, 131009),
}


@pytest.mark.parametrize("case", WRONG)
async def test_words_that_mean_nothing_are_refused(graph: "Graph", case: str) -> None:
    edge, given, code = WRONG[case]
    answer = await graph.call("POST", f"{NUMBER}/{edge}", json={"messaging_product": "whatsapp", **given})
    assert answer.code == code
    assert answer.status == 400


@pytest.mark.parametrize("policy", ["CLOUD_API_FALLBACK", "strict"])
async def test_what_the_marketing_api_knows_is_taken(graph: "Graph", policy: str) -> None:
    template = {"name": "hello_world", "language": {"code": "en_US"}}
    body: dict[str, Any] = {
        "messaging_product": "whatsapp",
        "to": ANA,
        "type": "template",
        "template": template,
    }
    body |= {"product_policy": policy, "message_activity_sharing": True}
    assert (await graph.call("POST", f"{NUMBER}/marketing_messages", json=body)).code == 134100


async def test_a_number_that_is_not_registered_reads_nothing(graph: "Graph", sim: Simulator) -> None:
    wamid = await sim.inbound(ANA, text="hi")
    await graph.call("POST", f"{NUMBER}/deregister")
    receipt = {"messaging_product": "whatsapp", "status": "read", "message_id": wamid}
    assert (await graph.call("POST", f"{NUMBER}/messages", json=receipt)).code == 133010
    assert sim.parts.world.messages[wamid].status != "read"


async def test_an_empty_id_beside_a_link_is_none(graph: "Graph", sim: Simulator) -> None:
    await sim.inbound(ANA, text="hi")
    link = "https://example.org/a.png"
    assert (await graph.send(type="image", image={"id": "", "link": link})).status == 200
    neither = await graph.send(type="image", image={"id": "", "link": ""})
    assert (neither.code, "image['id'] or image['link']" in neither.details) == (131008, True)


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
