"""A name that answers otherwise each time it is asked leads to no address that was not checked."""

import asyncio
import random
import socket
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import aiohttp
import pytest
from aiohttp import web
from aiohttp.abc import ResolveResult

from sayso.core import net
from sayso.core.net import Allowed, Guard

TRIES = 10_000
#: Stands for a public address: tests reach nothing but loopback. Everything else of it is what must not be reached.
PUBLIC, INSIDE = "127.0.0.2", "127.0.0.1"
ALLOWED = Allowed.parse(f"{PUBLIC}/32")


@dataclass
class Two:
    """A server outside and one inside, on the same port, and what reached each."""

    port: int = 0
    reached: dict[str, int] = field(default_factory=lambda: {PUBLIC: 0, INSIDE: 0})


@asynccontextmanager
async def two() -> AsyncIterator[Two]:
    """Both of them; each closes after one answer, so that every call has to ask for the name again."""
    made = Two()
    runners = []

    def counting(host: str) -> Callable[[web.Request], object]:
        async def answer(_request: web.Request) -> web.Response:
            made.reached[host] += 1
            found = web.Response(status=204)
            found.force_close()
            return found

        return answer

    for host in (PUBLIC, INSIDE):
        app = web.Application()
        app.router.add_route("*", "/", counting(host))  # type: ignore[arg-type]
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, host, made.port).start()
        made.port = runner.addresses[0][1]
        runners.append(runner)
    try:
        yield made
    finally:
        for runner in runners:
            await runner.cleanup()


async def attack(both: Two, session: aiohttp.ClientSession, tries: int) -> int:
    """Call the name again and again; how many calls were refused."""
    refused = 0
    hands = asyncio.Semaphore(32)

    async def one() -> None:
        nonlocal refused
        async with hands:
            try:
                async with session.post(f"http://rebind.example:{both.port}/", data=b"{}") as answer:
                    assert answer.status == 204
            except aiohttp.ClientConnectorDNSError:
                refused += 1

    await asyncio.gather(*(one() for _ in range(tries)))
    return refused


def fickle(seed: int) -> Callable[[str, int], Sequence[str]]:
    """A name that is public, inside, or both, as chance has it."""
    dice = random.Random(seed)
    answers = [[PUBLIC], [INSIDE], [PUBLIC, INSIDE], [INSIDE, PUBLIC], ["::1"], [PUBLIC, "10.0.0.1"], []]
    return lambda _host, _port: dice.choice([[PUBLIC], *answers])


async def test_ten_thousand_tries_and_none_gets_inside() -> None:
    seed = random.Random().randrange(10**6)
    async with two() as both, net.session(ALLOWED, limit=64, lookup=fickle(seed)) as session:
        refused = await attack(both, session, TRIES)
    assert both.reached[INSIDE] == 0, seed
    assert both.reached[PUBLIC] + refused == TRIES
    assert min(refused, both.reached[PUBLIC]) > TRIES / 10


class Forgetful(Guard):
    """Checks what a name answers, and lets the connection ask again."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Checked, and then something else."""
        checked = await super().resolve(host, port, family)
        again = [address for address in self.lookup(host, port) if address in {PUBLIC, INSIDE}]
        return [{**checked[0], "host": address} for address in again] or checked


async def test_one_that_asked_again_after_checking_would_be_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(net, "Guard", Forgetful)
    async with two() as both, net.session(ALLOWED, limit=64, lookup=fickle(7)) as session:
        await attack(both, session, 300)
    assert both.reached[INSIDE] > 0
