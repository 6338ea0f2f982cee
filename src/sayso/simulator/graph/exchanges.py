"""The log of exchanges: every Graph call and what it was answered, kept by reference, put into words on demand."""

import itertools
import time
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import msgspec
from aiohttp import web

from sayso.simulator.call import PARTS, ROUTE, UNREADABLE, WAMID, NoAnswer
from sayso.simulator.faults.armed import STRUCK, Armed
from sayso.simulator.live import Live
from sayso.simulator.world.world import World

#: Bytes kept of a body; longer ones are kept in their first part.
BODY_AT_MOST = 65_536
TOKEN_SHOWN = 6
_FORMS = ("multipart/form-data", "application/x-www-form-urlencoded")
_ERRORS_FROM = 400


class Exchange:
    """One call and its answer. ``answer`` is None while it is under way."""

    __slots__ = (
        "answer",
        "at",
        "began",
        "body",
        "id",
        "parts",
        "request",
        "route",
        "size",
        "struck",
        "took_s",
        "under_way",
        "wamid",
    )

    def __init__(self, number: int, at: float, request: web.Request) -> None:
        self.id = number
        self.at = at
        self.began = time.perf_counter()
        self.request = Asked(request)
        self.under_way: web.Request | None = request  # until it is answered
        self.body: bytes | None = None
        self.size = 0
        self.parts: list[dict[str, Any]] | None = None
        self.answer: Answered | None = None
        self.took_s = 0.0
        self.route: str | None = None
        self.struck: Armed | None = None
        self.wamid: str | None = None

    def look(self) -> None:
        """Note what the call has learnt about itself so far."""
        if self.under_way is not None:
            self.route, self.struck = self.under_way.get(ROUTE), self.under_way.get(STRUCK)
            self.wamid = self.under_way.get(WAMID)

    @property
    def status(self) -> int | None:
        """The HTTP status of the answer; None when there is none, or none yet."""
        return None if self.answer is None or self.answer.why else self.answer.status

    def summary(self) -> dict[str, Any]:
        """Describe it in one row."""
        self.look()
        asked, answer = self.request, self.answer
        return {
            "id": self.id,
            "at": self.at,
            "took_ms": None if answer is None else round(self.took_s * 1000, 2),
            "method": asked.method,
            "path": asked.shown_path,
            "version": None if answer is None else answer.headers.get("facebook-api-version"),
            "route": self.route,
            "status": self.status,
            "error_code": None if answer is None else answer.error_code,
            "fault": None if self.struck is None else self.struck.told(),
            "wamid": self.wamid,
            "open": answer is None,
            "no_answer": None if answer is None else answer.why or None,
        }

    def whole(self) -> dict[str, Any]:
        """Describe it with headers (the token shortened) and bodies."""
        asked, answer = self.request, self.answer
        body = None if self.body is None or self.parts is not None else self.body.decode(errors="replace")
        request = {"headers": asked.shown_headers, "body": body, "size": self.size, "parts": self.parts}
        return {**self.summary(), "request": request, "answer": None if answer is None else answer.told()}


class Asked:
    """What is kept of a request."""

    __slots__ = ("headers", "method", "path_qs")

    def __init__(self, request: web.Request) -> None:
        self.method = request.method
        self.path_qs = request.raw_path
        self.headers = request.headers

    @property
    def host(self) -> str:
        """Where it came in, as the caller named it."""
        return self.headers.get("Host", "")

    @property
    def shown_path(self) -> str:
        """The path and query, a token in it shortened."""
        path, _, query = self.path_qs.partition("?")
        shown = [
            f"access_token={shortened(each[13:])}" if each.startswith("access_token=") else each
            for each in query.split("&")
        ]
        return f"{path}?{'&'.join(shown)}" if query else path

    @property
    def shown_headers(self) -> dict[str, str]:
        """The headers, the token shortened."""
        shown = dict(self.headers)
        for name, value in shown.items():
            if name.lower() == "authorization":
                scheme, _, token = value.rpartition(" ")
                shown[name] = f"{scheme} {shortened(token)}".strip()
        return shown


class Answered:
    """What is kept of an answer; ``why`` tells why it did not arrive."""

    __slots__ = ("body", "headers", "size", "status", "why")

    def __init__(self, answer: web.StreamResponse) -> None:
        self.status = answer.status
        self.headers = answer.headers
        sent = answer.body if isinstance(answer, web.Response) else b""
        body = sent if isinstance(sent, bytes) else b""
        self.size = len(body)
        self.body = body if self.size <= BODY_AT_MOST else body[:BODY_AT_MOST]
        self.why = answer.why if isinstance(answer, NoAnswer) else ""

    @property
    def error_code(self) -> int | None:
        """The Graph error code in it, if it is a refusal."""
        if self.status < _ERRORS_FROM or self.why:
            return None
        try:
            code = msgspec.json.decode(self.body)["error"]["code"]
        except (msgspec.DecodeError, LookupError, TypeError):
            return None
        return code if isinstance(code, int) else None

    def told(self) -> dict[str, Any]:
        """Describe headers and body."""
        return {
            "headers": {} if self.why else dict(self.headers),
            "body": None if self.why else self.body.decode(errors="replace"),
            "size": 0 if self.why else self.size,
        }


class Exchanges:
    """The last calls, oldest first, as many as ``keep_exchanges``."""

    def __init__(self, world: World, live: Live) -> None:
        self._keep = world.config.keep_exchanges
        self._clock = world.clock
        self._live = live
        self._numbers = itertools.count(1)
        self._kept: dict[int, Exchange] = {}

    def recording(
        self, answer: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        """Wrap what answers the Graph API, so that each exchange is kept."""

        async def recorded(request: web.Request) -> web.StreamResponse:
            exchange = self._begin(request)
            answered: web.StreamResponse = NoAnswer("the caller gave up")
            try:
                answered = await answer(request)
            finally:
                await self._end(exchange, request, answered)
            return answered

        return recorded

    def find(self, number: int) -> Exchange:
        """Return an exchange that is still kept; raise LookupError for any other."""
        if number not in self._kept:
            raise LookupError(f"there is no exchange {number} in the log")
        return self._kept[number]

    def walk(
        self, *, after: int = 0, route: str | None = None, status: str | None = None
    ) -> Iterator[Exchange]:
        """Walk the exchanges newer than ``after``, oldest first; ``status`` as `400`, `4xx` or `none`."""
        for each in self._kept.values():
            each.look()
            if each.id > after and route in (None, each.route) and _has_status(each, status):
                yield each

    def clear(self) -> None:
        """Forget every exchange."""
        self._kept.clear()

    def _begin(self, request: web.Request) -> Exchange:
        exchange = Exchange(next(self._numbers), self._clock.now(), request)
        self._kept[exchange.id] = exchange
        if len(self._kept) > self._keep:
            del self._kept[next(iter(self._kept))]
        return exchange

    async def _end(self, exchange: Exchange, request: web.Request, answer: web.StreamResponse) -> None:
        exchange.took_s = time.perf_counter() - exchange.began
        exchange.look()
        exchange.under_way = None
        exchange.answer = Answered(answer)
        if request.body_exists:
            await _keep_body(exchange, request)
        self._live.publish("exchanges", dict)


async def _keep_body(exchange: Exchange, request: web.Request) -> None:
    """Keep what was sent, as far as it came; nothing is waited for."""
    exchange.size = request.content_length or 0
    if not request.content.is_eof():
        return
    try:
        if request.content_type in _FORMS:
            exchange.parts = request.get(PARTS) or [
                _part(name, value) for name, value in (await request.post()).items()
            ]
            return
        body = await request.read()
    except (*UNREADABLE, web.HTTPException, OSError):  # too large, or read by the one who answered
        return
    exchange.size = len(body)
    exchange.body = body if exchange.size <= BODY_AT_MOST else body[:BODY_AT_MOST]


def _part(name: str, value: Any) -> dict[str, Any]:
    if isinstance(value, web.FileField):
        size = value.file.seek(0, 2)
        return {
            "name": name,
            "filename": value.filename,
            "content_type": value.content_type,
            "size": size,
        }
    shown = str(value)[:BODY_AT_MOST]
    return {"name": name, "filename": None, "content_type": "", "size": len(str(value)), "value": shown}


def _has_status(exchange: Exchange, wanted: str | None) -> bool:
    if wanted is None:
        return True
    if wanted == "none" or exchange.status is None:
        return wanted == "none" and exchange.status is None
    shown = str(exchange.status)
    return wanted in (shown, f"{shown[0]}xx")


def shortened(token: str) -> str:
    """Show the beginning of a token, enough to tell which it is."""
    return token if len(token) <= TOKEN_SHOWN else f"{token[:TOKEN_SHOWN]}…"
