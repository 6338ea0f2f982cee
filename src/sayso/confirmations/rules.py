"""What a person's words to a question are, and what a question is to whoever reads them. Pure.

Which question a reply means is decided in ``reading`` alone.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Literal, get_args

from sayso.confirmations.cleaning import clean
from sayso.core import words

#: What a person can say of a question. ``answer``: an option, or words of their own.
Verdict = Literal["confirm", "decline", "cancel", "answer"]
#: What a whole message or a tap can say: to a question, of its fields, time and end, or that one asks what is open.
Wish = Literal["confirm", "decline", "cancel", "answer", "show", "extend", "undo"]
Meaning = Literal["confirm", "decline", "cancel", "extend", "undo", "pending", "unclear"]
How = Literal["button", "quote", "word", "reaction", "code", "number"]
Kind = Literal["approve", "choose", "ask"]
#: Why an answer decided nothing, though it is clear which question it was for: what is said in a line, and that not
#: every field was seen, to which the fields are the answer.
InALine = Literal[
    "again", "frozen", "needs_code", "locked", "needs_option", "not_extendable", "not_undoable", "how"
]
Why = Literal[InALine, "unseen"]
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

OUTCOMES: dict[Verdict, Outcome] = {
    "confirm": "confirmed",
    "decline": "declined",
    "cancel": "cancelled",
    "answer": "confirmed",
}

#: How long after its end a question that nobody answered may still be what somebody is answering, and how long a list
#: may be under way while somebody reads the one before it.
LINGERS = timedelta(seconds=10)
#: How long after a question, or its reminder, a word that points at nothing may still be meant for it.
FRESH = timedelta(hours=24)
#: How long the numbers of a list are good.
LIST_LIVES = timedelta(hours=1)
#: How many wrong codes a person may type.
MOST_WRONG = 3
#: Words around a code that somebody may have meant to type alone.
_A_FEW = 3

_NUMBERED = re.compile(
    r"(?P<first>\d{1,2})(?: ?[.):,-])? ?(?P<then>\D+)|(?P<word>\D+?) ?(?:[#:,] ?)?(?P<last>\d{1,2})"
)
_SKIN = re.compile("[\U0001f3fb-\U0001f3ff\ufe0f]")


@dataclass(frozen=True, slots=True)
class Option:
    """Something to choose. Its ``id`` is what comes back; a description is shown in a list alone."""

    id: str
    label: str
    description: str | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """A confirmation as the reader of an answer sees it, for one person who was asked.

    ``open``: they may answer, and the reply came before the end. ``undecided``: answered, by them or for all, and not
    yet for good. ``shown_at`` is when it was posted to the person; None when it has not been: nobody can have answered
    it. ``ended_at`` is when it ended; ``answered_at``, where an answer of the person ended it, is that answer's time.
    ``unseen``: the reply was written before every field of the action was on the screen. ``stale``: it was written so
    long after the question that a word by itself may be for something else.
    """

    id: str
    open: bool
    shown_at: datetime | None
    ended_at: datetime | None = None
    answered_at: datetime | None = None
    kind: Kind = "approve"
    options: tuple[Option, ...] = ()
    challenge: bool = False
    code: str | None = None
    wrong: int = 0
    undecided: bool = False
    undoable: bool = False
    extendable: bool = False
    reactions: bool = False
    frozen: bool = False
    unseen: bool = False
    stale: bool = False

    @property
    def locked(self) -> bool:
        """Whether too many wrong codes were typed: it can still be declined or cancelled."""
        return self.wrong >= MOST_WRONG


@dataclass(frozen=True, slots=True)
class Listed:
    """A numbered list as it was shown: ``items`` are question ids from number 1 on; ``verdict``: what was asked for.

    ``options_of``: it lists the options of this one question, and ``items`` are their ids.
    """

    items: tuple[str, ...]
    verdict: Wish | None
    shown_at: datetime
    options_of: str | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """What a person sent, when, when we had it, and what it points at.

    ``tapped``, ``quoted`` and ``reacted`` are questions *of this person*. ``sent_at`` is WhatsApp's time, in whole
    seconds. ``payload`` is set for whatever was tapped; ``answer`` is what a button of ours says. ``asked_why``: they
    were just asked for a reason. ``opt_in_at``: when they were last asked, here, to opt in, if that has no answer yet.
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
    answer: str | None = None
    quoted_list: Listed | None = None
    reacted: Question | None = None
    emoji: str | None = None
    asked_why: bool = False
    opt_in_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Decide:
    """It answers this question. ``value``: the option's id, or the words, of an ``answer``."""

    question_id: str
    verdict: Verdict
    how: How
    value: str | None = None


@dataclass(frozen=True, slots=True)
class Late:
    """It is about a question that has ended: say so, change nothing."""

    question_id: str
    verdict: Wish
    how: How


@dataclass(frozen=True, slots=True)
class Explain:
    """It is clear which question is meant, and that this decides nothing: say why, keep it."""

    question_id: str
    verdict: Wish | None
    how: How
    why: Why


@dataclass(frozen=True, slots=True)
class WrongCode:
    """A code, and not that of any of these questions."""

    question_ids: tuple[str, ...]
    how: How = "code"


@dataclass(frozen=True, slots=True)
class Extend:
    """More time is asked for."""

    question_id: str
    how: How


@dataclass(frozen=True, slots=True)
class Undo:
    """The person takes their answer back."""

    question_id: str
    how: How


@dataclass(frozen=True, slots=True)
class AskWhich:
    """It says yes or no, but not to what: list the open questions, decide nothing."""

    verdict: Wish | None


@dataclass(frozen=True, slots=True)
class Pending:
    """They ask what is open."""


@dataclass(frozen=True, slots=True)
class NothingOpen:
    """It says yes or no, and nothing is open."""

    verdict: Wish


@dataclass(frozen=True, slots=True)
class Comment:
    """It decides nothing."""

    why: str


Reading = Decide | Late | Explain | WrongCode | Extend | Undo | AskWhich | Pending | NothingOpen | Comment


@cache
def vocabulary() -> words.Words:
    """The table of words."""
    return words.load("sayso.confirmations", "words.toml")


@cache
def reactions() -> words.Words:
    """The table of reactions."""
    return words.load("sayso.confirmations", "reactions.toml")


_MEANINGS: dict[str, Meaning] = {each: each for each in get_args(Meaning)}


def meaning(text: str | None) -> Meaning | None:
    """What a whole message means by the table, or None."""
    return _MEANINGS.get(vocabulary().meaning(text or "") or "")


def word(text: str | None) -> Literal["confirm", "decline", "cancel"] | None:
    """What a whole message says to a question of yes or no, or None."""
    found = meaning(text)
    return found if found == "confirm" or found == "decline" or found == "cancel" else None  # noqa: PLR1714 - mypy narrows this


def number(text: str | None) -> str | None:
    """The digits that a whole message is, in whatever script they were typed; None when it is anything else."""
    plain = words.normalise(text or "")
    return _digits(plain) if plain and all(unicodedata.decimal(c, None) is not None for c in plain) else None


def dressed(question: Question, text: str | None) -> bool:
    """Whether a few words hold as many digits as the code that is waited for, be it right or wrong: ``code 88 39``."""
    said = words.normalise(text or "")
    digits = [char for char in said if unicodedata.decimal(char, None) is not None]
    waits = bool(question.challenge and question.code) and len(digits) == len(question.code or "")
    return waits and len(said) > len(digits) and len(said.split()) <= _A_FEW


def numbered(text: str | None) -> tuple[Wish, int] | None:
    """A word of the table and a number, in either order: ``yes 2``, ``2 yes``."""
    match = _NUMBERED.fullmatch(words.normalise(text or ""))
    if match is None:
        return None
    said = meaning(match["then"] or match["word"])
    if said is None or said in ("pending", "unclear"):
        return None
    return said, int(_digits(match["first"] or match["last"]))  # type: ignore[return-value] # the others are wishes


def reaction(emoji: str | None) -> Literal["confirm", "decline"] | None:
    """What an emoji says, whatever its skin; one that was taken back says nothing."""
    match reactions().meaning(_SKIN.sub("", emoji or "")):
        case "confirm":
            return "confirm"
        case "decline":
            return "decline"
        case _:
            return None


def says(text: str | None) -> bool:
    """Whether there is anything in it that can be seen."""
    return bool(clean(text or ""))


def option(question: Question, text: str | None) -> str | None:
    """The option that a whole message names: by its number or its whole label, where that can be no other's."""
    named = _named(question, text)
    return named.pop() if len(named) == 1 else None


def takes(question: Question, text: str | None) -> bool:
    """Whether a whole message names an option, be it that it may be one or another."""
    return bool(_named(question, text))


def _named(question: Question, text: str | None) -> set[str]:
    said, digits = words.normalise(text or ""), number(text)
    named = {each.id for each in question.options if said and _called(each.label, said, digits)}
    placed = _at(question, digits)
    return named | {placed} if placed else named


def _called(label: str, said: str, digits: str | None) -> bool:
    """Whether a message is this label; a number is, in whatever digits either is written."""
    called = number(label)
    return words.normalise(label) == said or bool(digits and called and int(digits) == int(called))


def _at(question: Question, digits: str | None) -> str | None:
    if digits is None or len(digits) > 2 or not 1 <= int(digits) <= len(question.options):  # noqa: PLR2004 - ten
        return None
    return question.options[int(digits) - 1].id


def waiting(wish: Wish | None, questions: Sequence[Question]) -> list[Question]:
    """The questions that a wish can be about: the open ones that were shown; to be called off, also those answered."""
    seen = [each for each in questions if each.shown_at is not None]
    if wish == "undo":
        return [each for each in seen if each.undoable]
    return [each for each in seen if each.open or (wish == "cancel" and each.undecided)]


def _digits(text: str) -> str:
    return "".join(str(unicodedata.decimal(c)) for c in text)
