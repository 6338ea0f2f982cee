"""What is said to an answer that decides nothing: fit to send whatever was asked; lists say what they number."""

from functools import partial

import pytest
from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as st

from sayso.confirmations import lines, payloads
from sayso.confirmations.payloads import Tap
from sayso.confirmations.render import Action
from sayso.confirmations.rules import Wish
from sayso.whatsapp.content import Buttons, Content, Text, from_data, to_data, validate
from sayso.whatsapp.limits import length

KEY = b"k" * 32
CNF = "cnf_" + "7" * 26
MAKE = partial(payloads.make, KEY)
WISHES: list[Wish | None] = ["confirm", "decline", "cancel", "extend", "undo", "answer", None]
_HOSTILE = st.text(min_size=1, max_size=300).map(lambda text: "a" + text)


def fit(content: Content) -> None:
    validate(content)
    assert from_data(to_data(content)) == content


def many(count: int, description: str = "do") -> list[tuple[str, Action]]:
    return [
        (CNF[:-2] + f"{n:02}", Action("x", f"{n} {description}", f"{n} {description}")) for n in range(count)
    ]


@given(_HOSTILE, st.sampled_from(WISHES), st.integers(1, 14))
@effort(max_examples=300)
def test_every_list_is_fit_to_send_whatever_was_asked(
    description: str, wish: Wish | None, count: int
) -> None:
    listed = lines.which(wish, many(count, description), MAKE)
    fit(listed)
    assert isinstance(listed, Buttons) == (count <= 3 and wish not in ("answer", None))
    fit(lines.pending(many(count, description)))


@given(_HOSTILE)
def test_every_explanation_is_fit_to_send_whatever_was_asked(description: str) -> None:
    for line in (
        lines.again(description, held=True, theirs=True),
        lines.again(description, held=True, theirs=False),
        lines.again(description, held=False, theirs=True),
        lines.needs_code(description, "code"),
        lines.needs_code(description, "number"),
        lines.wrong_code(description, 2),
        lines.wrong_code(description, 1),
        lines.wrong_code(description, 0),
        Text(lines.how("approve", description)),
        Text(lines.how("ask", description)),
    ):
        fit(line)


def test_whoever_answers_again_is_told_whose_answer_there_is() -> None:
    mine = lines.again("pay", held=True, theirs=True).body
    others = lines.again("pay", held=True, theirs=False).body
    counted = lines.again("pay", held=False, theirs=True).body
    assert "UNDO" in mine
    assert "UNDO" not in others + counted
    assert "Others have answered" in others
    assert "others still have to" in counted
    assert all("CANCEL" in each for each in (mine, others, counted))


@pytest.mark.parametrize(
    ("wish", "asks", "label"),
    [
        ("decline", "Which one do you want to decline?", "Decline"),
        ("extend", "Which one do you want to get more time for?", "More time"),
        ("undo", "Which one do you want to take back your answer to?", "Undo"),
    ],
)
def test_the_choice_among_several_lists_them_in_order_and_its_buttons_carry_their_answer(
    wish: Wish, asks: str, label: str
) -> None:
    listed = lines.which(wish, many(3), MAKE)
    assert isinstance(listed, Buttons)
    assert listed.body.startswith(f"{asks} Nothing has been decided yet.")
    assert listed.body.index("1. “0 do”") < listed.body.index("2. “1 do”") < listed.body.index("3. “2 do”")
    assert [button.title for button in listed.buttons] == [f"{n}. {label}" for n in (1, 2, 3)]
    taps = [payloads.read(KEY, button.id) for button in listed.buttons]
    assert taps == [Tap(question_id, wish) for question_id, _ in many(3)]


def test_a_long_list_is_numbered_says_how_many_it_leaves_out_and_shortens_openly() -> None:
    listed = lines.which("confirm", [(CNF, Action("x", "w" * 300, f"{n}")) for n in range(12)], MAKE)
    assert isinstance(listed, Text)
    assert "10. “" + "w" * 79 + "…” (“9”)" in listed.body
    assert "(“10”)" not in listed.body
    assert "\n+2 more\n" in listed.body
    assert "Reply with its number" in listed.body
    assert length(listed.body) <= 4096


def test_questions_that_read_alike_get_neither_buttons_nor_numbers() -> None:
    alike = [(CNF, Action("x", "transfer money", "w" * 90 + to)) for to in ("to Bob", "to Eve")]
    assert not lines.tells_apart(alike)
    for listed in (lines.which("confirm", alike, MAKE), lines.pending(alike)):
        assert isinstance(listed, Text)
        assert "1." not in listed.body
    told_apart = [(CNF, Action("x", "transfer money", to)) for to in ("$10 to Bob", "$90,000 to Eve")]
    assert lines.tells_apart(told_apart)
    buttons = lines.which("confirm", told_apart, MAKE)
    assert isinstance(buttons, Buttons)
    assert "$90,000 to Eve" in buttons.body


def test_one_open_question_is_asked_about_by_itself() -> None:
    listed = lines.which("confirm", [(CNF, Action("x", "pay Bob", "$10"))], MAKE)
    assert isinstance(listed, Buttons)
    assert listed.body.startswith("Do you want to confirm this?")
    assert [button.title for button in listed.buttons] == ["Confirm"]


def test_what_is_open_is_told_with_how_to_answer() -> None:
    assert "YES 1, NO 1 or CANCEL 1" in lines.pending(many(2)).body
    assert lines.pending([]).body.startswith("Nothing is open")


def test_what_is_answered_and_not_for_good_is_told_beside_what_is_open() -> None:
    told = lines.pending(many(1), [Action("x", "pay Bob", "$10")]).body
    assert told.index("1. “0 do”") < told.index("not yet final:\n\n• “pay Bob” (“$10”)")
    alone = lines.pending([], [Action("x", "pay Bob", "$10")]).body
    assert "pay Bob" in alone
    assert "Nothing is open" not in alone


def test_lines_of_many_wide_letters_are_shortened_until_three_fit_below_buttons() -> None:
    wide = [(CNF[:-1] + n, Action("x", n + "😀" * 200, n + "😀" * 200)) for n in "123"]
    fit(lines.which("confirm", wide, MAKE))
