"""Server-sent events: a feed as a response that does not end by itself, and never holds more than a page of it."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any, Final

import msgspec
import structlog
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from sayso.core.database import UNAVAILABLE
from sayso.core.errors import SaysoError
from sayso.core.telemetry import STREAMS
from sayso.events.following import Follower

log = structlog.get_logger("sayso.stream")

HEARTBEAT_S: Final = 15.0
#: A token may have ended meanwhile: by then the reader comes again with its cursor, and shows it.
LONGEST_S: Final = 3_600
#: Who takes nothing for as long is cut off, and may go on where it was: nothing is kept for it in between.
PATIENCE_S: Final = 30.0
#: Open at once, for one assistant.
MOST: Final = 100
_AT_ONCE: Final = 50
#: How soon it is looked whether there is something new although nobody has rung.
LOOK_S: Final = 60.0
#: How soon a reader comes again after the end.
_RETRY_MS: Final = 1_000

_open: Counter[str] = Counter()


class TooManyStreamsError(SaysoError):
    """The assistant has as many streams open as one may have; nothing was opened."""

    status = 429
    code = "too_many_streams"
    title = "Too many streams"
    retryable = True


class Stream(Response):
    """Events as they come; raises :class:`TooManyStreamsError` when made beyond :data:`MOST`."""

    media_type = "text/event-stream"

    def __init__(self, follower: Follower, *, seconds: float, patience_s: float = PATIENCE_S) -> None:
        super().__init__(None, 200, {"cache-control": "no-store", "x-accel-buffering": "no"})
        del self.headers["content-length"]
        self._follower = follower
        self._seconds = seconds
        self._patience_s = patience_s
        self._client = follower.clients[0]
        if _open[self._client] >= MOST:
            raise TooManyStreamsError(f"An assistant has at most {MOST} streams open at once.")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - as it is called
        """Send until the reader goes, takes nothing any more, or the time is over."""
        _open[self._client] += 1
        STREAMS.inc()
        sending = asyncio.create_task(self._send(send))
        gone = asyncio.create_task(_until_gone(receive))
        try:
            await asyncio.wait((sending, gone), return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (sending, gone):
                task.cancel()
            await asyncio.wait((sending, gone))
            STREAMS.dec()
            _open[self._client] -= 1
            if not _open[self._client]:
                del _open[self._client]
        if not sending.cancelled() and (error := sending.exception()) is not None:
            raise error

    async def _send(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        try:
            async for chunk in self._chunks():
                async with asyncio.timeout(self._patience_s):
                    await send({"type": "http.response.body", "body": chunk, "more_body": True})
        except TimeoutError:
            log.warning("stream.cut", client=self._client)
            return
        except UNAVAILABLE as error:  # the reader comes again, and by then the database may be there
            log.warning("stream.broken", client=self._client, error=repr(error))
        with suppress(TimeoutError):
            async with asyncio.timeout(self._patience_s):
                await send({"type": "http.response.body", "body": b""})

    async def _chunks(self) -> AsyncIterator[bytes]:
        follower, loop = self._follower, asyncio.get_running_loop()
        looked = loop.time()
        until = looked + self._seconds
        yield f"retry: {_RETRY_MS}\n{_place(follower.cursor)}\n".encode()
        with follower.listening() as bell:
            while (left := until - loop.time()) > 0 and not follower.rt.wakes.closing:
                if loop.time() - looked >= LOOK_S:
                    looked = loop.time()
                    bell.set()
                found = await follower.following(bell, _AT_ONCE, min(left, HEARTBEAT_S))
                if found:
                    yield b"".join(_event(cursor, event) for cursor, event in found)
                else:  # an id without data moves the reader's place and tells it nothing
                    yield f"{_place(follower.cursor)}: still here\n\n".encode()


def _place(cursor: str) -> str:
    return f"id: {cursor}\n" if cursor else ""


def _event(cursor: str, event: dict[str, Any]) -> bytes:
    data = msgspec.json.encode(event).decode()
    return f"id: {cursor}\nevent: {event['type']}\ndata: {data}\n\n".encode()


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
