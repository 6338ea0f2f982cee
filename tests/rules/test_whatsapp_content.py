"""Outgoing content: what Meta would refuse is refused here first, and the JSON is what Meta expects."""

import json
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sayso.core.errors import ContentTooLongError, Fault, InputInvalidError
from sayso.whatsapp import limits
from sayso.whatsapp.content import (
    Button,
    Buttons,
    Content,
    Header,
    Template,
    Text,
    clean_parameter,
    from_data,
    to_data,
    to_json,
    validate,
)

FIXTURES = Path(__file__).parents[1] / "fixtures" / "meta" / "out"
YES, NO = Button("cf:7f3a:yes", "Confirm"), Button("cf:7f3a:no", "Decline")
CANCEL = Button("cf:7f3a:cancel", "Cancel")

CONTENTS: dict[str, Content] = {
    "text": Text("Your export is ready: https://example.org/x"),
    "text_with_preview": Text("Zoë 👍", preview_url=True),
    "buttons": Buttons("Send the weekly report to 14 recipients?", (YES, NO, CANCEL)),
    "buttons_with_header_and_footer": Buttons(
        "Send it?", (YES,), header=Header(text="Confirm"), footer="30 min"
    ),
    "template": Template("confirmation_request", "en_US", ("Ops", "Deploy build 812", "17:30")),
    "template_with_quick_replies": Template(
        "confirmation_request", "en_US", ("Ops", "Deploy build 812", "17:30"), ("yes", "no", "cancel")
    ),
    "template_with_header": Template("daily_summary", "pt_BR", ("3 items",), header=Header(text="Monday")),
    "template_without_parameters": Template("hello_world", "en"),
}


@pytest.mark.parametrize(("name", "content"), CONTENTS.items(), ids=CONTENTS)
def test_json_of_each_content(name: str, content: Content) -> None:
    validate(content)
    body = to_json(content, to="+15550001111", recipient=None, callback="m:7f3a", context_wamid=None)
    assert json.loads(body) == json.loads((FIXTURES / f"{name}.json").read_bytes())


@pytest.mark.parametrize(("name", "content"), CONTENTS.items(), ids=CONTENTS)
def test_content_survives_the_database(name: str, content: Content) -> None:
    stored = json.dumps(to_data(content))
    assert to_data(content) == json.loads(stored)
    assert from_data(json.loads(stored)) == content


def test_every_outgoing_fixture_has_its_content() -> None:
    extra = {"text_to_user_id", "text_as_quoted_reply"}
    assert {path.stem for path in FIXTURES.glob("*.json")} == extra | set(CONTENTS)


def test_user_id_when_there_is_no_phone() -> None:
    body = to_json(Text("hi"), to=None, recipient="US.8493", callback="m:7f3a", context_wamid=None)
    assert json.loads(body) == json.loads((FIXTURES / "text_to_user_id.json").read_bytes())


def test_quoted_reply() -> None:
    body = to_json(
        Text("hi"), to="+15550001111", recipient="US.8493", callback="m:7f3a", context_wamid="wamid.IN1"
    )
    assert json.loads(body) == json.loads((FIXTURES / "text_as_quoted_reply.json").read_bytes())


@pytest.mark.parametrize(("to", "recipient"), [(None, None), ("", ""), ("15550001111", None)])
def test_receiver_must_be_addressable(to: str | None, recipient: str | None) -> None:
    with pytest.raises(InputInvalidError):
        to_json(Text("hi"), to=to, recipient=recipient, callback="", context_wamid=None)


def test_callback_data_has_a_limit() -> None:
    to_json(Text("hi"), to="+1", recipient=None, callback="x" * 512, context_wamid=None)
    with pytest.raises(ContentTooLongError, match="513 characters, 1 more than the 512"):
        to_json(Text("hi"), to="+1", recipient=None, callback="x" * 513, context_wamid=None)


def buttons(count: int) -> tuple[Button, ...]:
    return tuple(Button(f"id{n}", f"title {n}") for n in range(count))


TOO_LONG: list[tuple[Content, str, int, int]] = [
    (Text("x" * 4097), "/body", 4097, 4096),
    (Text("😀" * 2049), "/body", 4098, 4096),
    (Buttons("x" * 1030, (YES,)), "/body", 1030, 1024),
    (Buttons("x", (YES,), header=Header(text="x" * 61)), "/header/text", 61, 60),
    (Buttons("x", (YES,), footer="x" * 61), "/footer", 61, 60),
    (Buttons("x", (YES, Button("b", "x" * 21))), "/buttons/1/title", 21, 20),
    (Buttons("x", (Button("x" * 257, "b"),)), "/buttons/0/id", 257, 256),
    (Template("x" * 513, "en"), "/name", 513, 512),
    (Template("x", "en", ("a", "x" * 1025)), "/parameters/1", 1025, 1024),
    (Template("x", "en", header=Header(text="x" * 61)), "/header/text", 61, 60),
    (Template("x", "en", quick_replies=("x" * 257,)), "/quick_replies/0", 257, 256),
]


@pytest.mark.parametrize(("content", "pointer", "size", "most"), TOO_LONG)
def test_too_long_says_by_how_much(content: Content, pointer: str, size: int, most: int) -> None:
    with pytest.raises(ContentTooLongError) as raised:
        validate(content, at="/content")
    (fault,) = raised.value.faults
    assert fault.pointer == "/content" + pointer
    assert f"{size:,} characters, {size - most:,} more than the {most:,} WhatsApp takes." in fault.detail
    assert raised.value.detail == fault.detail


@pytest.mark.parametrize(
    "content",
    [
        Text("x" * 4096),
        Text("😀" * 2048),
        Buttons("x" * 1024, (Button("x" * 256, "x" * 20),), header=Header(text="x" * 60), footer="x" * 60),
        Buttons("line one\nline two", buttons(3)),
        Template("x" * 512, "es_419", ("x" * 1024,), ("x" * 256,) * 10, header=Header(text="x" * 60)),
        Template("a", "fil", ("four    spaces",)),
    ],
)
def test_content_at_its_limits_is_valid(content: Content) -> None:
    validate(content)


INVALID: list[tuple[Content, str, str]] = [
    (Text(""), "/body", "empty"),
    (Text(" \n\t"), "/body", "empty"),
    (Text("a\x00b"), "/body", "cannot be sent"),
    (Text("a\ud800b"), "/body", "cannot be sent"),
    (Buttons("x", ()), "/buttons", "0 buttons"),
    (Buttons("x", buttons(4)), "/buttons", "4 buttons"),
    (Buttons("", (YES,)), "/body", "empty"),
    (Buttons("x", (YES,), header=Header(text="")), "/header/text", "empty"),
    (Buttons("x", (YES,), header=Header(text="a\nb")), "/header/text", "line break"),
    (Buttons("x", (YES,), footer="a\tb"), "/footer", "line break or a tab"),
    (Buttons("x", (Button("", "a"),)), "/buttons/0/id", "empty"),
    (Buttons("x", (Button(" a", "a"),)), "/buttons/0/id", "space"),
    (Buttons("x", (Button("a ", "a"),)), "/buttons/0/id", "space"),
    (Buttons("x", (Button("a", ""),)), "/buttons/0/title", "empty"),
    (Buttons("x", (Button("a", "1"), Button("a", "2"))), "/buttons", "same id"),
    (Buttons("x", (Button("a", "1"), Button("b", "1"))), "/buttons", "same title"),
    (Template("Bad-Name", "en"), "/name", "a to z"),
    (Template("x\n", "en"), "/name", "a to z"),
    (Template("x", "english"), "/language", "code"),
    (Template("x", "en\n"), "/language", "code"),
    (Template("x", "en", ("",)), "/parameters/0", "empty"),
    (Template("x", "en", ("a", "b\nc")), "/parameters/1", "line break"),
    (Template("x", "en", ("b\tc",)), "/parameters/0", "tab"),
    (Template("x", "en", ("b     c",)), "/parameters/0", "more than 4 spaces"),
    (Template("x", "en", header=Header(text="b     c")), "/header/text", "more than 4 spaces"),
    (Template("x", "en", quick_replies=("a",) * 11), "/quick_replies", "11 quick replies"),
    (Template("x", "en", quick_replies=("a", "")), "/quick_replies/1", "empty"),
]


@pytest.mark.parametrize(("content", "pointer", "word"), INVALID)
def test_invalid_content_is_pointed_at(content: Content, pointer: str, word: str) -> None:
    with pytest.raises(InputInvalidError) as raised:
        validate(content)
    assert [fault.pointer for fault in raised.value.faults] == [pointer]
    assert word in raised.value.faults[0].detail


def test_every_fault_is_told_at_once() -> None:
    with pytest.raises(InputInvalidError) as raised:
        validate(Buttons("x" * 2000, (Button("", "a"),), header=Header(text="a\nb")), at="/c")
    assert [fault.pointer for fault in raised.value.faults] == [
        "/c/header/text",
        "/c/buttons/0/id",
        "/c/body",
    ]
    assert isinstance(raised.value.faults[0], Fault)


@pytest.mark.parametrize(
    "data",
    [
        None,
        {},
        [],
        "text",
        {"type": "hologram", "body": "x"},
        {"type": "text"},
        {"type": "text", "body": 5},
        {"type": "buttons", "body": "x", "buttons": [{"id": "a"}]},
        {"type": "template", "name": "x", "language": "en", "parameters": [1]},
    ],
)
def test_data_of_another_shape_is_refused(data: object) -> None:
    with pytest.raises(InputInvalidError):
        from_data(data)


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("plain", "plain"),
        ("a\nb\r\nc\td", "a b c d"),
        ("a     b", "a b"),
        ("  a  ", "a"),
        ("a\u2028b\u2029c\x85d\x0be", "a b c d e"),
        ("a\u00a0\u3000\u2003b", "a b"),
        ("pay \u202e001\u202c now", "pay 001 now"),
        ("\u2066a\u2069\u200e\u200f\u061c", "a"),
        ("Y\u200bE\u200cS\u200d\ufeff", "YES"),
        ("Y\u00adES", "YES"),
        ("a\x00b\x07c\x1b[0m", "abc[0m"),
        ("a\ud800b", "ab"),
        ("tag\U000e0041\U000e0042", "tag"),
        ("\u3164Y\u115f\u2800", "Y"),
        ("e\u0301 ñ 山田 हाँ", "e\u0301 ñ 山田 हाँ"),
        ("👍\ufe0f", "👍\ufe0f"),
        ("\n\t \u200b", ""),
    ],
)
def test_parameter_is_cleaned(text: str, clean: str) -> None:
    assert clean_parameter(text) == clean


@given(st.text(st.characters()))
def test_clean_parameter_is_valid_or_empty_and_stays_as_it_is(text: str) -> None:
    clean = clean_parameter(text)
    assert clean_parameter(clean) == clean
    assert not {unicodedata.category(char) for char in clean} & {"Cc", "Cf", "Cs", "Zl", "Zp"}
    if clean and limits.length(clean) <= limits.TEMPLATE_BODY:
        validate(Template("x", "en", (clean,)))


@pytest.mark.parametrize(
    ("text", "units"), [("", 0), ("abc", 3), ("é", 1), ("山田", 2), ("😀", 2), ("👨‍👩‍👧", 8), ("\ud800", 1)]
)
def test_length_counts_utf16_units(text: str, units: int) -> None:
    assert limits.length(text) == units
