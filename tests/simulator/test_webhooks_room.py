"""Places at each callback: a slow or hanging one holds up nobody else, and waiting is no attempt (cloud-api.md 4.5)."""

import asyncio
import dataclasses
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest
from aiohttp import web

from sayso.simulator import Simulator, SimulatorConfig
from sayso.simulator.webhooks.poster import AT_ONCE
from sayso.simulator.webhooks.rooms import Rooms
from sayso.simulator.world.accounts import App, Subscription
from simulator.known import ANA

if TYPE_CHECKING:
    from simulator.conftest import Receiver


@dataclasses.dataclass
class Hanging:
    """A callback that takes webhooks and answers once it is let go."""

    url: str = ""
    taken: int = 0
    full: asyncio.Event = dataclasses.field(default_factory=asyncio.Event)
    let_go: asyncio.Event = dataclasses.field(default_factory=asyncio.Event)

    async def handle(self, request: web.Request) -> web.Response:
        """Take a webhook, and wait."""
        await request.read()
        self.taken += 1
        if self.taken >= AT_ONCE:
            self.full.set()
        await self.let_go.wait()
        return web.Response()


@asynccontextmanager
async def hanging() -> AsyncIterator[Hanging]:
    """Serve one beside the simulator."""
    made = Hanging()
    app = web.Application()
    app.router.add_post("/hook", made.handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, backlog=2 * AT_ONCE).start()
    made.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    try:
        yield made
    finally:
        made.let_go.set()
        await runner.cleanup()


def subscribe(sim: Simulator, app_id: str, url: str) -> None:
    """Let another app hear of everything as well."""
    accounts = sim.parts.world.accounts
    accounts.apps[app_id] = App(app_id, "other-secret", subscription=Subscription(url, "token"))
    next(iter(accounts.wabas.values())).subscribed[app_id] = None


async def test_one_that_hangs_starves_nobody(config: SimulatorConfig, receiver: "Receiver") -> None:
    many = AT_ONCE + 50
    async with hanging() as stuck, Simulator(dataclasses.replace(config, webhook_timeout_ms=60_000)) as sim:
        subscribe(sim, "900000000000077", stuck.url)
        for place in range(many):
            await sim.inbound(ANA, text=f"{place}")
        await receiver.until(lambda hooks: len(hooks) == many)
        await stuck.full.wait()
        assert stuck.taken == AT_ONCE
        waiting = sim.webhooks(app_id="900000000000077")
        assert [each["attempt_count"] for each in waiting] == [0] * many
        stuck.let_go.set()
        await sim.settled()
        assert stuck.taken == many


async def test_waiting_for_a_place_is_no_attempt(config: SimulatorConfig, receiver: "Receiver") -> None:
    """Those who wait for a place at a slow callback are posted once there is one, however late that is."""
    quick = dataclasses.replace(
        config, webhook_timeout_ms=1_000, retry_first_ms=3_600_000, retry_cap_ms=3_600_000
    )
    async with hanging() as slow, Simulator(dataclasses.replace(quick, webhook_url=slow.url)) as sim:
        for place in range(AT_ONCE + 20):
            await sim.inbound(ANA, text=f"{place}")
        await slow.full.wait()
        log = sim.parts.deliverer.log
        found = await sim.live.until(lambda: all(each.attempt_count for each in log) or None, 10)
        assert found, "each was tried"
        assert slow.taken == sum(each.attempt_count for each in log), "and posted as often"


async def test_no_more_at_once_than_there_are_places() -> None:
    rooms, within, most = Rooms(3), 0, 0

    async def enter(url: str) -> None:
        nonlocal within, most
        async with rooms.of(url):
            within += 1
            most = max(most, within)
            await asyncio.sleep(0)
            within -= 1

    await asyncio.gather(*(enter("a") for _ in range(20)))
    assert (most, len(rooms)) == (3, 0)
    await asyncio.gather(*(enter(url) for url in ("a", "b") for _ in range(20)))
    assert (most, len(rooms)) == (6, 0), "each callback has places of its own"


async def test_who_gives_up_waiting_leaves_nothing_behind() -> None:
    rooms = Rooms(1)
    async with rooms.of("a"):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0), rooms.of("a"):
                raise AssertionError("there is no place")
        assert len(rooms) == 1
    assert len(rooms) == 0
