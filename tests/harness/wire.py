"""The wire to Meta, with somebody who writes down each POST: what reached Meta, what came of it, and when.

It stands between a service and the simulator, outlives a service that is killed, and can hold or cut a single POST.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any, Literal

import aiohttp
import msgspec
from aiohttp import web

Place = Literal["before", "after"]
_TOO_MANY, _OF_A_SERVER = 429, 500
#: Codes that say only that something failed (cloud-api 5.2).
_NAMELESS = frozenset({1, 2, 131000})
_HOP = {"host", "content-length", "transfer-encoding", "connection"}


@dataclass(slots=True, eq=False)
class Post:
    """One POST of a message. Wall clock seconds: it ``began``, Meta had ``met`` it, the service's wait ``ended``."""

    message_id: str
    to: str
    text: str
    began: float
    met: float | None = None
    ended: float | None = None
    status: int | None = None
    code: int | None = None
    accepted: bool = False

    @property
    def refused(self) -> bool:
        """Whether Meta told the service that it did not take the message: not by a server's failure without a name."""
        if self.status is None or self.accepted:
            return False
        named = self.code is not None and (self.status < _OF_A_SERVER or self.code not in _NAMELESS)
        return named or self.status == _TOO_MANY

    def touches(self, words: str) -> bool:
        """Whether it carries these words."""
        return words in self.text


@dataclass(slots=True, eq=False)
class Hold:
    """One POST stopped in its tracks: ``before`` Meta sees it, or ``after`` Meta answered and before we hear of it."""

    place: Place
    matches: Callable[[Post], bool]
    reached: asyncio.Event = field(default_factory=asyncio.Event)
    let_go: asyncio.Event = field(default_factory=asyncio.Event)
    cut: bool = False
    post: Post | None = None

    async def arrived(self, within: float = 15.0) -> Post:
        """Wait until a POST is held; that POST."""
        async with asyncio.timeout(within):
            await self.reached.wait()
        assert self.post is not None
        return self.post

    def release(self) -> None:
        """Let it go on."""
        self.let_go.set()


class Wire:
    """A proxy on loopback; ``url`` is what a service takes for the Graph API."""

    def __init__(self, upstream: str) -> None:
        self.posts: list[Post] = []
        self.besides: dict[str, str] = {}  # headers of every refusal, besides its own
        self._upstream = upstream
        self._holds: list[Hold] = []
        self._runner: web.AppRunner | None = None
        self._site: web.TCPSite | None = None
        self._session: aiohttp.ClientSession | None = None
        self.port = 0

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    def of(self, message_id: str) -> list[Post]:
        """The POSTs of one message."""
        return [post for post in self.posts if post.message_id == message_id]

    def hold(self, place: Place, *, containing: str = "", cut: bool = False) -> Hold:
        """Stop the next POST with these words; with ``cut`` its connection is cut when it is let go."""
        held = Hold(place, lambda post: post.touches(containing), cut=cut)
        self._holds.append(held)
        return held

    def nobody_waits(self) -> None:
        """The service died: none of its POSTs is being waited for any more."""
        for post in self.posts:
            post.ended = post.ended or time.time()

    async def go_down(self) -> None:
        """Refuse connections, as a host that is not there."""
        if self._site is None or self._runner is None or self._runner.server is None:
            return
        await self._site.stop()
        self._site = None
        for connection in self._runner.server.connections:
            connection.force_close()

    async def come_up(self) -> None:
        """Listen (again, at the same address)."""
        assert self._runner is not None
        self._site = web.TCPSite(self._runner, "127.0.0.1", self.port)
        await self._site.start()
        self.port = int(self._runner.addresses[0][1])

    async def _pass(self, request: web.Request) -> web.StreamResponse:
        raw = await request.read()
        post = _post(raw)
        if post is not None:
            self.posts.append(post)
        try:
            await self._stop_at("before", post)
            status, headers, body = await self._forward(request, raw)
            if post is not None:
                post.status, post.code, post.met = status, _code(body), time.time()
                post.accepted = status == 200
                headers |= {} if post.accepted else self.besides
            await self._stop_at("after", post)
            return web.Response(status=status, headers=headers, body=body)
        except (aiohttp.ClientError, _CutError):
            if request.transport is not None:
                request.transport.abort()
            return web.Response()
        finally:
            if post is not None:
                post.ended = post.ended or time.time()

    async def _forward(self, request: web.Request, raw: bytes) -> tuple[int, dict[str, str], bytes]:
        assert self._session is not None
        headers = {name: value for name, value in request.headers.items() if name.lower() not in _HOP}
        target = self._upstream + request.path_qs
        async with self._session.request(request.method, target, data=raw, headers=headers) as answer:
            kept = {name: value for name, value in answer.headers.items() if name.lower() not in _HOP}
            return answer.status, kept, await answer.read()

    async def _stop_at(self, place: Place, post: Post | None) -> None:
        held = next(
            (h for h in self._holds if h.place == place and post is not None and h.matches(post)), None
        )
        if held is None:
            return
        self._holds.remove(held)
        held.post = post
        held.reached.set()
        await held.let_go.wait()
        if held.cut:
            raise _CutError

    async def open(self) -> None:
        """Begin."""
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, force_close=True), auto_decompress=False
        )
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._pass)
        self._runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=0.5)
        await self._runner.setup()
        await self.come_up()

    async def close(self) -> None:
        """End, letting go of everything held."""
        for held in self._holds:
            held.release()
        if self._runner is not None:
            await self._runner.cleanup()
        if self._session is not None:
            await self._session.close()


class _CutError(Exception):
    """The connection is to be cut."""


@contextlib.asynccontextmanager
async def wire_to(upstream: str) -> AsyncIterator[Wire]:
    """A wire to a simulator."""
    wire = Wire(upstream)
    await wire.open()
    try:
        yield wire
    finally:
        await wire.close()


def _post(raw: bytes) -> Post | None:
    try:
        body: Any = msgspec.json.decode(raw)
    except msgspec.DecodeError:
        return None
    if not isinstance(body, dict) or "biz_opaque_callback_data" not in body:
        return None
    to = str(body.get("to") or body.get("recipient"))
    message_id = body["biz_opaque_callback_data"].partition(":")[0]
    return Post(message_id, to, msgspec.json.encode(body).decode(), time.time())


def _code(body: bytes) -> int | None:
    try:
        answer: Any = msgspec.json.decode(body)
    except msgspec.DecodeError:
        return None
    error = answer.get("error") if isinstance(answer, dict) else None
    return error.get("code") if isinstance(error, dict) else None
