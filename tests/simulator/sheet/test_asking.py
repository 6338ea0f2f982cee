"""One button that opens or asks: links, flows, location, contact, calls (2.5)."""

from typing import TYPE_CHECKING, Any

import pytest

from sayso.simulator import Simulator
from sayso.simulator.world.content import Button
from simulator.sheet.shapes import IMAGE, VIDEO, Refusal, asks, flow, interactive, refused, url_action

if TYPE_CHECKING:
    from simulator.conftest import Graph

X = "x"
ACTION = "interactive['action']"
PARAMETERS = f"{ACTION}['parameters']"
TEXT_HEADER = {"type": "text", "text": "Head"}
NAMED = {"flow_id": None, "flow_name": "f"}


def url(*given: Any, **more: Any) -> dict[str, Any]:
    return interactive("cta_url", url_action(*given, **more))


def call(**parameters: Any) -> dict[str, Any]:
    return interactive("voice_call", {"name": "voice_call", "parameters": parameters})


LOCATION = ("location_request_message", "send_location")
CONTACT = ("request_contact_info", "request_contact_info")
PERMISSION = ("call_permission_request", "call_permission_request")
CALL = ("voice_call", "voice_call")

FINE: dict[str, dict[str, Any]] = {
    "url": url(),
    "url button of 19": url(X * 19),
    "url button of 20": url(X * 20),
    "url of plain http": url("Open", "http://example.org"),
    "url body of 1024": interactive("cta_url", url_action(), body={"text": X * 1024}),
    "url with text header": interactive("cta_url", url_action(), header=TEXT_HEADER, footer={"text": X * 60}),
    "url with image header": interactive("cta_url", url_action(), header=IMAGE),
    "url with video header": interactive("cta_url", url_action(), header=VIDEO),
    "flow": flow(),
    "flow by name": flow(**NAMED),
    "flow id as a number": flow(flow_id=77),
    "flow version as a number": flow(flow_message_version=3),
    "flow button of 29": flow(flow_cta=X * 29),
    "flow button of 30": flow(flow_cta=X * 30),
    "flow without token": flow(flow_token=None),
    "flow as a draft": flow(mode="draft"),
    "flow published": flow(mode="published"),
    "flow exchanging data": flow(flow_action="data_exchange"),
    "flow at a screen": flow(
        flow_action="navigate", flow_action_payload={"screen": "FIRST", "data": {"a": 1}}
    ),
    "flow at a screen without data": flow(flow_action="navigate", flow_action_payload={"screen": "FIRST"}),
    "location request": asks(*LOCATION),
    "location request of 1024": asks(*LOCATION, body={"text": X * 1024}),
    "location request, as one client words it": interactive(
        "location_request_message", {"name": "send_location", "parameters": {"request_message": "Where?"}}
    ),
    "contact request": asks(*CONTACT),
    "call permission": asks(*PERMISSION),
    "call permission without words": asks(*PERMISSION, body=None),
    "voice call": asks(*CALL),
    "voice call button of 20": call(display_text=X * 20),
    "voice call for a minute": call(ttl_minutes=1),
    "voice call for 30 days": call(ttl_minutes=43_200),
    "voice call in words": call(ttl_minutes="100"),
    "voice call with nulls": call(display_text=None, ttl_minutes=None),
}

REFUSED: dict[str, Refusal] = {
    "url without parameters": (asks("cta_url", "cta_url"), 131008, f"{PARAMETERS} is required"),
    "url without name": (interactive("cta_url", {"parameters": {}}), 131008, f"{ACTION}['name'] is required"),
    "url by another name": (asks("cta_url", "open"), 100, f"{ACTION}['name'] must be one of {{cta_url}}"),
    "url without button": (url(None), 131008, f"{PARAMETERS}['display_text'] is required"),
    "url button of 21": (url(X * 21), 100, f"{PARAMETERS}['display_text'] must be at most 20"),
    "url button empty": (url(""), 131009, f"{PARAMETERS}['display_text'] must not be empty"),
    "url without url": (url("Open", None), 131008, f"{PARAMETERS}['url'] is required"),
    "url without scheme": (url("Open", "example.org"), 100, f"Param {PARAMETERS}['url'] is not a valid URI"),
    "url to a number": (url("Open", "tel:+1555"), 100, "is not a valid URI"),
    "misspelt in a url": (url(title="x"), 100, f'Unexpected key "title" on param {PARAMETERS}'),
    "url body of 1025": (interactive("cta_url", url_action(), body={"text": X * 1025}), 100, "at most 1024"),
    "url without body": (interactive("cta_url", url_action(), body=None), 131008, "interactive['body']"),
    "buttons beside a url": (
        interactive("cta_url", {**url_action(), "buttons": [1]}),
        100,
        f'Unexpected key "buttons" on param {ACTION}',
    ),
    "flow without version": (flow(flow_message_version=None), 131008, "['flow_message_version'] is required"),
    "flow of another version": (flow(flow_message_version="2"), 131009, "must be 3; it is 2"),
    "flow without id or name": (flow(flow_id=None), 131008, "['flow_id'] or"),
    "flow by id and name": (flow(flow_name="f"), 131009, "either flow_id or flow_name, not both"),
    "flow without button": (flow(flow_cta=None), 131008, "['flow_cta'] is required"),
    "flow button of 31": (flow(flow_cta=X * 31), 100, "['flow_cta'] must be at most 30"),
    "flow button with emoji": (flow(flow_cta="Go 🚀"), 131009, "['flow_cta'] must not have emoji"),
    "flow token a number": (flow(flow_token=1), 100, "['flow_token'] must be a string"),
    "flow in another mode": (flow(mode="test"), 100, "['mode'] must be one of {draft, published}"),
    "flow by another action": (flow(flow_action="go"), 100, "one of {data_exchange, navigate}"),
    "flow without screen": (flow(flow_action_payload={}), 131008, "['flow_action_payload']['screen']"),
    "flow with empty data": (
        flow(flow_action_payload={"screen": "S", "data": {}}),
        131009,
        "['flow_action_payload']['data'] must not be empty",
    ),
    "misspelt in a flow": (flow(cta="x"), 100, f'Unexpected key "cta" on param {PARAMETERS}'),
    "location request with header": (
        asks(*LOCATION, header=TEXT_HEADER),
        100,
        '"header" on param interactive',
    ),
    "location request with footer": (
        asks(*LOCATION, footer={"text": "x"}),
        100,
        '"footer" on param interactive',
    ),
    "location request of 1025": (asks(*LOCATION, body={"text": X * 1025}), 100, "at most 1024"),
    "location request without body": (asks(*LOCATION, body=None), 131008, "interactive['body'] is required"),
    "location request by another name": (asks(LOCATION[0], LOCATION[0]), 100, "one of {send_location}"),
    "contact request without body": (asks(*CONTACT, body=None), 131008, "interactive['body'] is required"),
    "contact request by another name": (asks(CONTACT[0], "contact"), 100, "one of {request_contact_info}"),
    "call permission with header": (
        asks(*PERMISSION, header=TEXT_HEADER),
        100,
        '"header" on param interactive',
    ),
    "call permission of 1025": (asks(*PERMISSION, body={"text": X * 1025}), 100, "at most 1024"),
    "voice call button of 21": (call(display_text=X * 21), 100, "['display_text'] must be at most 20"),
    "voice call button empty": (call(display_text=""), 131009, "['display_text'] must not be empty"),
    "voice call for nothing": (call(ttl_minutes=0), 131009, "['ttl_minutes'] must be from 1 to 43200"),
    "voice call for too long": (call(ttl_minutes=43_201), 131009, "['ttl_minutes'] must be from 1 to"),
    "voice call without body": (asks(*CALL, body=None), 131008, "interactive['body'] is required"),
    "misspelt in a voice call": (call(ttl=1), 100, 'Unexpected key "ttl"'),
}

SHOWN: dict[str, Button] = {
    "url": Button("Open", kind="url", value="https://example.org/x"),
    "flow": Button("Start", payload="77", kind="flow", value="t"),
    "flow by name": Button("Start", payload="f", kind="flow", value="t"),
    "flow without token": Button("Start", payload="77", kind="flow", value="unused"),
    "location request": Button("Send location", kind="location"),
    "contact request": Button("Share contact info", kind="contact"),
    "call permission": Button("Choose preference", kind="permission"),
    "voice call": Button("Call now", kind="call"),
    "voice call button of 20": Button(X * 20, kind="call"),
}


@pytest.mark.parametrize("case", FINE)
async def test_accepted_at_the_limit(graph: "Graph", case: str) -> None:
    answer = await graph.send(**FINE[case])
    assert answer.status == 200, answer.json


@pytest.mark.parametrize("case", REFUSED)
async def test_refused_beyond_it_with_the_field_named(graph: "Graph", case: str) -> None:
    await refused(graph, REFUSED[case])


@pytest.mark.parametrize("case", SHOWN)
async def test_what_the_person_sees(graph: "Graph", sim: Simulator, case: str) -> None:
    sent = await graph.send(**FINE[case])
    content = sim.parts.world.messages[sent.wamid].content
    assert content.buttons == (SHOWN[case],)
    assert content.shown == "Words"
