"""The simulator as a whole: every part of it, put together and served; its Python control methods."""

import asyncio
from types import TracebackType
from typing import Any, Self

from aiohttp import web

from sayso.simulator.config import SimulatorConfig
from sayso.simulator.control.routes import Control
from sayso.simulator.faults.model import Fault
from sayso.simulator.graph.front import Front
from sayso.simulator.page import views
from sayso.simulator.page.routes import PhonePage
from sayso.simulator.parts import Parts
from sayso.simulator.phone.actions import PhoneError
from sayso.simulator.webhooks.handshake import verify_when_reachable
from sayso.simulator.webhooks.log import Wanted
from sayso.simulator.world.messages import Message
from sayso.simulator.world.world import dialled

SHUTDOWN_S = 1.0


class Simulator:
    """Meta's side, in this process: ``async with Simulator(SimulatorConfig(port=0)) as sim: sim.base_url``.

    The methods mirror the control API under ``/_sim``; waits are in real seconds and never poll.
    """

    def __init__(self, config: SimulatorConfig | None = None) -> None:
        self.config = config or SimulatorConfig()
        self.parts = Parts(self.config)
        self.clock = self.parts.clock
        self.live = self.parts.live
        self.journey = self.parts.journey
        self._world = self.parts.world
        self._deliverer = self.parts.deliverer
        self._faults = self.parts.faults
        self._phones = self.parts.phones
        self._verification: asyncio.Task[None] | None = None
        self._runner: web.AppRunner | None = None
        self._site: web.TCPSite | None = None
        self._port = self.config.port

    # --- coming and going -------------------------------------------------------------------------------

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def start(self) -> None:
        """Begin to listen; raise OSError when the port is taken."""
        graph = Front(self._world, self._faults, self.parts.routes())
        app = web.Application()
        app.add_routes([*PhonePage(self).routes(), *Control(self).routes()])
        app.router.add_route("*", "/_sim/{rest:.*}", _no_such_control)
        app.router.add_route("*", "/{path:.*}", self.parts.exchanges.recording(graph.answer))
        self._runner = web.AppRunner(
            app, access_log=None, handle_signals=False, shutdown_timeout=SHUTDOWN_S, keepalive_timeout=75
        )
        await self._runner.setup()
        try:
            await self.come_up()
        except OSError:
            await self._runner.cleanup()
            raise
        await self._deliverer.open()
        if self.config.verify_at_start:
            verification = verify_when_reachable(
                self._deliverer.poster.session, self._world, self.config.app_id, self.live.changed
            )
            self._verification = asyncio.get_running_loop().create_task(verification)

    async def stop(self) -> None:
        """Stop listening, give up what is pending, close every connection."""
        self.journey.reset()
        self.live.close_all()
        if self._verification is not None:
            self._verification.cancel()
            await asyncio.gather(self._verification, return_exceptions=True)
        await self._deliverer.close()
        self.clock.forget()
        if self._runner is not None:
            await self._runner.cleanup()

    async def go_down(self) -> None:
        """Refuse connections, as a host that is not there; everything inside is kept."""
        if self._site is None or self._runner is None or self._runner.server is None:
            return
        await self._site.stop()
        self._site = None
        self.live.close_all()
        for connection in self._runner.server.connections:
            connection.force_close()

    async def come_up(self) -> None:
        """Listen again, at the same address."""
        if self._site is None and self._runner is not None:
            site = web.TCPSite(self._runner, self.config.host, self._port)
            await site.start()
            self._site = site
            self._port = int(self._runner.addresses[0][1])

    @property
    def base_url(self) -> str:
        """Where it listens: what a client takes instead of https://graph.facebook.com."""
        host = f"[{self.config.host}]" if ":" in self.config.host else self.config.host
        return f"http://{host}:{self._port}"

    # --- being the person -------------------------------------------------------------------------------

    async def inbound(
        self,
        sender: str,
        *,
        text: str | None = None,
        tap: tuple[str, int | str] | None = None,
        quote: str | None = None,
        name: str | None = None,
        context: bool = True,
    ) -> str:
        """Let ``sender`` (E.164 with plus) write ``text``, or tap (wamid, button by place or words).

        Return the wamid of the inbound message; raise ValueError when the person cannot do that.
        """
        if (text is None) == (tap is None):
            raise PhoneError("exactly one of `text` and `tap` is needed")
        person = self._phones.person(sender, name)
        if tap is not None:
            if quote is not None:
                raise PhoneError("`quote` goes with `text`; a tap quotes its message by itself")
            return self._phones.tap(person, *tap, context=context).wamid
        return self._phones.write(person, text or "", quote).wamid

    async def tap(self, sender: str, wamid: str, button: int | str) -> str:
        """Let ``sender`` tap a button; return the wamid of the answer."""
        return await self.inbound(sender, tap=(wamid, button))

    def add_person(self, phone: str, name: str) -> dict[str, Any]:
        """Give somebody a phone, or rename them."""
        return views.person_on_phone(self._phones.person(phone, name), self._world)

    # --- seeing what was sent ---------------------------------------------------------------------------

    def messages(self, to: str | None = None, containing: str = "") -> list[dict[str, Any]]:
        """List what the business sent, oldest first, to one person or all, with these words shown."""
        return [views.message_as_sent(each) for each in self._sent(to, containing)]

    async def expect_message(
        self,
        *,
        to: str | None = None,
        containing: str = "",
        status: str | None = None,
        after: str | None = None,
        timeout_s: float = 10.0,
    ) -> dict[str, Any]:
        """Wait for the first message to ``to`` showing ``containing``, there already or yet to come.

        ``status`` also waits until it got that far; ``after`` (a wamid) only looks at later ones. Raises
        AssertionError listing what was there instead.
        """

        def look() -> Message | None:
            found = self._sent(to, containing)
            if after is not None:
                places = [index for index, each in enumerate(found) if each.wamid == after]
                since = self._world.messages.get(after)
                found = found[places[0] + 1 :] if places else [m for m in found if since and m.at > since.at]
            return next((each for each in found if status in (None, each.status)), None)

        message = await self.live.until(look, timeout_s)
        if message is None:
            there = [(m.status, m.wa_id, m.content.shown) for m in self._world.outbound()]
            raise AssertionError(
                f"no message to={to} containing={containing!r} status={status} after={after} within "
                f"{timeout_s} s; there were {there[-10:]}"
            )
        return views.message_as_sent(message)

    async def settled(self, timeout_s: float = 10.0) -> None:
        """Wait until no webhook is on its way and no message between two statuses."""

        def quiet() -> bool | None:
            return True if self.journey.at_rest and not self._deliverer.pending else None

        if not await self.live.until(quiet, timeout_s):
            raise AssertionError(f"{self._deliverer.pending} webhooks still pending after {timeout_s} s")

    def bubbles(self, at_most: int) -> list[dict[str, Any]]:
        """Describe the last messages of both directions as the phone page shows them, oldest first."""
        recent = list(self._world.messages.values())[-at_most:]
        return [views.message_on_phone(each, self._world) for each in recent]

    def state(self) -> dict[str, Any]:
        """Describe the world: clock, business, people and their windows, webhooks, faults."""
        number = self._world.number
        subscription = self._world.accounts.apps[self.config.app_id].subscription
        return {
            **views.clock_on_phone(self._world),
            "business": {
                "phone_number_id": number.phone_number_id,
                "waba_id": number.waba_id,
                "display_phone_number": number.digits,
                "verified_name": number.verified_name,
            },
            "people": [views.person_on_phone(each, self._world) for each in self._world.people.values()],
            "messages": len(self._world.messages),
            "webhooks": {
                "url": self.config.webhook_url,
                "verification": subscription.verification if subscription else "not subscribed",
                "pending": self._deliverer.pending,
            },
            **self.faults(),
        }

    # --- time, webhooks, faults -------------------------------------------------------------------------

    def advance(self, seconds: float) -> float:
        """Let simulated time pass at once; return the new time, unix seconds."""
        now = self.clock.advance(seconds)
        self.live.publish("clock", lambda: views.clock_on_phone(self._world))
        return now

    async def reset(self) -> None:
        """Return to the beginning: no messages, no faults, the machine's own time."""
        await self.parts.reset()
        self.live.publish("reset", self.state)

    def webhooks(
        self,
        *,
        state: str | None = None,
        kind: str | None = None,
        app_id: str | None = None,
        field: str | None = None,
        message_id: str | None = None,
        after: int = 0,
    ) -> list[dict[str, Any]]:
        """List the webhooks sent that are like this, oldest first, with every attempt."""
        wanted = Wanted(
            state=state, kind=kind, app_id=app_id, field=field, message_id=message_id, after=after
        )
        return [self._deliverer.described(each) for each in self._deliverer.log.walk(wanted)]

    async def redeliver(self, webhook_id: int, *, copies: int = 1) -> list[int | None]:
        """Post a logged webhook again, ``copies`` times in parallel; return the status codes."""
        found = self._deliverer.log.find(webhook_id)
        if found is None:
            raise LookupError(f"there is no webhook {webhook_id} in the log")
        return await self._deliverer.redeliver(found, copies)

    def retry_webhooks(self) -> int:
        """Make every retry that is waiting for its time now; return how many."""
        return self._deliverer.retry_now()

    def arm(self, fault: Fault) -> int:
        """Arm a fault (see :mod:`sayso.simulator.faults.model`) and return its id; ValueError when it cannot be."""
        return self._faults.arm(fault)

    def hold_webhooks(self, *, on: bool) -> int:
        """Hold status webhooks back, or release them in order; return how many were released."""
        return self._deliverer.hold(on=on)

    def clear_faults(self) -> None:
        """Disarm every fault and release what is held or gathered."""
        self._faults.clear()
        self._deliverer.hold(on=False)
        self._deliverer.release_gathered()

    def exchanges(
        self, *, route: str | None = None, status: str | None = None, after: int = 0
    ) -> list[dict[str, Any]]:
        """List the Graph calls that were like this, whole, oldest first."""
        found = self.parts.exchanges.walk(after=after, route=route, status=status)
        return [each.whole() for each in found]

    def faults(self) -> dict[str, Any]:
        """Describe what is armed and held."""
        return {
            "armed": self._faults.listed(),
            "hold_webhooks": self._deliverer.hold_statuses,
            "held": len(self._deliverer.held),
        }

    def _sent(self, to: str | None, containing: str) -> list[Message]:
        wa_id = None if to is None else dialled(to, self._world.number.digits)
        return [each for each in self._world.outbound(wa_id) if containing in each.content.shown]


async def _no_such_control(request: web.Request) -> web.Response:
    error = {"error": f"there is no {request.method} {request.path}; see docs/simulator.md"}
    return web.json_response(error, status=404)
