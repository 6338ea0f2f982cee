"""Reading Graph JSON field by field, refusing as Meta does: 131008 missing, 131009 wrong, 100 too long.

``where`` is the field's place in Meta's notation, such as ``text['body']`` (cloud-api.md 5.3).
"""

from collections.abc import Collection
from typing import Any

from sayso.simulator.errors import GraphError


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
    """Return ``found`` if it is an object whose keys are all ``known``."""
    if not isinstance(found, dict):
        raise GraphError(100, f"Param {where} must be an object.")
    if known is not None:
        for key, value in found.items():
            if key not in known and value is not None:
                raise GraphError(100, f'Unexpected key "{key}" on param {where}.')
    return found


def array_at(parent: dict[str, Any], key: str, where: str) -> list[Any]:
    """Return a required array."""
    found = parent.get(key)
    if found is None:
        raise missing(where)
    if not isinstance(found, list):
        raise GraphError(100, f"Param {where} must be an array.")
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
    return within(found, where, limit)


def within(text: str, where: str, limit: int) -> str:
    """Return ``text`` unless it is longer than ``limit`` characters."""
    if len(text) > limit:
        raise GraphError(100, f"Param {where} must be at most {limit} characters long; it has {len(text)}.")
    return text


def choice_at(parent: dict[str, Any], key: str, where: str, choices: Collection[str]) -> str:
    """Return a required string that is one of ``choices``."""
    found = parent.get(key)
    if found is None:
        raise missing(where)
    if found not in choices:
        raise GraphError(
            100, f"Param {where} must be one of {{{', '.join(sorted(choices))}}}; it is {found!r}."
        )
    return str(found)
