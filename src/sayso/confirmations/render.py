"""The words a person reads. The service writes them; the assistant's own words are quoted, cleaned, never cut.

The same texts, from the same action, every time: their digest is stored before anything is sent.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

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


def too_late(outcome: Outcome, description: str, decided_at: datetime) -> Text:
    """To somebody who answers a question that has ended."""
    what = quoted(description)
    when = f"{decided_at:%d %b, %H:%M} UTC"
    said = {
        "confirmed": f"was already confirmed ({when})",
        "declined": f"was already declined ({when})",
        "cancelled": f"was already cancelled ({when})",
        "expired": f"ended without an answer ({when}), and nothing was done",
    }
    return Text(f"{what} {said.get(outcome, f'has ended ({when})')}. This answer changed nothing.")


def nothing_open(outcome: Outcome, description: str, decided_at: datetime) -> Text:
    """To somebody who says yes or no while nothing is asked."""
    return Text(
        f"There is no open question right now. The last one: {too_late(outcome, description, decided_at).body}"
    )


def not_undone(description: str) -> str:
    """To somebody whose CANCEL came after their yes, and unsubscribes them."""
    return f"{quoted(description)} was already confirmed; this did not cancel it."
