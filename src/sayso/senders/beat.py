"""When a message may leave, in one process: slots by its own clock, waited for, and taken anew if missed."""

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from sayso.core.database import Tx
from sayso.core.runtime import Runtime
from sayso.core.telemetry import SLOTS_MISSED
from sayso.senders import pace

#: A message that comes to its slot later than this leaves in another one: with ``rules.SHARE`` no second holds more
#: than 0.97 x 1.025 of what the sender may send, however many processes are late by however much.
TOLERATED_S: Final = 0.025
#: Timers are no finer.
_TIMERS_S: Final = 0.001
#: The longest lead, and the share by which each claim that needed less brings it down.
_LONGEST_LEAD_S: Final = 0.25
_FORGETS: Final = 0.1


class Offset:
    """What is to be added to the database's clock to have this process's monotonic one, in seconds.

    Each reading is late by what the answer took to be read, so that the least of the last ones is the truest.
    """

    def __init__(self) -> None:
        self._readings: deque[float] = deque(maxlen=50)

    def read(self, clock: datetime) -> float:
        """Learn from a time of the database's that has just been read; the best offset known."""
        self._readings.append(asyncio.get_running_loop().time() - clock.timestamp())
        return min(self._readings)


class Lead:
    """How long this process needs from reading a sender's row until a message of that claim stands at the wire.

    Slots before that would be missed. What it needs more is learned at once, what it needs less bit by bit.
    """

    def __init__(self) -> None:
        self.seconds = 0.0

    @property
    def value(self) -> timedelta:
        """What to expect now."""
        return timedelta(seconds=self.seconds)

    def learn(self, seconds: float) -> None:
        """The first message of a claim needed so long."""
        weight = 1.0 if seconds > self.seconds else _FORGETS
        self.seconds = min(_LONGEST_LEAD_S, max(0.0, self.seconds + weight * (seconds - self.seconds)))


@dataclass(slots=True)
class Beat:
    """Waits for slots, in one process."""

    _waiting: set[asyncio.Future[None]] = field(default_factory=set)
    _stopped: bool = False

    async def wait(self, slot: float) -> float | None:
        """Return when a slot (by the loop's clock) has come: how late it is, in seconds; None when asked to stop."""
        loop = asyncio.get_running_loop()
        while not self._stopped:
            early = slot - loop.time()
            if early <= _TIMERS_S:
                return max(0.0, -early)
            done: asyncio.Future[None] = loop.create_future()
            timer = loop.call_later(early, _let_go, done)
            self._waiting.add(done)
            try:
                await done
            finally:
                timer.cancel()
                self._waiting.discard(done)
        return None

    def stop(self) -> None:
        """Whoever waits need not any more, and nobody waits from now on."""
        self._stopped = True
        for done in self._waiting:
            _let_go(done)


@dataclass(slots=True)
class Anew:
    """New slots for messages that missed theirs: those of a sender that ask at the same time get them together."""

    offset: Offset
    lead: Lead
    _asking: dict[str, list[asyncio.Future[float | None]]] = field(default_factory=dict)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    async def slot(self, rt: Runtime, sender: str) -> float | None:
        """A slot by the loop's clock; None when there is none soon. Raises what the database does."""
        mine: asyncio.Future[float | None] = asyncio.get_running_loop().create_future()
        asking = self._asking.setdefault(sender, [])
        asking.append(mine)
        if len(asking) == 1:
            task = asyncio.create_task(self._take(rt, sender))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return await mine

    async def _take(self, rt: Runtime, sender: str) -> None:
        asking: Sequence[asyncio.Future[float | None]] = ()
        try:
            async with rt.db.tx(claims=True) as tx:
                asking = self._asking.pop(sender)  # whoever comes after this asks again
                slots = await self._slots(tx, sender, len(asking))
        except BaseException as error:
            for each in asking or self._asking.pop(sender):
                if not each.done():
                    each.set_exception(error)
            if not isinstance(error, Exception):
                raise
            return
        SLOTS_MISSED.labels(sender).inc(len(asking))
        for number, each in enumerate(asking):
            if not each.done():
                each.set_result(slots[number] if number < len(slots) else None)

    async def _slots(self, tx: Tx, sender: str, count: int) -> list[float]:
        found, clock = await pace.take_again(tx, sender, count, lead=self.lead.value)
        base = self.offset.read(clock) if found else 0.0
        return [slot.timestamp() + base for slot in found]


def _let_go(done: asyncio.Future[None]) -> None:
    if not done.done():
        done.set_result(None)
