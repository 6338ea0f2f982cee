"""Being the person, over the control API: everything somebody does with their phone (cloud-api.md 4.8)."""

from typing import Any

from aiohttp import web

from sayso.simulator.api.simulator import SimulatorApi
from sayso.simulator.control.reading import ControlRoute, read
from sayso.simulator.phone.deeds import Inbound


class InboundCalls:
    """What people do."""

    def __init__(self, simulator: SimulatorApi) -> None:
        self._sim = simulator

    def routes(self) -> list[ControlRoute]:
        """List the calls."""
        return [ControlRoute("POST", "/_sim/inbound", self._inbound)]

    async def _inbound(self, request: web.Request) -> dict[str, Any]:
        """Let somebody ("from") write, tap, choose, react, share …: {"from": "+15550001111", "text": "hi"}."""
        return self._sim.do(await read(request, Inbound)).told()
