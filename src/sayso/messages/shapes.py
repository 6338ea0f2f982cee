"""From a request's JSON to content: read strictly, each fault pointed at in the request; and its schema for OpenAPI."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec

from sayso.core import faults
from sayso.whatsapp.content import TYPES, Content

#: Fields of content that are ours to fill, not the caller's; and those under which everything is the caller's.
_OURS: Final = frozenset({"layout"})
_THEIRS: Final = "data"
_DEEPEST: Final = 20
_LARGEST: Final = 2**53
_WHERE: Final = re.compile(r"(?P<said>.*?)(?: - at `\$(?P<path>[^`]*)`)?", re.DOTALL)
_STEP: Final = re.compile(r"\.(?P<name>[^.\[]+)|\[(?P<index>\d+)\]|\[\.\.\.\]")
_NAMED: Final = re.compile(r"Object (?:missing required|contains unknown) field `(?P<field>[^`]+)`")


def read(kind: str, given: Mapping[str, Any], *, at: str) -> Content:
    """Content of a type (``text``, ``buttons`` and so on) as a caller gives it; ``at`` points at it in the request.

    Raises :class:`InputInvalidError` for what has another shape. Whether Meta would take it, ``validate`` says.
    """
    for pointer, detail in _unfit(given, 0):
        raise faults.wrong(at + pointer, detail)
    if "type" in given:
        raise faults.wrong(f"{at}/type", "is not a field of this object: message_type says it")
    try:
        content: Content = msgspec.convert(given, TYPES[kind])
    except msgspec.ValidationError as error:
        detail, pointer = _placed(str(error), kind, given, at)
        raise faults.wrong(pointer, detail) from None
    return content


def schema_of(kind: str) -> dict[str, Any]:
    """The JSON Schema of a type's object, whole: nothing in it refers to anything."""
    (_,), parts = msgspec.json.schema_components([TYPES[kind]])
    schema: dict[str, Any] = _whole(parts[TYPES[kind].__name__], parts)
    return schema


def _placed(complaint: str, kind: str, given: Any, at: str) -> tuple[str, str]:
    """A sentence and a JSON Pointer of what msgspec says, such as ``Expected `str` - at `$.buttons[0].id```."""
    found = _WHERE.fullmatch(complaint)
    said, path = (found["said"], found["path"] or "") if found else (complaint, "")
    steps = [
        int(step["index"]) if step["index"] else step["name"]
        for step in _STEP.finditer(path)
        if step["name"] or step["index"]
    ]
    pointer = at + faults.pointer(steps)
    named = _NAMED.match(said)
    if named is None:
        return faults.of_reading(said, _inside(given, steps), _choices(kind, steps)), pointer
    at = pointer + faults.pointer([named["field"]])
    if "missing" in said:
        return "is missing", at
    known = _fields(kind, steps)
    meant = faults.near(named["field"], known) or f"; it takes {', '.join(known)}"
    return f"is not a field of this object{meant}", at


def _inside(given: Any, steps: Sequence[str | int]) -> Any:
    """What was given at a place."""
    for step in steps:
        try:
            given = given[step]
        except (LookupError, TypeError):
            return None
    return given


def _choices(kind: str, steps: Sequence[str | int]) -> list[str]:
    """What a field of few values may be: msgspec says what it is not."""
    return [str(value) for each in _forms(kind, steps) for value in each.get("enum", ()) if value is not None]


def _fields(kind: str, steps: Sequence[str | int]) -> list[str]:
    """The names there are at a place: msgspec says which one is none."""
    return [name for each in _forms(kind, steps) for name in each.get("properties", ())]


def _forms(kind: str, steps: Sequence[str | int]) -> list[Any]:
    """The schemas of what may stand at a place."""
    forms: list[Any] = [schema_of(kind)]
    for step in steps:
        inside = [
            each.get("items") if isinstance(step, int) else each.get("properties", {}).get(step)
            for each in forms
        ]
        forms = [form for each in inside if each for form in (each, *each.get("anyOf", ()))]
    return forms


def _unfit(value: Any, depth: int, ours: frozenset[str] = _OURS) -> Iterator[tuple[str, str]]:
    """Where something stands that cannot be stored or shown, or that is not the caller's to give."""
    if depth > _DEEPEST:
        yield "", f"is nested more than {_DEEPEST} levels deep"
    elif isinstance(value, str):
        if "\x00" in value or any("\ud800" <= character <= "\udfff" for character in value):
            yield "", "contains a NUL character or half of a surrogate pair, which cannot be shown or stored"
    elif isinstance(value, int) and abs(value) > _LARGEST:
        yield "", "is a number too large to be exact"
    else:
        yield from _unfit_inside(value, depth, ours)


def _unfit_inside(value: Any, depth: int, ours: frozenset[str]) -> Iterator[tuple[str, str]]:
    inside: Any = ()
    if isinstance(value, dict):
        inside = value.items()
        for detail in (detail for name in value for _, detail in _unfit(name, 0)):
            yield "", f"has a name that {detail}"
        yield from ((f"/{name}", "is not a field of this object") for name in ours & value.keys())
    elif isinstance(value, list):
        inside = enumerate(value)
    for step, each in inside:
        hidden = frozenset() if step == _THEIRS else ours
        for pointer, detail in _unfit(each, depth + 1, hidden):
            yield faults.pointer([step]) + pointer, detail


def _whole(schema: Any, parts: Mapping[str, Any]) -> Any:
    """A schema with what it refers to put in its place, without what is ours, described in one paragraph."""
    if isinstance(schema, list):
        return [_whole(each, parts) for each in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return _whole(parts[schema["$ref"].rpartition("/")[2]], parts)
    whole = {name: _whole(each, parts) for name, each in schema.items()}
    if isinstance(whole.get("properties"), dict):
        hidden = _OURS | ({"type"} if "enum" in whole["properties"].get("type", {}) else set())
        whole["properties"] = {n: each for n, each in whole["properties"].items() if n not in hidden}
        whole["required"] = [name for name in whole.get("required", []) if name not in hidden]
    if isinstance(whole.get("description"), str):
        whole["description"] = " ".join(whole["description"].split())
    return whole
