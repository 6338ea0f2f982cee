"""Which question does a reply mean, and what does it say? Pure, total, and the only place where that is decided.

In this order: the payload of a button; the quoted message; a bare word, only when exactly one question is open for that
person and sender, and it alone can have been meant when the word was written. Otherwise the person is asked which, and
nothing is decided. No language model reads consent.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Literal

from sayso.core import words

Verdict = Literal["confirm", "decline", "cancel"]
How = Literal["button", "quote", "word"]
Outcome = Literal[
    "confirmed",
    "declined",
    "cancelled",
    "withdrawn",
    "superseded",
    "expired",
    "undeliverable",
    "opted_out",
]

OUTCOMES: dict[Verdict, Outcome] = {"confirm": "confirmed", "decline": "declined", "cancel": "cancelled"}

#: How long after its end a question that nobody answered may still be what somebody is answering.
LINGERS = timedelta(seconds=10)

_PAYLOAD = re.compile(r"cf1:(cnf_[0-9a-z]{26}):(confirm|decline|cancel)")


@dataclass(frozen=True, slots=True)
class Question:
    """A confirmation as the reader of an answer sees it. ``open``: undecided, and the reply came before its end.

    ``shown_at`` is when it was posted to the person; None when it has not been: nobody can have answered it.
    ``ended_at`` is when it ended; ``answered_at``, where an answer of the person ended it, is that answer's own time.
    """

    id: str
    open: bool
    shown_at: datetime | None
    ended_at: datetime | None = None
    answered_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """What a person sent, when, when we had it, and what it points at.

    ``tapped`` and ``quoted`` are questions *of this person*. ``sent_at`` is WhatsApp's time, in whole seconds.
    """

    text: str | None
    payload: str | None
    sent_at: datetime
    tapped: Question | None
    quotes_something: bool
    quoted: Question | None
    forwarded: bool = False
    in_group: bool = False
    received_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Decide:
    """It answers this question."""

    question_id: str
    verdict: Verdict
    how: How


@dataclass(frozen=True, slots=True)
class Late:
    """It answers a question that has ended: say so, change nothing."""

    question_id: str
    verdict: Verdict
    how: How


@dataclass(frozen=True, slots=True)
class AskWhich:
    """It says yes or no, but not to what: list the open questions, decide nothing."""

    verdict: Verdict


@dataclass(frozen=True, slots=True)
class NothingOpen:
    """It says yes or no, and nothing is open."""

    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Comment:
    """It decides nothing."""

    why: str


Reading = Decide | Late | AskWhich | NothingOpen | Comment


@cache
def vocabulary() -> words.Words:
    """The table of words."""
    return words.load("sayso.confirmations", "words.toml")


def word(text: str | None) -> Verdict | None:
    """What a whole message says, or None."""
    match vocabulary().meaning(text or ""):
        case "confirm":
            return "confirm"
        case "decline":
            return "decline"
        case "cancel":
            return "cancel"
        case _:
            return None


def payload(question_id: str, verdict: Verdict) -> str:
    """What a button carries: the question and the answer, versioned; at most 256 characters (cloud-api 2.5)."""
    return f"cf1:{question_id}:{verdict}"


def parse_payload(text: str | None) -> tuple[str, Verdict] | None:
    """The question and the answer of a button of ours, or None."""
    match = _PAYLOAD.fullmatch(text or "")
    if not match:
        return None
    verdict = match[2]
    if verdict == "confirm":
        return match[1], "confirm"
    return match[1], "decline" if verdict == "decline" else "cancel"


def read(reply: Reply, questions: Sequence[Question]) -> Reading:
    """What a reply means, given this person's questions with this sender: the open ones and those that ended lately."""
    if reply.forwarded or reply.in_group:
        return Comment("a forwarded message or a group's never decides")
    tap = parse_payload(reply.payload)
    if tap:
        return _of(reply.tapped, tap[1], "button", otherwise=Comment("a button of somebody else's question"))
    if reply.payload is not None:
        return Comment("a button that is not ours; its label is no word of the person's")
    verdict = word(reply.text)
    if verdict is None:
        return Comment("not a word that answers")
    shown = [question for question in questions if question.open and question.shown_at is not None]
    if reply.quotes_something:
        unclear: Reading = AskWhich(verdict) if shown else Comment("it quotes a message that is no question")
        return _of(reply.quoted, verdict, "quote", otherwise=unclear)
    return _bare(reply, verdict, questions, shown)


def _bare(
    reply: Reply, verdict: Verdict, questions: Sequence[Question], shown: Sequence[Question]
) -> Reading:
    """A word by itself: it decides the one open question that it can only have meant."""
    meant = [question for question in questions if _could_mean(reply, question)]
    if shown:
        certain = [question.id for question in meant] == [question.id for question in shown] and len(
            shown
        ) == 1
        return Decide(shown[0].id, verdict, "word") if certain else AskWhich(verdict)
    return Late(meant[-1].id, verdict, "word") if meant else NothingOpen(verdict)


def _of(question: Question | None, verdict: Verdict, how: How, *, otherwise: Reading) -> Reading:
    if question is None:
        return otherwise
    return Decide(question.id, verdict, how) if question.open else Late(question.id, verdict, how)


def _could_mean(reply: Reply, question: Question) -> bool:
    """Whether a word may have been written to this question: it was on the phone by then, and not over.

    A question that the person's own answer ended was over for words written after that answer; in the same second the
    order in which they reached us counts. One that ended otherwise may have been on the screen a little longer.
    """
    shown = question.shown_at
    if shown is None or reply.sent_at < shown.replace(microsecond=0):
        return False
    if reply.received_at is not None and reply.received_at < shown:
        return False
    if question.open:
        return True
    if question.answered_at is not None:
        return reply.sent_at < question.answered_at
    return question.ended_at is not None and reply.sent_at <= question.ended_at + LINGERS
