"""What Meta would refuse the buttons of a definition for (cloud-api 2.8, 3.2). Pure."""

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from itertools import groupby
from typing import Final
from urllib.parse import urlsplit

from sayso.templates.definitions import Button, Place
from sayso.templates.rules import VARIABLE
from sayso.whatsapp import limits

TEXT: Final = 25
MOST: Final = 10
#: At most so many of a kind; one where the sheet gives no figure.
OF_A_KIND: Final = {
    "URL": 2,
    "PHONE_NUMBER": 1,
    "COPY_CODE": 1,
    "FLOW": 1,
    "VOICE_CALL": 1,
    "CATALOG": 1,
    "MPM": 1,
    "CALL_PERMISSION_REQUEST": 1,
    "REQUEST_CONTACT_INFO": 1,
}
URL: Final = 2000
PHONE: Final = 20
_DIRECT: Final = frozenset({"wa.me", "www.wa.me", "api.whatsapp.com"})
_ACTIONS: Final = ("", "navigate", "data_exchange")

Say = Callable[[Place, str], None]


def length(say: Say, at: Place, what: str, text: str, most: int) -> None:
    """Say by how much a text is too long."""
    size = limits.length(text)
    if size > most:
        say(at, f"{what} has {size:,} characters, {size - most:,} more than the {most:,} Meta takes.")


def buttons(say: Say, found: Sequence[Button], at: Place) -> None:
    """Check the buttons of a template or of a card."""
    if len(found) > MOST:
        say(at, f"{len(found)} buttons; a template has at most {MOST}.")
    for kind, count in Counter(each.kind for each in found).items():
        if kind in OF_A_KIND and count > OF_A_KIND[kind]:
            say(at, f"{count} buttons of kind {kind}; a template has at most {OF_A_KIND[kind]}.")
    runs = [quick for quick, _ in groupby(each.kind == "QUICK_REPLY" for each in found) if quick]
    if len(runs) > 1:
        say(at, "quick replies must stand together, before or after all other buttons.")
    repeated = [text for text, count in Counter(each.text for each in found).items() if text and count > 1]
    if repeated:
        say(at, f"two buttons say the same: {', '.join(repeated)}.")
    for place, button in enumerate(found):
        check = _CHECKS.get(button.kind)
        if check is not None:
            check(say, button, (*at, place))


def label(say: Say, at: Place, text: str) -> None:
    """Check a button's words."""
    length(say, at, "a button's label", text, TEXT)
    if VARIABLE.search(text) or "\n" in text:
        say(at, "a button's label holds no variables and no line breaks.")


def _labelled(say: Say, button: Button, at: Place) -> None:
    label(say, at, button.text)


def _copy(say: Say, button: Button, at: Place) -> None:
    length(say, at, "the example of a code", button.text, limits.CODE)


def _call(say: Say, button: Button, at: Place) -> None:
    label(say, at, button.text)
    length(say, at, "a phone number", button.phone, PHONE)
    if button.phone and not re.fullmatch(r"\+[0-9 ()-]{3,}", button.phone):
        say((*at, "phone"), "a phone number starts with + and the country code.")


def _flow(say: Say, button: Button, at: Place) -> None:
    label(say, at, button.text)
    if button.flow and not (button.flow.isascii() and button.flow.isdigit()):
        say((*at, "id"), "a form is named by its id, which is a number.")
    if button.action not in _ACTIONS:
        say((*at, "action"), "the action of a form is navigate or data_exchange.")
    if button.screen and button.action == "data_exchange":
        say((*at, "screen"), "with data_exchange your endpoint says where the form begins; leave out screen.")


def _link(say: Say, button: Button, at: Place) -> None:
    label(say, at, button.text)
    if not button.url:
        return  # which reading has said
    length(say, at, "an address", button.url, URL)
    host = _host(button.url)
    if host is None or "{{" in host:
        say((*at, "url"), "an address starts with https:// and has a host of its own, without variables.")
    elif host in _DIRECT:
        say((*at, "url"), f"Meta refuses links to WhatsApp itself ({host}) in buttons.")
    found = list(VARIABLE.finditer(button.url))
    if not found:
        return
    if len(found) > 1 or found[0].end() != len(button.url) or found[0][1] != "1":
        say((*at, "url"), "an address takes one variable, {{1}}, at its end.")
    if not button.example.startswith(button.url[: found[0].start()]) or not button.example:
        say((*at, "example"), "an address with a variable needs an example: the whole address, filled.")


def _host(url: str) -> str | None:
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    return parts.hostname if parts.scheme in ("http", "https") else None


_CHECKS: Final[Mapping[str, Callable[[Say, Button, Place], None]]] = {
    "QUICK_REPLY": _labelled,
    "VOICE_CALL": _labelled,
    "COPY_CODE": _copy,
    "PHONE_NUMBER": _call,
    "FLOW": _flow,
    "URL": _link,
}
