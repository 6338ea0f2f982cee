"""What happened to a question, step by step, in the order of time, with the words that were shown. Pure."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sayso.confirmations.story import Asked, For, Line, Story
from sayso.core.database import Record
from sayso.dashboard.bubbles import Bubble
from sayso.dashboard.words import (
    BECAUSE_NOT,
    SOURCES,
    Badge,
    effect,
    frozen,
    how,
    instant,
    moment,
    of_execution,
    of_message,
    outcome,
    span,
    verdict,
)
from sayso.messages import steps

_ON_THE_WAY: Final = ("accepted", "sent", "delivered", "read", "failed")
#: States that say nothing which the next one does not say.
_BRIEFLY: Final = ("queued", "sending", "accepted", "sent")
#: What somebody's reply was, where it was no answer.
_REPLIES: Final = {"undid": "taken back", "extended": "extended", "commented": "reason"}
#: What a line of ours was for.
_LINES: Final[Mapping[For, str]] = {
    "reminder": "reminded",
    "whole": "shown all",
    "closing": "closed",
    "notice": "told",
}


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happened: when, in a word, and in a sentence.

    ``quote``: what somebody wrote; ``bubble``: what we said, and ``state`` how far that came.
    """

    at: datetime
    what: str
    said: str
    tone: str = "plain"
    quote: str = ""
    bubble: Bubble | None = None
    state: Badge | None = None


def happened(
    story: Story, events: Sequence[Record], deliveries: Sequence[Record], bubbles: Mapping[str, Bubble]
) -> list[Step]:
    """Everything, oldest first; ``bubbles``: what each message looked like, by its id."""
    row = story.row
    found = [
        Step(row["created_at"], "requested", f"the assistant {row['client_id']} asked for a confirmation")
    ]
    for each in story.asked:
        found += [*_put(story, each), *_message(each)]
    found += [_answer(story, each) for each in story.answers]
    found += [_line(story, each, bubbles.get(each.row["id"])) for each in story.lines]
    found += [
        Step(each["at"], *_TOLD[each["type"]](each["data"])) for each in events if each["type"] in _TOLD
    ]
    found += [*_decided(story), *_executed(row), *_delivered(deliveries)]
    return sorted(found, key=lambda step: step.at)


def name(each: Asked) -> str:
    """Somebody who was asked, as the assistant calls them, with the end of their number."""
    return " ".join(filter(None, (each.who["user"], each.who["number"]))) or "somebody"


def named(story: Story, person_id: str) -> str:
    """The same of a person's record."""
    person = _person(story, person_id)
    theirs = [each for each in story.asked if _person(story, each.row["person_id"]) == person]
    return name(theirs[0]) if theirs else story.called.get(person) or "somebody else"


def _person(story: Story, record_id: str) -> str:
    return story.whose.get(record_id, record_id)


def arrival(each: Asked) -> dict[str, datetime]:
    """How far the question came, and when it first came so far."""
    found: dict[str, datetime] = {}
    for at, state, _ in steps.told(each.timeline):
        if state in _ON_THE_WAY:
            found.setdefault(state, at)
    return found


def _put(story: Story, each: Asked) -> Iterator[Step]:
    """Somebody is asked: at once, since nobody before them answered, or in the place of who is away."""
    if each.message is None:
        return
    row = each.row
    instead = (
        f", in place of {named(story, row['delegated_from'])}, who is away" if row["delegated_from"] else ""
    )
    what = "escalated to" if row["position"] else "delegated to" if instead else "asked"
    why = _why_not(story.row, row["position"], each.message["created_at"])
    yield Step(each.message["created_at"], what, f"{name(each)}{instead}{why}", "open" if why else "plain")


def _why_not(row: Record, position: int, at: datetime) -> str:
    """What a step of the escalation waited for in vain; it waits no longer for who cannot answer."""
    for step in row["rule"].get("escalation") or ():
        if step["position"] == position:
            if at < row["created_at"] + timedelta(seconds=step["after_s"]):
                return ", since somebody who was asked cannot answer"
            return f", since {BECAUSE_NOT.get(step['when'], step['when'])} within {span(step['after_s'])}"
    return ""


def _message(each: Asked) -> Iterator[Step]:
    """The question on its way. Meta's clock is not ours: no step is shown earlier than the one it follows.

    What went well is told once, and needs no reason; what did not, where it became so.
    """
    latest: datetime | None = None
    before: str | None = None
    told: set[str] = set()
    for row in steps.in_order(each.timeline):
        state, reason = row["state"], row["reason"]
        latest = max(latest or row["at"], row["at"])
        came, before = state != before, state
        if state in _BRIEFLY or state in told or not came:
            continue
        tone = of_message(state).tone
        if tone == "good":
            told.add(state)
            yield Step(latest, f"{state} {'by' if state == 'read' else 'to'}", name(each), tone)
        else:
            yield Step(latest, state, f"the question to {name(each)}{f': {reason}' if reason else ''}", tone)


def _answer(story: Story, row: Record) -> Step:
    who, came = named(story, row["person_id"]), effect(row["effect"], row["verdict"])
    what = _REPLIES.get(row["effect"], "answer")
    said = f"{who} {how(row['how'])}: {verdict(row['verdict'])}; {came.word}"
    return Step(row["received_at"], what, said, came.tone, row["said"])


def _line(story: Story, line: Line, bubble: Bubble | None) -> Step:
    """Something else that we said. Why it did not go is told; what went well is a badge."""
    state = of_message(line.row["state"])
    reason = f": {line.row['reason']}" if line.row["reason"] and state.tone == "bad" else ""
    said = f"{named(story, line.row['person_id'])}{reason}"
    return Step(line.row["created_at"], _LINES[line.purpose], said, bubble=bubble, state=state)


def _decided(story: Story) -> Iterator[Step]:
    row, proof = story.row, story.proof
    if row["decided_at"] is None:
        return
    because = SOURCES.get(story.source, "")
    badge = outcome(row["outcome"])
    said = f"decided {because}; the receipt was signed"
    yield Step(row["decided_at"], badge.word.lower(), said, badge.tone)
    if proof and proof.checkpoint:
        size = proof.checkpoint["size"]
        among = f"{size} decisions, this one among them" if size > 1 else "this decision"
        yield Step(proof.checkpoint["at"], "checkpoint", f"signed over {among}")


def _executed(row: Record) -> Iterator[Step]:
    if row["claimed_at"]:
        yield Step(row["claimed_at"], "claimed", "the assistant took the right to act, once", "open")
    if row["reported_at"]:
        badge = of_execution(row["execution_status"])
        said = f"the assistant reported what came of it: {badge.word.lower()}"
        yield Step(row["reported_at"], "reported", said, badge.tone, row["execution_note"] or "")


def _delivered(deliveries: Sequence[Record]) -> Iterator[Step]:
    """Of what was told the outcome alone, and what did not arrive: the rest is a list of its own."""
    for each in deliveries:
        if each["finished_at"] and (each["type"] == "confirmation.decided" or each["state"] == "failed"):
            good = each["state"] == "delivered"
            said = f"{each['type']} {'reached' if good else 'did not reach'} the assistant's endpoint"
            yield Step(each["finished_at"], "webhook", said, "good" if good else "bad")


def _held(data: Mapping[str, Any]) -> tuple[str, str, str]:
    until = f" until {moment(instant(data['held_until']))} UTC" if "held_until" in data else ""
    return "held", f"it is to be {data.get('leaning', 'decided')}, unless it is taken back{until}", "open"


def _extended(data: Mapping[str, Any]) -> tuple[str, str, str]:
    until = f": it ends at {moment(instant(data['expires_at']))} UTC" if "expires_at" in data else ""
    return "extended", f"there is more time{until}", "plain"


def _frozen(data: Mapping[str, Any]) -> tuple[str, str, str]:
    return "frozen", f"no answer decides it, since {frozen(data.get('why', 'it was erased why'))}", "bad"


#: Events that tell of what stands nowhere else.
_TOLD: Final[Mapping[str, Callable[[Mapping[str, Any]], tuple[str, str, str]]]] = {
    "confirmation.held": _held,
    "confirmation.extended": _extended,
    "confirmation.frozen": _frozen,
    "confirmation.unfrozen": lambda _: ("released", "an operator released it", "good"),
}
