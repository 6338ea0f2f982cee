"""How fast one number may write to one person: 1 message in 6 s, up to 45 at once on credit (cloud-api.md 6).

A burst borrows from what comes later: after 20 messages at once nothing goes for 20 times 6 s, about two minutes.
"""

from sayso.simulator.rules.refusal import Refusal
from sayso.simulator.world.quotas import Burst

EVERY_S = 6.0
AT_ONCE = 45

OVER = Refusal(
    131056,
    "Message failed to send because there were too many messages sent from this phone number to the same phone number "
    "in a short period of time.",
)


def over(burst: Burst, now: float) -> Refusal | None:
    """Refuse a message while an earlier burst is being paid back, or beyond 45 in 6 s."""
    if _paid_back(burst, now) or (now - burst.began < EVERY_S and burst.count < AT_ONCE):
        return None
    return OVER


def spend(burst: Burst, now: float) -> None:
    """Note a message that passed."""
    if _paid_back(burst, now):
        burst.began, burst.count = now, 0
    burst.count += 1


def _paid_back(burst: Burst, now: float) -> bool:
    return now - burst.began >= burst.count * EVERY_S
