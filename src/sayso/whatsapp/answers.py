"""What an answer of the Graph API says about the message that was sent: accepted, refused, or lost.

Pure: status, headers and bytes in, one of four results out. Shapes: cloud-api 2.2 and 5.1.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final

from sayso.whatsapp import usage
from sayso.whatsapp.failures import NO_CODE, Failure, GraphError, classify, graph_error
from sayso.whatsapp.tolerant import UnloadableError, load

MAX_HOLD_S: Final = 3600.0
"""Longest wait that a header of Meta can impose: an absurd one must not stop a sender for good."""

_SUCCESS: Final = range(200, 300)
_TOO_MANY: Final = 429
#: What HTTP 429 is taken for where there is no code of Meta's: too much at once, for which a lower rate is the answer.
_TOO_FAST: Final = GraphError(130429, "HTTP 429 without a code of Meta's")


@dataclass(frozen=True, slots=True)
class Accepted:
    """Meta took the message; whether it arrives, statuses tell.

    ``wa_id`` and ``bsuid`` are the recipient as Meta knows them and may differ from what was given.
    ``held`` is True when the message waits for a judgement on its template (cloud-api 3.5).
    """

    wamid: str
    wa_id: str | None = None
    bsuid: str | None = None
    held: bool = False


@dataclass(frozen=True, slots=True)
class Refused:
    """Meta answered with an error. ``failure.accepted`` tells the rare case in which it may have taken it."""

    error: GraphError
    failure: Failure
    http_status: int


@dataclass(frozen=True, slots=True)
class NotSent:
    """No byte of the request was written, provably: the same message may be sent again."""

    reason: str


@dataclass(frozen=True, slots=True)
class Lost:
    """Some or all of the request was written and no answer tells what became of it: never send it again."""

    reason: str


Sent = Accepted | Refused | NotSent | Lost


def interpret(status: int, headers: Mapping[str, str], body: bytes) -> Accepted | Refused | Lost:
    """Read the answer to ``POST /messages``.

    A message id with a 2xx is acceptance; an error object with a code is a refusal, whatever the status; so is 429,
    from whoever stands before the API: it says that the request was not passed on (RFC 6585). Everything else (a 5xx or
    a page of a proxy, a redirect, a 2xx without id, garbage) is Lost.
    """
    try:
        answer = load(body)
    except UnloadableError:
        if status != _TOO_MANY:
            return Lost(f"HTTP {status} with an answer that cannot be read")
        answer = None
    answer = answer if isinstance(answer, dict) else {}
    if status in _SUCCESS:
        accepted = _accepted(answer)
        if accepted is not None:
            return accepted
    error = graph_error(answer.get("error"))
    if error is None or error.code == NO_CODE:
        if status != _TOO_MANY:
            return Lost(f"HTTP {status} without a message id or an error code")
        error = _TOO_FAST
    failure = classify(error, status)
    hold_s = _asked_hold_s(headers) if failure.retry else 0.0
    return Refused(error, replace(failure, hold_s=max(failure.hold_s, hold_s)), status)


def _accepted(answer: dict[str, Any]) -> Accepted | None:
    message, contact = _first(answer.get("messages")), _first(answer.get("contacts"))
    wamid = message.get("id")
    if not isinstance(wamid, str) or not wamid:
        return None
    verdict = message.get("message_status")
    return Accepted(
        wamid,
        wa_id=_text(contact.get("wa_id")),
        bsuid=_text(contact.get("user_id")),
        held=isinstance(verdict, str) and verdict != "accepted",
    )


def succeeded(status: int, body: bytes) -> bool:
    """Tell whether the answer to a read receipt is ``{"success": true}`` (cloud-api 2.7)."""
    try:
        answer = load(body)
    except UnloadableError:
        return False
    return status in _SUCCESS and isinstance(answer, dict) and answer.get("success") is True


def _asked_hold_s(headers: Mapping[str, str]) -> float:
    """Return how long Meta asks us to wait, in seconds, at most MAX_HOLD_S; 0 when it does not say.

    ``Retry-After`` is not documented by Meta and honoured when seen; the usage headers count in minutes
    (cloud-api 6). A date is measured against the answer's own ``Date``, so no clock of ours matters.
    """
    return min(MAX_HOLD_S, max(_retry_after_s(headers), usage.read(headers, usage.MESSAGES).regain_s))


def _retry_after_s(headers: Mapping[str, str]) -> float:
    asked = headers.get("Retry-After", "")
    try:
        seconds = float(asked)
    except ValueError:
        then, now = _date(asked), _date(headers.get("Date", ""))
        seconds = (then - now).total_seconds() if then and now else 0.0
    return max(0.0, seconds) if math.isfinite(seconds) else 0.0


def _date(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError, TypeError, IndexError):
        return None
    return moment if moment.tzinfo else None


def _first(value: Any) -> dict[str, Any]:
    return value[0] if isinstance(value, list) and value and isinstance(value[0], dict) else {}


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None
