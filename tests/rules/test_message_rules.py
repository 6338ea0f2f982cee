"""May this message go now, as what: the whole truth table; statuses only climb; retries stay within bounds."""

import itertools
from datetime import UTC, datetime, timedelta
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sayso.messages.rules import (
    FINAL,
    IN_FLIGHT_LOOK,
    LANES,
    RANK,
    STATUSES,
    WINDOW,
    WINDOW_MARGIN,
    Facts,
    Go,
    Purpose,
    Stop,
    Wait,
    decide,
    moved,
    retry_in,
    window_open,
)

NOW = datetime(2026, 3, 14, 12, 0, tzinfo=UTC)
TICK = timedelta(microseconds=1)
PURPOSES: tuple[Purpose, ...] = get_args(Purpose)
YES_NO = (False, True)
WINDOWS = {
    "never": None,
    "closed": NOW - timedelta(hours=30),
    "open": NOW - timedelta(hours=1),
}
COLUMNS = (PURPOSES, YES_NO, YES_NO, YES_NO, tuple(WINDOWS), YES_NO, YES_NO, YES_NO)


def oracle(
    purpose: str, expired: bool, reachable: bool, out: bool, window: str, busy: bool, template: bool, picky: bool
) -> str:  # fmt: skip
    """The outcome in one word, read off a decision tree drawn apart from the code."""
    if expired or not reachable:
        return "expired" if expired else "failed"
    if purpose == "consent":
        return "wait" if busy else "session"
    if out:
        return "suppressed"
    by_window = {(True, True): "session", (True, False): "session", (False, True): "template"}
    return by_window.get(
        (window == "open", template), "suppressed" if picky or window == "closed" else "session"
    )


def word_for(verdict: Go | Stop | Wait) -> str:
    match verdict:
        case Go(form=form):
            return form
        case Stop(state=state, reason=reason):
            assert reason
            return state
        case Wait(until=until):
            assert until == NOW + IN_FLIGHT_LOOK
            return "wait"


def test_what_becomes_of_a_message_in_every_circumstance() -> None:
    seen = set()
    for row in itertools.product(*COLUMNS):
        purpose, expired, reachable, out, window, busy, template, picky = row
        facts = Facts(
            purpose=purpose,
            now=NOW,
            expires_at=NOW if expired else NOW + TICK,
            opted_out_by="con_1" if out else None,
            window_opened_at=WINDOWS[window],
            in_flight=busy,
            has_template=template,
            needs_window=picky,
            reachable=reachable,
        )
        got = word_for(decide(facts))
        assert got == oracle(*row), row
        seen.add(got)
    assert seen == {"expired", "failed", "wait", "session", "suppressed", "template"}


@pytest.mark.parametrize(
    ("opened_at", "is_open"),
    [
        (None, False),
        (NOW, True),
        (NOW + timedelta(minutes=2), True),  # their clock runs ahead of ours
        (NOW - WINDOW + WINDOW_MARGIN + TICK, True),
        (NOW - WINDOW + WINDOW_MARGIN, False),
        (NOW - WINDOW, False),
        (NOW - timedelta(days=400), False),
    ],
)
def test_the_window_closes_five_minutes_early(opened_at: datetime | None, is_open: bool) -> None:
    assert window_open(opened_at, NOW) is is_open


def test_answers_overtake_questions_and_questions_everything_else() -> None:
    assert set(LANES) == set(PURPOSES)
    assert max(LANES["consent"], LANES["closing"], LANES["notice"]) < LANES["prompt"] < LANES["send"]


CLIMBING = ["sent", "delivered", "read"]
RUNGS = ["queued", "sending", "unknown", "accepted", "sent", "delivered", "read"]


def after(state: str, statuses: list[str]) -> str:
    for status in statuses:
        if moved(state, status):
            state = status
    return state


@given(st.sampled_from(RUNGS), st.lists(st.sampled_from(CLIMBING), max_size=8), st.randoms())
def test_in_any_order_and_number_statuses_end_at_the_highest(
    state: str, came: list[str], rng: object
) -> None:
    top = max([state, *came], key=lambda rung: RANK[rung])
    again = [*came, *came]
    rng.shuffle(again)  # type: ignore[attr-defined] # hypothesis gives a random.Random
    ended = {after(state, order) for order in (came, came[::-1], sorted(came), again)}
    assert {RANK[end] for end in ended} == {RANK[top]}
    assert ended == {top} or RANK[top] == 1  # sending and unknown are one rung


@given(st.sampled_from([*RUNGS, *FINAL]), st.lists(st.sampled_from([*CLIMBING, "failed"]), max_size=8))
def test_no_status_ever_moves_a_message_down_and_an_end_is_an_end(state: str, came: list[str]) -> None:
    for status in came:
        before, state = state, after(state, [status])
        if before in FINAL:
            assert state == before
        elif state == "failed":
            assert RANK[before] < RANK["delivered"]
        else:
            assert RANK[state] >= RANK[before]
            assert state == before or RANK[state] > RANK[before]


@pytest.mark.parametrize("state", RUNGS)
def test_a_failure_counts_until_the_message_was_delivered(state: str) -> None:
    assert moved(state, "failed") is (state not in ("delivered", "read"))


def test_every_status_of_metas_is_a_rung_of_ours() -> None:
    assert {"sent", "delivered", "read", "played", "failed"} == set(STATUSES)
    assert set(STATUSES.values()) <= set(RANK) | FINAL
    assert set(RUNGS) == set(RANK)


@given(st.integers(1, 10_000), st.floats(0, 1))
def test_a_retry_waits_longer_each_time_but_never_beyond_its_bound(attempt: int, chance: float) -> None:
    wait = retry_in(attempt, chance).total_seconds()
    ceiling = min(60.0, 2.0 ** min(attempt - 1, 60))
    assert 0.05 - 1e-6 <= wait <= 0.05 + chance * ceiling + 1e-6
    assert retry_in(attempt, 1.0) <= retry_in(attempt + 1, 1.0) <= timedelta(seconds=60.05)
