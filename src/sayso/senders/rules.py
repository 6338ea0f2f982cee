"""How fast, how much and to whom a number may send. Pure."""

import math
from datetime import datetime, timedelta
from typing import Final

#: What a rate is multiplied by when Meta says that it was too high (130429), and at most how often.
CUT: Final = 0.7
CUT_EVERY: Final = timedelta(seconds=1)
#: From nothing to the limit in this time, in equal steps: what was cut in a moment comes back slowly.
GROWS_IN: Final = timedelta(seconds=60)
LOWEST_RATE: Final = 1.0

#: The longest hold that any answer of Meta's, or its repetition, can impose: then one message tries again.
LONGEST_HOLD: Final = timedelta(hours=1)
#: A hold that follows the last one within this time is its repetition, and lasts twice as long.
REPEATED_WITHIN: Final = timedelta(minutes=30)
_MOST_DOUBLINGS: Final = 12


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


def hold_for(asked_s: float, times: int) -> timedelta:
    """How long to hold after Meta, for the ``times``-th time in a row, asked for ``asked_s`` seconds.

    Doubled with each repetition and never more than an hour, whatever was asked: a number that is absurd, negative or
    none must neither stop a sender for good nor make it knock without a pause.
    """
    asked = asked_s if math.isfinite(asked_s) else LONGEST_HOLD.total_seconds()
    doubled = max(1.0, asked) * 2.0 ** min(_MOST_DOUBLINGS, max(0, times - 1))
    return min(LONGEST_HOLD, timedelta(seconds=min(doubled, LONGEST_HOLD.total_seconds())))
