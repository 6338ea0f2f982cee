"""The regular look at each number of ours: what Meta says of it, whether the access token is good, what has ended.

A check is a claimed row: every ten minutes, or two while a hold lasts; when a circuit opens at once, then after 15
seconds, 30, and every minute.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import structlog

from sayso.core import claims
from sayso.core.database import UNAVAILABLE, Record, Tx
from sayso.core.errors import MetaUnreachableError
from sayso.core.runtime import Runtime
from sayso.core.worker import Lease
from sayso.events import alerts
from sayso.senders import budget, portfolios, proving, reach, service
from sayso.senders.budget import CallBudgetSpentError
from sayso.senders.learning import learn
from sayso.senders.service import CIRCUIT_ALERT, PROVEN_AFTER, QUEUE, TOKEN_CODES, held_alert
from sayso.whatsapp import numbers
from sayso.whatsapp.credentials import Credentials
from sayso.whatsapp.management import ManagementClient, RefusedByMetaError
from sayso.whatsapp.usage import Usage

log = structlog.get_logger("sayso.senders")

EVERY: Final = timedelta(minutes=10)
WHILE_HELD: Final = timedelta(minutes=2)
#: While a circuit is open, and after a check that failed: doubling from the first to the second.
AGAIN_OPEN: Final = (timedelta(seconds=15), timedelta(seconds=60))
AGAIN_FAILED: Final = (timedelta(seconds=60), EVERY)
#: How often the file of the access token is looked at.
LOOK_S: Final = 1.0
#: So many checks in a row fail before an operator hears of it: Meta may be away for a moment.
WORTH_TELLING: Final = 3
_UNKNOWN_FIELD: Final = 100


@dataclass(frozen=True, slots=True)
class Found:
    """How a check ended. ``good``: Meta took the token, whatever it thought of the question."""

    good: bool
    number: numbers.Number | None = None
    refused: RefusedByMetaError | None = None
    failed: str | None = None


@dataclass(slots=True)
class Checks:
    """Asks Meta about one number at a time. ``on_tier`` is told of a portfolio whose limit counts no more as it did."""

    meta: ManagementClient
    credentials: Credentials
    on_tier: Callable[[Tx, Runtime, str], Awaitable[Any]]
    fields: str = numbers.FIELDS

    async def handle(self, rt: Runtime, lease: Lease, row: Record) -> None:
        """Check one number, and book its next check."""
        sender_id: str = row["id"]
        if not service.known(rt, sender_id):  # it was taken out of the settings
            async with rt.db.tx() as tx:
                await claims.complete(tx, QUEUE, worker=lease.worker, ids=[sender_id])
            return
        self.credentials.look()
        mark, began = self.credentials.mark, rt.now()
        try:
            found = await self._ask(sender_id)
        except CallBudgetSpentError as error:
            await self._book(rt, lease, sender_id, error.until)
            return
        async with rt.db.tx() as tx:
            await service.lock_all(tx)
            again = await proving.asked_again(tx, sender_id)
            await self._conclude(tx, rt, sender_id, found, mark=mark, began=began)
            next_at = rt.now() if again else await _next(tx, rt, sender_id)
            await claims.postpone(
                tx, QUEUE, worker=lease.worker, row_id=sender_id, until=next_at, blameless=True
            )
        await _sweep(rt, sender_id)

    async def watch(self, rt: Runtime) -> None:
        """Look at the token's file for as long as the process lives; a replaced token is checked at once.

        Whoever else met the new token first, a refused POST or a check, took it up for its own number alone.
        """
        checked = self.credentials.token
        while True:
            await asyncio.sleep(LOOK_S)
            try:
                self.credentials.look()
                if (token := self.credentials.token) != checked:
                    async with rt.db.tx() as tx:
                        await proving.check_now(tx, rt)
                    checked = token
            except UNAVAILABLE as error:
                log.warning("credentials.not_checked", error=repr(error))
            except Exception:
                log.exception("credentials.not_checked")  # who stops watching would never take up a token

    async def _book(self, rt: Runtime, lease: Lease, sender_id: str, until: datetime) -> None:
        async with rt.db.tx() as tx:
            await claims.postpone(
                tx, QUEUE, worker=lease.worker, row_id=sender_id, until=until, blameless=True
            )

    async def _ask(self, sender_id: str) -> Found:
        try:
            try:
                answer = await self.meta.phone_number(sender_id, self.fields)
            except RefusedByMetaError as error:
                if error.error.code != _UNKNOWN_FIELD or self.fields == numbers.FIELDS_OF_OLD:
                    raise
                self.fields = numbers.FIELDS_OF_OLD  # this version of Graph does not have all of them
                answer = await self.meta.phone_number(sender_id, self.fields)
        except RefusedByMetaError as error:
            return Found(good=error.error.code not in TOKEN_CODES, refused=error, failed=error.detail)
        except MetaUnreachableError as error:
            return Found(good=False, failed=error.detail)
        return Found(good=True, number=numbers.read(answer))

    async def _conclude(
        self, tx: Tx, rt: Runtime, sender_id: str, found: Found, *, mark: str, began: datetime
    ) -> None:
        """What the check means for the circuit, for what is known of the number, and for what has ended."""
        refused = found.refused
        if refused is not None and not found.good:
            await service.obey(tx, rt, sender_id, refused.failure, by_check=True)
        if refused is not None and refused.failure.kind == "window":
            await budget.heed(tx, rt, rt.settings.whatsapp_business_account_id, Usage(percent=100.0))
        await proving.checked(tx, rt, sender_id, failed=found.failed)
        if found.good:
            await proving.prove(tx, rt, sender_id, mark, began)
        if found.number is not None:
            for left in await portfolios.join(tx, rt, sender_id, found.number.portfolio_id):
                await self.on_tier(tx, rt, left)
            learned = await learn(tx, rt, sender_id, found.number)
            if learned.tier_of is not None:
                await self.on_tier(tx, rt, learned.tier_of)
        await _tell(tx, rt, sender_id, found)
        await _end_alerts(tx, rt, sender_id)


async def _tell(tx: Tx, rt: Runtime, sender_id: str, found: Found) -> None:
    """A check that fails again and again, for another reason than the token, which has an alert of its own."""
    key = f"sender.unchecked:{sender_id}"
    if found.failed is None:
        await alerts.resolve(tx, rt, key)
        return
    sender = await service.get(tx, sender_id)
    failures = sender.checks_failed if sender else 0
    if failures < WORTH_TELLING or (found.refused is not None and not found.good):
        return
    await alerts.raise_(
        tx,
        rt,
        key,
        severity="warning",
        title="A number cannot be checked",
        detail=f"Meta was asked {failures} times about the sender {sender_id}: {found.failed}",
        advice="Give the token the permission whatsapp_business_management, and see that the number's ID is right. "
        "Messages go on; what Meta allows the number (rate, limit, quality) is not known.",
    )


async def _sweep(rt: Runtime, sender_id: str) -> None:
    """Forget people reached more than a day ago, also while nothing is sent: what is shown as used is then true."""
    async with rt.db.one() as tx:
        sender = await service.get(tx, sender_id)
    if sender is not None:
        await reach.sweep_all(rt, sender.portfolio_id)


async def _end_alerts(tx: Tx, rt: Runtime, sender_id: str) -> None:
    """Resolve what is over: a hold that did not come back, credentials that are good for every number."""
    await alerts.resolve_ended(tx, rt)
    now = rt.now()
    senders = await service.listed(tx)
    for sender in senders:
        if sender.id == sender_id and (sender.hold_until is None or sender.hold_until + PROVEN_AFTER <= now):
            await alerts.resolve(tx, rt, held_alert(sender_id))
    if all(sender.circuit == "closed" and not proving.on_probation(sender, now) for sender in senders):
        await alerts.resolve(tx, rt, CIRCUIT_ALERT)


async def _next(tx: Tx, rt: Runtime, sender_id: str) -> datetime:
    """When to look again: soon while something is wrong, and once a hold has proved to be over."""
    now, sender = rt.now(), await service.get(tx, sender_id)
    if sender is None:  # pragma: no cover - its row is the one in hand
        return now + EVERY
    if sender.circuit == "open" and not sender.checks_failed:  # the token is good, but may not do everything
        return min(now + AGAIN_OPEN[-1], sender.hold_until or now)
    if sender.circuit == "open":
        return now + _doubling(AGAIN_OPEN, sender.checks_failed)
    if sender.checks_failed:
        return now + _doubling(AGAIN_FAILED, sender.checks_failed)
    if sender.hold_until is not None and sender.hold_until + PROVEN_AFTER > now:
        return min(now + WHILE_HELD, sender.hold_until + PROVEN_AFTER)
    return now + EVERY


def _doubling(between: tuple[timedelta, timedelta], times: int) -> timedelta:
    first, last = between
    doublings = min(max(times - 1, 0), 10)
    return min(last, first * (1 << doublings))
