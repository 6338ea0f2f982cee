"""Marketing templates: whom they reach, and how many of them (cloud-api.md 2.6, 7.4, 7.5)."""

from sayso.simulator.rules.countries import EEA, country, has_us_area_code
from sayso.simulator.rules.refusal import Refusal
from sayso.simulator.world.accounts import BusinessNumber, Waba
from sayso.simulator.world.people import Person
from sayso.simulator.world.quotas import Marketing

DAY_S = 24 * 3600.0
#: Where the cap per person is not active.
UNCAPPED = EEA | {"GB", "JP", "KR"}

SWITCHED_OFF = Refusal(
    131063, "Marketing template messages are disabled on Cloud API for this WhatsApp Business Account."
)
ONLY_MARKETING = Refusal(134100, "Only marketing templates can be sent by the Marketing Messages API.")
STOPPED = Refusal(
    131050, "Unable to deliver: the recipient chose to stop marketing messages from this business."
)
NOT_DELIVERED = Refusal(
    131049, "In order to maintain a healthy ecosystem engagement, the message failed to be delivered."
)


def wrong_way(waba: Waba, category: str, *, lite: bool) -> Refusal | None:
    """Refuse marketing that a WABA sends by the Marketing Messages API only, and by that all else (2.6)."""
    if lite:
        return None if category == "marketing" else ONLY_MARKETING
    return SWITCHED_OFF if waba.marketing_disabled and category == "marketing" else None


def unwanted(number: BusinessNumber, person: Person) -> Refusal | None:
    """Refuse for a person who stopped this business's marketing, or whose number is of the United States."""
    if number.phone_number_id in person.no_marketing:
        return STOPPED
    return NOT_DELIVERED if has_us_area_code(person.wa_id) else None


def over(person: Person, cap: int, now: float) -> Refusal | None:
    """Refuse beyond ``cap`` in a rolling 24 h, whichever business sends; not for messages in an open window."""
    if country(person.wa_id) in UNCAPPED:
        return None
    marketing = person.marketing
    if now < marketing.blocked_until:
        return NOT_DELIVERED
    taken = sum(1 for at in marketing.taken if now - at < DAY_S)
    return NOT_DELIVERED if taken >= cap else None


def refused(marketing: Marketing, now: float) -> None:
    """Note a refusal by the cap: the second within a day shields the person for a day more, which no other prolongs."""
    if now < marketing.blocked_until:
        return
    if marketing.refused_at is not None and now - marketing.refused_at < DAY_S:
        marketing.blocked_until = now + DAY_S
    marketing.refused_at = now


def spend(marketing: Marketing, cap: int, now: float) -> None:
    """Note a marketing template that went out, outside a window."""
    marketing.taken = [*marketing.taken[-cap:], now][-cap:] if cap > 0 else []
