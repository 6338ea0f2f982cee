"""Our numbers: who they are, what holds them, what Meta last said of them. Whoever may send asks here."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

import msgspec

from sayso.core.claims import Queue
from sayso.core.database import Record, Tx
from sayso.core.runtime import Runtime
from sayso.core.settings import Settings
from sayso.core.telemetry import SENDER_HELD, SENDER_RATE
from sayso.senders import rules

#: A sender's row is also its next check against Meta.
QUEUE: Final = Queue("senders")

_SENDER = (
    "SELECT s.*, p.tier, p.tier_limit, clock_timestamp() AS clock FROM senders s "
    "JOIN portfolios p ON p.id = s.portfolio_id"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """A number of ours. Rates in messages a second; times in UTC, by the service's clock.

    It sends while ``circuit`` is closed and ``hold_until`` is over or None. ``quality``, ``status``, ``throughput``,
    ``tier`` and ``can_send`` are Meta's words (cloud-api 6 and 8.1), None until the first check. ``tier_limit`` is
    None when there is none, or none is known.
    """

    id: str
    waba_id: str
    portfolio_id: str
    display_number: str | None
    verified_name: str | None
    quality: str | None
    status: str | None
    throughput: str | None
    can_send: str | None
    obstacles: tuple[str, ...]
    tier: str | None
    tier_limit: int | None
    rate_limit: float
    rate: float
    hold_from: datetime | None
    hold_until: datetime | None
    hold_why: str | None
    hold_code: int | None
    hold_times: int
    circuit: str
    circuit_since: datetime | None
    circuit_why: str | None
    circuit_code: int | None
    checked_at: datetime | None
    check_failed: str | None

    def held(self, now: datetime) -> str | None:
        """Why nothing goes out from this number now; None when it sends."""
        if self.circuit == "open":
            return self.circuit_why or "the access token was refused"
        return self.hold_why if self.hold_until is not None and self.hold_until > now else None


_FIELDS: Final = frozenset(Sender.__dataclass_fields__)


def ids(settings: Settings) -> tuple[str, ...]:
    """The phone number ids that are ours, the first one first."""
    return (settings.whatsapp_phone_number_id,)


def known(rt: Runtime, phone_number_id: str) -> bool:
    """Whether a number is one of ours."""
    return phone_number_id in ids(rt.settings)


async def ensure(tx: Tx, rt: Runtime) -> None:
    """Give each configured number its row, and its portfolio one; what is known of them already stays.

    The business portfolio is not named by any setting; the id of the WABA stands for it.
    """
    waba_id = rt.settings.whatsapp_business_account_id
    await tx.execute("INSERT INTO portfolios (id) VALUES ($1) ON CONFLICT DO NOTHING", waba_id)
    await tx.execute(
        "INSERT INTO senders AS s (id, waba_id, portfolio_id, work, work_at) "
        "SELECT id, $2, $2, 'ready', $3 FROM unnest($1::text[]) AS ours (id) ORDER BY id "
        "ON CONFLICT (id) DO UPDATE SET waba_id = $2, portfolio_id = $2, work = coalesce(s.work, 'ready'), "
        "work_at = CASE WHEN s.work IS NULL THEN $3 ELSE s.work_at END "
        "WHERE s.work IS NULL OR s.waba_id <> $2",
        list(ids(rt.settings)),
        waba_id,
        rt.now(),
    )
    tx.after_commit(lambda: rt.wakes.work(QUEUE.table))


async def get(tx: Tx, phone_number_id: str) -> Sender | None:
    """One of our numbers as it stands."""
    row = await tx.fetchrow(f"{_SENDER} WHERE s.id = $1", phone_number_id)
    return _sender(row) if row else None


async def listed(tx: Tx) -> list[Sender]:
    """Every number of ours."""
    return [_sender(row) for row in await tx.fetch(f"{_SENDER} ORDER BY s.id")]


def _sender(row: Record) -> Sender:
    values = {name: value for name, value in dict(row).items() if name in _FIELDS}
    values["rate"] = rules.grown(row["rate"], row["rate_grows_at"], row["clock"], row["rate_limit"])
    return msgspec.convert(values, Sender)


async def hold(
    tx: Tx, rt: Runtime, phone_number_id: str | None, *, until: datetime, why: str, code: int | None = None
) -> None:
    """Send nothing from a number (None: from any of ours) before ``until``; a longer hold that is there stays."""
    await tx.execute(
        "UPDATE senders SET hold_from = CASE WHEN hold_until > $2 THEN hold_from ELSE $2 END, hold_until = $3, "
        "hold_why = $4, hold_code = $5 WHERE ($1::text IS NULL OR id = $1) "
        "AND (hold_until IS NULL OR hold_until < $3)",
        phone_number_id,
        rt.now(),
        until,
        why,
        code,
    )


async def release(tx: Tx, rt: Runtime, phone_number_id: str | None) -> None:
    """End the hold of a number (None: of all of ours) at once. A circuit that is open stays open."""
    await tx.execute(
        "UPDATE senders SET hold_until = NULL, hold_why = NULL, hold_code = NULL, hold_times = 0 "
        "WHERE ($1::text IS NULL OR id = $1) AND hold_until IS NOT NULL",
        phone_number_id,
    )
    go_on(tx, rt)


def go_on(tx: Tx, rt: Runtime) -> None:
    """Once committed, let those who send look again."""
    tx.after_commit(lambda: rt.wakes.work("messages"))


async def gauge(tx: Tx, rt: Runtime) -> None:
    """Set the gauges of every number."""
    for sender in await listed(tx):
        SENDER_RATE.labels(sender.id).set(sender.rate)
        SENDER_HELD.labels(sender.id).set(0 if sender.held(rt.now()) is None else 1)
