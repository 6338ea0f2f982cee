"""Every combination of up to three questions, each standing as it may, and every kind of answer: what comes of it.

How a question stands is seen by one of those who were asked: others may have answered it. The oracle is written from
the rules people read (docs/answering.md), not from the code.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import combinations_with_replacement
from typing import Any

import pytest

from sayso.confirmations.reading import read
from sayso.confirmations.rules import (
    AskWhich,
    Comment,
    Decide,
    Explain,
    Extend,
    Late,
    Listed,
    NothingOpen,
    Option,
    Pending,
    Question,
    Reading,
    Reply,
    Undo,
    WrongCode,
)

SHOWN = datetime(2026, 3, 14, 12, 0, tzinfo=UTC)
SAID = SHOWN + timedelta(minutes=5)
OPTIONS = (Option("red", "Red car"), Option("blue", "Blue car"), Option("none", "No car"))
_OPEN = Question("", open=True, shown_at=SHOWN)
_ANSWERED = Question("", open=False, shown_at=SHOWN, undecided=True)
_ENDED = Question("", open=False, shown_at=SHOWN, ended_at=SAID - timedelta(seconds=3))
#: How a question may stand for one of those who were asked.
STANDS = {
    "open": replace(_OPEN, extendable=True),
    "code": replace(_OPEN, challenge=True),
    "choice": replace(_OPEN, kind="choose", options=OPTIONS),
    "words": replace(_OPEN, kind="ask"),
    "frozen": replace(_OPEN, frozen=True),
    "not shown": replace(_OPEN, shown_at=None),
    "held by their answer": replace(_ANSWERED, undoable=True),
    "held by others": _ANSWERED,
    "others must answer, too": _ANSWERED,
    "others just ended it": _ENDED,
    "over": replace(_ENDED, ended_at=SAID - timedelta(hours=1)),
}
ASKED = {"open", "code", "choice", "words", "frozen"}
ANSWERED = {"held by their answer", "held by others", "others must answer, too"}
COMBINATIONS = [names for count in range(4) for names in combinations_with_replacement(STANDS, count)]
_BARE = Reply(text=None, payload=None, sent_at=SAID, tapped=None, quotes_something=False, quoted=None)


@dataclass(frozen=True)
class Those:
    """The questions of a person, by how they stand; places count from 0."""

    names: tuple[str, ...]

    @property
    def questions(self) -> list[Question]:
        """As the reader sees them."""
        return [
            replace(STANDS[name], id=f"cnf_{place}", code=f"{place + 1}234" if name == "code" else None)
            for place, name in enumerate(self.names)
        ]

    def which(self, names: set[str]) -> list[int]:
        """The places of those that stand so."""
        return [place for place, name in enumerate(self.names) if name in names]

    @property
    def only(self) -> str | None:
        """How the one open question stands that a word can have been meant for."""
        could = self.which(ASKED | {"others just ended it"})
        return self.names[could[0]] if len(could) == 1 and self.names[could[0]] in ASKED else None


def at(place: int) -> str:
    return f"cnf_{place}"


def of_one(name: str, place: int, wish: Any, how: Any, text: str) -> Reading | None:
    """What comes of a wish about one open question."""
    shown = "open" if name == "not shown" else name
    value = {"words": text, "choice": next((o.id for o in OPTIONS if o.label == text), None)}.get(shown)
    match shown, wish:
        case "words", "confirm" | "decline" | "" if how != "button":
            return Decide(at(place), "answer", how, value)
        case "frozen", "confirm" | "decline" | "cancel" | "extend":
            return Explain(at(place), wish, how, "frozen")
        case _, "cancel":
            return Decide(at(place), "cancel", how)
        case _, "extend":
            can = shown == "open"
            return Extend(at(place), how) if can else Explain(at(place), "extend", how, "not_extendable")
        case ("open", "confirm" | "decline") | ("code", "decline"):
            return Decide(at(place), wish, how)
        case "code" | "choice" | "words", "confirm" | "decline":
            why: Any = {"code": "needs_code", "choice": "needs_option"}.get(shown, "how")
            return Explain(at(place), wish, how, why)
        case "choice", "" if value is not None:
            return Decide(at(place), "answer", how, value)
    return None


def a_word(those: Those, wish: Any, text: str) -> Reading:
    """A bare word decides the one question that it can be about; else it is asked about, or explained."""
    asked, answered = those.which(ASKED), those.which(ANSWERED)
    about = {"undo": those.which({"held by their answer"}), "cancel": sorted(asked + answered)}.get(
        wish, asked
    )
    if len(about) == 1:
        if about[0] in answered:
            return Undo(at(about[0]), "word") if wish == "undo" else Decide(at(about[0]), "cancel", "word")
        if those.only:
            return of_one(those.only, about[0], wish, "word", text) or Comment("")
    if about:
        return AskWhich(wish)
    if answered:
        why: Any = "not_undoable" if wish == "undo" else "again"
        return Explain(at(answered[0]), wish, "word", why) if len(answered) == 1 else Pending()
    lately = those.which({"others just ended it"})
    if lately and wish != "undo":
        return Late(at(lately[-1]), wish, "word")
    return NothingOpen(wish)


def a_text(those: Those, text: str) -> Reading:
    """Words of their own, or a label, answer the only open question; they may be for another, else are a remark."""
    if those.only and (said := of_one(those.only, those.which(ASKED)[0], "", "word", text)):
        return said
    takes = {"words", "choice"} if text in {each.label for each in OPTIONS} else {"words"}
    return AskWhich("answer") if those.which(takes) else Comment("")


def a_number(those: Those, text: str) -> Reading:
    """An option or words of the only open question, or a code; with several open it says nothing."""
    if those.only == "words":
        return Decide(at(those.which(ASKED)[0]), "answer", "word", text)
    if those.only == "choice" and text == "2":
        return Decide(at(those.which(ASKED)[0]), "answer", "word", "blue")
    coded = those.which({"code"}) if len(text) == 4 else []
    if 0 in coded:
        return Decide(at(0), "confirm", "code")
    return WrongCode(tuple(map(at, coded))) if coded else Comment("")


def pointed(those: Those, wish: Any, how: Any, text: str) -> Reading:
    """What points at the first question means it, however many there are."""
    if not those.names:
        return Comment("")
    name = those.names[0]
    if name in ASKED or name == "not shown":
        return of_one(name, 0, wish, how, text) or Comment("")
    if not wish:
        return Comment("")
    if name in ANSWERED:
        return Decide(at(0), "cancel", how) if wish == "cancel" else Explain(at(0), wish, how, "again")
    return Late(at(0), wish, how)


WORDS = {"confirm": "yes", "decline": "no", "cancel": "CANCEL", "undo": "undo", "extend": "more time"}


def of_tak(those: Those) -> Reading:
    if those.only == "words":
        return Decide(at(those.which(ASKED)[0]), "answer", "word", "tak")
    if those.only:
        why: Any = {"choice": "needs_option", "frozen": "frozen"}.get(those.only, "how")
        return Explain(at(those.which(ASKED)[0]), None, "word", why)
    return AskWhich(None) if those.which(ASKED) else Comment("")


#: Kinds of answer, each with what is written and what should come of it.
KINDS: dict[str, tuple[str, Callable[[Those], Reading]]] = {
    **{f"word: {text}": (text, partial(a_word, wish=wish, text=text)) for wish, text in WORDS.items()},
    **{f"text: {text}": (text, partial(a_text, text=text)) for text in ("at noon", "Blue car", "👌")},
    **{f"number: {text}": (text, partial(a_number, text=text)) for text in ("2", "9", "1234")},
    "word and number": ("yes 2", lambda t: AskWhich("confirm") if t.which(ASKED) else NothingOpen("confirm")),
    "pending": ("PENDING", lambda _: Pending()),
    "what may mean two things": ("tak", of_tak),
}


def silent(reading: Reading) -> Reading:
    return Comment("") if isinstance(reading, Comment) else reading


@pytest.mark.parametrize("kind", KINDS)
def test_what_points_at_nothing_is_read_by_what_is_open(kind: str) -> None:
    text, oracle = KINDS[kind]
    for names in COMBINATIONS:
        those = Those(names)
        assert silent(read(replace(_BARE, text=text), those.questions)) == oracle(those), names


@pytest.mark.parametrize("how", ["button", "quote"])
@pytest.mark.parametrize("wish", ["confirm", "decline", "cancel"])
def test_what_points_at_a_question_means_it_however_many_are_open(wish: Any, how: Any) -> None:
    for names in COMBINATIONS:
        those = Those(names)
        first = those.questions[0] if names else None
        reply = replace(_BARE, text=WORDS[wish], quotes_something=True, quoted=first)
        if how == "button":
            reply = replace(reply, payload="cf2:…", answer=wish, tapped=first)
        elif first is None:
            continue
        assert silent(read(reply, those.questions)) == pointed(those, wish, how, WORDS[wish]), names


def test_an_ok_that_points_at_a_question_is_shown_how_to_answer_it() -> None:
    for names in COMBINATIONS:
        those = Those(names)
        for first, name in list(zip(those.questions, names, strict=True))[:1]:
            reply = replace(_BARE, text="OK!", quotes_something=True, quoted=first)
            why: Any = {"choice": "needs_option", "frozen": "frozen"}.get(name, "how")
            said: Reading = Explain(at(0), None, "quote", why) if first.open else Comment("")
            expected = Decide(at(0), "answer", "quote", "OK!") if name == "words" else said
            assert silent(read(reply, those.questions)) == expected, names


@pytest.mark.parametrize("verdict", ["confirm", "decline", "cancel", "extend", "undo", "answer", None])
def test_a_number_from_a_list_means_that_place_and_never_says_more_than_was_asked(
    verdict: Any,
) -> None:
    for names in COMBINATIONS:
        those = Those(names)
        items = tuple(each.id for each in those.questions)
        listed = Listed(items, verdict, SHOWN + timedelta(minutes=1))
        for place, question in enumerate(those.questions):
            reply = replace(_BARE, text=str(place + 1), quotes_something=True, quoted_list=listed)
            said = read(reply, those.questions)
            if question.shown_at is None:
                assert said == AskWhich(verdict), names
                continue
            assert getattr(said, "question_id", None) == question.id, (names, place)
            if isinstance(said, Decide):
                assert said.verdict == verdict, (names, place)
                assert question.kind == "approve" or verdict == "cancel", (names, place)
