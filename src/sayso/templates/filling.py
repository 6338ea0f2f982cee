"""What a template is filled with, held against the template: counts, names, lengths, kinds. Pure."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal

from sayso.core import faults as problems
from sayso.core.errors import Fault
from sayso.templates.rules import VARIABLE, Media, Mirrored, fill, kind_of, variables
from sayso.whatsapp import limits

_FORBIDDEN: Final = re.compile(r"[\n\r\t]| {5}")
_CARD_PARTS: Final = ("HEADER", "BODY", "BUTTONS")

#: What is given for a button that shows products: one of them for its picture, or sections of them, too.
Products = Literal["picture", "sections"]


@dataclass(frozen=True, slots=True)
class Given:
    """Parameters to fill a template with.

    ``body``: the values in the variables' order, or by their names. ``header``: the one value of a text header.
    ``header_media``: the kind of what was given for a media header. ``quick_replies``: payloads, first button first
    (fewer than there are buttons: the others come back as their words). ``url_suffixes`` and ``coupon_code``: what
    completes the addresses of URL buttons that have a variable, in their order, and what a copy button copies.
    ``flow``, ``products``, ``offer_ends``: whether something was given for a form, products, the end of an offer.
    ``cards``: the same for each card of a carousel.
    """

    body: Sequence[str] | Mapping[str, str] = ()
    header: str | None = None
    header_media: Media | None = None
    quick_replies: Sequence[str] = ()
    url_suffixes: Sequence[str] = ()
    coupon_code: str | None = None
    flow: bool = False
    products: Products | None = None
    offer_ends: bool = False
    cards: Sequence["Given"] = ()


@dataclass(slots=True)
class _Faults:
    at: str
    found: list[Fault] = field(default_factory=list)

    def say(self, pointer: str, detail: str) -> None:
        self.found.append(Fault(detail, self.at + pointer))

    def value(self, pointer: str, text: str, most: int, what: str) -> None:
        """Check the value of a variable (cloud-api 2.6; Meta refuses a wrong one with 132018)."""
        size = limits.length(text)
        if not text.strip():
            self.say(pointer, f"{what} is empty, which WhatsApp refuses in a template.")
        elif _FORBIDDEN.search(text):
            self.say(pointer, f"{what} holds a line break, a tab or more than 4 spaces in a row.")
        elif size > most:
            self.say(
                pointer, f"{what} has {size:,} characters, {size - most:,} more than the {most:,} allowed."
            )


def check(mirrored: Mirrored, given: Given, at: str = "") -> list[Fault]:
    """What is wrong with parameters for this template; ``at`` is the JSON Pointer of the template in the request.

    Pointers go on with the names of ``content.Template``: ``/parameters/1``, ``/parameters/name``, ``/header``,
    ``/quick_replies/0``, ``/url_suffixes/0``, ``/coupon_code``, ``/flow``, ``/products``, ``/offer_ends_at``,
    ``/cards/0/parameters/1``.
    """
    faults = _Faults(at)
    _check_text(faults, mirrored, given, limits.TEMPLATE_BODY)
    _check_specials(faults, mirrored, given)
    cards = cards_of(mirrored)
    if len(cards) != len(given.cards):
        faults.say("/cards", f"The template has {_cards(len(cards))}, not {len(given.cards)}.")
        return faults.found
    for number, (definition, card) in enumerate(zip(cards, given.cards, strict=True)):
        inside = _Faults(f"{at}/cards/{number}")
        _check_text(inside, definition, card, limits.CARD_BODY)
        faults.found += inside.found
    return faults.found


def cards_of(mirrored: Mirrored) -> list[Mirrored]:
    """The cards of a template's carousel, each as if it were a template."""
    cards: Sequence[Mapping[str, Any]] = mirrored.part("CAROUSEL").get("cards") or ()
    return [
        replace(
            mirrored,
            name=f"{mirrored.name}, card {number + 1}",
            components=[
                each
                for each in card.get("components", ())
                if str(each.get("type", "")).upper() in _CARD_PARTS
            ],
        )
        for number, card in enumerate(cards)
    ]


def _check_text(faults: _Faults, mirrored: Mirrored, given: Given, most: int) -> None:
    """What a template and a card have in common."""
    _check_body(faults, mirrored, given.body, most)
    _check_header(faults, mirrored, given)
    _check_buttons(faults, mirrored, given)


def _check_body(
    faults: _Faults, mirrored: Mirrored, values: Sequence[str] | Mapping[str, str], most: int
) -> None:
    text = str(mirrored.part("BODY").get("text", ""))
    names = variables(text)
    which = f"{mirrored.name} ({mirrored.language})"
    if isinstance(values, Mapping):
        pairs = _check_named(faults, mirrored, names, values)
    elif mirrored.named and (names or values):
        faults.say("/parameters", f"{which} goes by names; give an object with {_listed(names)}.")
        return
    else:
        pairs = [(str(number), value) for number, value in enumerate(values)]
        if len(values) != len(names):
            faults.say("/parameters", f"{which} takes {_count(names)}, not {len(values)}.")
    longest = limits.CODE if "OTP" in _kinds(mirrored) else most
    for key, value in pairs:
        what = f"Parameter {key}" if isinstance(values, Mapping) else f"Parameter {int(key) + 1}"
        faults.value(f"/parameters{problems.pointer([key])}", value, longest, what)
    size = limits.length(fill(text, names, values))
    if len(values) == len(names) and size > most and not faults.found:
        faults.say(
            "/parameters",
            f"The text with its parameters has {size:,} characters, {size - most:,} more than {most:,}.",
        )


def _check_named(
    faults: _Faults, mirrored: Mirrored, names: Sequence[str], values: Mapping[str, str]
) -> list[tuple[str, str]]:
    if not mirrored.named:
        faults.say(
            "/parameters",
            f"{mirrored.name} ({mirrored.language}) goes by order, not by names; give a list of {len(names)}.",
        )
        return []
    for name in names:
        if name not in values:
            faults.say(
                f"/parameters{problems.pointer([name])}",
                f"The template has a variable {{{{{name}}}}}, which has no value.",
            )
    for name in values:
        if name not in names:
            faults.say(
                f"/parameters{problems.pointer([name])}",
                f"The template has no variable {name}; it has {_listed(names)}.",
            )
    return [(name, values[name]) for name in names if name in values]


def _check_header(faults: _Faults, mirrored: Mirrored, given: Given) -> None:
    media = mirrored.header_media
    if media is not None:
        if given.header_media != media:
            had = given.header_media or ("a text" if given.header is not None else "nothing")
            faults.say("/header", f"The template's header is of type {media}; {had} was given.")
        return
    if given.header_media is not None:
        faults.say("/header", f"The template has no header of type {given.header_media}.")
        return
    text = str(mirrored.part("HEADER").get("text", ""))
    names = variables(text)
    if names and given.header is None:
        faults.say("/header", f"The template's header has the variable {_listed(names)}, which has no value.")
    elif given.header is not None and not names:
        faults.say("/header", "The template's header has no variable.")
    elif given.header is not None:
        rest = limits.length(VARIABLE.sub("", text))
        faults.value("/header", given.header, limits.TEMPLATE_HEADER - rest, "The header parameter")


def _check_buttons(faults: _Faults, mirrored: Mirrored, given: Given) -> None:
    kinds = _kinds(mirrored)
    quick = kinds.count("QUICK_REPLY")
    if len(given.quick_replies) > quick:
        faults.say(
            "/quick_replies",
            f"{len(given.quick_replies)} payloads for {quick} quick replies of the template.",
        )
    for number, payload in enumerate(given.quick_replies):
        what = f"Payload {number + 1}"
        faults.value(f"/quick_replies/{number}", payload, limits.QUICK_REPLY_PAYLOAD, what)
    open_urls = [
        each
        for kind, each in zip(kinds, mirrored.buttons, strict=True)
        if kind == "URL" and VARIABLE.search(str(each.get("url", "")))
    ]
    if len(given.url_suffixes) != len(open_urls):
        faults.say(
            "/url_suffixes",
            f"Link buttons of the template with a variable: {len(open_urls)}; "
            f"values given: {len(given.url_suffixes)}.",
        )
    for number, suffix in enumerate(given.url_suffixes):
        faults.value(f"/url_suffixes/{number}", suffix, limits.URL_SUFFIX, f"Link part {number + 1}")


def _check_specials(faults: _Faults, mirrored: Mirrored, given: Given) -> None:
    """What stands in a template at most once, and in no card."""
    kinds = _kinds(mirrored)
    _check_code(faults, kinds, given.coupon_code)
    if given.flow and "FLOW" not in kinds:
        faults.say("/flow", "The template has no button that opens a form.")
    _check_products(faults, kinds, given.products)
    offer = mirrored.part("LIMITED_TIME_OFFER").get("limited_time_offer") or {}
    ends = bool(offer.get("has_expiration"))
    if ends and not given.offer_ends:
        faults.say("/offer_ends_at", "The template has a limited-time offer, which needs its end.")
    elif given.offer_ends and not ends:
        faults.say("/offer_ends_at", "The template has no limited-time offer that shows its end.")


def _check_code(faults: _Faults, kinds: Sequence[str], code: str | None) -> None:
    if "COPY_CODE" in kinds and code is None:
        faults.say("/coupon_code", "The template has a button that copies a code, and no code was given.")
    elif code is not None and "COPY_CODE" not in kinds:
        faults.say("/coupon_code", "The template has no button that copies a code.")
    elif code is not None:
        faults.value("/coupon_code", code, limits.CODE, "The code")


def _check_products(faults: _Faults, kinds: Sequence[str], given: Products | None) -> None:
    if "MPM" in kinds and given != "sections":
        faults.say("/products", "The template shows several products; give a thumbnail and sections of them.")
    elif "CATALOG" in kinds and given == "sections":
        faults.say("/products/sections", "The template shows the whole catalog; give at most a thumbnail.")
    elif given is not None and not {"MPM", "CATALOG"} & set(kinds):
        faults.say("/products", "The template has no button that shows products.")


def _kinds(mirrored: Mirrored) -> list[str]:
    return [kind_of(each) for each in mirrored.buttons]


def _cards(count: int) -> str:
    return f"{count} cards" if count else "no cards"


def _count(names: Sequence[str]) -> str:
    return "no parameters" if not names else f"{len(names)} parameter{'s' if len(names) > 1 else ''}"


def _listed(names: Sequence[str]) -> str:
    return ", ".join(f"{{{{{name}}}}}" for name in names) or "none"
