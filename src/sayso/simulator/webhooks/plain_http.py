"""POSTs to plain ``http://`` callbacks on kept connections, and nothing else (cloud-api.md 4.5).

A general client costs three times the CPU of all the rest of a webhook, and each send brings about three webhooks.
What a callback on the same machine needs is little: one request at a time on a connection, an answer whose body is
thrown away.
"""

import asyncio
from collections import deque
from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple, cast

import httptools
from yarl import URL

#: Idle connections are not used after this, real seconds: servers close theirs from 5 s on.
IDLE_AT_MOST_S = 4.0
_FRAMING = frozenset({b"content-length", b"transfer-encoding"})
_INTERIM = 200  # statuses below are not yet the answer


class Target(NamedTuple):
    """Where a URL leads, and how a request for it begins."""

    host: str
    port: int
    begins: bytes


@lru_cache(maxsize=256)
def target_of(url: str) -> Target | None:
    """Tell where to connect for a URL; None when it wants more than plain HTTP: TLS, credentials."""
    parsed = URL(url)
    if parsed.scheme != "http" or not parsed.host or parsed.user is not None:
        return None
    begins = f"POST {parsed.raw_path_qs} HTTP/1.1\r\nHost: {parsed.host_port_subcomponent}\r\n"
    return Target(parsed.host, parsed.port or 80, begins.encode("ascii"))


class PlainHttp:
    """Keeps connections; whoever posts says how many are under way at once."""

    def __init__(self, timeout_s: float) -> None:
        self._timeout_s = timeout_s
        self._idle: dict[tuple[str, int], deque[_Connection]] = {}

    async def post(self, target: Target, body: bytes, headers: Mapping[str, str]) -> int:
        """Post and return the status; raise OSError when none comes, TimeoutError when it is late."""
        fields = "".join([f"{name}: {value}\r\n" for name, value in headers.items()])
        head = f"{fields}Content-Length: {len(body)}\r\n\r\n".encode("latin-1")
        async with asyncio.timeout(self._timeout_s):
            connection = self._idle_one(target) or await self._connected(target)
            try:
                status = await connection.ask(target.begins + head + body)
            except BaseException:
                connection.close()
                raise
            if connection.reusable:
                self._idle.setdefault((target.host, target.port), deque()).append(connection)
            else:
                connection.close()
            return status

    def close(self) -> None:
        """Close every idle connection."""
        for kept in self._idle.values():
            for connection in kept:
                connection.close()
        self._idle.clear()

    def _idle_one(self, target: Target) -> "_Connection | None":
        """Take the connection used last, if it is still good; older ones are closed."""
        kept = self._idle.get((target.host, target.port))
        fresh = asyncio.get_running_loop().time() - IDLE_AT_MOST_S
        while kept:
            connection = kept.pop()
            if connection.reusable and connection.idle_since >= fresh:
                return connection
            connection.close()
        return None

    async def _connected(self, target: Target) -> "_Connection":
        loop = asyncio.get_running_loop()
        _, connection = await loop.create_connection(_Connection, target.host, target.port)
        return connection


class _Connection(asyncio.Protocol):
    """One connection: a request, its answer, the next request."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._parser = httptools.HttpResponseParser(self)
        self._answer: asyncio.Future[int] | None = None
        self._head_came = False
        self._framed = False  # the answer says where it ends
        self._transport: asyncio.Transport | None = None
        self.reusable = False
        self.idle_since = 0.0

    def ask(self, request: bytes) -> asyncio.Future[int]:
        """Send a request; the status of its answer, once that is complete."""
        self._answer = self._loop.create_future()
        self._head_came = self._framed = self.reusable = False
        if self._transport is None:
            self._fail("the connection was closed before the request")
        else:
            self._transport.write(request)
        return self._answer

    def close(self) -> None:
        """Close it, whatever is under way."""
        self.reusable = False
        if self._transport is not None:
            self._transport.abort()

    # --- what the transport calls -------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Take what came; words without a question end the connection."""
        if self._answer is None:
            self.close()
            return
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as problem:
            self._fail(f"no HTTP answer: {problem}")
            self.close()

    def connection_lost(self, problem: Exception | None) -> None:
        """End; an answer that does not say where it ends ends with its connection, any other was cut short."""
        self._transport, self.reusable = None, False
        if self._head_came and not self._framed and problem is None:
            self._done(self._parser.get_status_code())
        when = "in the middle of the answer" if self._head_came else "before an answer"
        self._fail(str(problem) if problem else f"the connection was closed {when}")

    # --- what the parser calls ----------------------------------------------------------------------------

    def on_header(self, name: bytes, _: bytes) -> None:
        """Note that the answer has an end of its own."""
        if name.lower() in _FRAMING:
            self._framed = True

    def on_headers_complete(self) -> None:
        """Note that an answer has begun."""
        self._head_came = self._parser.get_status_code() >= _INTERIM

    def on_message_complete(self) -> None:
        """Finish, unless it was an interim answer such as 100."""
        if self._head_came:
            self.reusable = self._parser.should_keep_alive()
            self._done(self._parser.get_status_code())

    def _done(self, status: int) -> None:
        answer, self._answer = self._answer, None
        self.idle_since = self._loop.time()
        if answer is not None and not answer.done():
            answer.set_result(status)

    def _fail(self, why: str) -> None:
        answer, self._answer = self._answer, None
        if answer is not None and not answer.done():
            answer.set_exception(ConnectionError(why))
