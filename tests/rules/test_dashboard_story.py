"""The story of a decision: every moment in its place, with the words that were shown, from rows alone."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sayso.confirmations.story import Asked, Line, Story, _lines
from sayso.core.database import Record
from sayso.dashboard.bubbles import Bubble, bubble
from sayso.dashboard.happened import Step, happened
from sayso.dashboard.words import FROZEN, Badge
from sayso.people.service import Person

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
ROW: dict[str, Any] = {
    "id": "cnf_1",
    "client_id": "bot",
    "person_id": "ana",
    "created_at": NOW,
    "decided_at": None,
    "claimed_at": None,
    "reported_at": None,
    "rule": {},
}
LINE: dict[str, Any] = {
    "id": "msg_line",
    "person_id": "ana",
    "purpose": "notice",
    "content": {"type": "text", "body": "hello"},
    "outside_window": None,
    "form": "session",
    "state": "delivered",
    "reason": None,
}


def at(minutes: float) -> datetime:
    return NOW + timedelta(minutes=minutes)


def asked(user: str, minutes: float | None = 0, **row: Any) -> Asked:
    """Somebody who is asked after so many minutes; None: not yet."""
    stands = {"person_id": user, "position": 0, "because": "asked", "delegated_from": None, "shown": None}
    message = None if minutes is None else {"id": f"msg_{user}", "created_at": at(minutes)}
    return Asked({**stands, **row}, {"user": user, "number": "…1111"}, message, [])


def line(minutes: float, **row: Any) -> dict[str, Any]:
    return {**LINE, "created_at": at(minutes), **row}


def story(
    *people: Asked, lines: Sequence[Line] = (), called: dict[str, str] | None = None, **row: Any
) -> Story:
    whose = {each.row["person_id"]: each.row["person_id"] for each in people}
    return Story({**ROW, **row}, list(people), list(lines), [], {}, None, whose, called or {})


def told(tale: Story, bubbles: dict[str, Bubble] | None = None) -> list[Step]:
    return happened(tale, [], [], bubbles or {})


def test_who_is_asked_when_and_why_is_told_in_the_order_of_time() -> None:
    rule = {"escalation": [{"position": 1, "when": "unread", "after_s": 600, "to": "cy"}]}
    later = asked("cy", 10, position=1, because="escalated")
    instead = asked("dee", 0, because="delegated", delegated_from="eve")
    tale = story(asked("ana"), instead, later, asked("flo", None), rule=rule, called={"eve": "eve …5555"})
    assert [(each.at, each.what, each.said) for each in told(tale)] == [
        (at(0), "requested", "the assistant bot asked for a confirmation"),
        (at(0), "asked", "ana …1111"),
        (at(0), "delegated to", "dee …1111, in place of eve …5555, who is away"),
        (at(10), "escalated to", "cy …1111, since it was not read within 10 min"),
    ]


def test_whose_turn_comes_early_is_asked_since_another_cannot_answer() -> None:
    rule = {"escalation": [{"position": 1, "when": "unread", "after_s": 600, "to": "cy"}]}
    tale = story(asked("ana"), asked("cy", 9, position=1, because="escalated"), rule=rule)
    assert told(tale)[-1].said == "cy …1111, since somebody who was asked cannot answer"


def test_who_is_asked_by_escalation_in_somebodys_place_is_told_with_both_reasons() -> None:
    rule = {"escalation": [{"position": 1, "when": "undelivered", "after_s": 90, "to": "cy"}]}
    instead = asked("dee", 2, position=1, because="delegated", delegated_from="cy")
    tale = story(asked("ana"), asked("cy", None, position=1), instead, rule=rule)
    said = "dee …1111, in place of cy …1111, who is away, since it was not delivered within 1 min 30 s"
    assert (told(tale)[-1].what, told(tale)[-1].said) == ("escalated to", said)


def arrives(*steps: tuple[float, str, str | None]) -> Asked:
    """Ana's question on its way."""
    timeline: list[Record] = [
        {"at": at(minutes), "state": state, "reason": why, "detail": None} for minutes, state, why in steps
    ]
    ana = asked("ana")
    return Asked(ana.row, ana.who, ana.message, timeline)


def test_what_went_well_is_told_once_and_what_did_not_with_its_reason_each_time_it_became_so() -> None:
    well = arrives(
        (0, "queued", None),
        (1, "sent", None),
        (2, "delivered", "x"),
        (3, "delivered", None),
        (4, "read", None),
    )
    assert [(each.at, each.what, each.said) for each in told(story(well))[2:]] == [
        (at(2), "delivered to", "ana …1111"),
        (at(4), "read by", "ana …1111"),
    ]
    again = arrives(
        (1, "failed", "131026"), (2, "failed", "overtaken"), (3, "queued", None), (4, "failed", "131047")
    )
    assert [(each.at, each.what, each.said) for each in told(story(again))[2:]] == [
        (at(1), "failed", "the question to ana …1111: 131026"),
        (at(4), "failed", "the question to ana …1111: 131047"),
    ]


@pytest.mark.parametrize(
    ("purpose", "what"),
    [("reminder", "reminded"), ("whole", "shown all"), ("closing", "closed"), ("notice", "told")],
)
def test_what_was_said_of_it_is_a_moment_with_its_words_and_how_far_they_came(
    purpose: Any, what: str
) -> None:
    drawn = Bubble("hello", ())
    step = told(story(asked("ana"), lines=[Line(line(3), purpose)]), {"msg_line": drawn})[-1]
    assert (step.at, step.what, step.said) == (at(3), what, "ana …1111")
    assert (step.bubble, step.state) == (drawn, Badge("delivered", "good"))


@pytest.mark.parametrize("why", sorted(FROZEN))
def test_what_is_frozen_says_why_in_words(why: str) -> None:
    event = {"type": "confirmation.frozen", "at": at(1), "data": {"why": why}}
    step = happened(story(asked("ana")), [event], [], {})[-1]
    assert (step.what, step.said, step.tone) == (
        "frozen",
        f"no answer decides it, since {FROZEN[why]}",
        "bad",
    )


def test_what_was_not_sent_says_why() -> None:
    lost = line(3, state="suppressed", reason="the window is closed")
    step = told(story(asked("ana"), lines=[Line(lost, "closing")]))[-1]
    assert (step.said, step.state) == ("ana …1111: the window is closed", Badge("suppressed", "bad"))


def test_what_was_reported_is_told_with_its_note() -> None:
    tale = story(claimed_at=at(1), reported_at=at(2), execution_status="failed", execution_note="no funds")
    assert [(each.what, each.tone, each.quote) for each in told(tale)[1:]] == [
        ("claimed", "open", ""),
        ("reported", "bad", "no funds"),
    ]


def person(name: str, *ids: str) -> Person:
    return Person(name, (name, *ids), None, None, None, None)


def test_a_reminder_is_what_somebody_was_told_first_once_they_were_to_be_reminded() -> None:
    everyone = [asked("ana", reminded_at=at(5)).row, asked("ben", reminded_at=at(5)).row]
    rows = [
        line(4, id="before"),
        line(5, id="anas", person_id="ana before"),
        line(5, id="bens", person_id="ben"),
        line(5, id="the end", purpose="closing"),
        line(6, id="after"),
    ]
    persons = {"ana": person("ana", "ana before"), "ben": person("ben")}
    found = {each.row["id"]: each.purpose for each in _lines(rows, everyone, persons)}
    assert found == {
        "before": "notice",
        "anas": "reminder",
        "bens": "reminder",
        "the end": "closing",
        "after": "notice",
    }


def test_the_whole_of_a_question_is_known_by_its_words() -> None:
    whole = {"type": "buttons", "body": "All of it", "buttons": [{"id": "x", "title": "Confirm"}]}
    everyone = [asked("ana", shown={"session": {}, "rest": [whole]}, reminded_at=None).row]
    rows = [line(1), line(2, content=whole), line(3, content=whole)]
    purposes = [each.purpose for each in _lines(rows, everyone, {"ana": person("ana")})]
    assert purposes == ["notice", "whole", "whole"]


def test_a_line_is_shown_in_the_form_it_was_sent_in_and_not_once_it_is_erased() -> None:
    template = {"type": "template", "name": "t", "language": "en", "parameters": ["Ana"]}
    both = line(1, outside_window=template)
    assert Line(both, "reminder").shown == {"type": "text", "body": "hello"}
    assert Line({**both, "form": "template"}, "reminder").shown == template
    assert Line(line(1, form="template", content=template), "notice").shown == template
    assert Line(line(1, content={"type": "erased"}), "notice").shown is None


def test_a_text_has_no_buttons() -> None:
    assert bubble({"type": "text", "body": "hello"}, None) == Bubble("hello", ())
