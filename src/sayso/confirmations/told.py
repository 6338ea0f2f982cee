"""What those who were asked are told while a question goes on, and when others have answered it. Pure."""

import tomllib
from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import cache
from importlib.resources import files
from typing import Final

from sayso.confirmations import phrases, render
from sayso.confirmations.cleaning import quoted
from sayso.confirmations.rules import OUTCOMES, Outcome, Verdict
from sayso.confirmations.steps import Approver
from sayso.whatsapp.content import Text

_BY_PERSON: Final = frozenset(OUTCOMES.values())


@cache
def table() -> Mapping[str, Mapping[str, str]]:
    """The lines, by language and name."""
    return tomllib.loads(files("sayso.confirmations").joinpath("told.toml").read_text(encoding="utf-8"))


def line(name: str, description: str, language: str | None = None, **values: object) -> Text:
    """One line about a question; ``span`` among the values is a time, put into the language's words."""
    spoken = phrases.language(language)
    lines = table()
    chosen = spoken if spoken in lines else phrases.DEFAULT
    said = {
        key: phrases.span(value, chosen) if isinstance(value, timedelta) else value
        for key, value in values.items()
    }
    return Text(lines[chosen][name].format(what=quoted(description), **said))


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
    if partly and outcome in ("expired", "undeliverable", "opted_out"):
        return line("incomplete", description, language)
    return render.closing(outcome, description, language)


def partly(everyone: Sequence[Approver]) -> bool:
    """Whether some answered who need others."""
    return any(each.state == "answered" for each in everyone)
