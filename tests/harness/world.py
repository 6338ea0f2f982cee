"""The whole product in this process: Meta, the wire to it, the service, and an assistant; and its judge."""

import contextlib
import hmac
import io
import socket
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import msgspec

from harness import evidence
from harness.event_examples import told_otherwise
from harness.history import History, violations
from harness.service import PHONE_NUMBER_ID, Api, Running, serving, settings
from harness.waiting import eventually
from harness.wire import Wire, wire_to
from sayso.core.runtime import wall_clock
from sayso.simulator import Simulator, SimulatorConfig

ALICE, BEN, MEI = "+15550001111", "+15550002222", "+15550003333"
CONFIRM, DECLINE, CANCEL = 0, 1, 2


@dataclass
class Ahead:
    """The service's clock: the machine's own, and whatever a test has let pass besides."""

    by: timedelta = timedelta(0)

    def __call__(self) -> datetime:
        """Now."""
        return wall_clock() + self.by


@dataclass
class World:
    """Everything, running. ``api`` is the assistant's view of the service."""

    sim: Simulator
    wire: Wire
    running: Running
    dsn: str
    data_dir: Path
    port: int
    hooks: list[dict[str, Any]] = field(default_factory=list)
    clock: Ahead = field(default_factory=Ahead)

    @property
    def api(self) -> Api:
        """The assistant's view."""
        return self.running.api

    @property
    def rt(self) -> Any:
        """The service's runtime."""
        return self.running.service.rt

    def let_pass(self, **span: float) -> None:
        """Let time pass on both sides at once: ``let_pass(hours=24)``."""
        passed = timedelta(**span)
        self.clock.by += passed
        self.sim.advance(passed.total_seconds())

    async def open_window(self, person: str = ALICE) -> None:
        """Let the person write first, so that the 24-hour window is open."""
        wamid = await self.sim.inbound(person, text="hello there")
        await self.digested(wamid)

    async def needs_opt_ins(self) -> None:
        """Take the tests' policy away: we begin nothing without an opt-in, which is the default."""
        await self.rows("DELETE FROM consent_policies RETURNING id")

    async def opts_in(self, person: str = ALICE, **more: Any) -> dict[str, Any]:
        """Record a person's opt-in by the API; its JSON."""
        proof = {"wording": "Yes, message me.", "evidence": ["form 7"], "notify": False}
        status, body = await self.api.call("POST", "/consents", json={"recipient": person, **proof, **more})
        assert status == 201, body
        assert isinstance(body, dict)
        return body

    async def asked(
        self, description: str = "schedule a meeting with John", *, person: str = ALICE, **changes: Any
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """Ask somebody; the confirmation, and the question as it reached them."""
        asked = await self.api.ask(description, recipient=person, **changes)
        prompt = await self.sim.expect_message(to=person, containing=description)
        await self.stands(asked["message_id"], "accepted", "sent", "delivered", "read")
        return asked, prompt

    async def stands(self, message_id: str, *states: str, within: float = 60.0) -> dict[str, Any]:
        """Wait until a message is in one of these states; its JSON."""

        async def look() -> dict[str, Any] | None:
            found = await self.api.as_(scopes=("admin", "messages:read")).message(message_id)
            return found if found["state"] in states else None

        found = await eventually(look, f"{message_id} being {' or '.join(states)}", within=within)
        assert found is not None
        return found

    async def update(self, wamid: str) -> dict[str, Any] | None:
        """What became of a person's message."""
        found = await self.rows("SELECT * FROM updates WHERE starts_with(key, $1) ORDER BY id", f"m:{wamid}")
        return found[0] if found else None

    async def digested(self, wamid: str, *, within: float = 60.0) -> str:
        """Wait until a person's message has been digested; what came of it."""

        async def look() -> str | None:
            row = await self.update(wamid)
            return row["result"] if row and row["work"] is None else None

        result = await eventually(look, f"digesting {wamid}", within=within)
        assert result is not None
        return result

    async def said(self, text: str, *, person: str = ALICE, quote: str | None = None) -> str:
        """Let a person write, and wait for what came of it."""
        return await self.digested(await self.sim.inbound(person, text=text, quote=quote))

    async def tapped(self, wamid: str, button: int, *, person: str = ALICE) -> str:
        """Let a person tap, and wait for what came of it."""
        return await self.digested(await self.sim.tap(person, wamid, button))

    async def rows(self, sql: str, *args: Any) -> list[dict[str, Any]]:
        """A look into the database."""
        return await evidence.rows(self.dsn, sql, *args)

    async def events(self, kind: str) -> list[dict[str, Any]]:
        """The assistant's events of one kind, by the API, once it shows all there are.

        A page ends before the oldest transaction that is still under way, whatever that one does.
        """
        there = "SELECT id FROM events WHERE client_id = 'assistant' AND type = $1"
        wanted = {row["id"] for row in await self.rows(there, kind)}

        async def look() -> list[dict[str, Any]]:
            status, body = await self.api.call("GET", "/events", params={"limit": "500"})
            assert status == 200, body
            told = [event for event in body["events"] if event["type"] == kind]
            whole = wanted <= {event["id"] for event in told} or len(body["events"]) == 500
            return told if whole else []

        return await eventually(look, f"the feed showing {kind}") if wanted else []

    async def deliver(
        self, *values: dict[str, Any], body: bytes | None = None, signature: str | None = None
    ) -> int:
        """Post a webhook of ours as Meta would; the status code of the answer."""
        status, _ = await self.deliver_and_read(*values, body=body, signature=signature)
        return status

    async def deliver_and_read(
        self, *values: dict[str, Any], body: bytes | None = None, signature: str | None = None
    ) -> tuple[int, dict[str, str]]:
        """As ``deliver``; the headers of the answer too. ``signature``: another than the right one ("" for none)."""
        raw = body if body is not None else msgspec.json.encode(envelope(*values))
        right = "sha256=" + hmac.digest(b"sim-secret", raw, "sha256").hex()
        signed = right if signature is None else signature
        headers = {"Content-Type": "application/json"} | ({"X-Hub-Signature-256": signed} if signed else {})
        async with (
            aiohttp.ClientSession() as session,
            session.post(self.running.webhook_url, data=io.BytesIO(raw), headers=headers) as answer,
        ):
            return answer.status, dict(answer.headers)

    async def at_rest(self, *, within: float = 60.0) -> None:
        """Wait until nothing is under way on either side."""

        async def look() -> bool:
            return not await evidence.busy(self.dsn)

        for _ in range(2):  # what we finish may make Meta speak, and the other way round
            await self.sim.settled(timeout_s=within)
            await eventually(look, "coming to rest", within=within)

    async def history(self) -> History:
        """The facts so far."""
        jwks = await evidence.published(self.api.url)
        policy = self.rt.settings.sayso_policy_file
        return await evidence.gather(self.dsn, self.wire, self.sim.webhooks(), jwks=jwks, policy=policy)

    async def keeps_its_promises(self) -> None:
        """Come to rest, and let the judge look at everything that happened."""
        await self.at_rest()
        broken = violations(await self.history())
        assert not broken, "\n".join(broken)
        assert await told_otherwise(self.dsn) == [], "docs/events.md shows other members"


def value(**parts: Any) -> dict[str, Any]:
    """What a webhook of Meta's tells of our number: ``messages``, ``statuses`` and so on."""
    metadata = {"display_phone_number": "15550100000", "phone_number_id": PHONE_NUMBER_ID}
    return {"messaging_product": "whatsapp", "metadata": metadata, **parts}


def envelope(*values: dict[str, Any]) -> dict[str, Any]:
    """A webhook of Meta's with these values, each in a change of its own."""
    changes = [{"field": "messages", "value": value} for value in values]
    return {
        "object": "whatsapp_business_account",
        "entry": [{"id": "200000000000001", "time": 1, "changes": changes}],
    }


def free_port() -> int:
    """A port nobody listens on, and which the system gives to nobody else for a minute: a connection to it lingers."""
    with socket.create_server(("127.0.0.1", 0)) as probe, socket.create_connection(probe.getsockname()):
        taken, _ = probe.accept()
        taken.close()  # who closes first keeps the port
        port: int = probe.getsockname()[1]
        return port


def hook(port: int) -> str:
    """Where Meta posts."""
    return f"http://127.0.0.1:{port}/api/v1/whatsapp/webhook"


#: A quick phone: what takes most of a second by default takes a few milliseconds here. Bursts are what the stories are
#: about, so Meta's rates are off.
QUICK: dict[str, Any] = {
    "sent_after_ms": 5,
    "delivered_after_ms": 10,
    "read_after_ms": 20,
    "retry_first_ms": 50,
    "retry_cap_ms": 200,
    "enforce_rates": False,
}


@contextlib.asynccontextmanager
async def a_world(
    dsn: str,
    data_dir: Path,
    *,
    meta: Mapping[str, Any] | None = None,
    more: Sequence[str] = (),
    **changes: Any,
) -> AsyncIterator[World]:
    """Everything; ``changes`` are the service's settings, ``meta`` the simulator's, ``more`` further numbers."""
    port, clock = free_port(), Ahead()
    async with (
        Simulator(SimulatorConfig(port=0, webhook_url=hook(port), **{**QUICK, **(meta or {})})) as sim,
        wire_to(sim.base_url) as wire,
    ):
        for place, number in enumerate(more, start=2):
            sim.accounts.add_number(id=number, phone=f"+155501{place:05}")
        if more:
            changes["sayso_more_senders"] = ",".join(more)
        configured = settings(dsn, base_url=wire.url, data_dir=data_dir, **changes)
        async with serving(configured, port=port, now=clock) as running:
            yield World(sim, wire, running, dsn, data_dir, port, clock=clock)
