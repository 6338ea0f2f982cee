"""The API in this process, without a socket: every route, a valid call of each, and callers of every kind."""

import contextlib
import uuid
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import httpx2
from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from sayso.app import ROUTERS, api
from sayso.confirmations import proof_routes
from sayso.core import health
from sayso.core.api import PREFIX
from sayso.core.auth import needs
from sayso.core.health import Health
from sayso.core.net import Allowed
from sayso.core.runtime import Runtime, wall_clock
from sayso.core.tokens import ASSISTANT_SCOPES, SCOPES
from sayso.core.worker import Worker
from sayso.events import alerts
from sayso.messages import service as messages
from sayso.senders import service as senders
from sayso.simulator import Simulator, SimulatorConfig
from sayso.templates.registry import Registry
from sayso.whatsapp.credentials import Credentials
from sayso.whatsapp.management import ManagementClient
from sayso.whatsapp.media import MediaClient
from sayso.whatsapp.wire import graph_session

from .decisions import Decisions
from .receiver import Obliging
from .rooms import runtime
from .service import PHONE_NUMBER_ID, TOKENS

ALICE = "+15550001111"
ASKED = {
    "action_type": "calendar_create",
    "action_description": "schedule a meeting with John",
    "action_details": "tomorrow at 3 PM in Conference Room A",
    "timeout_minutes": 30,
}
GREETING = {"examples": ["Ana"], "languages": {"en": {"body": "Hello {{1}}, how are you today?"}}}
#: A valid call of every route that needs a token: method, path, JSON body. ``{message}`` and ``{confirmation}`` are
#: objects of the assistant ``bot``.
CALLS: dict[tuple[str, str], tuple[str, Any]] = {
    ("POST", "/send"): ("/send", {"recipient": ALICE, "content": "hello"}),
    ("POST", "/media"): ("/media", None),
    ("GET", "/messages"): ("/messages", None),
    ("GET", "/messages/{message_id}"): ("/messages/{message}", None),
    ("GET", "/dead-letters"): ("/dead-letters", None),
    ("POST", "/messages/retry"): ("/messages/retry", {"code": 131042}),
    ("POST", "/messages/{message_id}/retry"): ("/messages/{message}/retry", None),
    ("POST", "/messages/{message_id}/settle"): ("/messages/{message}/settle", {"as": "retry"}),
    ("POST", "/messages/{message_id}/cancel"): ("/messages/{message}/cancel", None),
    ("POST", "/confirmation"): ("/confirmation", ASKED),
    ("GET", "/confirmations"): ("/confirmations", None),
    ("GET", "/confirmations/{confirmation_id}"): ("/confirmations/{confirmation}", None),
    ("GET", "/confirmations/{confirmation_id}/receipt"): (
        "/confirmations/{decided}/receipt?format=json",
        None,
    ),
    ("POST", "/confirmations/{confirmation_id}/claim"): (
        "/confirmations/{decided}/claim",
        {"action": {name: value for name, value in ASKED.items() if name != "timeout_minutes"}},
    ),
    ("POST", "/confirmations/{confirmation_id}/execution"): (
        "/confirmations/{decided}/execution",
        {"status": "done"},
    ),
    ("POST", "/confirmations/{confirmation_id}/withdraw"): ("/confirmations/{withdrawn}/withdraw", None),
    ("POST", "/confirmations/{confirmation_id}/unfreeze"): ("/confirmations/{frozen}/unfreeze", None),
    ("PUT", "/people/{external_id}/absence"): (
        "/people/alice/absence",
        {"delegate": "carol", "from": "2099-01-01T00:00:00Z", "until": "2100-01-01T00:00:00Z"},
    ),
    ("GET", "/people/{external_id}/absence"): ("/people/alice/absence", None),
    ("DELETE", "/people/{external_id}/absence"): ("/people/alice/absence", None),
    ("PUT", "/people/{external_id}"): ("/people/alice", {"phone": ALICE}),
    ("GET", "/people/{external_id}"): ("/people/alice", None),
    ("GET", "/people/{external_id}/export"): ("/people/alice/export", None),
    ("DELETE", "/people/{external_id}"): ("/people/bob", None),
    ("POST", "/consents"): (
        "/consents",
        {"recipient": ALICE, "wording": "I agree to messages.", "evidence": ["form 7"]},
    ),
    ("POST", "/consents/revoke"): (
        "/consents/revoke",
        {"recipient": ALICE, "scope": ["marketing"], "reason": "asked on the phone"},
    ),
    ("POST", "/consents/import"): (
        "/consents/import",
        {"rows": [{"recipient": ALICE, "wording": "I agree.", "evidence": ["form 7"], "scope": "marketing"}]},
    ),
    ("GET", "/consents"): ("/consents", None),
    ("GET", "/consents/export"): ("/consents/export?recipient=%2B15550001111", None),
    ("GET", "/consents/policy"): ("/consents/policy", None),
    ("PUT", "/consents/policy"): (
        "/consents/policy",
        {"category": "marketing", "opt_in_required": True, "reason": "as it was"},
    ),
    ("GET", "/events"): ("/events", None),
    ("GET", "/events/stream"): ("/events/stream?seconds=0", None),
    ("POST", "/endpoints"): ("/endpoints", {"url": "http://127.0.0.1/hook"}),
    ("GET", "/endpoints"): ("/endpoints", None),
    ("GET", "/endpoints/{endpoint_id}"): ("/endpoints/{endpoint}", None),
    ("PATCH", "/endpoints/{endpoint_id}"): ("/endpoints/{endpoint}", {"types": ["confirmation.*"]}),
    ("DELETE", "/endpoints/{endpoint_id}"): ("/endpoints/{spare}", None),
    ("POST", "/endpoints/{endpoint_id}/enable"): ("/endpoints/{endpoint}/enable", None),
    ("POST", "/endpoints/{endpoint_id}/rotate"): ("/endpoints/{endpoint}/rotate", None),
    ("POST", "/endpoints/{endpoint_id}/test"): ("/endpoints/{endpoint}/test", None),
    ("POST", "/endpoints/{endpoint_id}/replay"): (
        "/endpoints/{endpoint}/replay",
        {"since": "2026-11-01T00:00:00Z", "what": "missing"},
    ),
    ("GET", "/deliveries"): ("/deliveries", None),
    ("GET", "/deliveries/{delivery_id}"): ("/deliveries/{delivery}", None),
    ("POST", "/deliveries/{delivery_id}/replay"): ("/deliveries/{delivery}/replay", None),
    ("GET", "/updates"): ("/updates", None),
    ("GET", "/templates"): ("/templates", None),
    ("GET", "/templates/{name}"): ("/templates/greeting", None),
    ("PUT", "/templates/{name}"): ("/templates/greeting", GREETING),
    ("POST", "/templates/{name}/preview"): ("/templates/greeting/preview", {"parameters": ["Ana"]}),
    ("POST", "/templates/{name}/unpause"): ("/templates/greeting/unpause", None),
    ("POST", "/templates/sync"): ("/templates/sync", None),
    ("DELETE", "/templates/{name}"): ("/templates/farewell", None),
    ("GET", "/senders"): ("/senders", None),
    ("GET", "/stats"): ("/stats", None),
    ("POST", "/senders/{sender}/release"): (f"/senders/{PHONE_NUMBER_ID}/release", None),
    ("GET", "/alerts"): ("/alerts", None),
    ("POST", "/alerts/{alert_id}/resolve"): ("/alerts/{alert}/resolve", None),
}
#: What is uploaded where a route takes a file and no JSON.
UPLOADS: dict[str, dict[str, tuple[str, bytes, str]]] = {
    "/media": {"file": ("dot.png", b"\x89PNG\r\n\x1a\n" + bytes(64), "image/png")}
}
#: What happens once, and is answered again to whoever repeats it with the same key.
KEYED = {"/confirmations/{decided}/claim": "claim-of-these-tests"}
#: Routes that are open on purpose: they tell nothing but whether the process lives, what the API is, and public keys.
OPEN = {
    *("/healthz", "/readyz", "/metrics", "/openapi.json", "/.well-known/jwks.json", "/docs", "/docs/page.js"),
    *("/docs/swagger-ui-bundle.js", "/docs/swagger-ui.css", "/docs/favicon-32x32.png"),
}


def scoped_routes() -> Iterator[APIRoute]:
    """Every route of the rooms."""
    for router in ROUTERS:
        for route in router.routes:
            assert isinstance(route, APIRoute)
            yield route


def health_routes() -> Iterator[str]:
    """Paths of the process's own routes, and of what is public."""
    for route in (*health.router.routes, *proof_routes.open_router.routes):
        assert isinstance(route, APIRoute)
        yield route.path


def scopes_of(route: APIRoute) -> list[str]:
    """The scopes a route asks for, wherever in its dependencies."""
    found: list[str] = []
    todo: list[Dependant] = [route.dependant]
    while todo:
        dependant = todo.pop()
        if isinstance(dependant.call, needs):
            found.append(dependant.call.scope)
        todo += dependant.dependencies
    return found


def bearer(client: str = "bot", *, scopes: tuple[str, ...] = ASSISTANT_SCOPES, user: str = "alice") -> str:
    """A token."""
    now = wall_clock()
    issued = TOKENS.issue(
        user=user, client=client, scopes=scopes, ttl=timedelta(hours=1), now=now, token_id=uuid.uuid4().hex
    )
    return f"Bearer {issued}"


ALL = tuple(SCOPES)
EVERYTHING = (*ASSISTANT_SCOPES, "templates:write", "endpoints:write", "operate")


@dataclass
class Contract:
    """The API and a client of it."""

    rt: Runtime
    app: FastAPI
    http: httpx2.AsyncClient
    made: dict[str, str] = field(default_factory=dict)

    async def call(
        self, method: str, path: str, *, token: str | None = None, prefix: str = PREFIX, **options: Any
    ) -> httpx2.Response:
        """One request, by ``bot`` with every scope of an assistant and an operator unless said otherwise."""
        headers = {
            "authorization": bearer(scopes=EVERYTHING) if token is None else token,
            **options.pop("headers", {}),
        }
        headers = {name: value for name, value in headers.items() if value}
        if path in KEYED:
            headers.setdefault("idempotency-key", KEYED[path])
        if path in UPLOADS and options.get("json") is None and "content" not in options:
            options = {**options, "json": None, "files": UPLOADS[path]}
        return await self.http.request(method, prefix + path.format(**self.made), headers=headers, **options)

    async def make(self) -> None:
        """Alice, a message to her and a question for her."""
        linked = await self.call("PUT", "/people/alice", json={"phone": ALICE, "name": "Alice"})
        assert linked.status_code == 200, linked.text
        endpoint, spare = await self.endpoint(), await self.endpoint()
        sent = await self.call("POST", "/send", json={"content": "hello"})
        asked = await self.call("POST", "/confirmation", json=ASKED | {"action_type": "file_delete"})
        withdrawn = await self.call("POST", "/confirmation", json=ASKED | {"action_type": "email_send"})
        frozen = await self.call("POST", "/confirmation", json=ASKED | {"action_type": "payment"})
        await self.frozen(frozen.json()["id"])
        await self.away()
        decided = await self.call("POST", "/confirmation", json=ASKED)
        await Decisions(self.rt).decide(decided.json()["id"])
        pushed = await self.call("PUT", "/templates/greeting", json=GREETING)
        assert pushed.status_code == 200, pushed.text
        self.made = {
            "message": sent.json()["id"],
            "confirmation": asked.json()["id"],
            "decided": decided.json()["id"],
            "withdrawn": withdrawn.json()["id"],
            "frozen": frozen.json()["id"],
            "alert": await self.alert(),
            "endpoint": endpoint,
            "spare": spare,
            "delivery": await self.delivery(),
        }
        for key in CALLS:
            if CALLS[key][0] in KEYED:
                once = await self.call(key[0], CALLS[key][0], json=CALLS[key][1])
                assert once.status_code == 201, once.text

    async def frozen(self, confirmation_id: str) -> None:
        """What waits for somebody to look at it."""
        async with self.rt.db.tx() as tx:
            await tx.execute(
                "UPDATE confirmations SET frozen_why = 'identity_changed' WHERE id = $1", confirmation_id
            )

    async def away(self) -> None:
        """Carol stands in for Alice some day."""
        linked = await self.call("PUT", "/people/carol", json={"phone": "+15550009999"})
        assert linked.status_code == 200, linked.text
        away = {"delegate": "carol", "from": "2099-01-01T00:00:00Z", "until": "2100-01-01T00:00:00Z"}
        put = await self.call("PUT", "/people/alice/absence", json=away)
        assert put.status_code == 200, put.text

    async def endpoint(self) -> str:
        """An endpoint; its id."""
        made = await self.call("POST", "/endpoints", json={"url": "http://127.0.0.1/hook"})
        assert made.status_code == 201, made.text
        assert made.json()["state"] == "enabled"
        return str(made.json()["id"])

    async def delivery(self) -> str:
        """What is told of the questions goes to the endpoints; the id of one such delivery."""
        found = (await self.call("GET", "/deliveries")).json()["deliveries"]
        return str(found[0]["id"])

    async def alert(self) -> str:
        """Our number, and something wrong with it; the alert's id."""
        about: dict[str, Any] = {"severity": "warning", "title": "t", "detail": "d", "advice": "a"}
        async with self.rt.db.tx() as tx:
            await senders.ensure(tx, self.rt)
            await alerts.raise_(tx, self.rt, "sender.quality:1", **about)
            (row,) = await alerts.page(tx, state="open", before=None, limit=1)
        found: str = row["id"]
        return found


@contextlib.asynccontextmanager
async def contract(dsn: str) -> AsyncIterator[Contract]:
    """The API on a database, with nothing working behind it; what is asked of Meta at once, the simulator answers."""
    async with (
        runtime(dsn) as rt,
        Simulator(SimulatorConfig(port=0, enforce_rates=False)) as sim,
        graph_session(4) as session,
    ):
        app = api(rt, TOKENS)
        meta = ManagementClient(
            session,
            base_url=sim.base_url,
            version="v25.0",
            waba_id=rt.settings.whatsapp_business_account_id,
            token=lambda: "sim-token",
        )
        app.state.templates = Registry(meta, messages.release)
        app.state.media = MediaClient(
            session, base_url=sim.base_url, version="v25.0", credentials=Credentials("sim-token")
        )

        app.state.caller = Obliging(session, Allowed.parse("127.0.0.1"))

        async def none_open(_tx: object) -> int:
            return 0

        app.state.health = Health(rt, Worker(rt, []), [], none_open)
        transport = httpx2.ASGITransport(app, raise_app_exceptions=False)
        async with httpx2.AsyncClient(transport=transport, base_url="http://sayso.test") as http:
            made = Contract(rt, app, http)
            await made.make()
            yield made


def assert_problem(answer: httpx2.Response, status: int, code: str) -> dict[str, Any]:
    """The shape of every error: RFC 9457, with our members and nothing else."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["cache-control"] == "no-store"
    body: dict[str, Any] = answer.json()
    required = {"type", "title", "status", "detail", "code", "retryable"}
    assert required <= body.keys() <= required | {"instance", "errors"}
    assert body["code"] == code
    assert body["status"] == status
    assert body["type"] in (f"urn:sayso:problem:{code}", "about:blank")
    assert all(body[name] for name in ("title", "detail"))
    for fault in body.get("errors", []):
        assert fault.keys() == {"detail", "pointer"}
        assert fault["pointer"] == "" or fault["pointer"].startswith("/")
    return body
