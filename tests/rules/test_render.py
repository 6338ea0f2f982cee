"""The texts people read: the same each time, whole, within WhatsApp's limits, and never forged from inside."""

import unicodedata
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import get_args

import pytest
from hypothesis import example, given
from hypothesis import settings as effort
from hypothesis import strategies as st

from sayso.confirmations import payloads, question, render
from sayso.confirmations.payloads import Tap
from sayso.confirmations.question import Prompt, Question, Reader
from sayso.confirmations.render import Action
from sayso.confirmations.rules import Outcome
from sayso.core.errors import ContentTooLongError, InputInvalidError
from sayso.whatsapp.content import Button, Buttons, Content, Template, Text, from_data, to_data, validate

KEY = b"k" * 32
CNF = "cnf_" + "7" * 26
HALF_HOUR = timedelta(minutes=30)
MEETING = Action("calendar_create", "schedule a meeting with John", "tomorrow at 3 PM in Conference Room A")
ENDED = datetime(2026, 3, 14, 12, 0, tzinfo=UTC)
OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)


def prompt(
    action: Action = MEETING,
    *,
    greet: str | None = "Alice",
    lasts: timedelta = HALF_HOUR,
    business: str = "AI Assistant",
) -> Prompt:
    return question.prompt(
        Question(action=action, lasts=lasts),
        Reader(greet=greet),
        payloads=partial(payloads.make, KEY, CNF),
        business=business,
    )


def tapped() -> list[Button]:
    session = prompt().session
    assert isinstance(session, Buttons)
    return list(session.buttons)


def test_the_question_as_it_is_read_inside_the_window() -> None:
    assert prompt().session.body == (
        "Hi Alice,\n\n"
        "AI Assistant wants to:\n“schedule a meeting with John”\n\n"
        "Details: “tomorrow at 3 PM in Conference Room A”\n\n"
        "Tap a button, or reply Y to confirm, N to decline, CANCEL to stop. This question ends in 30 minutes."
    )
    assert [button.title for button in tapped()] == ["Confirm", "Decline", "Cancel"]


def test_the_question_as_a_template_has_the_three_variables_of_the_guide_and_three_replies() -> None:
    template = prompt().template
    assert (template.name, template.language) == ("confirmation_request", "en")
    assert template.parameters == ("Alice", MEETING.description, MEETING.details)
    session = [payloads.read(KEY, button.id) for button in tapped()]
    assert [payloads.read(KEY, reply) for reply in template.quick_replies] == session
    assert session == [Tap(CNF, answer) for answer in ("confirm", "decline", "cancel")]


def test_the_same_action_gives_the_same_texts_and_digests_and_any_other_does_not() -> None:
    assert prompt() == prompt()
    assert prompt().digests() == prompt().digests()
    others = [
        Action("calendar_create", "schedule a meeting with Jon", MEETING.details),
        Action("calendar_create", MEETING.description, "tomorrow at 4 PM"),
    ]
    assert len({prompt(action).digests()["session"] for action in (MEETING, *others)}) == 3
    moved = Action(MEETING.type, MEETING.details, MEETING.description)
    assert len({action.digest() for action in (MEETING, moved, *others)}) == 4


def test_what_is_stored_reads_back_as_what_was_shown() -> None:
    shown = prompt().data()
    assert from_data(shown["session"]) == prompt().session
    assert from_data(shown["template"]) == prompt().template


@pytest.mark.parametrize("greet", [None, "", "\u200b", "x" * 61, "🦄" * 31])
def test_who_has_no_name_to_greet_by_is_still_asked(greet: str | None) -> None:
    assert prompt(greet=greet).session.body.startswith("Hi there,\n")


@pytest.mark.parametrize(
    ("field", "text", "size"),
    [
        ("action_description", "x" * 301, 301),
        ("action_description", "🦄" * 151, 302),  # WhatsApp may count an emoji as two
        ("action_details", "y" * 1_400, 1_400),
        ("action_details", " z " * 300, 599),  # counted as it would be shown
    ],
)
def test_too_long_is_refused_with_the_exact_excess_and_the_field(field: str, text: str, size: int) -> None:
    given_texts = {"action_description": "a", "action_details": "b", field: text}
    with pytest.raises(ContentTooLongError) as raised:
        prompt(Action("t", given_texts["action_description"], given_texts["action_details"]))
    (fault,) = raised.value.faults
    most = question.MOST[field]
    assert fault.pointer == f"/{field}"
    assert fault.detail == f"{size:,} characters, {size - most:,} more than the {most} that fit the question"
    assert raised.value.detail == f"{field}: {fault.detail}"


def test_what_just_fits_is_shown_whole_beside_the_longest_names() -> None:
    full = Action("t", "d" * 300, "🦄" * 200)
    asked = prompt(full, greet="n" * 60, business="🏢" * 60, lasts=timedelta(minutes=10_079))
    assert full.description in asked.session.body
    assert full.details in asked.session.body


@pytest.mark.parametrize("text", ["\u200b", " \n\t ", "\u202e\u2066", "\u3164\u2800", "\x07"])
@pytest.mark.parametrize("field", ["action_description", "action_details"])
def test_words_that_show_nothing_are_refused_at_their_field(field: str, text: str) -> None:
    given_texts = {"action_description": "a", "action_details": "b", field: text}
    with pytest.raises(InputInvalidError) as raised:
        prompt(Action("t", given_texts["action_description"], given_texts["action_details"]))
    assert [fault.pointer for fault in raised.value.faults] == [f"/{field}"]


_HOSTILE = st.lists(
    st.one_of(
        st.characters(exclude_categories=["Cs"], exclude_characters="\x00"),
        st.sampled_from([
            "\n", "\r\n", "\t", "     ", "\u202e", "\u2066", "\u200b", "\u2028", "\x85",
            "\x1b[31m", "{{1}}", "{{2}}", "”",
            "“", "*", "_", "```", "Reply Y to confirm", "Details: ", "https://x.example",
            "🛑", "\u3164", "\ufe0f", "\u0301",
        ]),
    ),
    min_size=1,
    max_size=60,
).map("".join)  # fmt: skip


def texts_of(content: Content) -> list[str]:
    match content:
        case Text(body=body):
            return [body]
        case Buttons(body=body, buttons=buttons):
            return [body, *(button.title for button in buttons)]
        case Template(parameters=parameters):
            return list(parameters)
        case _:
            raise AssertionError(content)


def fit(content: Content) -> None:
    """Valid for WhatsApp, and nothing in it that does not show; our own line breaks excepted."""
    validate(content)
    assert from_data(to_data(content)) == content
    for text in texts_of(content):
        unseen = {char for char in text if unicodedata.category(char) in ("Cc", "Cf", "Cs", "Zl", "Zp")}
        assert unseen <= {"\n"}


@given(_HOSTILE, _HOSTILE, st.one_of(st.none(), _HOSTILE))
@example("x”\n\nDetails: “harmless", "”\n\nReply Y to confirm", "Eve”,\n\nAll is well. “")
@example("{{1}}", "{{2}} {{3}}", "{{1}}")
@effort(max_examples=1_000)
def test_no_text_of_an_assistant_can_forge_or_break_the_question(
    description: str, details: str, greet: str | None
) -> None:
    try:
        shown = prompt(Action("t", description, details), greet=greet)
    except (ContentTooLongError, InputInvalidError) as error:
        refused: ContentTooLongError | InputInvalidError | None = error
    else:
        refused = None
    if refused is not None:
        assert {fault.pointer for fault in refused.faults} <= {"/action_description", "/action_details"}
        return
    fit(shown.session)
    fit(shown.template)
    paragraphs = shown.session.body.split("\n\n")
    assert len(paragraphs) == 4
    assert paragraphs[0].startswith("Hi ")
    assert paragraphs[1].startswith("AI Assistant wants to:\n“")
    assert paragraphs[2].startswith("Details: “")
    assert shown.session.body.count("\n") == 7
    assert shown.session.body.count("“") == shown.session.body.count("”") == 2
    assert paragraphs[3].startswith("Tap a button, or reply Y to confirm")


@given(_HOSTILE, st.sampled_from(OUTCOMES))
@effort(max_examples=300)
def test_every_other_line_is_fit_to_send_whatever_was_asked(description: str, outcome: Outcome) -> None:
    line = render.closing(outcome, description)
    if line is not None:
        fit(line)
    fit(render.too_late(outcome, description, ENDED))
    fit(render.nothing_open(outcome, description, ENDED))


@pytest.mark.parametrize(
    ("name", "greeted"),
    [
        ("Alice", "Hi Alice,"),
        ("Anne-Marie O’Neil Jr.", "Hi Anne-Marie O’Neil Jr.,"),
        ("José", "Hi José,"),
        ("Bob! Reply Y to keep your plan", "Hi there,"),
        ("*Bob*", "Hi there,"),
        ("", "Hi there,"),
    ],
)
def test_the_greeting_holds_a_name_and_nothing_else(name: str, greeted: str) -> None:
    shown = prompt(Action("x", "a", "b"), greet=name, business="Acme")
    assert shown.session.body.startswith(greeted)


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("pay ~$90,000~ *$9*", "pay \uff5e$90,000\uff5e \uff0a$9\uff0a"),
        ("run `rm`", "run \uff40rm\uff40"),
        ("_soon_ my_file_v2.txt", "\uff3fsoon\uff3f my_file_v2\u2024txt"),
        ("see https://x.example/a", "see https:\u2044\u2044x\u2024example/a"),
        ("mailto:eve@evil.com", "mailto\ua789eve@evil\u2024com"),
        ("at 3.50, e.g. 10.0", "at 3.50, e.g. 10.0"),
    ],
)
def test_formatting_marks_are_shown_and_do_nothing(written: str, shown: str) -> None:
    line = render.closing("confirmed", written)
    assert line is not None
    assert f"“{shown}”" in line.body


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_every_outcome_has_its_closing_line_or_a_message_of_its_own(outcome: Outcome) -> None:
    line = render.closing(outcome, "pay Bob")
    assert (line is None) == (outcome in ("undeliverable", "opted_out"))
    if line is not None:
        assert "“pay Bob”" in line.body
        assert ("othing" in line.body) == (outcome != "confirmed")
    assert "This answer changed nothing." in render.too_late(outcome, "pay Bob", ENDED).body
    assert "2026-03-14 12:00 UTC" in render.too_late(outcome, "pay Bob", ENDED).body


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.2, "1 second"), (1, "1 second"), (45, "45 seconds"), (60, "1 minute"), (90, "90 seconds"), (120, "2 minutes"),
     (150, "2 minutes"), (1800, "30 minutes"), (3600, "1 hour"), (5400, "90 minutes"), (7200, "2 hours"),
     (86400, "1 day"), (604800, "7 days")],
)  # fmt: skip
def test_a_span_is_said_in_the_largest_unit_that_is_exact(seconds: float, words: str) -> None:
    body = prompt(lasts=timedelta(seconds=seconds)).session.body
    assert body.endswith(f"This question ends in {words}.")
