"""What Meta will charge a message as, as far as that can be told before; and what it says it did (cloud-api 7.3)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

#: Since then free-form messages beyond the free ones, and utility templates inside the window, are charged.
CHARGED_SINCE: Final = datetime(2026, 10, 1, tzinfo=UTC)
#: Free-form messages delivered from one number in a calendar month that cost nothing.
FREE_A_MONTH: Final = 1_000

#: Meta's word for whatever is free since the person came by an ad.
FREE_ENTRY: Final = "referral_conversion"
SERVICE: Final = "service"
_TEMPLATES: Final = frozenset({"utility", "marketing", "authentication"})
_LONGEST_WORD: Final = 40


@dataclass(frozen=True, slots=True)
class Price:
    """Meta's pricing category, and whether it is charged; None: free while the month's allowance lasts."""

    category: str
    billable: bool | None


def estimate(*, at: datetime, template_category: str | None, in_window: bool, free_entry: bool) -> Price:
    """What a message that is delivered at ``at`` will count as.

    ``template_category`` is the template's at Meta (``UTILITY``, …), None for a free-form message; ``free_entry``:
    whether the person came by an ad and the free entry window is open. A template of a category that is not known
    counts as utility, as those that tell and ask do.
    """
    if free_entry:
        return Price(FREE_ENTRY, billable=False)
    if template_category is None:
        return Price(SERVICE, billable=False if at < CHARGED_SINCE else None)
    category = template_category.lower()
    if category not in _TEMPLATES:
        category = "utility"
    return Price(category, billable=not (category == "utility" and in_window and at < CHARGED_SINCE))


def actual(pricing: Mapping[str, Any] | None) -> Price | None:
    """What a status says a message counted as; None when it says nothing readable.

    ``billable`` is to go from the webhooks one day: without it, only what is ``regular`` is charged.
    """
    if not pricing or not isinstance(pricing.get("category"), str) or not pricing["category"]:
        return None
    billable = pricing.get("billable")
    if not isinstance(billable, bool):
        billable = pricing["type"] == "regular" if isinstance(pricing.get("type"), str) else None
    return Price(pricing["category"].lower()[:_LONGEST_WORD], billable)
