"""What people do with their phones, each as the exact webhook of the wire-contract sheet (4.8)."""

import json
from typing import TYPE_CHECKING, Any

import pytest

from sayso.simulator import Simulator
from simulator.known import ANA
from simulator.person_stage import common, told_by

if TYPE_CHECKING:
    from simulator.conftest import Graph, Receiver

OUR = "15550100000"
PHONE_ID = "100000000000001"
TEMPLATE = {
    "type": "template",
    "template": {
        "name": "confirmation_request",
        "language": {"code": "en"},
        "components": [
            {"type": "body", "parameters": [{"type": "text", "text": "Send it"}] * 4},
            *(
                {
                    "type": "button",
                    "sub_type": "quick_reply",
                    "index": str(place),
                    "parameters": [{"type": "payload", "payload": f"cf:{place}"}],
                }
                for place in range(2)
            ),
        ],
    },
}


def interactive(kind: str, action: dict[str, Any], **more: Any) -> dict[str, Any]:
    shown = {"type": kind, "body": {"text": "Well?"}, "action": action, **more}
    return {"type": "interactive", "interactive": shown}


BUTTONS = interactive(
    "button",
    {
        "buttons": [
            {"type": "reply", "reply": {"id": "cf:yes", "title": "Yes"}},
            {"type": "reply", "reply": {"id": "cf:no", "title": "No"}},
        ]
    },
)
LIST = interactive(
    "list",
    {
        "button": "Slots",
        "sections": [
            {
                "title": "Today",
                "rows": [
                    {"id": "slot:17", "title": "17:00", "description": "30 minutes"},
                    {"id": "slot:18", "title": "18:00"},
                ],
            }
        ],
    },
)
FLOW = interactive(
    "flow",
    {
        "name": "flow",
        "parameters": {
            "flow_message_version": "3",
            "flow_id": "77",
            "flow_cta": "Start",
            "flow_token": "tok-1",
            "mode": "published",
            "flow_action": "navigate",
            "flow_action_payload": {"screen": "FIRST", "data": {"a": 1}},
        },
    },
)
ASKS_PLACE = interactive("location_request_message", {"name": "send_location"})
ASKS_CONTACT = interactive("request_contact_info", {"name": "request_contact_info"})
ASKS_CALLS = interactive("call_permission_request", {"name": "call_permission_request"})
LINK = interactive(
    "cta_url",
    {"name": "cta_url", "parameters": {"display_text": "Open", "url": "https://example.org/x"}},
)
CAROUSEL = interactive(
    "carousel",
    {
        "cards": [
            {
                "card_index": index,
                "type": "cta_url",
                "header": {"type": "image", "image": {"link": "https://example.org/a.jpg"}},
                "body": {"text": f"Card {index}"},
                "action": {
                    "buttons": [
                        {"type": "quick_reply", "quick_reply": {"id": f"card:{index}", "title": "This"}}
                    ]
                },
            }
            for index in range(2)
        ]
    },
)


@pytest.fixture
async def ask(sim: Simulator, graph: "Graph") -> Any:
    """Open Ana's window, then send her something."""
    await sim.inbound(ANA, text="hello")

    async def send(message: dict[str, Any], **more: Any) -> str:
        return (await graph.send(**message, **more)).wamid

    return send


def reply(kind: str, what: dict[str, Any]) -> dict[str, Any]:
    return {"type": "interactive", "interactive": {"type": kind, kind: what}}


ANSWERS: list[tuple[dict[str, Any], dict[str, Any], dict[str, Any]]] = [
    (BUTTONS, {"tap": {"button": "No"}}, reply("button_reply", {"id": "cf:no", "title": "No"})),
    (
        LIST,
        {"choose": {"row": "17:00"}},
        reply("list_reply", {"id": "slot:17", "title": "17:00", "description": "30 minutes"}),
    ),
    (LIST, {"choose": {"row": "slot:18"}}, reply("list_reply", {"id": "slot:18", "title": "18:00"})),
    (
        FLOW,
        {"flow": {"response": {"date": "Monday"}}},
        reply(
            "nfm_reply",
            {"name": "flow", "body": "Sent", "response_json": '{"flow_token": "tok-1", "date": "Monday"}'},
        ),
    ),
    (
        ASKS_CALLS,
        {"call_permission": {"response": "reject"}},
        reply("call_permission_reply", {"response": "reject", "response_source": "user_action"}),
    ),
    (
        ASKS_CALLS,
        {"call_permission": {"response": "accept", "permanent": True}},
        reply(
            "call_permission_reply",
            {"response": "accept", "response_source": "user_action", "is_permanent": True},
        ),
    ),
    (
        CAROUSEL,
        {"tap": {"button": "This", "card": 1}},
        reply("button_reply", {"id": "card:1", "title": "This"}),
    ),
    (
        ASKS_PLACE,
        {"location": {"latitude": 1.5, "longitude": -2, "name": "Home"}},
        {"type": "location", "location": {"latitude": 1.5, "longitude": -2.0, "name": "Home"}},
    ),
]


@pytest.mark.parametrize(("asked", "deed", "wanted"), ANSWERS)
async def test_answers_to_what_was_asked(
    sim: Simulator,
    graph: "Graph",
    receiver: "Receiver",
    ask: Any,
    asked: dict[str, Any],
    deed: dict[str, Any],
    wanted: dict[str, Any],
) -> None:
    wamid = await ask(asked)
    ((name, what),) = deed.items()
    message, value = await told_by(graph, receiver, {name: {"message_id": wamid, **what}})
    assert message == {**common(sim, message), "context": {"from": OUR, "id": wamid}, **wanted}
    assert value["contacts"] == [
        {
            "profile": {"name": "Ana Quiroga"},
            "wa_id": "15550001111",
            "user_id": sim.person(ANA).user_id,
        }
    ]
    assert value["metadata"] == {"display_phone_number": OUR, "phone_number_id": PHONE_ID}


async def test_an_allowance_to_call_ends_after_a_week(graph: "Graph", receiver: "Receiver", ask: Any) -> None:
    wamid = await ask(ASKS_CALLS)
    deed = {"call_permission": {"message_id": wamid, "response": "accept"}}
    message, _ = await told_by(graph, receiver, deed)
    given = message["interactive"]["call_permission_reply"]
    assert given["expiration_timestamp"] == int(message["timestamp"]) + 7 * 86_400


async def test_a_shared_contact_answers_the_request_for_it(
    sim: Simulator, graph: "Graph", receiver: "Receiver", ask: Any
) -> None:
    wamid = await ask(ASKS_CONTACT)
    message, _ = await told_by(graph, receiver, {"tap": {"message_id": wamid, "button": 0}})
    card = {
        "name": {"formatted_name": "Ana Quiroga", "first_name": "Ana", "last_name": "Quiroga"},
        "phones": [{"phone": ANA, "wa_id": "15550001111", "type": "CELL"}],
        "origin": "contact_request",
        "vcard": f"BEGIN:VCARD\nVERSION:3.0\nFN:Ana Quiroga\nTEL;type=CELL:{ANA}\nEND:VCARD",
    }
    told = {"context": {"from": OUR, "id": wamid}, "type": "contacts", "contacts": [card]}
    assert message == {**common(sim, message), **told}


async def test_a_tap_on_a_template_and_one_without_context(
    sim: Simulator, graph: "Graph", receiver: "Receiver"
) -> None:
    definition = next(each for each in sim.world.templates.values() if each.name == "confirmation_request")
    variables = str(definition.part("BODY")["text"]).count("{{")
    template = json.loads(json.dumps(TEMPLATE))
    template["template"]["components"][0]["parameters"] = [{"type": "text", "text": "it"}] * variables
    for place, one in enumerate(definition.part("BODY").get("example", {}).get("body_text_named_params", [])):
        template["template"]["components"][0]["parameters"][place] = {
            "type": "text",
            "parameter_name": one["param_name"],
            "text": "it",
        }
    wamid = (await graph.send(**template)).wamid
    words = definition.part("BUTTONS")["buttons"][1]["text"]
    message, _ = await told_by(graph, receiver, {"tap": {"message_id": wamid, "button": 1}})
    told = {"type": "button", "button": {"payload": "cf:1", "text": words}}
    assert message == {**common(sim, message), "context": {"from": OUR, "id": wamid}, **told}
    for deed in (
        {"tap": {"message_id": wamid, "button": 1, "context": False}},
        {"tap": {"message_id": wamid, "button": 1}, "context": False},
    ):
        message, _ = await told_by(graph, receiver, deed)
        assert message == {**common(sim, message), **told}


SHARES: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"text": "Y"}, {"type": "text", "text": {"body": "Y"}}),
    (
        {"text": "Y", "forwarded": True},
        {"type": "text", "text": {"body": "Y"}, "context": {"forwarded": True}},
    ),
    (
        {"text": "Y", "forwarded": "frequently"},
        {"type": "text", "text": {"body": "Y"}, "context": {"frequently_forwarded": True}},
    ),
    (
        {"location": {"latitude": 1, "longitude": 2, "address": "Main St", "url": "https://example.org"}},
        {
            "type": "location",
            "location": {
                "latitude": 1.0,
                "longitude": 2.0,
                "address": "Main St",
                "url": "https://example.org",
            },
        },
    ),
    (
        {
            "contacts": [
                {
                    "name": "Bo",
                    "phones": ["+1 555 000 2222"],
                    "emails": ["bo@x.org"],
                    "organization": "Bo Ltd",
                }
            ]
        },
        {
            "type": "contacts",
            "contacts": [
                {
                    "name": {"formatted_name": "Bo", "first_name": "Bo"},
                    "phones": [{"phone": "+1 555 000 2222", "wa_id": "15550002222", "type": "CELL"}],
                    "emails": [{"email": "bo@x.org", "type": "HOME"}],
                    "org": {"company": "Bo Ltd"},
                    "origin": "other",
                    "vcard": "BEGIN:VCARD\nVERSION:3.0\nFN:Bo\nTEL;type=CELL:+1 555 000 2222\n"
                    "EMAIL:bo@x.org\nORG:Bo Ltd\nEND:VCARD",
                }
            ],
        },
    ),
    (
        {"order": {"catalog_id": "9", "product_items": [{"product_retailer_id": "A", "item_price": 30}]}},
        {
            "type": "order",
            "order": {
                "catalog_id": "9",
                "text": "",
                "product_items": [
                    {"product_retailer_id": "A", "quantity": 1, "item_price": 30.0, "currency": "USD"}
                ],
            },
        },
    ),
    (
        {"unsupported": {"kind": "poll"}},
        {
            "type": "unsupported",
            "errors": [
                {
                    "code": 131051,
                    "title": "Message type unknown",
                    "message": "Message type unknown",
                    "error_data": {"details": "Message type is currently not supported."},
                }
            ],
            "unsupported": {"type": "poll"},
        },
    ),
    ({"welcome": True}, {"type": "request_welcome"}),
    (
        {
            "text": "Hello",
            "referral": {"source_url": "https://fb.me/1", "source_type": "ad", "source_id": "7"},
        },
        {
            "type": "text",
            "text": {"body": "Hello"},
            "referral": {"source_url": "https://fb.me/1", "source_type": "ad", "source_id": "7"},
        },
    ),
]


@pytest.mark.parametrize(("deed", "wanted"), SHARES)
async def test_what_is_sent_of_their_own_accord(
    sim: Simulator, graph: "Graph", receiver: "Receiver", deed: dict[str, Any], wanted: dict[str, Any]
) -> None:
    message, _ = await told_by(graph, receiver, deed)
    assert message == {**common(sim, message), **wanted}


async def test_an_ad_sets_the_entry_point(sim: Simulator, graph: "Graph", receiver: "Receiver") -> None:
    message, _ = await told_by(graph, receiver, {"text": "hi", "referral": True})
    assert message["referral"]["source_type"] == "ad"
    thread = sim.world.threads[PHONE_ID, "15550001111"]
    assert thread.entry_point_at == thread.last_inbound_at


async def test_a_link_opens_and_tells_nobody(sim: Simulator, graph: "Graph", ask: Any) -> None:
    wamid = await ask(LINK)
    before = len(sim.world.messages)
    deed = {"from": ANA, "tap": {"message_id": wamid, "button": "Open"}}
    assert await graph.control("POST", "/inbound", deed) == (
        200,
        {"wamid": None, "reached": False, "opens": "https://example.org/x"},
    )
    assert len(sim.world.messages) == before


MISTAPPED: list[tuple[dict[str, Any], dict[str, Any], str]] = [
    (
        BUTTONS,
        {"tap": {"button": "no"}},
        "there is no button 'no'; did you mean `No`? Known here: `Yes`, `No`.",
    ),
    (BUTTONS, {"tap": {"button": 2}}, "there is no button 2; counted from 0 there are 0 `Yes`, 1 `No`."),
    (
        LIST,
        {"choose": {"row": "17.00"}},
        "there is no row '17.00'; did you mean `17:00`? Known here: `17:00` (id `slot:17`), `18:00` (id `slot:18`).",
    ),
    (LIST, {"choose": {"row": "slot:1"}}, "there is no row 'slot:1'; did you mean `slot:1"),
]


@pytest.mark.parametrize(("message", "answer", "words"), MISTAPPED)
async def test_what_is_not_on_the_message_is_told_what_is(
    sim: Simulator, ask: Any, message: dict[str, Any], answer: dict[str, Any], words: str
) -> None:
    wamid = await ask(message)
    deed: dict[str, Any] = {kind: {"message_id": wamid, **given} for kind, given in answer.items()}
    with pytest.raises(ValueError, match="there is no") as refused:
        await sim.inbound(ANA, **deed)
    assert str(refused.value).startswith(words)
