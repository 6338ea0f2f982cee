"""The allowance of management calls: one per account, shared by every process (cloud-api 6)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sayso.core.database import Tx
from sayso.core.errors import SaysoError
from sayso.core.runtime import Runtime
from sayso.senders import rules
from sayso.whatsapp import usage
from sayso.whatsapp.usage import Usage

#: Calls an hour: of an account without, and with, a number that is registered (cloud-api 6).
FEW: Final = 200
MANY: Final = 5_000
#: More than the whole can be used only by a miscount.
_MOST_PERCENT: Final = 1_000.0
_PAUSE: Final = timedelta(minutes=5)


class CallBudgetSpentError(SaysoError):
    """The allowance of management calls is used up for now; try again after ``Retry-After`` seconds."""

    status = 503
    code = "call_budget_spent"
    title = "Too many management calls"
    retryable = True

    def __init__(self, until: datetime) -> None:
        super().__init__(
            f"Meta's allowance of management calls is used up. The next one may be made at {until:%H:%M:%S} UTC."
        )
        self.until = until


async def take(tx: Tx, rt: Runtime, waba_id: str, *, calls: int = 1, urgent: bool = False) -> datetime | None:
    """Count calls that are about to be made. None: make them; else make none, and come back at that time.

    The allowance is a bucket of half an hour's calls that fills at half the hourly rate, so no hour sees more than
    Meta allows, wherever it begins. The last fifth is kept for what is ``urgent``: finding out whether a new access
    token works.
    """
    now, limit = rt.now(), await _hourly(tx, waba_id)
    row = await tx.fetchrow(
        "INSERT INTO call_budgets (waba_id, used, at) VALUES ($1, 0, $2) "
        "ON CONFLICT (waba_id) DO UPDATE SET waba_id = $1 RETURNING *",
        waba_id,
        now,
    )
    if row is None:  # pragma: no cover - an upsert returns its row
        return now
    if row["hold_until"] is not None and row["hold_until"] > now:
        held: datetime = row["hold_until"]
        return held
    used, wait = rules.bucket(row["used"], now - row["at"], calls=calls, hourly=limit, urgent=urgent)
    if wait > timedelta(0):
        return now + wait
    await tx.execute("UPDATE call_budgets SET used = $2, at = $3 WHERE waba_id = $1", waba_id, used, now)
    return None


async def heed(tx: Tx, rt: Runtime, waba_id: str, told: Usage) -> None:
    """Take note of an answer's usage: close to the end, or refused until some time, nobody calls for a while."""
    pause = timedelta(0)
    if told.regain_s > 0:
        pause = rules.hold_for(told.regain_s, 1)
    elif told.percent >= rules.HEEDED_PERCENT:
        pause = _PAUSE
    now = rt.now()
    await tx.execute(
        "INSERT INTO call_budgets AS b (waba_id, used, at, told_percent, hold_until, hold_why) "
        "VALUES ($1, 0, $2, $5, $3, $4) ON CONFLICT (waba_id) DO UPDATE SET told_percent = $5, "
        "hold_until = greatest(b.hold_until, $3), hold_why = coalesce($4, b.hold_why)",
        waba_id,
        now,
        now + pause if pause else None,
        f"Meta counts {told.percent:.0f} % of the allowance as used" if pause else None,
        bounded(told.percent),
    )


def bounded(percent: float) -> float:
    """A share as it is kept and shown: what Meta says may be absurd."""
    return min(percent, _MOST_PERCENT)


async def _hourly(tx: Tx, waba_id: str) -> int:
    """Calls an hour: many once Meta has said of a number that it is connected, or calls by it have."""
    registered = await tx.fetchval(
        "SELECT EXISTS (SELECT 1 FROM senders WHERE waba_id = $1 AND status = 'CONNECTED')", waba_id
    )
    return MANY if registered else FEW


async def standing(tx: Tx, rt: Runtime, waba_id: str) -> dict[str, object]:
    """The allowance as it stands: calls an hour, how many could go at once, what Meta counts, until when none may."""
    row = await tx.fetchrow("SELECT * FROM call_budgets WHERE waba_id = $1", waba_id)
    hourly, now = await _hourly(tx, waba_id), rt.now()
    used = rules.drained(row["used"], now - row["at"], hourly) if row else 0.0
    held = row["hold_until"] if row and row["hold_until"] and row["hold_until"] > now else None
    return {
        "hourly": hourly,
        "left_now": 0 if held else int(hourly / 2 - used),
        "used_percent": row["told_percent"] if row else None,
        "hold_until": held,
        "hold_why": row["hold_why"] if row and held else None,
    }


@dataclass(frozen=True, slots=True)
class CallBudget:
    """The allowance as those who make the calls meet it: each call is counted before it, and heeded after it."""

    rt: Runtime
    urgent: bool = False

    async def spend(self, waba_id: str) -> None:
        """Count one call; raises :class:`CallBudgetSpentError` when none may be made now."""
        async with self.rt.db.tx() as tx:
            until = await take(tx, self.rt, waba_id, urgent=self.urgent)
        if until is not None:
            raise CallBudgetSpentError(until)

    async def learn(self, waba_id: str, headers: Mapping[str, str]) -> None:
        """Take note of the usage headers of an answer."""
        told = usage.read(headers)
        if told == Usage():
            return
        async with self.rt.db.tx() as tx:
            await heed(tx, self.rt, waba_id, told)
