"""The control API under ``/_sim``: the calls of every room, and the index of them."""

import difflib
from collections.abc import Callable
from typing import Any

from aiohttp import web

from sayso.simulator.api.simulator import SimulatorApi
from sayso.simulator.control.accounts import AccountCalls
from sayso.simulator.control.clock import ClockCalls
from sayso.simulator.control.exchanges import ExchangeCalls
from sayso.simulator.control.faults import FaultCalls
from sayso.simulator.control.inbound import InboundCalls
from sayso.simulator.control.messages import MessageCalls
from sayso.simulator.control.people import PeopleCalls
from sayso.simulator.control.reading import ControlRoute, answering, known_query, written
from sayso.simulator.control.templates import TemplateCalls
from sayso.simulator.control.webhooks import WebhookCalls
from sayso.simulator.control.world import WorldCalls

_ROOT = "/_sim/"
#: Every room; each lists its calls, in the order of the index.
ROOMS: tuple[Callable[[SimulatorApi], Any], ...] = (
    InboundCalls,
    MessageCalls,
    PeopleCalls,
    ClockCalls,
    AccountCalls,
    TemplateCalls,
    WebhookCalls,
    ExchangeCalls,
    FaultCalls,
    WorldCalls,
)


class Control:
    """Routes of ``/_sim``, thin over the methods of :class:`SimulatorApi`."""

    def __init__(self, simulator: SimulatorApi) -> None:
        self._calls: list[ControlRoute] = [call for room in ROOMS for call in room(simulator).routes()]

    def routes(self) -> list[web.RouteDef]:
        """List the control routes; whatever else is asked for under ``/_sim`` is answered by the last ones."""
        known = [web.route(each.method, each.path, answering(each.handler)) for each in self._calls]
        return [
            web.get("/_sim", answering(self._index)),
            web.get(_ROOT, answering(self._index)),
            *known,
            web.route("*", "/_sim/{rest:.*}", self._no_such_call),
        ]

    async def _index(self, request: web.Request) -> dict[str, Any]:
        """List every call."""
        known_query(request)
        return {
            "calls": [
                {"call": f"{each.method} {each.path}", "does": _first_line(each.handler)}
                for each in self._calls
            ]
        }

    async def _no_such_call(self, request: web.Request) -> web.Response:
        asked = f"{request.method} {request.path}"
        known = {each.path.removeprefix(_ROOT): f"{each.method} {each.path}" for each in self._calls}
        close = difflib.get_close_matches(request.path.removeprefix(_ROOT), known, n=1)
        hint = f"did you mean {known[close[0]]}?" if close else "GET /_sim lists what there is."
        return written({"error": f"there is no {asked}; {hint}"}, 404)


def _first_line(handler: Callable[..., Any]) -> str:
    return (handler.__doc__ or "").partition("\n")[0]
