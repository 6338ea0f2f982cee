"""What the business sent, over the control API, and waiting for it without polling."""

from typing import Any

from aiohttp import web

from sayso.simulator.api.sent import Filter
from sayso.simulator.api.simulator import SimulatorApi
from sayso.simulator.control.reading import ControlRoute, known_query, one_of, phone_in
from sayso.simulator.control.rows import wait_in
from sayso.simulator.outgoing.message import TYPES
from sayso.simulator.strict import ControlError
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
        world = self._sim.world
        wanted = Filter(
            to=phone_in(query, "to"),
            containing=query.get("containing", ""),
            type=one_of(query, "type", tuple(sorted(TYPES))),
            status=one_of(query, "status", STATUSES),
            template=one_of(query, "template", self._templates(query.get("template"))),
            after=query.get("after"),
            number=one_of(query, "number", tuple(world.accounts.numbers)),
        )
        if wanted.after is not None and wanted.after not in world.messages:
            raise ControlError(f"`after` is the id of no message that is kept here: {wanted.after!r}.")
        found = await wanted.found(self._sim.live, world, wait_in(query))
        return {"messages": [message_as_sent(each) for each in found]}

    def _templates(self, wanted: str | None) -> tuple[str, ...]:
        """List the names a message's template may have: those there are, and the one wanted if it was sent once."""
        world = self._sim.world
        names = {each.name for each in world.templates.values()}
        if wanted not in names:  # it may have been deleted since
            names |= {wanted for each in world.outbound() if wanted and each.content.template == wanted}
        return tuple(sorted(names))
