"""What Meta would refuse one-time passwords, limited-time offers and carousels for. Pure.

The sheet names these kinds (cloud-api 2.6, 3.2) and gives few of their figures; the others are Meta's as its template
editor shows them.
"""

import re
from typing import Final

from sayso.templates import lint_buttons
from sayso.templates.definitions import MediaHeader, OneTimeCode, Place, Wording
from sayso.templates.lint_buttons import Say, length
from sayso.templates.rules import VARIABLE
from sayso.whatsapp import limits

MINUTES: Final = range(1, 91)
APPS: Final = 5
SIGNATURE: Final = 11
OFFER: Final = 16
CARD_BUTTONS: Final = 2
_CARD_KINDS: Final = frozenset({"QUICK_REPLY", "URL", "PHONE_NUMBER", ""})
_PACKAGE: Final = re.compile(r"[A-Za-z]\w*(\.[A-Za-z]\w*)+", re.ASCII)


def one_time_code(say: Say, code: OneTimeCode) -> None:
    """Check how a one-time password gets from the chat to where it is needed."""
    if code.minutes is not None and code.minutes not in MINUTES:
        say(("code", "expires"), f"a code is good for {MINUTES[0]} to {MINUTES[-1]} minutes.")
    if code.button != "COPY_CODE":
        _apps(say, code)
    elif code.apps or code.terms_accepted:
        say(("code",), "apps and terms_accepted belong to one_tap and zero_tap.")


def _apps(say: Say, code: OneTimeCode) -> None:
    at: Place = ("code", "apps")
    if not 1 <= len(code.apps) <= APPS:
        say(at, f"the code is filled in by 1 to {APPS} apps; here are {len(code.apps)}.")
    for place, app in enumerate(code.apps):
        if not _PACKAGE.fullmatch(app.package):
            say((*at, place), "package is the name of an Android app, such as org.example.app.")
        if len(app.signature) != SIGNATURE:
            say((*at, place), f"signature is the app's signing key hash: {SIGNATURE} characters.")
    if code.button == "ZERO_TAP" and not code.terms_accepted:
        detail = "zero_tap asks that Meta's terms for it be accepted: terms_accepted = true."
        say(("code", "terms_accepted"), detail)


def code_labels(say: Say, code: OneTimeCode, at: Place) -> None:
    """Check the words of the button in one language."""
    lint_buttons.label(say, (*at, "label"), code.label)
    lint_buttons.label(say, (*at, "autofill"), code.autofill)
    if code.autofill and code.button == "COPY_CODE":
        say((*at, "autofill"), "nothing is filled in where the code is copied; the button's words are label.")


def offer(say: Say, wording: Wording, category: str, at: Place) -> None:
    """Check a limited-time offer and what stands beside it."""
    if wording.offer is None:
        return
    length(say, (*at, "offer"), "the offer", wording.offer.text, OFFER)
    if VARIABLE.search(wording.offer.text) or "\n" in wording.offer.text:
        say((*at, "offer"), "an offer holds no variables and no line breaks.")
    if category != "MARKETING":
        say((*at, "offer"), "a limited-time offer is marketing.")
    if wording.footer is not None:
        say((*at, "footer"), "a limited-time offer has no footer.")


def carousel(say: Say, wording: Wording, at: Place) -> None:
    """Check the cards as a whole; their texts are checked like a template's."""
    cards = wording.cards
    if not cards:
        return
    if not limits.CARDS_LEAST <= len(cards) <= limits.CARDS:
        say(
            (*at, "cards"),
            f"a carousel has {limits.CARDS_LEAST} to {limits.CARDS} cards; here are {len(cards)}.",
        )
    for key in ("header", "footer", "buttons", "offer"):
        if getattr(wording, key):
            say(
                (*at, key),
                f"beside its cards a carousel has a body alone; {key} belongs into a card or goes.",
            )
    shapes = [shape(card) for card in cards]
    for place, card in enumerate(cards):
        here: Place = (*at, "cards", place)
        _card(say, card, here)
        if shapes[place] != shapes[0]:
            say(
                here,
                "all cards have the same parts, kind of header and kinds of buttons; the first has others.",
            )


def shape(card: Wording) -> tuple[bool, str, tuple[str, ...]]:
    """What the cards of a carousel must have in common."""
    header = card.header.kind if isinstance(card.header, MediaHeader) else ""
    return bool(card.body), header, tuple(each.kind for each in card.buttons)


def _card(say: Say, card: Wording, at: Place) -> None:
    if not isinstance(card.header, MediaHeader) or card.header.kind not in ("image", "video"):
        say(at, 'a card has a header: { image = "file" } or { video = "file" }.')
    if not 1 <= len(card.buttons) <= CARD_BUTTONS:
        say((*at, "buttons"), f"a card has 1 to {CARD_BUTTONS} buttons; here are {len(card.buttons)}.")
    if not {each.kind for each in card.buttons} <= _CARD_KINDS:
        say((*at, "buttons"), "the buttons of a card are reply, link and call.")
