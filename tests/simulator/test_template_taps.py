"""The buttons of templates as they are sent: every kind filled, every wrong parameter refused (cloud-api.md 2.6)."""

from typing import TYPE_CHECKING, Any

import pytest

from sayso.simulator import Simulator, SimulatorConfig
from sayso.simulator.world.content import Button
from simulator.template_stage import BODY, buttons, created, send

if TYPE_CHECKING:
    from simulator.conftest import Graph, Receiver


@pytest.fixture
def config(receiver: "Receiver") -> SimulatorConfig:
    return SimulatorConfig(port=0, webhook_url=receiver.url, review="instant", enforce_rates=False)


def tap(sub_type: str, *parameters: Any, index: Any = 0) -> dict[str, Any]:
    return {"type": "button", "sub_type": sub_type, "index": index, "parameters": list(parameters)}


def text(words: Any) -> dict[str, Any]:
    return {"type": "text", "text": words}


def action(**given: Any) -> dict[str, Any]:
    return {"type": "action", "action": given}


def products(sections: int, each: int) -> dict[str, Any]:
    items = [{"product_retailer_id": f"P{place}"} for place in range(each)]
    whole = [{"title": f"S{place}", "product_items": items} for place in range(sections)]
    return action(thumbnail_product_retailer_id="P0", sections=whole)


OPEN = {"type": "URL", "text": "Open", "url": "https://e.org/{{1}}", "example": ["https://e.org/a"]}
FIXED = {"type": "URL", "text": "Open", "url": "https://e.org/a"}
QUICK = {"type": "QUICK_REPLY", "text": "Yes"}
PHONE = {"type": "PHONE_NUMBER", "text": "Call", "phone_number": "+15550009999"}
COPY = {"type": "COPY_CODE", "text": "Copy", "example": "SAVE"}
FLOW = {"type": "FLOW", "text": "Start", "flow_id": "77"}
CATALOG = {"type": "CATALOG", "text": "View"}
MPM = {"type": "MPM", "text": "Items"}
COUPON = {"type": "coupon_code", "coupon_code": "SAVE20"}

#: The template's button, what is sent for it, and what the person has.
FILLED: dict[str, tuple[dict[str, Any], list[Any], Button]] = {
    "quick reply": (QUICK, [tap("quick_reply", {"type": "payload", "payload": "y"})], Button("Yes", "y")),
    "quick reply without": (QUICK, [], Button("Yes", "Yes")),
    "quick reply, no parameters": (QUICK, [tap("quick_reply")], Button("Yes", "Yes")),
    "payload of 256": (
        QUICK,
        [tap("QUICK_REPLY", {"type": "payload", "payload": "y" * 256}, index="0")],
        Button("Yes", "y" * 256),
    ),
    "link": (OPEN, [tap("url", text("b?c=d"))], Button("Open", kind="url", value="https://e.org/b?c=d")),
    "suffix of 2000": (
        OPEN,
        [tap("URL", text("x" * 2000))],
        Button("Open", kind="url", value="https://e.org/" + "x" * 2000),
    ),
    "fixed link": (FIXED, [], Button("Open", kind="url", value="https://e.org/a")),
    "phone": (PHONE, [], Button("Call", kind="phone", value="+15550009999")),
    "code": (COPY, [tap("copy_code", COUPON)], Button("Copy", kind="copy", value="SAVE20")),
    "code of 15": (
        COPY,
        [tap("COPY_CODE", {**COUPON, "coupon_code": "c" * 15})],
        Button("Copy", kind="copy", value="c" * 15),
    ),
    "flow": (
        FLOW,
        [tap("flow", action(flow_token="t", flow_action_data={"a": 1}))],
        Button("Start", "77", kind="flow", value="t"),
    ),
    "flow without": (FLOW, [], Button("Start", "77", kind="flow", value="unused")),
    "flow with nulls": (
        FLOW,
        [tap("FLOW", action(flow_token=None, flow_action_data=None))],
        Button("Start", "77", kind="flow", value="unused"),
    ),
    "catalog": (
        CATALOG,
        [tap("catalog", action(thumbnail_product_retailer_id="P1"))],
        Button("View", kind="catalog", value="P1"),
    ),
    "catalog without": (CATALOG, [], Button("View", kind="catalog")),
    "thirty products": (MPM, [tap("mpm", products(10, 3))], Button("Items", kind="catalog", value="P0")),
    "one product": ({"type": "SPM", "text": "View"}, [], Button("View", kind="catalog")),
    "voice call": ({"type": "VOICE_CALL", "text": "Ring"}, [], Button("Ring", kind="call")),
    "permission": ({"type": "CALL_PERMISSION_REQUEST"}, [], Button("Allow calls", kind="permission")),
    "contact": ({"type": "REQUEST_CONTACT_INFO"}, [], Button("Share Contact Info", kind="contact")),
}
REFUSED: dict[str, tuple[dict[str, Any], list[Any], int, str]] = {
    "no suffix": (OPEN, [], 131008, "Button at index 0 of type Url requires a parameter"),
    "suffix null": (OPEN, [tap("url", text(None))], 131008, "['text']"),
    "suffix a number": (OPEN, [tap("url", text(5))], 132012, "a string"),
    "suffix empty": (OPEN, [tap("url", text(""))], 132018, "empty"),
    "suffix with a newline": (OPEN, [tap("url", text("a\nb"))], 132018, "new-line"),
    "suffix of 2001": (OPEN, [tap("url", text("x" * 2001))], 100, "at most 2000"),
    "two suffixes": (OPEN, [tap("url", text("a"), text("b"))], 132000, "one parameter"),
    "fixed link filled": (FIXED, [tap("url", text("a"))], 132018, "fixed URL"),
    "another kind": (OPEN, [tap("quick_reply", text("a"))], 132018, "sub_type url"),
    "a button beyond": (OPEN, [tap("url", text("a"), index=1)], 132018, "1 buttons"),
    "index in words": (OPEN, [tap("url", text("a"), index="first")], 132018, "not a number"),
    "index endless": (OPEN, [tap("url", text("a"), index="9" * 5000)], 132018, "not a number"),
    "index true": (OPEN, [tap("url", text("a"), index=True)], 132018, "not a number"),
    "no index": (OPEN, [tap("url", text("a"), index=None)], 131008, "['index']"),
    "no sub_type": (OPEN, [{**tap("url", text("a")), "sub_type": None}], 131008, "['sub_type']"),
    "one button twice": (OPEN, [tap("url", text("a")), tap("url", text("b"))], 132018, "second component"),
    "no code": (COPY, [], 131008, "CopyCode requires a parameter"),
    "code of 16": (COPY, [tap("copy_code", {**COUPON, "coupon_code": "c" * 16})], 100, "at most 15"),
    "code as an action": (COPY, [tap("copy_code", action())], 132012, "coupon_code belongs"),
    "flow data no object": (FLOW, [tap("flow", action(flow_action_data="x"))], 132012, "must be an object"),
    "flow with text": (FLOW, [tap("flow", text("x"))], 132012, "action belongs"),
    "no products": (MPM, [], 131008, "Mpm requires a parameter"),
    "31 products": (MPM, [tap("mpm", products(1, 31))], 132012, "1 to 30 products"),
    "11 sections": (MPM, [tap("mpm", products(11, 1))], 132012, "1 to 10 sections"),
    "empty section": (MPM, [tap("mpm", products(1, 0))], 132012, "1 to 30 products"),
    "payload of 257": (
        QUICK,
        [tap("quick_reply", {"type": "payload", "payload": "y" * 257})],
        100,
        "at most 256",
    ),
    "payload empty": (QUICK, [tap("quick_reply", {"type": "payload", "payload": ""})], 132012, "payload"),
    "two bodies": (QUICK, [{"type": "body"}, {"type": "BODY"}], 132018, "second component of type body"),
    "footer filled": (QUICK, [{"type": "footer", "parameters": [text("x")]}], 132018, "footer takes no"),
    "parameters no array": (QUICK, [{"type": "body", "parameters": {}}], 100, "must be an array"),
}


@pytest.mark.parametrize("case", FILLED)
async def test_button_is_filled(graph: "Graph", sim: Simulator, case: str) -> None:
    button, given, wanted = FILLED[case]
    await created(graph, BODY, buttons(button), category="MARKETING")
    answer = await send(graph, "notice", *given)
    assert answer.status == 200, answer.json
    (message,) = sim.parts.world.outbound()
    assert message.content.buttons == (wanted,)


@pytest.mark.parametrize("case", REFUSED)
async def test_button_is_refused(graph: "Graph", sim: Simulator, case: str) -> None:
    button, given, code, words = REFUSED[case]
    await created(graph, BODY, buttons(button), category="MARKETING")
    answer = await send(graph, "notice", *given)
    assert (answer.status, answer.code) == (400, code), answer.json
    assert words in answer.details
    assert sim.messages() == []


OTP = {"type": "OTP", "otp_type": "COPY_CODE", "text": "Copy"}
APP = {"package_name": "org.example.app", "signature_hash": "K8a/AINcGX7"}
ONE_TAP = {"type": "OTP", "otp_type": "ONE_TAP", "autofill_text": "Fill", "supported_apps": [APP]}


@pytest.mark.parametrize(("button", "label"), [(OTP, "Copy"), (ONE_TAP, "Fill")])
async def test_a_one_time_code_is_sent_as_a_url(
    graph: "Graph", sim: Simulator, button: dict[str, Any], label: str
) -> None:
    await created(graph, {"type": "BODY"}, buttons(button), category="AUTHENTICATION")
    code = "c" * 15
    spoken = {"type": "body", "parameters": [text(code)]}
    assert (await send(graph, "notice", spoken, tap("url", text(code)))).status == 200
    (message,) = sim.parts.world.outbound()
    assert message.content.buttons == (Button(label, kind="copy", value=code),)
    for wrong, number, words in (
        ([spoken], 131008, "Otp requires a parameter"),
        ([spoken, tap("url", text(code + "c"))], 100, "at most 15"),
        ([spoken, tap("quick_reply", text(code))], 132018, "sub_type url"),
        ([tap("url", text(code))], 132000, "(0) does not match"),
    ):
        answer = await send(graph, "notice", *wrong)
        assert (answer.code, words in answer.details) == (number, True), answer.json


async def test_a_tap_on_a_payload_comes_back(graph: "Graph", sim: Simulator, receiver: "Receiver") -> None:
    await created(graph, BODY, buttons(FIXED, QUICK))
    given = tap("quick_reply", {"type": "payload", "payload": "cf:1"}, index=1)
    wamid = (await send(graph, "notice", given)).wamid
    await sim.tap("+15550001111", wamid, 1)
    await receiver.until(lambda _: bool(receiver.inbound()))
    assert receiver.inbound()[0]["button"] == {"payload": "cf:1", "text": "Yes"}
