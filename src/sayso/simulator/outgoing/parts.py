"""The parts that interactive messages share: header, body, footer, the named action (cloud-api.md 2.5)."""

from collections.abc import Collection
from typing import Any, NamedTuple, cast

from sayso.simulator.errors import GraphError
from sayso.simulator.fields import as_object, choice_at, counted_at, link_at, object_at, text_at, unique
from sayso.simulator.outgoing.media import attachment
from sayso.simulator.outgoing.reading import Reading
from sayso.simulator.world.content import Attachment, Button, Content, MediaKind

BODY = 1024  # 2.5
LIST_BODY = 4096  # 2.5: lists alone, since 2026
HEADER_TEXT = FOOTER_TEXT = 60  # 2.5
BUTTON_ID = 256  # 2.5
BUTTON_TITLE = 20  # 2.5
BUTTONS_AT_MOST = 3  # 2.5
SECTION_TITLE = 24  # 2.5
MEDIA_HEADERS = ("text", "image", "video", "document")
TEXT_HEADER = ("text",)
ACTION = "interactive['action']"
PARAMETERS = f"{ACTION}['parameters']"


class Header(NamedTuple):
    """A header: words or media, or neither."""

    words: str = ""
    attachment: Attachment | None = None


_NONE = Header()


def body_of(interactive: dict[str, Any], limit: int = BODY) -> str:
    """Read the required body."""
    body = object_at(interactive, "body", "interactive['body']", ("text",))
    return text_at(body, "text", "interactive['body']['text']", limit=limit)


def optional_body_of(interactive: dict[str, Any]) -> str:
    """Read the body where there may be none."""
    return "" if interactive.get("body") is None else body_of(interactive)


def footer_of(interactive: dict[str, Any]) -> str:
    """Read the footer; there may be none."""
    if interactive.get("footer") in (None, {}):
        return ""
    footer = as_object(interactive["footer"], "interactive['footer']", ("text",))
    return text_at(footer, "text", "interactive['footer']['text']", limit=FOOTER_TEXT)


def header_of(interactive: dict[str, Any], reading: Reading, kinds: Collection[str]) -> Header:
    """Read the header, one of ``kinds``; there may be none."""
    if interactive.get("header") in (None, {}):
        return _NONE
    return header_at(interactive, "interactive['header']", reading, kinds)


def header_at(holder: dict[str, Any], where: str, reading: Reading, kinds: Collection[str]) -> Header:
    """Read a required header, one of ``kinds``, with nothing in it but what its kind has."""
    header = object_at(holder, "header", where)
    kind = choice_at(header, "type", f"{where}['type']", kinds)
    as_object(header, where, ("type", kind))
    if kind == "text":
        return Header(words=text_at(header, "text", f"{where}['text']", limit=HEADER_TEXT))
    return Header(attachment=attachment(header, cast("MediaKind", kind), f"{where}['{kind}']", reading))


def with_buttons(interactive: dict[str, Any], reading: Reading, *buttons: Button) -> Content:
    """Read header, body and footer of a message with these buttons."""
    header = header_of(interactive, reading, MEDIA_HEADERS)
    return Content(
        body=body_of(interactive),
        header=header.words,
        attachment=header.attachment,
        footer=footer_of(interactive),
        buttons=buttons,
    )


def nothing_else(interactive: dict[str, Any], *known: str) -> None:
    """Refuse parts this kind of message does not have."""
    as_object(interactive, "interactive", ("type", "action", *known))


def action_of(interactive: dict[str, Any], *known: str) -> dict[str, Any]:
    """Read the action, whose keys are all ``known``."""
    return object_at(interactive, "action", ACTION, known)


def named_action(interactive: dict[str, Any], name: str, *known: str) -> dict[str, Any]:
    """Read an action that goes by a name."""
    action = action_of(interactive, "name", *known)
    choice_at(action, "name", f"{ACTION}['name']", (name,))
    return action


def url_button(action: dict[str, Any], where: str) -> Button:
    """Read the one button of a ``cta_url`` action, whose name has been read."""
    place = f"{where}['parameters']"
    parameters = object_at(action, "parameters", place, ("display_text", "url"))
    title = text_at(parameters, "display_text", f"{place}['display_text']", limit=BUTTON_TITLE)
    return Button(title, kind="url", value=link_at(parameters, "url", f"{place}['url']"))


def reply_button(given: Any, where: str, kind: str) -> Button:
    """Read a button of the type ``reply`` (or ``quick_reply``, on a card): its id and its title."""
    button = as_object(given, where, ("type", kind))
    choice_at(button, "type", f"{where}['type']", (kind,))
    place = f"{where}['{kind}']"
    reply = object_at(button, kind, place, ("id", "title"))
    ident = text_at(reply, "id", f"{place}['id']", limit=BUTTON_ID)
    if ident != ident.strip():
        raise GraphError(131009, f"Param {place}['id'] must not begin or end with a space.")
    return Button(text_at(reply, "title", f"{place}['title']", limit=BUTTON_TITLE), ident)


def reply_buttons(action: dict[str, Any], where: str, kind: str) -> tuple[Button, ...]:
    """Read one to three buttons that answer, each with an id and a title of its own."""
    place = f"{where}['buttons']"
    given = counted_at(action, "buttons", place, least=1, most=BUTTONS_AT_MOST, what="buttons")
    buttons = tuple(reply_button(each, f"{place}[{index}]", kind) for index, each in enumerate(given))
    if len(buttons) > 1:
        unique([each.payload for each in buttons], place, f"{kind}['id']")
        unique([each.title for each in buttons], place, f"{kind}['title']")
    return buttons


def section_title(section: dict[str, Any], where: str, *, alone: bool) -> str:
    """Read a section's title, which only a section that is ``alone`` may do without."""
    if alone and section.get("title") in (None, ""):
        return ""
    return text_at(section, "title", f"{where}['title']", limit=SECTION_TITLE)
