"""Webhooks on their way: signed, posted, retried until HTTP 200, logged, sent again (cloud-api.md 4.3, 4.5)."""

import asyncio
import hmac
import itertools
import logging
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

import aiohttp

from sayso.simulator.config import SimulatorConfig
from sayso.simulator.page.live import Live
from sayso.simulator.webhooks.envelopes import escaped
from sayso.simulator.webhooks.subscribers import Callback
from sayso.simulator.world.clock import Timer
from sayso.simulator.world.world import World

log = logging.getLogger("sayso.simulator.webhooks")

KEPT_UP_FOR_S = 7 * 24 * 3600  # 4.5: seven days, here simulated ones, then dropped
ATTEMPTS_LOGGED = 20
CONNECTIONS = 200
OK = 200  # 4.5: success is HTTP 200 and nothing else

Kind = Literal["inbound", "status", "account"]
State = Literal["pending", "held", "delivered", "expired", "dropped"]


@dataclass(frozen=True, slots=True)
class Attempt:
    """One POST: when (simulated), what came back (a status code or an error), how long it took."""

    at: float
    status_code: int | None
    error: str | None
    took_ms: float


@dataclass(slots=True, eq=False)
class Delivery:
    """One webhook to one callback: the exact bytes, their signature, and what became of them."""

    id: int
    kind: Kind
    callback: Callback
    body: bytes
    signature: str
    created_at: float
    acknowledged: Callable[[], None] | None = None
    state: State = "pending"
    attempts: deque[Attempt] = field(default_factory=lambda: deque(maxlen=ATTEMPTS_LOGGED))
    attempt_count: int = 0
    pause_s: float = 0.0  # the one that follows the next failed attempt
    next_due: float | None = None  # of the next attempt, simulated

    def logged(self, url: str) -> dict[str, Any]:
        """Describe it for the log; ``attempts`` holds the last 20."""
        return {
            "id": self.id,
            "kind": self.kind,
            "app_id": self.callback.app_id,
            "url": url,
            "state": self.state,
            "created_at": self.created_at,
            "next_attempt_at": self.next_due,
            "attempt_count": self.attempt_count,
            "attempts": [
                {"at": a.at, "status_code": a.status_code, "error": a.error, "took_ms": round(a.took_ms, 1)}
                for a in self.attempts
            ],
            "signature": self.signature,
            "body": self.body.decode("ascii"),
        }


class Deliverer:
    """Delivers to every callback; deliveries go in parallel and never wait for one another."""

    def __init__(self, config: SimulatorConfig, world: World, live: Live) -> None:
        self._config = config
        self._world = world
        self._clock = world.clock
        self._live = live
        self._numbers = itertools.count(1)
        self._tasks: set[asyncio.Task[None]] = set()
        self._retries: dict[int, Timer] = {}
        self._session: aiohttp.ClientSession | None = None
        self.log: deque[Delivery] = deque(maxlen=config.keep_webhooks)
        self.held: list[Delivery] = []
        self.hold_statuses = False

    async def open(self) -> None:
        """Get ready to call."""
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=CONNECTIONS),
            timeout=aiohttp.ClientTimeout(total=self._config.webhook_timeout_ms / 1000),
            cookie_jar=aiohttp.DummyCookieJar(),
        )

    async def close(self) -> None:
        """Give up what is still pending and close every connection."""
        await self._cancel_all()
        if self._session is not None:
            await self._session.close()

    async def reset(self) -> None:
        """Forget the log, what is held and what is pending."""
        await self._cancel_all()
        self.log.clear()
        self.held.clear()
        self.hold_statuses = False

    @property
    def session(self) -> aiohttp.ClientSession:
        """The client that calls the business."""
        assert self._session is not None, "Deliverer.open comes first"  # noqa: S101  # a programming error
        return self._session

    @property
    def pending(self) -> int:
        """How many deliveries are on their way or waiting for a retry."""
        return len(self._tasks) + len(self._retries)

    def post(
        self,
        kind: Kind,
        callback: Callback,
        payload: dict[str, Any],
        acknowledged: Callable[[], None] | None = None,
    ) -> None:
        """Sign a webhook and send it off; ``acknowledged`` is called once it was answered with 200."""
        body = escaped(payload)
        signature = self._sign(callback.app_id, body)
        now = self._clock.now()
        delivery = Delivery(next(self._numbers), kind, callback, body, signature, now, acknowledged)
        delivery.pause_s = self._config.retry_first_ms / 1000
        self.log.append(delivery)
        if kind == "status" and self.hold_statuses:
            delivery.state = "held"
            self.held.append(delivery)
        else:
            self._send_off(delivery)

    def hold(self, *, on: bool) -> int:
        """Hold status webhooks back, or release them in their order; return how many were released."""
        self.hold_statuses = on
        released = [] if on else self.held[:]
        if not on:
            self.held.clear()
        for delivery in released:
            delivery.state = "pending"
            self._send_off(delivery)
        return len(released)

    async def redeliver(self, delivery: Delivery, copies: int) -> list[int | None]:
        """Post the same bytes again, ``copies`` times in parallel, once each; return the status codes."""
        attempts = await asyncio.gather(*(self._attempt(delivery) for _ in range(copies)))
        return [attempt.status_code for attempt in attempts]

    def logged(self) -> list[dict[str, Any]]:
        """Describe every delivery that is still in the log, oldest first."""
        return [each.logged(each.callback.url(self._world.accounts)) for each in self.log]

    def find(self, delivery_id: int) -> Delivery | None:
        """Return a logged delivery."""
        return next((each for each in self.log if each.id == delivery_id), None)

    def _sign(self, app_id: str, body: bytes) -> str:
        secret = self._world.accounts.apps[app_id].secret.encode()
        return "sha256=" + hmac.digest(secret, body, "sha256").hex()  # 4.3

    def _send_off(self, delivery: Delivery) -> None:
        if self.pending >= self._config.keep_pending_webhooks:
            delivery.state = "dropped"
            log.warning("webhook %d dropped: %d are pending already", delivery.id, self.pending)
            return
        delivery.next_due = self._clock.now()
        self._try(delivery)

    def _try(self, delivery: Delivery) -> None:
        self._retries.pop(delivery.id, None)
        task = asyncio.get_running_loop().create_task(self._deliver(delivery))
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._live.changed()

    async def _deliver(self, delivery: Delivery) -> None:
        attempt = await self._attempt(delivery)
        due, delivery.next_due = delivery.next_due or attempt.at, None
        if attempt.status_code == OK:
            delivery.state = "delivered"
            if delivery.acknowledged:
                delivery.acknowledged()
            return
        if self._clock.now() - delivery.created_at > KEPT_UP_FOR_S:
            delivery.state = "expired"
            log.warning("webhook %d given up after seven simulated days", delivery.id)
            return
        delivery.next_due = self._next_due(delivery, due)
        self._retries[delivery.id] = self._clock.at(delivery.next_due, lambda: self._try(delivery))

    def _next_due(self, delivery: Delivery, due: float) -> float:
        """Climb the ladder; the rungs that time let pass at once has gone over count as this one attempt."""
        while True:
            due += delivery.pause_s
            delivery.pause_s = min(delivery.pause_s * 2, self._config.retry_cap_ms / 1000)
            if due > self._clock.now() or delivery.pause_s == self._config.retry_cap_ms / 1000:
                return max(due, self._clock.now())

    async def _attempt(self, delivery: Delivery) -> Attempt:
        at, began = self._clock.now(), time.perf_counter()
        status_code: int | None = None
        error: str | None = None
        try:
            headers = {"Content-Type": "application/json", "X-Hub-Signature-256": delivery.signature}
            async with self.session.post(
                delivery.callback.url(self._world.accounts),
                data=delivery.body,
                headers=headers,
                allow_redirects=False,
            ) as answer:
                status_code = answer.status
                await answer.read()
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as problem:
            error = f"{type(problem).__name__}: {problem}" if str(problem) else type(problem).__name__
        attempt = Attempt(at, status_code, error, (time.perf_counter() - began) * 1000)
        delivery.attempts.append(attempt)
        delivery.attempt_count += 1
        self._live.changed()
        return attempt

    async def _cancel_all(self) -> None:
        for timer in self._retries.values():
            timer.cancel()
        self._retries.clear()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
