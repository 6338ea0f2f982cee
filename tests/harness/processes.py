"""Real processes: ``sayso serve`` and ``sayso simulator``, started, frozen, killed; the wire between them is ours."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from harness import evidence
from harness.databases import NO_OPT_INS
from harness.history import History, violations
from harness.service import JWT_SECRET, Api, token
from harness.waiting import eventually
from harness.wire import Wire, wire_to
from harness.world import free_port, hook
from sayso.confirmations.caps import Caps
from sayso.core import embedded


@dataclass
class Process:
    """One process of ours, with its output in a file."""

    arguments: list[str]
    settings: dict[str, str]
    log: Path
    url: str
    running: asyncio.subprocess.Process | None = None

    async def start(self, *, ready: str) -> None:
        """Start it, and wait until ``ready`` answers 200."""
        kept = {
            name: os.environ[name] for name in ("PATH", "HOME", "LANG", "PYTHONPATH") if name in os.environ
        }
        with self.log.open("ab") as log:
            self.running = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "sayso", *self.arguments,
                cwd=self.log.parent, env={**kept, **self.settings}, stdout=log, stderr=log,
            )  # fmt: skip

        async def answers() -> bool:
            assert self.running is not None
            assert self.running.returncode is None, self.log.read_text(encoding="utf-8")[-2000:]
            with contextlib.suppress(aiohttp.ClientError):
                async with aiohttp.ClientSession() as session, session.get(self.url + ready) as answer:
                    return answer.status == 200
            return False

        await eventually(answers, f"{self.arguments[0]} being ready", within=60)

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        assert self.running is not None
        self.running.send_signal(number)

    async def ended(self, within: float = 30.0) -> int:
        """Wait for its end; its exit code."""
        assert self.running is not None
        async with asyncio.timeout(within):
            return await self.running.wait()

    async def kill(self) -> None:
        """End it at once, whatever it does."""
        if self.running is not None and self.running.returncode is None:
            self.running.kill()
            await self.running.wait()


@dataclass
class Phone:
    """The simulator's control API."""

    url: str
    session: aiohttp.ClientSession

    async def call(self, method: str, path: str, **options: Any) -> Any:
        """One call of the control API."""
        async with self.session.request(method, f"{self.url}/_sim{path}", **options) as answer:
            body = await answer.json()
            assert answer.status == 200, body
            return body

    async def messages(
        self, *, to: str = "", containing: str = "", wait_s: float = 0
    ) -> list[dict[str, Any]]:
        """What was sent; waits for a first one."""
        query = {"containing": containing, "wait_s": str(wait_s)} | ({"to": to} if to else {})
        body = await self.call("GET", "/messages", params=query)
        found: list[dict[str, Any]] = body["messages"]
        return found

    async def expect(self, *, to: str, containing: str) -> dict[str, Any]:
        """The first message to somebody with these words."""
        found = await self.messages(to=to, containing=containing, wait_s=30)
        assert found, f"nothing with {containing!r} reached {to}"
        return found[0]

    async def says(self, person: str, text: str) -> str:
        """Let a person write; the wamid."""
        return str((await self.call("POST", "/inbound", json={"from": person, "text": text}))["wamid"])

    async def taps(self, person: str, wamid: str, button: int) -> str:
        """Let a person tap; the wamid."""
        tap = {"message_id": wamid, "button": button}
        return str((await self.call("POST", "/inbound", json={"from": person, "tap": tap}))["wamid"])

    async def hold_webhooks(self, *, on: bool) -> None:
        """Hold status webhooks back, or let them go."""
        await self.call("POST", "/faults", json={"hold_webhooks": on})

    async def webhooks(self) -> list[dict[str, Any]]:
        """The log of webhooks."""
        found: list[dict[str, Any]] = (await self.call("GET", "/webhooks"))["webhooks"]
        return found

    async def quiet(self) -> bool:
        """Whether every webhook was taken, and every message has come to its last status."""
        done = {"delivered", "expired", "dropped"}
        at_rest = all(message["status"] in ("read", "failed") for message in await self.messages())
        return at_rest and all(webhook["state"] in done for webhook in await self.webhooks())


@dataclass
class House:
    """A service, Meta and the wire between them, each on its own."""

    service: Process
    phone: Phone
    wire: Wire
    api: Api
    data: Path
    dsn: str
    others: list[Process] = field(default_factory=list)

    async def start(self) -> None:
        """Start the service; opt-ins are not what these tests are about."""
        await self.service.start(ready="/readyz")
        await self.rows(f"{NO_OPT_INS} RETURNING id")

    async def kill(self) -> None:
        """Kill -9."""
        await self.service.kill()
        self.wire.nobody_waits()

    async def rows(self, sql: str, *args: Any) -> list[dict[str, Any]]:
        """A look into the database."""
        return await evidence.rows(self.dsn, sql, *args)

    async def at_rest(self, *, within: float = 60.0) -> None:
        """Wait until nothing is under way on either side."""

        async def look() -> bool:
            return not await evidence.busy(self.dsn)

        for _ in range(2):
            await eventually(self.phone.quiet, "the simulator coming to rest", within=within)
            await eventually(look, "the service coming to rest", within=within)

    async def history(self) -> History:
        """The facts so far."""
        jwks = await evidence.published(self.service.url)
        return await evidence.gather(self.dsn, self.wire, await self.phone.webhooks(), jwks=jwks)

    async def keeps_its_promises(self) -> History:
        """Come to rest, and let the judge look at everything that happened."""
        await self.at_rest()
        history = await self.history()
        assert violations(history) == []
        return history


#: A handful of people are asked by one assistant more than anybody would be.
_POLICY = 'version = "tests"\n[caps]\n' + "".join(f'{cap} = "unlimited"\n' for cap in Caps.model_fields)


def service(port: int, data: Path, base_url: str, **more: str) -> Process:
    """``sayso serve``."""
    policy = data.with_name("policy.toml")
    policy.write_text(_POLICY, "utf-8")
    settings = {
        "WHATSAPP_ACCESS_TOKEN": "sim-token",
        "WHATSAPP_PHONE_NUMBER_ID": "100000000000001",
        "WHATSAPP_BUSINESS_ACCOUNT_ID": "200000000000001",
        "WHATSAPP_VERIFY_TOKEN": "sim-verify",
        "WHATSAPP_WEBHOOK_SECRET": "sim-secret",
        "WHATSAPP_BASE_URL": base_url,
        "SAYSO_DATA_DIR": str(data),
        "SAYSO_JWT_SECRET": JWT_SECRET,
        "SAYSO_PAIR_RATE": "false",
        "SAYSO_POLICY_FILE": str(policy),
        **more,
    }
    log = data.parent / f"serve-{port}.log"
    return Process(["serve", "--port", str(port)], settings, log, f"http://127.0.0.1:{port}")


@contextlib.asynccontextmanager
async def a_house(
    directory: Path, *, database_url: str | None = None, rates: bool = False
) -> AsyncIterator[House]:
    """Meta as a process, keeping to its ``rates`` or not, and the wire to it; the service is ready to be started."""
    port, meta = free_port(), free_port()
    data = directory / "data"
    arguments = ["simulator", "--port", str(meta), "--webhook-url", hook(port)]
    arguments += [] if rates else ["--no-enforce-rates"]
    simulator = Process(arguments, {}, directory / "simulator.log", f"http://127.0.0.1:{meta}")
    alone = aiohttp.TCPConnector(force_close=True)  # a kept connection may be closing when it is used again
    async with aiohttp.ClientSession(connector=alone) as session, wire_to(simulator.url) as wire:
        more = {} if database_url is None else {"DATABASE_URL": database_url}
        ours = service(port, data, wire.url, **more)
        api = Api(ours.url, session, token())
        dsn = database_url or embedded._dsn(embedded._Home(data))
        house = House(ours, Phone(simulator.url, session), wire, api, data, dsn)
        try:
            await simulator.start(ready="/_sim/state")
            yield house
        finally:
            for process in (ours, *house.others, simulator):
                await process.kill()
            if database_url is None and data.exists():
                await asyncio.to_thread(lambda: embedded.start(data).release())
