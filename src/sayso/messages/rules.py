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
#: How the reasons end of what the closed window stops.
INSIDE_ALONE = "this message was for inside it alone"
ONLY_TEMPLATE = "only a template may be sent"
#: How long everything is free of charge once a person who came by an ad was answered (cloud-api 7.2).
FREE_ENTRY = timedelta(hours=72)

#: How long the answer to an opt-out waits before it looks again whether sends are still under way.
IN_FLIGHT_LOOK = timedelta(milliseconds=50)

_RETRY_BASE_S = 1.0
_RETRY_CAP_S = 60.0

Form = Literal["session", "template"]
Purpose = Literal["send", "prompt", "closing", "notice", "consent"]
#: The lower overtakes: answers to what a person just did, then questions, then everything else.
LANES: dict[Purpose, int] = {"consent": 0, "closing": 0, "notice": 0, "prompt": 1, "send": 2}


@dataclass(frozen=True, slots=True)
class Hold:
    """Something stands in a message's way for now: until when at least, why (for people), and what (for machines)."""

    until: datetime
    why: str
    by: str


def person_key(person_id: str) -> str:
    """What messages to somebody whom Meta's errors hold are held by."""
    return f"person:{person_id}"


@dataclass(frozen=True, slots=True)
class Facts:
    """What the decision at the wire rests on, read in the transaction that commits it.

    ``has_template``: a template is declared for outside the window; ``is_template``: the content itself is one.
    ``heard_since``: since when every message to this sender has been heard by us; None when that is not known.
    ``fell_back``: Meta has refused the free form of this message since the window is closed.
    ``to_who_left``: it answers somebody who had left when it was queued, or their leaving. ``window_refused_at``: when
    Meta said that the window is closed, if the person has not been heard of since.
    """

    purpose: Purpose
    now: datetime
    expires_at: datetime
    window_opened_at: datetime | None
    in_flight: bool
    has_template: bool
    needs_window: bool
    reachable: bool
    not_permitted: str | None = None
    not_permitted_by: str | None = None
    to_who_left: bool = False
    is_template: bool = False
    fell_back: bool = False
    heard_since: datetime | None = None
    window_refused_at: datetime | None = None
    template_hold: Hold | None = None
    pair_hold: Hold | None = None
    reach_hold: Hold | None = None


@dataclass(frozen=True, slots=True)
class Go:
    """Post it, in this form: ``template`` is the declared template, or content that is one itself."""

    form: Form


@dataclass(frozen=True, slots=True)
class Stop:
    """Do not post it, ever; ``by`` is the entry of the consent ledger that forbids it."""

    state: Literal["suppressed", "expired", "failed"]
    reason: str
    by: str | None = None


#: Its life ended in the queue.
OUTLIVED = Stop("expired", "its time to live ended before it could be sent")


@dataclass(frozen=True, slots=True)
class Wait:
    """Not yet; ``held`` says why to people, ``held_by`` to whatever ends it early."""

    until: datetime
    held: str | None = None
    held_by: str | None = None


def decide(facts: Facts) -> Go | Stop | Wait:
    """What becomes of a message that is next in line; the first reason in this order is the one that counts."""
    if facts.now >= facts.expires_at:
        return OUTLIVED
    if not facts.reachable:
        return Stop("failed", "neither a phone number nor a user id is known for this person")
    if facts.purpose == "consent" and (facts.to_who_left or not facts.not_permitted):
        return _answer(facts)
    if facts.not_permitted:
        return Stop("suppressed", facts.not_permitted, facts.not_permitted_by)
    form = form_of(facts)
    if isinstance(form, Stop):
        return form
    hold = _hold(facts, form)
    return Go(form) if hold is None else Wait(hold.until, hold.why, hold.by)


def _answer(facts: Facts) -> Go | Wait:
    """An answer about being messaged: Meta's pair limit holds it as it holds everything to the person.

    The answer to an opt-out is a promise: nothing is under way any more, and nothing comes after it.
    """
    hold = facts.pair_hold
    if hold is not None:
        return Wait(hold.until, hold.why, hold.by)
    return Wait(facts.now + IN_FLIGHT_LOOK) if facts.in_flight else Go("session")


def form_of(facts: Facts) -> Form | Stop:
    """Free form inside the window, a template outside it, or why neither can be."""
    if facts.is_template:
        return "template"
    if facts.has_template and (facts.fell_back or not window_open(facts.window_opened_at, facts.now)):
        return "template"
    if window_open(facts.window_opened_at, facts.now):
        return "session"
    if facts.needs_window:
        return Stop("suppressed", f"the 24-hour window is closed, and {INSIDE_ALONE}")
    closed = window_closed(
        facts.window_opened_at, facts.heard_since, facts.now, refused_at=facts.window_refused_at
    )
    if closed:
        return Stop("suppressed", closed)
    return "session"  # Meta has the last word: it may know of a message that we have not heard of


def _hold(facts: Facts, form: Form) -> Hold | None:
    """What stands in the way of a message in this form; only templates outside the window count for the reach."""
    template = form == "template"
    counts = template and not window_open(facts.window_opened_at, facts.now)
    holds = (facts.template_hold if template else None, facts.pair_hold, facts.reach_hold if counts else None)
    return next((hold for hold in holds if hold is not None), None)


def window_open(opened_at: datetime | None, now: datetime) -> bool:
    """Whether free-form messages may be sent: the person's last message is less than 24 hours old."""
    return opened_at is not None and now < opened_at + WINDOW - WINDOW_MARGIN


def window_closed(
    opened_at: datetime | None,
    heard_since: datetime | None,
    now: datetime,
    *,
    refused_at: datetime | None = None,
) -> str | None:
    """Why the window is known to be closed, in words; None while it is open or may be.

    It is known when Meta said so (``refused_at``), when the person wrote once and no more, or when they never wrote
    although everything written to the sender has been heard for longer than a window lasts. A number that Sayso has
    been listening to for less than that may have been written to before. In the last minutes (the margin) a window is
    neither open nor known to be closed.
    """
    if refused_at is not None:
        said = f"Meta refused what was posted at {_minute(refused_at)}"
        return f"{said} since the 24-hour window is closed (131047): {ONLY_TEMPLATE}"
    if opened_at is not None:
        if now < opened_at + WINDOW:
            return None
        return f"the 24-hour window closed at {_minute(opened_at + WINDOW)}: {ONLY_TEMPLATE}"
    if heard_since is not None and now >= heard_since + WINDOW:
        return f"the person has never written to this number: {ONLY_TEMPLATE}"
    return None


def _minute(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M UTC")


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
