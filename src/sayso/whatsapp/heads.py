"""The few fields of a webhook that keys and ordering need, and which contact an item belongs to.

Field names and who carries them: cloud-api 4.6, 4.7 and 4.9. Contexts repeat what stands around an item, so
each part of one is bounded; otherwise one large contact and many small items would multiply a body.
"""

from collections.abc import Callable, Iterable
from hashlib import sha256
from typing import Any, TypeVar, cast

import msgspec
from msgspec import Raw

from sayso.whatsapp.tolerant import Budget, UnloadableError, load, members

_LONGEST_ID = 200
_LONGEST_METADATA = 512
_LONGEST_CONTACT = 4096


class Message(msgspec.Struct, gc=False):
    """What a message says about itself and its sender."""

    id: str = ""
    sender: str = msgspec.field(default="", name="from")
    from_user_id: str = ""
    system: Raw = Raw(b"null")


class Status(msgspec.Struct, gc=False):
    """What a status says about its message and the recipient; the participant is a group's member."""

    id: str = ""
    status: str = ""
    recipient_id: str = ""
    recipient_user_id: str = ""
    recipient_type: str = ""
    recipient_participant_id: str = ""
    recipient_participant_user_id: str = ""


class Person(msgspec.Struct, gc=False):
    """A contact, a preference, or the ``system`` object of a message: they share these names."""

    wa_id: str = ""
    user_id: str = ""
    previous_user_id: str = ""
    timestamp: Raw = Raw(b"null")


class Metadata(msgspec.Struct, gc=False):
    """Which of our numbers a value is about."""

    phone_number_id: str = ""


HeadT = TypeVar("HeadT", Message, Status, Person, Metadata)
_decode: dict[type[msgspec.Struct], Callable[[bytes], Any]] = {
    shape: msgspec.json.Decoder(shape).decode for shape in (Message, Status, Person, Metadata)
}
_decode_text: Callable[[bytes], str] = msgspec.json.Decoder(str).decode
_names = {
    shape: {field.encode_name: (field.name, field.type) for field in msgspec.structs.fields(shape)}
    for shape in _decode
}


def read_head(shape: type[HeadT], raw: bytes, budget: Budget) -> HeadT:
    """Read the named fields of an object; a field of a wrong type is "" (a number becomes its digits)."""
    try:
        return cast("HeadT", _decode[shape](raw))
    except (ValueError, RecursionError):
        return _loosely(shape, raw, budget)


def read_text(raw: bytes) -> str:
    """Return a JSON string, or the digits of a JSON integer, else ""."""
    try:
        text = _decode_text(raw)
    except ValueError:
        text = "\x00"
    if "\x00" not in text:
        return text
    try:
        value = load(raw)
    except UnloadableError:
        return ""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value if isinstance(value, str) else ""


def short(text: str) -> str:
    """Return an id fit for an index: itself, or its digest when it is long or not printable ASCII."""
    if len(text) <= _LONGEST_ID and text.isascii() and text.isprintable():
        return text
    return "sha256-" + sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _loosely(shape: type[HeadT], raw: bytes, budget: Budget) -> HeadT:
    found: dict[str, Any] = {}
    for encoded, part in (members(raw, budget) or {}).items():
        name, kind = _names[shape].get(encoded, ("", None))
        if name:
            found[name] = Raw(part) if kind is Raw else read_text(part)
    return shape(**found)


class _Contact(msgspec.Struct, gc=False):
    person: Person
    part: bytes  # the JSON that goes into the context of this person's items

    def contradicts(self, phone: str, user_id: str) -> bool:
        """Tell whether these ids name someone else."""
        if user_id and self.person.user_id:
            return user_id != self.person.user_id
        return bool(phone and self.person.wa_id) and phone != self.person.wa_id


class Change:
    """Where an item stands in the envelope, and who is spoken of there."""

    __slots__ = ("_by_phone", "_by_user", "_head", "_lone", "budget", "field", "phone_number_id", "place")

    def __init__(
        self, field: str, budget: Budget, phone_number_id: str = "", *, place: bytes = b"", head: bytes = b""
    ) -> None:
        self.field = field
        self.place = place  # what tells apart two updates of equal content
        self.budget = budget
        self.phone_number_id = phone_number_id
        self._head = head
        self._by_phone: dict[str, _Contact] = {}
        self._by_user: dict[str, _Contact] = {}
        self._lone: _Contact | None = None

    @classmethod
    def of(cls, waba_id: bytes, time: bytes, field: str, metadata: bytes, budget: Budget) -> "Change":
        """Keep what stands around the items of one value; all parts but the field are raw JSON."""
        metadata = _bounded(metadata, _LONGEST_METADATA)
        number = read_head(Metadata, metadata, budget).phone_number_id if metadata[:1] == b"{" else ""
        number = number if short(number) == number else ""
        waba_id, time = _bounded(waba_id, _LONGEST_ID), _bounded(time, _LONGEST_ID)
        name = field.encode()
        place = b"\n".join((name, waba_id, time, number.encode()))
        head = b'{"waba_id":%b,"time":%b,"field":"%b","metadata":%b' % (waba_id, time, name, metadata)
        return cls(field, budget, number, place=place, head=head)

    def add_contacts(self, contacts: Iterable[bytes], items: int) -> None:
        """Learn the contacts of the value; ``items`` is how many items share them."""
        known = [_contact(raw, self.budget) for raw in contacts if raw[:1] == b"{"]
        for contact in known:
            if contact.person.wa_id:
                self._by_phone[contact.person.wa_id] = contact
            if contact.person.user_id:
                self._by_user[contact.person.user_id] = contact
        if len(known) == 1 and items == 1:
            self._lone = known[0]  # beside one item stands the one person it is about, named in it or not

    def belongs(self, phone: str, user_id: str) -> tuple[str, bytes]:
        """Return the ordering key of this person ("" when nobody is named) and the context of the item."""
        contact = self._by_user.get(user_id)
        if contact is None:
            contact = self._by_phone.get(phone) or self._lone
            if contact is None or contact.contradicts(phone, user_id):
                return short(user_id or phone), self.context()
        key = user_id or contact.person.user_id or phone or contact.person.wa_id
        return short(key), self.context(contact.part)

    def context(self, contact: bytes = b"") -> bytes:
        """Return the JSON that the item needs to be read alone."""
        if not self._head:
            return b"{}"
        return b'%b,"contact":%b}' % (self._head, contact) if contact else self._head + b"}"


def _contact(raw: bytes, budget: Budget) -> _Contact:
    try:
        person, part = _decode[Person](raw), raw
    except (ValueError, RecursionError):
        person, part = _loosely(Person, raw, budget), b""
    if not part or len(part) > _LONGEST_CONTACT:
        part = msgspec.json.encode({"wa_id": short(person.wa_id), "user_id": short(person.user_id)})
    return _Contact(person, part)


def _bounded(raw: bytes, longest: int) -> bytes:
    """Return a part that may stand in a context: JSON that can be read, and short."""
    if not raw or len(raw) > longest:
        return b"null"
    try:
        load(raw)
    except UnloadableError:
        return b"null"
    return raw
