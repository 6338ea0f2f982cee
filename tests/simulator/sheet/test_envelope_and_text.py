"""The envelope common to all messages, and texts: at every limit, just over it, and each wrong shape (2.1, 2.3)."""

import json
from typing import TYPE_CHECKING, Any

import pytest

from sayso.simulator import Simulator
from simulator.sheet.shapes import Refusal, buttons, interactive, refused, text

if TYPE_CHECKING:
    from simulator.conftest import Graph, Receiver

HI = text(body="hi")

FINE: dict[str, dict[str, Any]] = {
    "text of 1": text(body="x"),
    "text of 4095": text(body="x" * 4095),
    "text of 4096": text(body="x" * 4096),
    "text of 4096 emoji": text(body="\N{THUMBS UP SIGN}" * 4096),
    "text without type": {"text": {"body": "hi"}},
    "type null": {"type": None, "text": {"body": "hi"}},
    "type in capitals": {"type": "TEXT", "text": {"body": "hi"}},
    "text with preview": text(body="https://example.org", preview_url=True),
    "preview as a word": text(body="https://example.org", preview_url="true"),
    "null where optional": {**HI, "context": None, "biz_opaque_callback_data": None, "recipient_type": None},
    "preview as Python writes it": text(body="https://example.org", preview_url="True"),
    "preview as a digit": text(body="https://example.org", preview_url="1"),
    "preview as a number": text(body="https://example.org", preview_url=1),
    "null nested": text(body="hi", preview_url=None),
    "null under a key unknown": text(body="hi", caption=None),
    "unknown key at the top": {**HI, "my_own": 1},
    "objects of other types": {**HI, "image": {"nonsense": 1}},
    "individual": {**HI, "recipient_type": "individual"},
    "callback data of 511": {**HI, "biz_opaque_callback_data": "x" * 511},
    "callback data of 512": {**HI, "biz_opaque_callback_data": "x" * 512},
    "empty callback data": {**HI, "biz_opaque_callback_data": ""},
    "quote of something gone": {**HI, "context": {"message_id": "wamid.gone"}},
    "number with punctuation": {**HI, "to": "+1 (555) 000-1111"},
    "number as a number": {**HI, "to": 15550001111},
    "fifteen digits": {**HI, "to": "+123456789012345"},
    "seven digits": {**HI, "to": "+1234567"},
    "category service": {**HI, "category": "service"},
    "identity without the check": {**HI, "recipient_identity_key_hash": "DF2lS5v2W6x="},
    "text as a string of JSON": {"type": "text", "text": json.dumps({"body": "hi"})},
    "buttons as a string of JSON": interactive(
        "button", {"buttons": json.dumps(buttons()["interactive"]["action"]["buttons"])}
    ),
}

REFUSED: dict[str, Refusal] = {
    "text of 4097": (
        text(body="x" * 4097),
        100,
        "text['body'] must be at most 4096 characters long; it has 4097",
    ),
    "empty text": (text(body=""), 131009, "text['body'] must not be empty"),
    "blank text": (text(body=" \n"), 131009, "text['body']"),
    "no text": ({"type": "text"}, 131008, "text is required"),
    "no text body": (text(), 131008, "text['body'] is required"),
    "null text body": (text(body=None), 131008, "text['body'] is required"),
    "text not an object": ({"type": "text", "text": "hi"}, 100, "text must be an object"),
    "text a list": ({"type": "text", "text": ["hi"]}, 100, "text must be an object"),
    "body not a string": (text(body=7), 100, "text['body'] must be a string"),
    "misspelt key": (text(body="hi", preview=True), 100, 'Unexpected key "preview" on param text'),
    "preview not a boolean": (
        text(body="hi", preview_url="yes"),
        100,
        "text['preview_url'] must be a boolean",
    ),
    "preview another number": (text(body="hi", preview_url=2), 100, "text['preview_url'] must be a boolean"),
    "unknown type": ({"type": "txet"}, 100, "type must be one of"),
    "type not a string": ({"type": ["text"]}, 100, "type must be one of"),
    "a type of people's": ({"type": "order"}, 131051, "order cannot be sent by a business"),
    "a poll": ({"type": "poll"}, 131051, "poll"),
    "no product": ({**HI, "messaging_product": None}, 131008, "messaging_product is required"),
    "other product": ({**HI, "messaging_product": "sms"}, 100, "messaging_product must be one of {whatsapp}"),
    "product an object": ({**HI, "messaging_product": {}}, 100, "messaging_product"),
    "unknown recipient_type": ({**HI, "recipient_type": "team"}, 100, "{group, individual}; it is 'team'"),
    "callback data of 513": ({**HI, "biz_opaque_callback_data": "x" * 513}, 100, "at most 512"),
    "callback data a number": ({**HI, "biz_opaque_callback_data": 5}, 100, "must be a string"),
    "context without id": ({**HI, "context": {}}, 131008, "context['message_id']"),
    "context misspelt": ({**HI, "context": {"id": "wamid.x"}}, 100, 'Unexpected key "id" on param context'),
    "context not an object": ({**HI, "context": "wamid.x"}, 100, "context must be an object"),
    "no recipient": ({**HI, "to": None}, 131008, "to is required"),
    "letters in the number": ({**HI, "to": "+1555CALLME"}, 131009, "not a phone number"),
    "too few digits": ({**HI, "to": "+12345"}, 131009, "5 digits"),
    "too many digits": ({**HI, "to": "+1234567890123456"}, 131009, "16 digits"),
    "to ourselves": ({**HI, "to": "+15550100000"}, 131021, "itself"),
    "unknown BSUID": ({**HI, "to": None, "recipient": "US.404"}, 131026, "US.404"),
    "Direct Send": ({**HI, "category": "utility"}, 100, "not eligible for Direct Send"),
    "Direct Send of marketing": ({**HI, "category": "marketing"}, 100, "not eligible for Direct Send"),
    "unknown category": ({**HI, "category": "fun"}, 100, "category must be one of"),
    "identity not a string": (
        {**HI, "recipient_identity_key_hash": 5},
        100,
        "recipient_identity_key_hash must be a string",
    ),
}


@pytest.mark.parametrize("case", FINE)
async def test_accepted_at_the_limit(graph: "Graph", case: str) -> None:
    answer = await graph.send(**FINE[case])
    assert answer.status == 200, answer.json


@pytest.mark.parametrize("case", REFUSED)
async def test_refused_beyond_it_with_the_field_named(graph: "Graph", case: str) -> None:
    await refused(graph, REFUSED[case])


async def test_groups_are_refused_as_to_a_number_without_access(graph: "Graph") -> None:
    answer = await graph.send(**HI, recipient_type="group")
    assert (answer.status, answer.code) == (403, 131215)
    assert "groups are not simulated" in answer.details


async def test_a_text_keeps_whether_it_has_a_preview(graph: "Graph", sim: Simulator) -> None:
    plain = await graph.send(**text(body="https://example.org"))
    previewed = await graph.send(**text(body="https://example.org", preview_url=True))
    assert [sim.parts.world.messages[each.wamid].content.preview_url for each in (plain, previewed)] == [
        False,
        True,
    ]


@pytest.mark.parametrize(
    ("check", "named", "code"),
    [(True, "old", 137000), (True, "now", None), (False, "old", None)],
    ids=["another identity", "the same", "check is off"],
)
async def test_identity_is_compared_while_the_check_is_on(
    graph: "Graph", sim: Simulator, receiver: "Receiver", check: bool, named: str, code: int | None
) -> None:
    await sim.inbound("+15550001111", text="hello")
    sim.parts.world.person("15550001111").identity_hash = "now"
    sim.parts.world.number.identity_check = check
    sent = await graph.send(**HI, recipient_identity_key_hash=named)
    status = await receiver.status(sent.wamid, "failed" if code else "sent")
    assert [each["code"] for each in status.get("errors", [])] == ([code] if code else [])
