"""The words a person reads. The service writes them; the assistant's own words are quoted, cleaned, never cut.

The same texts, from the same action, every time: their digest is stored before anything is sent.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sayso.confirmations.rules import Outcome, Verdict, payload
from sayso.core import canonical
from sayso.core.errors import ContentTooLongError, Fault, InputInvalidError
from sayso.whatsapp import limits
from sayso.whatsapp.content import (
    Button,
    Buttons,
    Content,
    Template,
    Text,
    clean_parameter,
    to_data,
    validate,
)

#: The guide's template (step 5): name, language and the order of its three variables.
TEMPLATE = "confirmation_request"
LANGUAGE = "en"
#: How somebody without a name is greeted, after the template's own "Hi", "Hallo" …
_NOBODY = {"de": "und guten Tag", "es": "buenas", "fr": "à vous", "it": "a te", "pt": "tudo bem"}

#: Our own limits on the assistant's words, chosen so that the whole fits a body of 1,024 characters (cloud-api 2.8)
#: with the longest name of a business and of a person; counted as ``limits.length`` counts.
MOST = {"action_description": 300, "action_details": 400}
_LONGEST_NAME = (
    60  # who calls themselves by more is greeted without a name: it must not cost them the question
)

_LABELS: dict[Verdict, str] = {"confirm": "Confirm", "decline": "Decline", "cancel": "Cancel"}
#: Quotation marks like ours, and WhatsApp's formatting marks.
_PLAIN = str.maketrans({"“": '"', "”": '"', "„": '"', "‟": '"', "*": "\uff0a", "~": "\uff5e", "`": "\uff40"})
_UNDERSCORE = re.compile(r"(?<![^\W_])_|_(?![^\W_])")
_BRIEF = 80
_MOST_BUTTONS = 3  # cloud-api 2.5
_MOST_LISTED = 9


@dataclass(frozen=True, slots=True)
class Action:
    """What the assistant wants to do: the data that is asked about."""

    type: str
    description: str
    details: str

    def data(self) -> dict[str, str]:
        """As it is stored and hashed, exactly as the assistant gave it."""
        return {
            "action_type": self.type,
            "action_description": self.description,
            "action_details": self.details,
        }

    @classmethod
    def of(cls, data: Mapping[str, str]) -> "Action":
        """From what was stored."""
        return cls(data["action_type"], data["action_description"], data["action_details"])

    def digest(self) -> bytes:
        """SHA-256 of the action's canonical JSON (RFC 8785)."""
        return canonical.digest(self.data())


@dataclass(frozen=True, slots=True)
class Prompt:
    """A question in both forms it may be shown in."""

    session: Buttons
    template: Template

    def data(self) -> dict[str, Any]:
        """As stored."""
        return {"session": to_data(self.session), "template": to_data(self.template)}

    def digests(self) -> dict[str, str]:
        """SHA-256 of each form, as hex, over its canonical JSON (RFC 8785)."""
        return {form: canonical.digest(content).hex() for form, content in self.data().items()}


def prompt(
    question_id: str,
    action: Action,
    *,
    greet: str | None,
    business: str,
    lasts: timedelta,
    language: str = LANGUAGE,
) -> Prompt:
    """Both forms of a question; ``language`` is the template's, as Meta has it.

    Raises :class:`ContentTooLongError` saying by how much a text is too long, :class:`InputInvalidError` for one that
    shows nothing.
    """
    description = _checked("action_description", action.description)
    details = _checked("action_details", action.details)
    name = _name(greet or "")
    lines = [
        f"Hi {name},",
        f"{business} wants to:\n“{description}”",
        f"Details: “{details}”",
        f"Tap a button, or reply Y to confirm, N to decline, CANCEL to stop. This question ends in {_span(lasts)}.",
    ]
    verdicts: tuple[Verdict, ...] = ("confirm", "decline", "cancel")
    both = Prompt(
        session=Buttons(
            body="\n\n".join(lines),
            buttons=tuple(Button(payload(question_id, verdict), _LABELS[verdict]) for verdict in verdicts),
        ),
        template=Template(
            name=TEMPLATE,
            language=language,
            parameters=(_name(greet or "", language), description, details),
            quick_replies=tuple(payload(question_id, verdict) for verdict in verdicts),
        ),
    )
    validate(both.session)
    validate(both.template)
    return both


def _checked(field: str, text: str) -> str:
    clean = _clean(text)
    if not clean:
        detail = "holds nothing that can be seen"
        raise InputInvalidError(f"{field}: {detail}", faults=[Fault(detail, f"/{field}")])
    size = limits.length(clean)
    excess = size - MOST[field]
    if excess > 0:
        detail = f"{size:,} characters, {excess:,} more than the {MOST[field]} that fit the question"
        raise ContentTooLongError(f"{field}: {detail}", faults=[Fault(detail, f"/{field}")])
    return clean


def _clean(text: str) -> str:
    """Somebody else's words, fit to stand inside our sentence.

    On one line, unable to end our quotation, and shown as they are: WhatsApp's marks for bold, italic, struck out and
    code become their wide twins, which only look alike. An underscore within a word marks nothing and stays.
    """
    plain = clean_parameter(text).translate(_PLAIN)
    return _UNDERSCORE.sub("\uff3f", plain)


def _name(text: str, language: str = LANGUAGE) -> str:
    """A name to greet by. It stands outside any quotation, so it holds what names hold; else the greeting has none."""
    name = clean_parameter(text)
    fits = 0 < limits.length(name) <= _LONGEST_NAME and all(
        unicodedata.category(c)[0] in "LM" or c in " '\u2019.-" for c in name
    )
    return name if fits else _NOBODY.get(language.partition("_")[0], "there")


def closing(outcome: Outcome, description: str) -> Text | None:
    """The one line a person gets when their question ends; None where another message says it."""
    what = f"“{_clean(description)}”"
    lines: dict[Outcome, str] = {
        "confirmed": f"✅ Confirmed: {what}",
        "declined": f"❌ Declined: {what}. Nothing will be done.",
        "cancelled": f"🚫 Cancelled: {what}. Nothing will be done.",
        "expired": f"⌛ Time is up: {what} was not answered. Nothing was done.",
        "withdrawn": f"↩️ Withdrawn: {what} is no longer asked. Nothing was done.",
    }
    return Text(lines[outcome]) if outcome in lines else None


def executed(status: str, description: str, note: str | None) -> Text:
    """What came of a confirmed action; the assistant's words about it are quoted."""
    what = f"“{_clean(description)}”"
    lines = {"done": f"✅ Done: {what}", "failed": f"⚠️ Not done: {what}. It was tried, and failed."}
    said = _clean(note) if note else ""
    return Text(f"{lines[status]}\n\nThe assistant says: “{said}”" if said else lines[status])


def too_late(outcome: Outcome, description: str, decided_at: datetime) -> Text:
    """To somebody who answers a question that has ended."""
    what = f"“{_clean(description)}”"
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
    return f"“{_clean(description)}” was already confirmed; this did not cancel it."


def which(verdict: Verdict, questions: Sequence[tuple[str, Action]]) -> Content:
    """Ask which of the open questions a word was meant for.

    Buttons that decide are offered for few questions only, and only when their lines can be told apart.
    """
    lines = [f"“{_brief(action.description)}” ({_brief(action.details)})" for _, action in questions]
    if len(questions) > _MOST_BUTTONS or len(set(lines)) < len(lines):
        more = [f"… and {len(lines) - _MOST_LISTED} more"] if len(lines) > _MOST_LISTED else []
        listed = "\n".join(["• " + line for line in lines[:_MOST_LISTED]] + more)
        return Text(
            f"Which one do you want to {verdict}? Nothing has been decided yet.\n\n{listed}\n\n"
            "Please tap the button below the question itself, or reply to it directly."
        )
    if len(questions) == 1:
        ((question_id, _),) = questions
        return Buttons(
            body=f"Do you want to {verdict} this? Nothing has been decided yet.\n\n{lines[0]}",
            buttons=(Button(payload(question_id, verdict), _LABELS[verdict]),),
        )
    listed = "\n".join(f"{number}. {line}" for number, line in enumerate(lines, start=1))
    return Buttons(
        body=f"Which one do you want to {verdict}? Nothing has been decided yet.\n\n{listed}\n\nTap its number.",
        buttons=tuple(
            Button(payload(question_id, verdict), f"{number}. {_LABELS[verdict]}")
            for number, (question_id, _) in enumerate(questions, start=1)
        ),
    )


def _brief(text: str) -> str:
    clean = _clean(text)
    return clean if len(clean) <= _BRIEF else clean[: _BRIEF - 1].rstrip() + "…"


def _span(lasts: timedelta) -> str:
    """``30 minutes``, ``2 hours``, ``45 seconds``: the largest unit that says it exactly enough."""
    seconds = max(1, round(lasts.total_seconds()))
    for unit, length in (("day", 86400), ("hour", 3600), ("minute", 60)):
        if seconds >= length and seconds % length == 0:
            count = seconds // length
            return f"{count} {unit}{'s' if count > 1 else ''}"
    if seconds > 120:  # noqa: PLR2004 - two minutes, below which seconds matter
        return f"{round(seconds / 60)} minutes"
    return f"{seconds} second{'s' if seconds > 1 else ''}"
