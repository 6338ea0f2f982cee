"""What Meta accepts as a message: the envelope, the text, and which reader takes the rest (cloud-api.md 2.1 to 2.9)."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from sayso.simulator.errors import GraphError
from sayso.simulator.fields import NO_LIMIT, choice_at, flag_at, object_at, text_at, within, words_at
from sayso.simulator.outgoing.contacts import contacts
from sayso.simulator.outgoing.interactive import interactive
from sayso.simulator.outgoing.location import location
from sayso.simulator.outgoing.media import MEDIA_TYPES, media
from sayso.simulator.outgoing.reaction import reaction
from sayso.simulator.outgoing.reading import Reading
from sayso.simulator.outgoing.template import template
from sayso.simulator.world.accounts import BusinessNumber
from sayso.simulator.world.content import Content
from sayso.simulator.world.people import Person
from sayso.simulator.world.world import World

TEXT_BODY = 4096  # 2.3
CALLBACK_DATA = 512  # 2.1

#: What people send and businesses cannot (4.8): the platform knows the word and refuses it with 131051.
INBOUND_TYPES = frozenset({"button", "edit", "order", "poll", "revoke", "system", "unknown", "unsupported"})


def check_envelope(body: dict[str, Any]) -> None:
    """Check the fields common to all messages (2.1). Graph ignores unknown keys at this level."""
    choice_at(body, "messaging_product", "messaging_product", ("whatsapp",))
    if body.get("recipient_type") not in (None, "individual"):
        _check_recipient_type(body)
    callback_data = body.get("biz_opaque_callback_data")
    if callback_data is not None:
        if not isinstance(callback_data, str):
            raise GraphError(100, "Param biz_opaque_callback_data must be a string.")
        within(callback_data, "biz_opaque_callback_data", CALLBACK_DATA)
    if body.get("category") is not None:
        _check_category(body)


def quote_of(body: dict[str, Any]) -> str | None:
    """Return the wamid this message quotes (2.1); an unknown one later just shows no quote bubble."""
    if body.get("context") is None:
        return None
    context = object_at(body, "context", "context", ("message_id",))
    return text_at(context, "message_id", "context['message_id']", limit=NO_LIMIT)


def read_content(body: dict[str, Any], world: World, number: BusinessNumber, person: Person) -> Content:
    """Check the part of a message that belongs to its type, and return what the person will see.

    What Meta would find out only later is in the content's ``late``.
    """
    kind = "text" if body.get("type") is None else _type_of(body)
    reading = Reading(world, number, person)
    content = _READERS[kind](body, reading)
    if body.get("recipient_identity_key_hash") is not None:
        _check_identity(body, reading)
    return content if reading.late is None else replace(content, late=reading.late)


def _type_of(body: dict[str, Any]) -> str:
    if isinstance(body["type"], str) and body["type"] in INBOUND_TYPES:
        raise GraphError(131051, f"Message type {body['type']} cannot be sent by a business.")
    return choice_at(body, "type", "type", _READERS)


def _check_recipient_type(body: dict[str, Any]) -> None:
    """Refuse groups as Meta refuses a number that has no access to them (1312xx)."""
    if choice_at(body, "recipient_type", "recipient_type", ("individual", "group")) == "group":
        raise GraphError(
            131215, "Groups APIs are only available for eligible phone numbers; groups are not simulated."
        )


def _check_category(body: dict[str, Any]) -> None:
    """Refuse Direct Send (2.9) as Meta refuses a business that has not accepted the beta's terms.

    ``service`` is an ordinary message; a template has its own category, and the key means nothing beside it.
    """
    choices = ("authentication", "marketing", "service", "utility")
    if (
        str(body.get("type")).lower() == "template"
        or choice_at(body, "category", "category", choices) == "service"
    ):
        return
    raise GraphError(
        100,
        f"Param category: this business is not eligible for Direct Send, so it cannot send {body['category']} "
        "messages without a template; Direct Send is not simulated.",
    )


def _check_identity(body: dict[str, Any], reading: Reading) -> None:
    """With the number's identity check on, a message goes only to the identity it names; else 137000 (2.1)."""
    named = words_at(body, "recipient_identity_key_hash", "recipient_identity_key_hash")
    if reading.number.identity_check and named != reading.person.identity_hash:
        reading.fail_later(
            137000, "Recipient identity key hash in the send message request does not match the latest one."
        )


def _text(body: dict[str, Any], _: Reading) -> Content:
    text = object_at(body, "text", "text", ("body", "preview_url"))
    preview = flag_at(text, "preview_url", "text['preview_url']")
    return Content(text_at(text, "body", "text['body']", limit=TEXT_BODY), preview_url=preview)


_READERS: dict[str, Callable[[dict[str, Any], Reading], Content]] = {
    "text": _text,
    "interactive": interactive,
    "template": template,
    "location": location,
    "contacts": contacts,
    "reaction": reaction,
    **dict.fromkeys(MEDIA_TYPES, media),
}
#: Every type that a business sends (2.1).
TYPES = frozenset(_READERS)
