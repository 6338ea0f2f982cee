"""Which question a reply means: every kind of reply against every number of open questions, and a table as judge."""

import itertools
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sayso.confirmations import payloads, reading
from sayso.confirmations.rules import (
    AskWhich,
    Comment,
    Decide,
    Explain,
    Late,
    Listed,
    NothingOpen,
    Option,
    Question,
    Reading,
    Reply,
    Verdict,
)

SHOWN = datetime(2026, 3, 14, 12, 0, 30, 750_000, tzinfo=UTC)
FRESH, STALE = SHOWN + timedelta(seconds=40), SHOWN - timedelta(seconds=40)
IDS = [f"cnf_{digit * 26}" for digit in "0123456789"]
OPEN = [Question(question_id, open=True, shown_at=SHOWN) for question_id in IDS[:3]]
UNSHOWN = [Question(question_id, open=True, shown_at=None) for question_id in IDS[3:5]]
CLOSED = Question(IDS[8], open=False, shown_at=SHOWN - timedelta(hours=1))
ELSEWHERE = Question(IDS[9], open=True, shown_at=SHOWN)  # open, but with another sender of ours

WORDS: dict[str, Verdict] = {"Yes": "confirm", "n": "decline", " CANCEL. ": "cancel"}
SAYS_NOTHING = ["", "maybe", "yes and no", "yes?", "👌", "2"]
KEY = b"a key of thirty-two bytes, or so"

_BARE = Reply(text=None, payload=None, sent_at=FRESH, tapped=None, quotes_something=False, quoted=None)


def tap(question_id: str, verdict: Verdict, tapped: Question | None) -> Reply:
    """A tap comes with its payload, its label and the message it hangs on."""
    payload = payloads.make(KEY, question_id, verdict)
    return replace(
        _BARE,
        text=verdict.title(),
        payload=payload,
        answer=verdict,
        tapped=tapped,
        quotes_something=True,
        quoted=tapped,
    )


def quote(text: str, quoted: Question | None) -> Reply:
    return replace(_BARE, text=text, quotes_something=True, quoted=quoted)


def replies(text: str, verdict: Verdict) -> dict[str, Reply]:
    """Each kind of reply, by name; ``text`` is a word that says ``verdict``."""
    return {
        "tap, own, open": tap(IDS[0], verdict, OPEN[0]),
        "tap, own, open, said before it was shown": replace(tap(IDS[0], verdict, OPEN[0]), sent_at=STALE),
        "tap, own, open with another sender": tap(IDS[9], verdict, ELSEWHERE),
        "tap, own, closed": tap(CLOSED.id, verdict, CLOSED),
        "tap, another person's": tap(IDS[7], verdict, None),
        "tap, on a button that is not ours": replace(_BARE, text=text, payload="promo:yes"),
        "quote, open": quote(text, OPEN[0]),
        "quote, closed": quote(text, CLOSED),
        "quote, of no question": quote(text, None),
        "quote, of a question, says nothing": quote("later", OPEN[0]),
        "word, fresh": replace(_BARE, text=text),
        "word, said in the second it was shown": replace(
            _BARE, text=text, sent_at=SHOWN.replace(microsecond=0)
        ),
        "word, stale": replace(_BARE, text=text, sent_at=STALE),
        "no text": replace(_BARE, text=None),
    }


#: What each kind does with 0, 1, 2 and 3 open questions. The oracle: written by hand from the rules people read.
TABLE = {
    "tap, own, open": ["decides"] * 4,
    "tap, own, open, said before it was shown": ["decides"] * 4,
    "tap, own, open with another sender": ["decides"] * 4,
    "tap, own, closed": ["late"] * 4,
    "tap, another person's": ["nothing"] * 4,
    "tap, on a button that is not ours": ["nothing"] * 4,
    "quote, open": ["decides"] * 4,
    "quote, closed": ["late"] * 4,
    "quote, of no question": ["nothing", "which", "which", "which"],
    "quote, of a question, says nothing": ["nothing"] * 4,
    "word, fresh": ["none open", "decides", "which", "which"],
    "word, said in the second it was shown": ["none open", "decides", "which", "which"],
    "word, stale": ["none open", "which", "which", "which"],
    "no text": ["nothing"] * 4,
}
HOW = {"tap": "button", "quote": "quote", "word": "word"}
MEANT = {
    "tap, own, open with another sender": ELSEWHERE.id,
    "tap, own, closed": CLOSED.id,
    "quote, closed": CLOSED.id,
}


def expected(kind: str, verdict: Verdict, count: int) -> Reading:
    """The table's cell as a reading; a comment's wording is free."""
    meant, how = MEANT.get(kind, IDS[0]), HOW.get(kind.partition(",")[0], "")
    cells: dict[str, Reading] = {
        "decides": Decide(meant, verdict, how),  # type: ignore[arg-type] # HOW holds nothing else
        "late": Late(meant, verdict, how),  # type: ignore[arg-type] # same
        "which": AskWhich(verdict),
        "none open": NothingOpen(verdict),
        "nothing": Comment(""),
    }
    return cells[TABLE[kind][count]]


def silent(reading: Reading) -> Reading:
    return Comment("") if isinstance(reading, Comment) else reading


def test_the_table_has_a_row_for_every_kind() -> None:
    assert set(TABLE) == set(replies("y", "confirm"))


@pytest.mark.parametrize("unshown", [0, 2])
@pytest.mark.parametrize("count", range(4))
@pytest.mark.parametrize("kind", TABLE)
def test_a_reply_means_what_the_table_says(kind: str, count: int, unshown: int) -> None:
    for text, verdict in WORDS.items():
        for order in itertools.permutations([*OPEN[:count], *UNSHOWN[:unshown]]):
            got = silent(reading.read(replies(text, verdict)[kind], order))
            assert got == expected(kind, verdict, count), (kind, text, order)


@pytest.mark.parametrize("count", range(4))
@pytest.mark.parametrize("kind", TABLE)
@pytest.mark.parametrize("mark", ["forwarded", "in_group"])
def test_nothing_forwarded_and_nothing_from_a_group_decides(kind: str, count: int, mark: str) -> None:
    reply = replies("yes", "confirm")[kind]
    marked = replace(reply, forwarded=mark == "forwarded", in_group=mark == "in_group")
    assert isinstance(reading.read(marked, OPEN[:count]), Comment)


@pytest.mark.parametrize("text", SAYS_NOTHING)
@pytest.mark.parametrize("count", range(4))
def test_what_is_no_word_decides_nothing_wherever_it_points(text: str, count: int) -> None:
    for reply in (replace(_BARE, text=text), quote(text, OPEN[0]), quote(text, CLOSED), quote(text, None)):
        assert isinstance(reading.read(reply, OPEN[:count]), Comment)


def test_a_question_that_was_never_posted_cannot_be_meant_by_a_word() -> None:
    assert reading.read(replace(_BARE, text="y"), UNSHOWN[:1]) == NothingOpen("confirm")
    assert reading.read(replace(_BARE, text="y"), [OPEN[0], *UNSHOWN]) == Decide(IDS[0], "confirm", "word")


OLD = replace(OPEN[0], stale=True)
OLD_CHOICE = replace(OLD, kind="choose", options=(Option("red", "Red car"), Option("blue", "Blue car")))
OLD_TEXT = replace(OLD, kind="ask")


@pytest.mark.parametrize(("question", "text", "asks"), [
    (OLD, "yes", AskWhich("confirm")), (OLD, "no", AskWhich("decline")), (OLD, "CANCEL", AskWhich("cancel")),
    (OLD, "thanks", Comment("")), (OLD, "2", Comment("")),
    (OLD_CHOICE, "2", AskWhich("answer")), (OLD_CHOICE, "Blue car", AskWhich("answer")),
    (OLD_CHOICE, "9", Comment("")),
    (OLD_TEXT, "see you on Monday", AskWhich("answer")), (OLD_TEXT, "7", AskWhich("answer")),
])  # fmt: skip
def test_what_points_at_nothing_decides_no_question_of_long_ago(
    question: Question, text: str, asks: Reading
) -> None:
    assert silent(reading.read(replace(_BARE, text=text), [question])) == asks
    pointing: list[Any] = [quote(text, question), replace(tap(question.id, "cancel", question), text=text)]
    for reply in pointing:
        fresh = replace(question, stale=False)
        same = replace(reply, quoted=fresh, tapped=fresh if reply.tapped else None)
        assert reading.read(reply, [question]) == reading.read(same, [fresh])


def test_a_code_says_which_question_however_old_it_is() -> None:
    coded = replace(OLD, challenge=True, code="1234")
    assert reading.read(replace(_BARE, text="1234"), [coded]) == Decide(coded.id, "confirm", "code")


@pytest.mark.parametrize(("asked_after", "text", "comes_to"), [
    (10, "yes", AskWhich("confirm")), (10, "no", AskWhich("decline")), (10, "CANCEL", Decide(IDS[0], "cancel", "word")),
    (-10, "yes", Decide(IDS[0], "confirm", "word")), (50, "yes", Decide(IDS[0], "confirm", "word")),
])  # fmt: skip
def test_a_yes_below_a_question_to_opt_in_may_be_for_that(
    asked_after: int, text: str, comes_to: Reading
) -> None:
    """What was asked above the question, or had not arrived when the word was written, takes no part."""
    reply = replace(_BARE, text=text, opt_in_at=SHOWN + timedelta(seconds=asked_after))
    assert reading.read(reply, OPEN[:1]) == comes_to
    assert reading.read(replace(quote(text, OPEN[0]), opt_in_at=reply.opt_in_at), OPEN[:1]) != AskWhich(
        "confirm"
    )


@pytest.mark.parametrize("text", ["", " ", "\n", " \u200b", "\u2060\ufeff", "\u202e\u202c"])
def test_what_cannot_be_seen_is_no_answer_to_a_question_for_words(text: str) -> None:
    asked = replace(OPEN[0], kind="ask")
    for reply in (replace(_BARE, text=text), quote(text, asked)):
        assert isinstance(reading.read(reply, [asked]), Comment)


@pytest.mark.parametrize(("labels", "text", "names"), [
    ("246", "2", None), ("246", "1", "o1"), ("246", "4", "o2"), ("246", "٢", None), ("246", "02", None),
    ("٢٤٦", "2", None), ("123", "2", "o2"), ("321", "2", "o2"), ("321", "3", None),
    (["Ten", "ten.", "No"], "TEN", None), (["Ten", "ten.", "No"], "no", "o3"),
])  # fmt: skip
def test_what_names_two_options_chooses_neither_and_is_shown_them_again(
    labels: Sequence[str], text: str, names: str | None
) -> None:
    options = tuple(Option(f"o{place}", label) for place, label in enumerate(labels, start=1))
    asked = replace(OPEN[0], kind="choose", options=options)
    shown = Listed(tuple(each.id for each in options), "answer", SHOWN + timedelta(seconds=5), asked.id)
    for reply, how, lists in (
        (replace(_BARE, text=text), "word", ()),
        (replace(_BARE, text=text), "word", (shown,)),
        (quote(text, asked), "quote", ()),
    ):
        said = reading.read(reply, [asked], lists)
        if names is None:
            assert isinstance(said, Explain)
            assert said.why == "needs_option"
        else:
            assert said == Decide(asked.id, "answer", how, names)  # type: ignore[arg-type] # they are ways


CODED = [replace(each, challenge=True, code="1234") for each in OPEN]


@pytest.mark.parametrize("text", ["code 1234", "#1234", "12 34", "yes 1234", "my code: 9999", "الرمز ١٢٣٤"])
def test_a_code_among_a_few_words_is_no_answer_and_not_met_with_silence(text: str) -> None:
    """Right or wrong it is told the same: what is told must not help to guess."""
    bare, pointing = replace(_BARE, text=text), quote(text, CODED[0])
    assert isinstance(reading.read(bare, []), Comment)
    assert reading.read(bare, CODED[:1]) == Explain(IDS[0], "confirm", "word", "needs_code")
    assert reading.read(bare, CODED) == AskWhich(None)
    assert reading.read(pointing, CODED) == Explain(IDS[0], "confirm", "quote", "needs_code")


@pytest.mark.parametrize("text", ["I paid 1234 for that one", "at 12", "number 12345", "it was 2 or 3"])
def test_other_digits_among_words_are_a_remark(text: str) -> None:
    assert isinstance(reading.read(replace(_BARE, text=text), CODED[:1]), Comment)
