"""Is it alive, is it ready, and what do its gauges say."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import structlog
from fastapi import APIRouter, Request
from starlette.responses import Response

from sayso.core import claims
from sayso.core.api import json_response
from sayso.core.claims import Queue
from sayso.core.database import UNAVAILABLE, Tx
from sayso.core.runtime import Runtime
from sayso.core.telemetry import OPEN_CONFIRMATIONS, WORK_OLDEST_SECONDS, WORK_READY, render_metrics
from sayso.core.worker import Worker

log = structlog.get_logger("sayso.health")

router = APIRouter(tags=["health"], include_in_schema=True)

_DATABASE_WITHIN_S = 2.0
_GAUGES_EVERY_S = 5.0


@dataclass(slots=True)
class Health:
    """What readiness rests on. Meta being away does not make us unready: webhooks must still be taken in."""

    rt: Runtime
    worker: Worker
    queues: Sequence[Queue]
    count_open: Callable[[Tx], Awaitable[int]]
    gauges: Sequence[Callable[[Tx], Awaitable[None]]] = ()
    stopping: bool = field(default=False)

    async def checks(self) -> dict[str, str]:
        """Each check and ``ok``, or what is wrong."""
        return {
            "database": await self._database(),
            "worker": "ok" if self.worker.alive else "no heartbeat was committed for 5 s",
            "listening": "ok" if self.rt.wakes.listening.is_set() else "not connected for wake-ups",
            "lifecycle": "stopping" if self.stopping else "ok",
        }

    async def _database(self) -> str:
        try:
            async with asyncio.timeout(_DATABASE_WITHIN_S), self.rt.db.one() as tx:
                await tx.fetchval("SELECT 1")
        except UNAVAILABLE as error:
            return f"does not answer: {type(error).__name__}"
        return "ok"

    async def _look(self) -> None:
        async with self.rt.db.tx(
            claims=True
        ) as tx:  # counted along the index of what is ready, never the table
            OPEN_CONFIRMATIONS.set(await self.count_open(tx))
            for gauge in self.gauges:
                await gauge(tx)
            for queue in self.queues:
                ready, oldest = await claims.backlog(tx, queue)
                age = (self.rt.now() - oldest).total_seconds() if oldest else 0.0
                WORK_READY.labels(queue.table).set(ready)
                WORK_OLDEST_SECONDS.labels(queue.table).set(max(0.0, age))

    async def run(self) -> None:
        """Keep the gauges fresh; the oldest ready row is the figure to watch."""
        while True:
            try:
                await self._look()
            except UNAVAILABLE as error:
                log.warning("gauges.stale", error=repr(error))
            except Exception:
                log.exception("gauges.stale")  # gauges that stop moving look like peace
            await asyncio.sleep(_GAUGES_EVERY_S)


@router.get("/healthz")
async def healthz() -> Response:
    """The process answers."""
    return json_response({"status": "ok"})


@router.get("/readyz")
async def readyz(request: Request) -> Response:
    """The process can do its work: 200, or 503 with what is wrong."""
    health: Health = request.app.state.health
    checks: dict[str, Any] = await health.checks()
    ready = all(value == "ok" for value in checks.values())
    return json_response(
        {"status": "ready" if ready else "not ready", "checks": checks}, 200 if ready else 503
    )


@router.get("/metrics")
async def metrics() -> Response:
    """Counters and gauges, for Prometheus."""
    body, content_type = render_metrics()
    return Response(body, media_type=content_type)
