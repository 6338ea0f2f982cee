"""Whether a message may reach a person now: the 24-hour customer service window (cloud-api.md 7.1)."""

from sayso.simulator.rules.refusal import Refusal
from sayso.simulator.world.content import Content
from sayso.simulator.world.people import Thread

WINDOW_S = 24 * 3600

CLOSED = Refusal(
    131047,
    "Message failed to send because more than 24 hours have passed since the customer last replied to this "
    "number.",
)


def window_until(thread: Thread) -> float | None:
    """Tell until when free-form messages reach this person (unix seconds); None: they never wrote."""
    return None if thread.last_inbound_at is None else thread.last_inbound_at + WINDOW_S


def is_open(thread: Thread, now: float) -> bool:
    """Tell whether the window is open at ``now``. Only the person opens it, with anything they send."""
    until = window_until(thread)
    return until is not None and now < until


def closed_to(content: Content, thread: Thread, now: float) -> Refusal | None:
    """Refuse what is free-form outside the window; templates go out any time."""
    return None if content.template is not None or is_open(thread, now) else CLOSED
