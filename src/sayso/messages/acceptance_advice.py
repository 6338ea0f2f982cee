"""What becomes of a message that is accepted now where the 24-hour window does not carry it, said at once. Pure."""

from dataclasses import dataclass
from datetime import datetime

from sayso.messages.rules import ONLY_TEMPLATE, WINDOW, WINDOW_MARGIN, window_closed, window_open


@dataclass(frozen=True, slots=True)
class Window:
    """What is known of the window when a message is accepted.

    ``opened_at``: when the person last wrote, if they did. ``closed`` says why it is known that they did not in the
    last 24 hours.
    """

    opened_at: datetime | None
    open: bool
    closed: str | None

    @classmethod
    def of(
        cls,
        opened_at: datetime | None,
        heard_since: datetime | None,
        now: datetime,
        *,
        refused_at: datetime | None,
    ) -> "Window":
        """The window of a conversation at a moment."""
        closed = window_closed(opened_at, heard_since, now, refused_at=refused_at)
        return cls(opened_at, window_open(opened_at, now), closed)

    @property
    def until(self) -> datetime | None:
        """Until when it carries free-form messages."""
        return self.opened_at + WINDOW - WINDOW_MARGIN if self.opened_at is not None else None

    @property
    def said(self) -> str:
        """As the API has it."""
        return "open" if self.open else "closed" if self.closed else "unknown"


def advice(window: Window, send_at: datetime | None, template: str | None) -> str | None:
    """What the caller should know of a message in free form; None where the window carries it.

    ``template``: the one that is declared for outside the window.
    """
    why = _not_carried(window, send_at)
    if why is None:
        return None
    unless = ", unless the person writes before" if send_at is not None else ""
    if template is not None:
        return f"{why} So it goes out as its fallback, the template {template}{unless}."
    if window.said == "unknown":
        return f"{why} If they have not, Meta refuses it; with a `fallback` template it goes out in any case."
    return (
        f"{why} Then only a template may be sent, and no `fallback` is given: the message will be suppressed{unless}. "
        "To be sure, cancel it and send it again with a `fallback`."
    )


def _not_carried(window: Window, send_at: datetime | None) -> str | None:
    """Why the window does not carry a message that goes out at a time, as far as is known now."""
    if window.closed:
        known = window.closed.removesuffix(f": {ONLY_TEMPLATE}")
        return f"{known[0].upper()}{known[1:]}."
    if window.open and window.until is not None:
        if send_at is None or send_at < window.until:
            return None
        ends, wrote = f"{window.until:%Y-%m-%d %H:%M} UTC", f"{window.opened_at:%Y-%m-%d %H:%M} UTC"
        return (
            f"At `send_at` the 24-hour window is closed: it ends at {ends}, the person last wrote at {wrote}."
        )
    return "It is not known that the person has written in the last 24 hours."
