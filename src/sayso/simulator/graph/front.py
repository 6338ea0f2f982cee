"""Where calls come in: any version or none, who calls, which node, faults, and the answer (cloud-api.md 1, 5.1).

Section numbers are those of the project's wire-contract sheet, ``cloud-api.md``.
"""

import logging
from collections.abc import Container, Iterable

from aiohttp import web

from sayso.simulator.call import ROUTE, Call, NodeKind, Route
from sayso.simulator.errors import GraphError
from sayso.simulator.faults.faults import Faults
from sayso.simulator.graph import versions
from sayso.simulator.graph.tokens import caller, check_scope
from sayso.simulator.graph.usage import Usage
from sayso.simulator.mistakes import guess
from sayso.simulator.world.accounts import App, Token
from sayso.simulator.world.media import find_media
from sayso.simulator.world.world import World

log = logging.getLogger("sayso.simulator.graph")
#: Who calls a route that takes calls without a token.
_NOBODY = Token("", "", scopes=(), kind="APP", user_id="")
_NO_APP = App("", "")


class Front:
    """Answers as graph.facebook.com does."""

    def __init__(self, world: World, faults: Faults, routes: Iterable[Route]) -> None:
        self._world = world
        self._faults = faults
        self._routes: dict[tuple[str, NodeKind, str], Route] = {
            (each.method, each.kind, each.edge): each for each in routes
        }
        faults.know(self._routes.values())
        self._usage = Usage(world)

    def leads_somewhere(self, path: str) -> bool:
        """Tell whether a path is one of the API's: with a version, an id, or the name of something it does."""
        parts = [part for part in path.split("/") if part]
        if parts and versions.is_version(parts[0]):
            return True
        kind, _, edge = self._place(parts)
        return kind != "root" or any(root == "root" and edge == known for _, root, known in self._routes)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Answer one Graph call, refusals in Graph's envelope, with the version it was served by (1.1).

        What fails here without anybody having foreseen it is Graph's "API Unknown", code 1 (5.1, 5.3).
        """
        parts = [part for part in request.path.split("/") if part]
        asked = parts.pop(0) if parts and versions.is_version(parts[0]) else None
        headers: dict[str, str] = {}
        trace = self._world.traces.trace()
        answer: web.StreamResponse
        try:
            answer = await self._serve(request, parts, headers)
        except GraphError as refusal:
            answer = _refused(refusal, trace)
        except ConnectionError:  # the caller is gone
            raise
        except Exception:
            log.exception("%s %s failed in the simulator itself", request.method, request.path)
            answer = _refused(GraphError(1, "API Unknown"), trace)
        if not answer.prepared:
            if (
                request.content.exception() is not None
            ):  # what comes after a broken body cannot be told from it
                answer.force_close()
            answer.headers["facebook-api-version"] = versions.served(asked, self._world.clock.now())
            answer.headers["x-fb-trace-id"] = trace
            answer.headers.update(headers)
        return answer

    async def _serve(
        self, request: web.Request, parts: list[str], headers: dict[str, str]
    ) -> web.StreamResponse:
        kind, node, edge = self._place(parts)
        method = _method(request)
        route = self._routes.get((method, kind, edge))
        if route is not None:
            request[ROUTE] = route.name
        if route is not None and route.open:
            return await self._faults.serve(route, Call(request, _NOBODY, _NO_APP, node, edge, headers))
        token, app = await caller(request, self._world, unproven=route is not None and route.unproven)
        if route is None:
            raise _several(request) or self._refusal(method, kind, parts)
        waba_id = self._waba_of(kind, node)
        check_scope(token, route.needs, waba_id)
        self._usage.count(app.id, waba_id, kind, edge, headers)
        return await self._served(route, Call(request, token, app, node, edge, headers), parts)

    async def _served(self, route: Route, call: Call, parts: list[str]) -> web.StreamResponse:
        """Let a call be answered; if its node goes meanwhile, as by a reset, it is told what calls to nothing are."""
        try:
            return await self._faults.serve(route, call)
        except LookupError:
            kind, _, _ = self._place(parts)
            if kind == route.kind:
                raise
            raise self._refusal(route.method, kind, parts) from None

    def _refusal(self, method: str, kind: NodeKind, parts: list[str]) -> GraphError:
        """Compose the refusal of what is not there.

        Of an id that is nothing the sheet says code 33 (5.3); the words are those Graph has for it, where 33 is
        the subcode of a 100.
        """
        if not parts and method == "POST":
            return GraphError(100, "Batch requests are not simulated.")
        words = f"Unsupported {method.lower()} request"
        if kind == "unknown":
            words += (
                f". Object with ID '{parts[0]}' does not exist, cannot be loaded due to missing permissions, or "
                "does not support this operation"
            )
            return GraphError(33, words)
        edge = "/".join(parts if kind == "root" else parts[1:])
        words += f": /{'/'.join(parts)} is not simulated{self._hint(kind, edge)}"
        return GraphError(100, words, kind="GraphMethodException")

    def _hint(self, kind: NodeKind, edge: str) -> str:
        """Say what may have been meant by an edge: another method, or another spelling."""
        there = [known for known in self._routes if known[1] == kind]
        methods = [method for method, _, known in there if known == edge]
        if edge and methods:
            return f"; {', '.join(methods)} {'is' if len(methods) == 1 else 'are'}."
        return guess(edge, (known for _, _, known in there if known))

    def _place(self, parts: list[str]) -> tuple[NodeKind, str, str]:
        """Tell what a path leads to: the kind of its node, the node's id, and the edge."""
        if not parts:
            return "root", "", ""
        kind = self._kind(parts[0])
        if kind == "upload":  # its id may have been pasted whole, with the `?sig=` escaped
            return kind, parts[0].partition("?")[0], "/".join(parts[1:])
        if kind != "root":
            return kind, parts[0], "/".join(parts[1:])
        if parts[0].isdecimal():
            return "unknown", parts[0], "/".join(parts[1:])
        return "root", "", "/".join(parts)

    def _kind(self, node: str) -> NodeKind:
        world, accounts = self._world, self._world.accounts
        if node in accounts.numbers:
            return "number"
        homes: tuple[tuple[NodeKind, Container[str]], ...] = (
            ("waba", accounts.wabas),
            ("template", world.templates),
            ("app", accounts.apps),
            ("portfolio", accounts.portfolios),
        )
        found: NodeKind | None = next((kind for kind, home in homes if node in home), None)
        if found is not None:
            return found
        if node.startswith("upload:"):
            return "upload" if node.partition("?")[0] in world.uploads else "unknown"
        if find_media(world, node) is not None:
            return "media"
        return "user" if accounts.is_user(node) else "root"

    def _waba_of(self, kind: NodeKind, node: str) -> str | None:
        """Tell the WABA a node belongs to, which the token must reach."""
        world = self._world
        match kind:
            case "number":
                return world.accounts.numbers[node].waba_id
            case "waba":
                return node
            case "template":
                return world.templates[node].waba_id
            case "media":
                return world.accounts.numbers[world.media[node].phone_number_id].waba_id
            case _:
                return None


def _method(request: web.Request) -> str:
    """Tell the method: HEAD is GET without a body, and a POST may say ``?method=delete``, as all of Graph takes it."""
    if request.method == "HEAD":
        return "GET"
    said = request.query.get("method", "").upper()
    return said if request.method == "POST" and said in ("GET", "DELETE") else request.method


def _several(request: web.Request) -> GraphError | None:
    """Refuse honestly what Graph does with several nodes at once."""
    if "ids" in request.query:
        return GraphError(100, "Several ids in one call are not simulated.")
    return None


def _refused(refusal: GraphError, trace: str) -> web.Response:
    return web.Response(
        body=refusal.envelope(trace), status=refusal.http_status, content_type="application/json"
    )
