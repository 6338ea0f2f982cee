"""Slots of a sender's budget, bursts to one person, the order of the lanes: pure."""

import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sayso.messages.claiming import in_turn
from sayso.senders.rules import (
    CLOCK_SET_BACK,
    PAIR_AT_ONCE,
    PAIR_EVERY,
    PAIR_SLACK,
    SHARE,
    Burst,
    slots,
)

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
AHEAD = timedelta(milliseconds=100)


def claims(rate: float, moments: list[float]) -> list[datetime]:
    """Every slot that claims at these moments (seconds) take, one after another."""
    taken: list[datetime] = []
    tat = NOW - timedelta(hours=1)
    for moment in sorted(moments):
        begin = NOW + timedelta(seconds=moment)
        free, apart = slots(tat, begin, begin + AHEAD, rate, 250)
        taken += free
        tat = free[-1] + apart if free else tat
    return taken


@given(
    st.sampled_from([1.0, 20.0, 80.0, 1000.0]),
    st.lists(st.floats(0, 5, allow_nan=False), min_size=1, max_size=120),
)
def test_no_second_has_more_slots_than_the_limit_however_claims_come(
    rate: float, moments: list[float]
) -> None:
    taken = claims(rate, moments)
    assert taken == sorted(taken)
    first = 0
    for last, slot in enumerate(taken):
        while slot - taken[first] >= timedelta(seconds=1):
            first += 1
        assert last - first + 1 <= rate


@pytest.mark.parametrize("rate", [20.0, 80.0, 1000.0])
def test_claims_that_come_in_time_leave_no_slot_out(rate: float) -> None:
    taken = claims(rate, [number * 0.05 for number in range(200)])
    gained = (len(taken) - 1) / (taken[-1] - taken[0]).total_seconds()
    assert gained == pytest.approx(SHARE * rate, rel=1e-3)
    assert gained > 0.95 * rate


def test_after_a_rest_nothing_is_made_up_for() -> None:
    free, apart = slots(NOW - timedelta(days=1), NOW, NOW + AHEAD, 80, 250)
    assert free[0] == NOW
    assert {later - earlier for earlier, later in itertools.pairwise(free)} == {apart}
    assert len(free) == 8


def test_slots_that_others_have_taken_are_not_free() -> None:
    assert slots(NOW + AHEAD, NOW, NOW + AHEAD, 80, 250)[0] == []
    free, _ = slots(NOW + AHEAD / 2, NOW, NOW + AHEAD, 80, 250)
    assert free[0] == NOW + AHEAD / 2
    assert len(slots(NOW, NOW, NOW + AHEAD, 1000, 3)[0]) == 3


def test_a_clock_that_was_set_back_stops_nobody() -> None:
    free, _ = slots(NOW + timedelta(hours=5), NOW, NOW + AHEAD, 80, 250)
    assert free[0] == NOW
    assert slots(NOW + CLOCK_SET_BACK, NOW, NOW + AHEAD, 80, 250)[0] == []


def test_a_person_gets_a_burst_on_credit_and_then_nothing_until_it_is_paid_back() -> None:
    burst, at = Burst(NOW, 1), NOW
    for count in range(1, PAIR_AT_ONCE):
        at = NOW + timedelta(milliseconds=10 * count)
        assert burst.free_at(at) == at
        burst = burst.with_one_more(at)
    assert burst == Burst(NOW, PAIR_AT_ONCE)
    assert burst.free_at(at) == burst.paid_back() == NOW + PAIR_EVERY * PAIR_AT_ONCE + PAIR_SLACK
    assert burst.with_one_more(burst.paid_back()) == Burst(burst.paid_back(), 1)


def test_a_burst_is_over_after_six_seconds_whatever_credit_is_left() -> None:
    burst = Burst(NOW, 3)
    assert burst.free_at(NOW + timedelta(seconds=5)) == NOW + timedelta(seconds=5)
    assert burst.free_at(NOW + timedelta(seconds=6)) == NOW + timedelta(seconds=18) + PAIR_SLACK


def test_one_message_in_six_seconds_goes_on_for_ever() -> None:
    burst, at = Burst(NOW, 1), NOW
    for _ in range(100):
        at = burst.free_at(at + PAIR_EVERY + PAIR_SLACK)
        assert at == burst.paid_back()
        burst = burst.with_one_more(at)
        assert burst.count == 1


def row(name: str, lane: int) -> Any:
    return {"id": name, "lane": lane}


def test_lanes_overtake_and_every_tenth_slot_is_the_oldests() -> None:
    replies = [row(f"r{number:03}", 0) for number in range(30)]
    bulk = [row(f"b{number:03}", 2) for number in range(3)]  # older than every reply
    line = in_turn(replies, [*replies[:3], *bulk], turn=0)
    assert [each["id"] for each in line[:10]] == [f"r{number:03}" for number in range(9)] + ["b000"]
    assert [line[19]["id"], line[29]["id"]] == ["b001", "b002"]
    assert len({each["id"] for each in line}) == len(line) == 30


def test_the_turn_goes_on_from_claim_to_claim() -> None:
    lane = [row("r1", 0), row("r2", 0)]
    assert in_turn(lane, [row("b1", 2)], turn=8)[1]["id"] == "b1"
    assert [each["id"] for each in in_turn(lane, lane, turn=9)] == ["r1", "r2"]


def test_where_the_oldest_go_anyway_no_slot_is_left_empty() -> None:
    lane = [row(f"b{number:03}", 2) for number in range(40)]
    assert in_turn(lane, lane[:4], turn=3) == lane


def test_without_slots_for_the_oldest_order_is_lane_and_age() -> None:
    rows = [row("a", 2), row("c", 0), row("b", 1)]
    assert [each["id"] for each in in_turn(rows, rows, turn=0)] == ["c", "b", "a"]
