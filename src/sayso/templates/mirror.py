"""The table ``templates``: what Meta has, written when it is listed, told or found out; each change heard of once."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from sayso.core.database import Record, Tx
from sayso.core.runtime import Runtime
from sayso.templates import news
from sayso.templates.rows import COLUMNS, Row, deleted, of_entry, of_listing, of_row, same, with_drift
from sayso.templates.rules import Held, Standing, hold_key, standing

_ROW = f"{COLUMNS}, waba_id, correct_category, wanted, drift, told_at"
_WRITE = """
INSERT INTO templates AS t (waba_id, name, language, meta_id, category, correct_category, status, reason, quality,
    parameter_format, components, ttl_s, wanted, drift, paused_until, told_at, changed_at, pending_since)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17,
    CASE WHEN $7 = 'PENDING' THEN $17::timestamptz END)
ON CONFLICT (waba_id, name, language) DO UPDATE SET meta_id = $4, category = $5, correct_category = $6, status = $7,
    reason = $8, quality = $9, parameter_format = $10, components = $11, ttl_s = $12, wanted = $13, drift = $14,
    paused_until = $15, told_at = $16, changed_at = $17,
    pending_since = CASE WHEN $7 = 'PENDING' THEN coalesce(t.pending_since, $17::timestamptz) END
"""
#: A review takes "minutes typically, up to 24 h" (cloud-api 3.3).
_REVIEW: Final = timedelta(hours=24)


async def _alone(tx: Tx, rt: Runtime) -> None:
    """Until the transaction ends nobody else writes this account's mirror: webhooks name rows in any order."""
    await tx.execute(
        "SELECT pg_advisory_xact_lock(hashtext($1))", f"templates:{rt.settings.whatsapp_business_account_id}"
    )


async def listed(
    tx: Tx,
    rt: Runtime,
    *,
    name: str | None = None,
    lock: bool = False,
    after: tuple[str, str] = ("", ""),
    limit: int | None = None,
) -> list[Row]:
    """Every row of the account (of one name), in the order of names and languages, locked when they will be written.

    ``after``: only those that follow this name and language.
    """
    if lock:
        await _alone(tx, rt)
    rows = await tx.fetch(
        f"SELECT {_ROW} FROM templates WHERE waba_id = $1 AND ($2::text IS NULL OR name = $2) "
        "AND (name, language) > ($3, $4) ORDER BY name, language LIMIT $5",
        rt.settings.whatsapp_business_account_id,
        name,
        *after,
        limit,
    )
    return [_row(row) for row in rows]


async def compared(tx: Tx, rt: Runtime) -> dict[str, Any]:
    """When the mirror was last compared with Meta, and why not if that failed."""
    row = await tx.fetchrow(
        "SELECT synced_at, failed FROM template_syncs WHERE id = $1", rt.settings.whatsapp_business_account_id
    )
    return (
        {"synced_at": row["synced_at"], "sync_failed": row["failed"]}
        if row
        else {
            "synced_at": None,
            "sync_failed": None,
        }
    )


async def one(tx: Tx, rt: Runtime, name: str, language: str) -> Row | None:
    """One row, to be written; Meta writes ``en-US`` in some webhooks and ``en_US`` everywhere else (cloud-api 3.8)."""
    await _alone(tx, rt)
    row = await tx.fetchrow(
        f"SELECT {_ROW} FROM templates WHERE waba_id = $1 AND name = $2 AND language = $3",
        rt.settings.whatsapp_business_account_id,
        name,
        language.replace("-", "_"),
    )
    return _row(row) if row else None


def _row(row: Record) -> Row:
    return Row(of_row(row), row["correct_category"], row["wanted"], tuple(row["drift"]), row["told_at"])


async def write(tx: Tx, rt: Runtime, before: Row | None, after: Row, *, quiet: bool = False) -> list[str]:
    """Write what changed and tell of it; the keys of messages that need not wait any longer.

    ``quiet``: what was so before anybody looked is no news, though what is wrong is still an alert.
    """
    after = with_drift(after)
    if before is not None and same(before, after):
        return []
    now, at = rt.now(), after.mirrored
    await tx.execute(
        _WRITE,
        rt.settings.whatsapp_business_account_id,
        at.name,
        at.language,
        at.meta_id,
        at.category,
        after.correct_category,
        at.status,
        at.reason,
        at.quality,
        at.parameter_format,
        list(at.components),
        at.ttl_s,
        after.wanted,
        list(after.drift),
        at.paused_until,
        after.told_at,
        now,
    )
    await news.tell(tx, rt, before, after, quiet=quiet)
    return [hold_key(*after.key)] if _ends_a_hold(before, standing(at)) else []


def _ends_a_hold(before: Row | None, now: Standing) -> bool:
    """Messages wait while a template is held, and (on Meta's refusal) for one that was not known."""
    was = standing(before.mirrored) if before else None
    return not isinstance(now, Held) and (was is None or type(was) is not type(now))


async def take_in(
    tx: Tx, rt: Runtime, found: Sequence[Mapping[str, Any]], *, began: datetime
) -> tuple[list[str], int, int]:
    """Make the mirror equal to Meta's whole list, asked for at ``began``; keys to release, templates, changes.

    What was written since is newer than the list and stays. What is not on the list is gone.
    """
    waba_id = rt.settings.whatsapp_business_account_id
    before = {row.key: row for row in await listed(tx, rt, lock=True)}
    quiet = not await tx.fetchval("SELECT synced_at IS NOT NULL FROM template_syncs WHERE id = $1", waba_id)
    listing = {(each.name, each.language): (each, entry) for entry in found if (each := of_listing(entry))}
    release: list[str] = []
    changed = 0
    for key in sorted({*before, *listing}):
        row = before.get(key)
        if row is not None and row.mirrored.changed_at and row.mirrored.changed_at > began:
            continue
        after = of_entry(row, *listing[key]) if key in listing else deleted(row) if row else None
        if after is None or (row is not None and same(row, with_drift(after))):
            continue
        changed += 1
        release += await write(tx, rt, row, after, quiet=quiet)
    await tx.execute("UPDATE templates SET synced_at = $2 WHERE waba_id = $1", waba_id, rt.now())
    await tx.execute(
        "INSERT INTO template_syncs AS s (id, synced_at, work_at) VALUES ($1, $2, $2) "
        "ON CONFLICT (id) DO UPDATE SET synced_at = $2, failed = NULL",
        waba_id,
        rt.now(),
    )
    return release, len(listing), changed


async def look_at_reviews(tx: Tx, rt: Runtime) -> None:
    """Raise the alert about each review that takes longer than Meta says; its end resolves it."""
    rows = await tx.fetch(
        f"SELECT {COLUMNS}, pending_since FROM templates WHERE waba_id = $1 AND pending_since <= $2 "
        "ORDER BY name, language",
        rt.settings.whatsapp_business_account_id,
        rt.now() - _REVIEW,
    )
    for row in rows:
        await news.overdue(tx, rt, of_row(row), row["pending_since"])


async def ask_sync(tx: Tx, rt: Runtime) -> None:
    """Compare with Meta soon; asking again while that is pending or under way costs one comparison more at most."""
    await _alone(tx, rt)
    now = rt.now()
    await tx.execute(
        "INSERT INTO template_syncs AS s (id, asked_at, work, work_at) VALUES ($1, $2, 'ready', $2) "
        "ON CONFLICT (id) DO UPDATE SET asked_at = $2, work_at = $2, "
        "work = CASE WHEN s.work = 'running' THEN s.work ELSE 'ready' END",
        rt.settings.whatsapp_business_account_id,
        now,
    )
    tx.after_commit(lambda: rt.wakes.work("template_syncs"))
