"""The log of Graph calls over the control API: list them, see one whole with the webhooks that followed."""

import re
from typing import Any

from aiohttp import web

from sayso.simulator.api.simulator import SimulatorApi
from sayso.simulator.control.about import of_exchange
from sayso.simulator.control.curl import curl_of_exchange
from sayso.simulator.control.reading import ControlRoute, known_query, one_of
from sayso.simulator.control.rows import ROWS, id_in, rows_in
from sayso.simulator.graph.exchanges import Exchange
from sayso.simulator.strict import ControlError
from sayso.simulator.webhooks.log import Wanted

_STATUS = re.compile(r"[1-5](\d\d|xx)|none")


class ExchangeCalls:
    """What the business called, and what it was answered."""

    def __init__(self, simulator: SimulatorApi) -> None:
        self._sim = simulator

    def routes(self) -> list[ControlRoute]:
        """List the calls."""
        return [
            ControlRoute("GET", "/_sim/exchanges", self._exchanges),
            ControlRoute("GET", "/_sim/exchanges/{id}", self._exchange),
        ]

    async def _exchanges(self, request: web.Request) -> dict[str, Any]:
        """List the Graph calls, oldest first: ?route=&status=400|4xx|none&after=&limit=; &wait_s= waits for one."""
        query = known_query(request, "route", "status", *ROWS)
        rows = rows_in(query)
        route = one_of(query, "route", self._sim.parts.faults.routes)
        status = query.get("status")
        if status is not None and not _STATUS.fullmatch(status):
            raise ControlError(
                f"`status` must be a status such as 400, a class such as 4xx, or none; it is {status!r}."
            )

        def look() -> list[Exchange] | None:
            found = self._sim.parts.exchanges.walk(after=rows.after, route=route, status=status)
            return list(found) or None

        found = await self._sim.live.until(look, rows.wait_s) or []
        world = self._sim.world
        return {
            "exchanges": [{**each.summary(), "about": of_exchange(each, world)} for each in rows.of(found)]
        }

    async def _exchange(self, request: web.Request) -> dict[str, Any]:
        """Tell everything about one call: headers, bodies, the call as curl, the webhooks of its message."""
        known_query(request)
        found = self._sim.parts.exchanges.find(id_in(request, "an exchange"))
        deliverer = self._sim.parts.deliverer
        told = deliverer.log.walk(Wanted(message_id=found.wamid)) if found.wamid else ()
        webhooks = [deliverer.described(each, body=False) for each in told]
        about = of_exchange(found, self._sim.world)
        return {**found.whole(), "about": about, "curl": curl_of_exchange(found), "webhooks": webhooks}
