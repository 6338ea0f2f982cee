"""Simulated time: it runs with the machine's own, or faster, or stands still; a day can pass in a second.

Everything that happens later is a timer on this clock, so that letting time pass makes it happen, in its order and
each thing at its own moment.
"""

import asyncio
import heapq
import itertools
import time
from collections.abc import Callable
from datetime import UTC, datetime

#: How far ahead a timer of the event loop is set at most, real seconds.
LOOK_AGAIN_S = 3600.0
#: Where simulated time ends, 2100-01-01T00:00:00Z: far ahead, and no sum of a moment and a span breaks a calendar.
LATEST = 4_102_444_800.0
#: How many times as fast as the machine's own time may run.
FASTEST = 1_000_000.0

#: So many timers are kept before the cancelled ones among them are dropped.
SWEEP_FROM = 1_024


class Timer:
    """Something that is going to happen; cancel it, or read when it is due (simulated unix seconds)."""

    __slots__ = ("due", "happen")

    def __init__(self, due: float, happen: Callable[[], None]) -> None:
        self.due = due
        self.happen: Callable[[], None] | None = happen

    def cancel(self) -> None:
        """Let it not happen; harmless when it has, or twice."""
        self.happen = None


class Clock:
    """Unix seconds as the simulated world sees them; every timestamp of the wire comes from here."""

    def __init__(self, real: Callable[[], float] = time.time) -> None:
        self._real = real
        self._began_real = self._began = real()
        self.speed = 1.0
        self._moment: float | None = None  # while timers happen: the moment of the one that does
        self._queue: list[tuple[float, int, Timer]] = []
        self._order = itertools.count()
        self._sweep_at = SWEEP_FROM
        self._wake: asyncio.TimerHandle | None = None
        self._wake_due = float("inf")

    def now(self) -> float:
        """Say what time it is, unix seconds."""
        return self._flowing() if self._moment is None else self._moment

    @property
    def offset_s(self) -> float:
        """How far simulated time is ahead of the machine's own, to the millisecond."""
        return round(self.now() - self._real(), 3)

    @property
    def frozen(self) -> bool:
        """Whether time stands still."""
        return self.speed == 0

    @property
    def waiting(self) -> int:
        """How many things are going to happen."""
        return sum(1 for _, _, timer in self._queue if timer.happen is not None)

    def at(self, due: float, happen: Callable[[], None]) -> Timer:
        """Let ``happen`` be called at ``due``; a moment that has passed is as soon as possible."""
        if len(self._queue) >= self._sweep_at:
            self._sweep()
        timer = Timer(due, happen)
        heapq.heappush(self._queue, (due, next(self._order), timer))
        if due < self._wake_due:
            self._set_alarm()
        return timer

    def after(self, seconds: float, happen: Callable[[], None]) -> Timer:
        """Let ``happen`` be called in so many simulated seconds."""
        return self.at(self.now() + seconds, happen)

    def advance(self, seconds: float) -> float:
        """Let ``seconds`` (not negative) pass at once, with all that falls into them; return the new time."""
        if not seconds >= 0:
            raise ValueError("simulated time only moves forward: advance_s must not be negative")
        self.set(self._flowing() + seconds)
        return self.now()

    def set(self, moment: float) -> None:
        """Let time pass until ``moment``, unix seconds, not before now nor beyond ``LATEST``."""
        if moment > LATEST:
            raise ValueError(f"simulated time ends with the year 2099, at {LATEST:.0f} unix seconds")
        if not moment >= self._flowing():
            raise ValueError("simulated time only moves forward: the moment asked for has passed")
        self._began_real, self._began = self._real(), moment
        self._happen()

    def run(self, speed: float = 1.0) -> None:
        """Let time run ``speed`` times as fast as the machine's; 0 freezes it."""
        if not 0 <= speed <= FASTEST:
            raise ValueError(f"speed must be from 0 to {FASTEST:.0f}: simulated time only moves forward")
        self._began, self._began_real = self._flowing(), self._real()
        self.speed = speed
        self._set_alarm()

    def start_at(self, moment: float, speed: float) -> None:
        """Begin anew at a moment, before or after now, as a snapshot or a test needs; timers are forgotten."""
        self.forget()
        self._began_real, self._began, self.speed = self._real(), moment, speed

    def reset(self) -> None:
        """Return to the machine's own time; what was going to happen is forgotten."""
        self.start_at(self._real(), 1.0)

    def forget(self) -> None:
        """Forget everything that was going to happen."""
        self._queue.clear()
        self._stop_alarm()

    def _flowing(self) -> float:
        return min(self._began + (self._real() - self._began_real) * self.speed, LATEST)

    def _sweep(self) -> None:
        """Drop what was cancelled; the next time is when there are twice as many as are left."""
        self._queue = [each for each in self._queue if each[2].happen is not None]
        heapq.heapify(self._queue)
        self._sweep_at = max(SWEEP_FROM, 2 * len(self._queue))

    def _happen(self) -> None:
        """Call everything due, in its order, each at its own moment."""
        until = self._flowing()
        try:
            while self._queue and self._queue[0][0] <= until:
                self._moment, _, timer = heapq.heappop(self._queue)
                happen, timer.happen = timer.happen, None
                if happen is not None:
                    happen()
        finally:
            self._moment = None
            self._set_alarm()

    def _set_alarm(self) -> None:
        """Have the event loop call when the next thing is due; nothing is called while time stands still."""
        self._stop_alarm()
        if not self._queue or (self.speed == 0 and self._queue[0][0] > self._flowing()):
            return
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:  # time is moved outside a loop: whoever moves it makes things happen
            return
        self._wake_due = self._queue[0][0]
        ahead = max(0.0, self._wake_due - self._flowing()) / (self.speed or 1.0)
        self._wake = loop.call_later(min(ahead, LOOK_AGAIN_S), self._happen)

    def _stop_alarm(self) -> None:
        if self._wake is not None:
            self._wake.cancel()
        self._wake, self._wake_due = None, float("inf")


def moment(given: float | str | datetime) -> float:
    """Return the unix seconds of a moment, which may be written by ISO 8601; without an offset it is UTC.

    Raise ValueError, in words, for what is none.
    """
    if isinstance(given, int | float):
        return given
    try:
        read = datetime.fromisoformat(given) if isinstance(given, str) else given
    except ValueError:
        raise ValueError(
            f"`set` must be unix seconds or a moment such as 2026-12-01T08:00:00Z; it is {given!r}."
        ) from None
    return (read if read.tzinfo else read.replace(tzinfo=UTC)).timestamp()
