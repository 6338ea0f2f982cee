"""Webhooks on their way: signed, posted, retried until HTTP 200, logged, sent again (cloud-api.md 4)."""

import asyncio
import hmac
import itertools
import logging
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

import aiohttp

from sayso.simulator.clock import Clock
from sayso.simulator.config import SimulatorConfig
from sayso.simulator.envelopes import escaped
from sayso.simulator.ids import Mint
from sayso.simulator.live import Live

log = logging.getLogger("sayso.simulator.webhooks")

KEPT_UP_FOR_S = 7 * 24 * 3600  # 4.5: seven days, here simulated ones, then dropped
ATTEMPTS_LOGGED = 20
CONNECTIONS = 200
OK = 200  # 4.5: success is HTTP 200 and nothing else

Kind = Literal["inbound", "status"]


@dataclass(frozen=True, slots=True)
class Attempt:
    """One POST: when (simulated), what came back (a status code or an error), how long it took."""

    at: float
    status_code: int | None
    error: str | None
    took_ms: float


@dataclass(slots=True, eq=False)
class Delivery:
    """One webhook: the exact bytes, their signature, and what became of them."""

    id: int
    kind: Kind
    body: bytes
    signature: str
    created_at: float
    acknowledged: Callable[[], None] | None = None
    state: Literal["pending", "held", "delivered", "expired", "dropped"] = "pending"
    attempts: deque[Attempt] = field(default_factory=lambda: deque(maxlen=ATTEMPTS_LOGGED))
    attempt_count: int = 0

    def logged(self) -> dict[str, Any]:
        """Describe it for the log; ``attempts`` holds the last 20."""
        return {
            "id": self.id,
            "kind": self.kind,
            "state": self.state,
            "created_at": self.created_at,
            "attempt_count": self.attempt_count,
            "attempts": [
                {"at": a.at, "status_code": a.status_code, "error": a.error, "took_ms": round(a.took_ms, 1)}
                for a in self.attempts
            ],
            "signature": self.signature,
            "body": self.body.decode("ascii"),
        }


class Webhooks:
    """Delivers to the one subscribed callback; deliveries go in parallel and never wait for one another."""

    def __init__(self, config: SimulatorConfig, clock: Clock, mint: Mint, live: Live) -> None:
        self._config = config
        self._clock = clock
        self._mint = mint
        self._live = live
        self._secret = config.app_secret.encode()
        self._numbers = itertools.count(1)
        self._tasks: set[asyncio.Task[None]] = set()
        self._session: aiohttp.ClientSession | None = None
        self.log: deque[Delivery] = deque(maxlen=config.keep_webhooks)
        self.held: list[Delivery] = []
        self.hold_statuses = False
        self.verification = "not yet tried"

    async def open(self) -> None:
        """Get ready to call; begin the verification handshake when the configuration asks for it."""
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=CONNECTIONS),
            timeout=aiohttp.ClientTimeout(total=self._config.webhook_timeout_ms / 1000),
            cookie_jar=aiohttp.DummyCookieJar(),
        )
        if self._config.verify_at_start:
            self._spawn(self._verify())

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
    def pending(self) -> int:
        """How many deliveries are on their way or waiting for a retry."""
        return sum(1 for task in self._tasks if task.get_name() == "delivery")

    def post(
        self, kind: Kind, payload: dict[str, Any], acknowledged: Callable[[], None] | None = None
    ) -> None:
        """Sign a webhook and send it off; ``acknowledged`` is called once it was answered with 200."""
        body = escaped(payload)
        delivery = Delivery(
            next(self._numbers), kind, body, self._sign(body), self._clock.now(), acknowledged
        )
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

    def find(self, delivery_id: int) -> Delivery | None:
        """Return a logged delivery."""
        return next((each for each in self.log if each.id == delivery_id), None)

    def _sign(self, body: bytes) -> str:
        return "sha256=" + hmac.digest(self._secret, body, "sha256").hex()  # 4.3

    def _send_off(self, delivery: Delivery) -> None:
        if len(self._tasks) >= self._config.keep_pending_webhooks:
            delivery.state = "dropped"
            log.warning("webhook %d dropped: %d are pending already", delivery.id, len(self._tasks))
            return
        self._spawn(self._deliver(delivery), name="delivery")

    def _spawn(self, work: Any, name: str = "verification") -> None:
        task = asyncio.get_running_loop().create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._live.changed()

    async def _deliver(self, delivery: Delivery) -> None:
        for pause in self._pauses():
            attempt = await self._attempt(delivery)
            if attempt.status_code == OK:
                delivery.state = "delivered"
                if delivery.acknowledged:
                    delivery.acknowledged()
                return
            if self._clock.now() - delivery.created_at > KEPT_UP_FOR_S:
                delivery.state = "expired"
                log.warning("webhook %d given up after seven simulated days", delivery.id)
                return
            await asyncio.sleep(pause)

    def _pauses(self) -> Iterator[float]:
        """Grow from the first pause to the cap: at once, then with decreasing frequency (4.5)."""
        pause = self._config.retry_first_ms / 1000
        while True:
            yield pause
            pause = min(pause * 2, self._config.retry_cap_ms / 1000)

    async def _attempt(self, delivery: Delivery) -> Attempt:
        assert self._session is not None, "Webhooks.open comes first"  # noqa: S101  # a programming error
        at, began = self._clock.now(), time.perf_counter()
        status_code: int | None = None
        error: str | None = None
        try:
            headers = {"Content-Type": "application/json", "X-Hub-Signature-256": delivery.signature}
            async with self._session.post(
                self._config.webhook_url, data=delivery.body, headers=headers, allow_redirects=False
            ) as answer:
                status_code = answer.status
                await answer.read()
        except (aiohttp.ClientError, TimeoutError, OSError) as problem:
            error = f"{type(problem).__name__}: {problem}" if str(problem) else type(problem).__name__
        attempt = Attempt(at, status_code, error, (time.perf_counter() - began) * 1000)
        delivery.attempts.append(attempt)
        delivery.attempt_count += 1
        self._live.changed()
        return attempt

    async def _verify(self) -> None:
        """Do the GET handshake (4.2) as soon as the callback can be reached; an answer is a verdict."""
        for pause in self._pauses():
            verdict = await self._ask_challenge()
            if verdict is not None:
                self.verification = verdict
                log.log(logging.INFO if verdict == "verified" else logging.WARNING, "callback: %s", verdict)
                return
            self.verification = "callback not reachable yet"
            await asyncio.sleep(pause)

    async def _ask_challenge(self) -> str | None:
        assert self._session is not None, "Webhooks.open comes first"  # noqa: S101  # a programming error
        challenge = self._mint.challenge()
        query = {
            "hub.mode": "subscribe",
            "hub.challenge": challenge,
            "hub.verify_token": self._config.verify_token,
        }
        try:
            async with self._session.get(
                self._config.webhook_url, params=query, allow_redirects=False
            ) as answer:
                body = await answer.text(errors="replace")
        except (aiohttp.ClientError, TimeoutError, OSError):
            return None
        if answer.status == OK and body == challenge:
            return "verified"
        if answer.status == OK:
            return "refused: the challenge did not come back as the whole body"
        return f"refused: HTTP {answer.status} to the verification request"

    async def _cancel_all(self) -> None:
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
