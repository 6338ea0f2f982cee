"""Reading a stop, a start or a call for help in what a person wrote: whole messages, by table alone. Pure."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal, get_args

from sayso.core import words

Meaning = Literal["stop", "promotions", "soft", "start", "help"]
_TABLE = "keywords.toml"


@dataclass(frozen=True, slots=True)
class Word:
    """A word of the table. ``languages`` are those that use it, English first if it is one of them."""

    meaning: Meaning
    languages: tuple[str, ...]

    @property
    def language(self) -> str | None:
        """The language it gives away; None when several use it."""
        return self.languages[0] if len(self.languages) == 1 else None


@cache
def keywords() -> words.Words:
    """The table, checked: no word means two things."""
    return words.load("sayso.consent", _TABLE)


@cache
def _languages() -> Mapping[str, tuple[str, ...]]:
    table = tomllib.loads(files("sayso.consent").joinpath(_TABLE).read_text(encoding="utf-8"))
    found: dict[str, tuple[str, ...]] = {}
    for language, meanings in table.items():
        if isinstance(meanings, dict):
            for word in {words.normalise(word) for listed in meanings.values() for word in listed}:
                found[word] = (*found.get(word, ()), language)
    return found


def reading(text: str | None) -> Word | None:
    """What a whole message says, in whatever case, width or company of emoji; None when it is no word of the table."""
    said = words.normalise(text or "", drop_emoji=True)
    meaning = keywords().meanings.get(said)
    for known in get_args(Meaning):
        if meaning == known:
            return Word(known, _languages()[said])
    return None
