"""The composition root: every route, every claimed table and its handler, every wire, on one page."""

import asyncio
import contextlib
import gc
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from importlib.metadata import version
from typing import Any

from aiohttp import ClientSession
from fastapi import FastAPI

from sayso.confirmations import (
    absence_routes,
    asking_routes,
    moving,
    moving_routes,
    policy_file,
    proof_routes,
    timers,
)
from sayso.confirmations import log as decision_log
from sayso.confirmations import routes as confirmation_routes
from sayso.confirmations import service as confirmations
from sayso.consent import amending, ledger
from sayso.core import described_page, embedded, health, keys, net
from sayso.core.api import PREFIX, PROBLEMS, Bounded, speak_problem_json
from sayso.core.database import Database, Tx
from sayso.core.described import describe
from sayso.core.health import Health
from sayso.core.migrate import migrate
from sayso.core.net import Allowed
from sayso.core.runtime import Runtime, wall_clock
from sayso.core.settings import Settings, jwt_secret
from sayso.core.telemetry import HTTP_REQUESTS
from sayso.core.tokens import Tokens
from sayso.core.worker import Together, Work, Worker
from sayso.dashboard import entry, pages
from sayso.dashboard.signing_in import Door
from sayso.events import alerts, delivering, delivery_routes, endpoint_routes, endpoints, pruning
from sayso.events import routes as event_routes
from sayso.events.calling import Caller
from sayso.inbound import consent_routes, export_routes, handle, history, import_routes, receive, webhook
from sayso.inbound import routes as inbound_routes
from sayso.messages import dead_routes, dispatch, media_routes
from sayso.messages import routes as message_routes
from sayso.messages import service as messages
from sayso.messages.dispatch import Dispatcher
from sayso.messages.results import Results
from sayso.operate import alerts as alert_routes
from sayso.operate import people as people_rights
from sayso.operate import senders as sender_routes
from sayso.operate import stats
from sayso.operate.erasure import Inbox
from sayso.people import routes as people_routes
from sayso.senders import service as senders
from sayso.senders.budget import CallBudget
from sayso.senders.checks import Checks
from sayso.senders.heeding import Heeding
from sayso.templates import mirror, registry
from sayso.templates import routes as template_routes
from sayso.templates.registry import Registry
from sayso.whatsapp.client import GraphClient, graph_session
from sayso.whatsapp.credentials import Credentials
from sayso.whatsapp.management import ManagementClient
from sayso.whatsapp.media import AT_ONCE as UPLOADING
from sayso.whatsapp.media import MediaClient

ROUTERS = (
    message_routes.router,
    dead_routes.router,
    media_routes.router,
    template_routes.router,
    asking_routes.router,
    confirmation_routes.router,
    moving_routes.router,
    proof_routes.router,
    absence_routes.router,
    people_routes.router,
    people_rights.router,
    consent_routes.router,
    export_routes.router,
    import_routes.router,
    event_routes.router,
    endpoint_routes.router,
    delivery_routes.router,
    inbound_routes.router,
    sender_routes.router,
    alert_routes.router,
    stats.router,
)

#: Pages for people, who sign in to them; no part of the API. The last takes whatever path the others leave.
PAGES = (entry.router, pages.router, entry.rest)

#: What was received from a person, for their export and their erasure.
INBOX = Inbox(history.sent_by, history.unread, history.empty, history.empty_since)

#: Updates and expiries in hand at once, and how many of each are worked at once: connections are left for requests.
DIGESTING = 250
EXPIRING = 250
HANDS = 8
#: Calls about our account at once, and numbers of ours that are looked at at once.
MANAGING = 4
CHECKING = 4
#: A claim of messages decides for all of them at once, and costs nine statements: it may wait for company.
SENDING_PACE_S = 0.02


def works(
    intake: receive.Intake, dispatcher: Dispatcher, checks: Checks, templates: Registry, *, posts: int
) -> list[Work]:
    """Every claimed table, and what is done with its due rows."""
    return [
        Work(
            receive.QUEUE,
            handle.handle,
            slots=DIGESTING,
            hands=HANDS,
            urgent=intake.pressed,
            together=Together(handle.in_company, handle.handle_together),
            park=handle.park,
        ),
        Work(
            messages.QUEUE,
            dispatcher.handle,
            slots=posts,
            pace_s=SENDING_PACE_S,
            claim=dispatcher.claim,
            stop=dispatcher.stop,
            on_lost=dispatch.lost_with_their_worker,
            disown=dispatcher.disown,
        ),
        Work(
            confirmations.QUEUE,
            partial(timers.handle, undigested=intake.undigested),
            slots=EXPIRING,
            hands=HANDS,
            together=Together(
                lambda row: row["tries"] <= 1,
                partial(timers.expire_together, undigested=intake.undigested),
            ),
        ),
        Work(senders.QUEUE, checks.handle, slots=CHECKING),
        Work(registry.QUEUE, templates.handle, slots=1),
    ]


def api(rt: Runtime, tokens: Tokens) -> FastAPI:
    """Every route but the webhook, which stands in front."""
    app = FastAPI(
        title="Sayso",
        version=version("sayso"),
        description="An AI assistant acts only on a person's say-so, over WhatsApp. Every call takes a bearer token: "
        "`sayso token` prints one. Errors are problem details with a stable `code`.",
        docs_url=None,
        redoc_url=None,
    )
    app.state.rt = rt
    app.state.tokens = tokens
    app.state.inbox = INBOX
    app.state.message_failed = moving.prompt_failed
    speak_problem_json(app)
    app.add_middleware(
        Bounded, larger={f"{PREFIX}{room.PATH}": room.LARGEST_BODY for room in (media_routes, import_routes)}
    )
    for router in ROUTERS:
        app.include_router(router, prefix=PREFIX, responses=PROBLEMS)
    app.include_router(health.router)
    app.include_router(proof_routes.open_router)
    app.state.door = Door.of(tokens)
    for page in PAGES:
        app.include_router(page)
    app.router.routes.extend(described_page.ROUTES)
    describe(app, PREFIX, ROUTERS)
    return app


@dataclass(frozen=True, slots=True)
class Service:
    """A running service: the ASGI callable to serve, and how to end."""

    rt: Runtime
    asgi: webhook.App
    worker: Worker
    health: Health

    def stop(self) -> None:
        """Say that the end has come: not ready any more, long polls answer, nothing new is claimed."""
        self.health.stopping = True
        self.rt.wakes.close()
        self.worker.stop()


@contextlib.asynccontextmanager
async def running(settings: Settings, *, now: Callable[[], datetime] = wall_clock) -> AsyncIterator[Service]:
    """PostgreSQL, the schema, the loops; torn down in the opposite order. Whatever is in hand is finished first."""
    async with contextlib.AsyncExitStack() as stack:
        dsn = await stack.enter_async_context(postgres(settings))
        await migrate(dsn)
        db = await Database.connect(dsn, size=settings.sayso_database_pool)
        stack.push_async_callback(db.close)
        rt = Runtime(settings, db, now=now)
        _hold_keys(rt)
        policy_file.look(settings)
        heeding = Heeding(rt)
        graph, media, checks, templates = await _meta(stack, rt, heeding)
        results = Results(rt, on_failed=moving.prompt_failed)
        dispatcher = Dispatcher(graph, results, on_failed=moving.prompt_failed)
        intake = receive.Intake(rt)
        caller = await _caller(stack, settings)
        todo = works(intake, dispatcher, checks, templates, posts=settings.sayso_send_concurrency)
        todo.append(delivering.work(caller))
        worker = Worker(rt, todo)
        tokens = Tokens(jwt_secret(settings), settings.sayso_jwt_issuer, settings.sayso_jwt_audience)
        app = api(rt, tokens)
        app.state.templates, app.state.media, app.state.caller = templates, media, caller
        gauges = (alerts.gauge, endpoints.gauge, partial(senders.gauge, rt))
        state = Health(rt, worker, [work.queue for work in todo], confirmations.count_open, gauges)
        app.state.health = state
        async with db.tx() as tx:
            await senders.ensure(tx, rt)
            await mirror.ask_sync(tx, rt)
        watching = (each.watch(rt) for each in (checks, amending, decision_log, pruning))
        loops = (intake.run(), results.run(), state.run(), heeding.run(), *watching)
        for loop in (rt.wakes.run(db), *loops):
            await stack.enter_async_context(_background(loop))
        await stack.enter_async_context(_until_done(worker))
        _settle_memory()
        asgi = webhook.Webhook(_Counted(app), intake, settings)
        yield Service(rt, asgi, worker, state)


def _hold_keys(rt: Runtime) -> None:
    """A key that cannot be had is heard of now, not at the first word of a person's."""
    ledger.key(rt)
    keys.load(rt.settings, now=rt.now)


async def _caller(stack: contextlib.AsyncExitStack, settings: Settings) -> Caller:
    """Who calls the assistants' endpoints; raises SettingError for a list of exceptions that cannot be read."""
    allowed = Allowed.parse(settings.sayso_endpoints_allow)
    calling = net.session(allowed, limit=delivering.SLOTS, proxy=settings.sayso_endpoints_proxy)
    return Caller(await stack.enter_async_context(calling), allowed)


async def _meta(
    stack: contextlib.AsyncExitStack, rt: Runtime, heeding: Heeding
) -> tuple[GraphClient, MediaClient, Checks, Registry]:
    """Those who speak to Meta: the one that sends, and on connections of their own those that ask and manage."""
    settings, credentials = rt.settings, Credentials.of(rt.settings)
    sending = await stack.enter_async_context(graph_session(settings.sayso_send_concurrency))
    managing = await stack.enter_async_context(graph_session(MANAGING))
    uploading = await stack.enter_async_context(graph_session(UPLOADING))
    graph = GraphClient(
        sending,
        base_url=settings.whatsapp_base_url,
        version=settings.whatsapp_api_version,
        token=credentials,
        on_usage=heeding.hear,
    )
    checking = management(managing, settings, credentials, CallBudget(rt, urgent=True))
    registering = management(managing, settings, credentials, CallBudget(rt))
    media = MediaClient(
        uploading,
        base_url=settings.whatsapp_base_url,
        version=settings.whatsapp_api_version,
        credentials=credentials,
    )
    return (
        graph,
        media,
        Checks(checking, credentials, tier_changed),
        Registry(registering, messages.release, settings.sayso_templates_dir),
    )


def management(
    session: ClientSession, settings: Settings, credentials: Credentials, budget: CallBudget
) -> ManagementClient:
    """Who makes the calls about our account, each counted against ``budget``."""
    return ManagementClient(
        session,
        base_url=settings.whatsapp_base_url,
        version=settings.whatsapp_api_version,
        waba_id=settings.whatsapp_business_account_id,
        token=lambda: credentials.token,
        budget=budget,
    )


async def tier_changed(tx: Tx, rt: Runtime, portfolio_id: str) -> None:
    """A portfolio may reach another number of people: what waited for that is decided afresh."""
    await messages.release(tx, rt, f"tier:{portfolio_id}")


@contextlib.asynccontextmanager
async def postgres(settings: Settings) -> AsyncIterator[str]:
    """The server given by DATABASE_URL, else the embedded one, started or joined."""
    if settings.database_url is not None:
        yield settings.database_url.get_secret_value()
        return
    server = await asyncio.to_thread(embedded.start, settings.sayso_data_dir)
    try:
        yield server.dsn
    finally:
        await asyncio.to_thread(server.release)


@contextlib.asynccontextmanager
async def _background(loop: Any) -> AsyncIterator[None]:
    task = asyncio.create_task(loop)
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


@contextlib.asynccontextmanager
async def _until_done(worker: Worker) -> AsyncIterator[None]:
    task = asyncio.create_task(worker.run())
    try:
        yield
    finally:
        worker.stop()
        await task


def _settle_memory() -> None:
    """What is loaded by now stays: keep the collector from walking it again and again (measured: 1.5 to 2.9 times)."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)


class _Counted:
    """Counts requests by route and status, without a middleware's cost."""

    def __init__(self, app: Callable[..., Awaitable[None]]) -> None:
        self._app = app

    async def __call__(self, scope: webhook.Scope, receive_: webhook.Receive, send: webhook.Send) -> None:
        status = 500

        async def counting(message: dict[str, Any]) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive_, counting)
        finally:
            if scope["type"] == "http":
                route = scope.get("route")
                HTTP_REQUESTS.labels(getattr(route, "path", "none"), status).inc()
