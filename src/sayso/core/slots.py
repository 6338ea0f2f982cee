"""What a worker's loop has in hand, how much more it may take, and how many handlers may be at work at once."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

#: How long a loop that knows of more waits for room to take several rows at once: a claim of one costs as much.
COMPANY_S = 0.02
#: How long a hand stands back at most while something is more urgent, and how often it looks: nothing starves.
STAND_BACK_S = 0.25
GLANCE_S = 0.01


@dataclass(slots=True)
class Slots:
    """A loop's rows in hand, by worker's number and id, and room for more; waiting for it is an event, not a poll.

    ``hands`` is how many handlers work at once: the other rows in hand wait their turn. ``urgent`` says whether
    something else should have the processor first. ``in_doubt``: a claim failed,
    and may have committed all the same. ``looked``: when timers were last looked at. ``claims``: how many there were.
    """

    most: int
    hands: asyncio.Semaphore
    urgent: Callable[[], bool] = bool  # nothing is
    in_hand: set[tuple[int, Any]] = field(default_factory=set)
    in_doubt: bool = False
    looked: float = 0.0
    claims: int = 0
    closed: bool = False
    _some: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def free(self) -> int:
        """How many more rows may be taken."""
        return self.most - len(self.in_hand)

    def taken(self, rows: Iterable[tuple[int, Any]]) -> None:
        """These rows are in hand now."""
        self.in_hand.update(rows)

    def given_back(self, rows: Iterable[tuple[int, Any]]) -> None:
        """These are no longer."""
        self.in_hand.difference_update(rows)
        self._some.set()

    def close(self) -> None:
        """Nothing more is to be taken: whoever waits for room need not."""
        self.closed = True
        self._some.set()

    @contextlib.asynccontextmanager
    async def hand(self) -> AsyncIterator[None]:
        """A free hand, once nothing is more urgent or it has stood back long enough."""
        async with self.hands:
            left = STAND_BACK_S
            while left > 0 and self.urgent() and not self.closed:
                await asyncio.sleep(GLANCE_S)
                left -= GLANCE_S
            yield

    async def room(self, enough: int) -> None:
        """Wait for room, for ``enough`` rows if that comes in a moment: rows that hang must not hold up the others."""
        await self._free(1)
        if self.free < enough:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(COMPANY_S):
                    await self._free(enough)

    async def _free(self, count: int) -> None:
        while self.free < count and not self.closed:
            self._some.clear()
            await self._some.wait()
