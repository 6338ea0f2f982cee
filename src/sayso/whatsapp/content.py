"""What can be sent: its types, its limits, its JSON for Meta and its form in the database.

Shapes: cloud-api 2.1 (envelope), 2.3 (text), 2.5 (buttons), 2.6 (templates), 2.7 (read receipt).
"""

import re
import unicodedata
from typing import Any, Final

import msgspec

from sayso.core.errors import ContentTooLongError, Fault, InputInvalidError
from sayso.whatsapp import limits


class Text(msgspec.Struct, frozen=True, tag="text", tag_field="type"):
    """Plain text; Meta shows the first link of it as a preview when asked."""

    body: str
    preview_url: bool = False


class Button(msgspec.Struct, frozen=True):
    """A reply button: what comes back when it is tapped, and its label."""

    id: str
    title: str


class Buttons(msgspec.Struct, frozen=True, tag="buttons", tag_field="type"):
    """A text with one to three reply buttons; only inside the 24-hour window."""

    body: str
    buttons: tuple[Button, ...]
    header: str | None = None
    footer: str | None = None


class Template(msgspec.Struct, frozen=True, tag="template", tag_field="type"):
    """An approved template: positional body parameters, an optional header parameter.

    ``quick_replies`` are the payloads of its quick-reply buttons, which stand first, in their order.
    """

    name: str
    language: str
    parameters: tuple[str, ...] = ()
    quick_replies: tuple[str, ...] = ()
    header: str | None = None


Content = Text | Buttons | Template

_TEMPLATE_NAME: Final = re.compile(r"[a-z0-9_]+")
_LANGUAGE: Final = re.compile(r"[a-z]{2,3}(_[A-Z0-9]{2,4})?")
_LINE_BREAK: Final = re.compile(r"[\n\r\t]")
_UNSENDABLE: Final = re.compile("[\x00\ud800-\udfff]")
_UNSEEN: Final = frozenset({"Cc", "Cf", "Cs"})
_INVISIBLE: Final = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0\u2800")
"""Letters and marks that show nothing, though Unicode does not call them format characters."""


def to_data(content: Content) -> dict[str, Any]:
    """Return validated content as a dict of plain JSON values (lists, no tuples), tagged by ``type``."""
    data: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(content))
    return data


def from_data(data: Any) -> Content:
    """Read what ``to_data`` wrote. Raises InputInvalidError for anything else."""
    try:
        content: Content = msgspec.convert(data, Content)
    except msgspec.ValidationError as error:
        raise InputInvalidError(f"Not a content: {error}") from error
    return content


def clean_parameter(text: str) -> str:
    """Make a text fit for a template parameter, the same way each time.

    Line breaks, tabs and runs of spaces become one space; control, bidirectional, zero-width and other
    invisible characters go (Meta refuses the former with 132018; the latter would let a text show other than
    it reads). The result may be empty, and is not cut.
    """
    return " ".join("".join(char for char in text if char.isspace() or _shows(char)).split())


def _shows(char: str) -> bool:
    return char not in _INVISIBLE and unicodedata.category(char) not in _UNSEEN


def validate(content: Content, *, at: str = "") -> None:
    """Check content against everything Meta would refuse; ``at`` is the JSON Pointer of the content.

    Raises ContentTooLongError when something is only too long, InputInvalidError when anything else is
    wrong; both carry one Fault for each finding. Lengths are counted as ``limits.length`` counts.
    """
    check = _Check(at)
    match content:
        case Text():
            check.text("/body", content.body, limits.TEXT_BODY, "The text")
        case Buttons():
            _check_buttons(check, content)
        case Template():
            _check_template(check, content)
    check.verdict()


def to_json(
    content: Content,
    *,
    to: str | None,
    recipient: str | None,
    callback: str,
    context_wamid: str | None,
) -> bytes:
    """Return the body of ``POST /{phone-number-id}/messages`` (cloud-api 2.1).

    ``to`` is a phone number in E.164 with ``+`` (without it Meta prepends the business number's country
    code); ``recipient`` a BSUID, used when there is no ``to``. ``callback`` comes back in every status.
    ``context_wamid`` makes it a quoted reply. Raises InputInvalidError, ContentTooLongError.
    """
    if to is not None and not to.startswith("+"):
        raise InputInvalidError("A phone number to send to starts with +.")
    if not to and not recipient:
        raise InputInvalidError("A message needs a phone number or a user id to go to.")
    if limits.length(callback) > limits.CALLBACK_DATA:
        raise ContentTooLongError(_excess("The callback data", callback, limits.CALLBACK_DATA))
    body: dict[str, Any] = {"messaging_product": "whatsapp", "recipient_type": "individual"}
    body |= {"to": to} if to else {"recipient": recipient}
    if context_wamid:
        body["context"] = {"message_id": context_wamid}
    body["biz_opaque_callback_data"] = callback
    return msgspec.json.encode(body | _wire(content))


def _wire(content: Content) -> dict[str, Any]:
    match content:
        case Text():
            return {"type": "text", "text": {"body": content.body, "preview_url": content.preview_url}}
        case Buttons():
            return {"type": "interactive", "interactive": _wire_buttons(content)}
        case Template():
            return {"type": "template", "template": _wire_template(content)}


def _wire_buttons(content: Buttons) -> dict[str, Any]:
    interactive: dict[str, Any] = {"type": "button"}
    if content.header is not None:
        interactive["header"] = {"type": "text", "text": content.header}
    interactive["body"] = {"text": content.body}
    if content.footer is not None:
        interactive["footer"] = {"text": content.footer}
    buttons = [{"type": "reply", "reply": {"id": each.id, "title": each.title}} for each in content.buttons]
    return interactive | {"action": {"buttons": buttons}}


def _wire_template(content: Template) -> dict[str, Any]:
    components: list[dict[str, Any]] = []
    if content.header is not None:
        components.append({"type": "header", "parameters": [{"type": "text", "text": content.header}]})
    if content.parameters:
        texts = [{"type": "text", "text": each} for each in content.parameters]
        components.append({"type": "body", "parameters": texts})
    for index, payload in enumerate(content.quick_replies):
        place = {"type": "button", "sub_type": "quick_reply", "index": str(index)}
        components.append(place | {"parameters": [{"type": "payload", "payload": payload}]})
    template: dict[str, Any] = {"name": content.name, "language": {"code": content.language}}
    return template | {"components": components} if components else template


class _Check:
    """Collects what is wrong, apart from what is only too long."""

    def __init__(self, at: str) -> None:
        self._at = at
        self._wrong: list[Fault] = []
        self._long: list[Fault] = []

    def wrong(self, pointer: str, detail: str) -> None:
        self._wrong.append(Fault(detail, self._at + pointer))

    def text(self, pointer: str, text: str, most: int, what: str) -> None:
        """Check what every text must be: there, sendable, and within its limit."""
        if not text.strip():
            self.wrong(pointer, f"{what} is empty.")
        elif _UNSENDABLE.search(text):
            self.wrong(pointer, f"{what} holds a character that cannot be sent (NUL or half a character).")
        elif limits.length(text) > most:
            self._long.append(Fault(_excess(what, text, most), self._at + pointer))

    def line(self, pointer: str, text: str, most: int, what: str) -> None:
        """Check a text that must stay on one line."""
        self.text(pointer, text, most, what)
        if _LINE_BREAK.search(text):
            self.wrong(pointer, f"{what} holds a line break or a tab, which WhatsApp refuses there.")

    def parameter(self, pointer: str, text: str, most: int, what: str) -> None:
        """Check the value of a template variable; Meta refuses a wrong one with 132018 (cloud-api 2.6)."""
        self.line(pointer, text, most, what)
        if " " * (limits.PARAMETER_SPACES + 1) in text:
            self.wrong(pointer, f"{what} holds more than {limits.PARAMETER_SPACES} spaces in a row.")

    def verdict(self) -> None:
        """Raise for what was found; a wrong shape outweighs a length."""
        if self._wrong:
            raise InputInvalidError(self._wrong[0].detail, faults=[*self._wrong, *self._long])
        if self._long:
            raise ContentTooLongError(self._long[0].detail, faults=self._long)


def _check_buttons(check: _Check, content: Buttons) -> None:
    check.text("/body", content.body, limits.INTERACTIVE_BODY, "The text")
    if content.header is not None:
        check.line("/header", content.header, limits.INTERACTIVE_HEADER, "The header")
    if content.footer is not None:
        check.line("/footer", content.footer, limits.INTERACTIVE_FOOTER, "The footer")
    if not 1 <= len(content.buttons) <= limits.BUTTONS:
        check.wrong("/buttons", f"{len(content.buttons)} buttons; WhatsApp takes 1 to {limits.BUTTONS}.")
    for number, button in enumerate(content.buttons):
        pointer = f"/buttons/{number}"
        check.line(f"{pointer}/id", button.id, limits.BUTTON_ID, "A button's id")
        check.line(f"{pointer}/title", button.title, limits.BUTTON_TITLE, "A button's title")
        if button.id != button.id.strip():
            check.wrong(f"{pointer}/id", "A button's id starts or ends with a space.")
    for part in ("id", "title"):
        if len({getattr(button, part) for button in content.buttons}) < len(content.buttons):
            check.wrong("/buttons", f"Two buttons have the same {part}.")


def _check_template(check: _Check, content: Template) -> None:
    if not _TEMPLATE_NAME.fullmatch(content.name):
        check.wrong("/name", "A template's name is made of a to z, 0 to 9 and _.")
    check.text("/name", content.name, limits.TEMPLATE_NAME, "The template's name")
    if not _LANGUAGE.fullmatch(content.language):
        check.wrong("/language", "A template's language is a code such as en or en_US.")
    if content.header is not None:
        check.parameter("/header", content.header, limits.TEMPLATE_HEADER, "The header parameter")
    for number, text in enumerate(content.parameters):
        what = f"Parameter {number + 1}"
        check.parameter(f"/parameters/{number}", text, limits.TEMPLATE_BODY, what)
    if len(content.quick_replies) > limits.TEMPLATE_QUICK_REPLIES:
        many = len(content.quick_replies)
        check.wrong(
            "/quick_replies", f"{many} quick replies; a template has at most {limits.TEMPLATE_QUICK_REPLIES}."
        )
    for number, payload in enumerate(content.quick_replies):
        pointer = f"/quick_replies/{number}"
        check.line(pointer, payload, limits.QUICK_REPLY_PAYLOAD, "A quick reply's payload")


def _excess(what: str, text: str, most: int) -> str:
    size = limits.length(text)
    return f"{what} has {size:,} characters, {size - most:,} more than the {most:,} WhatsApp takes."
