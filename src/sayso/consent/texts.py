"""What a person reads about being messaged, in their language. Pure."""

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

DEFAULT = "en"
#: Codes that name a language of the table by another name, the older ones of ISO 639 among them.
_SAME = {"no": "nb", "nn": "nb", "iw": "he", "in": "id"}


@cache
def _table() -> Mapping[str, Mapping[str, str]]:
    return tomllib.loads(files("sayso.consent").joinpath("texts.toml").read_text(encoding="utf-8"))


def languages() -> tuple[str, ...]:
    """The languages there are texts in."""
    return tuple(_table())


def language(*wanted: str | None) -> str:
    """The first of these languages (BCP 47) that there are texts in, else English."""
    for tag in wanted:
        base = (tag or "").replace("_", "-").partition("-")[0].lower()
        if _SAME.get(base, base) in _table():
            return _SAME.get(base, base)
    return DEFAULT


def text(name: str, spoken: str, **values: object) -> str:
    """One text, in a language that ``language`` gave."""
    return _table()[spoken][name].format(**values)
