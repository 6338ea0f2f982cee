"""What Meta tells of numbers and of the account by webhook (cloud-api 4.11): kept, told to operators, and asked about.

A webhook says that something is different now, and often not what: so each one makes a check of our numbers due, which
asks Meta for everything. What a check cannot see (a restriction, a review, a changed PIN) becomes an alert here.
"""

from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sayso.core.database import Tx
from sayso.core.runtime import Runtime
from sayso.events import alerts
from sayso.events import service as events
from sayso.messages import service as messages
from sayso.senders import learning, proving
from sayso.senders import service as senders
from sayso.senders.service import Sender
from sayso.whatsapp.failures import classify, graph_error
from sayso.whatsapp.numbers import HIGH, Number, tier_of
from sayso.whatsapp.updates import OtherUpdate

Told = Mapping[str, Any]

#: An error of the account that is told later than this is history: what it asked for has been asked again since.
_FRESH: Final = timedelta(minutes=10)
#: News without an end that we would hear of: the alert ends after this.
_FADES: Final = timedelta(days=7)
_SEVERITY: Final[Mapping[str, alerts.Severity]] = {"CRITICAL": "critical", "WARNING": "warning"}
_GONE: Final = frozenset({"ACCOUNT_DELETED", "ACCOUNT_OFFBOARDED"})
_BACK: Final = frozenset({"ACCOUNT_RECONNECTED", "ACCOUNT_REINSTATED"})


async def digest(tx: Tx, rt: Runtime, update: OtherUpdate) -> str:
    """Do what a webhook about a number or the account asks for; what became of it in words."""
    if update.waba_id != rt.settings.whatsapp_business_account_id:
        return f"ignored: the account {update.waba_id or '(none)'} is not ours"
    value = update.value if isinstance(update.value, dict) else {}
    await senders.lock_all(tx)
    done = await _READERS[update.kind](tx, rt, update, value)
    await events.emit(
        tx,
        rt,
        client_id=alerts.OPERATOR,
        kind="account.news",
        subject=update.waba_id,
        data={"field": update.kind, "value": value},
    )
    await proving.check_now(tx, rt)
    return f"{update.kind}: {done}"


async def _quality(tx: Tx, rt: Runtime, update: OtherUpdate, value: Told) -> str:
    """The throughput, the flag and, in older payloads, the messaging limit of a number."""
    event, sender = _word(value, "event"), await _number(tx, value)
    tier = tier_of(value.get("max_daily_conversations_per_business") or value.get("current_limit"))
    if sender is None or _old(sender, update):
        return f"{event}; Meta is asked"
    upgraded = event == "THROUGHPUT_UPGRADE"
    status = {"FLAGGED": "FLAGGED", "UNFLAGGED": "CONNECTED"}.get(event)
    number = Number(
        status=status,
        throughput="HIGH" if upgraded else None,
        rate_limit=HIGH if upgraded else None,
        tier=tier,
    )
    learned = await learning.learn(tx, rt, sender.id, number)
    await _tier_changed(tx, rt, learned.tier_of)
    return f"{event}, limit {tier or 'not told'}"


async def _capability(tx: Tx, rt: Runtime, update: OtherUpdate, value: Told) -> str:
    """The messaging limit of the whole portfolio."""
    tier = tier_of(value.get("max_daily_conversations_per_business"))
    ours = await senders.listed(tx)
    if not ours or any(_old(sender, update) for sender in ours):
        return "Meta is asked"
    await _tier_changed(tx, rt, await learning.learn_tier(tx, rt, ours[0].portfolio_id, tier))
    return f"limit {tier or 'not told'}"


async def _name(tx: Tx, rt: Runtime, _update: OtherUpdate, value: Told) -> str:
    """The verdict on a display name; an unapproved one of a test number stops it (131037)."""
    decision, shown = _word(value, "decision"), str(value.get("display_phone_number", ""))
    key = f"account.name:{shown}"
    if decision == "APPROVED":
        await alerts.resolve(tx, rt, key)
    else:
        await alerts.raise_(
            tx,
            rt,
            key,
            severity="warning",
            title="A display name was not approved",
            detail=f"{shown}: {decision}. {value.get('rejection_reason') or ''}".strip(),
            advice="Choose another display name in WhatsApp Manager.",
            until=rt.now() + _FADES,
        )
    return decision


async def _account(tx: Tx, rt: Runtime, _update: OtherUpdate, value: Told) -> str:
    event = _word(value, "event")
    if event == "ACCOUNT_RESTRICTION":
        await _restricted(tx, rt, value)
    elif event == "ACCOUNT_VIOLATION":
        kind = _word(_object(value, "violation_info"), "violation_type")
        await _alert(
            tx,
            rt,
            "violation",
            "warning",
            said=f"Meta found a violation of its policy: {kind}.",
            lasts=_FADES,
        )
    elif event == "DISABLED_UPDATE":
        await _disabled(tx, rt, _object(value, "ban_info"))
    elif event in _GONE:
        await _alert(tx, rt, "gone", "critical", said=f"The account is gone: {event}.")
    elif event in _BACK:
        for part in ("gone", "disabled", "restriction"):
            await alerts.resolve(tx, rt, f"account.{part}")
    return event


async def _restricted(tx: Tx, rt: Runtime, value: Told) -> None:
    """Restrictions, each until a moment; an empty list lifts them."""
    listed = value.get("restriction_info")
    found = [each for each in (listed if isinstance(listed, list) else []) if isinstance(each, dict)]
    if not found:
        await alerts.resolve(tx, rt, "account.restriction")
        return
    now = rt.now()
    told = [moment for each in found if (moment := _moment(each.get("expiration"))) is not None]
    ends = max(told, default=now + _FADES)
    if ends <= now:
        return
    kinds = ", ".join(_word(each, "restriction_type") for each in found)
    remedy = "; ".join(str(each["remediation"]) for each in found if each.get("remediation"))
    said = f"Meta restricts the account: {kinds}, until {ends:%Y-%m-%d %H:%M} UTC. {remedy}".strip()
    await _alert(tx, rt, "restriction", "critical", said=said, lasts=ends - now)


async def _disabled(tx: Tx, rt: Runtime, ban: Told) -> None:
    state = _word(ban, "waba_ban_state")
    if state == "REINSTATE":
        await alerts.resolve(tx, rt, "account.disabled")
        return
    said = f"Meta disables the account: {state}, {ban.get('waba_ban_date') or 'no date told'}."
    await _alert(tx, rt, "disabled", "critical", said=said)


async def _review(tx: Tx, rt: Runtime, _update: OtherUpdate, value: Told) -> str:
    decision = _word(value, "decision")
    if decision == "APPROVED":
        await alerts.resolve(tx, rt, "account.review")
    else:
        severity: alerts.Severity = "critical" if decision == "REJECTED" else "warning"
        await _alert(tx, rt, "review", severity, said=f"The review of the account: {decision}.")
    return decision


async def _alerts(tx: Tx, rt: Runtime, _update: OtherUpdate, value: Told) -> str:
    """Meta's own alerts, flat or nested in ``alert_info``; what only informs is an event and no alert of ours."""
    about = {**value, **_object(value, "alert_info")}
    kind, severity = _word(about, "alert_type"), _SEVERITY.get(_word(about, "alert_severity"))
    part = f"alert:{kind}:{about.get('entity_id') or ''}"
    if _word(about, "alert_status") in {"RESOLVED", "INACTIVE"}:
        await alerts.resolve(tx, rt, f"account.{part}")
    elif severity is not None:
        said = f"{kind}: {about.get('alert_description') or ''}".strip()
        await _alert(tx, rt, part, severity, said=said, lasts=_FADES)
    return kind


async def _security(tx: Tx, rt: Runtime, _update: OtherUpdate, value: Told) -> str:
    event, shown = _word(value, "event"), value.get("display_phone_number", "")
    said = f"{event} for {shown}, asked for by {value.get('requester') or 'somebody not told'}."
    await _alert(tx, rt, f"security:{event}:{shown}", "warning", said=said, lasts=_FADES)
    return event


async def _error(tx: Tx, rt: Runtime, update: OtherUpdate, value: Told) -> str:
    """An error of the account or the system as a whole (cloud-api 4.10): what it asks of the sender is done."""
    error = graph_error(value)
    if error is None:
        return "no error object"
    if update.phone_number_id and (update.at is None or rt.now() - update.at < _FRESH):
        await senders.obey(tx, rt, update.phone_number_id, classify(error, None))
    return f"{error.code} {error.title}"


async def _alert(
    tx: Tx, rt: Runtime, part: str, severity: alerts.Severity, *, said: str, lasts: timedelta | None = None
) -> None:
    await alerts.raise_(
        tx,
        rt,
        f"account.{part}",
        severity=severity,
        title="Meta has news of the account",
        detail=said,
        advice="See the account in Meta Business Suite, Account quality; appeal there when it is wrong.",
        until=None if lasts is None else rt.now() + lasts,
    )


async def _tier_changed(tx: Tx, rt: Runtime, portfolio_id: str | None) -> None:
    if portfolio_id is not None:
        await messages.release(tx, rt, f"tier:{portfolio_id}")


async def _number(tx: Tx, value: Told) -> Sender | None:
    return await senders.by_display_number(tx, str(value.get("display_phone_number", "")))


def _old(sender: Sender, update: OtherUpdate) -> bool:
    """Whether we asked Meta since it said this: webhooks come days late, and in any order (cloud-api 4.5)."""
    return sender.checked_at is not None and (update.at is None or update.at <= sender.checked_at)


def _moment(seconds: Any) -> datetime | None:
    """A unix time, as a number or digits; None when it is none."""
    try:
        return datetime.fromtimestamp(int(seconds), UTC)
    except (TypeError, ValueError, OverflowError, OSError):
        return None


def _word(value: Told, name: str) -> str:
    found = value.get(name)
    return found.upper() if isinstance(found, str) and found else "(not told)"


def _object(value: Told, name: str) -> Told:
    found = value.get(name)
    return found if isinstance(found, dict) else {}


_READERS: Final[Mapping[str, Callable[[Tx, Runtime, OtherUpdate, Told], Awaitable[str]]]] = {
    "phone_number_quality_update": _quality,
    "business_capability_update": _capability,
    "phone_number_name_update": _name,
    "account_update": _account,
    "account_review_update": _review,
    "account_alerts": _alerts,
    "security": _security,
    "error": _error,
}

#: What is done with each field.
NEWS: Final[Mapping[str, Callable[[Tx, Runtime, OtherUpdate], Awaitable[str]]]] = dict.fromkeys(
    _READERS, digest
)
