"""What is used up of the limits, as the desk shows it (cloud-api.md 6, 7.3)."""

from typing import Any

from sayso.simulator.rules.price import FREE_A_MONTH
from sayso.simulator.rules.reach import DAY_S, LIMITS
from sayso.simulator.world.world import World


def used_up(world: World) -> dict[str, Any]:
    """Describe, per portfolio, people reached in the last 24 h; per number, this second and this month.

    ``limit`` null is no limit. ``free_service_used`` counts the free service messages of the month.
    """
    now, quotas = world.clock.now(), world.quotas
    portfolios = []
    for portfolio in world.accounts.portfolios.values():
        reach = quotas.reach.get(portfolio.id)
        reached = set(reach.on_the_way) if reach else set()
        reached |= {wa_id for wa_id, at in reach.delivered.items() if now - at < DAY_S} if reach else set()
        portfolios.append({"id": portfolio.id, "reached": len(reached), "limit": LIMITS[portfolio.tier]})
    numbers = []
    for number in world.accounts.numbers.values():
        ring = quotas.throughput.get(number.phone_number_id)
        service = quotas.service.get(number.phone_number_id)
        numbers.append(
            {
                "id": number.phone_number_id,
                "this_second": sum(1 for at in ring.moments if now - at < 1) if ring else 0,
                "per_second": number.per_second,
                "free_service_used": service.used if service else 0,
                "free_service": FREE_A_MONTH,
            }
        )
    return {"portfolios": portfolios, "numbers": numbers}
