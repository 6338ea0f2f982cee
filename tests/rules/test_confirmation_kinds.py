"""Every kind of question and of answer to it: codes, choices, free text, reactions, lists, what was answered already.

Each row of a table is a kind of answer; its cells are what comes of it with 0, 1, 2 and 3 such questions open.
"""

import itertools
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sayso.confirmations import rules
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
IDS = [f"cnf_{digit * 26}" for digit in "0123"]
OPTIONS = (Option("red", "Red car"), Option("blue", "Blue car"), Option("none", "No car"))
PLAIN = [Question(each, open=True, shown_at=SHOWN) for each in IDS[:3]]
CODED = [replace(each, challenge=True, code=f"{n}234") for n, each in enumerate(PLAIN, 1)]
NUMBERED = [replace(each, challenge=True, code=f"{n}7") for n, each in enumerate(PLAIN, 1)]
CHOICES = [replace(each, kind="choose", options=OPTIONS) for each in PLAIN]
FREE = [replace(each, kind="ask") for each in PLAIN]
LIKED = [replace(each, reactions=True) for each in PLAIN]
HELD = [replace(each, open=False, undecided=True, undoable=True) for each in PLAIN]
COUNTED = [replace(each, undoable=False) for each in HELD]
LONGER = [replace(each, extendable=True) for each in PLAIN]
FROZEN = [replace(each, frozen=True) for each in LONGER]
ENDED = [replace(each, open=False, ended_at=SAID - timedelta(hours=1)) for each in PLAIN]
_BARE = Reply(text=None, payload=None, sent_at=SAID, tapped=None, quotes_something=False, quoted=None)


def word(text: str) -> Callable[[Question], Reply]:
    return lambda _: replace(_BARE, text=text)


def quote(text: str) -> Callable[[Question], Reply]:
    return lambda question: replace(_BARE, text=text, quotes_something=True, quoted=question)


def tap(answer: str) -> Callable[[Question], Reply]:
    return lambda question: replace(
        _BARE, text="Label", payload="cf2:…", answer=answer, tapped=question, quotes_something=True
    )


def react(emoji: str) -> Callable[[Question], Reply]:
    return lambda question: replace(_BARE, emoji=emoji, reacted=question)


A = IDS[0]
NONE: Any = Comment("")
WHICH = {wish: AskWhich(wish) for wish in ("confirm", "decline", "cancel", "answer", "extend", "undo", None)}

#: (questions, how it is answered) to (with none open, one, several). What points at one means it, however many.
TABLE: list[tuple[str, list[Question], Callable[[Question], Reply], list[Reading]]] = [
    ("code", CODED, word("1234"), [NONE, Decide(A, "confirm", "code"), Decide(A, "confirm", "code")]),
    ("code in another script", CODED, word("١٢٣٤"), [NONE, *[Decide(A, "confirm", "code")] * 2]),
    ("code, quoted", CODED, quote("1234"), [Decide(A, "confirm", "code")] * 3),
    ("wrong code, quoted", CODED, quote("2234"), [WrongCode((A,))] * 3),
    ("no code at all", CODED, word("123"), [NONE] * 3),
    ("yes to a code", CODED, word("yes"), [NothingOpen("confirm"), Explain(A, "confirm", "word", "needs_code"),
                                           WHICH["confirm"]]),
    ("yes to a code, quoted", CODED, quote("yes"), [Explain(A, "confirm", "quote", "needs_code")] * 3),
    ("confirm tapped on a code", CODED, tap("confirm"), [Explain(A, "confirm", "button", "needs_code")] * 3),
    ("no to a code", CODED, word("no"), [NothingOpen("decline"), Decide(A, "decline", "word"), WHICH["decline"]]),
    ("decline tapped on a code", CODED, tap("decline"), [Decide(A, "decline", "button")] * 3),
    ("number of the screen", NUMBERED, word("17"), [NONE, *[Decide(A, "confirm", "code")] * 2]),
    ("option tapped", CHOICES, tap("blue"), [Decide(A, "answer", "button", "blue")] * 3),
    ("option tapped that is none", CHOICES, tap("green"), [NONE] * 3),
    ("option by number", CHOICES, word("2"), [NONE, Decide(A, "answer", "word", "blue"), NONE]),
    ("option by label", CHOICES, word("*blue CAR*"), [NONE, Decide(A, "answer", "word", "blue"), WHICH["answer"]]),
    ("option by number, quoted", CHOICES, quote("3"), [Decide(A, "answer", "quote", "none")] * 3),
    ("option by part of a label", CHOICES, word("blue"), [NONE] * 3),
    ("number beyond the options", CHOICES, word("4"), [NONE] * 3),
    ("yes to a choice", CHOICES, word("yes"), [NothingOpen("confirm"), Explain(A, "confirm", "word", "needs_option"),
                                               WHICH["confirm"]]),
    ("cancel of a choice", CHOICES, word("cancel"), [NothingOpen("cancel"), Decide(A, "cancel", "word"),
                                                     WHICH["cancel"]]),
    ("text", FREE, word("at noon"), [NONE, Decide(A, "answer", "word", "at noon"), WHICH["answer"]]),
    ("text, quoted", FREE, quote("at noon"), [Decide(A, "answer", "quote", "at noon")] * 3),
    ("yes as text", FREE, quote("yes"), [Decide(A, "answer", "quote", "yes")] * 3),
    ("digits as text", FREE, word("42"), [NONE, Decide(A, "answer", "word", "42"), NONE]),
    ("nothing as text", FREE, quote("  "), [NONE] * 3),
    ("cancel of a text", FREE, quote("CANCEL"), [Decide(A, "cancel", "quote")] * 3),
    ("pending", FREE, quote("pending"), [Pending()] * 3),
    ("reaction", LIKED, react("👍🏽"), [Decide(A, "confirm", "reaction")] * 3),
    ("reaction, no", LIKED, react("👎"), [Decide(A, "decline", "reaction")] * 3),
    ("reaction taken back", LIKED, react(""), [NONE] * 3),
    ("reaction of another kind", LIKED, react("😂"), [NONE] * 3),
    ("reaction where none is taken", PLAIN, react("👍"), [NONE] * 3),
    ("reaction to what is over", [replace(each, reactions=True) for each in ENDED], react("👍"),
     [Late(A, "confirm", "reaction")] * 3),
    ("undo", HELD, word("undo"), [NothingOpen("undo"), Undo(A, "word"), WHICH["undo"]]),
    ("undo, quoted", HELD, quote("UNDO"), [Undo(A, "quote")] * 3),
    ("undo of what is open", PLAIN, quote("undo"), [Explain(A, "undo", "quote", "not_undoable")] * 3),
    ("undo of what is over", ENDED, quote("undo"), [Late(A, "undo", "quote")] * 3),
    ("cancel of what is held", HELD, word("cancel"), [NothingOpen("cancel"), Decide(A, "cancel", "word"),
                                                      WHICH["cancel"]]),
    ("cancel of what is counted", COUNTED, tap("cancel"), [Decide(A, "cancel", "button")] * 3),
    ("yes again", COUNTED, tap("confirm"), [Explain(A, "confirm", "button", "again")] * 3),
    ("no after a yes", HELD, quote("no"), [Explain(A, "decline", "quote", "again")] * 3),
    ("extend", LONGER, word("extend"), [NothingOpen("extend"), Extend(A, "word"), WHICH["extend"]]),
    ("extend, quoted", LONGER, quote("extend"), [Extend(A, "quote")] * 3),
    ("extend of what is counted", COUNTED, word("extend"), [NothingOpen("extend"),
                                                            Explain(A, "extend", "word", "again"), Pending()]),
    ("undo of what is counted", COUNTED, word("undo"), [NothingOpen("undo"),
                                                        Explain(A, "undo", "word", "not_undoable"), Pending()]),
    ("undo of what is open, by a word", PLAIN, word("undo"), [NothingOpen("undo")] * 3),
    ("yes to what is counted", COUNTED, word("yes"), [NothingOpen("confirm"),
                                                      Explain(A, "confirm", "word", "again"), Pending()]),
    ("extend where it cannot be", PLAIN, quote("extend"), [Explain(A, "extend", "quote", "not_extendable")] * 3),
    ("frozen, tapped", FROZEN, tap("confirm"), [Explain(A, "confirm", "button", "frozen")] * 3),
    ("frozen, cancel", FROZEN, quote("cancel"), [Explain(A, "cancel", "quote", "frozen")] * 3),
    ("frozen, extend", FROZEN, quote("extend"), [Explain(A, "extend", "quote", "frozen")] * 3),
    ("frozen, word", FROZEN, word("y"), [NothingOpen("confirm"), Explain(A, "confirm", "word", "frozen"),
                                         WHICH["confirm"]]),
    ("frozen code", [replace(each, frozen=True) for each in CODED], word("1234"),
     [NONE, *[Explain(A, "confirm", "code", "frozen")] * 2]),
    ("what may mean two things", PLAIN, word("tak"), [NONE, Explain(A, None, "word", "how"), WHICH[None]]),
    ("a remark", PLAIN, word("see you"), [NONE] * 3),
]  # fmt: skip


def silent(reading: Reading) -> Reading:
    return Comment("") if isinstance(reading, Comment) else reading


@pytest.mark.parametrize(
    ("questions", "answered", "cells"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE]
)
def test_an_answer_means_what_the_table_says(
    questions: list[Question], answered: Callable[[Question], Reply], cells: list[Reading]
) -> None:
    for count in range(4):
        for order in itertools.permutations(questions[:count]):
            assert silent(read(answered(questions[0]), order)) == cells[min(count, 2)], (count, order)


@pytest.mark.parametrize("name", [row[0] for row in TABLE])
@pytest.mark.parametrize("mark", ["forwarded", "in_group"])
def test_nothing_forwarded_and_nothing_from_a_group_means_anything(name: str, mark: str) -> None:
    _, questions, answered, _ = next(row for row in TABLE if row[0] == name)
    marked = replace(answered(questions[0]), forwarded=mark == "forwarded", in_group=mark == "in_group")
    assert isinstance(read(marked, questions[:1]), Comment)


def test_a_wrong_code_counts_against_all_it_may_have_been_for_and_three_lock() -> None:
    assert read(word("9999")(PLAIN[0]), CODED[:2]) == WrongCode((IDS[0], IDS[1]))
    locked = replace(CODED[0], wrong=3)
    for text in ("1234", "9999"):
        for reply in (word(text)(locked), quote(text)(locked)):
            assert read(reply, [locked]) == Explain(A, "confirm", "code", "locked")
    assert read(word("9999")(PLAIN[0]), [locked, CODED[1]]) == WrongCode((IDS[1],))
    assert read(word("no")(locked), [locked]) == Decide(A, "decline", "word")
    assert read(quote("cancel")(locked), [locked]) == Decide(A, "cancel", "quote")


def test_a_code_that_two_questions_have_decides_neither() -> None:
    twins = [CODED[0], replace(CODED[1], code="1234")]
    assert read(word("1234")(twins[0]), twins) == AskWhich(None)


LIST = Listed((IDS[1], IDS[0]), "confirm", SHOWN + timedelta(minutes=1))


@pytest.mark.parametrize(
    ("text", "verdict", "reading"),
    [
        ("1", "confirm", Decide(IDS[1], "confirm", "number")),
        ("2", "decline", Decide(IDS[0], "decline", "number")),
        ("no 2", "confirm", Decide(IDS[0], "decline", "number")),
        ("2 no", None, Decide(IDS[0], "decline", "number")),
        ("oui 1", None, Decide(IDS[1], "confirm", "number")),
        ("cancel 1", "confirm", Decide(IDS[1], "cancel", "number")),
        ("2", None, Explain(IDS[0], "answer", "number", "how")),
        ("2", "answer", Explain(IDS[0], "answer", "number", "how")),
        ("3", "confirm", Comment("")),
        ("0", "confirm", Comment("")),
        ("yes 3", None, AskWhich("confirm")),
        ("pending 1", None, Comment("")),
        ("maybe 1", "confirm", Comment("")),
    ],
)
@pytest.mark.parametrize("quoted", [True, False])
def test_a_number_means_the_place_in_the_list(
    text: str, verdict: Any, reading: Reading, quoted: bool
) -> None:
    listed = replace(LIST, verdict=verdict)
    reply = replace(_BARE, text=text)
    if quoted:
        reply = replace(reply, quotes_something=True, quoted_list=listed)
    assert silent(read(reply, PLAIN[:2], [listed])) == reading


def later(minutes: float, *items: str) -> Listed:
    return Listed(items, "confirm", SHOWN + timedelta(minutes=minutes))


@pytest.mark.parametrize(
    ("lists", "reading"),
    [
        ([later(1, A, IDS[1]), later(2, IDS[1], A)], Decide(IDS[1], "confirm", "number")),  # the latest
        ([later(1, A, IDS[1]), later(6, IDS[1], A)], Decide(A, "confirm", "number")),  # not yet on the phone
        ([later(1, A, IDS[1]), later(4.9, IDS[1], A)], AskWhich(None)),  # either may have been read
        (
            [later(1, A, IDS[1]), later(4.9, A, IDS[2])],
            Decide(A, "confirm", "number"),
        ),  # either says the same
        ([later(-61, A, IDS[1])], Comment("")),  # too old
        ([], Comment("")),
    ],
)
def test_a_number_by_itself_means_the_list_on_the_screen(lists: list[Listed], reading: Reading) -> None:
    assert silent(read(replace(_BARE, text="1"), PLAIN, lists)) == reading


def options(minutes: float, of: Question) -> Listed:
    """The options of a question, shown once more."""
    items = tuple(each.id for each in of.options)
    return Listed(items, "answer", SHOWN + timedelta(minutes=minutes), options_of=of.id)


TWO = [CHOICES[0], PLAIN[1]]
YES = later(1, A, IDS[1])


@pytest.mark.parametrize(
    ("text", "lists", "reading"),
    [
        ("1", [YES], Explain(A, "confirm", "number", "needs_option")),
        ("2", [YES], Decide(IDS[1], "confirm", "number")),
        ("2", [YES, options(2, TWO[0])], Decide(A, "answer", "number", "blue")),
        ("4", [YES, options(2, TWO[0])], Comment("")),
        ("yes 2", [YES, options(2, TWO[0])], AskWhich("confirm")),
        ("2", [YES, options(4.9, TWO[0])], AskWhich(None)),  # may have been written below either
        ("2", [YES, options(6, TWO[0])], Decide(IDS[1], "confirm", "number")),  # came later
        ("2", [options(2, TWO[0]), later(3, A, IDS[1])], Decide(IDS[1], "confirm", "number")),
        ("2", [options(2, CHOICES[2])], Comment("")),  # of a question that is none of theirs any more
    ],
)
def test_the_numbers_of_options_that_were_shown_again_are_those_options(
    text: str, lists: list[Listed], reading: Reading
) -> None:
    assert silent(read(replace(_BARE, text=text), TWO, lists)) == reading


def test_options_shown_again_and_the_only_open_question_say_the_same() -> None:
    only = [CHOICES[0]]
    assert read(replace(_BARE, text="2"), only, [options(1, only[0])]) == Decide(A, "answer", "word", "blue")
    frozen = [replace(CHOICES[0], frozen=True)]
    said = read(replace(_BARE, text="2"), frozen, [options(1, only[0])])
    assert said == Explain(A, "answer", "word", "frozen")


@pytest.mark.parametrize(
    ("later_one", "text", "asks"),
    [
        (CHOICES[2], "2", None),
        (FREE[2], "2", None),
        (FREE[2], "no 2", "decline"),
        (replace(CHOICES[2], open=False, ended_at=SAID - timedelta(seconds=3)), "2", None),
    ],
)
def test_a_number_that_may_be_for_a_question_put_after_the_list_decides_nothing(
    later_one: Question, text: str, asks: Any
) -> None:
    """Somebody reads the list, is asked something else that takes a number, and writes one."""
    reply = replace(_BARE, text=text)
    put_after = replace(later_one, shown_at=SHOWN + timedelta(minutes=2))
    assert read(reply, [*PLAIN[:2], put_after], [YES]) == AskWhich(asks)
    decided = Decide(IDS[1], "decline" if asks else "confirm", "number")
    assert read(reply, [*PLAIN[:2], replace(later_one, shown_at=SHOWN)], [YES]) == decided, "put before it"
    assert read(reply, [*PLAIN[:2], put_after], [later(3, A, IDS[1])]) == decided, "before this list"
    fresh = later(4.95, A, IDS[1])
    assert read(reply, [*PLAIN[:2], put_after], [fresh]) == AskWhich(asks), "which may not have arrived"
    quoting = replace(reply, quotes_something=True, quoted_list=YES)
    assert read(quoting, [*PLAIN[:2], put_after], [YES]) == decided, "quoting leaves no doubt"


def test_a_number_or_a_word_of_their_own_never_confirms() -> None:
    """Somebody writes text, is asked which question it was for, and gives the number of a yes or no."""
    assert read(replace(_BARE, text="at noon"), [PLAIN[0], FREE[1]]) == AskWhich("answer")
    for verdict in (None, "answer"):
        listed = replace(YES, verdict=verdict)
        assert read(replace(_BARE, text="1"), PLAIN[:2], [listed]) == Explain(A, "answer", "number", "how")


def test_a_number_with_two_meanings_decides_nothing() -> None:
    listed = Listed(tuple(IDS[n % 3] for n in range(10)), "confirm", SHOWN)
    coded = [replace(PLAIN[0], challenge=True, code="10"), *PLAIN[1:]]
    assert read(replace(_BARE, text="10"), coded, [listed]) == AskWhich(None)
    assert read(replace(_BARE, text="2"), [CHOICES[0]], [Listed((A, A), "cancel", SHOWN)]) == AskWhich(None)


def test_the_number_of_what_is_over_is_late() -> None:
    assert read(replace(_BARE, text="1"), ENDED, [later(1, A, IDS[1])]) == Late(A, "confirm", "number")


def test_a_list_never_says_a_yes_where_a_code_is_asked_for() -> None:
    assert read(replace(_BARE, text="yes 1"), CODED, [later(1, A)]) == Explain(
        A, "confirm", "number", "needs_code"
    )


def test_the_word_for_what_is_answered_or_open_is_asked_about_when_both_are_there() -> None:
    assert read(replace(_BARE, text="cancel"), [HELD[0], PLAIN[1]]) == AskWhich("cancel")
    assert read(replace(_BARE, text="yes"), [HELD[0], PLAIN[1]]) == Decide(IDS[1], "confirm", "word")


def test_what_may_be_the_reason_of_a_no_answers_no_other_question() -> None:
    assert read(replace(_BARE, text="too late", asked_why=True), FREE[:1]) == AskWhich("answer")
    assert read(replace(quote("too late")(FREE[0]), asked_why=True), FREE[:1]) == Decide(
        A, "answer", "quote", "too late"
    )


_QUESTIONS = st.lists(
    st.sampled_from([*CODED, *NUMBERED, *CHOICES, *FREE, *LIKED, *HELD, *COUNTED, *LONGER, *FROZEN, *ENDED,
                     *(replace(each, shown_at=None) for each in PLAIN)]),
    max_size=4, unique_by=lambda each: each.id,
)  # fmt: skip
_TEXTS = st.one_of(
    st.sampled_from(["yes", "no", "cancel", "undo", "extend", "pending", "1", "2", "yes 1", "2 no", "1234", "17", "tak",
                     "Red car", "see you"]),
    st.text(max_size=8),
)  # fmt: skip


def _reply(draw: st.DrawFn, questions: Sequence[Question]) -> Reply:
    pointed = st.sampled_from([None, *questions])
    said = replace(_BARE, text=draw(_TEXTS), sent_at=SHOWN + timedelta(minutes=draw(st.integers(-2, 9))))
    match draw(st.sampled_from(["word", "quote", "tap", "reaction", "list"])):
        case "quote":
            return replace(said, quotes_something=True, quoted=draw(pointed))
        case "tap":
            answer = draw(st.sampled_from([None, "confirm", "decline", "cancel", "red", "undo"]))
            return replace(said, payload="cf2:…", answer=answer, tapped=draw(pointed))
        case "reaction":
            return replace(
                said, text=None, emoji=draw(st.sampled_from(["👍", "👎", ""])), reacted=draw(pointed)
            )
        case "list":
            return replace(
                said, quotes_something=True, quoted_list=later(0, *(each.id for each in questions))
            )
        case _:
            return said


@given(st.data())
def test_only_what_is_open_addressed_and_shown_is_decided(data: st.DataObject) -> None:
    """Whatever is sent: the oracle looks at what was decided, not at how."""
    questions: list[Question] = data.draw(_QUESTIONS)
    reply = data.draw(st.composite(lambda draw: _reply(draw, questions))())
    lists = [later(data.draw(st.integers(-90, 9)), *(each.id for each in questions))] if questions else []
    reading = read(reply, questions, lists)
    if not isinstance(reading, Decide):
        return
    known = {each.id: each for each in questions}
    found = known[reading.question_id]
    assert not found.frozen
    assert found.open or (reading.verdict == "cancel" and found.undecided)
    pointed = reply.tapped or reply.quoted or reply.reacted
    assert pointed in (None, found)
    if reading.how in ("word", "number", "code") and pointed is None:
        assert found.shown_at is not None
        assert reply.sent_at >= found.shown_at
    if reading.how == "word":
        rivals = [each for each in questions if each.open and each.shown_at is not None]
        assert rivals in ([found], [])
    if reading.verdict == "confirm" and found.challenge:
        assert reading.how == "code"
        assert rules.number(reply.text) == found.code
    assert (
        (reading.value is not None)
        == (reading.verdict == "answer")
        == (found.kind != "approve" and reading.verdict != "cancel")
    )
