"""What becomes of a question with several approvers, and what is due about it: against an oracle of another make."""

import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product

import pytest

from sayso.confirmations import steps
from sayso.confirmations.steps import Approver, Due, Facts, Leaning, Open, Step, Tally, due, tally

T0 = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)
WALKS = 10_000

Rule = Callable[[int, Sequence[Approver]], Tally]


def at(minutes: float) -> datetime:
    """So many minutes after the question was asked."""
    return T0 + timedelta(minutes=minutes)


def somebody(name: str = "a", state: str = "asked", verdict: str | None = None, **more: object) -> Approver:
    """One approver."""
    return Approver(person_id=name, state=state, verdict=verdict, **more)  # type: ignore[arg-type]


def said(name: str, verdict: str, choice: str | None = None) -> Approver:
    """One who has answered."""
    return somebody(name, "answered", verdict, choice=choice)


def lost(name: str, why: str = "undeliverable") -> Approver:
    """One who could not be asked."""
    return somebody(name, "undeliverable", lost=why)


CASES = [
    (1, [somebody()], Open()),
    (1, [said("a", "confirm")], Leaning("confirmed")),
    (1, [said("a", "decline")], Leaning("declined")),
    (1, [said("a", "cancel")], Leaning("cancelled")),
    (1, [said("a", "decline"), somebody("b")], Open()),
    (1, [said("a", "decline"), somebody("b", "waiting", position=1)], Leaning("declined")),
    (2, [said("a", "confirm"), somebody("b")], Open()),
    (2, [said("a", "confirm"), said("b", "decline")], Leaning("declined")),
    (2, [said("a", "confirm"), said("b", "decline"), somebody("c")], Open()),
    (2, [said("a", "confirm"), said("b", "cancel"), somebody("c")], Leaning("cancelled")),
    (2, [said("a", "confirm", "x"), said("b", "confirm", "y")], Leaning("declined")),
    (2, [said("a", "confirm", "x"), said("b", "confirm", "x")], Leaning("confirmed")),
    (1, [lost("a")], Leaning("undeliverable")),
    (1, [lost("a", "opted_out")], Leaning("opted_out")),
    (1, [lost("a"), somebody("b", "waiting", position=1)], Open()),
    (1, [lost("a"), somebody("b")], Open()),
    (2, [lost("a"), said("b", "confirm")], Leaning("undeliverable")),
    (1, [somebody("a", "passed"), said("b", "confirm")], Leaning("confirmed")),
]


@pytest.mark.parametrize(("needed", "approvers", "comes_to"), CASES)
def test_what_answers_come_to(needed: int, approvers: list[Approver], comes_to: Tally) -> None:
    assert tally(needed, approvers) == comes_to


def oracle(needed: int, approvers: Sequence[Approver]) -> Tally:
    """The same by trying every way in which it may go on: open means that some way leads to a confirmation."""
    if any(each.verdict == "cancel" and each.state == "answered" for each in approvers):
        return Leaning("cancelled")
    if _enough(needed, approvers):
        return Leaning("confirmed")
    choices: list[str | None] = [*sorted({each.choice for each in approvers if each.choice})] or [None]
    for choice in choices:
        best = [
            replace(each, state="answered", verdict="confirm", choice=choice)
            if each.state == "asked" or each.person_id in _stand_ins(approvers)
            else each
            for each in approvers
        ]
        if _enough(needed, best):
            return Open()
    return Leaning("declined") if _somebody_stands_against(approvers) else _nobody(approvers)


def _enough(needed: int, approvers: Sequence[Approver]) -> bool:
    yes = [each.choice for each in approvers if each.state == "answered" and each.verdict == "confirm"]
    return any(yes.count(choice) >= needed for choice in yes)


def _stand_ins(approvers: Sequence[Approver]) -> list[str]:
    waiting = [each.person_id for each in approvers if each.state == "waiting"]
    return waiting[: sum(each.state == "undeliverable" for each in approvers)]


def _somebody_stands_against(approvers: Sequence[Approver]) -> bool:
    answers = [each for each in approvers if each.state == "answered"]
    return any(each.verdict == "decline" for each in answers) or len({each.choice for each in answers}) > 1


def _nobody(approvers: Sequence[Approver]) -> Tally:
    return Leaning("opted_out" if any(each.lost == "opted_out" for each in approvers) else "undeliverable")


def _any_question(rng: random.Random) -> tuple[int, list[Approver]]:
    """Some question in some state; the more are asked, the more may be needed."""
    count = rng.randint(1, 5)
    people = [_anybody(rng, str(number)) for number in range(count)]
    return rng.randint(1, count), people


def _anybody(rng: random.Random, name: str) -> Approver:
    state = rng.choice(["asked", "asked", "answered", "answered", "undeliverable", "waiting", "passed"])
    if state == "answered":
        return said(name, rng.choice(["confirm", "confirm", "confirm", "decline", "cancel"]))
    if state == "undeliverable":
        return lost(name, rng.choice(["undeliverable", "opted_out"]))
    return somebody(name, state, position=int(state == "waiting"))


def disagreements(rule: Rule, seed: int) -> list[tuple[int, list[Approver]]]:
    """Questions, out of many, that a rule and the oracle see otherwise; what ends unanswered has several names."""
    rng = random.Random(seed)
    found = []
    for _ in range(WALKS):
        needed, people = _any_question(rng)
        if _name(rule(needed, people), people) != _name(oracle(needed, people), people):
            found.append((needed, people))
    return found


def _name(result: Tally, people: Sequence[Approver]) -> str:
    if isinstance(result, Open):
        return "open"
    mixed = any(each.state == "answered" for each in people) and any(each.lost for each in people)
    unreached = {"declined", "undeliverable", "opted_out"}
    return "ended" if mixed and result.outcome in unreached else result.outcome


def test_ten_thousand_questions_come_to_what_the_oracle_says() -> None:
    assert disagreements(tally, seed=5) == []


def _a_no_is_overlooked(needed: int, people: Sequence[Approver]) -> Tally:
    return tally(needed, [each for each in people if each.verdict != "decline"])


def _whoever_waits_counts(needed: int, people: Sequence[Approver]) -> Tally:
    return tally(
        needed, [replace(each, state="asked") if each.state == "waiting" else each for each in people]
    )


def _one_yes_is_enough(needed: int, people: Sequence[Approver]) -> Tally:
    return tally(min(needed, 1), people)


def _cancel_is_a_no(needed: int, people: Sequence[Approver]) -> Tally:
    return tally(
        needed, [replace(each, verdict="decline") if each.verdict == "cancel" else each for each in people]
    )


def _who_passed_it_on_counts(needed: int, people: Sequence[Approver]) -> Tally:
    return tally(
        needed, [replace(each, state="asked") if each.state == "passed" else each for each in people]
    )


def _lost_ends_it(needed: int, people: Sequence[Approver]) -> Tally:
    return Leaning("undeliverable") if any(each.lost for each in people) else tally(needed, people)


@pytest.mark.parametrize(
    "bug",
    [
        _a_no_is_overlooked,
        _whoever_waits_counts,
        _one_yes_is_enough,
        _cancel_is_a_no,
        _who_passed_it_on_counts,
        _lost_ends_it,
    ],
)
def test_a_planted_bug_is_caught(bug: Rule) -> None:
    assert disagreements(bug, seed=5)


def asked_question(**changes: object) -> Facts:
    """A question to one person, for an hour."""
    facts = Facts(status="pending", expires_at=at(60), needed=1, approvers=[somebody()])
    return replace(facts, **changes)  # type: ignore[arg-type]


CAROL = somebody("carol", "waiting", position=1)
AFTER_TEN = (Step(1, at(10), "unread"),)


@pytest.mark.parametrize(
    ("facts", "minute", "now", "look_at"),
    [
        (asked_question(), 0, (), at(60)),
        (asked_question(), 60, (Due("expire"),), at(60)),
        (asked_question(status="held", held_until=at(3)), 1, (), at(3)),
        (asked_question(status="held", held_until=at(3)), 3, (Due("release"),), at(3)),
        (asked_question(status="held", held_until=at(61)), 60, (), at(61)),
        (asked_question(status="held", held_until=at(3), frozen=True), 3, (), at(60)),
        (asked_question(status="held", held_until=at(3), frozen=True), 60, (Due("expire"),), at(60)),
        (asked_question(remind_at=at(50)), 0, (), at(50)),
        (asked_question(remind_at=at(50)), 50, (Due("remind", ("a",)),), at(60)),
        (asked_question(remind_at=at(50), approvers=[somebody(reminded=True)]), 51, (), at(60)),
        (asked_question(remind_at=at(50), frozen=True), 51, (), at(60)),
        (asked_question(approvers=[somebody(), CAROL], escalation=AFTER_TEN), 9, (), at(10)),
        (
            asked_question(approvers=[somebody(delivery="delivered"), CAROL], escalation=AFTER_TEN),
            10,
            (Due("escalate", ("carol",)),),
            at(60),
        ),
        (asked_question(approvers=[somebody(delivery="read"), CAROL], escalation=AFTER_TEN), 10, (), at(60)),
        (
            asked_question(approvers=[lost("a"), CAROL], escalation=AFTER_TEN),
            1,
            (Due("escalate", ("carol",)),),
            at(10),
        ),
    ],
)
def test_what_is_due(facts: Facts, minute: float, now: tuple[Due, ...], look_at: datetime) -> None:
    plan = due(facts, at(minute))
    assert (plan.now, plan.look_at) == (now, look_at)


@pytest.mark.parametrize(
    ("when", "delivery"),
    list(product(["undelivered", "unread", "unanswered"], ["sent", "delivered", "read"])),
)
def test_an_escalation_goes_by_how_far_the_question_has_come(when: str, delivery: str) -> None:
    facts = asked_question(
        approvers=[somebody(delivery=delivery), CAROL], escalation=(Step(1, at(10), when),)
    )
    left_alone = (when, delivery) in {
        ("undelivered", "delivered"),
        ("undelivered", "read"),
        ("unread", "read"),
    }
    assert bool(due(facts, at(10)).now) is not left_alone


def test_the_first_look_is_the_earliest_of_what_may_come() -> None:
    rule = {"remind_s": 600, "escalation": [{"after_s": 300, "when": "unread", "position": 1}]}
    assert steps.first_look({}, T0, at(60)) == at(60)
    assert steps.first_look(rule, T0, at(60)) == at(5)
    assert steps.first_look({"remind_s": 600}, T0, at(60)) == at(50)
    assert steps.first_look({"remind_s": 7200}, T0, at(60)) == at(60), (
        "a reminder before the question is none"
    )
