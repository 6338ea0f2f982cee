"""What we say ourselves of a question, in the person's language. Pure."""

import tomllib
from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import cache
from importlib.resources import files
from typing import Any, Final

DEFAULT: Final = "en"
_SAME: Final = {"in": "id"}
_UNITS: Final = (("day", 86400), ("hour", 3600), ("minute", 60))
_TWO_MINUTES: Final = 120


@cache
def _table() -> Mapping[str, Mapping[str, Any]]:
    text = files("sayso.confirmations").joinpath("phrases.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def languages() -> tuple[str, ...]:
    """The languages there are phrases in."""
    return tuple(_table())


def language(*wanted: str | None) -> str:
    """The first of these languages (BCP 47, or as Meta writes them) that there are phrases in, else English."""
    for tag in wanted:
        base = (tag or "").replace("_", "-").partition("-")[0].lower()
        if _SAME.get(base, base) in _table():
            return _SAME.get(base, base)
    return DEFAULT


def phrase(name: str, spoken: str | None = None, /, **values: object) -> str:
    """One phrase, in the language nearest to ``spoken``."""
    text: str = _table()[language(spoken)][name]
    return text.format(**values)


def names(*keys: str) -> frozenset[str]:
    """What these are called in any language."""
    return frozenset(str(phrases[key]) for phrases in _table().values() for key in keys)


def span(lasts: timedelta, spoken: str | None = None) -> str:
    """``30 minutes``, ``2 hours``, ``45 seconds``: the largest unit that says it exactly enough."""
    seconds = max(1, round(lasts.total_seconds()))
    for unit, length in _UNITS:
        if seconds >= length and seconds % length == 0:
            return _counted(unit, seconds // length, spoken)
    if seconds > _TWO_MINUTES:
        return _counted("minute", round(seconds / 60), spoken)
    return _counted("second", seconds, spoken)


def _counted(unit: str, number: int, spoken: str | None) -> str:
    forms: Sequence[str] = _table()[language(spoken)][unit]
    return forms[_PLURALS[len(forms)](number)].format(n=number)


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
