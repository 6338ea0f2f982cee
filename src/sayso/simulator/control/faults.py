"""Faults over the control API: arm, list, disarm; hold status webhooks back and release them."""

from typing import Any

from aiohttp import web

from sayso.simulator.api.simulator import SimulatorApi
from sayso.simulator.control.reading import ControlRoute, Empty, known_query, read
from sayso.simulator.control.rows import id_in
from sayso.simulator.faults.model import KINDS
from sayso.simulator.strict import Strict, converted


class Hold(Strict):
    """Hold status webhooks back (true) or release them (false)."""

    hold_webhooks: bool


class FaultCalls:
    """What goes wrong, on demand."""

    def __init__(self, simulator: SimulatorApi) -> None:
        self._sim = simulator

    def routes(self) -> list[ControlRoute]:
        """List the calls."""
        return [
            ControlRoute("GET", "/_sim/faults", self._faults),
            ControlRoute("POST", "/_sim/faults", self._arm),
            ControlRoute("DELETE", "/_sim/faults", self._clear),
            ControlRoute("DELETE", "/_sim/faults/{id}", self._disarm),
        ]

    async def _faults(self, request: web.Request) -> dict[str, Any]:
        """Tell what is armed and held, with the times left and hit, and what could be armed where."""
        known_query(request)
        return {**self._sim.faults(), "kinds": KINDS, "places": self._sim.parts.faults.places}

    async def _arm(self, request: web.Request) -> dict[str, Any]:
        """Arm a fault, or hold webhooks back and release them with {"hold_webhooks": true|false}."""
        raw = await read(request, dict[str, Any])
        if "hold_webhooks" in raw:
            released = self._sim.hold_webhooks(on=converted(raw, Hold).hold_webhooks)
            return {**self._sim.faults(), "released": released}
        return {"id": self._sim.arm(raw), **self._sim.faults()}

    async def _clear(self, request: web.Request) -> dict[str, Any]:
        """Disarm every fault, release what is held."""
        await read(request, Empty)
        self._sim.clear_faults()
        return self._sim.faults()

    async def _disarm(self, request: web.Request) -> dict[str, Any]:
        """Disarm one fault."""
        number = id_in(request, "a fault")
        await read(request, Empty)
        self._sim.parts.faults.disarm(number)
        return self._sim.faults()
