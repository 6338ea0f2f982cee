"""Reading control calls strictly: each key, value or parameter not known is named (docs/simulator-control.md)."""

import json
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple, TypeVar

import msgspec
from aiohttp import web

from sayso.simulator.errors import GraphError
from sayso.simulator.mistakes import meant
from sayso.simulator.phone.deeds import PhoneError
from sayso.simulator.strict import ControlError, Strict, converted

T = TypeVar("T")


class Empty(Strict):
    """No keys at all."""


class ControlRoute(NamedTuple):
    """One control call. The first line of the handler's docstring is what the index says of it."""

    method: str
    path: str
    handler: Callable[[web.Request], Awaitable[Any]]


def answering(
    handler: Callable[[web.Request], Awaitable[Any]],
) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """Turn a result into JSON, a refusal into 400 with its words, something that is not there into 404."""

    async def answer(request: web.Request) -> web.StreamResponse:
        try:
            found = await handler(request)
        except GraphError as problem:
            return _refusal(problem.details, 400)
        except (ControlError, PhoneError) as problem:
            return _refusal(str(problem), 400)
        except LookupError as problem:
            return _refusal(str(problem.args[0]), 404)
        if isinstance(found, web.StreamResponse):
            return found
        return written(found)

    return answer


def written(found: Any, status: int = 200) -> web.Response:
    """Answer with JSON as people can read it: most who call are at a terminal or in a browser."""
    body = msgspec.json.format(msgspec.json.encode(found), indent=2) + b"\n"
    return web.Response(body=body, status=status, content_type="application/json")


async def read(request: web.Request, shape: type[T]) -> T:
    """Read a JSON body of this shape; an empty body is an object without keys. Any Content-Type will do."""
    known_query(request)
    raw = await request.read()
    try:
        found = msgspec.json.decode(raw or b"{}")
    except msgspec.DecodeError as problem:
        raise ControlError(f"the body is not valid JSON: {problem}") from problem
    checked: T = converted(found, shape)
    return checked


def known_query(request: web.Request, *names: str) -> dict[str, str]:
    """Return the query parameters, all of which must be known."""
    for name in request.query:
        if name not in names:
            raise ControlError(f"the query parameter `{name}` is not known{meant(name, names)}")
    return dict(request.query)


def number_in(query: dict[str, str], name: str, default: float, *, at_most: float) -> float:
    """Return a number from 0 to ``at_most`` out of the query."""
    raw = query.get(name)
    if raw is None:
        return default
    try:
        value = float(raw)
    except ValueError:
        raise ControlError(f"`{name}` must be a number; it is {json.dumps(raw)}.") from None
    if not 0 <= value <= at_most:
        raise ControlError(f"`{name}` must be between 0 and {at_most:g}; it is {raw}.")
    return value


def one_of(query: dict[str, str], name: str, known: tuple[str, ...]) -> str | None:
    """Return a word of the query that must be one of ``known``; None when it is not given."""
    raw = query.get(name)
    if raw is not None and raw not in known:
        raise ControlError(f"`{name}` cannot be {json.dumps(raw)}{meant(raw, known)}")
    return raw


def phone_in(query: dict[str, str], name: str) -> str | None:
    """Return a phone number out of the query, where an unescaped plus has become a space."""
    raw = query.get(name)
    return "+" + raw[1:] if raw is not None and raw.startswith(" ") else raw


def _refusal(why: str, status: int) -> web.Response:
    return written({"error": why}, status)
