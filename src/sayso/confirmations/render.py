"""The words a person reads. The service writes them; the assistant's own words are quoted, cleaned, never cut.

The same texts, from the same action, every time: their digest is stored before anything is sent.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sayso.confirmations.cleaning import clean, quoted
from sayso.confirmations.phrases import phrase
from sayso.confirmations.rules import Outcome
from sayso.core import canonical
from sayso.whatsapp.content import Text


@dataclass(frozen=True, slots=True)
class Action:
    """What the assistant wants to do: the data that is asked about. ``fields``: the action itself, any JSON."""

    type: str
    description: str
    details: str
    fields: Any = None

    def data(self) -> dict[str, Any]:
        """As it is stored and hashed, exactly as the assistant gave it."""
        given = {} if self.fields is None else {"action": self.fields}
        return {
            "action_type": self.type,
            "action_description": self.description,
            "action_details": self.details,
            **given,
        }

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> "Action":
        """From what was stored."""
        return cls(
            data["action_type"], data["action_description"], data["action_details"], data.get("action")
        )

    def digest(self) -> bytes:
        """SHA-256 of the action's canonical JSON (RFC 8785)."""
        return canonical.digest(self.data())


#: Outcomes that a line in the chat closes; of the others another message tells.
_CLOSED: frozenset[Outcome] = frozenset(
    {"confirmed", "declined", "cancelled", "expired", "withdrawn", "superseded"}
)


def closing(outcome: Outcome, description: str, language: str | None = None) -> Text | None:
    """The one line a person gets when their question ends; None where another message says it."""
    return Text(phrase(outcome, language, what=quoted(description))) if outcome in _CLOSED else None


def executed(status: str, description: str, note: str | None, language: str | None = None) -> Text:
    """What came of a confirmed action; the assistant's words about it are quoted."""
    line = phrase(status, language, what=quoted(description))
    said = quoted(note) if note and clean(note) else ""
    return Text(f"{line}\n\n{phrase('says', language, text=said)}" if said else line)


#: What is said of a question that ended so; of any other only that it ended.
_LATE: frozenset[Outcome] = frozenset({"confirmed", "declined", "cancelled", "expired"})


def too_late(
    outcome: Outcome,
    description: str,
    decided_at: datetime,
    *,
    language: str | None = None,
    time_zone: str | None = None,
) -> Text:
    """To somebody who answers a question that has ended; the time is that of their zone."""
    name = f"late_{outcome}" if outcome in _LATE else "late_ended"
    ended = phrase(name, language, what=quoted(description), when=_moment(decided_at, time_zone))
    return Text(f"{ended} {phrase('unchanged', language)}")


def nothing_open(
    outcome: Outcome,
    description: str,
    decided_at: datetime,
    *,
    language: str | None = None,
    time_zone: str | None = None,
) -> Text:
    """To somebody who says yes or no while nothing is asked."""
    last = too_late(outcome, description, decided_at, language=language, time_zone=time_zone)
    return Text(f"{phrase('none_open', language)} {last.body}")


def not_undone(description: str, language: str | None = None) -> str:
    """To somebody whose CANCEL came after their yes, and unsubscribes them."""
    return phrase("not_undone", language, what=quoted(description))


def _moment(at: datetime, time_zone: str | None) -> str:
    """In digits, which read the same in every language; a guessed zone misleads nobody, as its offset is told."""
    there = at.astimezone(ZoneInfo(time_zone or "UTC")).isoformat(sep=" ", timespec="minutes")
    clock, offset = there[:16], there[16:]
    return f"{clock} UTC{'' if offset == '+00:00' else offset}"
