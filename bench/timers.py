"""Open confirmations: 100,000 of them pending, and how late the 5,000 expire that fall due meanwhile."""

import asyncio
import json

from figures import Row, cost, latency
from proc import Meter
from processes import Stage, staged
from wire import ASKED_WHOM, PEOPLE, people, queue

PENDING = 100_000
DUE = 5_000
OVER_S = 5.0

_ASK = """
INSERT INTO confirmations (id, client_id, user_id, person_id, phone_number_id, message_id, action, action_hash, shown,
    shown_hash, status, created_at, expires_at, work, work_at)
SELECT 'cnf_' || lpad(n::text, 26, '0'), 'bench', 'alice', 'per_' || lpad((n % $5)::text, 26, '0'), '100000000000001',
    'msg_' || lpad('0', 26, '0'), $1, '\\x00', '{}', '{}', 'pending', now(), due, 'waiting', due
FROM generate_series($2::int, $3::int) n, LATERAL (SELECT now() + $4::float8 * interval '1 second'
    + (n - $2) * interval '1 second' * $6::float8 / ($3 - $2 + 1) AS due) t
"""
_DONE = "SELECT count(*) FROM confirmations WHERE status = 'decided'"


async def measure() -> list[Row]:
    """Pending ones first, for what they take; then those that fall due."""
    async with staged() as stage:
        await people(stage, PEOPLE)
        await queue(stage, 1)
        await stage.sql.execute("UPDATE conversations SET last_inbound_at = now() - interval '2 days'")
        before = stage.service.rss_mib()
        await ask(stage, 1, PENDING, first_s=86_400, over_s=86_400)
        meter = Meter.start(service=stage.service, PostgreSQL=stage.postgres)
        await asyncio.sleep(6)
        idle, after = meter.used(), stage.service.rss_mib()
        await ask(stage, PENDING + 1, PENDING + DUE, first_s=2, over_s=OVER_S)
        meter = Meter.start(service=stage.service, PostgreSQL=stage.postgres)
        await _all_ended(stage)
        used, late = meter.used(), await _lateness(stage)
    percent = ", ".join(f"{name} {seconds / 6:.1%}" for name, seconds in idle.items())
    return [
        Row(
            f"{PENDING:,} open confirmations",
            f"service {before:.0f} MiB before, {after:.0f} MiB with them",
            "flat",
            cost=f"CPU of a core when nothing falls due: {percent}",
        ),
        Row(
            f"{DUE:,} of them fall due over {OVER_S:.0f} s",
            f"late by {latency(late)}",
            "p99 < 1 s",
            cost=cost(used, DUE, "expiry"),
        ),
    ]


async def ask(stage: Stage, first: int, last: int, *, first_s: float, over_s: float) -> None:
    """Open questions with these numbers, whose ends begin after ``first_s`` and are spread over ``over_s``."""
    action = json.dumps({"action_type": "bench", "action_description": "do it", "action_details": "now"})
    await stage.sql.execute(_ASK, action, first, last, first_s, PEOPLE, over_s)
    await stage.sql.execute(ASKED_WHOM)
    await stage.sql.execute("ANALYZE confirmations, approvers")


async def _all_ended(stage: Stage) -> None:
    deadline = asyncio.get_running_loop().time() + 60
    while await stage.sql.fetchval(_DONE) < DUE:
        if asyncio.get_running_loop().time() > deadline:
            raise SystemExit(f"not all expired within 60 s: {stage.complaints()[:3]}")
        await asyncio.sleep(0.25)


async def _lateness(stage: Stage) -> list[float]:
    rows = await stage.sql.fetch(
        "SELECT extract(epoch FROM decided_at - expires_at)::float8 AS late FROM confirmations "
        "WHERE outcome = 'expired'"
    )
    return [row["late"] for row in rows]
