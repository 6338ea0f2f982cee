"""Rates cut and grown back, holds that grow with repetition, an allowance of calls: arithmetic, and no clock."""

import math
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sayso.senders.rules import (
    CUT,
    GROWS_IN,
    LONGEST_HOLD,
    LOWEST_RATE,
    bucket,
    drained,
    grown,
    hold_for,
    throttled,
)

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)
rates = st.floats(min_value=LOWEST_RATE, max_value=1000)
spans = st.timedeltas(min_value=timedelta(0), max_value=timedelta(hours=2))


def test_what_was_never_cut_goes_at_the_limit() -> None:
    assert grown(12, None, NOW, 80) == 80


def test_a_cut_takes_three_tenths_and_a_minute_gives_all_of_it_back() -> None:
    cut = throttled(80, None, NOW, 80)
    assert cut == pytest.approx(56)
    assert grown(56, NOW, NOW, 80) == 56
    assert grown(56, NOW, NOW + timedelta(seconds=6), 80) == pytest.approx(64)
    assert grown(1, NOW, NOW + GROWS_IN, 80) == 80


def test_what_was_under_way_at_a_cut_is_no_second_verdict() -> None:
    assert throttled(56, NOW, NOW + timedelta(milliseconds=999), 80) is None
    assert throttled(56, NOW, NOW + SECOND, 80) == pytest.approx(CUT * (56 + 80 / 60))


def test_a_clock_that_went_back_cuts_nothing_and_grows_nothing() -> None:
    assert grown(56, NOW, NOW - SECOND, 80) == 56


@given(rate=rates, limit=rates, first=spans, then=spans)
def test_a_rate_never_passes_the_limit_and_never_shrinks_by_waiting(
    rate: float, limit: float, first: timedelta, then: timedelta
) -> None:
    early = grown(rate, NOW, NOW + first, limit)
    late = grown(rate, NOW, NOW + first + then, limit)
    assert min(rate, limit) <= early <= late <= limit


@given(rate=rates, limit=rates, since=spans)
def test_a_cut_rate_is_lower_and_never_nothing(rate: float, limit: float, since: timedelta) -> None:
    cut = throttled(rate, NOW, NOW + since, limit)
    assert (cut is None) == (since < SECOND)
    if cut is not None:
        before = grown(rate, NOW, NOW + since, limit)
        assert LOWEST_RATE <= cut <= max(LOWEST_RATE, CUT * before) + 1e-9


@pytest.mark.parametrize(
    ("asked_s", "times", "holds"),
    [
        (60, 1, 60),
        (60, 2, 120),
        (60, 3, 240),
        (60, 50, 3600),
        (3600, 2, 3600),
        (1e9, 1, 3600),
        (0, 1, 1),
        (-5, 1, 1),
        (0, 3, 4),
        (math.inf, 1, 3600),
        (math.nan, 1, 3600),
        (60, 0, 60),
    ],
)
def test_a_hold_is_as_long_as_asked_doubled_by_repetition_and_an_hour_at_most(
    asked_s: float, times: int, holds: float
) -> None:
    assert hold_for(asked_s, times) == timedelta(seconds=holds)


@given(asked_s=st.floats(), times=st.integers(-5, 10_000))
def test_no_number_of_metas_stops_a_sender_for_good_or_lets_it_knock_without_a_pause(
    asked_s: float, times: int
) -> None:
    assert SECOND <= hold_for(asked_s, times) <= LONGEST_HOLD


@given(
    hourly=st.sampled_from([200, 5000]),
    gaps=st.lists(st.integers(0, 900), min_size=1, max_size=400),
    urgent=st.booleans(),
)
def test_no_hour_sees_more_calls_than_its_allowance(hourly: int, gaps: list[int], urgent: bool) -> None:
    at, used, last, calls = 0, 0.0, 0, list[int]()
    for gap in gaps:
        at += gap
        for _ in range(hourly // 10):  # a burst at each moment
            now_used, wait = bucket(used, timedelta(seconds=at - last), calls=1, hourly=hourly, urgent=urgent)
            if wait > timedelta(0):
                break
            used, last = now_used, at
            calls.append(at)
    begin = 0
    for end, moment in enumerate(calls):
        while moment - calls[begin] >= 3600:
            begin += 1
        assert end - begin + 1 <= hourly


def test_what_is_urgent_has_the_last_fifth_for_itself_and_waiting_as_told_is_enough() -> None:
    used, wait = bucket(79.5, timedelta(0), calls=1, hourly=200, urgent=False)
    assert (used, wait > timedelta(0)) == (79.5, True)
    assert bucket(79.5, timedelta(0), calls=1, hourly=200, urgent=True) == (80.5, timedelta(0))
    assert bucket(79.5, wait, calls=1, hourly=200, urgent=False)[1] == timedelta(0)
    assert drained(50, timedelta(hours=1), 200) == 0
    assert drained(50, timedelta(minutes=15), 200) == 25
