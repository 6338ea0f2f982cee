"""Reads one exploded update into a typed one: a message, a status, or anything else.

The shapes are those of cloud-api 4.6 to 4.11. Only what makes an update what it is must be there (an id and a
sender, an id and a status); everything else may be missing, unknown or of another type and is then None.
Every text that comes out is safe for PostgreSQL: NUL and lone surrogates are U+FFFD.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sayso.whatsapp.explode import RawUpdate, explode
from sayso.whatsapp.failures import GraphError, graph_errors
from sayso.whatsapp.tolerant import UnloadableError, load

__all__ = [
    "GraphError",
    "Identity",
    "InboundMessage",
    "OtherUpdate",
    "RawUpdate",
    "StatusUpdate",
    "UnreadableUpdateError",
    "explode",
    "read",
]

_MILLISECONDS_FROM = 100_000_000_000
"""A time beyond this (the year 5138 in seconds) is in milliseconds (messaging-facts, webhook lag)."""


class UnreadableUpdateError(Exception):
    """An update without the parts that make it what it is; ``reason`` says which."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Identity:
    """Who, by every id the payload gives, exactly as Meta gave it; any of them may be None (cloud-api 4.7).

    ``bsuid`` is scoped to our business portfolio; ``wa_id`` is digits and never validated: real people have
    numbers that validators refuse. ``name`` and ``username`` are for display only.
    """

    bsuid: str | None = None
    parent_bsuid: str | None = None
    wa_id: str | None = None
    name: str | None = None
    username: str | None = None


@dataclass(frozen=True, slots=True)
class InboundMessage:
    """One message from a person (cloud-api 4.8).

    ``type`` is Meta's word, unknown ones included. ``text`` is what was typed, or the label of what was
    tapped; ``payload`` is the id behind the tap. ``reaction`` is (wamid, emoji), "" when it was taken back.
    ``system`` holds Meta's object about a change of number or identity; ``referred`` tells that the person came by
    an ad or a page's button.
    """

    wamid: str
    phone_number_id: str
    waba_id: str
    person: Identity
    sent_at: datetime | None
    type: str
    text: str | None
    payload: str | None
    quoted_wamid: str | None
    forwarded: bool
    group_id: str | None
    reaction: tuple[str, str] | None
    system: dict[str, Any] | None
    errors: tuple[GraphError, ...]
    referred: bool = False


@dataclass(frozen=True, slots=True)
class StatusUpdate:
    """What became of one of our messages (cloud-api 4.9); ``status`` is lower-case, unknown words included.

    ``callback`` is our own ``biz_opaque_callback_data``. ``recipient`` of a group message is the member.
    """

    wamid: str
    phone_number_id: str
    status: str
    at: datetime | None
    recipient: Identity
    callback: str | None
    errors: tuple[GraphError, ...]
    pricing: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class OtherUpdate:
    """Everything else: one ``error``, one ``user_preferences`` item, or the whole value of a field.

    ``waba_id`` and ``at`` are the envelope's: whose account it is about, and when Meta said it.
    """

    kind: str
    phone_number_id: str
    value: Any
    waba_id: str = ""
    at: datetime | None = None


def read(kind: str, item: bytes, context: bytes) -> InboundMessage | StatusUpdate | OtherUpdate:
    """Read one RawUpdate by its three parts. Raises UnreadableUpdateError."""
    if kind == "malformed":
        raise UnreadableUpdateError("not in the shape of a webhook")
    try:
        value, around = load(item), load(context)
    except UnloadableError as error:
        raise UnreadableUpdateError(str(error)) from error
    around = _dict(around)
    if kind in ("message", "status"):
        if not isinstance(value, dict):
            raise UnreadableUpdateError(f"a {kind} that is not an object")
        return _message(value, around) if kind == "message" else _status(value, around)
    waba_id = _text(around.get("waba_id")) or ""
    return OtherUpdate(kind, _number_id(around), value, waba_id, _time(around.get("time")))


def _message(value: dict[str, Any], around: dict[str, Any]) -> InboundMessage:
    wamid, contact = _text(value.get("id")), _dict(around.get("contact"))
    system = value.get("system") if isinstance(value.get("system"), dict) else None
    person = _sender(value, contact, _dict(system))
    if wamid is None:
        raise UnreadableUpdateError("a message without id")
    if person.bsuid is None and person.wa_id is None:
        raise UnreadableUpdateError("a message without a sender")
    text, payload = _said(value)
    context = _dict(value.get("context"))
    return InboundMessage(
        wamid=wamid,
        phone_number_id=_number_id(around),
        waba_id=_text(around.get("waba_id")) or "",
        person=person,
        sent_at=_time(value.get("timestamp")),
        type=_text(value.get("type")) or "",
        text=text,
        payload=payload,
        quoted_wamid=_text(context.get("id")),
        forwarded=context.get("forwarded") is True or context.get("frequently_forwarded") is True,
        group_id=_text(value.get("group_id")),
        reaction=_reaction(value),
        system=system,
        errors=graph_errors(value.get("errors")),
        referred=bool(_dict(value.get("referral"))),
    )


def _status(value: dict[str, Any], around: dict[str, Any]) -> StatusUpdate:
    wamid, status = _text(value.get("id")), _text(value.get("status"))
    if wamid is None or status is None:
        raise UnreadableUpdateError("a status without " + ("id" if wamid is None else "status"))
    pricing = value.get("pricing")
    return StatusUpdate(
        wamid=wamid,
        phone_number_id=_number_id(around),
        status=status.lower(),
        at=_time(value.get("timestamp")),
        recipient=_recipient(value, _dict(around.get("contact"))),
        callback=_text(value.get("biz_opaque_callback_data")),
        errors=graph_errors(value.get("errors")),
        pricing=pricing if isinstance(pricing, dict) else None,
    )


def _said(value: dict[str, Any]) -> tuple[str | None, str | None]:
    """Return (text, payload): what was typed, or the label and the id of what was tapped."""
    kind = value.get("type")
    if kind == "text":
        return _text(_dict(value.get("text")).get("body")), None
    if kind == "button":
        button = _dict(value.get("button"))
        return _text(button.get("text")), _text(button.get("payload"))
    if kind == "interactive":
        interactive = _dict(value.get("interactive"))
        reply = _dict(interactive.get("button_reply")) or _dict(interactive.get("list_reply"))
        return _text(reply.get("title")), _text(reply.get("id"))
    return None, None


def _reaction(value: dict[str, Any]) -> tuple[str, str] | None:
    reaction = _dict(value.get("reaction"))
    wamid = _text(reaction.get("message_id"))
    return None if wamid is None else (wamid, _text(reaction.get("emoji")) or "")


def _sender(value: dict[str, Any], contact: dict[str, Any], system: dict[str, Any]) -> Identity:
    """Join the message's own ids with the contact's; a change of number names the identity before it."""
    before = _text(system.get("previous_user_id"))
    return _identity(
        bsuid=_text(value.get("from_user_id")) or before,
        parent=_text(value.get("from_parent_user_id")),
        wa_id=_text(value.get("from")),
        contact=contact,
    )


def _recipient(value: dict[str, Any], contact: dict[str, Any]) -> Identity:
    member = _text(value.get("recipient_participant_id"))
    member_user = _text(value.get("recipient_participant_user_id"))
    if member or member_user or value.get("recipient_type") == "group":
        return _identity(bsuid=member_user, parent=None, wa_id=member, contact=contact)
    return _identity(
        bsuid=_text(value.get("recipient_user_id")),
        parent=_text(value.get("recipient_parent_user_id")),
        wa_id=_text(value.get("recipient_id")),
        contact=contact,
    )


def _identity(
    *, bsuid: str | None, parent: str | None, wa_id: str | None, contact: dict[str, Any]
) -> Identity:
    profile = _dict(contact.get("profile"))
    return Identity(
        bsuid=bsuid or _text(contact.get("user_id")),
        parent_bsuid=parent or _text(contact.get("parent_user_id")),
        wa_id=wa_id or _text(contact.get("wa_id")),
        name=_text(profile.get("name")),
        username=_text(profile.get("username")),
    )


def _number_id(around: dict[str, Any]) -> str:
    return _text(_dict(around.get("metadata")).get("phone_number_id")) or ""


def _time(value: Any) -> datetime | None:
    """Read unix seconds given as text, as Meta does, or as a number, or in milliseconds; UTC."""
    if (
        isinstance(value, str)
        and value.isascii()
        and value.isdigit()
        and len(value) <= len("1795000000000000")
    ):
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or value <= 0:
        return None
    seconds = value / 1000 if value >= _MILLISECONDS_FROM else value
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: Any) -> str | None:
    """Return a text that says something; the digits of a number, since ids have come as both."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value if isinstance(value, str) and value else None
