"""Deliveries that ended long ago go, with what was tried for them: a few at a time, beside whatever else happens."""

import asyncio
from datetime import timedelta
from typing import Final

import structlog

from sayso.core.database import UNAVAILABLE, Tx
from sayso.core.runtime import Runtime
from sayso.events.service import DELIVERIES

log = structlog.get_logger("sayso.events")

#: How often old deliveries are looked for, how many go in one transaction, and the pause between two of these.
LOOK_S: Final = 600.0
AT_ONCE: Final = 1_000
_PAUSE_S: Final = 0.1

_PRUNE: Final = f"""
WITH old AS MATERIALIZED (
    SELECT id FROM {DELIVERIES} WHERE work IS NULL AND finished_at < $1 ORDER BY finished_at LIMIT {AT_ONCE}
    FOR UPDATE SKIP LOCKED
), tried AS (
    DELETE FROM delivery_attempts a USING old WHERE a.delivery_id = old.id
)
DELETE FROM {DELIVERIES} d USING old WHERE d.id = old.id
"""


async def prune(tx: Tx, rt: Runtime) -> int:
    """Delete deliveries that ended before the time they are kept for; how many, at most :data:`AT_ONCE`."""
    return await tx.execute(_PRUNE, rt.now() - timedelta(days=rt.settings.sayso_deliveries_days))


async def watch(rt: Runtime) -> None:
    """Prune as time passes, for ever."""
    while True:
        try:
            async with rt.db.tx() as tx:
                more = await prune(tx, rt) == AT_ONCE
        except UNAVAILABLE as error:
            more = False
            log.warning("deliveries.not_pruned", error=repr(error))
        await asyncio.sleep(_PAUSE_S if more else LOOK_S)
