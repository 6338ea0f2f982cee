"""Reading a stop or a start, and which of two entries holds."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Literal

from sayso.core import words

Action = Literal["granted", "withdrawn"]


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the ledger."""

    id: str
    action: Action
    method: str
    captured_at: datetime


@cache
def keywords() -> words.Words:
    """The table."""
    return words.load("sayso.consent", "keywords.toml")


def reading(text: str) -> Literal["stop", "start"] | None:
    """``stop``, ``start``, or None: the whole message must be the word, in whatever case, width or company of emoji."""
    match keywords().meaning(text, drop_emoji=True):
        case "stop":
            return "stop"
        case "start":
            return "start"
        case _:
            return None


def standing(entries: Sequence[Entry]) -> Entry | None:
    """The entry that holds: the latest by when it was said; of two at one time the more restrictive."""
    return max(entries, key=lambda entry: (entry.captured_at, entry.action == "withdrawn"), default=None)
