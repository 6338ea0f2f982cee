"""A simulator in this process, a receiver of its webhooks beside it, and a client of its Graph API."""

import asyncio
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from sayso.simulator import Simulator, SimulatorConfig
from simulator.known import ANA


@dataclass(frozen=True)
class Hook:
    """One webhook as it came in."""

    raw: bytes
    signature: str
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def payload(self) -> dict[str, Any]:
        """The whole of it."""
        payload: dict[str, Any] = json.loads(self.raw)
        return payload

    @property
    def values(self) -> list[dict[str, Any]]:
        """The values of all changes of all entries."""
        return [change["value"] for entry in self.payload["entry"] for change in entry["changes"]]

    @property
    def value(self) -> dict[str, Any]:
        """The ``value`` of its one change."""
        value: dict[str, Any] = json.loads(self.raw)["entry"][0]["changes"][0]["value"]
        return value

    @property
    def signed_with_sim_secret(self) -> bool:
        """Whether the signature is that of the raw bytes."""
        return self.signed_with(b"sim-secret")

    def signed_with(self, secret: bytes) -> bool:
        """Whether the signature is that of the raw bytes by this secret (4.3)."""
        return self.signature == f"sha256={hmac.new(secret, self.raw, hashlib.sha256).hexdigest()}"


@dataclass
class Receiver:
    """A business's callback: keeps every webhook, answers as scripted (then 200), lets tests wait."""

    url: str = ""
    hooks: list[Hook] = field(default_factory=list)
    script: list[int] = field(default_factory=list)  # HTTP statuses answered first
    verify_token: str = "sim-verify"
    stuck: asyncio.Event | None = None  # while set as unset: the next webhook is not answered
    _came: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def handle(self, request: web.Request) -> web.Response:
        """Answer the handshake, or take a webhook."""
        if request.method == "GET":
            known = request.query["hub.verify_token"] == self.verify_token
            return web.Response(text=request.query["hub.challenge"]) if known else web.Response(status=403)
        async with self._came:
            signature = request.headers.get("X-Hub-Signature-256", "")
            self.hooks.append(Hook(await request.read(), signature, dict(request.headers)))
            self._came.notify_all()
        stuck, self.stuck = self.stuck, None
        if stuck is not None:
            await stuck.wait()
        return web.Response(status=self.script.pop(0) if self.script else 200)

    async def until(self, enough: Callable[[list[Hook]], bool], timeout_s: float = 10) -> list[Hook]:
        """Wait until what came is enough."""
        async with asyncio.timeout(timeout_s), self._came:
            await self._came.wait_for(lambda: enough(self.hooks))
        return self.hooks

    def statuses(self, wamid: str | None = None) -> list[dict[str, Any]]:
        """List the statuses told, of one message or all."""
        told = [
            status for hook in self.hooks for value in hook.values for status in value.get("statuses", [])
        ]
        return [each for each in told if wamid in (None, each["id"])]

    def inbound(self) -> list[dict[str, Any]]:
        """List the inbound messages told."""
        return [
            message for hook in self.hooks for value in hook.values for message in value.get("messages", [])
        ]

    async def status(self, wamid: str, status: str) -> dict[str, Any]:
        """Wait for a status of a message."""

        def found() -> list[dict[str, Any]]:
            return [each for each in self.statuses(wamid) if each["status"] == status]

        await self.until(lambda _: bool(found()))
        return found()[0]


@dataclass(frozen=True)
class Answer:
    """What a call came back with."""

    status: int
    json: dict[str, Any]
    version: str

    @property
    def code(self) -> int:
        """Graph's error code."""
        code: int = self.json["error"]["code"]
        return code

    @property
    def details(self) -> str:
        """Graph's words on what is wrong."""
        details: str = self.json["error"]["error_data"]["details"]
        return details

    @property
    def wamid(self) -> str:
        """The id of the accepted message."""
        assert self.status == 200, self.json
        wamid: str = self.json["messages"][0]["id"]
        return wamid


@dataclass
class Graph:
    """A Cloud API client that adds nothing of its own."""

    session: aiohttp.ClientSession
    base_url: str
    token: str = "sim-token"

    async def call(
        self, method: str, path: str, *, headers: dict[str, str] | None = None, **sent: Any
    ) -> Answer:
        """Call Graph with the bearer token, or with these headers."""
        given = {"Authorization": f"Bearer {self.token}"} if headers is None else headers
        async with self.session.request(method, self.base_url + path, headers=given, **sent) as answer:
            return Answer(answer.status, await answer.json(), answer.headers.get("facebook-api-version", ""))

    async def send(self, **message: Any) -> Answer:
        """Send a message to Ana unless told otherwise."""
        body = {"messaging_product": "whatsapp", "to": ANA, **message}
        return await self.call("POST", "/v25.0/100000000000001/messages", json=body)

    async def text(self, words: str = "hello", **more: Any) -> Answer:
        """Send a text."""
        return await self.send(type="text", text={"body": words}, **more)

    async def control(self, method: str, path: str, body: Any = None) -> tuple[int, dict[str, Any]]:
        """Call the control API."""
        sent = {} if body is None else {"json": body}
        async with self.session.request(method, f"{self.base_url}/_sim{path}", **sent) as answer:
            return answer.status, await answer.json()


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    made = Receiver()
    app = web.Application(client_max_size=4 * 1024 * 1024)  # 4.5: payloads may be 3 MB
    app.router.add_route("*", "/hook", made.handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    made.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    yield made
    await runner.cleanup()


@pytest.fixture
def rates() -> bool:
    """Rates are kept to only where a module says so: a slow machine writes for longer than a burst may last (6)."""
    return False


@pytest.fixture
def config(receiver: Receiver, request: pytest.FixtureRequest, rates: bool) -> SimulatorConfig:
    """Defaults, only quick, with what a test wants otherwise; a module may override it."""
    usual: dict[str, Any] = {
        "port": 0,
        "webhook_url": receiver.url,
        "sent_after_ms": 1,
        "delivered_after_ms": 1,
        "read_after_ms": 1,
        "retry_first_ms": 2,
        "retry_cap_ms": 8,
        "enforce_rates": rates,
    }
    return SimulatorConfig(**usual | getattr(request, "param", {}))


@pytest.fixture
async def sim(config: SimulatorConfig) -> AsyncIterator[Simulator]:
    async with Simulator(config) as running:
        yield running


@pytest.fixture
async def frozen(config: SimulatorConfig) -> AsyncIterator[Simulator]:
    """A simulator whose time stands still unless it is moved."""
    async with Simulator(config) as running:
        running.clock.run(0)
        yield running


@pytest.fixture
def frozen_clock(sim: Simulator) -> Iterator[None]:
    """Time stands still in ``sim`` unless it is moved, until it comes to rest at the end."""
    sim.clock.run(0)
    yield
    sim.clock.run(1)


@pytest.fixture
async def graph(sim: Simulator) -> AsyncIterator[Graph]:
    async with aiohttp.ClientSession() as session:
        yield Graph(session, sim.base_url)
