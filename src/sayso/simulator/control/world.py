"""The simulated world as a whole, over the control API: its state, starting over, a snapshot and back."""

from typing import Any

from aiohttp import web

from sayso.simulator.api.simulator import SimulatorApi
from sayso.simulator.control.reading import ControlRoute, Empty, known_query, read
from sayso.simulator.strict import ControlError
from sayso.simulator.world.snapshot import SnapshotError


class WorldCalls:
    """The world as a whole."""

    def __init__(self, simulator: SimulatorApi) -> None:
        self._sim = simulator

    def routes(self) -> list[ControlRoute]:
        """List the calls."""
        return [
            ControlRoute("GET", "/_sim/state", self._state),
            ControlRoute("POST", "/_sim/reset", self._reset),
            ControlRoute("GET", "/_sim/snapshot", self._snapshot),
            ControlRoute("POST", "/_sim/snapshot", self._restore),
        ]

    async def _state(self, request: web.Request) -> dict[str, Any]:
        """Describe clock, business, people and windows, webhooks, faults."""
        known_query(request)
        return self._sim.state()

    async def _reset(self, request: web.Request) -> dict[str, Any]:
        """Return to the beginning."""
        await read(request, Empty)
        await self._sim.reset()
        return {"reset": True}

    async def _snapshot(self, request: web.Request) -> web.Response:
        """Return the whole state as one JSON document."""
        known_query(request)
        return web.Response(body=self._sim.snapshot(), content_type="application/json")

    async def _restore(self, request: web.Request) -> dict[str, Any]:
        """Put back a state that GET /_sim/snapshot returned; without a body, write the file of --snapshot."""
        known_query(request)
        raw = await request.read()
        try:
            if raw.strip() in (b"", b"{}"):
                return {"saved": str(self._sim.save_snapshot())}
            await self._sim.restore(raw)
        except SnapshotError as problem:
            raise ControlError(str(problem)) from problem
        except OSError as problem:
            place = f"the snapshot cannot be written to {self._sim.config.snapshot}"
            raise ControlError(f"{place}: {problem.strerror}") from problem
        return {"restored": True, "now": self._sim.clock.now()}
