"""Simulated time: the machine's own plus an offset that only grows, so that a day can pass in a second."""

import time
from collections.abc import Callable


class Clock:
    """Unix seconds as the simulated world sees them; every timestamp of the wire comes from here."""

    def __init__(self, real: Callable[[], float] = time.time) -> None:
        self._real = real
        self.offset_s = 0.0

    def now(self) -> float:
        """Say what time it is, unix seconds."""
        return self._real() + self.offset_s

    def advance(self, seconds: float) -> float:
        """Let ``seconds`` (not negative) pass at once and return the new time."""
        if seconds < 0:
            raise ValueError("simulated time only moves forward: advance_s must not be negative")
        self.offset_s += seconds
        return self.now()

    def reset(self) -> None:
        """Return to the machine's own time."""
        self.offset_s = 0.0
