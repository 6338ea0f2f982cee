"""Which statuses are told of a message, and in which order (cloud-api.md 4.9, 9).

Meta promises no order, repeats itself, and leaves `delivered` out when the chat is open; a business must live with all
of it, so each can be asked for.
"""

from typing import Literal, get_args

#: ``usual``: sent, delivered, read. ``no_delivered``: sent, read. ``read_first``: sent, read, delivered.
#: ``twice``: each of the usual ones two times. ``silent``: nothing, until the message has outlived its time.
Course = Literal["usual", "no_delivered", "read_first", "twice", "silent"]
COURSES: tuple[str, ...] = get_args(Course)


def after_sent(course: str, *, chat_open: bool, receipts: bool) -> tuple[str, bool]:
    """Tell what follows `sent`, and whether the person then has it before their eyes at once.

    ``chat_open``: the person looks at this chat, so that `read` comes alone (4.9). Without read receipts there is
    never a `read`, and `delivered` is what comes.
    """
    if receipts and (chat_open or course in ("no_delivered", "read_first")):
        return "read", True
    return "delivered", chat_open


def copies(course: str) -> int:
    """Tell how often each status is told."""
    return 2 if course == "twice" else 1
