"""The simulator itself: sends a second that one core's worth of CPU takes, each followed by its three statuses.

All rules are on. Beside it the same HTTP server with a handler that answers a fixed body.
"""

import asyncio

import aiohttp
import msgspec

from callback import Told
from figures import Row
from proc import Meter, Tree
from processes import beside, free_port, told
from sending_business import Sent

MESSAGES = 24_000  # more than are kept, so that forgetting is measured too
CONCURRENCY = 64
STATUSES = 3  # sent, delivered, read
TARGET = "≥ 1,000 sends a CPU second"


async def measure() -> list[Row]:
    """Without anybody to tell, with webhooks of one status, and of up to 100."""
    bare = await _bare()
    alone = await _sends(bare, "nobody subscribed")
    one = await _sends(bare, "each status a webhook", batch=1)
    joined = await _sends(bare, "up to 100 statuses a webhook", batch=100)
    return [alone, one, joined]


async def _bare() -> float:
    """CPU seconds a request of the handler that answers a fixed body."""
    port = free_port()
    async with beside("bare_graph.py", port, port=port) as server:
        meter = Meter.start(bare=Tree(server.pid))
        await _business(port)
        return meter.used()["bare"] / MESSAGES


async def _sends(bare: float, how: str, *, batch: int = 0) -> Row:
    port, callback = free_port(), free_port()
    words = (port, callback if batch else 0, max(batch, 1))
    async with (
        beside("callback.py", callback, port=callback),
        beside("simulated_meta.py", *words, port=port) as simulator,
    ):
        meter = Meter.start(simulator=Tree(simulator.pid))
        sent = await _business(port)
        if sent.answers != {200: MESSAGES}:
            raise SystemExit(f"not every send was accepted: {sent.answers}")
        posts = await _told(callback, MESSAGES * STATUSES) if batch else 0
        used = meter.used()["simulator"] / MESSAGES
    return Row(
        f"simulator, {how}",
        f"{1 / used:,.0f} sends a CPU second ({posts:,} webhooks); {MESSAGES / sent.seconds:,.0f}/s accepted",
        TARGET,
        f"{bare / used:.2f} of a bare handler's {1 / bare:,.0f}",
        f"CPU ms a send: {used * 1e3:.3f}",
    )


async def _business(port: int) -> Sent:
    async with beside("sending_business.py", port, MESSAGES, CONCURRENCY) as sender:
        return msgspec.convert(await told(sender), Sent, strict=False)


async def _told(port: int, statuses: int) -> int:
    """Wait until every status has been told; how many webhooks that took."""
    async with aiohttp.ClientSession() as session:
        while True:
            async with session.get(f"http://127.0.0.1:{port}/") as answer:
                found = msgspec.json.decode(await answer.read(), type=Told)
            if found.statuses >= statuses:
                return found.posts
            await asyncio.sleep(0.1)
