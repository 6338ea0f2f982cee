"""Which statuses are told of a message, and in which order (cloud-api.md 4.9, 9).

Meta promises no order, repeats itself, and leaves `delivered` out when the chat is open; a business must live with all
of it, so each can be asked for.
"""


def arrival(course: str, *, chat_open: bool, receipts: bool) -> str:
    """Tell how a message arrives on the phone: as `read` at once when the chat is open, else as `delivered` (4.9).

    Without read receipts there is never a `read`.
    """
    at_once = chat_open or course in ("no_delivered", "read_first")
    return "read" if at_once and receipts else "delivered"


def copies(course: str) -> int:
    """Tell how often each status is told."""
    return 2 if course == "twice" else 1
