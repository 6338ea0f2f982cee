"""What is wrong with an input is a sentence: what is expected, what was given, and where."""

import json
from datetime import datetime
from functools import partial
from typing import Annotated, Any, Literal

import pytest
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from sayso.core import faults
from sayso.core.described_fields import fields_at
from sayso.core.errors import Fault
from sayso.core.faults_json import not_json


def said(kind: Any, given: Any) -> list[Fault]:
    with pytest.raises(ValidationError) as refused:
        TypeAdapter(kind).validate_python(given)
    return faults.of_validation(refused.value.errors())


class Inner(BaseModel):
    """A request, in small."""

    model_config = ConfigDict(extra="forbid")

    a: int
    b: list[str] | dict[str, int] = []


CASES: list[tuple[Any, Any, str]] = [
    (str, 7, "must be text, not 7"),
    (str, None, "must be text, not null"),
    (str, ["a"], "must be text, not a list"),
    (int, "soon", 'must be a whole number, not "soon"'),
    (int, 1.5, "must be a whole number, not 1.5"),
    (float, {"a": 1}, "must be a number, not an object"),
    (Annotated[float, Field(allow_inf_nan=False)], float("inf"), "must be a finite number, not Infinity"),
    (bool, "perhaps", 'must be true or false, not "perhaps"'),
    (list[str], "a", 'must be a list, not "a"'),
    (dict[str, str], 7, "must be an object, not 7"),
    (Inner, 7, "must be an object, not 7"),
    (Literal["a", "b"], "c", "must be 'a' or 'b', not \"c\""),
    (
        Literal["high", "low"] | None,
        "Hihg",
        "must be 'high' or 'low', not \"Hihg\"; do you mean high?",
    ),
    (Annotated[int, Field(ge=1)], 0, "must be at least 1, not 0"),
    (Annotated[int, Field(le=5)], 6, "must be at most 5, not 6"),
    (Annotated[float, Field(le=60)], 600, "must be at most 60, not 600"),
    (Annotated[float, Field(ge=0.5)], 0, "must be at least 0.5, not 0"),
    (Annotated[int, Field(gt=1)], 1, "must be more than 1, not 1"),
    (Annotated[int, Field(lt=5)], 5, "must be less than 5, not 5"),
    (Annotated[str, Field(min_length=1)], "", "must not be empty"),
    (Annotated[str | None, Field(min_length=1)], "", "must not be empty"),
    (Annotated[str | None, Field(max_length=2)], "abc", "may have at most 2 characters, not 3"),
    (Annotated[str, Field(min_length=2)], "x", "must have at least 2 characters, not 1"),
    (Annotated[str, Field(max_length=2)], "abc", "may have at most 2 characters, not 3"),
    (Annotated[list[int], Field(max_length=1)], [1, 2], "may hold at most 1, not 2"),
    (Annotated[list[int], Field(min_length=1)], [], "must hold at least 1, not 0"),
    (Annotated[str, Field(pattern="^[a-z]+$")], "A", 'must be of the form ^[a-z]+$, not "A"'),
    (
        AwareDatetime,
        "2027-03-14T09:30:00",
        'must be a time with its zone, such as 2027-03-14T09:30:00Z, not "2027-03-14T09:30:00"',
    ),
    (datetime, "noon", 'must be a time with its zone, such as 2027-03-14T09:30:00Z, not "noon"'),
    (str, 10**60, f"must be text, not 1{'0' * 39}…"),
    (bool, "x" * 60, f'must be true or false, not "{"x" * 40}…"'),
    (int, "\ud800", "holds half of a surrogate pair, which is no character"),
]


@pytest.mark.parametrize(("kind", "given", "sentence"), CASES, ids=[case[2][:50] for case in CASES])
def test_it_says_what_is_expected_and_what_was_given(kind: Any, given: Any, sentence: str) -> None:
    assert said(kind, given) == [Fault(sentence, "")]


def test_it_points_at_the_field_and_of_several_alternatives_says_what_fits() -> None:
    assert said(Inner, {"a": "x", "c": 1}) == [
        Fault('must be a whole number, not "x"', "/a"),
        Fault("is not a field of this request", "/c"),
    ]
    assert said(Inner, {}) == [Fault("is missing", "/a")]
    assert said(Inner, {"a": 1, "b": 7}) == [Fault("must be a list or an object, not 7", "/b")]
    assert said(Inner, {"a": 1, "b": ["x", 7]}) == [Fault("must be text, not 7", "/b/1")]
    assert said(Inner, {"a": 1, "x/y~": 1}) == [Fault("is not a field of this request", "/x~1y~0")]


def test_what_cannot_be_shown_is_marked() -> None:
    assert faults.unlike(["text"], "a\ud800\n") == 'must be text, not "a\ufffd\\n"'


def test_a_complaint_nobody_has_seen_yet_is_no_validators_jargon() -> None:
    found = faults.of_validation([{"type": "new", "loc": ("a",), "msg": "Input should", "input": 7}])
    assert found == [Fault("is not what this route takes: 7", "/a")]


@pytest.mark.parametrize(
    ("complaint", "given", "choices", "sentence"),
    [
        ("Expected `str`, got `int`", 7, (), "must be text, not 7"),
        ("Expected `str | null`, got `array`", [], (), "must be text or null, not a list"),
        ("Expected `array` of length >= 1", [], (), "must be a list of length >= 1, not a list"),
        ("Invalid enum value 'x'", "x", ("a", "b"), "must be 'a' or 'b', not \"x\""),
        ("Invalid value", 1, (), "invalid value"),
    ],
)
def test_what_the_reader_of_content_says_is_said_in_the_same_words(
    complaint: str, given: Any, choices: tuple[str, ...], sentence: str
) -> None:
    assert faults.of_reading(complaint, given, choices) == sentence


class Person(BaseModel):
    """What is inside of a request."""

    model_config = ConfigDict(extra="forbid")

    first_name: str = ""
    last_name: str = ""


class Outer(BaseModel):
    """A request with others inside."""

    model_config = ConfigDict(extra="forbid")

    people: list[Person] | None = None
    by_name: dict[str, Person] = {}
    failed: bool = False
    delivered: bool = False


MISTYPED: list[tuple[Any, Fault]] = [
    ({"Delivred": 1}, Fault("is not a field of this request; do you mean delivered?", "/Delivred")),
    ({"colour": 1}, Fault("is not a field of this request", "/colour")),
    ({"arrived": 1}, Fault("is not a field of this request", "/arrived")),
    (
        {"people": [{"first_nmae": 2}]},
        Fault("is not a field of this request; do you mean first_name?", "/people/0/first_nmae"),
    ),
    (
        {"by_name": {"x": {"first": "x"}}},
        Fault("is not a field of this request; do you mean first_name?", "/by_name/x/first"),
    ),
    ({"by_name": {"x": {"name": "x"}}}, Fault("is not a field of this request", "/by_name/x/name")),
    ({"x" * 101: 1}, Fault("is not a field of this request", f"/{'x' * 101}")),
]


@pytest.mark.parametrize(("body", "fault"), MISTYPED, ids=[case[1].pointer[:20] for case in MISTYPED])
def test_a_name_that_is_none_is_told_the_nearest_there_is_at_its_place(body: Any, fault: Fault) -> None:
    with pytest.raises(ValidationError) as refused:
        Outer.model_validate(body)
    assert faults.of_validation(refused.value.errors(), fields=partial(fields_at, Outer)) == [fault]


@pytest.mark.parametrize(
    ("complaint", "fault"),
    [
        ("failed: it was delivered", Fault("it was delivered", "/failed")),
        ("either: or", Fault("either: or", "")),
        ("give one of the two", Fault("give one of the two", "")),
    ],
)
def test_what_is_wrong_with_several_fields_together_is_pointed_at_the_one_it_names(
    complaint: str, fault: Fault
) -> None:
    error = {"type": "value_error", "loc": ("body",), "input": {}, "ctx": {"error": ValueError(complaint)}}
    assert faults.of_validation([error], inside=1, fields=partial(fields_at, Outer)) == [fault]


def test_how_a_body_is_sent_is_told_of_the_body_alone() -> None:
    error = {"type": "model_attributes_type", "loc": ("body", "people", 0), "input": "Bo"}
    assert faults.of_validation([error], inside=1) == [Fault('must be an object, not "Bo"', "/people/0")]
    (fault,) = faults.of_validation([{**error, "loc": ("body",)}], inside=1)
    assert "Content-Type" in fault.detail


def test_a_body_of_mistakes_alone_is_not_guessed_at() -> None:
    with pytest.raises(ValidationError) as refused:
        Outer.model_validate({f"delivere{number}": 1 for number in range(11)})
    found = faults.of_validation(refused.value.errors(), fields=partial(fields_at, Outer))
    assert {fault.detail for fault in found} == {"is not a field of this request"}


SPOILT = [
    ('{"a": 1\n "b": 2}', 'in line 2, column 2: a comma or an end is expected, at the mark ▸: {"a": 1 ▸"b": 2}'),
    ('{"a": 1,}', "in line 1, column 9: "),
    ('{"a": "tom\norrow"}', "in line 1, column 11: a text holds a line break or a control character"),
    ("{a: 1}", "in line 1, column 2: a name in double quotes is expected, at the mark ▸: {▸a: 1}"),
    ('{"a": "\x01"}', 'is written \\n or \\u0000, at the mark ▸: {"a": "▸\ufffd"}'),
    ('{"a": 1} x', 'in line 1, column 10: the JSON has ended before this, at the mark ▸: {"a": 1} ▸x'),
    ('{"a":\n', 'it ends in line 2, column 1, where a value is expected: {"a": ▸'),
    (f'{{"{"a" * 99}" 1}}', f"at the mark ▸: {'a' * 28}\" ▸1}}"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "says"), SPOILT, ids=[repr(case[0])[:20] for case in SPOILT])
def test_what_is_not_json_is_said_with_its_line_its_column_and_the_spot(text: str, says: str) -> None:
    with pytest.raises(json.JSONDecodeError) as stopped:
        json.loads(text)
    said = not_json(text, stopped.value.pos, stopped.value.msg)
    assert said.startswith("is not JSON")
    assert says in said
