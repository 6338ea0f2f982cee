"""A template as we define it: one text for each language, with everything Meta lets a template hold (cloud-api 3.2)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from sayso.templates.rules import variables

AUTHENTICATION: Final = "AUTHENTICATION"
CATEGORIES: Final = ("utility", "marketing", "authentication")
MEDIA: Final = ("image", "video", "document", "location")

Place = tuple[str | int, ...]
Examples = Sequence[str] | Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong with a definition: a sentence, and the keys that lead to it."""

    at: Place
    detail: str
    severity: Literal["error", "warning"] = "error"


@dataclass(frozen=True, slots=True)
class Button:
    """A button: its ``kind`` in Meta's words, its label, and where a link leads or whom a call reaches.

    ``text`` of COPY_CODE is the example of the code; WhatsApp writes the label itself. ``flow`` is the form's id,
    ``screen`` where it begins, ``action`` who says so. A button that could not be read has no kind.
    """

    kind: str
    text: str = ""
    url: str = ""
    example: str = ""
    phone: str = ""
    flow: str = ""
    screen: str = ""
    action: str = ""


@dataclass(frozen=True, slots=True)
class MediaHeader:
    """A header that shows an image, a video, a document or a place; ``file`` is the example reviewers see."""

    kind: str
    file: str = ""


@dataclass(frozen=True, slots=True)
class Offer:
    """What is offered for a limited time; ``ends``: whether the phone counts down to an end that each send tells."""

    text: str
    ends: bool = False


@dataclass(frozen=True, slots=True)
class App:
    """An Android app that may fill a one-time password in: its package, and the hash of its signing key."""

    package: str
    signature: str


@dataclass(frozen=True, slots=True)
class OneTimeCode:
    """A one-time password, whose text is Meta's: how it gets from the chat to where it is needed.

    ``button``: COPY_CODE, ONE_TAP or ZERO_TAP. ``advice``: Meta adds that it is not to be shared. ``minutes``: Meta
    adds how long it is good. ``label`` and ``autofill`` are the button's words, Meta's own when empty.
    """

    button: str = "COPY_CODE"
    advice: bool = False
    minutes: int | None = None
    apps: tuple[App, ...] = ()
    terms_accepted: bool = False
    label: str = ""
    autofill: str = ""


@dataclass(frozen=True, slots=True)
class Wording:
    """A template in one language, or one card of its carousel.

    ``named``: whether the template's variables go by names (``{{day}}``), not by numbers (``{{1}}``).
    """

    language: str
    body: str = ""
    header: str | MediaHeader | None = None
    footer: str | None = None
    buttons: tuple[Button, ...] = ()
    examples: Examples = ()
    header_example: str | None = None
    named: bool = False
    offer: Offer | None = None
    cards: tuple["Wording", ...] = ()
    code: OneTimeCode | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """The variables of its body."""
        return variables(self.body)

    @property
    def header_names(self) -> tuple[str, ...]:
        """The variables of its header."""
        return variables(self.header) if isinstance(self.header, str) else ()

    def media(self, at: Place = ()) -> list[tuple[Place, MediaHeader]]:
        """Its header and those of its cards, where they are no text, each with the keys that lead to its part."""
        parts = [(at, self), *(((*at, "cards", place), card) for place, card in enumerate(self.cards))]
        return [(here, part.header) for here, part in parts if isinstance(part.header, MediaHeader)]


@dataclass(frozen=True, slots=True)
class Definition:
    """A template in all its languages. ``ttl_s``: seconds after which Meta gives up delivering it (cloud-api 3.7)."""

    name: str
    category: str
    languages: Mapping[str, Wording]
    ttl_s: int | None = None
