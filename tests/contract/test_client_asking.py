"""What the client's ``ask`` takes is what ``POST /confirmation`` takes: field by field, value by value."""

import inspect
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints, is_typeddict

from fastapi import FastAPI

from sayso.client import Asking, Sayso
from sayso.confirmations import asking_routes

#: How the client calls what the API calls otherwise: its positional arguments.
WORDS = {
    "action_type": "action_type",
    "description": "action_description",
    "details": "action_details",
}
_PLAIN = {str: "string", float: "number", int: "integer", bool: "boolean", Any: "any"}


def of_hint(hint: Any) -> Any:
    """A type hint, to be compared: what may be left out has a question mark."""
    if is_typeddict(hint):
        return {
            name + "?" * (name not in hint.__required_keys__): of_hint(each)
            for name, each in get_type_hints(hint).items()
        }
    origin, args = get_origin(hint), get_args(hint)
    if origin is Literal:
        return frozenset(args)
    if origin is list:
        return [of_hint(args[0])]
    if origin in (Union, UnionType):
        return united([of_hint(each) for each in args])
    return _PLAIN[hint]


def of_schema(schema: dict[str, Any], parts: dict[str, Any]) -> Any:
    """A JSON Schema, to be compared."""
    if "$ref" in schema:
        return of_schema(parts[schema["$ref"].rpartition("/")[2]], parts)
    if "properties" in schema:
        required = schema.get("required", ())
        return {
            name + "?" * (name not in required): of_schema(each, parts)
            for name, each in schema["properties"].items()
        }
    if "anyOf" in schema:
        return united([of_schema(each, parts) for each in schema["anyOf"] if each != {"type": "null"}])
    if "enum" in schema:
        return frozenset(schema["enum"])
    return [of_schema(schema["items"], parts)] if "items" in schema else schema.get("type", "any")


def united(kinds: list[Any]) -> Any:
    if len(kinds) == 1:
        return kinds[0]
    return frozenset().union(*({kind} if isinstance(kind, str) else kind for kind in kinds))


def taken() -> dict[str, Any]:
    """What the API's description says that a question takes."""
    app = FastAPI()
    app.include_router(asking_routes.router)
    parts = app.openapi()["components"]["schemas"]
    found: dict[str, Any] = of_schema(parts["ConfirmationIn"], parts)
    return found


def test_every_field_of_a_question_is_an_option_of_the_client_with_the_same_values() -> None:
    words = {
        WORDS[name] + "?" * (each.default is not each.empty): of_hint(each.annotation)
        for name, each in inspect.signature(Sayso.ask).parameters.items()
        if name in WORDS
    }
    options = {name: each for name, each in of_hint(Asking).items() if name != "idempotency_key?"}
    assert {**words, **options} == taken()


def test_every_option_is_told_of() -> None:
    told = inspect.getdoc(Asking) or ""
    assert [name for name in get_type_hints(Asking) if f"``{name}``" not in told] == []
