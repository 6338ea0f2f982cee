"""Calls to the Graph API: each is made once, and the result says what is known about it.

Meta has no idempotency key (cloud-api 2.1), so everything hangs on one distinction: ``NotSent`` is claimed
only where provably no byte of the request was written; whatever goes wrong afterwards is ``Lost``.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import replace
from typing import Final

import aiohttp
import msgspec
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from sayso.core.database import in_transaction
from sayso.core.redaction import redact_json, redact_text
from sayso.core.telemetry import META_ERRORS, META_REQUEST_SECONDS, META_REQUESTS
from sayso.whatsapp import usage
from sayso.whatsapp.answers import Accepted, Lost, NotSent, Refused, Sent, interpret, succeeded
from sayso.whatsapp.credentials import Credentials
from sayso.whatsapp.tolerant import load
from sayso.whatsapp.usage import Usage
from sayso.whatsapp.wire import MARK, Mark, NotItsTurnError, StaleConnectionError, Turn, graph_session

__all__ = ["Accepted", "GraphClient", "Lost", "NotSent", "Refused", "Sent", "graph_session"]

MAX_ANSWER_BYTES: Final = 262_144
"""More than this is no answer of the Graph API to a send, which has a few hundred bytes."""

_STALE_TRIES: Final = 8
_BEFORE_WRITING: Final = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.InvalidURL)
_log = logging.getLogger("whatsapp_service")
_OUTCOMES: Final = {
    Accepted: META_REQUESTS.labels("accepted"),
    Refused: META_REQUESTS.labels("refused"),
    NotSent: META_REQUESTS.labels("not_sent"),
    Lost: META_REQUESTS.labels("lost"),
}
_REASONS: Final[tuple[tuple[type[BaseException], str], ...]] = (
    (StaleConnectionError, "every kept connection had been closed by the peer"),
    (aiohttp.ClientConnectorDNSError, "the host name could not be resolved"),
    (aiohttp.ClientSSLError, "no TLS connection could be made"),
    (aiohttp.ConnectionTimeoutError, "no connection in time"),
    (aiohttp.ClientConnectorError, "no connection could be made"),
    (TimeoutError, "no answer in time"),
    (aiohttp.ServerDisconnectedError, "the connection was closed before an answer"),
    (aiohttp.ClientPayloadError, "the answer was cut off"),
    (aiohttp.ClientResponseError, "the answer was not HTTP"),
    (OSError, "the connection broke"),
)


class _Answer(msgspec.Struct):
    status: int
    headers: CIMultiDictProxy[str]
    body: bytes


class GraphClient:
    """Speaks to one Graph API with one access token, over a session of ``graph_session``.

    The token of ``Credentials`` may be replaced at any time. ``timeout_s`` bounds a whole call, waiting for a
    free connection included; half of it may go into getting a connection, so that enough is left for an answer.
    ``on_usage`` is told what each answer says of the allowance of messages, by sender; it must not raise.
    Raises ValueError for a token that cannot stand in a header.
    """

    def __init__(
        self,
        http: aiohttp.ClientSession,
        *,
        base_url: str,
        version: str,
        token: str | Credentials,
        timeout_s: float = 10.0,
        on_usage: Callable[[str, Usage], None] | None = None,
    ) -> None:
        self._http = http
        self._on_usage = on_usage
        self._credentials = Credentials(token) if isinstance(token, str) else token
        self._root = base_url.rstrip("/") + (f"/{version}" if version else "")
        self._version = version
        self._version_warned = False
        # aiohttp rounds long timeouts up to whole seconds unless told otherwise; this one is a deadline.
        self._timeout = aiohttp.ClientTimeout(
            total=timeout_s, connect=timeout_s / 2, ceil_threshold=timeout_s + 1
        )
        self._headers = CIMultiDict(
            {
                "Content-Type": "application/json",
                "Accept": "application/json",
                "Accept-Encoding": "identity",
                "User-Agent": "sayso",
            }
        )
        self._token = ""
        self._urls: dict[str, URL] = {}

    async def post_message(self, phone_number_id: str, body: bytes, *, turn: Turn | None = None) -> Sent:
        """Send one message, once; ``body`` is made by ``content.to_json``. Once connected, it waits for its ``turn``.

        Raises CancelledError, where a caller must treat the message as Lost, since the request may be on its way;
        and RuntimeError inside a transaction, before anything is sent. Nothing else.
        """
        clock, token = asyncio.get_running_loop().time, self._credentials.token
        started = clock()

        async def its_turn() -> str | None:
            nonlocal started
            reason, started = await turn() if turn else None, clock()
            return reason

        result = self._hear(phone_number_id, await self._post(phone_number_id, body, its_turn))
        sent = self._excuse(token, _judge(result))
        META_REQUEST_SECONDS.observe(clock() - started)
        _OUTCOMES[type(sent)].inc()
        if isinstance(sent, Refused):
            META_ERRORS.labels(str(sent.error.code) if sent.failure.known else "unknown").inc()
        return sent

    def _excuse(self, token: str, sent: Sent) -> Sent:
        """Credentials that were refused, and have been replaced meanwhile, are no fault of the new ones: try again."""
        if not isinstance(sent, Refused) or sent.failure.kind != "credentials":
            return sent
        self._credentials.look()
        if self._credentials.token == token:
            return sent
        return replace(sent, failure=replace(sent.failure, kind="retry", holds="message", hold_s=0.0))

    def _hear(self, phone_number_id: str, result: _Answer | NotSent | Lost) -> _Answer | NotSent | Lost:
        """Tell what an answer says beside what was asked for."""
        if self._on_usage is not None and isinstance(result, _Answer):
            self._on_usage(phone_number_id, usage.read(result.headers, usage.MESSAGES))
        return result

    async def mark_read(self, phone_number_id: str, wamid: str, *, typing: bool = False) -> bool:
        """Show the person two blue ticks on their message, and with ``typing`` that we write (cloud-api 2.7).

        Returns whether Meta confirmed it. A nicety: doing it twice is harmless, failing too. Never raises
        but CancelledError.
        """
        body = {"messaging_product": "whatsapp", "status": "read", "message_id": wamid}
        extra = {"typing_indicator": {"type": "text"}} if typing else {}
        answer = self._hear(
            phone_number_id, await self._post(phone_number_id, msgspec.json.encode(body | extra))
        )
        return isinstance(answer, _Answer) and succeeded(answer.status, answer.body)

    async def _post(
        self, phone_number_id: str, body: bytes, turn: Turn | None = None
    ) -> _Answer | NotSent | Lost:
        """Make the call; try another connection only while nothing has been written.

        Raises RuntimeError inside a transaction: one that waits for the network holds its locks meanwhile.
        """
        if in_transaction():
            raise RuntimeError("a call to Meta inside a transaction")
        if not (phone_number_id.isascii() and phone_number_id.isdigit()):
            return NotSent("the sender's phone number id is not a number")
        if self._http.closed:
            return NotSent("the service is shutting down")
        url = self._urls.get(phone_number_id)
        if url is None:
            url = self._urls[phone_number_id] = URL(f"{self._root}/{phone_number_id}/messages")
        for _ in range(_STALE_TRIES):
            result = await self._post_once(url, body, turn)
            if result is not None:
                break
        else:
            result = NotSent(_reason(StaleConnectionError()))
        if _log.isEnabledFor(logging.DEBUG):
            _log.debug("%s", _exchange(url, body, result))
        return result

    async def _post_once(self, url: URL, body: bytes, turn: Turn | None) -> _Answer | NotSent | Lost | None:
        """Make one attempt; None when the connection turned out dead before anything was written."""
        mark = Mark(turn)
        token = MARK.set(mark)
        try:
            return await self._answer(url, body)
        except StaleConnectionError:
            return None
        except Exception as error:  # noqa: BLE001 - whatever it is, what matters is whether bytes went out
            unsent = not mark.begun and (mark.watched or isinstance(error, _BEFORE_WRITING))
            return NotSent(_reason(error)) if unsent else Lost(_reason(error))
        finally:
            MARK.reset(token)

    async def _answer(self, url: URL, body: bytes) -> _Answer:
        token = self._credentials.token
        if token != self._token:
            self._token, self._headers["Authorization"] = token, f"Bearer {token}"
        async with self._http.post(
            url, data=body, headers=self._headers, timeout=self._timeout, allow_redirects=False
        ) as response:
            read = bytearray()
            while chunk := await response.content.readany():
                read += chunk
                if len(read) > MAX_ANSWER_BYTES:
                    raise aiohttp.ClientPayloadError
            self._check_version(response.headers)
            return _Answer(response.status, response.headers, bytes(read))

    def _check_version(self, headers: CIMultiDictProxy[str]) -> None:
        served = headers.get("facebook-api-version")
        if served and self._version and served != self._version and not self._version_warned:
            self._version_warned = True
            _log.warning(
                "Meta serves Graph API %s where %s was asked for: an expired version is replaced silently.",
                redact_text(served),
                self._version,
            )


def _judge(result: _Answer | NotSent | Lost) -> Sent:
    if isinstance(result, _Answer):
        return interpret(result.status, result.headers, result.body)
    return result


def _reason(error: BaseException) -> str:
    """Say in words of ours what broke; the texts of libraries may quote what was sent."""
    if isinstance(error, NotItsTurnError):
        return str(error)
    return next((words for kind, words in _REASONS if isinstance(error, kind)), type(error).__name__)


def _exchange(url: URL, body: bytes, result: _Answer | NotSent | Lost) -> str:
    """Write one exchange as one redacted line."""
    asked = f"POST {redact_text(url.path)} {_shown(body)}"
    if isinstance(result, _Answer):
        return f"{asked} -> HTTP {result.status} {_shown(result.body)}"
    return f"{asked} -> {type(result).__name__}: {result.reason}"


def _shown(body: bytes) -> str:
    try:
        return msgspec.json.encode(redact_json(load(body))).decode()
    except Exception:  # noqa: BLE001 - a log line never fails the send that it tells of
        return f"<{len(body)} bytes that cannot be shown>"
