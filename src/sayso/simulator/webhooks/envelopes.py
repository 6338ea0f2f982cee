"""The JSON of webhooks: envelope, contacts, inbound messages, statuses, Meta's escaping (cloud-api.md 4)."""

import hashlib
import json
import re
from typing import Any

import msgspec

from sayso.simulator.webhooks.versions import since_v24
from sayso.simulator.world.accounts import BusinessNumber
from sayso.simulator.world.messages import Message
from sayso.simulator.world.people import Person
from sayso.simulator.world.world import World

DAY_S = 24 * 3600
_BEYOND_ASCII = re.compile(r"[^\x00-\x7f]+")
_PLANE = 0x10000
_encode = msgspec.json.Encoder().encode


def escaped(payload: Any) -> bytes:
    r"""Serialise as Meta does before signing (4.3).

    Non-ASCII as lower-case ``\uXXXX``, ``/`` as ``\/``, and ``<``, ``%``, ``@`` as ``\u003C``, ``\u0025``,
    ``\u0040``; control characters as JSON's escapes, DEL among them. None of these stands outside a JSON string, so
    replacing them afterwards is safe.
    """
    try:
        text = _encode(payload)
    except UnicodeEncodeError:  # half a surrogate pair, which a client's escapes may hold
        text = json.dumps(payload, separators=(",", ":")).encode("ascii")
    if not text.isascii():
        text = _BEYOND_ASCII.sub(_as_escapes, text.decode()).encode("ascii")
    return (
        text.replace(b"/", rb"\/")
        .replace(b"<", rb"\u003C")
        .replace(b"%", rb"\u0025")
        .replace(b"@", rb"\u0040")
        .replace(b"\x7f", rb"\u007f")
    )


def _as_escapes(found: re.Match[str]) -> str:
    """Write characters as UTF-16 code units, which is what JSON's escapes are."""
    return "".join(
        f"\\u{ord(each):04x}"
        if ord(each) < _PLANE
        else f"\\u{0xD7C0 + (ord(each) >> 10):04x}\\u{0xDC00 + (ord(each) & 0x3FF):04x}"
        for each in found[0]
    )


def messages_value(number: BusinessNumber, value: dict[str, Any]) -> dict[str, Any]:
    """Complete a value of the field ``messages`` with the number it came by (4.6)."""
    metadata = {"display_phone_number": number.digits, "phone_number_id": number.phone_number_id}
    return {"messaging_product": "whatsapp", "metadata": metadata, **value}


def contact(person: Person, user_id: str, *, shown: bool = True, identity: bool = False) -> dict[str, Any]:
    """Describe a person as in ``contacts[]`` (4.6), by their BSUID towards the portfolio that is told (4.7).

    ``wa_id`` is there only where their phone is ``shown``.

    ``identity`` adds the hash of their key, for numbers that check for identity changes.
    """
    told: dict[str, Any] = {"profile": {"name": person.name}}
    if person.username is not None:
        told["profile"]["username"] = person.username
    if shown:
        told["wa_id"] = person.wa_id
    told["user_id"] = user_id
    if person.parent_user_id is not None:
        told["parent_user_id"] = person.parent_user_id
    if identity and person.identity_hash:
        told["identity_key_hash"] = person.identity_hash
    return told


def inbound_value(
    person: Person, user_id: str, message: Message, *, shown: bool = True, identity: bool = False
) -> dict[str, Any]:
    """Compose the value that tells of an inbound message (4.8)."""
    return {
        "contacts": [contact(person, user_id, shown=shown, identity=identity)],
        "messages": [message.body],
    }


def status_value(
    world: World, person: Person, message: Message, status: str, *, priced: bool
) -> dict[str, Any]:
    """Compose the value that tells of a status (4.9), echoing ``biz_opaque_callback_data`` (2.1).

    ``priced`` ones carry pricing: ``sent``, and one of ``delivered`` and ``read``. A message sent to a phone is told
    with that phone; one sent to a BSUID as far as the phone is known to the business (4.7).
    """
    number = world.accounts.numbers[message.phone_number_id]
    shown = not message.by_user_id or world.phone_shown(person, number)
    user_id = world.user_id(person, number)
    told: dict[str, Any] = {"id": message.wamid, "status": status, "timestamp": str(int(world.clock.now()))}
    if shown:
        told["recipient_id"] = person.wa_id
    if status != "failed" or message.by_user_id:  # no user id when a message to a phone failed (4.7)
        told["recipient_user_id"] = user_id
        if person.parent_user_id is not None:
            told["recipient_parent_user_id"] = person.parent_user_id
    if message.callback_data is not None:
        told["biz_opaque_callback_data"] = message.callback_data
    if status == "failed":
        told["errors"] = message.errors
        return _failed(world, person, message, told)
    if priced and message.pricing is not None:
        told |= _priced(world, message, status)
    return {
        "contacts": [contact(person, user_id, shown=shown, identity=number.identity_check)],
        "statuses": [told],
    }


def _failed(world: World, person: Person, message: Message, told: dict[str, Any]) -> dict[str, Any]:
    if message.by_user_id or not world.config.failed_contacts:
        return {"statuses": [told]}
    return {"contacts": [{"wa_id": person.wa_id}], "statuses": [told]}


def _priced(world: World, message: Message, status: str) -> dict[str, Any]:
    """Tell what it costs, and the conversation where this version of the payload has one (4.9)."""
    pricing = message.pricing or {}
    free = pricing["type"] == "free_entry_point"
    if since_v24(world.config.webhook_version) and not free:
        return {"pricing": pricing}
    thread = world.thread(message.phone_number_id, message.wa_id)
    until = thread.free_until if free else message.at + DAY_S
    conversation: dict[str, Any] = {"id": _conversation_id(message, until if free else None)}
    if status == "sent" and until is not None:
        conversation["expiration_timestamp"] = str(int(until))
    conversation["origin"] = {"type": "referral_conversion" if free else pricing["category"]}
    return {"conversation": conversation, "pricing": pricing}


def _conversation_id(message: Message, window: float | None) -> str:
    """Tell the id of a conversation: one for a free entry point's window, else each message has its own (4.9)."""
    of = message.wamid if window is None else f"{message.phone_number_id}/{message.wa_id}/{int(window)}"
    return hashlib.sha256(of.encode()).hexdigest()[:32]
