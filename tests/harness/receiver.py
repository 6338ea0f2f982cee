"""A receiver of webhooks, built on the public library, that misbehaves by script; and an endpoint in the database."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from aiohttp import web
from standardwebhooks import Webhook

from sayso.core import claims, net
from sayso.core.database import Record
from sayso.core.net import Allowed
from sayso.core.runtime import Runtime
from sayso.core.tokens import Actor
from sayso.core.worker import Lease
from sayso.events import endpoints, service
from sayso.events.calling import Caller, Signer
from sayso.events.claiming import QUEUE
from sayso.events.delivering import Deliverer
from sayso.events.endpoints import Wanted
from sayso.events.rules import Called
from sayso.events.signing import headers

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]
BOT = Actor("bot", "alice", frozenset({"endpoints:write", "events:read"}), "t")


async def takes(_request: web.Request) -> web.StreamResponse:
    """All is well."""
    return web.Response(status=204)


def says(status: int, **more: str) -> Answer:
    """The same answer to everybody."""

    async def answer(_request: web.Request) -> web.StreamResponse:
        return web.Response(status=status, headers=more, text="what the receiver says")

    return answer


@dataclass
class Receiver:
    """What arrived, in order, by path; ``answer`` may be changed at any time."""

    answer: Answer = takes
    answers: dict[str, Answer] = field(default_factory=dict)
    port: int = 0
    requests: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)
    came: asyncio.Event = field(default_factory=asyncio.Event)

    def url(self, path: str = "/hook") -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}{path}"

    @property
    def bodies(self) -> list[dict[str, Any]]:
        """What arrived, as JSON."""
        return [json.loads(body) for _, _, body in self.requests]

    @property
    def subjects(self) -> list[str]:
        """Whom what arrived was about."""
        return [body["subject"] for body in self.bodies]

    def verified(self, secret: str) -> list[dict[str, Any]]:
        """What arrived, each accepted by the public library."""
        return [Webhook(secret).verify(body, named) for _, named, body in self.requests]

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Note a request, and answer it."""
        named = {name.lower(): value for name, value in request.headers.items()}
        self.requests.append((request.path, named, await request.read()))
        self.came.set()
        return await self.answers.get(request.path, self.answer)(request)


@contextlib.asynccontextmanager
async def receiving(host: str = "127.0.0.1") -> AsyncIterator[Receiver]:
    """A receiver on a port of its own."""
    receiver = Receiver()
    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", receiver.serve)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, host, 0)
    await site.start()
    receiver.port = runner.addresses[0][1]
    try:
        yield receiver
    finally:
        await runner.cleanup()


class Obliging(Caller):
    """Calls nobody, and says that all went well."""

    async def call(self, url: str, event_id: str, body: bytes, *, signer: Signer, at: datetime) -> Called:
        """No call."""
        assert url.startswith("http://127.0.0.1")
        assert headers(event_id, int(at.timestamp()), body, signer.keys, signer.kinds)
        return Called(204, 1)


@dataclass
class Courier:
    """Delivers by hand: each turn makes ready what is due, claims, and calls; as the worker's loop does."""

    rt: Runtime
    deliverer: Deliverer
    lease: Lease

    async def claim(self, most: int = 250) -> list[Record]:
        """Take what is due."""
        async with self.rt.db.tx(claims=True) as tx:
            await claims.promote(tx, QUEUE, now=self.rt.now())
            return list((await self.deliverer.claim(self.rt, tx, self.lease, most)).todo)

    async def turn(self) -> int:
        """Deliver what is due; how many calls were made."""
        rows = await self.claim()
        await asyncio.gather(*(self.deliverer.handle(self.rt, self.lease, row) for row in rows))
        return len(rows)

    async def all(self) -> int:
        """Deliver until nothing is due; how many calls were made."""
        total = 0
        while True:
            before = await self.moved()
            total += (made := await self.turn())
            if not made and before == await self.moved():
                return total

    async def moved(self) -> Any:
        """What changes with every step, of whatever kind."""
        async with self.rt.db.one() as tx:
            return await tx.fetch("SELECT work, count(*) FROM deliveries GROUP BY 1 ORDER BY 1")

    async def endpoint(self, url: str, *, client: str = "bot", **asked: Any) -> Record:
        """An endpoint that has answered its challenge."""
        wanted = Wanted(
            url,
            "",
            asked.get("types", ()),
            asked.get("subject"),
            asked.get("operator", False),
            asked.get("signatures", ("v1",)),
        )
        actor = Actor(client, "alice", BOT.scopes, "t")
        async with self.rt.db.tx() as tx:
            row = await endpoints.create(tx, self.rt, actor, wanted)
            return await endpoints.verified(tx, self.rt, row, None)

    async def tell(self, *subjects: str, kind: str = "person.said", client: str = "bot") -> None:
        """Write events, one transaction each."""
        for subject in subjects:
            async with self.rt.db.tx() as tx:
                await service.emit(
                    tx, self.rt, client_id=client, kind=kind, subject=subject, data={"text": subject}
                )

    async def rows(self, sql: str = "SELECT * FROM deliveries ORDER BY seq", *args: Any) -> list[Record]:
        """A look into the database."""
        async with self.rt.db.one() as tx:
            return await tx.fetch(sql, *args)

    async def one(self, endpoint: Record) -> Record:
        """The endpoint as it stands now."""
        (row,) = await self.rows("SELECT * FROM endpoints WHERE id = $1", endpoint["id"])
        return row

    def secret(self, endpoint: Record) -> str:
        """The endpoint's secret, as it was shown."""
        return endpoints.signer(self.rt, endpoint).keys[0].shown_secret

    async def kinds(self) -> list[str]:
        """Types of events told of endpoints, in order."""
        told = await self.rows("SELECT type FROM events WHERE type LIKE 'endpoint.%' ORDER BY id")
        return [row["type"] for row in told]


@contextlib.asynccontextmanager
async def courier(
    rt: Runtime, *, allow: str = "127.0.0.1", timeout_s: float = 5, slots: int = 256, **more: Any
) -> AsyncIterator[Courier]:
    """Somebody who delivers on this runtime's database."""
    allowed = Allowed.parse(allow)
    async with rt.db.tx(claims=True) as tx:
        lease = Lease(await claims.enlist(tx))
    async with net.session(allowed, limit=slots, **more) as http:
        yield Courier(rt, Deliverer(Caller(http, allowed, timeout_s), slots), lease)
