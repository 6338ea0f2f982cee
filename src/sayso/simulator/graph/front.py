"""Where calls come in: any version or none, who calls, which node, faults, and the answer (cloud-api.md 1, 5.1).

Section numbers are those of the project's wire-contract sheet, ``cloud-api.md``.
"""

from collections.abc import Iterable

from aiohttp import web

from sayso.simulator.errors import GraphError
from sayso.simulator.graph import versions
from sayso.simulator.graph.call import Call, NodeKind, Route
from sayso.simulator.graph.tokens import caller, check_scope
from sayso.simulator.world.world import World


class Front:
    """Answers as graph.facebook.com does."""

    def __init__(self, world: World, routes: Iterable[Route]) -> None:
        self._world = world
        self._routes = {(each.method, each.kind, each.edge): each for each in routes}

    async def answer(self, request: web.Request) -> web.Response:
        """Answer one Graph call, refusals in Graph's envelope, with the version it was served by (1.1)."""
        parts = [part for part in request.path.split("/") if part]
        asked = parts.pop(0) if parts and versions.is_version(parts[0]) else None
        headers: dict[str, str] = {}
        try:
            answer = await self._serve(request, parts, headers)
        except GraphError as refusal:
            answer = web.Response(
                body=refusal.envelope(self._world.mint.trace()),
                status=refusal.http_status,
                content_type="application/json",
            )
        answer.headers["facebook-api-version"] = versions.served(asked, self._world.clock.now())
        answer.headers.update(headers)
        return answer

    async def _serve(self, request: web.Request, parts: list[str], headers: dict[str, str]) -> web.Response:
        token, app = caller(request, self._world)
        kind, node, edge = self._place(parts)
        route = self._routes.get((request.method, kind, edge))  # type: ignore[arg-type]  # or it is not found
        if route is None:
            raise GraphError(
                100, f"Unsupported {request.method.lower()} request: /{'/'.join(parts)} is not simulated."
            )
        check_scope(token, route.needs, self._waba_of(kind, node))
        return await route.handler(Call(request, token, app, node, edge, headers))

    def _place(self, parts: list[str]) -> tuple[NodeKind, str, str]:
        """Tell what a path leads to: the kind of its node, the node's id, and the edge."""
        if not parts:
            return "root", "", ""
        kind = self._kind(parts[0])
        if kind != "root":
            return kind, parts[0], "/".join(parts[1:])
        if parts[0].isdigit():  # an id that is nothing here; 5.3
            raise GraphError(33, f"There is no object with the id {parts[0]}.")
        return "root", "", "/".join(parts)

    def _kind(self, node: str) -> NodeKind:
        world = self._world
        homes: tuple[tuple[NodeKind, object], ...] = (
            ("number", world.accounts.numbers),
            ("waba", world.accounts.wabas),
            ("template", world.templates),
            ("media", world.media),
            ("app", world.accounts.apps),
            ("upload", world.uploads),
            ("portfolio", world.accounts.portfolios),
        )
        return next((kind for kind, home in homes if node in home), "root")  # type: ignore[operator]

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
