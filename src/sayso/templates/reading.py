"""A definition out of a file's (or a request's) plain values, with every fault and where it is."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from sayso.templates import parts
from sayso.templates.definitions import (
    AUTHENTICATION,
    CATEGORIES,
    Definition,
    Examples,
    OneTimeCode,
    Place,
    Problem,
    Wording,
)
from sayso.templates.parts import Reading, meant
from sayso.templates.rules import numbered

_TOP: Final = ("category", "ttl", "examples", "header_example", "languages")
_LANGUAGE: Final = ("header", "body", "footer", "buttons", "offer", "cards", "examples", "header_example")
_CARD: Final = ("header", "body", "buttons", "examples")
#: Of an authentication template, whose text is Meta's.
_CODE_TOP: Final = ("category", "ttl", "code", "languages")
_CODE_LANGUAGE: Final = ("label", "autofill")


def read(name: str, data: Any) -> tuple[Definition | None, list[Problem]]:
    """Read a definition from plain values; None when it has no shape at all. Limits are ``lint``'s matter."""
    reading = Reading()
    if not isinstance(data, dict):
        reading.wrong((), "a definition is a table with category and languages.")
        return None, reading.problems
    category = _category(reading, data)
    code = category == AUTHENTICATION
    reading.known(data, _CODE_TOP if code else _TOP, ())
    tables = data.get("languages")
    if not isinstance(tables, dict) or not tables:
        some = "[languages.en]" if code else "[languages.en] with a body"
        reading.wrong(("languages",), f"at least one language is needed: {some}.")
        tables = {}
    found = _codes(reading, data, tables) if code else _wordings(reading, data, tables)
    ttl_s = reading.seconds(data, "ttl", ())
    return (Definition(name, category, found, ttl_s) if found else None), reading.problems


def _category(reading: Reading, data: Mapping[str, Any]) -> str:
    found = data.get("category", "utility")
    category = found.lower() if isinstance(found, str) else ""
    if category not in CATEGORIES:
        detail = f"category must be utility, marketing or authentication{meant(category, CATEGORIES)}"
        reading.wrong(("category",), detail)
    return category.upper()


def _codes(reading: Reading, data: Mapping[str, Any], tables: Mapping[str, Any]) -> dict[str, Wording]:
    shared = parts.one_time_code(reading, data)
    return {
        language: Wording(language, code=_labelled(reading, shared, table, language))
        for language, table in tables.items()
    }


def _labelled(reading: Reading, shared: OneTimeCode, table: Any, language: str) -> OneTimeCode:
    at: Place = ("languages", language)
    if not isinstance(table, dict):
        reading.wrong(at, f"[languages.{language}] must be a table; an empty one will do.")
        return shared
    reading.known(table, _CODE_LANGUAGE, at)
    label, autofill = (reading.text(table, key, at) or "" for key in _CODE_LANGUAGE)
    return replace(shared, label=label, autofill=autofill)


def _wordings(reading: Reading, data: Mapping[str, Any], tables: Mapping[str, Any]) -> dict[str, Wording]:
    shared = parts.examples(reading, data, ())
    header_example = reading.text(data, "header_example", ())
    return {
        language: wording
        for language, table in tables.items()
        if (wording := _wording(reading, language, table, shared, header_example)) is not None
    }


def _wording(
    reading: Reading, language: str, table: Any, shared: Examples | None, shared_header: str | None
) -> Wording | None:
    at: Place = ("languages", language)
    if not isinstance(table, dict):
        reading.wrong(at, f"[languages.{language}] must be a table with a body.")
        return None
    reading.known(table, _LANGUAGE, at)
    body = reading.text(table, "body", at)
    if body == "" or "body" not in table:
        reading.wrong(at, f"[languages.{language}] has no body, which every template needs.")
    own = parts.examples(reading, table, at)
    values = next((each for each in (own, shared) if each is not None), ())
    header_example = reading.text(table, "header_example", at)
    found = Wording(
        language=language,
        body=body or "",
        header=parts.header(reading, table, at),
        footer=reading.text(table, "footer", at) or None,
        buttons=parts.buttons(reading, table, at),
        examples=values,
        header_example=header_example if header_example is not None else shared_header,
        offer=parts.offer(reading, table, at),
        cards=_cards(reading, table, at, values),
    )
    return _of_one_format(found)


def _cards(reading: Reading, table: Mapping[str, Any], at: Place, shared: Examples) -> tuple[Wording, ...]:
    """The cards of a carousel. Names have one table of examples for all; numbers begin anew with each card."""
    found = table.get("cards", [])
    at = (*at, "cards")
    if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
        reading.wrong(at, "cards are tables: [[languages.en.cards]], each with a header and buttons.")
        return ()
    cards = []
    for place, each in enumerate(found):
        here = (*at, place)
        reading.known(each, _CARD, here)
        own = parts.examples(reading, each, here)
        cards.append(
            Wording(
                language=str(at[1]),
                body=reading.text(each, "body", here) or "",
                header=parts.header(reading, each, here),
                buttons=parts.buttons(reading, each, here),
                examples=own if own is not None else shared if isinstance(shared, Mapping) else (),
            )
        )
    return tuple(cards)


def _of_one_format(found: Wording) -> Wording:
    """A template's variables go by names as soon as one of them does, those of its cards included."""
    texts = (found, *found.cards)
    names = [name for each in texts for name in (*each.names, *each.header_names)]
    named = not all(map(numbered, names))
    return replace(found, named=named, cards=tuple(replace(card, named=named) for card in found.cards))
