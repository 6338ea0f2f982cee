"""The HTTP session towards Meta, which knows whether a request has begun to be written.

aiohttp never sends a POST twice by itself (it retries idempotent methods only, RFC 9110 9.2.2), and tells
connection faults apart by type. Two things are added, both in the one place through which each request
passes on its way to the socket: a mark that writing begins, and a last look whether the peer has closed. And, since
a connection may take a while, a request may wait there, connected, for its turn.
"""

import select
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from typing import Any, Final

import aiohttp
import msgspec
from aiohttp.connector import Connection

KEEPALIVE_S: Final = 25.0
"""Idle connections are dropped sooner than common front servers drop them, which saves stale ones."""

DNS_TTL_S: Final = 60
_CLOSED: Final = getattr(select, "POLLRDHUP", 0) | select.POLLHUP | select.POLLERR


Turn = Callable[[], Awaitable[str | None]]
"""Returns when a request may be written: None, or the reason why it may not any more."""


class Mark:
    """How far one request came: whether our session made it, and whether writing has begun. It waits for ``turn``."""

    __slots__ = ("begun", "turn", "watched")

    def __init__(self, turn: Turn | None = None) -> None:
        self.watched = False
        self.begun = False
        self.turn = turn


MARK: Final[ContextVar[Mark | None]] = ContextVar("sayso_whatsapp_mark", default=None)
"""The mark of the request that the current task is making."""


class StaleConnectionError(Exception):
    """The peer had closed this connection before anything was written on it."""


class NotItsTurnError(Exception):
    """The request may not be written any more; the reason is its only argument."""


class _Request(aiohttp.ClientRequest):
    """A request that marks the moment before its first byte."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._mark = MARK.get() or Mark()
        self._mark.watched = True

    async def send(self, conn: Connection) -> aiohttp.ClientResponse:
        if self._mark.turn is not None and (reason := await self._mark.turn()) is not None:
            raise NotItsTurnError(reason)
        if _closed_by_peer(conn):
            raise StaleConnectionError
        self._mark.begun = True
        return await super().send(conn)


def _closed_by_peer(conn: Connection) -> bool:
    """Ask the kernel, since the event loop may not have come round to noticing yet (about 2 µs)."""
    if conn.transport is None or conn.transport.is_closing():
        return True
    socket = conn.transport.get_extra_info("socket")
    if socket is None:
        return False
    poll = select.poll()
    poll.register(socket.fileno(), _CLOSED)
    return bool(poll.poll(0))


def graph_session(limit: int) -> aiohttp.ClientSession:
    """Return the session for ``GraphClient``: at most ``limit`` connections, kept alive, no proxy, no cookies.

    Needs a running event loop; close it at the end. Raises RuntimeError under a version of aiohttp in which
    requests no longer pass through ``ClientRequest.send``: the mark would then never be set.
    """
    if "send" not in vars(aiohttp.ClientRequest):
        raise RuntimeError("This version of aiohttp sends requests in a way that cannot be watched.")
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=limit, ttl_dns_cache=DNS_TTL_S, keepalive_timeout=KEEPALIVE_S),
        cookie_jar=aiohttp.DummyCookieJar(),
        json_serialize=_dumps,
        request_class=_Request,
        trust_env=False,
    )


def _dumps(value: Any) -> str:
    return msgspec.json.encode(value).decode()
