"""What a person reads about being messaged, in their language. Pure."""

from sayso.core import spoken as tables


def _table() -> tables.Spoken:
    return tables.load("sayso.consent", "texts.toml")


def languages() -> tuple[str, ...]:
    """The languages there are texts in."""
    return _table().languages


def language(*wanted: str | None) -> str:
    """The first of these languages (BCP 47) that there are texts in, else English."""
    return _table().nearest(*wanted)


def text(name: str, spoken: str, **values: object) -> str:
    """One text, in a language that ``language`` gave."""
    said: str = _table().texts[spoken][name]
    return said.format(**values)
