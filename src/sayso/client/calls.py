"""Every call, written once: generators that yield requests and are sent answers. The two faces only drive them."""

import random  # noqa: TID251 - a client has its own dice: jitter between its retries
import uuid
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypedDict, TypeVar
from urllib.parse import quote

from sayso.client.asking import Asking
from sayso.client.model import Confirmation, Consents, Events, Message, ProblemError, UnreachableError
from sayso.client.verify import Receipt

#: The longest the service holds one long poll, and how much longer we wait for its answer.
LONGEST_WAIT_S = 55.0
GRACE_S = 10.0

_TRIES = 5
_PREFIX = "/api/v1/whatsapp"
_Result = TypeVar("_Result")


class Listening(TypedDict, total=False):
    """Options of the feed: how long to wait for something (not at all), of which types (all): ``confirmation.*``."""

    wait_s: float
    types: str | Sequence[str]


class Sending(TypedDict, total=False):
    """Options of a message, as ``POST /send`` has them; each may be left out.

    In place of a text: a ``template`` (``name``, ``language``, ``parameters``), or a ``message_type``, such as
    ``buttons``, with its ``body``. ``fallback`` is the template for outside the 24-hour window.
    """

    template: dict[str, Any]
    message_type: str
    body: dict[str, Any]
    recipient: str
    sender: str
    fallback: dict[str, Any]
    category: str
    send_at: datetime
    expires_at: datetime
    ttl_seconds: int
    if_unknown: str
    quotes: str
    dedupe_key: str
    idempotency_key: str


class OptingIn(TypedDict, total=False):
    """Options of an opt-in: whose (the token's user), what for (everything), how and when they said so, a key."""

    recipient: str
    scope: list[str]
    method: str
    captured_at: str
    idempotency_key: str


class OptingOut(TypedDict, total=False):
    """Options of an opt-out: whose (the token's user), of what (everything), whether to say so in the chat, a key."""

    recipient: str
    scope: list[str]
    notify: bool
    idempotency_key: str


class Reporting(TypedDict, total=False):
    """Options of a report: in words, whether the person is told of it, and a key of your own."""

    note: str
    tell_person: bool
    idempotency_key: str


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request. ``timeout_s`` bounds the wait for its answer."""

    method: str
    path: str
    json: Any = None
    params: dict[str, str] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    timeout_s: float = GRACE_S


@dataclass(frozen=True, slots=True)
class Pause:
    """Wait this long before the next request."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: ``status`` 0 when nothing did."""

    status: int
    body: Any
    why: str = ""


_AS_GIVEN = (
    "recipient",
    "sender",
    "fallback",
    "category",
    "ttl_seconds",
    "if_unknown",
    "quotes",
    "dedupe_key",
)

Call = Generator[Request | Pause, Answer, _Result]


def _exchange(request: Request) -> Call[Any]:
    """One request, repeated while the service is away; safe, since what creates carries an idempotency key."""
    answer = Answer(0, None, "not tried")
    for attempt in range(_TRIES):
        answer = yield request
        if 0 < answer.status < 300:  # noqa: PLR2004 - success
            return answer.body
        if answer.status not in (0, 502, 503, 504):
            break
        yield Pause(random.uniform(0.1, 0.3 * 2**attempt))  # noqa: S311 - jitter, not a secret
    if answer.status == 0:
        raise UnreachableError(f"{request.method} {request.path}: {answer.why}")
    raise ProblemError(_problem(answer))


def _problem(answer: Answer) -> dict[str, Any]:
    """What the service said; something else may have answered in its place, a proxy or another service."""
    if isinstance(answer.body, dict) and "code" in answer.body:
        return answer.body
    return {
        "status": answer.status,
        "detail": f"HTTP {answer.status}, not in the words of a Sayso service. Is that its address?",
    }


def _only(options: Mapping[str, Any], kind: type) -> None:
    """Raise TypeError for an option that there is not: left out in silence, it would change what is done."""
    known = kind.__annotations__
    if unknown := [name for name in options if name not in known]:
        raise TypeError(f"there is no option {', '.join(unknown)}; there are: {', '.join(known)}")


def _create(path: str, body: dict[str, Any], key: str | None, *, timeout_s: float = GRACE_S) -> Call[Any]:
    headers = {"Idempotency-Key": key or uuid.uuid4().hex}
    given = {name: value for name, value in body.items() if value is not None}
    request = Request("POST", f"{_PREFIX}{path}", given, headers=headers, timeout_s=timeout_s)
    return (yield from _exchange(request))


def link(user: str, phone: str, *, name: str | None) -> Call[None]:
    """Say which WhatsApp number a user has."""
    body = {"phone": phone} if name is None else {"phone": phone, "name": name}
    yield from _exchange(Request("PUT", f"{_PREFIX}/people/{quote(user, safe='')}", body))


def opt_in(wording: str, evidence: str, options: OptingIn) -> Call[None]:
    """Record that a person agreed to be messaged: their words, and what proves them."""
    _only(options, OptingIn)
    body = {
        "wording": wording,
        "evidence": [evidence],
        "recipient": options.get("recipient"),
        "scope": options.get("scope"),
        "method": options.get("method"),
        "captured_at": options.get("captured_at"),
    }
    yield from _create("/consents", body, options.get("idempotency_key"))


def ask(action_type: str, description: str, details: str, options: Asking) -> Call[Confirmation]:
    """Ask, and return at once."""
    body: dict[str, Any] = {
        "action_type": action_type,
        "action_description": description,
        "action_details": details or None,
        **{name: value for name, value in options.items() if name != "idempotency_key"},
    }
    return Confirmation.of((yield from _create("/confirmation", body, options.get("idempotency_key"))))


def confirmation(confirmation_id: str, *, wait_s: float) -> Call[Confirmation]:
    """Look at a confirmation, waiting up to ``wait_s`` seconds for its outcome."""
    left = wait_s
    while True:
        wait = min(left, LONGEST_WAIT_S)
        request = Request(
            "GET",
            _of(confirmation_id),
            params={"wait": f"{wait:g}"},
            timeout_s=wait + GRACE_S,
        )
        found = Confirmation.of((yield from _exchange(request)))
        left -= wait
        if found.decided or left <= 0:
            return found


def confirm(action_type: str, description: str, details: str, options: Asking) -> Call[Confirmation]:
    """Ask, and return with the outcome: there is one by the deadline, whatever happens."""
    asked = yield from ask(action_type, description, details, options)
    while not asked.decided:
        asked = yield from confirmation(asked.id, wait_s=LONGEST_WAIT_S)
    return asked


def withdraw(confirmation_id: str) -> Call[None]:
    """Take a question back; done twice, it is done once."""
    yield from _exchange(Request("POST", f"{_of(confirmation_id)}/withdraw"))


def receipt(confirmation_id: str) -> Call[Receipt]:
    """The proof of a decision, with what opens it."""
    request = Request("GET", f"{_of(confirmation_id)}/receipt", params={"format": "json"})
    found = yield from _exchange(request)
    return Receipt(found["receipt"], found)


def keys() -> Call[dict[str, Any]]:
    """The public keys that receipts are verified with."""
    found: dict[str, Any] = yield from _exchange(Request("GET", "/.well-known/jwks.json"))
    return found


def claim(confirmation_id: str, action: Any, key: str | None) -> Call[dict[str, Any]]:
    """The right to act, once."""
    found: dict[str, Any] = yield from _create(f"{_about_it(confirmation_id)}/claim", {"action": action}, key)
    return found


def executed(confirmation_id: str, status: str, options: Reporting) -> Call[dict[str, Any]]:
    """Report what came of a claimed action."""
    _only(options, Reporting)
    body = {"status": status, "note": options.get("note"), "tell_person": options.get("tell_person")}
    path = f"{_about_it(confirmation_id)}/execution"
    found: dict[str, Any] = yield from _create(path, body, options.get("idempotency_key"))
    return found


def _about_it(confirmation_id: str) -> str:
    return f"/confirmations/{quote(confirmation_id, safe='')}"


def _of(confirmation_id: str) -> str:
    return f"{_PREFIX}{_about_it(confirmation_id)}"


def send(text: str | None, options: Sending) -> Call[Message]:
    """Send a text, a template, or a message of another type."""
    _only(options, Sending)
    template = options.get("template")
    kind = options.get("message_type") or ("text" if template is None else "template")
    times = {name: options.get(name) for name in ("send_at", "expires_at")}
    body: dict[str, Any] = {
        "message_type": kind,
        "content": text,
        kind: options.get("body", template),
        **{name: options.get(name) for name in _AS_GIVEN},
        **{name: at.isoformat() if isinstance(at, datetime) else at for name, at in times.items()},
    }
    return Message.of((yield from _create("/send", body, options.get("idempotency_key"))))


def message(message_id: str) -> Call[Message]:
    """Look at a message."""
    path = f"{_PREFIX}/messages/{quote(message_id, safe='')}"
    return Message.of((yield from _exchange(Request("GET", path))))


def cancel(message_id: str) -> Call[Message]:
    """Take a message out of the queue."""
    return Message.of((yield from _about(message_id, "cancel")))


def retry(message_id: str) -> Call[Message]:
    """Send a message again that failed or expired."""
    return Message.of((yield from _about(message_id, "retry")))


def settle(message_id: str, said: str) -> Call[Message]:
    """Say what became of an unknown message."""
    return Message.of((yield from _about(message_id, "settle", {"as": said})))


def _about(message_id: str, action: str, body: Any = None) -> Call[Any]:
    """Done twice, each of these is done once: the request may be repeated."""
    path = f"{_PREFIX}/messages/{quote(message_id, safe='')}/{action}"
    return (yield from _exchange(Request("POST", path, body)))


def opt_out(reason: str, options: OptingOut) -> Call[None]:
    """Opt a person out; answered when nothing to them is on its way."""
    _only(options, OptingOut)
    body = {
        "reason": reason,
        "recipient": options.get("recipient"),
        "scope": options.get("scope"),
        "notify": options.get("notify"),
    }
    yield from _create("/consents/revoke", body, options.get("idempotency_key"), timeout_s=2 * GRACE_S)


def consents(recipient: str | None) -> Call[Consents]:
    """How a person stands."""
    params = {} if recipient is None else {"recipient": recipient}
    return Consents.of((yield from _exchange(Request("GET", f"{_PREFIX}/consents", params=params))))


def senders() -> Call[list[dict[str, Any]]]:
    """Every number of ours that sends."""
    answer = yield from _exchange(Request("GET", f"{_PREFIX}/senders"))
    found: list[dict[str, Any]] = answer["senders"]
    return found


def events(after: str, options: Listening) -> Call[Events]:
    """What happened after a cursor, waiting for it if asked to."""
    _only(options, Listening)
    left = options.get("wait_s", 0.0)
    wanted = options.get("types") or ()
    types = {"types": wanted if isinstance(wanted, str) else ",".join(wanted)} if wanted else {}
    while True:
        wait = min(left, LONGEST_WAIT_S)
        params = {"after": after, "wait": f"{wait:g}", **types}
        request = Request("GET", f"{_PREFIX}/events", params=params, timeout_s=wait + GRACE_S)
        found = Events.of((yield from _exchange(request)))
        after, left = found.next, left - wait
        if found.events or left <= 0:
            return found


def alerts(state: str) -> Call[list[dict[str, Any]]]:
    """Alerts, newest first; all pages of them."""
    found: list[dict[str, Any]] = []
    params = {"state": state}
    while True:
        answer = yield from _exchange(Request("GET", f"{_PREFIX}/alerts", params=params))
        found += answer["alerts"]
        if answer["next"] is None:
            return found
        params = {"state": state, "before": answer["next"]}
