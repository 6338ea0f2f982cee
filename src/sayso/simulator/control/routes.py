"""The control API under ``/_sim``: be the person, see what was sent, move time, arm faults."""

import json
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated, Any, TypeVar
from urllib.parse import urlsplit

import msgspec
from aiohttp import web

from sayso.simulator.errors import GraphError
from sayso.simulator.faults.model import Fault
from sayso.simulator.phone.actions import PhoneError

if TYPE_CHECKING:
    from sayso.simulator.server import Simulator

T = TypeVar("T")
WAIT_AT_MOST_S = 120.0


class ControlError(ValueError):
    """A control call that cannot be done as written."""


class Strict(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A body in which every key counts."""


class Tap(Strict):
    """A tap on a button of a message: by place (from 0) or by words."""

    message_id: str
    button: int | str
    context: bool = True


class Inbound(Strict, rename={"sender": "from"}):
    """Something the person does: exactly one of ``text`` and ``tap``; ``quote`` goes with ``text``."""

    sender: str
    text: str | None = None
    tap: Tap | None = None
    quote: str | None = None
    name: str | None = None


class ClockMove(Strict):
    """How many seconds pass at once."""

    advance_s: Annotated[float, msgspec.Meta(ge=0)]


class Redelivery(Strict):
    """How many copies go out in parallel."""

    copies: Annotated[int, msgspec.Meta(ge=1, le=1_000)] = 1


class Hold(Strict):
    """Hold status webhooks back (true) or release them (false)."""

    hold_webhooks: bool


class NewPerson(Strict):
    """A person for the phone page."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=60)]
    phone: str


class Empty(Strict):
    """No keys at all."""


class Control:
    """Routes of ``/_sim``, thin over the methods of :class:`Simulator`."""

    def __init__(self, simulator: "Simulator") -> None:
        self._sim = simulator

    def routes(self) -> list[web.RouteDef]:
        """List the control routes."""
        table: tuple[tuple[str, str, Callable[[web.Request], Awaitable[Any]]], ...] = (
            ("POST", "/_sim/inbound", self._inbound),
            ("GET", "/_sim/messages", self._messages),
            ("POST", "/_sim/clock", self._clock),
            ("POST", "/_sim/reset", self._reset),
            ("GET", "/_sim/state", self._state),
            ("GET", "/_sim/webhooks", self._webhooks),
            ("POST", "/_sim/webhooks/{id}/redeliver", self._redeliver),
            ("GET", "/_sim/faults", self._faults),
            ("POST", "/_sim/faults", self._arm),
            ("DELETE", "/_sim/faults", self._disarm),
            ("POST", "/_sim/people", self._people),
        )
        return [web.route(method, path, answering(handler)) for method, path, handler in table]

    async def _inbound(self, request: web.Request) -> dict[str, Any]:
        said = await read(request, Inbound)
        tap = None if said.tap is None else (said.tap.message_id, said.tap.button)
        wamid = await self._sim.inbound(
            said.sender,
            text=said.text,
            tap=tap,
            quote=said.quote,
            name=said.name,
            context=said.tap is None or said.tap.context,
        )
        return {"wamid": wamid}

    async def _messages(self, request: web.Request) -> dict[str, Any]:
        """List what was sent; with ``wait_s`` wait until at least one message matches the filters."""
        query = known_query(request, "to", "containing", "wait_s")
        to, containing = query.get("to"), query.get("containing", "")
        if to is not None and to.startswith(" "):
            to = "+" + to[1:]  # an unescaped plus is a space in a query
        wait_s = _number(query.get("wait_s", "0"), "wait_s", WAIT_AT_MOST_S)
        found = await self._sim.live.until(
            lambda: self._sim.messages(to=to, containing=containing) or None, wait_s
        )
        return {"messages": found or []}

    async def _clock(self, request: web.Request) -> dict[str, Any]:
        now = self._sim.advance((await read(request, ClockMove)).advance_s)
        return {"now": now, "offset_s": self._sim.clock.offset_s}

    async def _reset(self, request: web.Request) -> dict[str, Any]:
        await read(request, Empty)
        await self._sim.reset()
        return {"reset": True}

    async def _state(self, request: web.Request) -> dict[str, Any]:
        known_query(request)
        return self._sim.state()

    async def _webhooks(self, request: web.Request) -> dict[str, Any]:
        query = known_query(request, "state", "kind")
        return {"webhooks": self._sim.webhooks(state=query.get("state"), kind=query.get("kind"))}

    async def _redeliver(self, request: web.Request) -> dict[str, Any]:
        raw = request.match_info["id"]
        copies = (await read(request, Redelivery)).copies
        codes = await self._sim.redeliver(int(_number(raw, "id", 1e15)), copies=copies)
        return {"id": int(raw), "status_codes": codes}

    async def _faults(self, request: web.Request) -> dict[str, Any]:
        known_query(request)
        return self._sim.faults()

    async def _arm(self, request: web.Request) -> dict[str, Any]:
        raw = await read(request, dict[str, Any])
        if "hold_webhooks" in raw:
            released = self._sim.hold_webhooks(on=converted(raw, Hold).hold_webhooks)
            return {**self._sim.faults(), "released": released}
        fault: Fault = converted(raw, Fault)
        return {"id": self._sim.arm(fault), **self._sim.faults()}

    async def _disarm(self, request: web.Request) -> dict[str, Any]:
        await read(request, Empty)
        self._sim.clear_faults()
        return self._sim.faults()

    async def _people(self, request: web.Request) -> dict[str, Any]:
        wanted = await read(request, NewPerson)
        return self._sim.add_person(wanted.phone, wanted.name)


def answering(
    handler: Callable[[web.Request], Awaitable[Any]],
) -> Callable[[web.Request], Awaitable[web.Response]]:
    """Turn a result into JSON, a refusal into 400 with its words; refuse other sites' pages with 403."""

    async def answer(request: web.Request) -> web.Response:
        origin = request.headers.get("Origin")
        if origin and urlsplit(origin).netloc != request.host:
            return web.json_response(
                {"error": f"the page {origin} may not control this simulator"}, status=403
            )
        try:
            return web.json_response(await handler(request))
        except (ControlError, PhoneError, GraphError, msgspec.ValidationError) as problem:
            return web.json_response({"error": str(problem)}, status=400)
        except LookupError as problem:
            return web.json_response({"error": str(problem.args[0])}, status=404)

    return answer


async def read(request: web.Request, shape: type[T]) -> T:
    """Read a JSON body of this shape; an empty body is an object without keys. Any Content-Type will do."""
    known_query(request)
    raw = await request.read()
    try:
        return msgspec.json.decode(raw or b"{}", type=shape)
    except msgspec.ValidationError:
        raise
    except msgspec.DecodeError as problem:
        raise ControlError(f"the body is not valid JSON: {problem}") from problem


def converted(raw: Any, shape: Any) -> Any:
    """Check decoded JSON against a shape; the error names the key."""
    return msgspec.convert(raw, shape)


def known_query(request: web.Request, *names: str) -> dict[str, str]:
    """Return the query parameters, all of which must be known."""
    for name in request.query:
        if name not in names:
            known = ", ".join(names) or "none"
            raise ControlError(f"unknown query parameter `{name}`; known here: {known}")
    return dict(request.query)


def _number(raw: str, name: str, at_most: float) -> float:
    try:
        value = float(raw)
    except ValueError:
        raise ControlError(f"`{name}` must be a number; it is {json.dumps(raw)}") from None
    if not 0 <= value <= at_most:
        raise ControlError(f"`{name}` must be between 0 and {at_most:g}")
    return value
