"""When a delivery is tried again, when an endpoint is failing, and when it is given up. Pure."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

#: Seconds before each attempt, counted from the end of the one before (Svix's ladder): 27 h 35 min in all.
LADDER: Final = (0, 5, 300, 1_800, 7_200, 18_000, 36_000, 36_000)
#: No delay is further from its step of the ladder than this, so that what failed together is not tried together.
JITTER: Final = 0.2
#: An endpoint that has too much to do, or does not answer in time, is left alone for at least as long (seconds).
FLOOR_S: Final = 60
#: So many failures in a row, and an endpoint is failing.
FAILING_AFTER: Final = 4
#: Nothing but failures for as long, and an endpoint is disabled.
GIVE_UP_AFTER: Final = timedelta(days=5)
#: Failures count towards that only once two of them are as far apart, ...
APART: Final = timedelta(hours=12)
#: ... and no further: one failure today and one next week are two accidents.
WITHIN: Final = timedelta(hours=24)
#: Failures older than this are forgotten.
FORGET_AFTER: Final = 2 * GIVE_UP_AFTER

_TOO_MANY: Final = 429
_GONE: Final = 410

Verdict = Literal["delivered", "retry", "exhausted", "gone"]


@dataclass(frozen=True, slots=True)
class Called:
    """What came of one call. ``status`` is None when no answer came, and ``error`` says why there was no success."""

    status: int | None
    ms: int
    error: str | None = None
    timed_out: bool = False
    retry_after_s: float | None = None
    body: bytes = b""

    @property
    def succeeded(self) -> bool:
        """Only 2xx is success; a redirect is not followed, so it is none."""
        return self.status is not None and 200 <= self.status < 300  # noqa: PLR2004 - the class of success


@dataclass(frozen=True, slots=True)
class Health:
    """How an endpoint has done since its last success.

    ``first``: the first failure; ``counting``: since when it counts towards being given up; ``last``: the latest.
    """

    failures: int = 0
    first: datetime | None = None
    counting: datetime | None = None
    last: datetime | None = None

    def after_failure(self, now: datetime) -> "Health":
        """The same after one more failure."""
        if self.first is None or self.last is None or now - self.last > FORGET_AFTER:
            return Health(1, now, None, now)
        if self.counting is not None or APART <= now - self.first <= WITHIN:
            return Health(self.failures + 1, self.first, self.counting or self.first, now)
        first = now if now - self.first > WITHIN else self.first
        return Health(self.failures + 1, first, None, now)

    def given_up(self, now: datetime) -> bool:
        """Whether an endpoint that has just failed is to be disabled."""
        return self.counting is not None and now - self.counting >= GIVE_UP_AFTER


def verdict(called: Called, attempt: int) -> Verdict:
    """What an attempt, counted from 1, means for its delivery."""
    if called.succeeded:
        return "delivered"
    if called.status == _GONE:
        return "gone"
    return "retry" if attempt < len(LADDER) else "exhausted"


def delay_s(called: Called, attempt: int, chance: Callable[[], float]) -> float:
    """Seconds until the next attempt after ``attempt`` failed; ``chance`` gives 0 to 1.

    What the receiver asks for in ``Retry-After`` counts between the step of the ladder and twice as long.
    """
    step = float(LADDER[attempt])
    if called.timed_out or called.status == _TOO_MANY:
        step = max(step, FLOOR_S)
    if called.retry_after_s is not None:
        step = min(max(called.retry_after_s, step), 2 * step)
    return step * (1 - JITTER + 2 * JITTER * chance())


def advice(status: int) -> str:
    """Why a status is no success, for whoever runs the receiver."""
    if 300 <= status < 400:  # noqa: PLR2004 - the class of redirects
        return "redirects are not followed: give the address that it leads to"
    if status == _GONE:
        return "the receiver said that the address is gone for good"
    return "only 2xx counts as received"
