"""Explodes one webhook body into single updates, each with its own key, whatever else is in the body.

Only what keys and ordering need is read here, and the exact bytes of each item are copied; typed reading
happens later, in ``updates``. The shapes are those of cloud-api 4.4 to 4.11.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from hashlib import sha256
from itertools import islice
from typing import Annotated

import msgspec
from msgspec import Raw

from sayso.whatsapp.heads import Change, Message, Person, Status, read_head, read_text, short
from sayso.whatsapp.tolerant import Budget, UnloadableError, elements, load, members

MAX_UPDATES = 10_000
"""Updates taken from one body: ten times the 1000 that Meta puts into one (cloud-api 4.5)."""

_LONGEST_CANONICAL = 65_536
_OBJECT = "whatsapp_business_account"
_FIELD_NAME = re.compile(r"[a-z0-9_]{1,64}")
_OURS = frozenset({"message", "status", "error", "malformed"})
_LISTS = {"messages": ("messages", "statuses", "errors"), "user_preferences": ("user_preferences",)}

_decode_object = msgspec.json.Decoder(dict[str, Raw]).decode
_decode_array = msgspec.json.Decoder(list[Raw]).decode


class RawUpdate(msgspec.Struct, frozen=True, gc=False):
    """One update, not yet read: identity, order and exact bytes.

    ``key`` is equal for the same update in whatever batch or order. ``kind`` is ``message``, ``status``,
    ``error``, ``malformed`` or the name of the webhook field. ``phone_number_id`` and ``person_key`` are ""
    when absent. These four are printable ASCII of bounded length, fit for an index. ``context`` is the JSON
    that ``updates.read`` needs beside the item.
    """

    key: str
    kind: str
    phone_number_id: str
    person_key: str
    item: bytes
    context: bytes


class _Change(msgspec.Struct, gc=False):
    field: Annotated[str, msgspec.Meta(min_length=1)]
    value: Raw


class _Entry(msgspec.Struct, gc=False):
    changes: list[_Change]
    id: Raw = Raw(b"")
    time: Raw = Raw(b"")


class _Envelope(msgspec.Struct, gc=False):
    object: str
    entry: list[_Entry]


_decode_envelope = msgspec.json.Decoder(_Envelope).decode


class _TooManyUpdatesError(Exception):
    """The body holds more than MAX_UPDATES; nothing Meta sends does."""


def explode(body: bytes) -> list[RawUpdate]:
    """Return every update of a webhook body, in its order; an empty envelope gives [].

    Never raises: what cannot be read at all becomes one ``malformed`` update holding the raw body, since an
    answer other than 200 would bring the same body back for 7 days (cloud-api 4.5).
    """
    try:
        return explode_strictly(body)
    except Exception:  # noqa: BLE001 - see above; tests call the strict twin, where a defect shows
        return [_malformed(body)]


def explode_strictly(body: bytes) -> list[RawUpdate]:
    """Do the work of ``explode`` without its safety net."""
    try:
        updates = list(islice(_envelope(body.removeprefix(b"\xef\xbb\xbf"), Budget()), MAX_UPDATES + 1))
    except _TooManyUpdatesError:
        return [_malformed(body)]
    return updates if len(updates) <= MAX_UPDATES else [_malformed(body)]


def _envelope(body: bytes, budget: Budget) -> Iterator[RawUpdate]:
    try:
        envelope = _decode_envelope(body)
    except (ValueError, RecursionError):
        yield from _odd_envelope(body, budget)
        return
    if envelope.object != _OBJECT:
        yield from _odd_envelope(body, budget)
        return
    for entry in envelope.entry:
        waba_id, time = bytes(entry.id), bytes(entry.time)
        for change in entry.changes:
            yield from _value(change.field, bytes(change.value), waba_id, time, budget)


def _odd_envelope(body: bytes, budget: Budget) -> Iterator[RawUpdate]:
    """Explode level by level a body that does not read in one go, so that what is sound still counts."""
    parts = _object(body, budget)
    if parts is None:
        yield _malformed(body)
        return
    about = read_text(parts.get("object", b""))
    if about not in ("", _OBJECT):
        # Another product's webhook (one app may subscribe several at one address): kept, never read as ours.
        yield _whole(_kind(about), body, Change(_kind(about), budget))
        return
    entries = _array(parts.get("entry", b"[]" if parts.keys() <= {"object"} else b""), budget)
    for entry in (body,) if entries is None else entries:
        yield from _odd_entry(entry, budget)


def _odd_entry(entry: bytes, budget: Budget) -> Iterator[RawUpdate]:
    parts = _object(entry, budget) or {}
    changes = _array(parts.get("changes", b""), budget)
    if changes is None:
        yield _malformed(entry)
        return
    for change in changes:
        inner = _object(change, budget) or {}
        field = read_text(inner.get("field", b""))
        value = inner.get("value", b"null")
        if field:
            yield from _value(field, value, parts.get("id", b""), parts.get("time", b""), budget)
        else:
            yield _malformed(change)


def _value(name: str, raw: bytes, waba_id: bytes, time: bytes, budget: Budget) -> Iterator[RawUpdate]:
    field, value = _kind(name), _object(raw, budget)
    at = Change.of(waba_id, time, field, (value or {}).get("metadata", b""), budget)
    if field not in _LISTS:
        yield _whole(field, raw, at)
    elif value is None:
        yield _malformed(raw, at)
    else:
        yield from _lists(raw, value, at)


def _lists(raw: bytes, value: dict[str, bytes], at: Change) -> Iterator[RawUpdate]:
    """Explode the lists of a known field; a value with none of them is kept whole, as something new."""
    present = [name for name in _LISTS[at.field] if name in value]
    if not present:
        yield _whole(at.field, raw, at)
        return
    lists = [_array(value[name], at.budget) for name in present]
    at.add_contacts(_array(value.get("contacts", b"[]"), at.budget) or (), sum(map(len, filter(None, lists))))
    for name, items in zip(present, lists, strict=True):
        if items is None:
            yield _malformed(value[name], at)
            continue
        read = _READERS[name]
        for item in items:
            yield read(item, at) if item[:1] == b"{" else _malformed(item, at)


def _message(item: bytes, at: Change) -> RawUpdate:
    head = read_head(Message, item, at.budget)
    user_id = head.from_user_id
    if not user_id and head.system != b"null":
        # A change of number comes without contacts and speaks of the identity before it (cloud-api 4.8).
        user_id = read_head(Person, bytes(head.system), at.budget).previous_user_id
    person_key, context = at.belongs(head.sender, user_id)
    key = "m:" + short(head.id) if head.id else _digest("message", item, at)
    return RawUpdate(key, "message", at.phone_number_id, person_key, item, context)


def _status(item: bytes, at: Change) -> RawUpdate:
    head = read_head(Status, item, at.budget)
    phone, user_id, participant = head.recipient_id, head.recipient_user_id, ""
    member, member_user = head.recipient_participant_id, head.recipient_participant_user_id
    if member or member_user or head.recipient_type == "group":
        # recipient_id is then the group; the person is the participant (cloud-api 4.9).
        phone, user_id, participant = member, member_user, short(member_user or member)
    person_key, context = at.belongs(phone, user_id)
    if head.id and head.status:
        key = f"s:{short(head.id)}:{short(head.status.lower())}" + (participant and ":" + participant)
    else:
        key = _digest("status", item, at)
    return RawUpdate(key, "status", at.phone_number_id, person_key, item, context)


def _error(item: bytes, at: Change) -> RawUpdate:
    return _whole("error", item, at)


def _preference(item: bytes, at: Change) -> RawUpdate:
    head = read_head(Person, item, at.budget)
    person_key, context = at.belongs(head.wa_id, head.user_id)
    # With a time of its own the item is the same in whatever envelope it comes again.
    key = _digest(at.field, item, at if head.timestamp == b"null" else None)
    return RawUpdate(key, at.field, at.phone_number_id, person_key, item, context)


_READERS: dict[str, Callable[[bytes, Change], RawUpdate]] = {
    "messages": _message,
    "statuses": _status,
    "errors": _error,
    "user_preferences": _preference,
}


def _whole(kind: str, raw: bytes, at: Change) -> RawUpdate:
    return RawUpdate(_digest(kind, raw, at), kind, at.phone_number_id, "", raw, at.context())


def _malformed(raw: bytes, at: Change | None = None) -> RawUpdate:
    key = "malformed:" + sha256(raw).hexdigest()
    context = b"{}" if at is None else at.context()
    return RawUpdate(key, "malformed", "" if at is None else at.phone_number_id, "", raw, context)


def _digest(kind: str, raw: bytes, at: Change | None) -> str:
    """Name an update that has no id of its own by its content, in whatever order its members stand."""
    canonical = raw
    if len(raw) <= _LONGEST_CANONICAL:
        with suppress(UnloadableError):
            canonical = msgspec.json.encode(load(raw), order="sorted")
    place = b"" if at is None else at.place
    return f"{kind}:" + sha256(place + b"\n" + canonical).hexdigest()


def _kind(field: str) -> str:
    """Return the field's name when it is one, else a name derived from it; never one of our own kinds."""
    if _FIELD_NAME.fullmatch(field) and field not in _OURS:
        return field
    return "field:" + re.sub(r"[^a-z0-9_]", "_", field[:64].lower())


def _object(raw: bytes, budget: Budget) -> dict[str, bytes] | None:
    try:
        parts = _decode_object(raw)
    except (ValueError, RecursionError):
        return members(raw, budget)
    return {name: bytes(part) for name, part in parts.items()}


def _array(raw: bytes, budget: Budget) -> list[bytes] | None:
    try:
        parts = _decode_array(raw)
    except (ValueError, RecursionError):
        return elements(raw, budget)
    if len(parts) > MAX_UPDATES:
        raise _TooManyUpdatesError
    return [bytes(part) for part in parts]
