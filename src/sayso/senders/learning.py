"""What Meta says of our numbers, by call or webhook, kept in their rows; what changed is told, what is bad alerted."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from sayso.core.database import Record, Tx
from sayso.core.runtime import Runtime
from sayso.events import alerts
from sayso.events import service as events
from sayso.senders.concerns import PARTS, concerns
from sayso.senders.reach import hold_key
from sayso.senders.service import go_on, release, tabled
from sayso.whatsapp.numbers import Number, limit_of

#: What is told when it changes, as the event names it, with the column it stands in.
_TOLD: Final = {
    "display_number": "display_number",
    "verified_name": "verified_name",
    "status": "status",
    "quality": "quality",
    "throughput": "throughput",
    "rate_limit": "rate_limit",
    "can_send": "can_send",
}


@dataclass(frozen=True, slots=True)
class Learned:
    """What an answer or a webhook changed: new values by name; the portfolio whose limit is another one now."""

    changed: Mapping[str, Any]
    tier_of: str | None = None


async def learn(tx: Tx, rt: Runtime, phone_number_id: str, number: Number) -> Learned:
    """Keep what Meta said of a number; what it did not say stays as it was."""
    before = await tx.fetchrow("SELECT * FROM senders WHERE id = $1 FOR UPDATE", phone_number_id)
    if before is None:
        return Learned({})
    found = {name: getattr(number, name) for name in _TOLD if getattr(number, name) is not None}
    changed = {name: value for name, value in found.items() if value != before[_TOLD[name]]}
    after = await _write(tx, phone_number_id, number)
    if changed:
        go_on(tx, rt)
    if changed.get("can_send") == "AVAILABLE" and before["can_send"] is not None:
        await _free_again(tx, rt, before)
    tier_of = await learn_tier(tx, rt, before["portfolio_id"], number.tier)
    await _tell(tx, rt, before, changed)
    await _worry(tx, rt, after)
    return Learned(changed, tier_of)


async def _write(tx: Tx, phone_number_id: str, number: Number) -> Record:
    said_health = number.can_send is not None
    row = await tx.fetchrow(
        "UPDATE senders SET display_number = coalesce($2, display_number), "
        "verified_name = coalesce($3, verified_name), status = coalesce($4, status), "
        "quality = coalesce($5, quality), throughput = coalesce($6, throughput), "
        "rate_limit = coalesce($7, rate_limit), can_send = coalesce($8, can_send), "
        "obstacles = CASE WHEN $9 THEN $10 ELSE obstacles END WHERE id = $1 RETURNING *",
        phone_number_id,
        number.display_number,
        number.verified_name,
        number.status,
        number.quality,
        number.throughput,
        number.rate_limit,
        number.can_send,
        said_health,
        list(number.obstacles),
    )
    assert row is not None  # noqa: S101 - it is locked by this transaction
    return row


async def learn_tier(tx: Tx, rt: Runtime, portfolio_id: str, tier: str | None) -> str | None:
    """Keep a portfolio's messaging limit; the portfolio, when it is another one now: what waited for it may go."""
    if tier is None:
        return None
    before = await tx.fetchrow("SELECT tier FROM portfolios WHERE id = $1 FOR UPDATE", portfolio_id)
    if before is None or before["tier"] == tier:
        return None
    await tx.execute(
        "UPDATE portfolios SET tier = $2, tier_limit = $3, hold_until = NULL, hold_why = NULL WHERE id = $1",
        portfolio_id,
        tier,
        limit_of(tier),
    )
    await alerts.resolve(tx, rt, hold_key(portfolio_id))  # whoever is turned away again says so again
    if before["tier"] is not None:
        change = {"tier": {"before": before["tier"], "after": tier}}
        await _emit(tx, rt, portfolio_id, {"portfolio": portfolio_id, "changed": change})
    go_on(tx, rt)
    return portfolio_id


async def _free_again(tx: Tx, rt: Runtime, before: Record) -> None:
    """Meta says that nothing stands in the way any more: a hold for what the account lacked is over before its time."""
    await alerts.resolve(tx, rt, "account.restriction")
    if before["hold_code"] is not None and tabled(before["hold_code"]).kind == "account":
        await release(tx, rt, before["id"])


async def _tell(tx: Tx, rt: Runtime, before: Record, changed: Mapping[str, Any]) -> None:
    """An event for what is different from before; the first description of a number is no change."""
    different = {
        name: {"before": before[_TOLD[name]], "after": value}
        for name, value in changed.items()
        if before[_TOLD[name]] is not None and (name != "rate_limit" or before["throughput"] is not None)
    }
    if different:
        await _emit(tx, rt, before["id"], {"sender": before["id"], "changed": different})


async def _emit(tx: Tx, rt: Runtime, subject: str, data: Mapping[str, Any]) -> None:
    await events.emit(tx, rt, client_id=alerts.OPERATOR, kind="sender.changed", subject=subject, data=data)


async def _worry(tx: Tx, rt: Runtime, row: Record) -> None:
    found = concerns(
        quality=row["quality"],
        status=row["status"],
        can_send=row["can_send"],
        obstacles=tuple(row["obstacles"]),
    )
    shown = row["display_number"] or row["id"]
    for concern in found:
        await alerts.raise_(
            tx,
            rt,
            _key(row["id"], concern.part),
            severity=concern.severity,
            title=concern.title,
            detail=f"{shown} (sender {row['id']}): {concern.detail}",
            advice=concern.advice,
        )
    for part in set(PARTS) - {concern.part for concern in found}:
        await alerts.resolve(tx, rt, _key(row["id"], part))


def _key(phone_number_id: str, part: str) -> str:
    return f"sender.{part}:{phone_number_id}"
