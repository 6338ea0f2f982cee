"""Gathering the facts of a run from the database, the wire and the simulator, once everything has come to rest."""

import hashlib
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg
import msgspec

from harness.history import History
from harness.kept import Deliveries, Proof
from harness.wire import Wire

Update = tuple[str, str, str]

#: What is still to be done; an unknown message that waits for its report is at rest.
_BUSY = """
SELECT 'update ' || key FROM updates WHERE work IS NOT NULL
UNION ALL SELECT 'message ' || id || ' ' || state || ' ' || coalesce(reason, '') FROM messages
    WHERE work IN ('ready', 'running') OR (work = 'waiting' AND state <> 'unknown')
UNION ALL SELECT 'confirmation ' || id FROM confirmations WHERE work IN ('ready', 'running')
UNION ALL SELECT 'delivery ' || id FROM deliveries WHERE work IN ('ready', 'running')
"""


#: The decision log, as the judge reads it.
_PROOFS = """
SELECT l.confirmation_id, convert_from(l.entry, 'UTF8')::jsonb ->> 'outcome' AS outcome, r.jws IS NOT NULL AS receipt
FROM decision_log l LEFT JOIN receipts r ON r.confirmation_id = l.confirmation_id ORDER BY l.index
"""


_ASKED = """
SELECT confirmation_id, person_id FROM approvers WHERE state <> 'waiting'
UNION SELECT id, person_id FROM confirmations c
    WHERE NOT EXISTS (SELECT FROM approvers p WHERE p.confirmation_id = c.id)
"""
_MERGED = "SELECT id, merged_into FROM people WHERE merged_into IS NOT NULL"
_LOG = "SELECT index, confirmation_id, entry, leaf, head FROM decision_log ORDER BY index"


async def connect(dsn: str) -> Any:
    """A connection that reads jsonb as values."""
    connection = await asyncpg.connect(dsn)
    await connection.set_type_codec(
        "jsonb",
        schema="pg_catalog",
        encoder=lambda v: msgspec.json.encode(v).decode(),
        decoder=msgspec.json.decode,
    )
    return connection


async def rows(dsn: str, sql: str, *args: Any) -> list[dict[str, Any]]:
    """What a query gives, in one look."""
    connection = await connect(dsn)
    try:
        return [dict(row) for row in await connection.fetch(sql, *args)]
    finally:
        await connection.close()


async def time_is_up(dsn: str, which: str = "true") -> None:
    """Bring the deadlines of open questions here: how long it took to ask them does not matter then."""
    await rows(
        dsn,
        "UPDATE confirmations SET expires_at = clock_timestamp(), work_at = clock_timestamp() "
        f"WHERE status = 'pending' AND work = 'waiting' AND {which} RETURNING 1",
    )


async def busy(dsn: str) -> list[str]:
    """What is still to be done."""
    return [next(iter(row.values())) for row in await rows(dsn, _BUSY)]


async def published(url: str) -> dict[str, Any]:
    """The keys of a service, as anybody gets them who wants to verify a receipt."""
    async with aiohttp.ClientSession() as session, session.get(f"{url}/.well-known/jwks.json") as answer:
        found: dict[str, Any] = await answer.json(content_type=None)
        return found


def rules(policy: Path | None) -> Mapping[str, Mapping[str, dict[str, Any]]]:
    """The rules of ``auto`` in a policy's file, by its stamp and their names, read without the service's own reader."""
    if policy is None:
        return {}
    raw = policy.read_bytes()
    data = tomllib.loads(raw.decode())
    demands = [data.get("default", {}), *data.get("action", {}).values()]
    named = {rule["name"]: rule for each in demands for rule in each.get("auto", ())}
    return {f"{data['version']}+{hashlib.sha256(raw).hexdigest()[:16]}": named}


async def gather(
    dsn: str,
    wire: Wire,
    webhooks: Sequence[dict[str, Any]],
    *,
    jwks: dict[str, Any] | None = None,
    policy: Path | None = None,
) -> History:
    """Everything the judge needs; ``webhooks`` is the simulator's log, ``jwks`` what the service has published."""
    updates = await rows(dsn, "SELECT * FROM updates ORDER BY id")
    return History(
        posts=list(wire.posts),
        messages=await rows(dsn, "SELECT * FROM messages ORDER BY id"),
        steps=await rows(dsn, "SELECT * FROM message_timeline ORDER BY id"),
        confirmations=await rows(dsn, "SELECT * FROM confirmations ORDER BY id"),
        answers=await rows(dsn, "SELECT * FROM answers ORDER BY id"),
        updates=updates,
        events=await rows(dsn, "SELECT * FROM events ORDER BY id"),
        acknowledged=frozenset(_acknowledged(webhooks)),
        stored=[named for row in updates for named in _named(row["kind"], _json(row["item"]))],
        proofs=await rows(dsn, _PROOFS),
        asked=frozenset((row["confirmation_id"], row["person_id"]) for row in await rows(dsn, _ASKED)),
        merged={row["id"]: row["merged_into"] for row in await rows(dsn, _MERGED)},
        proof=Proof(
            await rows(dsn, "SELECT confirmation_id, jws FROM receipts"), await rows(dsn, _LOG), jwks
        ),
        rules=rules(policy),
        deliveries=Deliveries(
            await rows(dsn, "SELECT * FROM endpoints WHERE state <> 'unverified'"),
            await rows(dsn, "SELECT * FROM deliveries ORDER BY seq"),
            await rows(dsn, "SELECT * FROM delivery_attempts ORDER BY id"),
        ),
    )


def _acknowledged(webhooks: Iterable[dict[str, Any]]) -> Iterator[Update]:
    """What the bodies that were answered with 200 hold, read without the service's own reader."""
    for webhook in webhooks:
        if any(attempt["status_code"] == 200 for attempt in webhook["attempts"]):
            for entry in msgspec.json.decode(webhook["body"])["entry"]:
                for change in entry["changes"]:
                    value = change["value"]
                    for kind, name in (("message", "messages"), ("status", "statuses")):
                        for item in value.get(name, ()):
                            yield from _named(kind, item)


def _named(kind: str, item: Any) -> Iterator[Update]:
    if kind == "message" and isinstance(item, dict) and "id" in item:
        yield ("message", item["id"], "")
    elif kind == "status" and isinstance(item, dict) and "id" in item:
        yield ("status", item["id"], item["status"])


def _json(raw: bytes) -> Any:
    try:
        return msgspec.json.decode(raw)
    except msgspec.DecodeError:
        return None
