"""How fast, how much and to whom a number may send. Pure."""

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

#: What a rate is multiplied by when Meta says that it was too high (130429), and at most how often.
CUT: Final = 0.7
CUT_EVERY: Final = timedelta(seconds=1)
#: From nothing to the limit in this time, in equal steps: what was cut in a moment comes back slowly.
GROWS_IN: Final = timedelta(seconds=60)
LOWEST_RATE: Final = 1.0
#: From this share of an allowance on, as Meta counts it, we call and send less.
HEEDED_PERCENT: Final = 95.0

#: The longest hold that any answer of Meta's, or its repetition, can impose: then one message tries again.
LONGEST_HOLD: Final = timedelta(hours=1)
#: A hold that follows the last one within this time is its repetition, and lasts twice as long.
REPEATED_WITHIN: Final = timedelta(minutes=30)
_MOST_DOUBLINGS: Final = 12
#: The share of an allowance of calls that is for all; the rest is for what is urgent.
_FOR_ALL: Final = 0.8


def grown(rate: float, cut_at: datetime | None, now: datetime, limit: float) -> float:
    """Messages a second that may go at ``now``: ``rate`` as it was at the last cut, grown back towards ``limit``.

    ``cut_at`` is None when nothing was cut since the limit was learned. Times by one clock, the database's.
    """
    if cut_at is None:
        return limit
    since = max(timedelta(0), now - cut_at)
    return min(limit, rate + limit * (since / GROWS_IN))


def throttled(rate: float, cut_at: datetime | None, now: datetime, limit: float) -> float | None:
    """The rate after Meta said that the present one is too high; None when it was cut a moment ago.

    What was under way before a cut still comes back as too fast after it: that is not a second verdict.
    """
    if cut_at is not None and now - cut_at < CUT_EVERY:
        return None
    return max(LOWEST_RATE, CUT * grown(rate, cut_at, now, limit))


def slowed(percent: float, limit: float) -> float | None:
    """The rate at which a number goes on when so much of its hour's allowance is used; None: at its own.

    From 95 % on ever slower, so that the last part lasts until the oldest of the hour is over, and nothing is refused.
    """
    if percent < HEEDED_PERCENT:
        return None
    return max(LOWEST_RATE, limit * (100.0 - percent) / (100.0 - HEEDED_PERCENT))


def hold_for(asked_s: float, times: int) -> timedelta:
    """How long to hold after Meta, for the ``times``-th time in a row, asked for ``asked_s`` seconds.

    Doubled with each repetition and never more than an hour, whatever was asked: a number that is absurd, negative or
    none must neither stop a sender for good nor make it knock without a pause.
    """
    asked = asked_s if math.isfinite(asked_s) else LONGEST_HOLD.total_seconds()
    doubled = max(1.0, asked) * 2.0 ** min(_MOST_DOUBLINGS, max(0, times - 1))
    return min(LONGEST_HOLD, timedelta(seconds=min(doubled, LONGEST_HOLD.total_seconds())))


#: The share of the limit that is used. What is left over is for messages that reach Meta closer together than their
#: slots are: at 0.97 the limit is passed only when one is overtaken by 31 ms in what it takes to get there.
SHARE: Final = 0.97
#: Slots are never taken further ahead than this: up to 2 s for a message that missed its own, and the next one then.
CLOCK_SET_BACK: Final = timedelta(seconds=4)
#: Every so-maniest slot goes to the oldest message whatever its lane, so that nothing starves.
OLDEST_EVERY: Final = 10

#: The pair rate (cloud-api 6): a message in 6 s to one person, up to 45 at once on credit, paid back before the next.
#: The slack is for messages that take longer to reach Meta than the next one does.
PAIR_EVERY: Final = timedelta(seconds=6)
PAIR_AT_ONCE: Final = 45
PAIR_SLACK: Final = timedelta(seconds=0.5)

#: People reached outside windows count for so long (cloud-api 6).
REACH: Final = timedelta(hours=24)


def slots(
    tat: datetime, begin: datetime, end: datetime, rate: float, most: int
) -> tuple[list[datetime], timedelta]:
    """The moments from ``begin`` to ``end`` at which a message may go, at most ``most``, and how far apart they are.

    ``tat`` is the first moment nobody has taken (GCRA without a burst). It lies so far ahead that nobody could have
    taken it only when the database's clock was set back, and then does not count: nobody waits for the old time.
    """
    apart = timedelta(seconds=1.0 / (SHARE * rate))
    first = begin if tat > end + apart + CLOCK_SET_BACK else max(tat, begin)
    count = min(most, math.ceil((end - first) / apart)) if first < end else 0
    return [first + apart * number for number in range(count)], apart


@dataclass(frozen=True, slots=True)
class Burst:
    """Messages from one sender to one person since ``began``, not paid back yet at 6 s each."""

    began: datetime
    count: int

    def paid_back(self) -> datetime:
        """From when on another message may go, whatever credit is used up."""
        return self.began + PAIR_EVERY * self.count + PAIR_SLACK

    def free_at(self, at: datetime) -> datetime:
        """When the next message may go that would like to go at ``at``."""
        on_credit = at - self.began < PAIR_EVERY - PAIR_SLACK and self.count < PAIR_AT_ONCE
        return at if on_credit else max(at, self.paid_back())

    def with_one_more(self, at: datetime) -> "Burst":
        """After a message at ``at``."""
        return Burst(at, 1) if at >= self.paid_back() else Burst(self.began, self.count + 1)


def bucket(
    used: float, since: timedelta, *, calls: int, hourly: int, urgent: bool
) -> tuple[float, timedelta]:
    """Take ``calls`` out of an allowance of ``hourly``: what is then used, and how long to wait if it does not fit.

    It holds half an hour's calls and fills at half the hourly rate, so that no hour sees more than ``hourly``. What is
    not urgent leaves the last fifth alone.
    """
    now_used = drained(used, since, hourly)
    room = hourly / 2 if urgent else _FOR_ALL * hourly / 2
    over = now_used + calls - room
    if over <= 0:
        return now_used + calls, timedelta(0)
    return now_used, timedelta(hours=over / (hourly / 2))


def drained(used: float, since: timedelta, hourly: int) -> float:
    """What is still counted as used after ``since``."""
    return max(0.0, used - max(0.0, since / timedelta(hours=1)) * hourly / 2)
