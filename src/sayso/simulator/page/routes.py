"""The phone page: its files, its live stream, and what it has on screen."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aiohttp import web

from sayso.simulator.control.routes import ControlError, Strict, answering, read

if TYPE_CHECKING:
    from sayso.simulator.page.live import Page
    from sayso.simulator.server import Simulator

_HEADERS = {
    # Everything the page needs is its own: no inline code, no other site, no framing.
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}
_TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
_FOLDER = Path(__file__).parent / "static"
_BUBBLES_AT_START = 1_000


class Showing(Strict):
    """What a page has on its screen: numbers of people, or null while the page is hidden."""

    page: str
    people: list[str] | None


class PhonePage:
    """Serves the page and keeps it up to date by server-sent events."""

    def __init__(self, simulator: "Simulator") -> None:
        self._sim = simulator
        self._files = {path.name: path.read_bytes() for path in _FOLDER.iterdir() if path.suffix in _TYPES}

    def routes(self) -> list[web.RouteDef]:
        """List the page's routes."""
        return [
            web.get("/", self._index),
            web.get("/_sim/page/{name}", self._file),
            web.get("/_sim/events", self._events),
            web.post("/_sim/showing", answering(self._showing)),
        ]

    async def _index(self, _: web.Request) -> web.Response:
        return self._serve("phone.html")

    async def _file(self, request: web.Request) -> web.Response:
        return self._serve(request.match_info["name"])

    def _serve(self, name: str) -> web.Response:
        body = self._files.get(name)
        if body is None:
            raise web.HTTPNotFound
        content_type = _TYPES[Path(name).suffix]
        return web.Response(body=body, content_type=content_type, charset="utf-8", headers=_HEADERS)

    async def _events(self, request: web.Request) -> web.StreamResponse:
        """Stream: a snapshot first, then everything that happens; a reconnecting page starts afresh."""
        async with self._watching() as page:
            stream = web.StreamResponse(
                headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"}
            )
            await stream.prepare(request)
            snapshot = {"page": page.id, **self._sim.state(), "bubbles": self._sim.bubbles(_BUBBLES_AT_START)}
            await stream.write(_event("snapshot", snapshot))
            while (happening := await page.queue.get()) is not None:
                await stream.write(_event(*happening))
            return stream

    @asynccontextmanager
    async def _watching(self) -> "AsyncIterator[Page]":
        page = self._sim.live.open()
        try:
            yield page
        finally:
            self._sim.live.close(page)

    async def _showing(self, request: web.Request) -> dict[str, Any]:
        told = await read(request, Showing)
        page = self._sim.live.pages.get(told.page)
        if page is None:
            raise ControlError(f"there is no open page `{told.page}`")
        shown = None if told.people is None else frozenset(phone.lstrip("+") for phone in told.people)
        page.showing = shown
        for wa_id in shown or ():
            self._sim.journey.read_by_person(wa_id)
        return {"page": page.id}


def _event(kind: str, data: dict[str, Any]) -> bytes:
    return f"event: {kind}\ndata: {json.dumps(data)}\n\n".encode()
