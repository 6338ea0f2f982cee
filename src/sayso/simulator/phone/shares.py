"""What a person writes, photographs, records or shares (cloud-api.md 4.8, 8.5)."""

from typing import Any

import msgspec

from sayso.simulator.phone.deeds import Card, Inbound, Location, Media, Order, PhoneError, Unsupported
from sayso.simulator.phone.hand import Done, Hand
from sayso.simulator.phone.samples import sample
from sayso.simulator.world.accounts import BusinessNumber
from sayso.simulator.world.content import Attachment, ContactCard, Content, Place
from sayso.simulator.world.media import KINDS, limit_of, media_url, plain_type, store_inbound
from sayso.simulator.world.people import Person

#: Files that words can go with (4.8).
CAPTIONED = ("image", "video", "document")
UNSUPPORTED = {
    "code": 131051,
    "title": "Message type unknown",
    "message": "Message type unknown",
    "error_data": {"details": "Message type is currently not supported."},
}


class Shares:
    """Everything a person sends of their own accord."""

    def __init__(self, hand: Hand) -> None:
        self._hand = hand

    def text(self, person: Person, deed: Inbound, text: str) -> Done:
        """Write a text."""
        return self._share(person, deed, {"type": "text", "text": {"body": text}}, Content(text))

    def media(self, person: Person, deed: Inbound, media: Media) -> Done:
        """Send a file: it gets a media id that lasts 7 days and a URL that lasts 5 minutes."""
        data, mime_type, filename = _file(media)
        number = self._number(person, deed)
        kept = store_inbound(self._hand.world, number, mime_type, data, filename)
        url = media_url(self._hand.base_url, kept, self._hand.world.clock.now())
        told: dict[str, Any] = {
            "mime_type": mime_type,
            "sha256": kept.sha256_base64,
            "id": kept.id,
            "url": url,
        }
        if media.caption:
            told["caption"] = media.caption
        match media.kind:
            case "document":
                told["filename"] = filename
            case "audio":
                told["voice"] = media.voice
            case "sticker":
                told["animated"] = media.animated
            case _:
                pass
        attachment = Attachment(
            media.kind, kept.id, None, mime_type, filename, voice=media.voice, animated=media.animated
        )
        content = Content(media.caption or "", attachment=attachment)
        return self._share(person, deed, {"type": media.kind, media.kind: told}, content)

    def location(self, person: Person, deed: Inbound, location: Location) -> Done:
        """Share a place, of their own accord or as the answer to a location request."""
        told = {"latitude": location.latitude, "longitude": location.longitude}
        told |= {
            key: value for key in ("name", "address", "url") if (value := getattr(location, key)) is not None
        }
        place = Place(location.latitude, location.longitude, location.name or "", location.address or "")
        about = None
        if location.message_id is not None:
            about = self._hand.message(person, location.message_id)
            if not any(button.kind == "location" for button in about.content.buttons):
                raise PhoneError(f"message {about.wamid!r} asks for no location")
        number = self._hand.number_for(person, deed.to, about)
        wire = {"type": "location", "location": told}
        return self._hand.send(
            person, number, wire, Content(place=place), deed=deed, about=about, context=deed.context
        )

    def contacts(self, person: Person, deed: Inbound, cards: list[Card]) -> Done:
        """Share contacts."""
        content = Content(
            contacts=tuple(
                ContactCard(each.name, each.phones, each.emails, each.organization or "") for each in cards
            )
        )
        told = {"type": "contacts", "contacts": [_card(each) for each in cards]}
        return self._share(person, deed, told, content)

    def order(self, person: Person, deed: Inbound, order: Order) -> Done:
        """Order out of a catalog."""
        count = sum(each.quantity for each in order.product_items)
        told = {"type": "order", "order": msgspec.to_builtins(order)}
        return self._share(person, deed, told, Content(order.text, note=f"Order: {count} items"))

    def welcome(self, person: Person, deed: Inbound, _: bool) -> Done:  # noqa: FBT001  # a deed like the others
        """Open the chat for the first time, which older payloads tell of."""
        return self._share(person, deed, {"type": "request_welcome"}, Content(note="Opened the chat"))

    def unsupported(self, person: Person, deed: Inbound, what: Unsupported) -> Done:
        """Send something that the API does not carry (131051)."""
        return self._share(person, deed, unsupported(what.kind), Content(note=f"Unsupported: {what.kind}"))

    def _share(self, person: Person, deed: Inbound, told: dict[str, Any], content: Content) -> Done:
        number = self._number(person, deed)
        return self._hand.send(person, number, told, content, deed=deed, context=deed.context)

    def _number(self, person: Person, deed: Inbound) -> BusinessNumber:
        """Return the number it goes to: the one meant, that of the message quoted, or the first."""
        quoted = None if deed.quote is None else self._hand.message(person, deed.quote)
        return self._hand.number_for(person, deed.to, quoted)


def unsupported(kind: str) -> dict[str, Any]:
    """Compose the message that stands for what the API does not carry (4.8)."""
    return {"type": "unsupported", "errors": [UNSUPPORTED], "unsupported": {"type": kind}}


def own_card(person: Person) -> dict[str, Any]:
    """Compose the contact of the person themselves, as the answer to a request for it (4.8)."""
    return _card(Card(name=person.name, phones=(person.phone,)), origin="contact_request")


def _card(card: Card, origin: str = "other") -> dict[str, Any]:
    first, _, last = card.name.partition(" ")
    name = {"formatted_name": card.name, "first_name": first, **({"last_name": last} if last else {})}
    told: dict[str, Any] = {"name": name}
    if card.phones:
        told["phones"] = [_phone(each) for each in card.phones]
    if card.emails:
        told["emails"] = [{"email": each, "type": "HOME"} for each in card.emails]
    if card.organization:
        told["org"] = {"company": card.organization}
    return {**told, "origin": origin, "vcard": _vcard(card)}


def _phone(phone: str) -> dict[str, str]:
    digits = "".join(each for each in phone if each.isdecimal())
    return {"phone": phone, "wa_id": digits, "type": "CELL"}


def _vcard(card: Card) -> str:
    lines = ["BEGIN:VCARD", "VERSION:3.0", f"FN:{card.name}"]
    lines += [f"TEL;type=CELL:{each}" for each in card.phones]
    lines += [f"EMAIL:{each}" for each in card.emails]
    lines += [f"ORG:{card.organization}"] if card.organization else []
    return "\n".join([*lines, "END:VCARD"])


def _file(media: Media) -> tuple[bytes, str, str]:
    """Return a file's bytes, MIME type and name: what was given, or a sample of its kind."""
    made = sample(media.kind, voice=media.voice)
    if (media.data_base64 is None) != media.sample:
        raise PhoneError("`media` needs exactly one of `data_base64` and `sample`: true")
    if media.voice and media.kind != "audio":
        raise PhoneError(f"`voice` goes with audio, not with {media.kind}")
    if media.caption and media.kind not in CAPTIONED:
        raise PhoneError(f"`caption` goes with {', '.join(CAPTIONED)}, not with {media.kind} (4.8)")
    data = made.data if media.data_base64 is None else media.data_base64
    mime_type = media.mime_type or made.mime_type
    fitting = KINDS.get(plain_type(mime_type))
    if media.kind not in (fitting, "document"):  # a person may send any file as a document
        raise PhoneError(f"`mime_type` {mime_type!r} is no type of {media.kind}")
    limit = limit_of(mime_type, data) or limit_of("application/pdf")
    if not 1 <= len(data) <= limit:
        raise PhoneError(f"a file of {media.kind} has 1 to {limit} bytes; this one has {len(data)}")
    return data, mime_type, media.filename or made.filename
