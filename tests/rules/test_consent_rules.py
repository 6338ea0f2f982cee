"""What a person's words about being messaged permit, category by category."""

import itertools
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sayso.consent.rules import (
    ACTIONS,
    CATEGORIES,
    OPENS,
    SCOPES,
    Action,
    Entry,
    Standing,
    restorable,
    standing,
)

START = datetime(2026, 3, 14, 12, 0, tzinfo=UTC)
LATER = START + timedelta(days=9)


def entry(name: str, action: Action, minutes: int = 0, method: str = "keyword", **more: Any) -> Entry:
    return Entry(name, action, method, START + timedelta(minutes=minutes), **more)


def stands(*entries: Entry, required: Any = CATEGORIES) -> Standing:
    return standing(entries, now=LATER, required=required)


def may(holds: Standing, *, initiated: bool = True) -> set[str]:
    return {scope for scope in SCOPES if holds.permits(scope, initiated=initiated).allowed}


def test_who_never_said_anything_may_be_answered_and_is_not_begun_with() -> None:
    assert may(stands(), initiated=False) == set(SCOPES)
    assert may(stands()) == {"service"}
    missing = stands().permits("notifications", initiated=True)
    assert (missing.code, missing.entry_id) == ("consent_missing", None)
    assert "has not opted in to notifications" in missing.reason


def test_a_policy_switches_the_opt_in_off_for_its_category_alone() -> None:
    assert may(stands(required={"marketing"})) == {*SCOPES} - {"marketing"}


@pytest.mark.parametrize("action", sorted(OPENS))
def test_an_opt_in_permits_what_it_covers(action: Action) -> None:
    assert may(stands(entry("a", action))) == set(SCOPES)
    narrow = stands(entry("a", action, scope=("daily_summary",)))
    assert may(narrow) == {"daily_summary", "service"}
    assert narrow.permits("daily_summary", initiated=True).entry_id == "a"


def test_an_opt_out_of_everything_refuses_everything_window_or_not() -> None:
    out = stands(entry("in", "granted"), entry("out", "withdrawn", 1))
    assert may(out) == may(out, initiated=False) == set()
    assert out.out is not None
    assert out.out.id == "out"
    refused = out.permits("service", initiated=False)
    assert (refused.code, refused.entry_id) == ("opted_out", "out")
    assert refused.reason == "the person opted out (consent entry out)"


def test_an_opt_out_of_a_category_leaves_the_others() -> None:
    part = stands(entry("in", "granted"), entry("out", "withdrawn", 1, scope=("marketing",)))
    assert may(part) == may(part, initiated=False) == {*SCOPES} - {"marketing"}
    assert part.out is None
    assert "opted out of marketing" in part.permits("marketing", initiated=False).reason


def test_only_who_left_everything_is_out() -> None:
    assert stands(entry("out", "withdrawn", scope=("service",))).out is None
    back = stands(entry("out", "withdrawn"), entry("in", "granted", 1, "api", scope=("notifications",)))
    assert back.out is None
    assert may(back) == may(back, initiated=False) == {"notifications"}


def test_metas_stop_is_of_marketing_and_only_metas_own_resume_lifts_it() -> None:
    stop = entry("meta", "suppressed_by_meta", 1, "meta_preference", scope=("marketing",))
    for said in ([], [entry("in", "granted", 5)], [entry("in", "confirmed", 5, scope=("marketing",))]):
        holds = stands(entry("first", "granted"), stop, *said)
        assert may(holds) == {*SCOPES} - {"marketing"}
        assert "switched marketing off in WhatsApp" in holds.permits("marketing", initiated=True).reason
    lifted = entry("resume", "lifted_by_meta", 7, "meta_preference", scope=("marketing",))
    assert may(stands(entry("first", "granted"), stop, lifted)) == set(SCOPES)
    assert may(stands(entry("first", "withdrawn"), stop, lifted)) == set()
    assert "marketing" not in may(stands(stop, lifted)), "a resume is no opt-in"


@pytest.mark.parametrize(("seconds", "lifts"), [(0, False), (1, True)])
def test_metas_resume_lifts_a_stop_of_an_earlier_second_whatever_is_said_beside_it(
    seconds: int, lifts: bool
) -> None:
    # Meta dates both in whole seconds and may deliver them in either order: in one second none is known to be later
    told = replace(entry("told", "granted", method="api"), captured_at=START + timedelta(seconds=0.7))
    stop = entry("meta", "suppressed_by_meta", method="meta_preference", scope=("marketing",))
    lifted = replace(
        stop, id="resume", action="lifted_by_meta", captured_at=START + timedelta(seconds=seconds)
    )
    for order in itertools.permutations([told, stop, entry("start", "granted"), lifted]):
        holds = stands(*(replace(each, seq=number) for number, each in enumerate(order)))
        assert ("marketing" in may(holds)) is lifts


def test_a_no_is_no_opt_out_and_no_policy_overrides_it() -> None:
    said_no = stands(entry("in", "granted"), entry("no", "denied", 1), required=())
    assert may(said_no, initiated=False) == set(SCOPES)
    assert may(said_no) == {"service"}
    assert said_no.permits("marketing", initiated=True).code == "consent_missing"


def test_an_opt_in_ends_when_its_time_does() -> None:
    until = LATER + timedelta(seconds=1)
    assert may(stands(entry("in", "granted", expires_at=until))) == set(SCOPES)
    ended = stands(entry("in", "granted", expires_at=LATER))
    assert may(ended) == {"service"}
    assert "has expired" in ended.permits("marketing", initiated=True).reason
    assert may(stands(entry("in", "granted"), entry("end", "expired", 1))) == {"service"}


def test_a_note_that_an_opt_in_has_ended_changes_nothing_else() -> None:
    ended = entry("old", "granted", 0, expires_at=START + timedelta(minutes=5))
    note = entry("note", "expired", 5, "time", about="old")
    assert may(stands(ended, note)) == {"service"}
    assert may(stands(entry("first", "granted", -9), ended, note)) == {"service"}
    assert may(stands(ended, entry("new", "renewed", 3), note)) == set(SCOPES)


def test_an_opt_in_without_proof_holds_for_all_but_marketing_and_lifts_no_opt_out() -> None:
    weak = entry("weak", "imported", 5, "import", verified=False)
    assert may(stands(weak)) == {*SCOPES} - {"marketing"}
    assert "has no proof" in stands(weak).permits("marketing", initiated=True).reason
    assert may(stands(entry("out", "withdrawn"), weak)) == set()
    assert may(stands(entry("no", "denied"), weak)) == {"service"}
    assert may(stands(entry("out", "withdrawn"), entry("new", "granted", 5, "web_form"))) == set(SCOPES)


def test_a_correction_strikes_out_what_it_is_about() -> None:
    wrong, right = entry("wrong", "granted", 5), entry("fix", "corrected", 9, "api", about="wrong")
    assert may(stands(wrong, right)) == {"service"}
    assert may(stands(entry("before", "granted"), entry("out", "withdrawn", 7), wrong, right)) == set()


def test_the_latest_word_holds_in_whatever_order_it_became_known() -> None:
    said = [
        entry("a", "withdrawn", 0),
        entry("b", "granted", 5),
        entry("c", "withdrawn", 9),
        entry("d", "granted", 2),
    ]
    for order in itertools.permutations(said):
        assert stands(*order).out == said[2]


def test_of_two_words_of_one_moment_the_more_restrictive_holds() -> None:
    for order in itertools.permutations(
        [entry("in", "granted", 1), entry("no", "denied", 1), entry("out", "withdrawn", 1)]
    ):
        assert stands(*order).out is not None
        assert may(stands(*order[:2])) != set(SCOPES)


@pytest.mark.parametrize(
    ("said", "back"),
    [
        ([], ("all",)),
        ([entry("out", "withdrawn")], ("all",)),
        ([entry("out", "withdrawn", method="button")], ("all",)),
        ([entry("no", "denied", method="button")], ("all",)),
        ([entry("out", "withdrawn", method="api")], ()),
        ([entry("out", "withdrawn", method="api"), entry("again", "withdrawn", 5)], ()),
        ([entry("out", "withdrawn", method="api"), entry("in", "granted", 5, "web_form")], ("all",)),
        (
            [entry("part", "withdrawn", method="api", scope=("marketing",)), entry("out", "withdrawn", 5)],
            ("confirmations", "notifications", "daily_summary", "service"),
        ),
        ([entry("meta", "suppressed_by_meta", method="meta_error", scope=("marketing",))], ("all",)),
    ],
)
def test_a_start_restores_what_was_stopped_in_the_chat(said: list[Entry], back: tuple[str, ...]) -> None:
    assert restorable(said) == back


entries = st.builds(
    Entry,
    st.uuids().map(str),
    st.sampled_from([action for action in ACTIONS if action != "corrected"]),
    st.sampled_from(["keyword", "button", "api", "import", "meta_preference"]),
    st.integers(0, 9).map(lambda minutes: START + timedelta(minutes=minutes)),
    st.sampled_from([("all",), ("marketing",), ("confirmations", "daily_summary")]),
    st.sampled_from([None, LATER]),
    st.booleans(),
)


@given(st.lists(entries, max_size=8), st.randoms())
def test_the_order_of_arrival_never_matters(said: list[Entry], dice: Any) -> None:
    written = [replace(each, seq=number) for number, each in enumerate(said)]
    shuffled = [*written]
    dice.shuffle(shuffled)
    holds, again = stands(*written), stands(*shuffled)
    assert may(holds) == may(again)
    assert may(holds) <= may(holds, initiated=False)


@given(st.lists(entries, max_size=8))
def test_a_stop_of_everything_now_ends_everything_whatever_was_said_before(said: list[Entry]) -> None:
    assert may(stands(*said, entry("stop", "withdrawn", 60)), initiated=False) == set()


@given(st.lists(entries, max_size=8))
def test_a_start_brings_back_nothing_that_was_stopped_elsewhere(said: list[Entry]) -> None:
    scope = restorable(said)
    if scope:
        after = stands(*said, entry("start", "granted", 60, scope=scope))
        in_chat = ("keyword", "button")
        elsewhere = [e for e in said if e.method not in in_chat or e.action not in ("withdrawn", "denied")]
        assert may(after, initiated=False) <= may(stands(*elsewhere), initiated=False)


@pytest.mark.parametrize("seconds", [0.4, 60, 300])
def test_a_stop_heard_after_an_opt_in_holds_though_another_clock_puts_it_before(seconds: float) -> None:
    told = replace(
        entry("told", "granted", method="api", seq=1), captured_at=START + timedelta(seconds=seconds)
    )
    stop = entry("stop", "withdrawn", seq=2)
    assert stands(told, stop).out == stop
    assert stands(told, replace(stop, seq=0)).out is None, "heard before the opt-in was told"
    back = replace(entry("back", "granted", seq=3), captured_at=START + timedelta(seconds=1))
    assert stands(told, stop, back).out is None, "START is later by the same clock"


def test_a_stop_delivered_days_late_undoes_no_later_opt_in() -> None:
    told = entry("told", "granted", minutes=6, method="api", seq=1)
    assert stands(told, entry("stop", "withdrawn", seq=2)).out is None


def test_a_no_to_a_question_does_not_soften_an_opt_out() -> None:
    holds = stands(entry("out", "withdrawn", method="api"), entry("no", "denied", 1))
    assert may(holds, initiated=False) == set()


def test_every_stop_is_kept_metas_beside_the_persons_own() -> None:
    meta = entry("m", "suppressed_by_meta", method="meta_preference", scope=("marketing",))
    holds = stands(meta, entry("w", "withdrawn", 1), entry("g", "granted", 2, scope=("notifications",)))
    assert {stop.id for stop in holds.stops()} == {"m", "w"}
    assert stands(meta, entry("w", "withdrawn", 1), entry("g", "granted", 2)).stops() == [meta]
    assert stands(entry("g", "granted")).stops() == []
