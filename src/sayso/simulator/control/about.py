"""What a row of a log is about, in few words: whom, which type of message, how it begins, how far it came."""

from typing import Any

import msgspec

from sayso.simulator.graph.exchanges import Exchange
from sayso.simulator.webhooks.delivery import Delivery
from sayso.simulator.world.messages import Message
from sayso.simulator.world.numbers import digits_of
from sayso.simulator.world.world import World

WORDS_AT_MOST = 80
_SENDS = "messages"


class _Sent(msgspec.Struct):
    """What is looked for in a body; anything may stand there, as it may be what was refused."""

    to: Any = None
    recipient: Any = None
    type: Any = None
    text: Any = None
    status: Any = None
    message_id: Any = None
    typing_indicator: Any = None


_READ = msgspec.json.Decoder(_Sent)


def of_exchange(exchange: Exchange, world: World) -> dict[str, Any] | None:
    """Tell which message a call sent, or wanted to send; None for calls that are about none."""
    message = world.messages.get(exchange.wamid or "")
    if message is not None:
        return of_message(message, world)
    if exchange.route != _SENDS or not exchange.body:
        return None
    try:
        sent = _READ.decode(exchange.body)
    except msgspec.DecodeError:
        return None
    return _of_receipt(sent, world) if sent.status is not None else _of_attempt(sent, world)


def of_webhook(delivery: Delivery, world: World) -> dict[str, Any] | None:
    """Tell which message a webhook is about, of several the first; None for webhooks that are about none."""
    told = (world.messages.get(each.message_id or "") for each in delivery.told)
    message = next((each for each in told if each is not None), None)
    return None if message is None else of_message(message, world)


def of_message(message: Message, world: World) -> dict[str, Any]:
    """Tell of a message: ``error_code`` is that of its late failure."""
    failed = message.errors[0]["code"] if message.status == "failed" and message.errors else None
    return {
        "type": message.type,
        **_whom(message.wa_id, world),
        "words": _begin(message.content.shown or message.content.template),
        "status": message.status,
        "error_code": failed,
    }


def _of_receipt(sent: _Sent, world: World) -> dict[str, Any]:
    read = world.messages.get(sent.message_id) if isinstance(sent.message_id, str) else None
    whom = {"phone": None, "name": None} if read is None else _whom(read.wa_id, world)
    kind = "read receipt" if sent.typing_indicator is None else "typing indicator"
    return {"type": kind, **whom, "words": "", "status": None, "error_code": None}


def _of_attempt(sent: _Sent, world: World) -> dict[str, Any]:
    named = next((each for each in (sent.to, sent.recipient) if isinstance(each, str) and each), None)
    person = world.people.get(digits_of(named)) if named else None
    body = sent.text.get("body") if isinstance(sent.text, dict) else None
    return {
        "type": sent.type if isinstance(sent.type, str) else "text",
        "phone": named and named[:WORDS_AT_MOST],
        "name": person and person.name,
        "words": _begin(body if isinstance(body, str) else ""),
        "status": None,
        "error_code": None,
    }


def _whom(wa_id: str, world: World) -> dict[str, Any]:
    person = world.people.get(wa_id)
    return {"phone": f"+{wa_id}", "name": person and person.name}


def _begin(words: str | None) -> str:
    """Cut to the first words, on one line."""
    return " ".join((words or "")[: WORDS_AT_MOST * 2].split())[:WORDS_AT_MOST]
