"""How many people a portfolio may reach outside windows in a rolling 24 h: its messaging limit (cloud-api.md 6).

People are counted on delivery. Those a message is still on its way to hold a place meanwhile, so that a burst cannot
go past the limit before its first message has arrived. Which code Meta gives is not documented: 131048 is the one of
5.3 that speaks of how much a number may send (131049 is for marketing alone), told by webhook.
"""

from sayso.simulator.rules.refusal import Refusal
from sayso.simulator.world.quotas import Quotas, Reach

DAY_S = 24 * 3600.0
#: Unique users a day by tier (6); None is no limit.
LIMITS: dict[str, int | None] = {
    "TIER_50": 50,
    "TIER_250": 250,
    "TIER_1K": 1_000,
    "TIER_2K": 2_000,
    "TIER_10K": 10_000,
    "TIER_100K": 100_000,
    "TIER_UNLIMITED": None,
}
#: No limit is higher, so nothing is gained by remembering more people.
REMEMBERED = 100_000

OVER = Refusal(
    131048,
    "Message failed to send because there are restrictions on how many messages can be sent from this phone number: "
    "the messaging limit of its business portfolio has been reached.",
)


def of(quotas: Quotas, portfolio_id: str) -> Reach:
    """Return whom a portfolio reached, nobody to begin with."""
    found = quotas.reach.get(portfolio_id)
    if found is None:
        found = quotas.reach[portfolio_id] = Reach()
    return found


def over(reach: Reach, tier: str, wa_id: str, now: float) -> Refusal | None:
    """Refuse one more person than the tier allows; somebody counted already is no more."""
    limit = LIMITS[tier]
    if limit is None or _counted(reach, wa_id, now) or len(reach.delivered) + len(reach.under_way) < limit:
        return None
    _forget(reach, now)
    return None if len(reach.delivered) + len(reach.under_way) < limit else OVER


def set_out(reach: Reach, wa_id: str, now: float) -> None:
    """Hold a place for a person a message is on its way to."""
    if not _counted(reach, wa_id, now):
        reach.delivered.pop(wa_id, None)
        reach.under_way.pop(wa_id, None)  # one that lapsed: the order of time is kept
        reach.under_way[wa_id] = now


def arrive(reach: Reach, wa_id: str, now: float) -> None:
    """Count a person who was reached."""
    reach.under_way.pop(wa_id, None)
    reach.delivered.pop(wa_id, None)
    if len(reach.delivered) >= REMEMBERED:
        _forget(reach, now)
    if len(reach.delivered) < REMEMBERED:
        reach.delivered[wa_id] = now


def give_up(reach: Reach, wa_id: str) -> None:
    """Give the place back of a person whom a message will not reach."""
    reach.under_way.pop(wa_id, None)


def _counted(reach: Reach, wa_id: str, now: float) -> bool:
    since = max(reach.delivered.get(wa_id, -DAY_S), reach.under_way.get(wa_id, -DAY_S))
    return now - since < DAY_S


def _forget(reach: Reach, now: float) -> None:
    """Let everything older than a day go; both are in the order of time, and most looks find nothing to do."""
    if now < reach.nothing_before:
        return
    for kept in (reach.delivered, reach.under_way):
        old = []
        for wa_id, at in kept.items():
            if now - at < DAY_S:
                break
            old.append(wa_id)
        for wa_id in old:
            del kept[wa_id]
    oldest = [next(iter(kept.values())) for kept in (reach.delivered, reach.under_way) if kept]
    reach.nothing_before = min(oldest, default=now) + DAY_S
