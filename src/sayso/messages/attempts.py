"""An attempt's name on the wire: what Meta echoes in every status, so that each is about one POST of one message."""


def callback(message_id: str, attempt: int) -> str:
    """What goes out as ``biz_opaque_callback_data`` (cloud-api 2.1)."""
    return f"{message_id}:{attempt}"


def named(said: str | None) -> tuple[str | None, int | None]:
    """The message and the attempt a status names; each None when it does not say. A bare id names no attempt."""
    message_id, _, attempt = (said or "").partition(":")
    number = int(attempt) if attempt.isascii() and attempt.isdigit() and len(attempt) < _LONGEST else None
    return message_id or None, number


_LONGEST = 10
