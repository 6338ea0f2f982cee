"""Simulated time over the control API: let it pass, set it, freeze it, let it run faster."""

from typing import Annotated, Any

import msgspec
from aiohttp import web

from sayso.simulator.api.simulator import SimulatorApi
from sayso.simulator.control.reading import ControlRoute, known_query, read
from sayso.simulator.strict import ControlError, Strict
from sayso.simulator.views import clock_on_phone
from sayso.simulator.world.clock import FASTEST


class ClockMove(Strict):
    """Exactly one of these: seconds that pass at once, a moment, standing still or not, a speed (1 is usual)."""

    advance_s: Annotated[float, msgspec.Meta(ge=0)] | None = None
    set: str | float | None = None
    freeze: bool | None = None
    speed: Annotated[float, msgspec.Meta(ge=0, le=FASTEST)] | None = None


class ClockCalls:
    """Time as the simulated world sees it."""

    def __init__(self, simulator: SimulatorApi) -> None:
        self._sim = simulator

    def routes(self) -> list[ControlRoute]:
        """List the calls."""
        return [
            ControlRoute("GET", "/_sim/clock", self._tell),
            ControlRoute("POST", "/_sim/clock", self._move),
        ]

    async def _tell(self, request: web.Request) -> dict[str, Any]:
        """Tell the simulated time."""
        known_query(request)
        return self._told()

    async def _move(self, request: web.Request) -> dict[str, Any]:
        """Move time: {"advance_s": 3600}, {"set": "2026-12-01T08:00:00Z"}, {"freeze": true} or {"speed": 60}."""
        move = await read(request, ClockMove)
        given = [name for name in ClockMove.__struct_fields__ if getattr(move, name) is not None]
        if len(given) != 1:
            known = ", ".join(f"`{name}`" for name in ClockMove.__struct_fields__)
            raise ControlError(f"exactly one of {known} is needed; {len(given)} are given.")
        try:
            self._do(move)
        except ValueError as problem:
            raise ControlError(str(problem)) from problem
        return self._told()

    def _do(self, move: ClockMove) -> None:
        if move.advance_s is not None:
            self._sim.advance(move.advance_s)
        elif move.set is not None:
            self._sim.set_time(move.set)
        elif move.freeze is not None:
            self._sim.run(0.0 if move.freeze else 1.0)
        else:
            self._sim.run(move.speed or 0.0)

    def _told(self) -> dict[str, Any]:
        clock = self._sim.clock
        return {**clock_on_phone(self._sim.world), "speed": clock.speed, "frozen": clock.frozen}
