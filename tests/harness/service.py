"""A whole service in this process, served over real HTTP, and what a test needs to speak to it."""

import asyncio
import atexit
import contextlib
import os
import tempfile
import uuid
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import uvicorn
from pydantic import SecretStr

from sayso.app import Service, running
from sayso.core.runtime import wall_clock
from sayso.core.settings import Settings
from sayso.core.tokens import ASSISTANT_SCOPES, Tokens

PHONE_NUMBER_ID = "100000000000001"
CONSENT_KEY = "a-key-for-tests-of-at-least-32-bytes"
JWT_SECRET = "a-secret-for-tests-of-at-least-32-bytes"
#: Keys of receipts, made when one is needed: tests without a data directory sign, too.
RECEIPT_KEYS = Path(tempfile.gettempdir()) / f"sayso-tests-{os.getpid()}-receipt-keys.json"
atexit.register(RECEIPT_KEYS.unlink, missing_ok=True)
#: How long a bearer token lives: longer than a test lets time pass.
LIVES = timedelta(days=10)
TOKENS = Tokens(JWT_SECRET.encode(), "sayso", "sayso")


def settings(dsn: str, *, base_url: str, data_dir: Path, **changes: Any) -> Settings:
    """Settings as the simulator's defaults want them."""
    values: dict[str, Any] = {
        "whatsapp_access_token": SecretStr("sim-token"),
        "whatsapp_phone_number_id": PHONE_NUMBER_ID,
        "whatsapp_business_account_id": "200000000000001",
        "whatsapp_verify_token": SecretStr("sim-verify"),
        "whatsapp_webhook_secret": SecretStr("sim-secret"),
        "whatsapp_base_url": base_url,
        "sayso_data_dir": data_dir,
        "sayso_jwt_secret": SecretStr(JWT_SECRET),
        "sayso_consent_key": SecretStr(CONSENT_KEY),
        "sayso_receipt_keys": RECEIPT_KEYS,
        "database_url": SecretStr(dsn),
        "sayso_pair_rate": False,  # quick exchanges are what most tests are about
        **changes,
    }
    return Settings.model_validate(values)


def token(user: str = "alice", client: str = "assistant", scopes: tuple[str, ...] = ASSISTANT_SCOPES) -> str:
    """A bearer token for the tests' secret."""
    return TOKENS.issue(
        user=user,
        client=client,
        scopes=scopes,
        ttl=LIVES,
        now=wall_clock(),
        token_id=uuid.uuid4().hex,
    )


@dataclass(frozen=True)
class Api:
    """An assistant's (or operator's) view of a running service."""

    url: str
    session: aiohttp.ClientSession
    bearer: str

    async def call(self, method: str, path: str, **options: Any) -> tuple[int, Any]:
        """One request; the status and the JSON of the answer."""
        headers = {"Authorization": f"Bearer {self.bearer}", **options.pop("headers", {})}
        url = f"{self.url}/api/v1/whatsapp{path}"
        async with self.session.request(method, url, headers=headers, **options) as answer:
            return answer.status, await answer.json(content_type=None)

    async def must(self, method: str, path: str, *, expect: int = 200, **options: Any) -> Any:
        """One request that is to be answered with this status; the JSON of the answer."""
        status, body = await self.call(method, path, **options)
        assert status == expect, body
        return body

    async def sent(self, person: str, **body: Any) -> str:
        """Send to somebody; the message's id."""
        told = await self.must("POST", "/send", expect=202, json={"recipient": person, **body})
        return str(told["id"])

    def as_(self, **who: Any) -> "Api":
        """The same service, seen by somebody else."""
        return Api(self.url, self.session, token(**who))

    async def link(self, phone: str, *, user: str = "alice", name: str | None = None) -> None:
        """Link a user to a number."""
        await self.must("PUT", f"/people/{user}", json={"phone": phone, "name": name})

    async def ask(self, description: str = "schedule a meeting with John", **changes: Any) -> dict[str, Any]:
        """Ask a confirmation of the token's user; its JSON."""
        question = {
            "action_type": "calendar_create",
            "action_description": description,
            "action_details": "tomorrow at 3 PM in Conference Room A",
            "timeout_minutes": 30,
            **changes,
        }
        body = await self.must("POST", "/confirmation", expect=202, json=question)
        assert isinstance(body, dict)
        return body

    async def outcome(self, confirmation_id: str, *, wait: float = 20) -> dict[str, Any]:
        """Wait for a confirmation's outcome; its JSON as of then."""
        body = await self.must("GET", f"/confirmations/{confirmation_id}", params={"wait": str(wait)})
        assert isinstance(body, dict)
        return body

    async def message(self, message_id: str) -> dict[str, Any]:
        """A message's JSON, with its timeline."""
        status, body = await self.call("GET", f"/messages/{message_id}")
        assert status == 200, body
        assert isinstance(body, dict)
        return body


@dataclass(frozen=True)
class Running:
    """A service in this process."""

    service: Service
    api: Api

    @property
    def webhook_url(self) -> str:
        """Where Meta posts."""
        return f"{self.api.url}/api/v1/whatsapp/webhook"


@contextlib.asynccontextmanager
async def serving(
    configured: Settings, *, port: int = 0, now: Callable[[], datetime] = wall_clock
) -> AsyncIterator[Running]:
    """The service, on a port of its own on loopback."""
    async with running(configured, now=now) as service, aiohttp.ClientSession() as session:
        config = uvicorn.Config(
            service.asgi,
            port=port,
            lifespan="off",
            log_config=None,
            http="httptools",
            access_log=False,
            timeout_keep_alive=600,
        )
        server = _Quiet(config)
        task = asyncio.create_task(server.serve())
        while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
            await asyncio.sleep(0.001)
        bound = server.servers[0].sockets[0].getsockname()[1]
        try:
            yield Running(service, Api(f"http://127.0.0.1:{bound}", session, token()))
        finally:
            service.stop()
            server.should_exit = True
            await task


class _Quiet(uvicorn.Server):
    """uvicorn that leaves the test process's signals alone."""

    @contextlib.contextmanager
    def capture_signals(self) -> Any:
        yield
