"""The API's description of itself: what each route is for, who may call it, and how it refuses."""

import inspect
import re
from collections.abc import Iterable, Iterator
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from sayso.core.api import PROBLEM
from sayso.core.auth import needs
from sayso.core.errors import (
    DatabaseUnavailableError,
    ForbiddenError,
    InputInvalidError,
    RequestUnreadableError,
    SaysoError,
    UnauthenticatedError,
)

#: How every route that needs a token may refuse.
ALWAYS: tuple[type[SaysoError], ...] = (
    UnauthenticatedError,
    ForbiddenError,
    InputInvalidError,
    RequestUnreadableError,
    DatabaseUnavailableError,
    SaysoError,
)
_SENTENCE = re.compile(r"(.+?)(?:[.:;] |[.:]?$)", re.DOTALL)


def refusals(*kinds: type[SaysoError]) -> dict[int | str, dict[str, Any]]:
    """How a route refuses besides what any route may answer: ``responses`` of its description."""
    by_status: dict[int, list[type[SaysoError]]] = {}
    for kind in (*ALWAYS, *kinds):
        by_status.setdefault(kind.status, []).append(kind)
    return {
        status: {
            "description": " · ".join(f"`{kind.code}`: {_plain(kind)}" for kind in found),
            "content": {"application/problem+json": {"schema": _coded(found)}},
        }
        for status, found in sorted(by_status.items())
    }


def codes(route: APIRoute) -> set[str]:
    """The codes of a route's description."""
    found: set[str] = set()
    for response in route.responses.values():
        schema = response.get("content", {}).get("application/problem+json", {}).get("schema", {})
        found.update(schema.get("properties", {}).get("code", {}).get("enum", ()))
    return found


def describe(app: FastAPI, prefix: str, routers: Iterable[APIRouter]) -> None:
    """Complete the description that the framework makes of itself, once it is asked for."""
    plain = app.openapi
    routes = [route for router in routers for route in router.routes if isinstance(route, APIRoute)]

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            paths = plain()["paths"]
            for route in routes:
                for method in route.methods or ():
                    _complete(paths[prefix + route.path][method.lower()], route)
        return plain()

    app.openapi = openapi  # type: ignore[method-assign] # the way the framework has for it


def _complete(operation: dict[str, Any], route: APIRoute) -> None:
    said = operation.get("description", "")
    scope = next(scopes(route), None)
    operation["summary"] = summary(said) or operation["summary"]
    if scope is not None:
        operation["description"] = f"{said}\n\nScope: `{scope}`."


def summary(description: str) -> str:
    """The first sentence of a description, or of a longer one its first part."""
    first = _SENTENCE.match(" ".join(description.split()))
    return first[1] if first else ""


def scopes(route: APIRoute) -> Iterator[str]:
    """The scopes that a route asks for, wherever in its dependencies."""
    todo: list[Dependant] = [route.dependant]
    while todo:
        dependant = todo.pop()
        if isinstance(dependant.call, needs):
            yield dependant.call.scope
        todo += dependant.dependencies


def _plain(kind: type[SaysoError]) -> str:
    return summary(inspect.getdoc(kind) or kind.title).replace("``", "`")


def _coded(kinds: Iterable[type[SaysoError]]) -> dict[str, Any]:
    code = {"type": "string", "enum": [kind.code for kind in kinds]}
    return {**PROBLEM, "properties": {**PROBLEM["properties"], "code": code}}
