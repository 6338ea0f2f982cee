"""Reading Graph JSON field by field, refusing as Meta does: 131008 missing, 131009 wrong, 100 too long.

``where`` is the field's place in Meta's notation, such as ``text['body']`` (cloud-api.md 5.3). As Graph does, an
object or an array may come as a string of JSON, a number or a boolean as a string, and the words of an enumeration
in either case.
"""

import json
import math
from collections.abc import Collection
from typing import Any, NoReturn
from urllib.parse import urlsplit

from sayso.simulator.errors import GraphError

_DIGITS_AT_MOST = 18  # of a whole number in a string
_NOTHING: tuple[Any, ...] = (None, [], {})  # a key that holds it is not given
NO_LIMIT = 2**31  # characters, where no figure is published


def missing(where: str) -> GraphError:
    """Compose the refusal of an absent required field."""
    return GraphError(131008, f"The parameter {where} is required.")


def object_at(
    parent: dict[str, Any], key: str, where: str, known: Collection[str] | None = None
) -> dict[str, Any]:
    """Return a required object; with ``known``, a key outside it is refused as misspelt (100)."""
    found = parent.get(key)
    if found is None:
        raise missing(where)
    return as_object(found, where, known)


def as_object(found: Any, where: str, known: Collection[str] | None = None) -> dict[str, Any]:
    """Return ``found`` if it is an object whose keys are all ``known``.

    Null, an empty array and an empty object count as not given: serialisers write them for what they leave out.
    """
    if not isinstance(found, dict):
        found = _from_text(found)
        if not isinstance(found, dict):
            raise GraphError(100, f"Param {where} must be an object.")
    if known is not None:
        for key, value in found.items():
            if key not in known and value not in _NOTHING:
                raise GraphError(100, f'Unexpected key "{key}" on param {where}.')
    return found


def array_at(parent: dict[str, Any], key: str, where: str) -> list[Any]:
    """Return a required array."""
    found = parent.get(key)
    if found is None:
        raise missing(where)
    if not isinstance(found, list):
        found = _from_text(found)
        if not isinstance(found, list):
            raise GraphError(100, f"Param {where} must be an array.")
    return found


def counted_at(
    parent: dict[str, Any], key: str, where: str, *, least: int, most: int, what: str
) -> list[Any]:
    """Return a required array of ``least`` to ``most`` elements, which are ``what``."""
    found = array_at(parent, key, where)
    if not least <= len(found) <= most:
        raise GraphError(131009, f"Param {where} must hold {least} to {most} {what}; it has {len(found)}.")
    return found


def text_at(parent: dict[str, Any], key: str, where: str, *, limit: int) -> str:
    """Return a required string of 1 to ``limit`` characters."""
    found = parent.get(key)
    if found is None:
        raise missing(where)
    if not isinstance(found, str):
        raise GraphError(100, f"Param {where} must be a string.")
    if not found.strip():
        raise GraphError(131009, f"Param {where} must not be empty.")
    if len(found) > limit:
        too_long(found, where, limit)
    return found


def words_at(parent: dict[str, Any], key: str, where: str, *, limit: int | None = None) -> str:
    """Return an optional string; "" when it is left out, null or empty."""
    found = parent.get(key)
    if found is None:
        return ""
    if not isinstance(found, str):
        raise GraphError(100, f"Param {where} must be a string.")
    return found if limit is None else within(found, where, limit)


def id_at(parent: dict[str, Any], key: str, where: str) -> str:
    """Return a required id, given as a string or as an integer."""
    found = parent.get(key)
    if isinstance(found, int) and not isinstance(found, bool):
        return str(found)
    return text_at(parent, key, where, limit=NO_LIMIT)


def within(text: str, where: str, limit: int) -> str:
    """Return ``text`` unless it is longer than ``limit`` characters."""
    if len(text) > limit:
        too_long(text, where, limit)
    return text


def too_long(text: str, where: str, limit: int) -> NoReturn:
    """Refuse a text over its limit, which counts characters."""
    raise GraphError(100, f"Param {where} must be at most {limit} characters long; it has {len(text)}.")


def choice_at(parent: dict[str, Any], key: str, where: str, choices: Collection[str]) -> str:
    """Return a required string that is one of ``choices``, as it is written there."""
    found = parent.get(key)
    if found is None:
        raise missing(where)
    if isinstance(found, str):
        if found in choices:
            return found
        for each in (found.lower(), found.upper()):
            if each in choices:
                return each
    raise GraphError(100, f"Param {where} must be one of {{{', '.join(sorted(choices))}}}; it is {found!r}.")


def flag_at(parent: dict[str, Any], key: str, where: str) -> bool:
    """Return an optional boolean, false when it is left out."""
    found = parent.get(key)
    if found is None or isinstance(found, bool):
        return bool(found)
    word = str(found).lower()
    if word in ("true", "false", "1", "0"):
        return word in ("true", "1")
    raise GraphError(100, f"Param {where} must be a boolean.")


def number_at(parent: dict[str, Any], key: str, where: str, *, least: float, most: float) -> float:
    """Return a required number from ``least`` to ``most``, given as a number or as a string of one."""
    found = parent.get(key)
    if found is None:
        raise missing(where)
    try:
        number = float("nan") if isinstance(found, bool) else float(found)
    except (TypeError, ValueError, OverflowError):
        number = float("nan")
    if math.isnan(number):
        raise GraphError(100, f"Param {where} must be a number.")
    if not least <= number <= most:
        raise GraphError(131009, f"Param {where} must be from {least:g} to {most:g}; it is {number:g}.")
    return number


def whole_number(raw: Any) -> int | None:
    """Return an integer, given as one or as a string of up to 18 digits; None when it is neither."""
    if isinstance(raw, bool):
        return None
    if isinstance(raw, int):
        return raw
    digits = raw.removeprefix("-") if isinstance(raw, str) else ""
    return int(raw) if digits.isascii() and digits.isdecimal() and len(digits) <= _DIGITS_AT_MOST else None


def link_at(parent: dict[str, Any], key: str, where: str) -> str:
    """Return a required web address: ``http`` or ``https`` and a host (2.4)."""
    found = text_at(parent, key, where, limit=NO_LIMIT)
    if not is_address(found):
        raise GraphError(100, f"Param {where} is not a valid URI")
    return found


def is_address(text: str) -> bool:
    """Tell whether this is a web address: ``http`` or ``https`` and a host."""
    try:
        parts = urlsplit(text)
        return parts.scheme.lower() in ("http", "https") and bool(parts.hostname) and " " not in text
    except ValueError:  # such as a bracket without its other half
        return False


def unique(values: list[str], where: str, what: str) -> None:
    """Refuse ``values`` when one of them is there twice; ``what`` names them."""
    if len(set(values)) != len(values):
        raise GraphError(131009, f"Param {where}: every {what} must be unique; they are {values}.")


def json_in(value: Any, where: str) -> Any:
    """Return what a parameter holds: the JSON in a string of a query or form, or the value as it came in JSON."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError) as problem:
        raise GraphError(100, f"Param {where} must be valid JSON: {problem}.") from problem


def _from_text(found: Any) -> Any:
    """Return what a string of JSON holds, or ``found`` itself."""
    if not isinstance(found, str):
        return found
    try:
        return json.loads(found)
    except (ValueError, RecursionError):
        return found
