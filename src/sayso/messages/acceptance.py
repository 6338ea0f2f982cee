"""Accepting a message: may it be sent, as what, in which language; refused with its reason, or queued."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from sayso.consent import service as consent
from sayso.core import faults
from sayso.core.database import Tx
from sayso.core.errors import ConsentMissingError, Fault, InputInvalidError, WindowClosedError
from sayso.core.runtime import Runtime
from sayso.core.tokens import Actor
from sayso.messages import conversations, service, templating
from sayso.messages.acceptance_advice import Window, advice
from sayso.messages.recipients import resolve
from sayso.messages.requests import SendIn
from sayso.messages.service import Draft
from sayso.people import service as people
from sayso.people.service import Person
from sayso.senders import service as senders
from sayso.templates.rules import Mirrored
from sayso.whatsapp.content import Content, Reaction, Template

_OUR_ID = "msg_"
#: In these states a message may still be accepted; what was erased or settled by hand has no wamid in any other.
_YET = ("queued", "sending", "unknown")


@dataclass(frozen=True, slots=True)
class Asked:
    """A request with what it is to send, in and outside the window."""

    body: SendIn
    content: Content
    outside: Template | None


async def accept(tx: Tx, rt: Runtime, actor: Actor, asked: Asked) -> dict[str, Any]:
    """Queue a message; its id and how it stands.

    Raises :class:`InputInvalidError`, :class:`PersonUnknownError`, :class:`OptedOutError`,
    :class:`ConsentMissingError`, :class:`WindowClosedError`, :class:`TemplateUnknownError`: then nothing is queued.
    """
    body = asked.body
    if body.dedupe_key is not None and (same := await _same(tx, rt, actor, body.dedupe_key)):
        return same
    send_at, expires_at = body.times(rt.now())
    person, _ = await resolve(tx, rt, actor, body.recipient)
    sender = sender_of(rt, body.sender)
    window = await _window(tx, rt, person, sender)
    await _permitted(tx, rt, person, body, window)
    content, outside, priced = await _filled(tx, rt, person, asked, window)
    if window.closed and send_at is None and outside is None and not isinstance(content, Template):
        raise WindowClosedError(
            f"Nothing was queued: {window.closed}. Give a `fallback`, or send a template (message_type 'template')."
        )
    draft = Draft(
        client_id=actor.client_id,
        person=person,
        phone_number_id=sender,
        purpose="send",
        content=await _aimed(tx, actor, content),
        expires_at=expires_at,
        outside_window=outside,
        needs_window=body.category == "service",
        quotes=await _wamid(tx, actor, body.quotes, "/quotes") if body.quotes is not None else None,
        category=body.category,
        send_at=send_at,
        if_unknown=body.if_unknown,
        dedupe=body.dedupe_key,
        price_estimate=priced,
    )
    message_id = await service.send(tx, rt, draft)
    times = send_at, expires_at
    advised = None if isinstance(content, Template) else _advice(window, send_at, outside)
    return _told(message_id, "queued", body.message_type, window.said, times, advised=advised)


def _advice(window: Window, send_at: datetime | None, outside: Template | None) -> str | None:
    return advice(window, send_at, None if outside is None else f"{outside.name} ({outside.language})")


def _told(
    message_id: str,
    state: str,
    kind: str,
    window: str,
    times: tuple[datetime | None, datetime],
    *,
    advised: str | None = None,
) -> dict[str, Any]:
    """A message as ``views.SentOut``."""
    return {
        "id": message_id,
        "state": state,
        "message_type": kind,
        "window": window,
        "send_at": times[0],
        "expires_at": times[1],
        "advice": advised,
    }


async def _window(tx: Tx, rt: Runtime, person: Person, sender: str) -> Window:
    talks = await conversations.read(tx, [person])
    talk = talks.of(person, sender)
    return Window.of(talk.opened_at, talks.heard_since.get(sender), rt.now(), refused_at=talk.refused_at)


def _inside(window: Window, send_at: datetime | None) -> None:
    """An answer is not scheduled for when the window that it rests on has closed."""
    if send_at is not None and window.until is not None and send_at >= window.until:
        ends = f"{window.until:%Y-%m-%dT%H:%M:%SZ}"
        detail = f"an answer (category service) goes out inside the 24-hour window only, which ends at {ends}"
        raise faults.wrong("/send_at", detail)


async def _permitted(tx: Tx, rt: Runtime, person: Person, body: SendIn, window: Window) -> None:
    if body.category == "service" and not window.open:
        raise ConsentMissingError(
            "Nothing was queued: category service is for answers to what the person wrote in the last 24 hours."
        )
    await consent.check(tx, rt, person, body.category, initiated=not window.open)
    if body.category == "service":
        _inside(window, body.send_at)


async def _same(tx: Tx, rt: Runtime, actor: Actor, key: str) -> dict[str, Any] | None:
    """The message that was queued with this key before, as it stands."""
    row = await service.by_dedupe(tx, actor.client_id, key)
    if row is None:
        return None
    window = await _window(tx, rt, await people.get(tx, row["person_id"]), row["phone_number_id"])
    return _told(row["id"], row["state"], row["type"], window.said, (row["send_at"], row["expires_at"]))


def sender_of(rt: Runtime, wanted: str | None) -> str:
    """The phone number id to send from: the one asked for, which must be ours, or the first."""
    if wanted is None:
        return rt.settings.whatsapp_phone_number_id
    if not senders.known(rt, wanted):
        raise faults.wrong("/sender", "is none of this service's phone number ids; GET /senders lists them")
    return wanted


async def _filled(
    tx: Tx, rt: Runtime, person: Person, asked: Asked, window: Window
) -> tuple[Content, Template | None, str | None]:
    """What is to be sent, its templates in the person's language and checked; and a template's category at Meta.

    A template that would go now and is marketing to Meta is so to the person as well, whatever the caller calls it.
    """
    content, outside = asked.content, asked.outside
    mirrored: Mirrored | None = None
    if isinstance(content, Template):
        content, mirrored = await templating.resolve(tx, rt, person, content, at="/template")
    if outside is not None:
        outside, mirrored = await templating.resolve(tx, rt, person, outside, at="/fallback")
    priced = mirrored.category.lower() if mirrored is not None else None
    if priced == "marketing" and (outside is None or not window.open):
        await consent.check(tx, rt, person, priced, initiated=not window.open)
    return content, outside, priced


async def _aimed(tx: Tx, actor: Actor, content: Content) -> Content:
    """A reaction, with Meta's id of the message that it is on."""
    if not isinstance(content, Reaction):
        return content
    wamid = await _wamid(tx, actor, content.message_id, "/reaction/message_id")
    return msgspec.structs.replace(content, message_id=wamid)


async def _wamid(tx: Tx, actor: Actor, named: str, pointer: str) -> str:
    """Meta's id of a message: of one of the assistant's own by our id, else as it is given."""
    if not named.startswith(_OUR_ID):
        return named
    row = await service.get(tx, named)
    if row is None or not actor.sees(row["client_id"]):
        detail = f"There is no message {named}."
    elif row["wamid"] is None:
        none = (
            "has not been accepted by Meta yet"
            if row["state"] in _YET
            else "has no id of Meta's that is known"
        )
        detail = f"The message {named} {none}; it is {row['state']}."
    else:
        return str(row["wamid"])
    raise InputInvalidError(detail, faults=[Fault(detail, pointer)])
