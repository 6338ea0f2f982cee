"""How the world looks from outside: to the phone page, and to whoever asks what was sent."""

from typing import Any

from sayso.simulator.rules.window import is_open, window_until
from sayso.simulator.world.messages import Message
from sayso.simulator.world.people import Person
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
    """Describe a message of either direction as a bubble."""
    content = message.content
    return {
        **status_on_phone(message),
        "from_business": message.outbound,
        "at": message.at,
        "header": content.header,
        "body": content.body,
        "footer": content.footer,
        "buttons": [button.title for button in content.buttons],
        "template": content.template,
        "quote": _quote(message, world),
    }


def status_on_phone(message: Message) -> dict[str, Any]:
    """Describe how far a message got."""
    error = message.errors[0] if message.errors and message.status == "failed" else None
    return {
        "wamid": message.wamid,
        "wa_id": message.wa_id,
        "status": message.status,
        "error": error and {"code": error["code"], "title": error["title"], **error["error_data"]},
    }


def person_on_phone(person: Person, world: World) -> dict[str, Any]:
    """Describe a person and their window with the business."""
    thread = world.thread(world.number.phone_number_id, person.wa_id)
    now = world.clock.now()
    return {
        "phone": person.phone,
        "wa_id": person.wa_id,
        "name": person.name,
        "user_id": person.user_id,
        "window_open": is_open(thread, now),
        "window_until": window_until(thread),
        "typing_until": thread.typing_until if thread.typing_until > now else None,
    }


def clock_on_phone(world: World) -> dict[str, Any]:
    """Describe the simulated clock."""
    return {"now": world.clock.now(), "offset_s": world.clock.offset_s}


def _quote(message: Message, world: World) -> dict[str, Any] | None:
    """Describe the quoted message; the quote is silently dropped when the original is gone (2.1)."""
    quoted = world.messages.get(message.quote or "")
    if quoted is None:
        return None
    return {"wamid": quoted.wamid, "from_business": quoted.outbound, "words": quoted.content.shown}
