"""May this message go now, as what; how its state may move; when to try again. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

#: How far along a message is. A status never moves it down (cloud-api 4.9: order is not guaranteed, rungs may miss).
RANK = {"queued": 0, "sending": 1, "unknown": 1, "accepted": 2, "sent": 3, "delivered": 4, "read": 5}
#: A message in these states may have been seen by the person; one that is queued (again) provably was not.
MAY_BE_SEEN = frozenset(RANK) - {"queued"}
FINAL = frozenset({"failed", "suppressed", "expired", "cancelled"})
#: Statuses of Meta's that are a rung of ours; ``played`` means a voice message was read by ear.
STATUSES = {"sent": "sent", "delivered": "delivered", "read": "read", "played": "read", "failed": "failed"}

#: The customer service window (cloud-api 7.1), closed early by a margin since replying at its end is known to fail.
WINDOW = timedelta(hours=24)
WINDOW_MARGIN = timedelta(minutes=5)

#: How long the answer to an opt-out waits before it looks again whether sends are still under way.
IN_FLIGHT_LOOK = timedelta(milliseconds=50)

_RETRY_BASE_S = 1.0
_RETRY_CAP_S = 30.0

Purpose = Literal["send", "prompt", "closing", "notice", "consent"]
#: The lower overtakes: answers to what a person just did, then questions, then everything else.
LANES: dict[Purpose, int] = {"consent": 0, "closing": 0, "notice": 0, "prompt": 1, "send": 2}


@dataclass(frozen=True, slots=True)
class Facts:
    """What the decision at the wire rests on, read in the transaction that commits it."""

    purpose: Purpose
    now: datetime
    expires_at: datetime
    opted_out_by: str | None
    window_opened_at: datetime | None
    in_flight: bool
    has_template: bool
    needs_window: bool
    reachable: bool


@dataclass(frozen=True, slots=True)
class Go:
    """Post it, in this form."""

    form: Literal["session", "template"]


@dataclass(frozen=True, slots=True)
class Stop:
    """Do not post it, ever."""

    state: Literal["suppressed", "expired", "failed"]
    reason: str


@dataclass(frozen=True, slots=True)
class Wait:
    """Not yet."""

    until: datetime


def decide(facts: Facts) -> Go | Stop | Wait:
    """What becomes of a message that is next in line."""
    if facts.now >= facts.expires_at:
        return Stop("expired", "its time to live ended before it could be sent")
    if not facts.reachable:
        return Stop("failed", "neither a phone number nor a user id is known for this person")
    if facts.purpose == "consent":
        # The answer to an opt-out is a promise: nothing is under way any more.
        return Wait(facts.now + IN_FLIGHT_LOOK) if facts.in_flight else Go("session")
    if facts.opted_out_by:
        return Stop("suppressed", f"the person opted out (consent entry {facts.opted_out_by})")
    if window_open(facts.window_opened_at, facts.now):
        return Go("session")
    if facts.has_template:
        return Go("template")
    if facts.needs_window:
        return Stop("suppressed", "the 24-hour window is closed and this line is not worth a template")
    return Go("session")  # Meta has the last word on the window: it may know of a message that we do not


def window_open(opened_at: datetime | None, now: datetime) -> bool:
    """Whether free-form messages may be sent: the person's last message is less than 24 hours old."""
    return opened_at is not None and now < opened_at + WINDOW - WINDOW_MARGIN


def moved(state: str, to: str) -> bool:
    """Whether a status may move a message from ``state`` to ``to``; forward only."""
    if state in FINAL:
        return False
    if to == "failed":
        return RANK[state] < RANK["delivered"]
    return RANK[to] > RANK[state]


def retry_in(attempt: int, chance: float) -> timedelta:
    """When to try again what provably did not get through: exponential with full jitter (``chance`` in 0..1)."""
    ceiling: float = min(_RETRY_CAP_S, _RETRY_BASE_S * 2 ** min(attempt - 1, 10))
    return timedelta(seconds=0.05 + chance * ceiling)
