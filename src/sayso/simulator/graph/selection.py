"""Which fields of a node are asked for: ``fields=a,b{c,d},e.start(1).end(2)`` (cloud-api.md 8)."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sayso.simulator.errors import GraphError

_NAME = re.compile(r"\s*(\w+)\s*")
_DEPTH_AT_MOST = 5

#: What a field holds when the node has nothing there: it is left out, not told as null.
ABSENT: Any = object()


@dataclass(frozen=True, slots=True)
class Field:
    """A field asked for, with its modifiers ``.name(value)`` and the fields inside it."""

    name: str
    given: Mapping[str, str] = field(default_factory=dict)
    inner: tuple["Field", ...] = ()


Reader = Callable[[Field], Any]


def plain_readers(values: Mapping[str, Any]) -> dict[str, Reader]:
    """Make readers of fields that hold what they hold, however they are asked for."""

    def reader(value: Any) -> Reader:
        return lambda _: value

    return {name: reader(value) for name, value in values.items()}


def select(
    kind: str, readers: Mapping[str, Reader], asked: str | tuple[Field, ...] | None, default: str
) -> dict[str, Any]:
    """Read the fields asked for, or the ``default`` ones; the id is always there.

    ``kind`` is Meta's name of the node's type. A field the type does not have is refused with 100; one that it
    has, but that is empty, is left out.
    """
    told: dict[str, Any] = {}
    for wanted in asked if isinstance(asked, tuple) and asked else parse(str(asked or default)):
        reader = readers.get(wanted.name)
        if reader is None:
            words = f"Tried accessing nonexisting field ({wanted.name}) on node type ({kind})"
            raise GraphError(100, words)
        found = reader(wanted)
        if found is not ABSENT:
            told[wanted.name] = only(found, wanted.inner)
    if "id" in readers:
        told["id"] = readers["id"](Field("id"))
    return told


def only(found: Any, inner: tuple[Field, ...]) -> Any:
    """Keep the fields asked for inside a value, in an object or each object of an array; an id always stays."""
    if not inner:
        return found
    if isinstance(found, list):
        return [only(each, inner) for each in found]
    if not isinstance(found, dict):
        return found
    if isinstance(found.get("data"), list) and all(each.name != "data" for each in inner):
        return {**found, "data": only(found["data"], inner)}
    told = {each.name: only(found[each.name], each.inner) for each in inner if each.name in found}
    return told | ({"id": found["id"]} if "id" in found else {})


def parse(text: str) -> tuple[Field, ...]:
    """Read a list of fields; raise 100 where it is not one."""
    found, at = _fields(text, 0, 1)
    if at != len(text):
        raise _wrong(text, at)
    return found


def _fields(text: str, at: int, depth: int) -> tuple[tuple[Field, ...], int]:
    if depth > _DEPTH_AT_MOST:
        raise GraphError(100, "Param fields is nested too deeply.")
    found: list[Field] = []
    while True:
        name = _NAME.match(text, at)
        if name is None:
            raise _wrong(text, at)
        given, inner, at = _modifiers(text, name.end(), depth)
        found.append(Field(name[1], given, inner))
        if text[at : at + 1] != ",":
            return tuple(found), at
        at += 1


def _modifiers(text: str, at: int, depth: int) -> tuple[dict[str, str], tuple[Field, ...], int]:
    """Read what follows a name: modifiers and inner fields, in any order."""
    given: dict[str, str] = {}
    inner: tuple[Field, ...] = ()
    while text[at : at + 1] in (".", "{"):
        if text[at] == "{":
            inner, at = _fields(text, at + 1, depth + 1)
            at = _past(text, at, "}")
        else:
            name = _NAME.match(text, at + 1)
            opened = _past(text, name.end(), "(") if name else at
            closed = text.find(")", opened)
            if name is None or closed < 0:
                raise _wrong(text, at)
            given[name[1]] = text[opened:closed].strip().strip("'\"")
            at = closed + 1
    return given, inner, at


def _past(text: str, at: int, wanted: str) -> int:
    if text[at : at + 1] != wanted:
        raise _wrong(text, at)
    return at + 1


def _wrong(text: str, at: int) -> GraphError:
    words = f"Syntax error at character {at} of param fields: {text[max(0, at - 20) : at + 20]!r}"
    return GraphError(100, words)
