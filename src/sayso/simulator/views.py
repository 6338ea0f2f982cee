"""How the world looks from outside: to the pages, and to whoever asks what was sent."""

from typing import Any

import msgspec

from sayso.simulator.rules.window import is_open, window_until
from sayso.simulator.world.content import Content
from sayso.simulator.world.messages import Message
from sayso.simulator.world.people import Person, Thread
from sayso.simulator.world.world import World


def message_as_sent(message: Message) -> dict[str, Any]:
    """Describe an outbound message: the body exactly as sent, and beside it what the simulator knows."""
    return {
        "to": "+" + message.wa_id,
        **message.body,
        "type": message.type,
        "wamid": message.wamid,
        "wa_id": message.wa_id,
        "status": message.status,
        "shown": message.content.shown,
        "buttons": [button.title for button in message.content.buttons],
        "accepted_at": message.at,
        "errors": message.errors,
    }


def message_on_phone(message: Message, world: World) -> dict[str, Any]:
    """Describe a message of either direction as a bubble; its content without what is empty."""
    return {
        **status_on_phone(message),
        "phone_number_id": message.phone_number_id,
        "from_business": message.outbound,
        "at": message.at,
        "type": message.type,
        "content": _content(message.content, world),
        "quote": _quote(message, world),
        "forwarded": bool(message.body.get("context", {}).get("forwarded"))
        if not message.outbound
        else False,
    }


def status_on_phone(message: Message) -> dict[str, Any]:
    """Describe how far a message got, and what was done to it since."""
    error = message.errors[0] if message.errors and message.status == "failed" else None
    return {
        "wamid": message.wamid,
        "wa_id": message.wa_id,
        "status": message.status,
        "error": error and {"code": error["code"], "title": error["title"], **error["error_data"]},
        "reactions": dict(message.reactions),
        "edited": message.edited,
        "deleted": message.deleted,
        "touchable": message.untouchable is None,
    }


def person_on_phone(person: Person, world: World) -> dict[str, Any]:
    """Describe a person, their window with the first number, and their windows with every number they know."""
    thread = world.threads.get((world.number.phone_number_id, person.wa_id)) or Thread()
    now = world.clock.now()
    return {
        "phone": person.phone,
        "wa_id": person.wa_id,
        "name": person.name,
        "user_id": person.user_id,
        **person.facts(),
        "window_open": is_open(thread, now),
        "window_until": window_until(thread),
        "typing_until": thread.typing_until if thread.typing_until > now else None,
        "windows": _windows(person, world),
    }


def clock_on_phone(world: World) -> dict[str, Any]:
    """Describe the simulated clock; ``speed`` 0 is frozen."""
    return {"now": world.clock.now(), "offset_s": world.clock.offset_s, "speed": world.clock.speed}


def numbers_on_phone(world: World) -> list[dict[str, Any]]:
    """Describe the business numbers as contacts of everybody's phone."""
    return [
        {
            "phone_number_id": each.phone_number_id,
            "display_phone_number": each.digits,
            "verified_name": each.verified_name,
        }
        for each in world.accounts.numbers.values()
    ]


def _windows(person: Person, world: World) -> dict[str, Any]:
    now, told = world.clock.now(), {}
    for number in world.accounts.numbers:
        thread = world.threads.get((number, person.wa_id))
        if thread is not None:
            typing = thread.typing_until if thread.typing_until > now else None
            told[number] = {
                "until": window_until(thread),
                "typing_until": typing,
                "free_until": thread.free_until,
            }
    return told


def _content(content: Content, world: World) -> dict[str, Any]:
    """Describe what is seen; an attachment by an id that is no longer kept is ``missing``."""
    seen: dict[str, Any] = _without_empty(msgspec.to_builtins(content))
    for part in (seen, *seen.get("cards", ())):
        attachment = part.get("attachment")
        if attachment and "id" in attachment and attachment["id"] not in world.media:
            attachment["missing"] = True
    return seen


def _without_empty(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            key: _without_empty(each)
            for key, each in value.items()
            if each or (each == 0 and each is not False)
        }
    if isinstance(value, list | tuple):
        return [_without_empty(each) for each in value]
    return value


def _quote(message: Message, world: World) -> dict[str, Any] | None:
    """Describe the quoted message; the quote is silently dropped when the original is gone (2.1)."""
    quoted = world.messages.get(message.quote or "")
    if quoted is None:
        return None
    kind = quoted.content.attachment.kind if quoted.content.attachment else None
    return {
        "wamid": quoted.wamid,
        "from_business": quoted.outbound,
        "words": quoted.content.shown,
        "kind": kind,
    }
