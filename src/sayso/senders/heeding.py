"""What Meta counts of our messages against an account's allowance, as each answer says: we slow down before it refuses.

An answer is heard at once and written down within a second, by whichever process heard it: a number has many answers a
second, and they say the same.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

import structlog

from sayso.core.database import UNAVAILABLE, Tx
from sayso.core.runtime import Runtime
from sayso.senders import rules, service
from sayso.senders.budget import bounded
from sayso.whatsapp.usage import Usage

log = structlog.get_logger("sayso.senders")

EVERY_S: Final = 1.0
#: What stays the same is written again after this, so that it is known to be true still.
_AGAIN: Final = timedelta(minutes=5)


@dataclass(slots=True)
class Heeding:
    """What was heard since the last look, by sender; and what was written down last, and when."""

    rt: Runtime
    _heard: dict[str, Usage] = field(default_factory=dict)
    _written: dict[str, tuple[Usage, datetime]] = field(default_factory=dict)

    def hear(self, phone_number_id: str, told: Usage) -> None:
        """Take in what an answer says; one without the headers says nothing."""
        if told != Usage():
            self._heard[phone_number_id] = told

    async def run(self) -> None:
        """Write down what was heard, for as long as the process lives."""
        while True:
            await asyncio.sleep(EVERY_S)
            try:
                await self.write()
            except UNAVAILABLE as error:
                log.warning("senders.usage_not_written", error=repr(error))

    async def write(self) -> None:
        """Write down what is new, or has to be obeyed again: what was slowed down grows back by itself."""
        heard, self._heard = self._heard, {}
        now = self.rt.now()
        new = {
            sender: told
            for sender, told in heard.items()
            if _urgent(told) or self._is_news(sender, told, now)
        }
        if new:
            async with self.rt.db.tx() as tx:
                await heed(tx, self.rt, new)
            self._written |= {sender: (told, now) for sender, told in new.items()}

    def _is_news(self, sender: str, told: Usage, now: datetime) -> bool:
        written, at = self._written.get(sender, (Usage(), now))
        return written != told or now - at >= _AGAIN


def _urgent(told: Usage) -> bool:
    return told.regain_s > 0 or told.percent >= rules.HEEDED_PERCENT


async def heed(tx: Tx, rt: Runtime, heard: Mapping[str, Usage]) -> None:
    """Keep the shares Meta counts, by sender: close to the end the account's numbers go slower, the more so the closer.

    Where it names a time until which it refuses, they are on hold until then, an hour at most.
    """
    accounts: dict[str, Usage] = {}
    senders = await service.locked(tx, None)
    for row in senders:
        if row["id"] in heard:
            known, told = accounts.get(row["waba_id"], Usage()), heard[row["id"]]
            worst = max(known.percent, told.percent), max(known.regain_s, told.regain_s)
            accounts[row["waba_id"]] = Usage(*worst)
    for row in senders:
        told = accounts.get(row["waba_id"], Usage())
        if told == Usage():
            continue
        limit = row["rate_limit"]
        slow = rules.slowed(told.percent, limit)
        now_goes = rules.grown(row["rate"], row["rate_grows_at"], row["clock"], limit)
        await tx.execute(
            "UPDATE senders SET told_percent = $2, told_at = $5, rate = coalesce($3::float8, rate), "
            "rate_grows_at = CASE WHEN $3::float8 IS NULL THEN rate_grows_at ELSE $4 END WHERE id = $1",
            row["id"],
            bounded(told.percent),
            None if slow is None else min(slow, now_goes),
            row["clock"],
            rt.now(),
        )
        if told.regain_s > 0:
            until = rt.now() + rules.hold_for(told.regain_s, 1)
            why = f"Meta counts {bounded(told.percent):.0f} % of the allowance of messages as used"
            await service.hold(tx, rt, row["id"], until=until, why=why)
