"""What a person sees of a message, whatever it was made of."""

from dataclasses import dataclass
from typing import Literal

ButtonKind = Literal[
    "reply",
    "url",
    "phone",
    "copy",
    "flow",
    "location",
    "contact",
    "call",
    "permission",
    "catalog",
    "address",
    "other",
]
MediaKind = Literal["image", "video", "audio", "document", "sticker"]


@dataclass(frozen=True, slots=True)
class Button:
    """A button under a bubble: its words, and what a tap on it reports back (``id`` or ``payload``).

    ``kind`` tells what a tap does: `reply` answers; `url`, `phone` and `copy` open or copy ``value`` and tell the
    business nothing; `flow` opens the flow ``payload`` (its id or name) with the token ``value``; `location`,
    `contact`, `address` and `permission` (to call) ask the person for just that; `call` rings the business;
    `catalog` opens the shop ``value``.
    """

    title: str
    payload: str = ""
    kind: ButtonKind = "reply"
    value: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a list; ``id`` is what choosing it reports back (2.5)."""

    id: str
    title: str
    description: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a list, with its rows."""

    title: str
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Attachment:
    """Media in a message: exactly one of ``id`` (uploaded, ours) and ``link`` (anywhere) says where it is."""

    kind: MediaKind
    id: str | None = None
    link: str | None = None
    mime_type: str = ""
    filename: str = ""
    voice: bool = False
    animated: bool = False


@dataclass(frozen=True, slots=True)
class Place:
    """A location, in degrees."""

    latitude: float
    longitude: float
    name: str = ""
    address: str = ""


@dataclass(frozen=True, slots=True)
class ContactCard:
    """A shared contact: a name, and how to reach them. ``addresses`` are one line each."""

    name: str
    phones: tuple[str, ...] = ()
    emails: tuple[str, ...] = ()
    organization: str = ""
    urls: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()
    birthday: str = ""  # YYYY-MM-DD


@dataclass(frozen=True, slots=True)
class Card:
    """One card of a carousel (2.5, 2.6): media, words and buttons, or a product, which ``body`` names."""

    attachment: Attachment | None = None
    body: str = ""
    buttons: tuple[Button, ...] = ()


@dataclass(frozen=True, slots=True)
class Reaction:
    """An emoji on another message; an empty one takes it away (2.4)."""

    message_id: str
    emoji: str


@dataclass(frozen=True, slots=True)
class Content:
    """A message as it stands on the phone. ``category`` is what it is priced as (cloud-api.md 4.9).

    ``body`` is a text, a caption, or a template's body. A list has ``list_label`` (the words on the button that
    opens it) and ``sections``.
    """

    body: str = ""
    header: str = ""
    footer: str = ""
    attachment: Attachment | None = None  # the message itself, or its header
    place: Place | None = None  # the same
    buttons: tuple[Button, ...] = ()
    list_label: str = ""
    sections: tuple[Section, ...] = ()
    cards: tuple[Card, ...] = ()
    contacts: tuple[ContactCard, ...] = ()
    reaction: Reaction | None = None
    preview_url: bool = False
    #: What a tap comes back as: `interactive` (button_reply) or `button` (template quick reply), 4.8.
    answers_as: Literal["interactive", "button"] = "interactive"
    template: str | None = None
    template_id: str | None = None
    category: str = "service"
    #: Words for what has none of its own, such as an unsupported kind.
    note: str = ""
    #: Accepted, and yet it will fail with this code and these words: what Meta finds out only afterwards, such as
    #: media that cannot be processed (131053).
    late: tuple[int, str] | None = None

    @property
    def shown(self) -> str:
        """The words on the phone, top to bottom, without the buttons."""
        return "\n".join(part for part in self._parts() if part)

    def _parts(self) -> tuple[str, ...]:
        cards = tuple(card.body for card in self.cards)
        names = tuple(card.name for card in self.contacts)
        place = (self.place.name, self.place.address) if self.place else ()
        emoji = (self.reaction.emoji,) if self.reaction else ()
        return (self.header, self.body, *cards, *names, *place, *emoji, self.footer, self.note)
