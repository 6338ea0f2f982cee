"""Receiving: whether a POST is from your Sayso service, by the rules of Standard Webhooks. Needs nothing else."""

import base64
import binascii
import hmac
import json
import time
from collections.abc import Mapping
from typing import Any

#: How far the clock of a call may be from ours.
TOLERANCE_S = 300
#: An empty setting must not turn into a key that anybody can guess.
_LEAST_BYTES = 24


class ForgedError(Exception):
    """The POST is not from the service, was altered, or is an old one played again: answer 401 and do nothing."""


def verify(
    secret: str, headers: Mapping[str, str], body: bytes, *, now: float | None = None
) -> dict[str, Any]:
    """The event of a POST, once it is known to be genuine; raises :class:`ForgedError`.

    ``secret``: the endpoint's (``whsec_…``). ``body``: the bytes as they came. An event that you have dealt with may
    come again: keep their ``id``.
    """
    named = {name.lower(): value for name, value in headers.items()}
    try:
        event_id, seconds = named["webhook-id"], int(named["webhook-timestamp"])
        given = [each.partition(",") for each in named["webhook-signature"].split()]
        key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except (KeyError, ValueError, binascii.Error) as error:
        raise ForgedError("a header is missing, or the secret is not one") from error
    if len(key) < _LEAST_BYTES:
        raise ForgedError("the secret is too short to be one: nobody's signature is believed")
    clock = time.time() if now is None else now  # noqa: TID251 - a receiver has its own clock
    if abs(clock - seconds) > TOLERANCE_S:
        raise ForgedError("it is too old, or the clocks differ")
    made = hmac.digest(key, f"{event_id}.{seconds}.".encode() + body, "sha256")
    expected = base64.b64encode(made)
    if not any(
        kind == "v1" and hmac.compare_digest(signature.encode(), expected) for kind, _, signature in given
    ):
        raise ForgedError("no signature fits")
    event: dict[str, Any] = json.loads(body)
    return event
