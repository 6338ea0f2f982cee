"""Durable ingest: how many signed posts a second are committed and answered, beside a receiver that keeps nothing."""

import msgspec

from figures import Row, cost, latency
from poster import Spec, Told
from proc import Meter, Tree
from processes import beside, free_port, say, staged

SECONDS = 8.0
STEADY = 4_000
CONNECTIONS = 256


async def post(spec: Spec, **watched: Tree) -> tuple[Told, dict[str, float]]:
    """Run the generator; what it tells, and the CPU seconds of those watched meanwhile."""
    async with beside("poster.py") as process:
        await say(process, spec)
        meter = Meter.start(**watched)
        output, _ = await process.communicate(b"go\n")
        told = msgspec.json.decode(output, type=Told)
        return told, meter.used() | {"generator": told.cpu_s}


async def bare(kind: str, count: int) -> float:
    """Posts a second of the receiver that does only HMAC and JSON."""
    port = free_port()
    async with beside("bare_receiver.py", port, port=port):
        connections = CONNECTIONS if kind == "singles" else 16
        told, _ = await post(Spec(port, kind, "B", count, connections, SECONDS / 2))
        return told.posts / told.seconds


async def measure() -> list[Row]:
    """As fast as it goes, at a steady rate, and in large batches; each on a fresh database."""
    return [await _single(), await _steady(), await _hundred()]


async def _single() -> Row:
    async with staged() as stage:
        spec = Spec(stage.port, "singles", "S", 120_000, CONNECTIONS, SECONDS)
        told, used = await post(spec, service=stage.service, PostgreSQL=stage.postgres)
        stored = await stage.sql.fetchval("SELECT count(*) FROM updates")
        digested = await stage.sql.fetchval("SELECT count(*) FROM updates WHERE work IS NULL")
        if stored != told.posts - told.refused:
            raise SystemExit(f"{told.posts} posts answered, {stored} stored: {stage.complaints()[:3]}")
    rate, base = told.posts / told.seconds, await bare("singles", 120_000)
    return Row(
        f"ingest, 1 update a post, closed loop of {CONNECTIONS}",
        f"{rate:,.0f} posts/s, {latency(told.latencies)}; {digested / told.seconds:,.0f}/s digested meanwhile",
        "≥ 4,000/s, p99 < 100 ms, ≥ 0.6",
        f"{rate / base:.2f} of {base:,.0f}/s",
        cost(used, told.posts, "post"),
    )


async def _steady() -> Row:
    async with staged() as stage:
        spec = Spec(stage.port, "singles", "O", int(STEADY * SECONDS), CONNECTIONS, SECONDS, STEADY)
        told, used = await post(spec, service=stage.service, PostgreSQL=stage.postgres)
        digested = await stage.sql.fetchval("SELECT count(*) FROM updates WHERE work IS NULL")
    rate = (told.posts - told.refused) / told.seconds
    return Row(
        f"ingest, 1 update a post, open loop at {STEADY:,}/s",
        f"{rate:,.0f} posts/s, {latency(told.latencies)}; {digested / told.seconds:,.0f}/s digested meanwhile",
        "p99 < 100 ms",
        "",
        cost(used, told.posts, "post"),
    )


async def _hundred() -> Row:
    async with staged() as stage:
        spec = Spec(stage.port, "hundreds", "H", 3_000, 16, SECONDS)
        told, used = await post(spec, service=stage.service, PostgreSQL=stage.postgres)
        stored = await stage.sql.fetchval("SELECT count(*) FROM updates")
    rate, base = stored / told.seconds, await bare("hundreds", 3_000) * 100
    return Row(
        "ingest, 100 updates a post",
        f"{rate:,.0f} updates/s, {latency(told.latencies)} a post",
        "≥ 30,000/s",
        f"{rate / base:.2f} of {base:,.0f}/s",
        cost(used, stored, "update"),
    )
