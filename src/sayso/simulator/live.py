"""Telling watchers at once: open pages, and waits for something to become true, without polling."""

import asyncio
import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

import msgspec

T = TypeVar("T")
#: What happens within this time is told to the pages together: one frame, each message and person once.
TOGETHER_S = 0.03
#: More than this at once, or a page this many frames behind, and a page starts afresh instead.
AT_ONCE_AT_MOST, FRAMES_BEHIND_AT_MOST = 4_000, 64
#: How soon after starting afresh a page is told anything again, so that a flood costs it little.
AFRESH_S = 0.5

_OF_PHONES = frozenset({"message", "status", "person", "moved"})

Make = Callable[[], dict[str, Any]]
#: Tells of a kind of happening, and of what happened to something, whether a wait must look again.
Concerns = Callable[[str, Any], bool]
#: A frame of the stream; None ends it, AFRESH asks for a new snapshot.
AFRESH = b""


@dataclass(slots=True, eq=False)
class Page:
    """One open page: what it has yet to be told, and whose conversations are on its screen."""

    id: str
    frames: asyncio.Queue[bytes | None] = field(default_factory=asyncio.Queue)
    showing: frozenset[str] | None = frozenset()  # None: the page is hidden, nobody is looking
    chats: dict[str, str] = field(default_factory=dict)  # per person, the number whose chat is on the screen
    desk: bool = False  # a page without phones: it is not told of people and messages

    def start_afresh(self) -> None:
        """Forget what it has yet to be told: the next thing it gets is how everything stands."""
        while not self.frames.empty():
            self.frames.get_nowait()
        self.frames.put_nowait(AFRESH)


@dataclass(slots=True, eq=False)
class _Wait:
    """Somebody who waits: how to look, and after what."""

    look: Callable[[], None]
    concerns: Concerns | None
    due: bool = False  # something happened that concerns it, it has yet to look


class Live:
    """All who watch the simulated world."""

    def __init__(self) -> None:
        self.pages: dict[str, Page] = {}
        self._numbers = itertools.count(1)
        self._waits: dict[int, _Wait] = {}
        self._looking: asyncio.Handle | None = None
        self._happened: list[tuple[str, Make]] = []
        self._telling: asyncio.TimerHandle | None = None
        self._afresh = False

    def open(self) -> Page:
        """Begin to watch; close it with :meth:`close`."""
        page = Page(f"page-{next(self._numbers)}")
        self.pages[page.id] = page
        return page

    def close(self, page: Page) -> None:
        """End watching; closing twice is harmless."""
        self.pages.pop(page.id, None)
        page.frames.put_nowait(None)

    def close_all(self) -> None:
        """End every page's stream, for shutdown."""
        for page in list(self.pages.values()):
            self.close(page)

    def publish(self, kind: str, make: Make, about: object = None) -> None:
        """Let every page know soon, and every wait that is concerned by what it is ``about``.

        ``make`` tells how things stand when the pages are told, and runs only when there are pages. Several
        happenings with the same ``wamid`` or ``wa_id``, or of a kind that has neither, are told once: as the last.
        ``reset`` makes the pages start afresh.
        """
        if self.pages:
            if kind == "reset" or len(self._happened) >= AT_ONCE_AT_MOST:
                self._happened.clear()
                self._afresh = True
            elif not self._afresh:
                self._happened.append((kind, make))
            if self._telling is None:
                self._telling = asyncio.get_running_loop().call_later(TOGETHER_S, self._tell)
        self.changed(kind, about)

    def changed(self, kind: str = "", about: object = None) -> None:
        """Have every wait look that is concerned, once this step of the world is over: however much happens in it."""
        for wait in self._waits.values():
            if not wait.due and (wait.concerns is None or wait.concerns(kind, about)):
                wait.due = True
                if self._looking is None:
                    self._looking = asyncio.get_running_loop().call_soon(self._look)

    def _look(self) -> None:
        self._looking = None
        for wait in list(self._waits.values()):
            if wait.due:
                wait.due = False
                wait.look()

    def someone_looks(self) -> bool:
        """Tell whether any phone page is open and visible."""
        return any(page.showing is not None for page in self.pages.values())

    def shows(self, wa_id: str, phone_number_id: str | None = None) -> bool:
        """Tell whether a visible phone page shows this person's conversation, with this number or any."""
        return any(
            page.showing
            and wa_id in page.showing
            and phone_number_id in (None, page.chats.get(wa_id, phone_number_id))
            for page in self.pages.values()
        )

    async def until(
        self, find: Callable[[], T | None], timeout_s: float, *, concerns: Concerns | None = None
    ) -> T | None:
        """Wait until ``find`` returns something and return it; None when ``timeout_s`` real seconds pass.

        A ``find`` that takes its time is spared what does not concern it: it is called again only after what
        ``concerns`` says, given the kind of happening and what it was about, is worth a look.
        """
        found = find()
        if found is not None:
            return found
        answer: asyncio.Future[T] = asyncio.get_running_loop().create_future()

        def look() -> None:
            seen = find()
            if seen is not None and not answer.done():
                answer.set_result(seen)

        key = next(self._numbers)
        self._waits[key] = _Wait(look, concerns)
        try:
            return await asyncio.wait_for(answer, timeout_s)
        except TimeoutError:
            return None
        finally:
            del self._waits[key]

    def _tell(self) -> None:
        """Give every page what happened meanwhile, in one frame made once."""
        self._telling = None
        afresh, happened = self._afresh, self._happened
        self._afresh, self._happened = False, []
        pages = list(self.pages.values())
        if afresh:
            for page in pages:
                page.start_afresh()
            self._telling = asyncio.get_running_loop().call_later(AFRESH_S, self._tell)
            return
        if not (pages and happened):
            return
        told = _together(happened)
        for desk in (False, True):
            concerned = [each for each in told if not (desk and each[0] in _OF_PHONES)]
            watching = [page for page in pages if page.desk is desk]
            if concerned and watching:
                _give(watching, event("happened", concerned))


def _give(pages: list[Page], frame: bytes) -> None:
    for page in pages:
        if page.frames.qsize() >= FRAMES_BEHIND_AT_MOST:
            page.start_afresh()
        else:
            page.frames.put_nowait(frame)


def event(kind: str, data: Any) -> bytes:
    """Write one server-sent event."""
    return b"event: " + kind.encode() + b"\ndata: " + msgspec.json.encode(data) + b"\n\n"


def _together(happened: list[tuple[str, Make]]) -> list[tuple[str, dict[str, Any]]]:
    """Tell each message, status, person or other kind once, in the order they first happened."""
    told: dict[tuple[str, str], tuple[str, dict[str, Any]]] = {}
    for kind, make in happened:
        data = make()
        subject = data.get("wamid") or data.get("wa_id") or ""
        if kind == "status" and ("message", subject) in told:
            told["message", subject][1].update(data)
        else:
            told[kind, subject] = (kind, data)
    return list(told.values())
