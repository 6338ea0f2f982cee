"""What we say ourselves of a question, in the person's language. Pure."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import timedelta
from functools import cache
from typing import Any, Final

from sayso.core import spoken as tables

DEFAULT: Final = tables.DEFAULT
FILES: Final = ("phrases.toml", "told.toml", "replies.toml")
_UNITS: Final = (("day", 86400), ("hour", 3600), ("minute", 60))
_TWO_MINUTES: Final = 120


@cache
def _table() -> tables.Spoken:
    merged: defaultdict[str, dict[str, Any]] = defaultdict(dict)
    for name in FILES:
        for spoken, phrases in tables.load("sayso.confirmations", name).texts.items():
            merged[spoken] |= phrases
    return tables.Spoken(dict(merged))


def languages() -> tuple[str, ...]:
    """The languages there are phrases in."""
    return _table().languages


def language(*wanted: str | None) -> str:
    """The first of these languages (BCP 47, or as Meta writes them) that there are phrases in, else English."""
    return _table().nearest(*wanted)


def phrase(name: str, spoken: str | None = None, /, **values: object) -> str:
    """One phrase, in the language nearest to ``spoken``; a time among the values is put into its words."""
    said = {key: span(each, spoken) if isinstance(each, timedelta) else each for key, each in values.items()}
    text: str = _table().texts[language(spoken)][name]
    return text.format(**said)


def counted(name: str, number: int, spoken: str | None = None) -> str:
    """A phrase that has a form for each plural, for so many."""
    forms: Sequence[str] = _table().texts[language(spoken)][name]
    return forms[_PLURALS[len(forms)](number)].format(n=number)


def names(*keys: str) -> frozenset[str]:
    """What these are called in any language."""
    return frozenset(str(phrases[key]) for phrases in _table().texts.values() for key in keys)


def span(lasts: timedelta, spoken: str | None = None) -> str:
    """``30 minutes``, ``2 hours``, ``45 seconds``: the largest unit that says it exactly enough."""
    seconds = max(1, round(lasts.total_seconds()))
    for unit, length in _UNITS:
        if seconds >= length and seconds % length == 0:
            return counted(unit, seconds // length, spoken)
    if seconds > _TWO_MINUTES:
        return counted("minute", round(seconds / 60), spoken)
    return counted("second", seconds, spoken)


def _three(number: int) -> int:
    """Which of three forms, as Slavic languages count."""
    if number == 1:
        return 0
    few = number % 10 in (2, 3, 4) and number % 100 not in (12, 13, 14)
    return 1 if few else 2


def _four(number: int) -> int:
    """Which of four forms, as Arabic counts."""
    if number <= 2:  # noqa: PLR2004 - one and two have words of their own
        return number - 1
    return 2 if 3 <= number % 100 <= 10 else 3  # noqa: PLR2004 - the few


_PLURALS: Final = {2: lambda number: int(number != 1), 3: _three, 4: _four}
