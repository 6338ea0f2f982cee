"""Interactive messages with one button that opens or asks for something (cloud-api.md 2.5)."""

from typing import Any

from sayso.simulator.errors import GraphError
from sayso.simulator.fields import (
    NO_LIMIT,
    as_object,
    choice_at,
    id_at,
    missing,
    number_at,
    object_at,
    text_at,
    words_at,
)
from sayso.simulator.outgoing import parts
from sayso.simulator.outgoing.emoji import has_emoji
from sayso.simulator.outgoing.parts import PARAMETERS
from sayso.simulator.outgoing.reading import Reading
from sayso.simulator.world.content import Button, ButtonKind, Content

FLOW_CTA = 30  # the specification's figure
FLOW_MESSAGE_VERSION = "3"
CALL_TTL_MINUTES = 43_200  # 30 days
CALL_TITLE = "Call now"  # when no display_text is given
_FLOW_KEYS = ("flow_message_version", "flow_id", "flow_name", "flow_cta", "flow_token", "mode", "flow_action")
UNUSED_TOKEN = "unused"  # noqa: S105  # Meta's word for a flow token not given


def cta_url(given: dict[str, Any], reading: Reading) -> Content:
    """Read a message with one button that opens a link."""
    action = parts.named_action(given, "cta_url", "parameters")
    return parts.with_buttons(given, reading, parts.url_button(action, parts.ACTION))


def flow(given: dict[str, Any], reading: Reading) -> Content:
    """Read a message that opens a flow, named by exactly one of ``flow_id`` and ``flow_name``.

    No flows exist in the simulator: any id or name is taken, and the person answers as they like.
    """
    action = parts.named_action(given, "flow", "parameters")
    found = object_at(action, "parameters", PARAMETERS, (*_FLOW_KEYS, "flow_action_payload"))
    version = id_at(found, "flow_message_version", f"{PARAMETERS}['flow_message_version']")
    if version != FLOW_MESSAGE_VERSION:
        raise GraphError(
            131009,
            f"Param {PARAMETERS}['flow_message_version'] must be {FLOW_MESSAGE_VERSION}; it is {version}.",
        )
    if found.get("mode") is not None:
        choice_at(found, "mode", f"{PARAMETERS}['mode']", ("published", "draft"))
    _check_flow_action(found)
    title = text_at(found, "flow_cta", f"{PARAMETERS}['flow_cta']", limit=FLOW_CTA)
    if has_emoji(title):
        raise GraphError(131009, f"Param {PARAMETERS}['flow_cta'] must not have emoji.")
    token = words_at(found, "flow_token", f"{PARAMETERS}['flow_token']") or UNUSED_TOKEN
    return parts.with_buttons(
        given, reading, Button(title, payload=_flow_named(found), kind="flow", value=token)
    )


def location_request(given: dict[str, Any], _: Reading) -> Content:
    """Read a request for the person's location; ``parameters``, which some clients add, is left alone."""
    parts.nothing_else(given, "body")
    parts.named_action(given, "send_location", "parameters")
    return _asking(given, "location", "Send location")


def contact_request(given: dict[str, Any], reading: Reading) -> Content:
    """Read a request for the person's phone number."""
    parts.named_action(given, "request_contact_info")
    return parts.with_buttons(given, reading, Button("Share contact info", kind="contact"))


def call_permission_request(given: dict[str, Any], _: Reading) -> Content:
    """Read a request for the permission to call; it may have no words, and ``parameters`` as above."""
    parts.nothing_else(given, "body")
    parts.named_action(given, "call_permission_request", "parameters")
    return Content(
        body=parts.optional_body_of(given), buttons=(Button("Choose preference", kind="permission"),)
    )


def voice_call(given: dict[str, Any], reading: Reading) -> Content:
    """Read a message with a button that calls the business."""
    action = parts.named_action(given, "voice_call", "parameters")
    if action.get("parameters") is None:
        return parts.with_buttons(given, reading, Button(CALL_TITLE, kind="call"))
    found = as_object(action["parameters"], PARAMETERS, ("display_text", "ttl_minutes", "payload"))
    title = CALL_TITLE
    if found.get("display_text") is not None:
        title = text_at(found, "display_text", f"{PARAMETERS}['display_text']", limit=parts.BUTTON_TITLE)
    if found.get("ttl_minutes") is not None:
        number_at(found, "ttl_minutes", f"{PARAMETERS}['ttl_minutes']", least=1, most=CALL_TTL_MINUTES)
    payload = words_at(found, "payload", f"{PARAMETERS}['payload']")
    return parts.with_buttons(given, reading, Button(title, payload=payload, kind="call"))


def _asking(given: dict[str, Any], kind: ButtonKind, title: str) -> Content:
    return Content(body=parts.body_of(given), buttons=(Button(title, kind=kind),))


def _flow_named(found: dict[str, Any]) -> str:
    by_id, by_name = found.get("flow_id") is not None, found.get("flow_name") is not None
    if not (by_id or by_name):
        raise missing(f"{PARAMETERS}['flow_id'] or {PARAMETERS}['flow_name']")
    if by_id and by_name:
        raise GraphError(131009, f"Param {PARAMETERS} must have either flow_id or flow_name, not both.")
    key = "flow_id" if by_id else "flow_name"
    return id_at(found, key, f"{PARAMETERS}['{key}']")


def _check_flow_action(found: dict[str, Any]) -> None:
    """Check where a flow begins: at a named screen with its data, or where the business's endpoint says."""
    if found.get("flow_action") is not None:
        choice_at(found, "flow_action", f"{PARAMETERS}['flow_action']", ("navigate", "data_exchange"))
    if found.get("flow_action_payload") is None:
        return
    where = f"{PARAMETERS}['flow_action_payload']"
    payload = as_object(found["flow_action_payload"], where, ("screen", "data"))
    text_at(payload, "screen", f"{where}['screen']", limit=NO_LIMIT)
    if payload.get("data") is not None and not as_object(payload["data"], f"{where}['data']"):
        raise GraphError(131009, f"Param {where}['data'] must not be empty.")
