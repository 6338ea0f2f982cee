"""What the pages call things, and how they write texts, times and spans. Pure."""

import unicodedata
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit

_JOINERS: Final = "\u200c\u200d"
_INVISIBLE: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_UNITS: Final = ((86400, "d"), (3600, "h"), (60, "min"), (1, "s"))


class Badge(NamedTuple):
    """A word and how it is meant: good, bad, open or plain."""

    word: str
    tone: str


OUTCOMES: Final[Mapping[str, Badge]] = {
    "confirmed": Badge("Confirmed", "good"),
    "declined": Badge("Declined", "bad"),
    "cancelled": Badge("Cancelled", "bad"),
    "withdrawn": Badge("Withdrawn", "plain"),
    "superseded": Badge("Superseded", "plain"),
    "expired": Badge("Expired", "plain"),
    "undeliverable": Badge("Undeliverable", "bad"),
    "opted_out": Badge("Opted out", "bad"),
}
SOURCES: Final = {
    "answer": "by what was answered",
    "deadline": "since the time was up",
    "assistant": "since the assistant took the question back",
    "delivery": "since the question reached nobody",
    "opt_out": "since the person does not want to be messaged",
    "policy": "by a rule of the policy; nobody was asked",
}
HOW: Final = {
    "button": "tapped a button",
    "quote": "replied to the question itself",
    "word": "wrote a word",
    "reaction": "reacted to the question",
    "code": "typed a code",
    "number": "answered by a number",
}
VERDICTS: Final = {
    "confirm": "yes",
    "decline": "no",
    "cancel": "cancel",
    "answer": "an answer",
    "show": "show all",
    "extend": "more time",
    "undo": "take it back",
    "comment": "a reason",
    "": "nothing that decides",
}
EFFECTS: Final[Mapping[str, Badge]] = {
    "decided": Badge("decided it", "good"),
    "counted": Badge("counted; others have to answer, too", "good"),
    "held": Badge("held; it may be taken back", "open"),
    "undone": Badge("taken back later", "plain"),
    "evidence": Badge("kept as evidence, changed nothing", "plain"),
    "late": Badge("too late, changed nothing", "plain"),
    "repeated": Badge("decided before, changed nothing", "plain"),
    "again": Badge("answered before, changed nothing", "plain"),
    "frozen": Badge("frozen, changed nothing", "plain"),
    "needs_code": Badge("a yes takes the code, changed nothing", "plain"),
    "unseen": Badge("not every field was seen, changed nothing", "plain"),
    "needs_option": Badge("none of the options, changed nothing", "plain"),
    "wrong_code": Badge("not the code, changed nothing", "bad"),
    "locked": Badge("too many wrong codes, changed nothing", "bad"),
    "how": Badge("shown how to answer, changed nothing", "plain"),
    "not_extendable": Badge("the time cannot be extended", "plain"),
    "not_undoable": Badge("there was nothing to take back", "plain"),
    "extended": Badge("got more time", "good"),
    "undid": Badge("took the answer back", "good"),
    "commented": Badge("the reason of the no, passed on", "plain"),
}
BECAUSE: Final = {
    "asked": "asked at once",
    "escalated": "by escalation",
    "delegated": "in place of somebody absent",
}
BECAUSE_NOT: Final = {
    "undelivered": "it was not delivered",
    "unread": "it was not read",
    "unanswered": "it was not answered",
}
LOST: Final = {"undeliverable": "could not be reached", "opted_out": "does not want to be messaged"}
FROZEN: Final = {
    "identity_changed": "WhatsApp was set up on another phone",
    "number_changed": "the person has another number",
}
STANDS: Final[Mapping[str, Badge]] = {
    "waiting": Badge("not asked yet", "plain"),
    "asked": Badge("asked", "open"),
    "answered": Badge("answered", "good"),
    "undeliverable": Badge("not reached", "bad"),
    "passed": Badge("passed on", "plain"),
}
MESSAGES: Final = {
    **dict.fromkeys(("delivered", "read"), "good"),
    **dict.fromkeys(("queued", "sending", "accepted", "sent"), "open"),
    **dict.fromkeys(("failed", "suppressed", "expired", "unknown"), "bad"),
    "cancelled": "plain",
}
DELIVERIES: Final = {"delivered": "good", "pending": "open", "failed": "bad"}
EXECUTIONS: Final[Mapping[str, Badge]] = {
    "claimed": Badge("Claimed", "open"),
    "done": Badge("Done", "good"),
    "failed": Badge("Failed", "bad"),
}


#: What goes on: how it stands, or with ``frozen_why`` set, that it does not.
OPEN: Final = {"pending": "Open", "held": "Held"}


def standing(row: Mapping[str, Any]) -> Badge:
    """How a question stands."""
    if row["status"] == "decided":
        return outcome(row["outcome"])
    if row["frozen_why"] is not None:
        return Badge("Frozen", "bad")
    return Badge(OPEN.get(row["status"], row["status"]), "open")


def outcome(name: str) -> Badge:
    """How a question ended."""
    return _badge(OUTCOMES, name)


def how(name: str) -> str:
    """How an answer was given."""
    return HOW.get(name, name)


def verdict(name: str) -> str:
    """As what it was read."""
    return VERDICTS.get(name, name)


def effect(name: str, said: str = "") -> Badge:
    """What came of it; whoever wants to be shown all has not said yes too soon."""
    return (
        Badge("every field is shown", "plain")
        if (name, said) == ("unseen", "show")
        else _badge(EFFECTS, name)
    )


def because(name: str) -> str:
    """Why somebody was asked."""
    return BECAUSE.get(name, name)


def lost(name: str) -> str:
    """Why somebody cannot answer."""
    return LOST.get(name, name)


def frozen(why: str) -> str:
    """Why no answer decides it for now."""
    return FROZEN.get(why, why.replace("_", " "))


def of_approver(state: str) -> Badge:
    """Where somebody stands who is asked, or may be."""
    return _badge(STANDS, state)


def of_message(state: str) -> Badge:
    """How far a message has come."""
    return Badge(state, MESSAGES.get(state, "plain"))


def of_delivery(state: str) -> Badge:
    """How far an event has come."""
    return Badge(state, DELIVERIES.get(state, "plain"))


def of_execution(status: str) -> Badge:
    """What came of the action."""
    return _badge(EXECUTIONS, status)


def _badge(known: Mapping[str, Badge], name: str) -> Badge:
    """In words; what has none is told as it is stored: a page is not lost for a word."""
    return known.get(name, Badge(name.replace("_", " "), "plain"))


def visible(text: str) -> str:
    """A text with whatever cannot be seen, or turns the reading direction, named in its place; line breaks stay.

    A joiner between letters or pictures that need it shapes them, and stays.
    """
    return "".join(
        f"\u27e8U+{ord(character):04X}\u27e9" if _hidden(text, at) else character
        for at, character in enumerate(text)
    )


def _hidden(text: str, at: int) -> bool:
    character = text[at]
    if character in "\n\t" or unicodedata.category(character) not in _INVISIBLE:
        return False
    around = text[max(0, at - 1) : at] + text[at + 1 : at + 2]
    joins = len(around) == 2 and not any(each.isascii() or each in _JOINERS for each in around)  # noqa: PLR2004
    return not (character in _JOINERS and joins)


def clock(at: datetime) -> str:
    """The time of day, UTC."""
    return f"{at.astimezone(UTC):%H:%M:%S}"


def moment(at: datetime) -> str:
    """Day and time, UTC."""
    return f"{at.astimezone(UTC):%d %b %Y, %H:%M:%S}"


def times(number: int) -> str:
    """How often."""
    return "once" if number == 1 else f"{number} times"


def place(url: str) -> str:
    """Where an address leads, without what may be secret in it."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.hostname or ''}{f':{parts.port}' if parts.port else ''}{parts.path}"


def instant(text: str) -> datetime:
    """A time as JSON spells it."""
    return datetime.fromisoformat(text)


def span(seconds: float) -> str:
    """A span in at most two units: ``30 min``, ``1 h 5 min``."""
    left = max(0, round(seconds))
    said: list[str] = []
    for size, unit in _UNITS:
        if left >= size and len(said) < 2:  # noqa: PLR2004 - two units
            said.append(f"{left // size} {unit}")
            left %= size
    return " ".join(said) or "0 s"
