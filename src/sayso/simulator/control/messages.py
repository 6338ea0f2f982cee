"""What the business sent, over the control API, and waiting for it without polling."""

from typing import Any

from aiohttp import web

from sayso.simulator.api.sent import Filter
from sayso.simulator.api.simulator import SimulatorApi
from sayso.simulator.control.reading import ControlRoute, known_query, one_of, phone_in
from sayso.simulator.control.rows import wait_in
from sayso.simulator.outgoing.message import TYPES
from sayso.simulator.views import message_as_sent
from sayso.simulator.world.messages import STATUSES


class MessageCalls:
    """The messages of the business as it sent them."""

    def __init__(self, simulator: SimulatorApi) -> None:
        self._sim = simulator

    def routes(self) -> list[ControlRoute]:
        """List the calls."""
        return [ControlRoute("GET", "/_sim/messages", self._messages)]

    async def _messages(self, request: web.Request) -> dict[str, Any]:
        """List what was sent: ?to=&containing=&type=&status=&template=&after=; &wait_s= waits until one is there."""
        query = known_query(
            request, "to", "containing", "type", "status", "template", "after", "number", "wait_s"
        )
        wanted = Filter(
            to=phone_in(query, "to"),
            containing=query.get("containing", ""),
            type=one_of(query, "type", tuple(sorted(TYPES))),
            status=one_of(query, "status", STATUSES),
            template=query.get("template"),
            after=query.get("after"),
            number=query.get("number"),
        )
        found = await wanted.found(self._sim.live, self._sim.world, wait_in(query))
        return {"messages": [message_as_sent(each) for each in found]}
