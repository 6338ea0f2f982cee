"""What becomes of a question, and what is to be done about it now: pure; facts in, decisions out.

A question is *pending* until enough of those who are asked agree, or cannot agree any more. What they lean to is then
its outcome at once, or *held* for as long as it may be undone. Whatever is done in time is a :class:`Due`: reminders,
the next person to be asked, the release of what is held, the end.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from sayso.confirmations.rules import Outcome, Verdict

State = Literal["waiting", "asked", "answered", "undeliverable", "passed"]
Lost = Literal["undeliverable", "opted_out"]
Doing = Literal["release", "expire", "escalate", "remind"]

#: How far a message has to have come for an escalation to leave its person alone.
_REACHED: Mapping[str, frozenset[str]] = {
    "undelivered": frozenset({"delivered", "read"}),
    "unread": frozenset({"read"}),
    "unanswered": frozenset(),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Approver:
    """Somebody who is asked, or may be. ``choice`` tells answers of one verdict apart: those who agree choose the same.

    ``delivery`` is the state of the message that asked them.
    """

    person_id: str
    state: State
    position: int = 0
    verdict: Verdict | None = None
    choice: str | None = None
    lost: Lost | None = None
    delivery: str | None = None
    reminded: bool = False


@dataclass(frozen=True, slots=True)
class Open:
    """More answers are needed, and can still come."""


@dataclass(frozen=True, slots=True)
class Leaning:
    """The outcome that the answers give."""

    outcome: Outcome


Tally = Open | Leaning


def tally(needed: int, approvers: Sequence[Approver]) -> Tally:
    """What the answers given so far come to.

    Whoever waits to be asked may stand in for somebody who could not be asked, never for somebody who said no.
    """
    said = Counter(each.verdict for each in approvers if each.state == "answered")
    if said["cancel"]:
        return Leaning("cancelled")
    agreed = _agreed(approvers)
    if agreed >= needed:
        return Leaning("confirmed")
    states = Counter(each.state for each in approvers)
    if agreed + states["asked"] + min(states["waiting"], states["undeliverable"]) >= needed:
        return Open()
    if said["decline"] or said["confirm"] > agreed:
        return Leaning("declined")
    opted_out = any(each.lost == "opted_out" for each in approvers)
    return Leaning("opted_out" if opted_out else "undeliverable")


def _agreed(approvers: Sequence[Approver]) -> int:
    """How many have said yes to the same."""
    chosen = Counter(
        each.choice for each in approvers if each.state == "answered" and each.verdict == "confirm"
    )
    return max(chosen.values(), default=0)


@dataclass(frozen=True, slots=True)
class Step:
    """One step of an escalation: whom to ask, when, if those asked before have not come so far."""

    position: int
    at: datetime
    when: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """A question as time finds it. ``remind_at`` is None where nobody is to be reminded."""

    status: Literal["pending", "held"]
    expires_at: datetime
    needed: int
    approvers: Sequence[Approver]
    held_until: datetime | None = None
    frozen: bool = False
    remind_at: datetime | None = None
    escalation: Sequence[Step] = ()


@dataclass(frozen=True, slots=True)
class Due:
    """What is to be done now; ``persons``: whom to remind, or whom to ask."""

    doing: Doing
    persons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be done now, and when to look again."""

    now: tuple[Due, ...]
    look_at: datetime


def due(facts: Facts, now: datetime) -> Plan:
    """What is to be done about a question now. What is frozen is only ended; what is held is only released."""
    if facts.status == "held" and facts.held_until is not None and not facts.frozen:
        release = (Due("release"),) if now >= facts.held_until else ()
        return Plan(release, facts.held_until)
    if now >= facts.expires_at:
        return Plan((Due("expire"),), facts.expires_at)
    if facts.frozen:
        return Plan((), facts.expires_at)
    times = [each.at for each in _waiting(facts) if each.at > now]
    if facts.remind_at is not None and facts.remind_at > now:
        times.append(facts.remind_at)
    return Plan((*_escalate(facts, now), *_remind(facts, now)), min([facts.expires_at, *times]))


def _waiting(facts: Facts) -> Iterator[Step]:
    """The steps that are still to come."""
    positions = {each.position for each in facts.approvers if each.state == "waiting"}
    return (step for step in facts.escalation if step.position in positions)


def _escalate(facts: Facts, now: datetime) -> Iterator[Due]:
    """The steps whose time has come, as far as those asked before leave a need; somebody lost is missed at once."""
    asked = [each for each in facts.approvers if each.state == "asked"]
    lost = sum(each.state == "undeliverable" for each in facts.approvers)
    short = facts.needed - _agreed(facts.approvers)
    for step in sorted(_waiting(facts), key=lambda each: each.position):
        well = sum(each.delivery in _REACHED[step.when] for each in asked)
        if well >= short:
            continue
        if now < step.at and not (lost and len(asked) < short):
            continue
        new = [each for each in facts.approvers if each.position == step.position and each.state == "waiting"]
        asked += [Approver(person_id=each.person_id, state="asked", delivery="new") for each in new]
        yield Due("escalate", tuple(each.person_id for each in new))


def _remind(facts: Facts, now: datetime) -> Iterator[Due]:
    """Those who were asked and have not answered are reminded once, when the end comes near."""
    if facts.remind_at is None or now < facts.remind_at:
        return
    persons = tuple(each.person_id for each in facts.approvers if each.state == "asked" and not each.reminded)
    if persons:
        yield Due("remind", persons)


def facts_of(row: Mapping[str, Any], approvers: Sequence[Approver]) -> Facts:
    """The facts of a confirmation's row; its rule may be empty, which asks for nothing."""
    rule = row["rule"]
    return Facts(
        status=row["status"],
        expires_at=row["expires_at"],
        needed=row["needed"],
        approvers=approvers,
        held_until=row["held_until"],
        frozen=row["frozen_why"] is not None,
        remind_at=_remind_at(rule, row["created_at"], row["expires_at"]),
        escalation=_steps(rule, row["created_at"]),
    )


def first_look(rule: Mapping[str, Any], created_at: datetime, expires_at: datetime) -> datetime:
    """When a question that is asked now is to be looked at for the first time."""
    remind_at = _remind_at(rule, created_at, expires_at)
    times = [step.at for step in _steps(rule, created_at)]
    return min([expires_at, *times, *([remind_at] if remind_at else [])])


def _steps(rule: Mapping[str, Any], created_at: datetime) -> tuple[Step, ...]:
    return tuple(
        Step(each["position"], created_at + timedelta(seconds=each["after_s"]), each["when"])
        for each in rule.get("escalation") or ()
    )


def _remind_at(rule: Mapping[str, Any], created_at: datetime, expires_at: datetime) -> datetime | None:
    """Before the end; None where that would be no later than the question itself."""
    if rule.get("remind_s") is None:
        return None
    at = expires_at - timedelta(seconds=rule["remind_s"])
    return at if at > created_at else None
