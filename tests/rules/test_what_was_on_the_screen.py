"""A bare word means what was on the screen when it was written, however late it comes and whatever ended meanwhile."""

from datetime import UTC, datetime, timedelta

import pytest

from sayso.confirmations.reading import read
from sayso.confirmations.rules import AskWhich, Decide, Late, NothingOpen, Question, Reading, Reply

NOON = datetime(2026, 3, 14, 12, 0, 0, tzinfo=UTC)
A, B = "cnf_" + "a" * 26, "cnf_" + "b" * 26


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def opened(question_id: str, shown: float) -> Question:
    return Question(question_id, open=True, shown_at=at(shown))


def answered(question_id: str, shown: float, *, by_word_of: float) -> Question:
    return Question(question_id, False, at(shown), ended_at=at(by_word_of + 0.4), answered_at=at(by_word_of))


def expired(question_id: str, shown: float, ended: float) -> Question:
    return Question(question_id, open=False, shown_at=at(shown), ended_at=at(ended))


def word(sent: int, *, received: float | None = None, text: str = "Y") -> Reply:
    came = at(sent + 0.3 if received is None else received)
    return Reply(text, None, at(sent), None, quotes_something=False, quoted=None, received_at=came)


@pytest.mark.parametrize(
    ("reply", "questions", "reading"),
    [
        # Two were open when it was written; one was answered before it came. It may have meant either.
        (word(10, received=60), [answered(A, 0, by_word_of=20), opened(B, 5)], AskWhich("confirm")),
        # The same, and the other's time was up meanwhile.
        (word(10, received=60), [expired(A, 0, 15), opened(B, 5)], AskWhich("confirm")),
        # One was over for good before it was written: only the other can be meant.
        (word(30), [answered(A, 0, by_word_of=20), opened(B, 5)], Decide(B, "confirm", "word")),
        # Asked in the very second the word was written, but after it had reached us.
        (word(10, received=10.17), [opened(B, 10.44)], AskWhich("confirm")),
        # Asked in that second, and the word came after it.
        (word(10, received=10.6), [opened(B, 10.44)], Decide(B, "confirm", "word")),
        # Asked after it was written.
        (word(10, received=20), [opened(B, 15)], AskWhich("confirm")),
        # A question whose time was up seconds ago may still be what somebody answers.
        (word(18), [expired(A, 0, 15), opened(B, 16)], AskWhich("confirm")),
        (word(40), [expired(A, 0, 15), opened(B, 16)], Decide(B, "confirm", "word")),
        # CANCEL written just before the end, or just after: it means the question, and is late.
        (word(14, received=15.2, text="CANCEL"), [expired(A, 0, 15)], Late(A, "cancel", "word")),
        (word(20, text="CANCEL"), [expired(A, 0, 15)], Late(A, "cancel", "word")),
        (word(60, text="CANCEL"), [expired(A, 0, 15)], NothingOpen("cancel")),
        # What one's own answer ended is over for the words that follow.
        (word(21, text="CANCEL"), [answered(A, 0, by_word_of=20)], NothingOpen("cancel")),
        (word(20, text="CANCEL"), [answered(A, 0, by_word_of=20)], NothingOpen("cancel")),
    ],
)
def test_a_word_means_what_was_asked_when_it_was_written(
    reply: Reply, questions: list[Question], reading: Reading
) -> None:
    assert read(reply, questions) == reading
