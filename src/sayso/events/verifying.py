"""Calls that an assistant causes itself: the challenge that an address has to answer, and tests."""

import hmac
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from sayso.core import net
from sayso.core.database import Record
from sayso.core.runtime import Runtime
from sayso.events import endpoints
from sayso.events.calling import KEPT_BYTES, Caller, body_of
from sayso.events.rules import Called
from sayso.events.views import beginning

#: Told to one endpoint alone, never in a feed; ``docs/events.md`` has them beside the catalogue.
VERIFY: Final = "endpoint.verify"
TEST: Final = "endpoint.test"
_CHALLENGE_BITS: Final = 160


async def challenge(rt: Runtime, caller: Caller, endpoint: Record, url: str) -> str | None:
    """Ask an address to repeat a word that nobody else has heard; None, or why it is not verified.

    An address that the operator has listed is known to be one of ours: there any 2xx will do.
    """
    word = f"{rt.rng.getrandbits(_CHALLENGE_BITS):040x}"
    called = await _call(rt, caller, {**endpoint, "url": url}, VERIFY, {"challenge": word})
    if not called.succeeded:
        return f"the challenge was not answered: {called.error}"
    if net.check(url, caller.allowed).listed or _repeats(called.body, word):
        return None
    return (
        'the answer to the challenge must be {"challenge": …} with the word that was sent in data.challenge'
    )


async def test(rt: Runtime, caller: Caller, endpoint: Record) -> dict[str, Any]:
    """Call an endpoint as a delivery would; what came of it."""
    called = await _call(rt, caller, endpoint, TEST, {})
    return {
        "received": called.succeeded,
        "status": called.status,
        "ms": called.ms,
        "error": called.error,
        "body": beginning(called.body[:KEPT_BYTES]),
    }


async def _call(rt: Runtime, caller: Caller, endpoint: Record, kind: str, more: Mapping[str, str]) -> Called:
    event_id, now = rt.new_id("evt"), rt.now()
    data = {"endpoint_id": endpoint["id"], **more}
    body = body_of({"id": event_id, "type": kind, "at": now, "subject": endpoint["id"], "data": data})
    return await caller.call(endpoint["url"], event_id, body, signer=endpoints.signer(rt, endpoint), at=now)


def _repeats(body: bytes, word: str) -> bool:
    """Whether an answer is the word, bare or as ``{"challenge": word}``."""
    try:
        told = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        told = body.decode(errors="replace").strip()
    said = told.get("challenge") if isinstance(told, dict) else told
    return isinstance(said, str) and hmac.compare_digest(said.encode(), word.encode())
