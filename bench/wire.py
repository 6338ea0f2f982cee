"""Queue to wire: a backlog of messages against a stub Graph server, beside a bare loop with the same HTTP client."""

import asyncio
import os
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp

from figures import Row, cost
from proc import Meter
from processes import Stage, beside, free_port, staged, told

MESSAGES = 100_000
SLOWLY = 20_000
PEOPLE = 5_000
CONCURRENCY = 256
#: Numbers that may send 1,000/s each: so many that their pace is not what bounds.
SENDERS = tuple(str(100_000_000_000_001 + number) for number in range(5))
#: Milliseconds Meta takes to answer, from and to; what its users report.
SLOW = (50, 250)
#: One number, several processes: its limit, how many messages.
PACED = ((80, 1_600), (1_000, 12_000))
PROCESSES = 4

_PEOPLE = """
INSERT INTO people (id, name, created_at)
SELECT 'per_' || lpad(n::text, 26, '0'), 'Person ' || n, now() FROM generate_series(0, $1 - 1) n
"""
_IDENTIFIERS = """
INSERT INTO people_identifiers (kind, value, person_id, learned_from, learned_at, said_at)
SELECT kind, value, 'per_' || lpad(n::text, 26, '0'), 'bench', now(), now() FROM generate_series(0, $1 - 1) n,
LATERAL (VALUES ('phone', '+1555' || lpad(n::text, 7, '0')), ('wa_id', '1555' || lpad(n::text, 7, '0')),
    ('bsuid', 'US.' || lpad(n::text, 20, '0'))) AS f (kind, value)
"""
_COLUMNS = (
    *("id", "client_id", "person_id", "phone_number_id", "purpose", "lane", "content"),
    *("state", "expires_at", "created_at", "work_at"),
)
#: Each person wrote to one number, in turn, a moment ago.
_WINDOWS = """
INSERT INTO conversations (person_id, phone_number_id, last_inbound_at)
SELECT 'per_' || lpad(n::text, 26, '0'), ($2::text[])[1 + n % cardinality($2::text[])], now()
FROM generate_series(0, $1 - 1) n
"""


#: Whoever is asked, for questions that were written without.
ASKED_WHOM = """
INSERT INTO approvers (confirmation_id, person_id, state, message_id)
SELECT id, person_id, 'asked', message_id FROM confirmations ON CONFLICT DO NOTHING
"""


async def people(stage: Stage, count: int, senders: tuple[str, ...] = SENDERS[:1]) -> None:
    """Persons with every identifier known and the window with one number each open."""
    await stage.sql.execute(_PEOPLE, count)
    await stage.sql.execute(_IDENTIFIERS, count)
    await stage.sql.execute(_WINDOWS, count, list(senders))
    await stage.sql.execute("ANALYZE people, people_identifiers, conversations")


async def queue(
    stage: Stage, count: int, *, persons: int = PEOPLE, senders: tuple[str, ...] = SENDERS[:1]
) -> None:
    """A backlog as ``/send`` would have made it, except that nothing is ready yet."""
    now = datetime.now(UTC)
    await stage.sql.set_type_codec(
        "jsonb", schema="pg_catalog", format="binary", encoder=_jsonb, decoder=bytes
    )
    await stage.sql.copy_records_to_table(
        "messages",
        columns=_COLUMNS,
        records=(
            (
                f"msg_{number:026d}",
                "bench",
                f"per_{number % persons:026d}",
                senders[number % len(senders)],
                "send",
                2,
                f'{{"type":"text","body":"Your parcel {number} comes today between two and four."}}',
                "queued",
                now + timedelta(days=1),
                now,
                now,
            )
            for number in range(count)
        ),
    )
    await stage.sql.execute("ANALYZE messages")


def _jsonb(text: str) -> bytes:
    return b"\x01" + text.encode()


async def ask(port: int, path: str) -> Any:
    """What the stub has seen so far."""
    async with aiohttp.ClientSession() as session, session.get(f"http://127.0.0.1:{port}{path}") as answer:
        return await answer.json(content_type=None)


async def measure() -> list[Row]:
    """Against an instant Meta, which shows our own cost; against one as slow as the real one; and the pace kept."""
    rows = [await _run(0, 0, MESSAGES), await _run(*SLOW, SLOWLY)]
    return rows + [await _paced(limit, count) for limit, count in PACED]


async def _run(least_ms: int, most_ms: int, count: int) -> Row:
    port = free_port()
    async with beside("stub_graph.py", port, least_ms, most_ms, port=port):
        async with beside("bare_sender.py", port, count, CONCURRENCY) as sender:
            alone = await told(sender)
        await ask(port, "/reset")
        async with staged(port, sayso_more_senders=",".join(SENDERS[1:])) as stage:
            await people(stage, count, SENDERS)
            await queue(stage, count, persons=count, senders=SENDERS)
            meter = Meter.start(service=stage.service, PostgreSQL=stage.postgres)
            await stage.sql.execute("UPDATE messages SET work = 'ready'")
            await stage.sql.execute("NOTIFY sayso, 'bench:messages'")
            seen = await _all_sent(stage, port, count)
            used = meter.used()
    base = count / alone["seconds"]
    rate = seen["posts"] / seen["seconds"]
    every = used | {"together": sum(used.values()), "bare loop": alone["cpu_s"]}
    latency = f"answers in {least_ms} to {most_ms} ms" if most_ms else "instant answers"
    return Row(
        f"queue to wire, {count:,} queued for {len(SENDERS)} numbers, {latency}",
        f"{rate:,.0f} messages/s, {seen['twice']} twice",
        "≥ 1,000/s, ≤ 0.7 ms CPU, ≥ 0.5",
        f"{rate / base:.2f} of {base:,.0f}/s",
        cost(every, count, "message"),
    )


async def _paced(limit: int, count: int) -> Row:
    """Several processes share what one number may send."""
    port = free_port()
    level = "HIGH" if limit > 80 else "STANDARD"
    async with (
        beside("stub_graph.py", port, 20, 60, level, port=port),
        staged(port, more=PROCESSES - 1) as stage,
    ):
        await people(stage, count)
        await queue(stage, count, persons=count)
        await stage.sql.execute("UPDATE messages SET work = 'ready'")
        await stage.sql.execute("NOTIFY sayso, 'bench:messages'")
        await _all_sent(stage, port, count)
        seen = await ask(port, "/stats?busiest")
    rate = (seen["posts"] - 1) / seen["seconds"]
    return Row(
        f"pace of one number allowed {limit:,}/s, {PROCESSES} processes, {count:,} queued",
        f"{rate:,.1f} messages/s, {seen['busiest']:,} in the busiest second, {seen['twice']} twice",
        "within 5 %, never above",
        f"{rate / limit:.3f} of {limit:,}/s",
        f"load of the machine {os.getloadavg()[0]:.0f}",
    )


async def _all_sent(stage: Stage, port: int, count: int) -> Any:
    """Wait until all are out and their answers recorded; what the stub saw. The database is not asked meanwhile."""
    deadline = asyncio.get_running_loop().time() + 240
    left = seen = None
    while left != 0 and asyncio.get_running_loop().time() < deadline:
        await asyncio.sleep(0.25)
        seen = await ask(port, "/stats")
        if seen["posts"] >= count:
            left = await stage.sql.fetchval(
                "SELECT count(*) FROM messages WHERE state IN ('queued', 'sending')"
            )
    if left != 0 or seen is None or seen["posts"] != count:
        print(f"  not all sent: {left} left of {count}, {seen}; {stage.complaints()[:3]}")
    return seen
