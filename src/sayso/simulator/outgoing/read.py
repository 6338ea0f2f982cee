"""What Meta accepts as a message: required fields, kinds and every length limit (cloud-api.md 2.1 to 2.8)."""

from collections.abc import Callable
from typing import Any

from sayso.simulator.errors import GraphError
from sayso.simulator.fields import (
    array_at,
    as_object,
    choice_at,
    object_at,
    text_at,
    within,
)
from sayso.simulator.templates.fill import content_of
from sayso.simulator.world.accounts import BusinessNumber
from sayso.simulator.world.content import Button, Content
from sayso.simulator.world.world import World

TEXT_BODY = 4096  # 2.3
INTERACTIVE_BODY = 1024  # 2.5
HEADER_TEXT = FOOTER_TEXT = 60  # 2.5
BUTTONS_AT_MOST = 3  # 2.5
BUTTON_ID = 256  # 2.5
BUTTON_TITLE = 20  # 2.5
CALLBACK_DATA = 512  # 2.1

#: Every outgoing type of 2.1; those without a reader below are answered with an honest refusal.
TYPES = frozenset(
    {"text", "image", "audio", "video", "document", "sticker", "location", "contacts", "reaction"}
    | {"interactive", "template"}
)
#: Every interactive kind of 2.5.
INTERACTIVE_TYPES = frozenset(
    {"button", "list", "cta_url", "flow", "location_request_message", "request_contact_info", "carousel"}
    | {"call_permission_request", "voice_call", "product", "product_list", "catalog_message"}
    | {"address_message", "order_details", "order_status"}
)


def not_simulated(what: str) -> GraphError:
    """Compose the refusal of something Meta takes and the simulator does not know yet."""
    return GraphError(131009, f"{what} is valid for Meta but not simulated yet: see docs/simulator.md.")


def check_envelope(body: dict[str, Any]) -> None:
    """Check the fields common to all messages (2.1). Graph ignores unknown keys at this level."""
    choice_at(body, "messaging_product", "messaging_product", ("whatsapp",))
    if body.get("recipient_type") not in (None, "individual"):
        kind = body["recipient_type"]
        if kind == "group":
            raise not_simulated("recipient_type group")
        raise GraphError(100, f"Param recipient_type must be one of {{group, individual}}; it is {kind!r}.")
    callback_data = body.get("biz_opaque_callback_data")
    if callback_data is not None:
        if not isinstance(callback_data, str):
            raise GraphError(100, "Param biz_opaque_callback_data must be a string.")
        within(callback_data, "biz_opaque_callback_data", CALLBACK_DATA)


def quote_of(body: dict[str, Any]) -> str | None:
    """Return the wamid this message quotes (2.1); an unknown one later just shows no quote bubble."""
    if body.get("context") is None:
        return None
    context = object_at(body, "context", "context", ("message_id",))
    return text_at(context, "message_id", "context['message_id']", limit=1024)


def read_content(body: dict[str, Any], world: World, number: BusinessNumber) -> Content:
    """Check the part of a message that belongs to its type, and return what the person will see."""
    kind = "text" if body.get("type") is None else choice_at(body, "type", "type", TYPES)
    reader = _READERS.get(kind)
    if reader is None:
        raise not_simulated(f"Message type {kind}")
    return reader(body, world, number)


def _text(body: dict[str, Any], _: World, __: BusinessNumber) -> Content:
    text = object_at(body, "text", "text", ("body", "preview_url"))
    if not isinstance(text.get("preview_url", False), bool | None):
        raise GraphError(100, "Param text['preview_url'] must be a boolean.")
    return Content(text_at(text, "body", "text['body']", limit=TEXT_BODY))


def _template(body: dict[str, Any], world: World, number: BusinessNumber) -> Content:
    given = object_at(body, "template", "template")
    return content_of(given, lambda name, language: world.template(number.waba_id, name, language))


def _interactive(body: dict[str, Any], _: World, __: BusinessNumber) -> Content:
    interactive = object_at(
        body, "interactive", "interactive", ("type", "header", "body", "footer", "action")
    )
    kind = choice_at(interactive, "type", "interactive['type']", INTERACTIVE_TYPES)
    if kind != "button":
        raise not_simulated(f"Interactive type {kind}")
    shown = object_at(interactive, "body", "interactive['body']", ("text",))
    return Content(
        body=text_at(shown, "text", "interactive['body']['text']", limit=INTERACTIVE_BODY),
        header=_header(interactive),
        footer=_footer(interactive),
        buttons=_buttons(object_at(interactive, "action", "interactive['action']", ("buttons",))),
    )


def _header(interactive: dict[str, Any]) -> str:
    if interactive.get("header") is None:
        return ""
    header = object_at(interactive, "header", "interactive['header']")
    kinds = ("text", "image", "video", "document")
    kind = choice_at(header, "type", "interactive['header']['type']", kinds)
    if kind != "text":
        raise not_simulated(f"An interactive header of type {kind}")
    return text_at(header, "text", "interactive['header']['text']", limit=HEADER_TEXT)


def _footer(interactive: dict[str, Any]) -> str:
    if interactive.get("footer") is None:
        return ""
    footer = object_at(interactive, "footer", "interactive['footer']", ("text",))
    return text_at(footer, "text", "interactive['footer']['text']", limit=FOOTER_TEXT)


def _buttons(action: dict[str, Any]) -> tuple[Button, ...]:
    where = "interactive['action']['buttons']"
    given = array_at(action, "buttons", where)
    if not 1 <= len(given) <= BUTTONS_AT_MOST:
        raise GraphError(
            131009, f"Param {where} must hold 1 to {BUTTONS_AT_MOST} buttons; it has {len(given)}."
        )
    buttons = tuple(_button(each, f"{where}[{index}]") for index, each in enumerate(given))
    for name, values in (("id", [b.payload for b in buttons]), ("title", [b.title for b in buttons])):
        if len(set(values)) != len(values):
            raise GraphError(
                131009, f"Param {where}: every reply['{name}'] must be unique; they are {values}."
            )
    return buttons


def _button(given: Any, where: str) -> Button:
    button = as_object(given, where, ("type", "reply"))
    choice_at(button, "type", f"{where}['type']", ("reply",))
    reply = object_at(button, "reply", f"{where}['reply']", ("id", "title"))
    ident = text_at(reply, "id", f"{where}['reply']['id']", limit=BUTTON_ID)
    if ident != ident.strip():
        raise GraphError(131009, f"Param {where}['reply']['id'] must not begin or end with a space.")
    return Button(text_at(reply, "title", f"{where}['reply']['title']", limit=BUTTON_TITLE), ident)


_READERS: dict[str, Callable[[dict[str, Any], World, BusinessNumber], Content]] = {
    "text": _text,
    "interactive": _interactive,
    "template": _template,
}
