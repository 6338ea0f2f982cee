"""What Meta says of a number, and of the allowance of calls: read from every shape it comes in."""

import math
from typing import Any

import msgspec
import pytest

from sayso.whatsapp.numbers import Number, limit_of, rate_of, read, tier_of
from sayso.whatsapp.usage import MESSAGES, Usage
from sayso.whatsapp.usage import read as read_usage

ANSWER: dict[str, Any] = {
    "id": "400000000000001",
    "display_phone_number": "+1 555-010-0000",
    "verified_name": "Our Co",
    "status": "CONNECTED",
    "quality_rating": "GREEN",
    "throughput": {"level": "STANDARD"},
    "whatsapp_business_manager_messaging_limit": "TIER_2K",
    "health_status": {
        "can_send_message": "BLOCKED",
        "entities": [
            {
                "entity_type": "PHONE_NUMBER",
                "id": "4",
                "can_send_message": "LIMITED",
                "additional_info": ["Name."],
            },
            {
                "entity_type": "WABA",
                "id": "2",
                "can_send_message": "BLOCKED",
                "errors": [
                    {"error_code": 141006, "error_description": "no card", "possible_solution": "add one"}
                ],
            },
            {"entity_type": "APP", "id": "9", "can_send_message": "AVAILABLE", "errors": [{"error_code": 1}]},
        ],
    },
}


def test_the_documented_answer_is_read_whole() -> None:
    assert read(ANSWER) == Number(
        display_number="+1 555-010-0000",
        verified_name="Our Co",
        status="CONNECTED",
        quality="GREEN",
        throughput="STANDARD",
        rate_limit=80,
        tier="TIER_2K",
        can_send="BLOCKED",
        obstacles=("PHONE_NUMBER: Name.", "WABA: 141006 no card add one"),
    )


@pytest.mark.parametrize("name", sorted(ANSWER))
@pytest.mark.parametrize("odd", [None, 7, "", [], {}, [[]], {"entities": [7, None]}, True])
def test_whatever_is_missing_or_odd_is_not_known_and_costs_nothing_else(name: str, odd: Any) -> None:
    found = read({**ANSWER, name: odd})
    same = [
        each for each in Number.__dataclass_fields__ if getattr(found, each) == getattr(read(ANSWER), each)
    ]
    assert len(same) >= len(Number.__dataclass_fields__) - 2
    assert read({}) == Number()


@pytest.mark.parametrize(
    ("level", "in_the_app", "rate"),
    [
        ("STANDARD", False, 80),
        ("HIGH", False, 1000),
        ("high", False, 1000),
        (None, False, None),
        ("HIGH", True, 20),
        ("NOT_APPLICABLE", False, 80),
    ],
)
def test_a_throughput_is_a_rate(level: str | None, in_the_app: bool, rate: float | None) -> None:
    assert rate_of(level, in_the_app=in_the_app) == rate


@pytest.mark.parametrize(
    ("tier", "limit"),
    [
        ("TIER_50", 50),
        ("TIER_250", 250),
        ("TIER_1K", 1000),
        ("TIER_2K", 2000),
        ("TIER_10K", 10_000),
        ("TIER_100K", 100_000),
        ("TIER_UNLIMITED", None),
        ("TIER_NOT_SET", None),
        ("TIER_2000", 2000),
        ("", None),
        (None, None),
    ],
)
def test_a_tier_is_a_number_of_people(tier: str | None, limit: int | None) -> None:
    assert limit_of(tier) == limit


@pytest.mark.parametrize(
    ("told", "tier"),
    [
        ("TIER_2K", "TIER_2K"),
        (2000, "TIER_2K"),
        ("100000", "TIER_100K"),
        (250, "TIER_250"),
        (0, "TIER_0"),
        (-1, "TIER_UNLIMITED"),
        ("-1", "TIER_UNLIMITED"),
        ("--1", "--1"),
        ("²", "²"),
        (None, None),
        (True, None),
        ({}, None),
        ("", None),
    ],
)
def test_a_webhooks_limit_is_a_tier_in_whatever_form(told: Any, tier: str | None) -> None:
    assert tier_of(told) == tier


def business(*entities: Any) -> str | None:
    return read({"health_status": {"entities": list(entities)}}).portfolio_id


def test_the_portfolio_is_the_business_of_a_health_status() -> None:
    ours = {"entity_type": "BUSINESS", "id": "300000000000001", "can_send_message": "AVAILABLE"}
    assert business({"entity_type": "APP", "id": "9"}, ours) == "300000000000001"
    assert business(ours, dict(ours)) == "300000000000001"
    assert business(ours, {**ours, "id": "300000000000002"}) is None
    for odd in ("", "x", 7, None, "1" * 33, "\u0663"):
        assert business({**ours, "id": odd}) is None
    assert business() is business(7, None) is None


def usage(**headers: Any) -> Usage:
    return read_usage(
        {name.replace("_", "-"): msgspec.json.encode(each).decode() for name, each in headers.items()}
    )


def test_the_worst_share_of_either_header_counts_and_only_of_this_kind_of_call() -> None:
    app = {"call_count": 12, "total_cputime": 3, "total_time": 5}
    mine = {
        "type": "whatsapp_business_management",
        "call_count": 1,
        "total_time": 40,
        "estimated_time_to_regain_access": 7,
    }
    sends = {"type": "whatsapp", "call_count": 100, "estimated_time_to_regain_access": 60}
    assert usage(x_app_usage=app) == Usage(12, 0)
    assert usage(x_app_usage=app, x_business_use_case_usage={"2": [sends, mine]}) == Usage(40, 420)
    assert usage(x_business_use_case_usage={"2": [sends]}) == Usage()
    assert read_usage({}) == Usage()
    header = {"x-business-use-case-usage": msgspec.json.encode({"2": [sends, mine]}).decode()}
    assert read_usage(header, MESSAGES) == Usage(100, 3600)


@pytest.mark.parametrize(
    "odd", ["", "x", "[]", "7", '{"a":7}', '{"a":[7,{"type":"whatsapp_business_management"}]}']
)
def test_odd_headers_say_nothing(odd: str) -> None:
    assert read_usage({"x-app-usage": odd, "x-business-use-case-usage": odd}) == Usage()


@pytest.mark.parametrize("odd", ["1e999", "-3", '"many"', "true", "null"])
def test_odd_numbers_say_nothing(odd: str) -> None:
    assert read_usage({"x-app-usage": f'{{"call_count":{odd}}}'}) == Usage()


def test_numbers_that_no_float_holds_are_bounded() -> None:
    use = f'{{"type":"whatsapp_business_management","estimated_time_to_regain_access":{10**400}}}'
    told = read_usage(
        {"x-app-usage": f'{{"call_count":{10**400}}}', "x-business-use-case-usage": f'{{"2":[{use}]}}'}
    )
    assert 100 < told.percent < math.inf
    assert 3600 < told.regain_s < math.inf
