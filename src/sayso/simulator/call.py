"""One call of the Graph API: who calls, which node, what was given by path, query, form or JSON (cloud-api.md 1)."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import msgspec
from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from sayso.simulator.errors import GraphError
from sayso.simulator.fields import json_in
from sayso.simulator.world.accounts import App, Token

Method = Literal["GET", "POST", "DELETE"]
#: What the id in a path stands for; `root` paths have none, `unknown` ids are nothing here.
NodeKind = Literal[
    "number", "waba", "template", "media", "app", "upload", "portfolio", "user", "root", "unknown"
]
#: Parameters that say who calls, not what is asked.
_CREDENTIALS = ("access_token", "appsecret_proof")
#: Bytes of a body that is not a file.
BODY_AT_MOST = 4 * 1024 * 1024
#: What reading a body raises that is not what its headers say: broken parts, an unknown charset, no gzip.
UNREADABLE = (ValueError, LookupError, AssertionError, web.RequestPayloadError, HttpProcessingError)
_META_HOSTS = (".facebook.com", ".fbsbx.com")

#: What a call learns about itself on its way, for the log of calls and for whoever acts on it.
ROUTE = web.RequestKey("route", str)
WAMID = web.RequestKey("wamid", str)
#: The parts of a multipart body, for a handler that streams it: of each name, filename, content_type, size, and the
#: ``value`` of one that is no file.
PARTS = web.RequestKey("parts", list[dict[str, Any]])


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
        """The query parameters, without the credentials."""
        return _without_credentials(self.request.query)

    @property
    def base_url(self) -> str:
        """Where this simulator was called, such as ``http://127.0.0.1:8001``: what its absolute URLs begin with."""
        return base_url(self.request)

    async def json(self) -> dict[str, Any]:
        """Read a JSON object sent as ``application/json`` (1.3)."""
        if self.request.content_type != "application/json":
            raise GraphError(
                100, f"Content-Type must be application/json; it is {self.request.content_type}."
            )
        return _object(await read(self.request))

    async def given(self) -> dict[str, Any]:
        """Read the parameters from query, JSON and form together, as most of Graph takes them.

        The body wins over the query. Values of a form or query are strings: JSON in them is the reader's to see.
        """
        return self.query | _without_credentials(await body_of(self.request))


class NoAnswer(web.Response):
    """Stands for an answer that the caller does not get, or not whole; ``why`` is for the log."""

    def __init__(self, why: str) -> None:
        super().__init__()
        self.why = why


class Route(NamedTuple):
    """One thing the API does. ``needs`` is the permission of the token; ``name`` is what faults aim at.

    An ``open`` route takes calls without a token, such as those that ask for one; an ``unproven`` one without the
    token's proof, as the URLs of media do, which carry none (1.3).
    """

    method: Method
    kind: NodeKind
    edge: str
    name: str
    needs: str | None
    handler: Callable[[Call], Awaitable[web.StreamResponse]]
    open: bool = False
    unproven: bool = False


async def body_of(request: web.Request) -> dict[str, Any]:
    """Read the parameters of a body, JSON or form; none for an empty body."""
    if not request.body_exists:
        return {}
    if request.content_type == "application/json":
        raw = await read(request)
        return _object(raw) if raw.strip() else {}
    _check_length(request.content_length or 0)
    try:
        return dict(await request.post())
    except UNREADABLE as problem:
        raise unreadable(request, problem) from problem


async def read(request: web.Request) -> bytes:
    """Read a body that is not a file; raise 100 with HTTP 413 for one beyond all sense."""
    _check_length(request.content_length or 0)
    try:
        raw = await request.read()
    except UNREADABLE as problem:
        raise unreadable(request, problem) from problem
    _check_length(len(raw))
    return raw


def unreadable(request: web.Request, problem: Exception) -> GraphError:
    """Compose the refusal of a body that is not what its headers say (100)."""
    return GraphError(100, f"The body is not a valid {request.content_type}: {problem}.")


def base_url(request: web.Request) -> str:
    """Tell where a call came in: as its ``Host`` says, or by its socket when that names one of Meta's hosts.

    Clients that send graph.facebook.com here by their own means keep the name in ``Host``.
    """
    host = request.host
    local = request.transport and request.transport.get_extra_info("sockname")
    if local and (not host or host.partition(":")[0].endswith(_META_HOSTS)):
        host = f"[{local[0]}]:{local[1]}" if ":" in local[0] else f"{local[0]}:{local[1]}"
    return f"{request.scheme}://{host}"


def answer(found: Any, *, status: int = 200) -> web.Response:
    """Answer with JSON."""
    return web.Response(body=msgspec.json.encode(found), status=status, content_type="application/json")


def success() -> web.Response:
    """Answer ``{"success":true}``."""
    return web.Response(body=b'{"success":true}', content_type="application/json")


def check_product(given: dict[str, Any]) -> None:
    """Refuse a call that does not say ``"messaging_product":"whatsapp"``, as Graph's own nodes do (100).

    As everywhere, the word may be in either case.
    """
    if str(given.get("messaging_product")).lower() != "whatsapp":
        raise GraphError(100, "The parameter messaging_product is required and must be whatsapp.")


def required(given: dict[str, Any], name: str) -> Any:
    """Return a parameter that must be there and not empty; refuse as Graph's own nodes do (100)."""
    found = given.get(name)
    if found is None or found == "":
        raise GraphError(100, f"The parameter {name} is required.")
    return found


def flag(given: dict[str, Any], name: str, *, default: bool = False) -> bool:
    """Read a true or false, in JSON or in the words of a query."""
    found = given.get(name, default)
    if isinstance(found, bool):
        return found
    word = str(found).lower()
    if word not in ("true", "false", "1", "0"):
        raise GraphError(100, f"Param {name} must be a boolean.")
    return word in ("true", "1")


def listed(value: Any, where: str) -> list[Any]:
    """Read several values: a JSON array, one in a string, or words with commas between."""
    if isinstance(value, str) and not value.lstrip().startswith("["):
        return [part.strip() for part in value.split(",") if part.strip()]
    found = json_in(value, where)
    if not isinstance(found, list):
        raise GraphError(100, f"Param {where} must be an array.")
    return found


def _check_length(length: int) -> None:
    if length > BODY_AT_MOST:
        words = f"The body has {length} bytes; at most {BODY_AT_MOST} are read."
        raise GraphError(100, words, http_status=413)


def _without_credentials(given: Any) -> dict[str, Any]:
    return {key: value for key, value in given.items() if key not in _CREDENTIALS}


def _object(raw: bytes) -> dict[str, Any]:
    try:
        body = msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as problem:
        raise GraphError(100, f"The body is not valid JSON: {problem}.") from problem
    if not isinstance(body, dict):
        raise GraphError(100, "The body must be a JSON object.")
    return body
