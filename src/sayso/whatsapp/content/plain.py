"""Text, contact cards and reactions (cloud-api 2.3, 2.4)."""

import re
from typing import Annotated, Any, Final

from msgspec import Meta

from sayso.whatsapp import limits
from sayso.whatsapp.content.check import Check, Part, given


class Text(Part, frozen=True, tag="text", tag_field="type"):
    """Plain text; Meta shows the first link of it as a preview when asked."""

    body: Annotated[str, Meta(description="At most 4,096 characters.")]
    preview_url: bool = False

    def examine(self, check: Check) -> None:
        """Check it."""
        check.text("/body", self.body, limits.TEXT_BODY, "The text")

    def wire(self) -> dict[str, Any]:
        """Meta's JSON of it."""
        return {"type": "text", "text": {"body": self.body, "preview_url": self.preview_url}}


_PICTURE: Final = (
    "[\u00a9\u00ae\u203c\u2049\u2100-\u2bff\u3030\u303d\u3297\u3299\U0001f000-\U0001f1e5\U0001f200-\U0001faff]"
    "\ufe0f?[\U0001f3fb-\U0001f3ff]?[\U000e0020-\U000e007f]*"
)
#: A flag, a keycap, or pictures joined to one.
_EMOJI: Final = re.compile(
    f"[\U0001f1e6-\U0001f1ff]{{2}}|[0-9#*]\ufe0f?\u20e3|{_PICTURE}(?:\u200d{_PICTURE})*"
)


class Reaction(Part, frozen=True, tag="reaction", tag_field="type"):
    """An emoji on a message of at most 30 days; an empty one takes it away again."""

    message_id: Annotated[
        str, Meta(description="The message: a wamid of the person's, or our id of one of yours.")
    ]
    emoji: str = ""

    def examine(self, check: Check) -> None:
        """Check it."""
        check.line("/message_id", self.message_id, limits.WAMID, "The message's id")
        if self.emoji and not _EMOJI.fullmatch(self.emoji):
            check.wrong("/emoji", "A reaction is one emoji; an empty text takes it away.")

    def wire(self) -> dict[str, Any]:
        """Meta's JSON of it."""
        return {"type": "reaction", "reaction": {"message_id": self.message_id, "emoji": self.emoji}}


class Name(Part, frozen=True):
    """A contact's name as it is shown, and at least one of its parts."""

    formatted_name: str
    first_name: str | None = None
    last_name: str | None = None
    middle_name: str | None = None
    prefix: str | None = None
    suffix: str | None = None


class Phone(Part, frozen=True):
    """A contact's number; with its `wa_id` the phone offers to write to it."""

    phone: str
    type: str | None = None
    wa_id: str | None = None


class Email(Part, frozen=True):
    """A contact's mail address."""

    email: str
    type: str | None = None


class Url(Part, frozen=True):
    """A contact's page."""

    url: str
    type: str | None = None


class Address(Part, frozen=True):
    """Where a contact lives or works."""

    street: str | None = None
    city: str | None = None
    state: str | None = None
    zip: str | None = None
    country: str | None = None
    country_code: str | None = None
    type: str | None = None


class Organization(Part, frozen=True):
    """Where a contact belongs."""

    company: str | None = None
    department: str | None = None
    title: str | None = None


class Contact(Part, frozen=True):
    """A contact card."""

    name: Name
    phones: tuple[Phone, ...] = ()
    emails: tuple[Email, ...] = ()
    urls: tuple[Url, ...] = ()
    addresses: tuple[Address, ...] = ()
    org: Organization | None = None
    birthday: Annotated[str | None, Meta(description="YYYY-MM-DD.")] = None

    def wire(self) -> dict[str, Any]:
        """Meta's JSON of it."""
        lists = {
            part: [_wire(each) for each in getattr(self, part)] or None
            for part in ("phones", "emails", "urls", "addresses")
        }
        org = _wire(self.org) if self.org is not None else None
        return given(name=_wire(self.name), **lists, org=org, birthday=self.birthday)


class Contacts(Part, frozen=True, tag="contacts", tag_field="type"):
    """One contact card or several."""

    cards: tuple[Contact, ...]

    def examine(self, check: Check) -> None:
        """Check it."""
        check.count("/cards", len(self.cards), 1, limits.CONTACTS, "contact cards")
        for number, card in enumerate(self.cards):
            _check_card(check, f"/cards/{number}", card)

    def wire(self) -> dict[str, Any]:
        """Meta's JSON of it."""
        return {"type": "contacts", "contacts": [card.wire() for card in self.cards]}


def _check_card(check: Check, at: str, card: Contact) -> None:
    _check_parts(check, f"{at}/name", card.name)
    if not any(getattr(card.name, part) for part in Name.__struct_fields__[1:]):
        check.wrong(f"{at}/name", "Beside formatted_name a name has at least one of its parts.")
    for kind in ("phones", "emails", "urls", "addresses"):
        for number, each in enumerate(getattr(card, kind)):
            _check_parts(check, f"{at}/{kind}/{number}", each)
    if card.org is not None:
        _check_parts(check, f"{at}/org", card.org)
    if card.birthday is not None:
        check.day(f"{at}/birthday", card.birthday, "A birthday")


def _check_parts(check: Check, at: str, part: Part) -> None:
    for name in part.__struct_fields__:
        check.maybe_line(f"{at}/{name}", getattr(part, name), limits.CONTACT_PART, f"The {name}")


def _wire(part: Part) -> dict[str, Any]:
    return given(**{name: getattr(part, name) for name in part.__struct_fields__})
