"""Telling watchers at once: open phone pages, and waits for something to become true, without polling."""

import asyncio
import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

T = TypeVar("T")
#: A page this far behind is cut off; its browser reconnects and starts from a fresh snapshot.
BEHIND_AT_MOST = 5_000

Happening = tuple[str, dict[str, Any]]


@dataclass(slots=True, eq=False)
class Page:
    """One open phone page: what it has yet to be told, and whose conversations are on its screen."""

    id: str
    queue: asyncio.Queue[Happening | None] = field(default_factory=asyncio.Queue)
    showing: frozenset[str] | None = frozenset()  # None: the page is hidden, nobody is looking


class Live:
    """All who watch the simulated world."""

    def __init__(self) -> None:
        self.pages: dict[str, Page] = {}
        self._numbers = itertools.count(1)
        self._waits: dict[int, Callable[[], None]] = {}

    def open(self) -> Page:
        """Begin to watch; close it with :meth:`close`."""
        page = Page(f"page-{next(self._numbers)}")
        self.pages[page.id] = page
        return page

    def close(self, page: Page) -> None:
        """End watching; closing twice is harmless."""
        self.pages.pop(page.id, None)
        page.queue.put_nowait(None)

    def close_all(self) -> None:
        """End every page's stream, for shutdown."""
        for page in list(self.pages.values()):
            self.close(page)

    def publish(self, kind: str, make: Callable[[], dict[str, Any]]) -> None:
        """Tell every page, then look at every wait. ``make`` runs only when a page is there to be told."""
        if self.pages:
            happening = (kind, make())
            for page in list(self.pages.values()):
                if page.queue.qsize() >= BEHIND_AT_MOST:
                    self.close(page)
                else:
                    page.queue.put_nowait(happening)
        self.changed()

    def changed(self) -> None:
        """Look at every wait again."""
        if self._waits:
            for look in list(self._waits.values()):
                look()

    def someone_looks(self) -> bool:
        """Tell whether any phone page is open and visible."""
        return any(page.showing is not None for page in self.pages.values())

    def shows(self, wa_id: str) -> bool:
        """Tell whether a visible phone page shows this person's conversation."""
        return any(page.showing and wa_id in page.showing for page in self.pages.values())

    async def until(self, find: Callable[[], T | None], timeout_s: float) -> T | None:
        """Wait until ``find`` returns something and return it; None when ``timeout_s`` real seconds pass."""
        found = find()
        if found is not None:
            return found
        answer: asyncio.Future[T] = asyncio.get_running_loop().create_future()

        def look() -> None:
            seen = find()
            if seen is not None and not answer.done():
                answer.set_result(seen)

        key = next(self._numbers)
        self._waits[key] = look
        try:
            return await asyncio.wait_for(answer, timeout_s)
        except TimeoutError:
            return None
        finally:
            del self._waits[key]
