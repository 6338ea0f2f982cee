"""Which portfolio an account belongs to: its people are counted over all accounts of the portfolio (cloud-api 6).

No setting names it. Until a check of one of its numbers has told, the account stands for it.
"""

from collections.abc import Sequence

import structlog

from sayso.core.database import Tx
from sayso.core.runtime import Runtime
from sayso.events import alerts
from sayso.senders.reach import LOCK, hold_key

log = structlog.get_logger("sayso.senders")

_MOVE_REACH = """
INSERT INTO portfolio_reach AS r (portfolio_id, person_id, at, message_id)
SELECT DISTINCT ON (person_id) $1, person_id, at, message_id FROM portfolio_reach WHERE portfolio_id = ANY($2)
ORDER BY person_id, at DESC
ON CONFLICT (portfolio_id, person_id) DO UPDATE SET at = EXCLUDED.at, message_id = EXCLUDED.message_id
WHERE r.at < EXCLUDED.at
"""


async def join(tx: Tx, rt: Runtime, phone_number_id: str, portfolio_id: str | None) -> list[str]:
    """Count the people of this number, and of all of its account, in this portfolio; in which they were before.

    Whom the account reached in the last day counts in the portfolio it is found in, each person once. Where others
    stay behind in the one it leaves, it counts there, too: nobody can tell whose they were. The caller holds the rows
    of all senders, and lets what waited for room in the portfolios left be decided afresh.
    """
    waba_id = await tx.fetchval("SELECT waba_id FROM senders WHERE id = $1", phone_number_id)
    if portfolio_id is None or waba_id is None:
        return []
    rows = await tx.fetch(
        "SELECT DISTINCT portfolio_id FROM senders WHERE waba_id = $1 AND portfolio_id <> $2 ORDER BY 1",
        waba_id,
        portfolio_id,
    )
    left = [row["portfolio_id"] for row in rows]
    if not left:
        return []
    await _move(tx, waba_id, left, portfolio_id)
    for each in [*left, portfolio_id]:
        await alerts.resolve(tx, rt, hold_key(each))  # whoever is turned away again says so again
    log.info("senders.portfolio", account=waba_id, portfolio=portfolio_id, before=left)
    return left


async def _move(tx: Tx, waba_id: str, left: Sequence[str], portfolio_id: str) -> None:
    await tx.execute(
        "INSERT INTO portfolios (id, tier, tier_limit) SELECT $1, tier, tier_limit FROM portfolios WHERE id = $2 "
        "ON CONFLICT DO NOTHING",
        portfolio_id,
        left[0],
    )
    await tx.fetch(LOCK, [*left, portfolio_id])
    await tx.execute("UPDATE senders SET portfolio_id = $2 WHERE waba_id = $1", waba_id, portfolio_id)
    await tx.execute(_MOVE_REACH, portfolio_id, list(left))
    await tx.execute(
        "DELETE FROM portfolio_reach r WHERE r.portfolio_id = ANY($1) "
        "AND NOT EXISTS (SELECT 1 FROM senders s WHERE s.portfolio_id = r.portfolio_id)",
        list(left),
    )
    await tx.execute(
        "UPDATE portfolios p SET hold_until = NULL, hold_why = NULL, "
        "used = (SELECT count(*) FROM portfolio_reach r WHERE r.portfolio_id = p.id) WHERE id = ANY($1)",
        [*left, portfolio_id],
    )
