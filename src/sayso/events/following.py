"""Following a feed: page after page, filtered, and waiting for what is told next. Long poll and stream alike."""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from sayso.core.database import Record
from sayso.core.runtime import Runtime
from sayso.core.wakes import rung
from sayso.events import service

#: Read at once; of what a filter leaves out no more than so many pages in one look.
PAGE: Final = 200
_PAGES: Final = 50
#: How soon to look again for what has committed but may not be read yet, since something older is under way.
_SETTLES_S: Final = (0.002, 0.25)


@dataclass(frozen=True, slots=True)
class Filter:
    """Which events are wanted: of these types (``confirmation.*`` takes a whole family), about this subject."""

    types: tuple[str, ...] = ()
    subject: str | None = None

    def wants(self, event: Record) -> bool:
        """Whether an event is wanted."""
        if self.subject is not None and event["subject"] != self.subject:
            return False
        return not self.types or any(matches(pattern, event["type"]) for pattern in self.types)


def matches(pattern: str, kind: str) -> bool:
    """Whether a type is the pattern, or of the family it names; ``service.HEARS`` says the same in SQL."""
    return kind == pattern or (pattern.endswith(".*") and kind.startswith(pattern[:-1]))


def known(pattern: str) -> bool:
    """Whether a pattern can match anything that is ever told."""
    return any(matches(pattern, kind) for kind in service.CATALOGUE)


@dataclass(slots=True)
class Follower:
    """A place in the feeds of ``clients``, moved on by reading."""

    rt: Runtime
    clients: Sequence[str]
    cursor: str
    filter: Filter = field(default_factory=Filter)

    @property
    def bells(self) -> list[str]:
        """What is rung when there may be something new."""
        return [service.bell(client) for client in self.clients]

    async def read(self, most: int) -> tuple[list[tuple[str, dict[str, Any]]], bool]:
        """What is wanted of what can be read now, with the cursor after each; whether more has been committed."""
        found: list[tuple[str, dict[str, Any]]] = []
        for _ in range(_PAGES):
            async with self.rt.db.one() as tx:
                page = await service.page(tx, clients=self.clients, after=self.cursor, limit=PAGE)
            for cursor, event in page.events:
                self.cursor = cursor
                if self.filter.wants(event):
                    found.append((cursor, event))
                    if len(found) == most:
                        return found, True
            if len(page.events) < PAGE:
                return found, page.unsettled
        return found, True

    @contextmanager
    def listening(self) -> Iterator[asyncio.Event]:
        """The bell for :meth:`following`: rung when there may be something new, and at first."""
        with self.rt.wakes.waiting(*self.bells) as bell:
            bell.set()
            yield bell

    async def following(
        self, bell: asyncio.Event, most: int, seconds: float
    ) -> list[tuple[str, dict[str, Any]]]:
        """What comes next; empty when the seconds are over, or the process is ending.

        It is looked for only when the bell has rung: whoever waits for long costs the database nothing.
        """
        loop = asyncio.get_running_loop()
        deadline = loop.time() + seconds
        pause, longest = _SETTLES_S
        while True:
            more = False
            if bell.is_set():
                bell.clear()
                found, more = await self.read(most)
                if more:
                    bell.set()
                if found:
                    return found
            left = deadline - loop.time()
            if left <= 0 or self.rt.wakes.closing:
                return []
            if more:
                await asyncio.sleep(min(pause, left))
                pause = min(2 * pause, longest)
            else:
                pause = _SETTLES_S[0]
                await rung(bell, left)

    async def wait(self, most: int, seconds: float) -> list[tuple[str, dict[str, Any]]]:
        """What comes next, as :meth:`following` has it, once; looked for a last time when the seconds are over."""
        with self.listening() as bell:
            found = await self.following(bell, most, seconds)
            return found or (await self.read(most))[0] if seconds else found
