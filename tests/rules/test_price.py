"""What a message will count as, before and since October 2026; and what a status says that it did."""

import itertools
from datetime import timedelta
from typing import Any

import pytest

from sayso.messages.price import CHARGED_SINCE, Price, actual, estimate

BEFORE, SINCE = CHARGED_SINCE - timedelta(seconds=1), CHARGED_SINCE
CATEGORIES = (None, "UTILITY", "MARKETING", "AUTHENTICATION", "utility", "FREE_SERVICE")


@pytest.mark.parametrize(
    ("at", "category", "in_window", "expected"),
    [
        (BEFORE, None, True, Price("service", billable=False)),
        (SINCE, None, True, Price("service", billable=None)),
        (BEFORE, "UTILITY", True, Price("utility", billable=False)),
        (BEFORE, "UTILITY", False, Price("utility", billable=True)),
        (SINCE, "UTILITY", True, Price("utility", billable=True)),
        (SINCE, "UTILITY", False, Price("utility", billable=True)),
        (BEFORE, "MARKETING", True, Price("marketing", billable=True)),
        (SINCE, "MARKETING", False, Price("marketing", billable=True)),
        (BEFORE, "AUTHENTICATION", True, Price("authentication", billable=True)),
        (SINCE, "SOMETHING", True, Price("utility", billable=True)),
    ],
)
def test_what_a_message_will_count_as(
    at: Any, category: str | None, in_window: bool, expected: Price
) -> None:
    assert estimate(at=at, template_category=category, in_window=in_window, free_entry=False) == expected


def test_whatever_goes_through_a_free_entry_is_free() -> None:
    for at, category, in_window in itertools.product((BEFORE, SINCE), CATEGORIES, (False, True)):
        told = estimate(at=at, template_category=category, in_window=in_window, free_entry=True)
        assert told == Price("referral_conversion", billable=False)


@pytest.mark.parametrize(
    ("pricing", "expected"),
    [
        (None, None),
        ({}, None),
        ({"billable": True}, None),
        ({"category": 5}, None),
        ({"category": ""}, None),
        ({"category": "utility", "billable": True, "type": "regular"}, Price("utility", billable=True)),
        (
            {"category": "service", "billable": False, "type": "free_customer_service"},
            Price("service", billable=False),
        ),
        ({"category": "Marketing", "type": "regular"}, Price("marketing", billable=True)),
        (
            {"category": "referral_conversion", "type": "free_entry_point"},
            Price("referral_conversion", billable=False),
        ),
        ({"category": "utility"}, Price("utility", billable=None)),
        ({"category": "x" * 99, "billable": "yes"}, Price("x" * 40, billable=None)),
    ],
)
def test_what_a_status_says(pricing: dict[str, Any] | None, expected: Price | None) -> None:
    assert actual(pricing) == expected
