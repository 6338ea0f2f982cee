"""Digesting: stored updates become effects; statuses of known messages, comments, and taps that decide a question."""

import asyncio
import hashlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic import SecretStr

import webhooks
from figures import Row, cost
from proc import Meter
from processes import CONSENT_KEY, Stage, beside, free_port, staged
from sayso.confirmations import payloads
from sayso.core.settings import TokenSettings
from sayso.whatsapp.explode import RawUpdate, explode
from wire import ASKED_WHOM, PEOPLE, people, queue

STATUSES = 12_000
COMMENTS = 5_000
TAPS = 3_000

_COLUMNS = (
    *(
        "key",
        "kind",
        "phone_number_id",
        "person_key",
        "item",
        "context",
        "body_digest",
        "received_at",
        "work_at",
    ),
)
_ASKED = """
INSERT INTO confirmations (id, client_id, user_id, person_id, phone_number_id, message_id, action, action_hash, shown,
    shown_hash, status, created_at, expires_at, work, work_at)
SELECT 'cnf_' || right(id, 26), 'bench', 'alice', person_id, phone_number_id, id, $1, '\\x00', '{}', '{}', 'pending',
    now(), now() + interval '1 hour', 'waiting', now() + interval '1 hour' FROM messages
"""


async def store(stage: Stage, bodies: Iterator[bytes]) -> int:
    """Put updates where a commit of ingest would have, except that nothing is ready yet; how many."""
    now = datetime.now(UTC)
    digest = hashlib.sha256(b"bench").digest()
    updates: list[RawUpdate] = [update for body in bodies for update in explode(body)]
    await stage.sql.copy_records_to_table(
        "updates",
        columns=_COLUMNS,
        records=[
            (
                update.key,
                update.kind,
                update.phone_number_id,
                update.person_key,
                update.item,
                update.context,
                digest,
                now,
                now,
            )
            for update in updates
        ],
    )
    await stage.sql.execute("ANALYZE updates")
    return len(updates)


async def sent(stage: Stage, count: int) -> None:
    """Messages that Meta has accepted."""
    await queue(stage, count)
    await stage.sql.execute(
        "UPDATE messages SET state = 'accepted', attempt = 1, posted_at = now(), "
        "wamid = 'wamid.HBgLMTU1NTAwMDAwMDAVAgARGBI' || right(id, 26)"
    )
    await stage.sql.execute("VACUUM ANALYZE messages")


async def measure() -> list[Row]:
    """Each kind alone, on a fresh database."""
    return [await _statuses(), await _comments(), await _taps()]


def _one(person: int, **lists: list[dict[str, Any]]) -> bytes:
    return webhooks.body(contacts=[webhooks.contact(person)], **lists)


async def _statuses() -> Row:
    async with staged() as stage:
        await people(stage, PEOPLE)
        await sent(stage, STATUSES // 3)
        bodies = (
            _one(
                n % PEOPLE,
                statuses=[webhooks.status(n % PEOPLE, webhooks.wamid(n, "D"), s, callback=f"msg_{n:026d}")],
            )
            for s in ("sent", "delivered", "read")
            for n in range(STATUSES // 3)
        )
        return await _digest(stage, bodies, "statuses of our messages", "≥ 3,000/s")


async def _comments() -> Row:
    async with staged() as stage:
        await people(stage, PEOPLE)
        bodies = (
            _one(
                n,
                messages=[
                    webhooks.said(n, webhooks.wamid(n, "C"), f"Thank you for number {n}, see you there!")
                ],
            )
            for n in range(COMMENTS)
        )
        return await _digest(stage, bodies, "texts that decide nothing")


async def _taps() -> Row:
    """Each tap decides, and queues a closing line, which leaves for the wire meanwhile."""
    port = free_port()
    async with beside("stub_graph.py", port, 0, 0, port=port), staged(port) as stage:
        await people(stage, PEOPLE)
        await sent(stage, TAPS)
        action = {"action_type": "bench", "action_description": "do it", "action_details": "now"}
        await stage.sql.execute(_ASKED, json.dumps(action).encode().decode())
        await stage.sql.execute(ASKED_WHOM)
        await stage.sql.execute("VACUUM ANALYZE confirmations, approvers")
        key = payloads.key(TokenSettings(sayso_consent_key=SecretStr(CONSENT_KEY)))
        bodies = (
            _one(n, messages=[webhooks.tapped(n, webhooks.wamid(n, "Y"), payload)])
            for n in range(TAPS)
            for payload in [payloads.make(key, f"cnf_{n:026d}", "confirm")]
        )
        row = await _digest(stage, bodies, "taps that decide, closing lines sent meanwhile")
        decided = await stage.sql.fetchval("SELECT count(*) FROM confirmations WHERE outcome = 'confirmed'")
        if decided != TAPS:
            raise SystemExit(f"{TAPS} taps, {decided} confirmed: {stage.complaints()[:3]}")
        return row


async def _digest(stage: Stage, bodies: Iterator[bytes], what: str, target: str = "") -> Row:
    count = await store(stage, bodies)
    meter = Meter.start(service=stage.service, PostgreSQL=stage.postgres)
    began = datetime.now(UTC)
    await stage.sql.execute("UPDATE updates SET work = 'ready'")
    while await stage.sql.fetchval("SELECT EXISTS (SELECT 1 FROM updates WHERE work IS NOT NULL)"):
        if datetime.now(UTC) - began > timedelta(seconds=60):
            raise SystemExit(f"not digested within 60 s: {stage.complaints()[:3]}")
        await asyncio.sleep(0.1)
    used = meter.used()
    first, last = await stage.sql.fetchrow("SELECT min(finished_at), max(finished_at) FROM updates")
    rate = count / (last - first).total_seconds()
    return Row(
        f"digesting {count:,} {what}",
        f"{rate:,.0f} updates/s",
        target,
        "",
        cost(used | {"together": sum(used.values())}, count, "update"),
    )
