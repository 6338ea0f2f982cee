"""Tolerant reading: what strict parsers refuse is cut into its parts, or read with what can be kept."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sayso.whatsapp.tolerant import MAX_DEPTH, Budget, UnloadableError, elements, load, members


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        (b'{"a":[1,-2.5,true,null,"x"]}', {"a": [1, -2.5, True, None, "x"]}),
        (b"[NaN,Infinity,-Infinity]", [None, None, None]),
        (b"[1e999,-1e999,1e3]", [None, None, 1000.0]),
        (b"9" * 5_000, "9" * 5_000),
        (b"-" + b"9" * 4_300, "-" + "9" * 4_300),
        (b"[NaN," + b"9" * 100 + b"]", [None, int("9" * 100)]),
        (rb'"a\u0000b"', "a\ufffdb"),
        (b'"a\x00b"', "a\ufffdb"),
        (b'"a\nb\tc"', "a\nb\tc"),
        (rb'"\ud800"', "\ufffd"),
        (rb'"\ude00\ud83d"', "\ufffd\ufffd"),
        (rb'"\ud83d\ude00"', "😀"),
        (rb'{"a\u0000":"\ud800","b":[{"c":"\u0000"}]}', {"a\ufffd": "\ufffd", "b": [{"c": "\ufffd"}]}),
        (b'"\xff"', "\ufffd"),
        (b'"\xed\xa0\x80"', "\ufffd\ufffd\ufffd"),
        (b'{"a":1,"a":2}', {"a": 2}),
        (b'{"a":NaN,"a":2}', {"a": 2}),
        (b" 1 ", 1),
        (b"[" * MAX_DEPTH + b"]" * MAX_DEPTH, json.loads("[" * MAX_DEPTH + "]" * MAX_DEPTH)),
        (b'"' + b"[" * 1_000 + b'"', "[" * 1_000),
        (b"[" + b"{}," * 1_000 + b"{}]", [{}] * 1_001),
    ],
)
def test_what_can_be_kept_is_kept(raw: bytes, value: Any) -> None:
    assert load(raw) == value


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b"hello",
        b"[1,]",
        b'{"a" 1}',
        b"\xff",
        b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1),
        b'{"a":' * (MAX_DEPTH + 1) + b"1" + b"}" * (MAX_DEPTH + 1),
        b"[" * 100_000,
        b'"\\' * 1_000,
    ],
)
def test_what_cannot_be_read_says_so(raw: bytes) -> None:
    with pytest.raises(UnloadableError):
        load(raw)


@pytest.mark.parametrize(
    ("raw", "parts"),
    [
        (b"[]", []),
        (b" [ ] ", []),
        (b"[1]", [b"1"]),
        (b"[1 , 2\n]", [b"1", b"2"]),
        (b"[1,,2]", [b"1", b"", b"2"]),
        (b'["a,b","c]d","e\\"f"]', [b'"a,b"', b'"c]d"', b'"e\\"f"']),
        (b'[{"a":[1,2]},[3,4],NaN]', [b'{"a":[1,2]}', b"[3,4]", b"NaN"]),
        (b"[" * 3_000 + b"]" * 3_000, [b"[" * 2_999 + b"]" * 2_999]),
        (b'["\xff",\xfe]', [b'"\xff"', b"\xfe"]),
        (b"[1}", None),
        (b"[1][2]", None),
        (b"[1", None),
        (b"1]", None),
        (b'["a]', None),
        (b"[[1]", None),
        (b"{}", None),
        (b"", None),
        (b"[", None),
    ],
)
def test_array_is_cut_into_exact_bytes(raw: bytes, parts: list[bytes] | None) -> None:
    assert elements(raw, Budget()) == parts


@pytest.mark.parametrize(
    ("raw", "parts"),
    [
        (b"{}", {}),
        (b'{"a":1}', {"a": b"1"}),
        (b'{ "a" : NaN , "b" : {"c":[1,2]} }', {"a": b"NaN", "b": b'{"c":[1,2]}'}),
        (b'{"a":1,"a":2}', {"a": b"2"}),
        (b'{"a:b":"c:d","e,f":1}', {"a:b": b'"c:d"', "e,f": b"1"}),
        (rb'{"\u0061\ud800":1}', {"a\ufffd": b"1"}),
        (b'{"a":}', {"a": b""}),
        (b'{"a"}', None),
        (b"{1:2}", None),
        (b'{"a":1,}', None),
        (b"[]", None),
    ],
)
def test_object_is_cut_into_exact_bytes(raw: bytes, parts: dict[str, bytes] | None) -> None:
    assert members(raw, Budget()) == parts


def test_work_is_bounded_and_the_bound_is_shared() -> None:
    budget = Budget(10)
    assert elements(b"[1,2,3]", budget) is not None
    assert elements(b"[1,2,3,4,5,6,7,8]", budget) is None
    assert elements(b"[1,2,3]", budget) is None


ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=20,
)


@given(st.lists(ANY_JSON), st.sampled_from([None, 1]))
def test_cutting_and_joining_is_the_same_array(values: list[Any], indent: int | None) -> None:
    raw = json.dumps(values, indent=indent).encode()
    parts = elements(raw, Budget())
    assert parts is not None
    assert [json.loads(part) for part in parts] == values


@given(st.dictionaries(st.text(), ANY_JSON), st.sampled_from([None, 1]))
def test_cutting_and_joining_is_the_same_object(value: dict[str, Any], indent: int | None) -> None:
    parts = members(json.dumps(value, indent=indent).encode(), Budget())
    assert parts is not None
    expected = {name.replace("\x00", "\ufffd"): part for name, part in value.items()}
    assert {name: json.loads(part) for name, part in parts.items()} == expected


@given(st.binary(max_size=100))
def test_any_bytes_are_read_or_refused(raw: bytes) -> None:
    elements(raw, Budget())
    members(raw, Budget())
    try:
        value = load(raw)
    except UnloadableError:
        return
    repr(value).encode()
