"""From the feed to an endpoint: read what is due, call, and commit what came of it."""

from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Final

from sayso.core import claims
from sayso.core.database import Record, Tx, written
from sayso.core.runtime import Runtime
from sayso.core.telemetry import DELIVERIES, DELIVERY_SECONDS
from sayso.core.worker import Claimed, Lease, Work
from sayso.events import claiming, endpoints, rules
from sayso.events.calling import KEPT_BYTES, Caller, body_of
from sayso.events.claiming import QUEUE
from sayso.events.rules import FAILING_AFTER, LADDER, Called, Verdict

#: Calls of all endpoints under way at once, in one process.
SLOTS: Final = 256
#: A claim looks at every endpoint: it may wait for company.
_PACE_S: Final = 0.02

_DUE: Final = """
SELECT p.*, p.id AS endpoint, e.id, e.type, e.subject, e.at, e.data, e.xmin::text AS version
FROM endpoints p JOIN events e ON e.id = $2 WHERE p.id = $1
"""
#: A replay is one attempt, and changes nothing but what it proves: that the event was received after all.
_FINISH: Final = f"""
UPDATE {QUEUE.table} SET work = NULL, worker = NULL, tries = 0, attempt = attempt + CASE WHEN replay THEN 0 ELSE 1 END,
    state = CASE WHEN replay AND $3 <> 'delivered' THEN state ELSE $3 END,
    reason = CASE WHEN $3 = 'delivered' THEN NULL ELSE $4 END, finished_at = $5, replay = false
WHERE id = $1 AND worker = $2 AND work = 'running'
"""
_TRY_AGAIN: Final = f"""
UPDATE {QUEUE.table} SET work = 'waiting', work_at = $3, worker = NULL, tries = 0, attempt = attempt + 1, reason = $4
WHERE id = $1 AND worker = $2 AND work = 'running'
"""


@dataclass(frozen=True, slots=True)
class Deliverer:
    """Delivers what is due, with ``caller``."""

    caller: Caller
    slots: int = SLOTS

    async def claim(self, rt: Runtime, tx: Tx, lease: Lease, most: int) -> Claimed:
        """Take what is next; see :func:`claiming.claim`."""
        return await claiming.claim(self.slots, rt, tx, lease, most)

    async def handle(self, rt: Runtime, lease: Lease, row: Record) -> None:
        """Call an endpoint once and see its result committed."""
        async with rt.db.one() as tx:
            due = await tx.fetchrow(_DUE, row["endpoint_id"], row["event_id"])
        if due is None or due["state"] == "deleted":
            return await _finish(rt, lease, row, "the event or its endpoint is not there any more")
        endpoint = {**due, "id": due["endpoint"]}
        called = await self.caller.call(
            due["url"], due["id"], body_of(due), signer=endpoints.signer(rt, endpoint), at=rt.now()
        )
        verdict = rules.verdict(called, row["attempt"] + 1)
        async with rt.db.tx() as tx:
            await _write(tx, rt, lease, row, called=called, verdict=verdict, version=due["version"])
            if not row["replay"]:
                await _judge(tx, rt, row, called, verdict)
            if row["replay"] or verdict != "retry":
                await claiming.advance(tx, rt, row)
        DELIVERY_SECONDS.observe(called.ms / 1000)
        DELIVERIES.labels("replay" if row["replay"] else verdict).inc()
        return None


def work(caller: Caller) -> Work:
    """The deliveries, as a worker takes them."""
    made = Deliverer(caller)
    return Work(QUEUE, made.handle, slots=SLOTS, pace_s=_PACE_S, claim=made.claim, park=park)


async def park(rt: Runtime, tx: Tx, lease: Lease, row: Record, reason: str) -> None:
    """Take a delivery out of the way that we cannot even try."""
    await _end(tx, rt, lease, row, state="failed", reason=f"we failed over it: {reason}")
    await claiming.advance(tx, rt, row)


async def _finish(rt: Runtime, lease: Lease, row: Record, reason: str) -> None:
    async with rt.db.tx() as tx:
        await _end(tx, rt, lease, row, state="failed", reason=reason)
        await claiming.advance(tx, rt, row)


async def _end(tx: Tx, rt: Runtime, lease: Lease, row: Record, *, state: str, reason: str | None) -> None:
    done = await tx.execute(_FINISH, row["id"], lease.worker, state, reason, rt.now())
    claims.check_fence(QUEUE, worker=lease.worker, ended=done, of=1)


async def _write(
    tx: Tx, rt: Runtime, lease: Lease, row: Record, *, called: Called, verdict: Verdict, version: str
) -> None:
    """Move a delivery on, and keep the attempt; what was answered only while the event is as it was told.

    Whoever empties the event of somebody who is forgotten takes the delivery's row: they see the attempt, or it sees
    them.
    """
    if verdict == "retry" and not row["replay"]:
        due = rt.now() + timedelta(seconds=rules.delay_s(called, row["attempt"] + 1, rt.rng.random))
        done = await tx.execute(_TRY_AGAIN, row["id"], lease.worker, due, called.error)
        claims.check_fence(QUEUE, worker=lease.worker, ended=done, of=1)
        tx.after_commit(partial(rt.wakes.ring, QUEUE.table))
    else:
        state = "delivered" if verdict == "delivered" else "failed"
        await _end(tx, rt, lease, row, state=state, reason=called.error)
    await tx.execute(
        "INSERT INTO delivery_attempts (delivery_id, at, replay, status, ms, error, body) VALUES ($1, $2, $3, $4, $5, "
        "$6, CASE WHEN EXISTS (SELECT FROM events WHERE id = $8 AND xmin::text = $9) THEN $7::bytea END)",
        row["id"],
        rt.now(),
        row["replay"],
        called.status,
        called.ms,
        called.error,
        called.body[:KEPT_BYTES],
        row["event_id"],
        version,
    )


async def _judge(tx: Tx, rt: Runtime, row: Record, called: Called, verdict: Verdict) -> None:
    """What an attempt says of its endpoint: it recovers, begins to fail, or is given up."""
    if verdict == "delivered":
        failures = await endpoints.write_success(tx, row["endpoint_id"], rt.now())
        if failures >= FAILING_AFTER:
            about = await _endpoint(tx, row)
            await endpoints.tell(tx, rt, about, "endpoint.recovered", {"failures": failures})
        return
    about = await _endpoint(tx, row)
    if about["state"] != "enabled":
        return
    health = endpoints.health(about).after_failure(rt.now())
    await endpoints.write_health(tx, about["id"], health)
    if health.failures == FAILING_AFTER:
        told = {"failures": health.failures, "failing_since": health.first, "error": called.error}
        await endpoints.tell(tx, rt, about, "endpoint.failing", told)
    if verdict == "exhausted":
        told = {"delivery_id": row["id"], "event_id": row["event_id"], "attempts": len(LADDER)}
        await endpoints.tell(tx, rt, about, "endpoint.exhausted", told | {"error": called.error})
    if verdict == "gone":
        await endpoints.disable(tx, rt, about, "it answered 410: gone for good", by_us=True)
    elif health.given_up(rt.now()):
        await endpoints.disable(tx, rt, about, "every call has failed for five days", by_us=True)


async def _endpoint(tx: Tx, row: Record) -> Record:
    return written(await tx.fetchrow("SELECT * FROM endpoints WHERE id = $1 FOR UPDATE", row["endpoint_id"]))
