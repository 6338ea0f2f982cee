"""What is told of a template's changes: events in the operators' feed, and alerts while something is wrong."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from sayso.core.database import Tx
from sayso.core.runtime import Runtime
from sayso.events import alerts, service
from sayso.events.alerts import OPERATOR, Severity
from sayso.templates.rows import Row, undecided
from sayso.templates.rules import Held, Mirrored, hold_key, standing

_KINDS: Final = {
    "APPROVED": "template.approved",
    "REJECTED": "template.rejected",
    "PAUSED": "template.paused",
    "DISABLED": "template.disabled",
    "DELETED": "template.deleted",
    "PENDING_DELETION": "template.deleted",
}
_BY_QUALITY: Final[dict[str, Severity]] = {"RED": "warning", "YELLOW": "info"}
_ADVICE: Final[dict[str, tuple[Severity, str]]] = {
    "REJECTED": (
        "warning",
        "Read the reason, change the definition and push it again, or appeal in WhatsApp Manager.",
    ),
    "PAUSED": (
        "warning",
        "Its messages wait until Meta releases it; after RATE_LIMITING_PAUSE that takes `sayso templates unpause`.",
    ),
    "DISABLED": (
        "critical",
        "It will not come back by itself: define a template under another name, or appeal.",
    ),
    "DELETED": (
        "warning",
        "`sayso templates push` creates it again; an approved one's name is blocked for 30 days.",
    ),
}


async def tell(tx: Tx, rt: Runtime, before: Row | None, after: Row, *, quiet: bool) -> None:
    """Tell what became of a template; when ``quiet`` only alerts are raised and resolved."""
    if before is not None and after == undecided(before):
        return
    if not quiet:
        await _events(tx, rt, before, after)
    await _alerts(tx, rt, before, after)


async def _events(tx: Tx, rt: Runtime, before: Row | None, after: Row) -> None:
    at, was = after.mirrored, before.mirrored if before else None
    which: dict[str, Any] = {"name": at.name, "language": at.language}
    told: list[tuple[str, dict[str, Any]]] = []
    if was is None or was.status != at.status:
        kind = _KINDS.get(at.status, "template.held")
        until = at.paused_until
        told.append((kind, {"status": at.status, "reason": at.reason, "paused_until": until}))
    if was is not None and was.category != at.category:
        told.append(("template.category_changed", {"previous": was.category, "category": at.category}))
    if was is not None and None not in (was.quality, at.quality) and was.quality != at.quality:
        told.append(("template.quality_changed", {"previous": was.quality, "quality": at.quality}))
    if after.drift and (before is None or tuple(before.drift) != tuple(after.drift)):
        told.append(("template.drifted", {"fields": list(after.drift)}))
    for kind, data in told:
        subject = hold_key(at.name, at.language)
        await service.emit(tx, rt, client_id=OPERATOR, kind=kind, subject=subject, data=which | data)


async def _alerts(tx: Tx, rt: Runtime, before: Row | None, after: Row) -> None:
    at = after.mirrored
    name = f"{at.name} ({at.language})"
    there = at.status not in ("DELETED", "PENDING_DELETION")
    await _status(tx, rt, before, after, name)
    if at.status != "PENDING":
        await alerts.resolve(tx, rt, f"template.pending:{at.name}:{at.language}")
    if before is not None and before.mirrored.quality != at.quality:
        await alerts.resolve(tx, rt, f"template.quality:{at.name}:{at.language}")
    await _alert(
        tx,
        rt,
        after,
        "quality",
        _BY_QUALITY.get(at.quality or "") if there else None,
        title=f"The template {name} is rated {at.quality}",
        detail="People block or report its messages; Meta pauses a template rated RED.",
        advice="Send it to fewer people, and only to those who asked for it.",
    )
    await _category(tx, rt, after, name, there=there)
    await _alert(
        tx,
        rt,
        after,
        "drift",
        "warning" if after.drift else None,
        title=f"The template {name} was changed at Meta",
        detail=f"Other than what was pushed: {', '.join(after.drift)}.",
        advice="`sayso templates diff` shows both; push to put yours back, or take the change into the definition.",
    )


async def _category(tx: Tx, rt: Runtime, row: Row, name: str, *, there: bool) -> None:
    """Filed otherwise than was meant, or soon to be (cloud-api 3.6)."""
    at, wanted = row.mirrored, _wanted_category(row.wanted)
    announced = row.correct_category if row.correct_category not in (None, at.category) else None
    wrong = announced or (at.category if wanted not in (None, at.category) else None)
    await _alert(
        tx,
        rt,
        row,
        "category",
        "warning" if wrong and there else None,
        title=f"The template {name} {'will soon be' if announced else 'is'} filed as {wrong}",
        detail=f"It was meant as {wanted or at.category}. Marketing is dearer, capped, and not delivered in the USA.",
        advice="Take out whatever promotes, and push it again; a review can be requested in WhatsApp Manager.",
    )


async def _status(tx: Tx, rt: Runtime, before: Row | None, after: Row, name: str) -> None:
    """A rejection, pause, disabling or deletion is another cause each: the alert before it ends."""
    at = after.mirrored
    status = "DELETED" if at.status == "PENDING_DELETION" else at.status
    if before is not None and before.mirrored.status != at.status:
        await alerts.resolve(tx, rt, f"template.status:{at.name}:{at.language}")
    if status not in _ADVICE or (status == "DELETED" and after.wanted is None):
        return
    severity, advice = _ADVICE[status]
    until = f" until {at.paused_until:%d %b %H:%M} UTC" if at.paused_until else ""
    await _alert(
        tx,
        rt,
        after,
        "status",
        severity,
        title=f"The template {name} is {status.lower()}{until}",
        detail=f"Meta's reason: {at.reason}." if at.reason else "Meta gave no reason.",
        advice=advice,
    )


async def overdue(tx: Tx, rt: Runtime, at: Mirrored, since: datetime) -> None:
    """A review takes longer than Meta says that reviews take, whether or not messages wait for it."""
    name = f"{at.name} ({at.language})"
    await alerts.raise_(
        tx,
        rt,
        f"template.pending:{at.name}:{at.language}",
        severity="warning",
        title=f"The template {name} is still under review",
        detail=f"Since {since:%d %b %H:%M} UTC; Meta's reviews take up to 24 hours.",
        advice="See it in WhatsApp Manager; if it stays so, ask Meta's support, or push it under another name.",
    )


async def awaited(tx: Tx, rt: Runtime, at: Mirrored) -> None:
    """Messages wait for a template that is under review, or in another state that is no alert by itself."""
    held = standing(at)
    if at.status in _ADVICE or not isinstance(held, Held):
        return
    await alerts.raise_(
        tx,
        rt,
        f"template.status:{at.name}:{at.language}",
        severity="warning",
        title=f"Messages wait for the template {at.name} ({at.language})",
        detail=f"The {held.reason}. They go as soon as it can be sent, and expire if that is after their time.",
        advice="A review takes minutes, at times a day: look into WhatsApp Manager if it takes longer.",
    )


async def _alert(
    tx: Tx,
    rt: Runtime,
    row: Row,
    about: str,
    severity: Severity | None,
    *,
    title: str,
    detail: str,
    advice: str,
) -> None:
    """Raise the alert about one thing of a template, or resolve it (``severity`` None)."""
    key = f"template.{about}:{row.mirrored.name}:{row.mirrored.language}"
    if severity is None:
        await alerts.resolve(tx, rt, key)
        return
    await alerts.raise_(tx, rt, key, severity=severity, title=title, detail=detail, advice=advice)


def _wanted_category(wanted: Mapping[str, Any] | None) -> str | None:
    return str(wanted["category"]) if wanted else None
