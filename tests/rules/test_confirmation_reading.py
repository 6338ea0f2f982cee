"""Which question a reply means: every kind of reply against every number of open questions, and a table as judge."""

import itertools
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sayso.confirmations import rules
from sayso.confirmations.rules import (
    AskWhich,
    Comment,
    Decide,
    Late,
    NothingOpen,
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
SAYS_NOTHING = ["", "maybe", "yes and no", "yes?", "👍", "2"]

_BARE = Reply(text=None, payload=None, sent_at=FRESH, tapped=None, quotes_something=False, quoted=None)


def tap(question_id: str, verdict: Verdict, tapped: Question | None) -> Reply:
    """A tap comes with its payload, its label and the message it hangs on."""
    payload = rules.payload(question_id, verdict)
    return replace(
        _BARE, text=verdict.title(), payload=payload, tapped=tapped, quotes_something=True, quoted=tapped
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
            got = silent(rules.read(replies(text, verdict)[kind], order))
            assert got == expected(kind, verdict, count), (kind, text, order)


@pytest.mark.parametrize("count", range(4))
@pytest.mark.parametrize("kind", TABLE)
@pytest.mark.parametrize("mark", ["forwarded", "in_group"])
def test_nothing_forwarded_and_nothing_from_a_group_decides(kind: str, count: int, mark: str) -> None:
    reply = replies("yes", "confirm")[kind]
    marked = replace(reply, forwarded=mark == "forwarded", in_group=mark == "in_group")
    assert isinstance(rules.read(marked, OPEN[:count]), Comment)


@pytest.mark.parametrize("text", SAYS_NOTHING)
@pytest.mark.parametrize("count", range(4))
def test_what_is_no_word_decides_nothing_wherever_it_points(text: str, count: int) -> None:
    for reply in (replace(_BARE, text=text), quote(text, OPEN[0]), quote(text, CLOSED), quote(text, None)):
        assert isinstance(rules.read(reply, OPEN[:count]), Comment)


def test_a_question_that_was_never_posted_cannot_be_meant_by_a_word() -> None:
    assert rules.read(replace(_BARE, text="y"), UNSHOWN[:1]) == NothingOpen("confirm")
    assert rules.read(replace(_BARE, text="y"), [OPEN[0], *UNSHOWN]) == Decide(IDS[0], "confirm", "word")


TABLE_WORDS = {
    "y": "confirm", "yes": "confirm", "confirm": "confirm",
    "n": "decline", "no": "decline", "decline": "decline",
    "cancel": "cancel",
}  # fmt: skip
_NEAR = st.sampled_from(
    [*TABLE_WORDS, *"ynYNÝУΥ \u200b\u202e.!?,'\"*_👍1é\u0301", "not ", " please", "don't "]
)
_TEXTS = st.one_of(st.text(max_size=20), st.lists(_NEAR, max_size=5).map("".join))
_PLAIN = re.compile(r"[\W_]+")


@given(_TEXTS)
def test_no_text_outside_the_table_ever_decides(text: str) -> None:
    """Judged by another road: what a decision was read from is one word of the guide's, and nothing beside it."""
    verdict = rules.word(text)
    reading = rules.read(replace(_BARE, text=text), OPEN[:1])
    assert isinstance(reading, Decide) == (verdict is not None)
    if verdict is not None:
        seen = "".join(char for char in text if char.isprintable() or char.isspace())
        ascii_only = seen.translate({0xFF01 + n: 0x21 + n for n in range(94)})
        left = [part for part in _PLAIN.split(ascii_only.casefold()) if part]
        assert len(left) == 1
        assert left[0] in TABLE_WORDS or not left[0].isascii()
        assert "?" not in text


@given(st.sampled_from(IDS), st.sampled_from(["confirm", "decline", "cancel"]))
def test_a_payload_comes_back_as_it_went_out(question_id: str, verdict: Verdict) -> None:
    text = rules.payload(question_id, verdict)
    assert rules.parse_payload(text) == (question_id, verdict)
    assert len(text) <= 256


@given(
    st.sampled_from(["confirm", "decline", "cancel"]),
    st.integers(0, 50),
    st.one_of(st.just(""), st.characters(), st.just("\n")),
)
def test_a_payload_that_was_altered_is_no_payload_of_the_same_question(
    verdict: Verdict, at: int, put: str
) -> None:
    text = rules.payload(IDS[4], verdict)
    mutated = text[:at] + put + text[at + 1 :] if at < len(text) else text + (put or " ")
    if mutated == text:
        return
    parsed = rules.parse_payload(mutated)
    assert (
        parsed is None or parsed[0] != IDS[4]
    )  # another id may be well formed: it is then looked up, in vain


@pytest.mark.parametrize(
    "text",
    [None, "", "cf1:", "cf2:cnf_" + "0" * 26 + ":confirm", "cf1:cnf_" + "0" * 25 + ":confirm",
     "cf1:cnf_" + "0" * 26 + ":CONFIRM", "cf1:cnf_" + "0" * 26 + ":expire", "cf1:msg_" + "0" * 26 + ":confirm",
     "cf1:cnf_" + "0" * 26 + ":confirm\n", " cf1:cnf_" + "0" * 26 + ":confirm", "cf1:cnf_" + "٠" * 26 + ":confirm"],
)  # fmt: skip
def test_what_is_no_payload_of_ours_is_none(text: str | None) -> None:
    assert rules.parse_payload(text) is None
