"""The components of a template definition: header, body, footer, offer, carousel (cloud-api.md 2.8, 3.2)."""

import re
from collections.abc import Callable
from typing import Any

from sayso.simulator.fields import as_object, flag_at
from sayso.simulator.templates.authentication import read_authentication
from sayso.simulator.templates.buttons import read_buttons
from sayso.simulator.templates.refusals import (
    BODY_FORMAT,
    FOOTER_FORMAT,
    HEADER_FORMAT,
    refused,
    too_long,
)
from sayso.simulator.templates.variables import check_examples, check_names, check_places, variables

HEADER_TEXT, BODY_TEXT, FOOTER_TEXT, CARD_TEXT, OFFER_TEXT = 60, 1024, 60, 160, 16
CARDS_AT_MOST = 10
CARD_BUTTONS = 2
MEDIA = ("IMAGE", "VIDEO", "DOCUMENT")
FORMATS = ("TEXT", *MEDIA, "GIF", "LOCATION", "PRODUCT")
TYPES = ("HEADER", "BODY", "FOOTER", "BUTTONS", "CAROUSEL", "LIMITED_TIME_OFFER")
#: What a component holds, whatever its kind: anything else is misspelt (5.3, 100).
_KEYS = frozenset(
    {
        "type",
        "format",
        "text",
        "example",
        "buttons",
        "cards",
        "limited_time_offer",
        "add_security_recommendation",
        "code_expiration_minutes",
    }
)
_ORDER = {kind: place for place, kind in enumerate(("HEADER", "LIMITED_TIME_OFFER", "BODY", "FOOTER"))}
#: A header takes no line breaks, formatting characters or emoji.
_HEADER_FORBIDDEN = re.compile("[\n\r\t*_~`\u2600-\u27bf\U0001f000-\U0001faff]")
#: A body takes no tabs, runs of five spaces, or three line breaks in a row.
_BODY_FORBIDDEN = re.compile(r"\t| {5}|\n\s*\n\s*\n\s*\n|\n{3}")

#: What a media header of each format shows, of what the resumable upload takes.
_MIME_TYPES = {
    "IMAGE": ("image/jpeg", "image/jpg", "image/png"),
    "VIDEO": ("video/mp4",),
    "GIF": ("video/mp4",),
    "DOCUMENT": ("application/pdf",),
}

#: Tells the MIME type of what was uploaded under a handle; None when the resumable upload gave no such handle.
Known = Callable[[str], str | None]


def read_components(given: Any, *, category: str, form: str, known: Known) -> tuple[dict[str, Any], ...]:
    """Check all components of a definition as a whole; return them as the API lists them."""
    components = _typed(given, "components")
    if category == "AUTHENTICATION":
        return tuple(read_authentication(components))
    kinds = [each["type"] for each in components]
    if "BODY" not in kinds:
        raise refused("components must hold a BODY.")
    _check_together(kinds, category)
    for component in components:
        _READERS[component["type"]](component, _Reading(category, form, known))
    return tuple(sorted(components, key=lambda each: _ORDER.get(each["type"], len(_ORDER))))


class _Reading:
    """What the reading of one definition goes by."""

    def __init__(self, category: str, form: str, known: Known) -> None:
        self.category = category
        self.form = form
        self.known = known


def _typed(given: Any, where: str) -> list[dict[str, Any]]:
    if not isinstance(given, list) or not given:
        raise refused(f"{where} must be a non-empty array.")
    found: list[dict[str, Any]] = []
    for place, each in enumerate(given):
        at = f"{where}[{place}]"
        component = as_object(each, at, _KEYS)
        kind = str(component.get("type") or "").upper()
        if kind not in TYPES:
            names = ", ".join(TYPES)
            raise refused(f"{at}.type must be one of {{{names}}}; it is {component.get('type')!r}.")
        if any(other["type"] == kind for other in found):
            raise refused(f"{where} must hold only one {kind}.")
        found.append({"type": kind, **{k: v for k, v in component.items() if k != "type" and v is not None}})
    return found


def _check_together(kinds: list[str], category: str) -> None:
    if "LIMITED_TIME_OFFER" in kinds:
        if category != "MARKETING":
            raise refused("component LIMITED_TIME_OFFER belongs to templates of category MARKETING.")
        if "FOOTER" in kinds:
            raise refused("component FOOTER is not allowed beside LIMITED_TIME_OFFER.", FOOTER_FORMAT)
    if "CAROUSEL" in kinds and set(kinds) - {"BODY", "CAROUSEL"}:
        raise refused("a CAROUSEL goes with a BODY and nothing else.")


def _header(component: dict[str, Any], reading: _Reading) -> None:
    form = str(component.get("format") or "").upper()
    if form not in FORMATS:
        raise refused(
            f"component HEADER: format must be one of {{{', '.join(FORMATS)}}}; it is {component.get('format')!r}.",
            HEADER_FORMAT,
        )
    if form == "GIF" and reading.category != "MARKETING":
        raise refused("component HEADER: format GIF is for marketing templates only.", HEADER_FORMAT)
    component["format"] = form
    if form == "TEXT":
        _header_text(component, reading)
    elif form in (*MEDIA, "GIF"):
        _header_handle(component, reading)


def _header_text(component: dict[str, Any], reading: _Reading) -> None:
    text = _text(component, "HEADER", HEADER_TEXT, HEADER_FORMAT)
    names = check_names(text, reading.form, "component HEADER", HEADER_FORMAT)
    if len(names) > 1:
        raise refused(f"component HEADER takes one variable; it has {len(names)}.", HEADER_FORMAT)
    rest = re.sub(r"\{\{.*?\}\}", "", text)
    if _HEADER_FORBIDDEN.search(rest):
        raise refused(
            "component HEADER must hold no line breaks, formatting characters, emoji or asterisks.",
            HEADER_FORMAT,
        )
    check_examples(component, "header", names, reading.form, HEADER_FORMAT)


def _header_handle(component: dict[str, Any], reading: _Reading) -> None:
    """Check the example of a media header: a handle the resumable upload gave (3.2)."""
    example = component.get("example")
    handles = example.get("header_handle") if isinstance(example, dict) else None
    handle = handles[0] if isinstance(handles, list) and handles else handles
    where = f"component HEADER of format {component['format']}: example.header_handle"
    if not isinstance(handle, str) or not handle:
        raise refused(f"{where} is required: a handle from the resumable upload.", HEADER_FORMAT)
    mime_type = reading.known(handle)
    if mime_type is None:
        raise refused(f"{where} is not a handle that the resumable upload gave.", HEADER_FORMAT)
    fitting = _MIME_TYPES[component["format"]]
    if mime_type not in fitting:
        raise refused(f"{where} is of {mime_type}, not of {' or '.join(fitting)}.", HEADER_FORMAT)


def _body(component: dict[str, Any], reading: _Reading) -> None:
    text = _text(component, "BODY", BODY_TEXT, BODY_FORMAT)
    names = check_names(text, reading.form, "component BODY", BODY_FORMAT)
    check_places(text, "component BODY", BODY_FORMAT)
    if _BODY_FORBIDDEN.search(text):
        raise refused(
            "component BODY must hold no tabs, no more than four spaces and no more than two line breaks in a row.",
            BODY_FORMAT,
        )
    check_examples(component, "body", names, reading.form, BODY_FORMAT)


def _footer(component: dict[str, Any], _: _Reading) -> None:
    text = _text(component, "FOOTER", FOOTER_TEXT, FOOTER_FORMAT)
    if variables(text) or "\n" in text:
        raise refused("component FOOTER must hold no variables and no line breaks.", FOOTER_FORMAT)


def _buttons(component: dict[str, Any], reading: _Reading) -> None:
    given = component.get("buttons")
    component["buttons"] = read_buttons(given, "buttons", category=reading.category, form=reading.form)


def _offer(component: dict[str, Any], _: _Reading) -> None:
    what = "LIMITED_TIME_OFFER.limited_time_offer"
    offer = as_object(component.get("limited_time_offer") or {}, what, ("text", "has_expiration"))
    text = offer.get("text")
    if not isinstance(text, str) or not text.strip():
        raise refused(f"component {what}.text is required.")
    if len(text) > OFFER_TEXT:
        raise too_long(f"component {what}.text", len(text), OFFER_TEXT)
    ends = flag_at(offer, "has_expiration", f"{what}.has_expiration")
    component["limited_time_offer"] = (
        {**offer, "has_expiration": ends} if "has_expiration" in offer else offer
    )


def _carousel(component: dict[str, Any], reading: _Reading) -> None:
    """Check the cards: up to ten, each with a header and buttons, all alike (3.2, 2.6)."""
    cards = component.get("cards")
    if not isinstance(cards, list) or not 1 <= len(cards) <= CARDS_AT_MOST:
        raise refused(f"component CAROUSEL: cards must hold 1 to {CARDS_AT_MOST} cards.")
    component["cards"] = [_card(each, f"cards[{place}]", reading) for place, each in enumerate(cards)]
    shapes = {_shape(each) for each in component["cards"]}
    if len(shapes) > 1:
        raise refused("component CAROUSEL: all cards must have the same components and kinds of buttons.")


def _card(given: Any, where: str, reading: _Reading) -> dict[str, Any]:
    components = _typed(as_object(given, where, ("components",)).get("components"), f"{where}.components")
    by_kind = {each["type"]: each for each in components}
    if not {"HEADER", "BUTTONS"} <= set(by_kind) <= {"HEADER", "BODY", "BUTTONS"}:
        raise refused(f"component CAROUSEL: {where} has a HEADER, BUTTONS and perhaps a BODY, nothing else.")
    _header(by_kind["HEADER"], reading)
    if by_kind["HEADER"]["format"] not in ("IMAGE", "VIDEO", "PRODUCT"):
        raise refused(
            f"component CAROUSEL: the header of {where} is an IMAGE, a VIDEO or a PRODUCT.", HEADER_FORMAT
        )
    if "BODY" in by_kind:
        _body(by_kind["BODY"], reading)
        _text(by_kind["BODY"], f"BODY of {where}", CARD_TEXT, BODY_FORMAT)
    _buttons(by_kind["BUTTONS"], reading)
    if len(by_kind["BUTTONS"]["buttons"]) > CARD_BUTTONS:
        raise refused(f"component CAROUSEL: {where} takes at most {CARD_BUTTONS} buttons.")
    return {"components": components}


def _shape(card: dict[str, Any]) -> tuple[tuple[str, ...], ...]:
    """Tell what cards must have in common: components, kind of header, kinds of buttons."""
    return tuple(
        (each["type"], str(each.get("format", "")), *(button["type"] for button in each.get("buttons", [])))
        for each in card["components"]
    )


def _text(component: dict[str, Any], what: str, limit: int, subcode: int) -> str:
    text = component.get("text")
    if not isinstance(text, str) or not text.strip():
        raise refused(f"component {what}: text is required.", subcode)
    if len(text) > limit:
        raise too_long(f"component {what}: text", len(text), limit)
    return text


_READERS: dict[str, Callable[[dict[str, Any], _Reading], None]] = {
    "HEADER": _header,
    "BODY": _body,
    "FOOTER": _footer,
    "BUTTONS": _buttons,
    "LIMITED_TIME_OFFER": _offer,
    "CAROUSEL": _carousel,
}
