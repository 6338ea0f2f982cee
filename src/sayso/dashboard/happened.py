"""What happened to a question, step by step, in the order of time. Pure."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sayso.confirmations.story import Asked, Story
from sayso.core.database import Record
from sayso.dashboard.words import OUTCOMES, SOURCES, effect, how, instant, moment, of_message, verdict
from sayso.messages import steps

_ON_THE_WAY: Final = ("accepted", "sent", "delivered", "read", "failed")
#: States that say nothing which the next one does not say.
_BRIEFLY: Final = ("queued", "accepted", "sent")


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happened: when, in a word, and in a sentence; ``quote``: what somebody wrote."""

    at: datetime
    what: str
    said: str
    tone: str = "plain"
    quote: str = ""


def happened(story: Story, events: Sequence[Record], deliveries: Sequence[Record]) -> list[Step]:
    """Everything, oldest first."""
    row = story.row
    found = [Step(row["created_at"], "asked", f"the assistant {row['client_id']} asked for a confirmation")]
    for each in story.asked:
        found += _message(each)
        if each.row["reminded_at"]:
            found.append(Step(each.row["reminded_at"], "reminded", name(each)))
    found += [_answer(story, each) for each in story.answers]
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
    theirs = [
        each for each in story.asked if _person(story, each.row["person_id"]) == _person(story, person_id)
    ]
    return name(theirs[0]) if theirs else "somebody else"


def _person(story: Story, record_id: str) -> str:
    return story.whose.get(record_id, record_id)


def arrival(each: Asked) -> dict[str, datetime]:
    """How far the question came, and when it first came so far."""
    found: dict[str, datetime] = {}
    for at, state, _ in steps.told(each.timeline):
        if state in _ON_THE_WAY:
            found.setdefault(state, at)
    return found


def _message(each: Asked) -> Iterator[Step]:
    """The question on its way. Meta's clock is not ours: no step is shown earlier than the one it follows.

    What went well needs no reason, and is told once.
    """
    latest: datetime | None = None
    told: set[str] = set()
    for at, state, said in steps.told(each.timeline):
        latest = max(latest or at, at)
        tone = of_message(state).tone
        if state in told or state in _BRIEFLY:
            continue
        if tone == "good":
            told.add(state)
        why = f": {said}" if said and tone != "good" else ""
        yield Step(latest, state, f"the question to {name(each)}{why}", tone)


def _answer(story: Story, row: Record) -> Step:
    who, came = named(story, row["person_id"]), effect(row["effect"])
    said = f"{who} {how(row['how'])}: {verdict(row['verdict'])}; {came.word}"
    return Step(row["received_at"], "answer", said, came.tone, row["said"])


def _decided(story: Story) -> Iterator[Step]:
    row, proof = story.row, story.proof
    if row["decided_at"] is None:
        return
    because = SOURCES.get(story.source, "")
    badge = OUTCOMES[row["outcome"]]
    yield Step(
        row["decided_at"], badge.word.lower(), f"decided {because}; the receipt was signed", badge.tone
    )
    if proof and proof.checkpoint:
        size = proof.checkpoint["size"]
        among = f"{size} decisions, this one among them" if size > 1 else "this decision"
        yield Step(proof.checkpoint["at"], "checkpoint", f"signed over {among}")


def _executed(row: Record) -> Iterator[Step]:
    if row["claimed_at"]:
        yield Step(row["claimed_at"], "claimed", "the assistant took the right to act, once", "open")
    if row["reported_at"]:
        done = row["execution_status"] == "done"
        said = (
            "the assistant reported the action as done" if done else "the assistant reported that it failed"
        )
        note = row["execution_note"] or ""
        yield Step(row["reported_at"], row["execution_status"], said, "good" if done else "bad", note)


def _delivered(deliveries: Sequence[Record]) -> Iterator[Step]:
    """Of what was told the outcome alone, and what did not arrive: the rest is a list of its own."""
    for each in deliveries:
        if each["finished_at"] and (each["type"] == "confirmation.decided" or each["state"] == "failed"):
            good = each["state"] == "delivered"
            said = f"{each['type']} {'reached' if good else 'did not reach'} the assistant's endpoint"
            yield Step(each["finished_at"], "told", said, "good" if good else "bad")


def _held(data: Mapping[str, Any]) -> tuple[str, str, str]:
    until = f" until {moment(instant(data['held_until']))} UTC" if "held_until" in data else ""
    return "held", f"it is to be {data.get('leaning', 'decided')}, unless it is taken back{until}", "open"


def _extended(data: Mapping[str, Any]) -> tuple[str, str, str]:
    until = f": it ends at {moment(instant(data['expires_at']))} UTC" if "expires_at" in data else ""
    return "extended", f"there is more time{until}", "plain"


def _frozen(data: Mapping[str, Any]) -> tuple[str, str, str]:
    return "frozen", f"no answer decides it ({data.get('why', 'erased')})", "bad"


def _escalated(data: Mapping[str, Any]) -> tuple[str, str, str]:
    return "escalated", f"step {data.get('step')}: {data.get('to') or 'somebody else'} is asked", "open"


#: Events that tell of what stands nowhere else.
_TOLD: Final[Mapping[str, Callable[[Mapping[str, Any]], tuple[str, str, str]]]] = {
    "confirmation.held": _held,
    "confirmation.undone": lambda _: ("undone", "an answer was taken back", "plain"),
    "confirmation.extended": _extended,
    "confirmation.escalated": _escalated,
    "confirmation.frozen": _frozen,
    "confirmation.unfrozen": lambda _: ("released", "an administrator released it", "good"),
}
