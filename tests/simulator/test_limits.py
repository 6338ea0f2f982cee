"""Every limit of a message: at it, and just over it (cloud-api.md 2.1 to 2.8, 5.3)."""

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from simulator.conftest import Graph


def text(**fields: Any) -> dict[str, Any]:
    return {"type": "text", "text": fields}


def button(ident: str = "a", title: str = "A", **more: Any) -> dict[str, Any]:
    return {"type": "reply", "reply": {"id": ident, "title": title, **more}}


def buttons(*given: Any, **parts: Any) -> dict[str, Any]:
    shown = {"type": "button", "body": {"text": "Sure?"}, "action": {"buttons": list(given) or [button()]}}
    return {"type": "interactive", "interactive": shown | parts}


FINE = {
    "text of 4096": text(body="x" * 4096),
    "text of 4096 emoji": text(body="\N{THUMBS UP SIGN}" * 4096),
    "text without type": {"text": {"body": "hi"}},
    "text with preview": text(body="https://example.org", preview_url=True),
    "null where optional": {
        **text(body="hi", preview_url=None),
        "context": None,
        "biz_opaque_callback_data": None,
    },
    "unknown key at the top": {**text(body="hi"), "my_own": 1},
    "callback data of 512": {**text(body="hi"), "biz_opaque_callback_data": "x" * 512},
    "quote of something gone": {**text(body="hi"), "context": {"message_id": "wamid.gone"}},
    "number with punctuation": {**text(body="hi"), "to": "+1 (555) 000-1111"},
    "three buttons": buttons(button("a", "A"), button("b", "B"), button("c", "C")),
    "button title of 20": buttons(button(title="x" * 20)),
    "button id of 256": buttons(button("x" * 256)),
    "interactive body of 1024": buttons(body={"text": "x" * 1024}),
    "header and footer of 60": buttons(header={"type": "text", "text": "x" * 60}, footer={"text": "x" * 60}),
    "null header": buttons(header=None, footer=None),
}

REFUSED: dict[str, tuple[dict[str, Any], int, str]] = {
    "text of 4097": (text(body="x" * 4097), 100, "at most 4096 characters long; it has 4097"),
    "empty text": (text(body=""), 131009, "text['body'] must not be empty"),
    "blank text": (text(body=" \n"), 131009, "text['body']"),
    "no text": ({"type": "text"}, 131008, "text is required"),
    "no text body": (text(), 131008, "text['body'] is required"),
    "text not an object": ({"type": "text", "text": "hi"}, 100, "text must be an object"),
    "body not a string": (text(body=7), 100, "text['body'] must be a string"),
    "misspelt key": (text(body="hi", preview=True), 100, '"preview"'),
    "preview not a boolean": (text(body="hi", preview_url="yes"), 100, "preview_url"),
    "unknown type": ({"type": "txet"}, 100, "type must be one of"),
    "no product": ({**text(body="hi"), "messaging_product": None}, 131008, "messaging_product"),
    "other product": ({**text(body="hi"), "messaging_product": "sms"}, 100, "messaging_product"),
    "unknown recipient_type": ({**text(body="hi"), "recipient_type": "team"}, 100, "recipient_type"),
    "callback data of 513": ({**text(body="hi"), "biz_opaque_callback_data": "x" * 513}, 100, "at most 512"),
    "callback data a number": ({**text(body="hi"), "biz_opaque_callback_data": 5}, 100, "a string"),
    "context without id": ({**text(body="hi"), "context": {}}, 131008, "context['message_id']"),
    "no recipient": ({**text(body="hi"), "to": None}, 131008, "to is required"),
    "letters in the number": ({**text(body="hi"), "to": "+1555CALLME"}, 131009, "not a phone number"),
    "too few digits": ({**text(body="hi"), "to": "+12345"}, 131009, "5 digits"),
    "too many digits": ({**text(body="hi"), "to": "+1234567890123456"}, 131009, "16 digits"),
    "to ourselves": ({**text(body="hi"), "to": "+15550100000"}, 131021, "itself"),
    "unknown BSUID": ({**text(body="hi"), "to": None, "recipient": "US.404"}, 131026, "US.404"),
    "four buttons": (buttons(*(button(c, c) for c in "abcd")), 131009, "1 to 3 buttons; it has 4"),
    "no buttons": (buttons(action={"buttons": []}), 131009, "it has 0"),
    "no action": (buttons(action=None), 131008, "interactive['action'] is required"),
    "buttons not a list": (buttons(action={"buttons": {}}), 100, "an array"),
    "same id twice": (buttons(button("a", "A"), button("a", "B")), 131009, "reply['id'] must be unique"),
    "same title twice": (
        buttons(button("a", "A"), button("b", "A")),
        131009,
        "reply['title'] must be unique",
    ),
    "button title of 21": (buttons(button(title="x" * 21)), 100, "at most 20"),
    "button without title": (buttons(button(title="")), 131009, "['title']"),
    "button id of 257": (buttons(button("x" * 257)), 100, "at most 256"),
    "button id with a space before": (buttons(button(" a")), 131009, "begin or end with a space"),
    "button of unknown type": (buttons({"type": "url"}), 100, "one of {reply}"),
    "misspelt in a button": (buttons(button(titel="x")), 100, '"titel"'),
    "interactive body of 1025": (buttons(body={"text": "x" * 1025}), 100, "at most 1024"),
    "no interactive body": (buttons(body=None), 131008, "interactive['body']"),
    "header of 61": (buttons(header={"type": "text", "text": "x" * 61}), 100, "at most 60"),
    "footer of 61": (buttons(footer={"text": "x" * 61}), 100, "at most 60"),
    "header of unknown type": (buttons(header={"type": "gif"}), 100, "header"),
    "image not yet": ({"type": "image", "image": {"id": "1"}}, 131009, "image is valid for Meta but not sim"),
    "list not yet": (buttons(type="list"), 131009, "list is valid for Meta but not simulated yet"),
    "image header not yet": (buttons(header={"type": "image"}), 131009, "not simulated yet"),
    "group not yet": ({**text(body="hi"), "recipient_type": "group"}, 131009, "not simulated yet"),
}


@pytest.mark.parametrize("case", FINE)
async def test_accepted_at_the_limit(graph: "Graph", case: str) -> None:
    answer = await graph.send(**FINE[case])
    assert answer.status == 200, answer.json


@pytest.mark.parametrize("case", REFUSED)
async def test_refused_beyond_it_with_the_field_named(graph: "Graph", case: str) -> None:
    message, code, details = REFUSED[case]
    answer = await graph.send(**message)
    assert (answer.status, answer.code) == (400, code), answer.json
    assert details in answer.details
    assert answer.json["error"]["fbtrace_id"]
    assert (await graph.control("GET", "/messages"))[1] == {"messages": []}, "nothing was accepted"
