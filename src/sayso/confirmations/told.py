"""What those who were asked are told while a question goes on, and when others have answered it. Pure."""

from collections.abc import Sequence
from typing import Final

from sayso.confirmations import render
from sayso.confirmations.cleaning import quoted
from sayso.confirmations.phrases import phrase
from sayso.confirmations.rules import OUTCOMES, Outcome, Verdict
from sayso.confirmations.steps import Approver
from sayso.whatsapp.content import Text

_BY_PERSON: Final = frozenset(OUTCOMES.values())
#: Who left or could not be reached is not told here: it is for those who were asked beside them.
_BY_OTHERS: Final = frozenset({"undeliverable", "opted_out"})


def line(name: str, description: str, language: str | None = None, **values: object) -> Text:
    """One line about a question, in the language; a time among the values is put into its words."""
    return Text(phrase(name, language, what=quoted(description), **values))


def closing(
    outcome: Outcome,
    description: str,
    *,
    verdict: Verdict | None,
    partly: bool,
    language: str | None = None,
) -> Text | None:
    """The line for one of those who were asked, now that it has ended; None where another message says it.

    ``verdict`` is what they said themselves; ``partly``: some had answered, and not enough.
    """
    if outcome in _BY_PERSON and (verdict is None or OUTCOMES[verdict] != outcome):
        return line(f"other_{outcome}", description, language)
    if outcome in _BY_OTHERS or (partly and outcome == "expired"):
        return line("incomplete", description, language)
    return render.closing(outcome, description, language)


def partly(everyone: Sequence[Approver]) -> bool:
    """Whether some answered who need others."""
    return any(each.state == "answered" for each in everyone)
