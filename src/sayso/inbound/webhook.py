"""The webhook route, in front of everything else: verification, signature, size, and the durable answer."""

import asyncio
import hmac
import logging
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qs

import msgspec
import structlog

from sayso.core.api import PREFIX, problem
from sayso.core.errors import BodyTooLargeError, DatabaseUnavailableError
from sayso.core.redaction import redact_json
from sayso.core.settings import Settings
from sayso.core.telemetry import WEBHOOK_POSTS
from sayso.inbound.receive import Intake
from sayso.whatsapp.signature import signature_valid

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

log = structlog.get_logger("sayso.webhook")

#: The logger the guide switches on: every exchange with Meta, both ways.
_exchanges = logging.getLogger("whatsapp_service")

PATH = f"{PREFIX}/webhook"
#: Meta's largest payload (cloud-api 4.5).
LARGEST_BODY = 3 * 1024 * 1024
#: How long a body may take to come, whoever sends it; unfinished ones would fill the memory.
READ_WITHIN_S = 20.0
#: More than any challenge of Meta's; what is longer is not echoed.
LONGEST_CHALLENGE = 256
_DIGITS = 20  # of a length, are enough to tell: Python refuses to read thousands of them

_CLOSE = (b"connection", b"close")
_TEXT = [(b"content-type", b"text/plain; charset=utf-8"), (b"x-content-type-options", b"nosniff")]


class Webhook:
    """A plain ASGI callable before the API: a framework's route would cost three times the CPU of a post."""

    def __init__(self, api: App, intake: Intake, settings: Settings) -> None:
        self._api = api
        self._intake = intake
        self._secret = settings.whatsapp_webhook_secret.get_secret_value().encode()
        self._verify_token = settings.whatsapp_verify_token.get_secret_value().encode()
        self._told = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Take the webhook's requests; hand every other on."""
        if scope["type"] != "http" or scope["path"].rstrip("/") != PATH:
            await self._api(scope, receive, send)
        elif scope["method"] == "POST":
            await self._take(scope, receive, send)
        elif scope["method"] == "GET":
            await self._verify(scope, send)
        else:
            await _answer(send, 405, b"", [(b"allow", b"GET, POST")])

    async def _verify(self, scope: Scope, send: Send) -> None:
        """Meta's handshake (cloud-api 4.2): the challenge as the whole body, or 403."""
        text = scope["query_string"].decode("latin-1")  # whatever bytes come, each is one character
        query = parse_qs(text, keep_blank_values=True, encoding="latin-1")
        mode, token, challenge = (
            values[0].encode("latin-1") if len(values := query.get(name, [])) == 1 else b""
            for name in ("hub.mode", "hub.verify_token", "hub.challenge")
        )
        matches = hmac.compare_digest(token, self._verify_token)
        if matches and mode == b"subscribe" and 0 < len(challenge) <= LONGEST_CHALLENGE:
            await _answer(send, 200, challenge, _TEXT)
        else:
            await _answer(send, 403, b"Verification failed", _TEXT)

    async def _take(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = [value for name, value in scope["headers"] if name == b"x-hub-signature-256"]
        if _says_too_large(scope):
            await self._refuse_size(send)
            return
        if len(headers) != 1:  # nobody's body is read who does not even claim to be Meta
            WEBHOOK_POSTS.labels("bad_signature").inc()
            await _answer(send, 401, b"", [*_TEXT, _CLOSE])
            return
        try:
            async with asyncio.timeout(READ_WITHIN_S):
                body = await _read(receive)
        except TimeoutError:
            WEBHOOK_POSTS.labels("too_slow").inc()
            await _answer(send, 408, b"", [*_TEXT, _CLOSE])
            return
        if body is None:
            await self._refuse_size(send)
            return
        if not signature_valid(body, headers[0], self._secret):
            await self._refuse_signature(send)
            return
        if _exchanges.isEnabledFor(logging.DEBUG):
            _exchanges.debug("webhook received", extra={"webhook": _shown(body)})
        try:
            await self._intake.take(body)
        except DatabaseUnavailableError as error:
            WEBHOOK_POSTS.labels("unavailable").inc()
            await _answer_problem(send, error)
            return
        WEBHOOK_POSTS.labels("durable").inc()
        await _answer(send, 200, b"", _TEXT)

    async def _refuse_signature(self, send: Send) -> None:
        """Told once: a wrong secret shows at the first webhook, and nobody who knocks fills the log."""
        WEBHOOK_POSTS.labels("bad_signature").inc()
        if not self._told:
            self._told = True
            log.warning(
                "webhook.bad_signature",
                detail="A webhook was refused: its signature is not by WHATSAPP_WEBHOOK_SECRET. If none gets through, "
                "that is not the App Secret of the app that sends them (App settings -> Basic). Further ones are "
                "counted in sayso_webhook_posts_total, and not told here.",
            )
        await _answer(send, 401, b"", _TEXT)

    async def _refuse_size(self, send: Send) -> None:
        WEBHOOK_POSTS.labels("too_large").inc()
        await _answer_problem(send, BodyTooLargeError(f"A webhook holds at most {LARGEST_BODY:,} bytes."))


def _shown(body: bytes) -> Any:
    """A body as the log may show it: no text, no full number."""
    try:
        return redact_json(msgspec.json.decode(body))
    except (msgspec.DecodeError, ValueError, RecursionError):
        return f"<{len(body)} bytes that are not JSON>"


def _says_too_large(scope: Scope) -> bool:
    lengths = [value for name, value in scope["headers"] if name == b"content-length"]
    return any(value.isdigit() and int(value[:_DIGITS]) > LARGEST_BODY for value in lengths)


async def _read(receive: Receive) -> bytes | None:
    """The whole body; None as soon as it is too large.

    A client that leaves ends it early, and what came then fails its signature.
    """
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return b"".join(chunks)
        chunk: bytes = message.get("body", b"")
        size += len(chunk)
        if size > LARGEST_BODY:
            return None
        chunks.append(chunk)
        if not message.get("more_body", False):
            return b"".join(chunks)


async def _answer(send: Send, status: int, body: bytes, headers: list[tuple[bytes, bytes]]) -> None:
    length = (b"content-length", str(len(body)).encode())
    await send({"type": "http.response.start", "status": status, "headers": [*headers, length]})
    await send({"type": "http.response.body", "body": body})


async def _answer_problem(send: Send, error: BodyTooLargeError | DatabaseUnavailableError) -> None:
    response = problem(error, instance=PATH)
    await _answer(
        send,
        response.status_code,
        bytes(response.body),
        [header for header in response.raw_headers if header[0] != b"content-length"],
    )
