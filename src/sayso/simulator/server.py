"""The simulator as a whole: every part of it, put together and served."""

import asyncio
from pathlib import Path
from types import TracebackType
from typing import Self

from aiohttp import web

from sayso.simulator.api.simulator import SimulatorApi
from sayso.simulator.config import SimulatorConfig
from sayso.simulator.control.guard import guarded
from sayso.simulator.control.routes import Control
from sayso.simulator.graph.front import Front
from sayso.simulator.page.routes import PhonePage
from sayso.simulator.webhooks.handshake import verify_when_reachable
from sayso.simulator.world.snapshot import Snapshot, check_place, decoded

#: How long calls under way may take to their end when it stops, before and again after they are told to (aiohttp waits
#: twice): those that wait for something, or that a fault keeps waiting, do not come to it.
SHUTDOWN_S = 0.25
LINE_AT_MOST = 65_536  # Graph takes whole objects as parameters of the query
#: Of control calls, such as media in base64 or a snapshot; what Graph takes is checked there.
BODY_AT_MOST = 1_000_000_000


class Simulator(SimulatorApi):
    """Meta's side, in this process: ``async with Simulator(SimulatorConfig(port=0)) as sim: sim.base_url``.

    The methods mirror the control API under ``/_sim``; waits are in real seconds and never poll.
    """

    def __init__(self, config: SimulatorConfig | None = None) -> None:
        super().__init__(config)
        self._verification: asyncio.Task[None] | None = None
        self._runner: web.AppRunner | None = None
        self._site: web.TCPSite | None = None
        self._port = self.config.port
        self._started = False

    # --- coming and going -------------------------------------------------------------------------------

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def start(self) -> None:
        """Begin to listen, where a snapshot left off if there is one.

        Raise OSError when the port is taken or no snapshot can be written, SnapshotError when the file is none.
        """
        left_off = self._left_off()
        graph = Front(self.world, self._faults, self.parts.routes())
        app = web.Application(middlewares=[guarded(self.config)], client_max_size=BODY_AT_MOST)
        pages = PhonePage(self)
        app.add_routes([*pages.routes(), *Control(self).routes()])
        recorded = self.parts.exchanges.recording(graph.answer)
        app.router.add_route("*", "/{path:.*}", pages.unless_lost(graph.leads_somewhere, recorded))
        self._runner = web.AppRunner(
            app,
            access_log=None,
            handle_signals=False,
            shutdown_timeout=SHUTDOWN_S,
            keepalive_timeout=75,
            max_line_size=LINE_AT_MOST,
        )
        await self._runner.setup()
        try:
            await self.come_up()
            await self._deliverer.open()
            if left_off is not None:
                await self.parts.restore(left_off)
        except BaseException:
            await self.stop()
            raise
        if self.config.verify_at_start:
            verification = verify_when_reachable(
                self._deliverer.poster.session, self.world, self.config.app_id, self._callback_tried
            )
            self._verification = asyncio.get_running_loop().create_task(verification)
        self._started = True

    def _callback_tried(self) -> None:
        """Let what waited for a callback go as soon as it is there, not at its next retry."""
        subscription = self.world.accounts.apps[self.config.app_id].subscription
        if subscription is not None and subscription.verification == "verified":
            self._deliverer.retry_now()
        self.live.changed()

    async def stop(self) -> None:
        """Write the snapshot if there is to be one, stop listening, give up what is pending, close connections."""
        try:
            if self.config.snapshot is not None and self._started:
                self.save_snapshot()
        finally:  # a file that cannot be written keeps no port
            await self._end()

    async def _end(self) -> None:
        self._started = False
        self.journey.reset()
        self._faults.clear()  # answers that hang are ended
        self.live.close_all()
        if self._verification is not None:
            self._verification.cancel()
            await asyncio.gather(self._verification, return_exceptions=True)
        await self._deliverer.close()
        self.clock.forget()
        if self._runner is not None:
            await self._runner.cleanup()
        self._runner = self._site = None

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
            self._phones.hand.base_url = self.base_url

    @property
    def base_url(self) -> str:
        """Where it listens: what a client takes instead of https://graph.facebook.com."""
        host = f"[{self.config.host}]" if ":" in self.config.host else self.config.host
        return f"http://{host}:{self._port}"

    def _left_off(self) -> Snapshot | None:
        """Read the snapshot file, if one is configured and there."""
        if self.config.snapshot is None:
            return None
        path = Path(self.config.snapshot)
        check_place(path)
        return decoded(path.read_bytes()) if path.exists() else None
