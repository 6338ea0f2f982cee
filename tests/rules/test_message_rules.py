"""May this message go now, as what: the whole truth table; the order of reasons; statuses only climb; retries."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, get_args

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
    Hold,
    Purpose,
    Stop,
    Wait,
    decide,
    moved,
    retry_in,
    window_closed,
    window_open,
)

NOW = datetime(2026, 3, 14, 12, 0, tzinfo=UTC)
TICK = timedelta(microseconds=1)
LATER = NOW + timedelta(minutes=3)
PURPOSES: tuple[Purpose, ...] = get_args(Purpose)
YES_NO = (False, True)
#: When the person last wrote, and since when everything written to the sender is heard.
WINDOWS: dict[str, tuple[datetime | None, datetime | None]] = {
    "open": (NOW - timedelta(hours=1), None),
    "in its last minutes": (NOW - WINDOW + TICK, NOW - 10 * WINDOW),
    "closed": (NOW - timedelta(hours=30), None),
    "never, as heard": (None, NOW - WINDOW),
    "never, but not heard for long": (None, NOW - WINDOW + TICK),
    "never, and nothing heard": (None, None),
}
KNOWN_CLOSED = ("closed", "never, as heard")
FORMS = {"text": (False, False), "text or template": (True, False), "template": (False, True)}
HOLDS = ("template_hold", "pair_hold", "reach_hold")


def facts(**changes: Any) -> Facts:
    """A text in an open window, to which nothing is objected."""
    return Facts(
        **{
            "purpose": "send",
            "now": NOW,
            "expires_at": NOW + TICK,
            "window_opened_at": NOW,
            "in_flight": False,
            "has_template": False,
            "needs_window": False,
            "reachable": True,
            **changes,
        }
    )


def hold(name: str) -> Hold:
    return Hold(LATER, f"waits for {name}", name)


@dataclass(frozen=True)
class Row:
    """One line of the truth table."""

    purpose: Purpose
    expired: bool
    reachable: bool
    refused: bool
    to_who_left: bool
    window: str
    busy: bool
    kind: str
    picky: bool
    fell_back: bool
    holds: tuple[str, ...]

    def facts(self) -> Facts:
        """As the claim would read them."""
        has_template, is_template = FORMS[self.kind]
        opened_at, heard_since = WINDOWS[self.window]
        return facts(
            purpose=self.purpose,
            expires_at=NOW if self.expired else NOW + TICK,
            not_permitted="no opt-in" if self.refused else None,
            not_permitted_by="refused" if self.refused else None,
            to_who_left=self.to_who_left,
            window_opened_at=opened_at,
            heard_since=heard_since,
            in_flight=self.busy,
            has_template=has_template,
            is_template=is_template,
            needs_window=self.picky,
            reachable=self.reachable,
            fell_back=self.fell_back,
            **{name: hold(name) for name in self.holds},
        )


def oracle(row: Row) -> str:
    """The outcome in one word, read off a decision tree drawn apart from the code."""
    if row.expired or not row.reachable:
        return "expired" if row.expired else "failed"
    if row.purpose == "consent" and (row.to_who_left or not row.refused):
        return "pair_hold" if "pair_hold" in row.holds else "in flight" if row.busy else "session"
    if row.refused:
        return "suppressed by refused"
    form = form_by_oracle(row)
    if form == "suppressed":
        return form
    in_window = row.window == "open"
    counted = {"pair_hold": True, "template_hold": form == "template"}
    counted["reach_hold"] = form == "template" and not in_window
    return next((name for name in HOLDS if name in row.holds and counted[name]), form)


def form_by_oracle(row: Row) -> str:
    by_kind = {"template": "template", "text": "session", "text or template": "template"}
    form = by_kind[row.kind]
    if row.window == "open" and not (row.kind == "text or template" and row.fell_back):
        return "template" if row.kind == "template" else "session"
    if form == "session" and (row.picky or row.window in KNOWN_CLOSED):
        return "suppressed"
    return form


def word_for(verdict: Go | Stop | Wait) -> str:
    match verdict:
        case Go(form=form):
            return form
        case Stop(state=state, reason=reason, by=by):
            assert reason
            return f"{state} by {by}" if by else state
        case Wait(until=until, held=None, held_by=None):
            assert until == NOW + IN_FLIGHT_LOOK
            return "in flight"
        case Wait(until=until, held=held, held_by=held_by):
            assert (until, held) == (LATER, f"waits for {held_by}")
            return str(held_by)


def every_row() -> Iterator[Row]:
    """The whole table; lines that differ only in holds are left out where the message has ended anyhow."""
    held = [tuple(chosen) for size in range(4) for chosen in itertools.combinations(HOLDS, size)]
    for purpose, expired, reachable in itertools.product(PURPOSES, YES_NO, YES_NO):
        ended = expired or not reachable
        for row in itertools.product(
            YES_NO, YES_NO, WINDOWS, YES_NO, FORMS, YES_NO, YES_NO, held[:1] if ended else held
        ):
            yield Row(purpose, expired, reachable, *row)


def test_what_becomes_of_a_message_in_every_circumstance() -> None:
    seen = set()
    for row in every_row():
        got = word_for(decide(row.facts()))
        assert got == oracle(row), row
        seen.add(got)
    words = {"expired", "failed", "in flight", "session", "template", "suppressed", *HOLDS}
    assert seen == words | {"suppressed by refused"}


#: Every reason against sending, in the order in which they count, as changes of a template outside the window.
REASONS: list[tuple[str, dict[str, Any]]] = [
    ("expired", {"expires_at": NOW}),
    ("failed", {"reachable": False}),
    ("suppressed by refused", {"not_permitted": "no opt-in", "not_permitted_by": "refused"}),
    ("template_hold", {"template_hold": hold("template_hold")}),
    ("pair_hold", {"pair_hold": hold("pair_hold")}),
    ("reach_hold", {"reach_hold": hold("reach_hold")}),
]


@given(st.sets(st.integers(0, len(REASONS) - 1)), st.sampled_from(["template", "text or template"]))
def test_of_several_reasons_the_first_counts(which: set[int], kind: str) -> None:
    has_template, is_template = FORMS[kind]
    changes: dict[str, Any] = {
        "window_opened_at": None,
        "has_template": has_template,
        "is_template": is_template,
    }
    for number in sorted(which, reverse=True):
        changes |= REASONS[number][1]
    expected = REASONS[min(which)][0] if which else "template"
    assert word_for(decide(facts(**changes))) == expected


_TIMES = st.none() | st.datetimes(
    NOW.replace(tzinfo=None) - timedelta(days=3), NOW.replace(tzinfo=None) + timedelta(days=3)
).map(lambda at: at.replace(tzinfo=UTC))
_HELD = st.none() | st.just(hold("x"))


@given(
    st.builds(
        Facts,
        purpose=st.sampled_from(PURPOSES),
        now=st.just(NOW),
        expires_at=_TIMES.map(lambda at: at or LATER),
        window_opened_at=_TIMES,
        in_flight=st.booleans(),
        has_template=st.booleans(),
        needs_window=st.booleans(),
        reachable=st.booleans(),
        not_permitted=st.sampled_from([None, "no opt-in"]),
        not_permitted_by=st.sampled_from([None, "refused"]),
        to_who_left=st.booleans(),
        is_template=st.booleans(),
        fell_back=st.booleans(),
        heard_since=_TIMES,
        template_hold=_HELD,
        pair_hold=_HELD,
        reach_hold=_HELD,
    )
)
def test_the_decision_is_total_and_never_sends_what_may_not_go(given_facts: Facts) -> None:
    verdict = decide(given_facts)
    assert isinstance(verdict, Go | Stop | Wait)
    assert decide(given_facts) == verdict
    match verdict:
        case Go(form=form):
            assert given_facts.now < given_facts.expires_at
            assert given_facts.reachable
            if given_facts.purpose != "consent" or not given_facts.to_who_left:
                assert not given_facts.not_permitted
            assert given_facts.pair_hold is None
            if given_facts.purpose != "consent":
                assert form == "session" or given_facts.is_template or given_facts.has_template
                closed = window_closed(given_facts.window_opened_at, given_facts.heard_since, NOW)
                assert form == "template" or closed is None
        case Stop(reason=reason):
            assert reason
        case Wait(until=until):
            assert until > NOW


@pytest.mark.parametrize(
    ("opened_at", "heard_since", "said"),
    [
        (NOW, None, None),
        (NOW - WINDOW + TICK, NOW - 9 * WINDOW, None),
        (NOW - WINDOW, None, "closed at 2026-03-14 12:00 UTC"),
        (NOW - timedelta(days=9), NOW, "closed at 2026-03-06 12:00 UTC"),
        (None, None, None),
        (None, NOW - WINDOW + TICK, None),
        (None, NOW - WINDOW, "never written"),
    ],
)
def test_when_the_window_is_known_to_be_closed(
    opened_at: datetime | None, heard_since: datetime | None, said: str | None
) -> None:
    closed = window_closed(opened_at, heard_since, NOW)
    assert (closed is None) if said is None else (closed is not None and said in closed)


def test_what_meta_says_of_the_window_is_told_as_metas_word() -> None:
    refused_at = NOW - timedelta(minutes=3)
    said = window_closed(refused_at - WINDOW, None, NOW, refused_at=refused_at)
    assert said is not None
    assert "Meta refused what was posted at 2026-03-14 11:57 UTC" in said
    assert said.endswith("only a template may be sent")


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
