"""Signed webhook posts in the shape Meta gives them, made before the clock starts."""

import hashlib
import hmac
import json
import time
from collections.abc import Iterator
from typing import Any

PATH = "/api/v1/whatsapp/webhook"
SECRET = b"sim-secret"
PHONE_NUMBER_ID = "100000000000001"
WABA_ID = "200000000000001"


def wamid(number: int, series: str) -> str:
    """An id of Meta's length."""
    return f"wamid.HBgLMTU1NTAwMDAwMDAVAgARGBI{series}{number:016X}AA=="


def digits(number: int) -> str:
    """The ``wa_id`` of the person with this number."""
    return f"1555{number:07d}"


def user_id(number: int) -> str:
    """Their id within our business (BSUID)."""
    return f"US.{number:020d}"


def contact(number: int) -> dict[str, Any]:
    """How Meta describes a person."""
    return {"profile": {"name": f"Person {number}"}, "wa_id": digits(number), "user_id": user_id(number)}


def status(number: int, wamid_: str, state: str, *, callback: str | None = None) -> dict[str, Any]:
    """One status of a message to a person."""
    told = {
        "id": wamid_,
        "status": state,
        "timestamp": str(int(time.time())),
        "recipient_id": digits(number),
        "recipient_user_id": user_id(number),
        "pricing": {
            "billable": True,
            "pricing_model": "PMP",
            "category": "utility",
            "type": "regular",
        },
    }
    return told | ({"biz_opaque_callback_data": callback} if callback else {})


def said(number: int, wamid_: str, text: str) -> dict[str, Any]:
    """One text from a person."""
    return {
        "from": digits(number),
        "from_user_id": user_id(number),
        "id": wamid_,
        "timestamp": str(int(time.time())),
        "type": "text",
        "text": {"body": text},
    }


def tapped(number: int, wamid_: str, payload: str) -> dict[str, Any]:
    """One tap on a template's quick reply."""
    return {
        "from": digits(number),
        "from_user_id": user_id(number),
        "id": wamid_,
        "timestamp": str(int(time.time())),
        "type": "button",
        "button": {"payload": payload, "text": "Confirm"},
    }


def body(**lists: list[dict[str, Any]]) -> bytes:
    """A whole webhook, escaped as Meta escapes it."""
    value = {
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": "15550100000", "phone_number_id": PHONE_NUMBER_ID},
        **lists,
    }
    change = {"value": value, "field": "messages"}
    whole = {"object": "whatsapp_business_account", "entry": [{"id": WABA_ID, "changes": [change]}]}
    return json.dumps(whole, separators=(",", ":")).replace("/", r"\/").encode()


def request(content: bytes) -> bytes:
    """The signed HTTP request, ready for the wire."""
    signature = hmac.new(SECRET, content, hashlib.sha256).hexdigest()
    return (
        f"POST {PATH} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        f"User-Agent: facebookexternalua\r\nX-Hub-Signature-256: sha256={signature}\r\n"
        f"Content-Length: {len(content)}\r\n\r\n"
    ).encode() + content


def singles(count: int, series: str) -> Iterator[bytes]:
    """One update a post: three statuses for every text, of 5,000 people."""
    for number in range(count):
        person = number % 5_000
        if number % 4:
            state = ("read", "sent", "delivered")[number % 4 - 1]
            told = status(person, wamid(number, series), state, callback=f"msg_{number:026d}")
            yield request(body(contacts=[contact(person)], statuses=[told]))
        else:
            text = f"Thank you, that suits me well. See you there, number {number}!"
            yield request(
                body(contacts=[contact(person)], messages=[said(person, wamid(number, series), text)])
            )


def hundreds(count: int, series: str) -> Iterator[bytes]:
    """A hundred statuses a post."""
    for number in range(count):
        many = [
            status(each % 5_000, wamid(each, series), "delivered", callback=f"msg_{each:026d}")
            for each in range(number * 100, number * 100 + 100)
        ]
        yield request(body(statuses=many))
