"""The pages: their files, their live stream, the media they draw, and what is on screen."""

import html
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec
from aiohttp import web
from aiohttp.typedefs import Handler

from sayso.simulator import views
from sayso.simulator.api.simulator import SimulatorApi
from sayso.simulator.control.reading import answering, known_query, read
from sayso.simulator.live import Page, event
from sayso.simulator.page.used import used_up
from sayso.simulator.strict import ControlError, Strict
from sayso.simulator.world.messages import Message

_HEADERS = {
    # Everything the page needs is its own: no inline code, no other site, no framing.
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; media-src 'self'; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}
#: What people and businesses sent is shown, never run.
_MEDIA_HEADERS = {**_HEADERS, "Content-Security-Policy": "default-src 'none'; sandbox"}
_SHOWN_IN_PLACE = ("image/", "audio/", "video/")
_TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
_FOLDER = Path(__file__).parent / "static"
_BUBBLES_AT_START, _BUBBLES_OF_ONE, _PEOPLE_AT_START = 1_000, 300, 500
#: What a browser is told at a path where there is nothing.
_LOST = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>No such page</title>
<p>There is no page {path} here. There are the <a href="/">phones</a> at / and the <a href="/desk">desk</a> at /desk;
<a href="/_sim">/_sim</a> lists the calls of the control API, and everything else is the Cloud API, which wants a token.
</html>
"""


class Showing(Strict):
    """What a page has on its screen: people's numbers, or null while it is hidden.

    ``chats`` tells, per ``wa_id``, the phone number id of the conversation that is open there.
    """

    page: str
    people: list[str] | None
    chats: dict[str, str] = msgspec.field(default_factory=dict)


class Played(Strict):
    """A voice note that the person began to play."""

    message_id: str


class PhonePage:
    """Serves the pages and keeps them up to date by server-sent events."""

    def __init__(self, simulator: SimulatorApi) -> None:
        self._sim = simulator
        self._world = simulator.world
        found = (path for path in _FOLDER.rglob("*") if path.suffix in _TYPES)
        self._files = {path.relative_to(_FOLDER).as_posix(): path.read_bytes() for path in found}

    def routes(self) -> list[web.RouteDef]:
        """List the pages' routes."""
        return [
            web.get("/", self._phones),
            web.get("/desk", self._desk),
            web.get("/_sim/page/{name:.+}", self._file),
            web.get("/_sim/events", self._events),
            web.get("/_sim/shown/{media_id}", self._media),
            web.get("/_sim/bubbles", answering(self._bubbles)),
            web.get("/_sim/used", answering(self._used)),
            web.post("/_sim/showing", answering(self._showing)),
            web.post("/_sim/played", answering(self._played)),
        ]

    def unless_lost(self, leads_somewhere: Callable[[str], bool], graph: Handler) -> Handler:
        """Tell a browser that looks for a page which there are; everything else is a call of the Graph API."""

        async def answer(request: web.Request) -> web.StreamResponse:
            if _is_browser(request) and not leads_somewhere(request.path):
                words = _LOST.format(path=html.escape(request.path))
                return web.Response(text=words, status=404, content_type="text/html", headers=_HEADERS)
            return await graph(request)

        return answer

    async def _phones(self, _: web.Request) -> web.Response:
        return self._serve("phones.html")

    async def _desk(self, _: web.Request) -> web.Response:
        return self._serve("desk.html")

    async def _file(self, request: web.Request) -> web.Response:
        return self._serve(request.match_info["name"])

    def _serve(self, name: str) -> web.Response:
        body = self._files.get(name)
        if body is None:
            raise web.HTTPNotFound
        content_type = _TYPES[Path(name).suffix]
        return web.Response(body=body, content_type=content_type, charset="utf-8", headers=_HEADERS)

    async def _media(self, request: web.Request) -> web.Response:
        """Show media that either side sent, as the phone that received it can."""
        media = self._world.media.get(request.match_info["media_id"])
        if media is None:
            raise web.HTTPNotFound
        headers = dict(_MEDIA_HEADERS)
        mime_type = media.mime_type.split(";")[0].strip()
        if not mime_type.startswith(_SHOWN_IN_PLACE) or "svg" in mime_type:
            mime_type, headers["Content-Disposition"] = "application/octet-stream", "attachment"
        return web.Response(body=media.data, content_type=mime_type, headers=headers)

    async def _events(self, request: web.Request) -> web.StreamResponse:
        """Stream how everything stands, then everything that happens; a page that fell behind starts afresh.

        ``people`` names those on the screen, whose conversations come with the start; ``desk`` marks a page
        without phones: nobody reads on it.
        """
        query = known_query(request, "people", "desk")
        async with self._watching() as page:
            if "desk" in query:
                page.desk, page.showing = True, None
            stream = web.StreamResponse(
                headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"}
            )
            await stream.prepare(request)
            page.start_afresh()
            shown = query.get("people", "").split(",")
            with suppress(ConnectionError):  # the page was closed, which is no trouble
                while (frame := await page.frames.get()) is not None:
                    await stream.write(frame or event("snapshot", self._snapshot(page, shown)))
            return stream

    @asynccontextmanager
    async def _watching(self) -> AsyncIterator[Page]:
        page = self._sim.live.open()
        try:
            yield page
        finally:
            self._sim.live.close(page)

    def _snapshot(self, page: Page, shown: list[str]) -> dict[str, Any]:
        """Tell how everything stands: the latest messages, and those of the people on the screen."""
        world = self._world
        messages = [] if page.desk else list(world.messages.values())
        told = {each.wamid: each for wa_id in shown for each in _conversation(messages, wa_id)}
        told |= {each.wamid: each for each in messages[-_BUBBLES_AT_START:]}
        people = {each.wa_id for each in told.values()} | {*shown, *(page.showing or ())}
        people |= set(islice(world.people, _PEOPLE_AT_START))
        return {
            "page": page.id,
            **views.clock_on_phone(world),
            "numbers": views.numbers_on_phone(world),
            "people": [
                views.person_on_phone(each, world) for each in world.people.values() if each.wa_id in people
            ],
            "bubbles": [
                views.message_on_phone(each, world)
                for each in sorted(told.values(), key=lambda each: each.at)
            ],
        }

    async def _bubbles(self, request: web.Request) -> dict[str, Any]:
        """Tell the conversations of one person (``person``, digits), as far as a phone keeps them."""
        wa_id = known_query(request, "person").get("person", "")
        if wa_id not in self._world.people:
            raise LookupError(f"there is nobody with the number {wa_id!r}")
        messages = _conversation(list(self._world.messages.values()), wa_id)
        return {"bubbles": [views.message_on_phone(each, self._world) for each in messages]}

    async def _used(self, request: web.Request) -> dict[str, Any]:
        """Tell what is used up of the limits."""
        known_query(request)
        return used_up(self._world)

    async def _showing(self, request: web.Request) -> dict[str, Any]:
        told = await read(request, Showing)
        page = self._sim.live.pages.get(told.page)
        if page is None:
            raise ControlError(f"there is no open page `{told.page}`")
        shown = None if told.people is None else frozenset(phone.lstrip("+") for phone in told.people)
        page.showing, page.chats = shown, told.chats
        for wa_id in shown or ():
            self._sim.journey.read_by_person(wa_id, told.chats.get(wa_id))
        return {"page": page.id}

    async def _played(self, request: web.Request) -> dict[str, Any]:
        """Let the person play a voice note of the business: told as `played` (4.9)."""
        wamid = (await read(request, Played)).message_id
        message = self._world.messages.get(wamid)
        if message is None or not message.outbound:
            raise LookupError(f"there is no message {wamid!r} from the business")
        try:
            self._sim.journey.play(message)
        except ValueError as problem:
            raise ControlError(str(problem)) from problem
        return {"status": message.status}


def _is_browser(request: web.Request) -> bool:
    """Tell whether somebody looks for a page, not a program for the API: no token, and HTML will do."""
    html_will_do = request.method in ("GET", "HEAD") and "text/html" in request.headers.get("Accept", "")
    return html_will_do and "Authorization" not in request.headers and "access_token" not in request.query


def _conversation(messages: list[Message], wa_id: str) -> list[Message]:
    return [each for each in messages if each.wa_id == wa_id][-_BUBBLES_OF_ONE:]
