"""The fields that a request's body has at a place: what a name that is not among them may have been meant to be."""

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

from fastapi.routing import APIRoute
from pydantic import TypeAdapter

_Schema = Mapping[str, Any]


def body_of(route: APIRoute) -> Any:
    """What a route takes as its body; None where it takes none."""
    return None if route.body_field is None else route.body_field.field_info.annotation


def fields_at(kind: Any, place: Sequence[Any]) -> list[str]:
    """Names of the fields there are in a kind of body, or in what is inside of it at ``place``."""
    whole = _schema(kind)
    found = [whole]
    for step in place:
        found = [inner for each in _forms(found, whole) for inner in _inside(each, step)]
    return sorted({name for each in _forms(found, whole) for name in each.get("properties", ())})


@lru_cache(maxsize=256)
def _schema(kind: Any) -> _Schema:
    """There are as many as routes; each is made when somebody first mistypes there."""
    return TypeAdapter(kind).json_schema()


def _forms(schemas: Sequence[_Schema], whole: _Schema) -> Iterator[_Schema]:
    """Each schema, with what it refers to and its alternatives in its place."""
    for each in schemas:
        if "$ref" in each:
            yield from _forms([whole["$defs"][each["$ref"].rpartition("/")[2]]], whole)
        elif "anyOf" in each or "oneOf" in each:
            yield from _forms(each.get("anyOf") or each["oneOf"], whole)
        else:
            yield each


def _inside(schema: _Schema, step: Any) -> Iterator[_Schema]:
    """What a schema has one step further; a step that is no part of it is a name of the validator's own."""
    if isinstance(step, int):
        yield schema.get("items", {})
    elif step in schema.get("properties", {}):
        yield schema["properties"][step]
    elif isinstance(schema.get("additionalProperties"), Mapping):
        yield schema["additionalProperties"]
    else:
        yield schema
