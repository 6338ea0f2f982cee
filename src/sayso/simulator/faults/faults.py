"""All faults armed now, and where calls and webhooks meet them."""

import asyncio
from collections.abc import Iterable
from typing import Any, TypedDict

from aiohttp import web

from sayso.simulator.call import WAMID, Call, Route
from sayso.simulator.config import Course
from sayso.simulator.errors import GraphError
from sayso.simulator.faults.armed import STRUCK, Armed
from sayso.simulator.faults.effects import strike
from sayso.simulator.faults.matching import Aim, aim_of, concerns, concerns_webhook
from sayso.simulator.faults.model import (
    EVERYWHERE,
    RECEIPTS,
    WEBHOOKS,
    Delay,
    FailLate,
    Fault,
    TakeCourse,
    WebhookFault,
)
from sayso.simulator.faults.soundness import check
from sayso.simulator.live import Live
from sayso.simulator.world.world import World

#: Messages whose webhooks are to be struck; the oldest are forgotten beyond it.
MESSAGES_KEPT = 10_000


class Faults:
    """The faults armed now; a call or webhook is struck by the first, in the order armed, that strikes it."""

    def __init__(self, world: World, live: Live) -> None:
        self._world = world
        self._live = live
        self._last = 0  # id given
        self._released = asyncio.Event()
        self._by_message: dict[str, Armed] = {}
        self._methods: dict[str, frozenset[str]] = {}  # by the names of routes
        self.armed: dict[int, Armed] = {}

    @property
    def routes(self) -> tuple[str, ...]:
        """The names of all routes."""
        return tuple(sorted(self._methods))

    @property
    def places(self) -> tuple[str, ...]:
        """Everything `on` may say."""
        return (EVERYWHERE, WEBHOOKS, RECEIPTS, *self.routes)

    def know(self, routes: Iterable[Route]) -> None:
        """Learn which routes there are, so that a misspelt one is refused."""
        for each in routes:
            self._methods[each.name] = self._methods.get(each.name, frozenset()) | {each.method}

    def arm(self, fault: Fault) -> int:
        """Arm a fault and return its id; raise FaultError when it could never strike."""
        check(fault, self._methods, self._world)
        self._last += 1
        self.armed[self._last] = Armed(self._last, fault, self._world.config.seed)
        self._live.publish("faults", dict)
        return self._last

    def disarm(self, number: int) -> None:
        """Disarm one fault, for what it struck already as well; raise LookupError when there is none with this id."""
        spared = {wamid: each for wamid, each in self._by_message.items() if each.id != number}
        if self.armed.pop(number, None) is None and len(spared) == len(self._by_message):
            raise LookupError(f"no fault {number} is armed")
        self._by_message = spared
        self._live.publish("faults", dict)

    def clear(self) -> None:
        """Disarm everything; answers that hang are ended."""
        self.armed.clear()
        self._by_message.clear()
        released, self._released = self._released, asyncio.Event()
        released.set()
        self._live.publish("faults", dict)

    def reset(self) -> None:
        """Disarm everything and begin anew: the ids, and with them the seeds, are those of the beginning."""
        self.clear()
        self._last = 0

    def listed(self) -> list[dict[str, Any]]:
        """Describe what is armed, with the times left."""
        return [each.listed() for each in self.armed.values()]

    async def serve(self, route: Route, call: Call) -> web.StreamResponse:
        """Let a call be answered, or strike it."""
        if not self.armed:
            return await route.handler(call)
        struck = self._taken(await aim_of(route, call, self._world))
        if struck is None:
            return await route.handler(call)
        call.request[STRUCK] = struck
        answer = await self._struck(struck, route, call)
        if isinstance(struck.fault, WebhookFault) and (wamid := call.request.get(WAMID)) is not None:
            self._remember(wamid, struck)
        return answer

    def of_webhook(self, aim: Aim, message_id: str | None) -> list[Armed]:
        """Tell what strikes one update on its way to one app: by itself, and by the message it is about."""
        found = [self._by_message[message_id]] if message_id in self._by_message else []
        found = [each for each in found if concerns_webhook(each.fault, aim)]
        by_itself = self._taken(aim) if self.armed else None
        return found if by_itself is None else [*found, by_itself]

    @property
    def about_webhooks(self) -> bool:
        """Whether anything armed, or remembered of a message, may strike a webhook."""
        return bool(self.armed or self._by_message)

    def saved(self) -> dict[str, Any]:
        """Everything as plain data, for a snapshot."""
        known = {each.id: each for each in (*self.armed.values(), *self._by_message.values())}
        return {
            "faults": [each.saved() for each in known.values()],
            "armed": list(self.armed),
            "last": self._last,
            "by_message": {wamid: each.id for wamid, each in self._by_message.items()},
        }

    def restored(self, raw: dict[str, Any]) -> None:
        """Take back what :meth:`saved` gave."""
        self.clear()
        known = {each["id"]: Armed.restored(each, self._world.config.seed) for each in raw["faults"]}
        self.armed = {number: known[number] for number in raw["armed"]}
        self._by_message = {wamid: known[number] for wamid, number in raw["by_message"].items()}
        self._last = raw.get("last", max(known, default=0))

    def _taken(self, aim: Aim) -> Armed | None:
        for armed in self.armed.values():
            if concerns(armed.fault, aim, self._world) and armed.strikes():
                if armed.used_up:
                    del self.armed[armed.id]
                # Not at once: whoever waits would look at the world in the middle of a step.
                asyncio.get_running_loop().call_soon(self._live.publish, "faults", dict)
                return armed
        return None

    async def _struck(self, struck: Armed, route: Route, call: Call) -> web.StreamResponse:
        """Strike a call; one refused on its own account leaves a fault of accepted calls for another."""
        refused, last, began = False, struck.used_up, self._released

        async def accept(call: Call) -> web.StreamResponse:
            nonlocal refused
            try:
                return await route.handler(call)
            except GraphError:
                refused = True
                raise

        try:
            return await strike(struck, call, accept, began)
        except GraphError:
            if refused and not _strikes_first(struck.fault):
                del call.request[STRUCK]
                struck.give_back()
                if last and began is self._released:  # nothing was cleared meanwhile
                    self.armed = dict(sorted({**self.armed, struck.id: struck}.items()))
                self._live.publish("faults", dict)
            raise

    def _remember(self, wamid: str, struck: Armed) -> None:
        self._by_message[wamid] = struck
        if len(self._by_message) > MESSAGES_KEPT:
            del self._by_message[next(iter(self._by_message))]


def _strikes_first(fault: Fault) -> bool:
    """Tell whether a fault does something to a call before it is accepted or refused."""
    return isinstance(fault, Delay) and not fault.after_accept


class Orders(TypedDict, total=False):
    """What a fault has to say on how a message goes on once it is accepted, as ``Sending.accept`` takes it (9)."""

    refusal: tuple[int, str]
    refused_after: str | None
    course: Course


def orders(request: web.Request) -> Orders:
    """Tell what becomes of the message that this call sends; nothing without a fault."""
    struck = request.get(STRUCK)
    match None if struck is None else struck.fault:
        case FailLate(code=code, details=details, after_status=after):
            return {"refusal": (code, details), "refused_after": after}
        case TakeCourse(course=course):
            return {"course": course}
    return {}
