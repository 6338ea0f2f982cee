"""The JSON of webhooks: envelope, contacts, inbound messages, statuses, Meta's escaping (cloud-api.md 4)."""

import json
from typing import Any

from sayso.simulator.world.accounts import BusinessNumber
from sayso.simulator.world.messages import Message
from sayso.simulator.world.people import Person


def escaped(payload: Any) -> bytes:
    r"""Serialise as Meta does before signing (4.3).

    Non-ASCII as lower-case ``\uXXXX``, ``/`` as ``\/``, and ``<``, ``%``, ``@`` as ``\u003C``, ``\u0025``,
    ``\u0040``. None of these stands outside a JSON string, so replacing them afterwards is safe.
    """
    text = json.dumps(payload, ensure_ascii=True, separators=(",", ":"))
    return (
        text.replace("/", r"\/")
        .replace("<", r"\u003C")
        .replace("%", r"\u0025")
        .replace("@", r"\u0040")
        .encode("ascii")
    )


def envelope(waba_id: str, change: dict[str, Any], at: int | None = None) -> dict[str, Any]:
    """Wrap one change (4.4); ``at`` is ``entry.time``, absent for the field ``messages``."""
    entry: dict[str, Any] = {"id": waba_id}
    if at is not None:
        entry["time"] = at
    entry["changes"] = [change]
    return {"object": "whatsapp_business_account", "entry": [entry]}


def messages_value(number: BusinessNumber, value: dict[str, Any]) -> dict[str, Any]:
    """Complete a value of the field ``messages`` with the number it came by (4.6)."""
    metadata = {"display_phone_number": number.digits, "phone_number_id": number.phone_number_id}
    return {"messaging_product": "whatsapp", "metadata": metadata, **value}


def contact(person: Person) -> dict[str, Any]:
    """Describe a person as in ``contacts[]`` (4.6)."""
    return {"profile": {"name": person.name}, "wa_id": person.wa_id, "user_id": person.user_id}


def inbound_value(person: Person, message: Message) -> dict[str, Any]:
    """Compose the value that tells of an inbound message (4.8)."""
    return {"contacts": [contact(person)], "messages": [message.body]}


def status_value(person: Person, message: Message, status: str, at: float) -> dict[str, Any]:
    """Compose the value that tells of a status (4.9), echoing ``biz_opaque_callback_data`` (2.1)."""
    told: dict[str, Any] = {
        "id": message.wamid,
        "status": status,
        "timestamp": str(int(at)),
        "recipient_id": person.wa_id,
    }
    if message.callback_data is not None:
        told["biz_opaque_callback_data"] = message.callback_data
    if status == "failed":
        told["errors"] = message.errors
        if message.by_user_id:
            told["recipient_user_id"] = person.user_id
        return {"statuses": [told]}  # no contacts, and no user id when sent to a phone (4.6, 4.7)
    told["recipient_user_id"] = person.user_id
    if status in ("sent", "delivered"):
        told["pricing"] = _pricing(message)
    return {"contacts": [contact(person)], "statuses": [told]}


def _pricing(message: Message) -> dict[str, Any]:
    """Price per delivered message (4.9, 7.3). ``conversation`` is omitted, as webhooks from v24.0 on do.

    Which ``type`` marks the free service messages since October 2026 is not known; the older one is kept.
    """
    category = message.content.category
    free = category == "service"
    return {
        "billable": not free,
        "pricing_model": "PMP",
        "category": category,
        "type": "free_customer_service" if free else "regular",
    }
