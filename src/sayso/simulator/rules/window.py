"""Whether a message may reach a person now: the 24-hour customer service window (cloud-api.md 7.1)."""

from sayso.simulator.world.messages import Message
from sayso.simulator.world.people import Thread

WINDOW_S = 24 * 3600

CLOSED_DETAILS = (
    "Message failed to send because more than 24 hours have passed since the customer last replied to this "
    "number."
)
CLOSED = (131047, CLOSED_DETAILS)


def window_until(thread: Thread) -> float | None:
    """Tell until when free-form messages reach this person (unix seconds); None: they never wrote."""
    return None if thread.last_inbound_at is None else thread.last_inbound_at + WINDOW_S


def is_open(thread: Thread, now: float) -> bool:
    """Tell whether the window is open at ``now``. Only the person opens it, with anything they send."""
    until = window_until(thread)
    return until is not None and now < until


def late_refusal(message: Message, thread: Thread, now: float) -> tuple[int, str] | None:
    """Tell the code and words with which an accepted message will fail, or None when it goes through.

    Free-form outside the window is accepted with 200 and then fails with 131047; templates go out any time.
    """
    if message.content.template is not None or is_open(thread, now):
        return None
    return CLOSED
