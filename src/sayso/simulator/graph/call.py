"""One call of the Graph API: who calls, which node, what was given by path, query, form or JSON (cloud-api.md 1)."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import msgspec
from aiohttp import web

from sayso.simulator.errors import GraphError
from sayso.simulator.world.accounts import App, Token

Method = Literal["GET", "POST", "DELETE"]
#: What the id in a path stands for; `root` paths have none.
NodeKind = Literal["number", "waba", "template", "media", "app", "upload", "portfolio", "root"]


@dataclass(slots=True)
class Call:
    """A call that was let in. ``node`` is the id in the path, "" for paths without one."""

    request: web.Request
    token: Token
    app: App
    node: str
    edge: str
    #: What the response is to carry besides, such as usage.
    headers: dict[str, str]

    @property
    def query(self) -> dict[str, str]:
        """The query parameters, without the token."""
        return {key: value for key, value in self.request.query.items() if key != "access_token"}

    async def json(self) -> dict[str, Any]:
        """Read a JSON object sent as ``application/json`` (1.3)."""
        if self.request.content_type != "application/json":
            raise GraphError(
                100, f"Content-Type must be application/json; it is {self.request.content_type}."
            )
        return _object(await self.request.read())

    async def given(self) -> dict[str, Any]:
        """Read the parameters from query, JSON and form together, as most of Graph takes them.

        The body wins over the query. Values of a form or query are strings: JSON in them is the reader's to see.
        """
        found: dict[str, Any] = self.query
        if not self.request.can_read_body:
            return found
        if self.request.content_type == "application/json":
            raw = await self.request.read()
            return found | (_object(raw) if raw.strip() else {})
        form = await self.request.post()
        return found | {key: value for key, value in form.items() if key != "access_token"}


class Route(NamedTuple):
    """One thing the API does. ``needs`` is the permission of the token; ``name`` is what faults aim at."""

    method: Method
    kind: NodeKind
    edge: str
    name: str
    needs: str | None
    handler: Callable[[Call], Awaitable[web.Response]]


def answer(found: Any, *, status: int = 200) -> web.Response:
    """Answer with JSON."""
    return web.Response(body=msgspec.json.encode(found), status=status, content_type="application/json")


def success() -> web.Response:
    """Answer ``{"success":true}``."""
    return web.Response(body=b'{"success":true}', content_type="application/json")


def _object(raw: bytes) -> dict[str, Any]:
    try:
        body = msgspec.json.decode(raw)
    except msgspec.DecodeError as problem:
        raise GraphError(100, f"The body is not valid JSON: {problem}.") from problem
    if not isinstance(body, dict):
        raise GraphError(100, "The body must be a JSON object.")
    return body


def from_text(value: Any, where: str) -> Any:
    """Return what a parameter holds: JSON in a string of a query or form, or the value as it came in JSON."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError as problem:
        raise GraphError(100, f"Param {where} must be valid JSON: {problem}.") from problem
