"""How many people a portfolio may reach outside windows in a rolling 24 h: its messaging limit (cloud-api.md 6).

People are counted on delivery. Those a message is still on its way to hold a place meanwhile, however long that is,
so that neither a burst nor phones that were off go past the limit. Which code Meta gives is not documented: 131048 is
the one of 5.3 that speaks of how much a number may send (131049 is for marketing alone), told by webhook.
"""

from itertools import takewhile

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
    if limit is None or _counted(reach, wa_id, now) or reach.people < limit:
        return None
    _forget(reach, now)
    return None if reach.people < limit else OVER


def set_out(reach: Reach, wa_id: str) -> None:
    """Hold a place for a person a message is on its way to, as long as it is."""
    messages = reach.on_the_way.get(wa_id, 0)
    reach.both += messages == 0 and wa_id in reach.delivered
    reach.on_the_way[wa_id] = messages + 1


def arrive(reach: Reach, wa_id: str, now: float) -> None:
    """Count a person whom a message that set out has reached."""
    give_up(reach, wa_id)
    _take_out(reach, wa_id)
    if len(reach.delivered) >= REMEMBERED:
        _forget(reach, now)
    if len(reach.delivered) < REMEMBERED:
        reach.delivered[wa_id] = now
        reach.both += wa_id in reach.on_the_way


def give_up(reach: Reach, wa_id: str) -> None:
    """Give back what a message held that is not on its way any more; others to the same person hold it on."""
    messages = reach.on_the_way.pop(wa_id, 0)
    if messages > 1:
        reach.on_the_way[wa_id] = messages - 1
    elif messages:
        reach.both -= wa_id in reach.delivered


def _counted(reach: Reach, wa_id: str, now: float) -> bool:
    return wa_id in reach.on_the_way or now - reach.delivered.get(wa_id, now - DAY_S) < DAY_S


def _take_out(reach: Reach, wa_id: str) -> None:
    if reach.delivered.pop(wa_id, None) is not None:
        reach.both -= wa_id in reach.on_the_way


def _forget(reach: Reach, now: float) -> None:
    """Let everybody go who was reached a day ago; they are in the order of time, and most looks find nothing to do."""
    if now < reach.nothing_before:
        return
    for wa_id in list(takewhile(lambda each: now - reach.delivered[each] >= DAY_S, reach.delivered)):
        _take_out(reach, wa_id)
    reach.nothing_before = next(iter(reach.delivered.values()), now) + DAY_S
