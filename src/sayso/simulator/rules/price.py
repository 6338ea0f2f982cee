"""What a delivered message costs: category, type, billable (cloud-api.md 4.9, 7.3).

Which ``type`` marks a service message inside the 1,000 free ones since October 2026 is not known; here it is the one
that has marked free service messages all along.
"""

from datetime import UTC, datetime, tzinfo
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sayso.simulator.world.quotas import Allowance

FREE_A_MONTH = 1_000
_QUARTER_S = 900
#: The month from which service messages beyond the allowance, and utility templates inside a window, are charged.
CHARGED_SINCE = "2026-10"
#: Meta numbers time zones (8.2); an IANA name is taken as well, and what is not known is UTC.
ZONES = {
    "1": "America/Los_Angeles",
    "2": "America/Denver",
    "3": "Pacific/Honolulu",
    "4": "America/Anchorage",
    "5": "America/Phoenix",
    "6": "America/Chicago",
    "7": "America/New_York",
}


def month(timezone_id: str, at: float) -> str:
    """Tell the calendar month, ``YYYY-MM``, that a moment falls into for a WABA."""
    return _month(timezone_id, int(at // _QUARTER_S))


def pricing(
    category: str, *, when: str, window_open: bool, entry: bool, allowance: Allowance
) -> dict[str, Any]:
    """Price a message that is sent in the month ``when``, and use the number's free allowance if it is a case of it.

    ``category`` is ``service`` or a template's; ``window_open`` tells of the 24-hour window, ``entry`` of the free
    entry point.
    """
    if entry:
        return _priced("referral_conversion", "free_entry_point")
    if category == "service" and (when < CHARGED_SINCE or _use(allowance, when)):
        return _priced(category, "free_customer_service")
    if category == "utility" and window_open and when < CHARGED_SINCE:
        return _priced(category, "free_customer_service")
    return _priced(category, "regular")


def give_back(priced: dict[str, Any], allowance: Allowance, *, sent_in: str) -> None:
    """Return to the allowance what a message took that then did not reach its person: only delivered ones count."""
    taken = priced["category"] == "service" and priced["type"] == "free_customer_service"
    if taken and allowance.month == sent_in:
        allowance.used -= 1


@lru_cache(maxsize=256)
def _month(timezone_id: str, quarter: int) -> str:
    """Tell the month of a quarter of an hour, in which it cannot change: offsets are whole quarters."""
    return datetime.fromtimestamp(quarter * _QUARTER_S, _zone(timezone_id)).strftime("%Y-%m")


def _use(allowance: Allowance, when: str) -> bool:
    if allowance.month != when:
        allowance.month, allowance.used = when, 0
    if allowance.used >= FREE_A_MONTH:
        return False
    allowance.used += 1
    return True


def _priced(category: str, kind: str) -> dict[str, Any]:
    return {"billable": kind == "regular", "pricing_model": "PMP", "type": kind, "category": category}


@lru_cache(maxsize=64)
def _zone(timezone_id: str) -> tzinfo:
    try:
        return ZoneInfo(ZONES.get(timezone_id, timezone_id))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return UTC
