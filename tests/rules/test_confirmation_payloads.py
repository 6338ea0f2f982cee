"""What a button carries: read as it was made, by this installation, and in no other way."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sayso.confirmations import payloads
from sayso.confirmations.payloads import Tap

KEY, OTHER = b"k" * 32, b"o" * 32
ID = "cnf_" + "4" * 26
ANSWERS = ["confirm", "decline", "cancel", "extend", "undo", "1", "10", "blue-car_2", "a" * 20]


@pytest.mark.parametrize("answer", ANSWERS)
def test_a_payload_comes_back_as_it_went_out_and_fits_every_button(answer: str) -> None:
    text = payloads.make(KEY, ID, answer)
    assert payloads.read(KEY, text) == Tap(ID, answer)
    assert payloads.is_ours(text)
    assert len(text) <= 128
    assert text == text.strip()


@pytest.mark.parametrize("answer", ANSWERS)
def test_another_key_reads_nothing(answer: str) -> None:
    assert payloads.read(OTHER, payloads.make(KEY, ID, answer)) is None


@pytest.mark.parametrize("answer", ANSWERS)
def test_one_character_changed_added_or_taken_is_no_payload(answer: str) -> None:
    text = payloads.make(KEY, ID, answer)
    for at in range(len(text) + 1):
        for put in ("", *string.ascii_lowercase, *string.digits, "A", ":", " ", "\n", "٠"):
            for mutated in (text[:at] + put + text[at + 1 :], text[:at] + put + text[at:]):
                assert mutated == text or payloads.read(KEY, mutated) is None, mutated


@given(st.text(max_size=120))
def test_no_text_of_anybodys_is_a_payload(text: str) -> None:
    assert payloads.read(KEY, text) is None
    assert payloads.read(KEY, f"cf2:{ID}:confirm:{text}") is None


@pytest.mark.parametrize(
    "text", [None, "", f"cf1:{ID}:confirm", f"cf2:{ID}:confirm", f"cf2:{ID}:confirm:", "Confirm", "promo:yes"]
)
def test_what_is_unsigned_is_none(text: str | None) -> None:
    assert payloads.read(KEY, text) is None
    assert not payloads.is_ours(text)


def test_the_answer_of_one_question_is_none_of_another() -> None:
    mine, other = payloads.make(KEY, ID, "confirm"), "cnf_" + "5" * 26
    assert payloads.read(KEY, mine.replace(ID, other)) is None
    assert payloads.read(KEY, mine.replace("confirm", "decline")) is None
