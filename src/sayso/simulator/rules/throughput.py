"""Messages a second per number, in and out together (cloud-api.md 6).

A ring of the last moments makes it exact: never more than the limit in any second, wherever it begins, and always
allowed below it. A bucket would let twice as many through in the second after a rest, which no document grants.
"""

from sayso.simulator.rules.refusal import Refusal
from sayso.simulator.world.accounts import BusinessNumber
from sayso.simulator.world.quotas import Quotas, Throughput

OVER = Refusal(130429, "Cloud API message throughput has been reached.")


def over(quotas: Quotas, number: BusinessNumber, now: float) -> Refusal | None:
    """Refuse when the number has had its messages of this second."""
    ring = quotas.throughput.get(number.phone_number_id)
    if ring is None or len(ring.moments) < number.per_second:
        return None
    _fit(ring, number.per_second)
    return OVER if now - ring.moments[ring.oldest] < 1.0 else None


def spend(quotas: Quotas, number: BusinessNumber, now: float) -> None:
    """Note a message that passed, either way; those from people count and are never refused."""
    ring = quotas.throughput.get(number.phone_number_id)
    if ring is None:
        ring = quotas.throughput[number.phone_number_id] = Throughput()
    _fit(ring, number.per_second)
    if len(ring.moments) < number.per_second:
        ring.moments.append(now)
    else:
        ring.moments[ring.oldest] = now
        ring.oldest = (ring.oldest + 1) % number.per_second


def _fit(ring: Throughput, per_second: int) -> None:
    """Bring the ring to the number's limit, which an upgrade or a downgrade may have changed."""
    grown = ring.oldest and len(ring.moments) < per_second
    if grown or len(ring.moments) > per_second:
        ordered = ring.moments[ring.oldest :] + ring.moments[: ring.oldest]
        ring.moments, ring.oldest = ordered[-per_second:], 0
