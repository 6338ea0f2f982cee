"""Alerts: what an operator must know of, raised once when it becomes true and resolved once when it ends."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final, Literal

from sayso.core.database import Record, Tx
from sayso.core.runtime import Runtime
from sayso.core.telemetry import ALERTS, ALERTS_OPEN
from sayso.events import service

Severity = Literal["info", "warning", "critical"]
SEVERITIES: Final[tuple[Severity, ...]] = ("info", "warning", "critical")

#: What an alert may be about: how its key begins, before the first colon. `docs/senders.md` has a row for each.
KEYS: Final = frozenset(
    {
        "credentials",
        "sender.held",
        "sender.quality",
        "sender.status",
        "sender.health",
        "sender.unchecked",
        "tier",
        "account.restriction",
        "account.disabled",
        "account.gone",
        "account.review",
        "account.name",
        "account.violation",
        "account.security",
        "endpoint.disabled",
        "account.alert",
        "template.status",
        "template.pending",
        "template.quality",
        "template.category",
        "template.drift",
        "templates.sync",
    }
)

#: Whose feed alerts go to: no single assistant's. Callers with the scope ``admin`` read it beside their own.
OPERATOR: Final = ""
#: An alert that goes on is written down as still true at most this often.
_SEEN_EVERY: Final = timedelta(minutes=1)


_RAISE: Final = (
    "INSERT INTO alerts (id, key, severity, title, detail, advice, raised_at, seen_at, until) "
    "VALUES ($1, $2, $3, $4, $5, $6, $7, $7, $8) ON CONFLICT (key) WHERE resolved_at IS NULL DO NOTHING"
)


async def raise_(
    tx: Tx,
    rt: Runtime,
    key: str,
    *,
    severity: Severity,
    title: str,
    detail: str,
    advice: str,
    until: datetime | None = None,
) -> bool:
    """Say that something is wrong; whether that was news.

    While the alert is open, saying it again changes nothing; only another severity makes it another alert. ``key``
    names the cause, such as ``sender.held:<id>``, and begins with one of ``KEYS``, or ValueError is raised; ``advice``
    says what the operator should do. What has no end that we would hear of ends at ``until``.
    """
    if key.partition(":")[0] not in KEYS:
        raise ValueError(f"an alert that nobody can look up: {key}")
    now = rt.now()
    open_ = await tx.fetchrow(
        "SELECT severity, seen_at FROM alerts WHERE key = $1 AND resolved_at IS NULL", key
    )
    if open_ is not None and open_["severity"] == severity:
        if now - open_["seen_at"] >= _SEEN_EVERY:
            await tx.execute(
                "UPDATE alerts SET seen_at = $2 WHERE key = $1 AND resolved_at IS NULL", key, now
            )
        return False
    if open_ is not None:
        await resolve(tx, rt, key)
    alert_id = rt.new_id("alr")
    if not await tx.execute(_RAISE, alert_id, key, severity, title, detail, advice, now, until):
        return False
    data = {"alert_id": alert_id, "key": key, "severity": severity, "title": title, "detail": detail}
    await _tell(tx, rt, "alert.raised", alert_id, data | {"advice": advice})
    tx.after_commit(ALERTS.labels(severity).inc)
    return True


async def resolve(tx: Tx, rt: Runtime, key: str) -> bool:
    """Say that it is over; whether an alert was open."""
    rows = await tx.fetch(
        "UPDATE alerts SET resolved_at = $2 WHERE key = $1 AND resolved_at IS NULL RETURNING *", key, rt.now()
    )
    await _tell_resolved(tx, rt, rows)
    return bool(rows)


async def resolve_by_hand(tx: Tx, rt: Runtime, alert_id: str, *, by: str) -> Record | None:
    """An operator says that it is over; the alert, which may have been resolved before, or None: no such alert."""
    rows = await tx.fetch(
        "UPDATE alerts SET resolved_at = $2, resolved_by = $3 WHERE id = $1 AND resolved_at IS NULL RETURNING *",
        alert_id,
        rt.now(),
        by,
    )
    await _tell_resolved(tx, rt, rows)
    return await tx.fetchrow("SELECT * FROM alerts WHERE id = $1", alert_id)


async def resolve_ended(tx: Tx, rt: Runtime) -> None:
    """Resolve the alerts whose time is over."""
    rows = await tx.fetch(
        "UPDATE alerts SET resolved_at = $1 WHERE resolved_at IS NULL AND until <= $1 RETURNING *", rt.now()
    )
    await _tell_resolved(tx, rt, rows)


async def _tell_resolved(tx: Tx, rt: Runtime, rows: Sequence[Record]) -> None:
    for row in rows:
        told = {name: row[name] for name in ("key", "severity", "title")}
        await _tell(tx, rt, "alert.resolved", row["id"], {"alert_id": row["id"], **told})


async def _tell(tx: Tx, rt: Runtime, kind: str, subject: str, data: dict[str, str]) -> None:
    await service.emit(tx, rt, client_id=OPERATOR, kind=kind, subject=subject, data=data)


async def page(tx: Tx, *, state: str, before: str | None, limit: int) -> list[Record]:
    """Alerts, newest first; ``state``: open, resolved or all."""
    return await tx.fetch(
        "SELECT * FROM alerts WHERE ($1 = 'all' OR (resolved_at IS NULL) = ($1 = 'open')) "
        "AND ($2::text IS NULL OR id < $2) ORDER BY id DESC LIMIT $3",
        state,
        before,
        limit,
    )


async def gauge(tx: Tx) -> None:
    """Set the gauge of open alerts."""
    rows = await tx.fetch("SELECT severity, count(*) AS n FROM alerts WHERE resolved_at IS NULL GROUP BY 1")
    found = {row["severity"]: row["n"] for row in rows}
    for severity in SEVERITIES:
        ALERTS_OPEN.labels(severity).set(found.get(severity, 0))
