"""Exploding hostile webhooks: nothing raises, and one odd part never costs the others."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.webhooks import NAMES, check, envelope, fixture
from sayso.whatsapp.explode import RawUpdate, _odd_envelope, explode, explode_strictly
from sayso.whatsapp.tolerant import Budget

GOOD = '{"id":"wamid.GOOD","from":"15550001111","type":"text","text":{"body":"Y"}}'
ODD_ITEMS = {
    "nan": '{"id":"wamid.1","from":"1","n":NaN}',
    "infinity": '{"id":"wamid.1","from":"1","n":-Infinity}',
    "huge_integer": '{"id":"wamid.1","from":"1","n":' + "9" * 5_000 + "}",
    "huge_exponent": '{"id":"wamid.1","from":"1","n":1e999999}',
    "deep": '{"id":"wamid.1","from":"1","n":' + "[" * 2_000 + "]" * 2_000 + "}",
    "deep_objects": '{"a":' * 2_000 + "1" + "}" * 2_000,
    "lone_surrogate": r'{"id":"wamid.1","from":"1","text":{"body":"a\ud800b"}}',
    "lone_surrogate_in_id": r'{"id":"wamid.\ud800","from":"1"}',
    "nul": r'{"id":"wamid.1","from":"1\u0000","type":"text","text":{"body":"a\u0000b"}}',
    "control_character": '{"id":"wamid.1","from":"1","text":{"body":"a\x01b\n"}}',
    "duplicate_keys": '{"id":"wamid.1","id":"wamid.2","from":"1","from":"2"}',
    "bare_word": '{"id":"wamid.1","from":"1","n":yes}',
    "missing_colon": '{"id" "wamid.1"}',
    "mismatched_brackets": '{"id":"wamid.1","n":[1}}',
    "escaped_quotes": r'{"id":"wamid.1","from":"1","text":{"body":"\"]},[{\\"},"n":NaN}',
    "null": "null",
    "number": "12345678901234567890",
    "text": '"text"',
    "array": "[1,[2]]",
    "empty": "{}",
    "wrong_types": '{"id":5,"from":[],"from_user_id":{},"system":7,"timestamp":true,"context":[],"text":[]}',
}


@pytest.mark.parametrize("odd", ODD_ITEMS.values(), ids=ODD_ITEMS.keys())
@pytest.mark.parametrize("where", ["messages", "statuses", "errors", "contacts"])
def test_odd_item_costs_its_neighbours_nothing(odd: str, where: str) -> None:
    lists = {"messages": [GOOD, GOOD.replace("GOOD", "ALSO")]}
    lists.setdefault(where, []).insert(1, odd)
    value = "{" + ",".join(f'"{name}":[{",".join(items)}]' for name, items in lists.items()) + "}"
    body = envelope("VALUE").replace(b'"VALUE"', value.encode())
    updates = explode_strictly(body)
    keys = [update.key for update in updates]
    assert "m:wamid.GOOD" in keys
    assert "m:wamid.ALSO" in keys
    assert len(keys) == (2 if where == "contacts" else 3)
    for update in updates:
        check(update)
        assert update.item in body


def test_invalid_utf8_stays_in_its_item() -> None:
    body = envelope({"messages": [json.loads(GOOD), {"id": "wamid.1", "from": "1", "name": "NAME"}]})
    updates = explode_strictly(body.replace(b"NAME", b"\xff\xfe\xc0"))
    assert [update.key for update in updates] == ["m:wamid.GOOD", "m:wamid.1"]
    assert b"\xff\xfe\xc0" in updates[1].item
    for update in updates:
        check(update)


MEBI = 1024 * 1024
HOSTILE = {
    "nothing": b"",
    "not_json": b"hello",
    "truncated": fixture("text")[:-40],
    "trailing": fixture("text") + b"}",
    "utf16": fixture("text").decode().encode("utf-16"),
    "utf16_without_mark": fixture("text").decode().encode("utf-16-le"),
    "array": b"[]",
    "number": b"7",
    "null": b"null",
    "nan": b"NaN",
    "invalid_utf8": b"\xff\xfe\xfd",
    "open_brackets": b"[" * 3 * MEBI,
    "open_objects": b'{"a":' * (MEBI // 2),
    "closed_pairs": b"[" * MEBI + b"]" * MEBI,
    "digits": b"9" * 3 * MEBI,
    "quotes": b'"' * 3 * MEBI,
    "backslashes": b'"' + b"\\" * 3 * MEBI,
    "no_entry": b'{"object":"whatsapp_business_account","a":1}',
    "entry_is_text": b'{"object":"whatsapp_business_account","entry":"x"}',
    "deep_entry": b'{"entry":' + b"[" * MEBI + b"]" * MEBI + b"}",
    "many_numbers": b'{"entry":[{"changes":[{"field":"messages","value":{"messages":['
    + b"0," * MEBI
    + b"0]}}]}]}",
    "many_odd_objects": b'{"entry":[{"changes":[{"field":"messages","value":{"messages":['
    + b'{"a":NaN},' * (MEBI // 5)
    + b"0]}}]}]}",
}


@pytest.mark.parametrize("body", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_body_is_one_malformed_update_with_its_bytes(body: bytes) -> None:
    (update,) = explode_strictly(body)
    assert update.kind == "malformed"
    assert update.item == body
    check(update)


def test_byte_order_mark_is_skipped() -> None:
    body = fixture("text")
    assert explode_strictly(b"\xef\xbb\xbf" + body) == explode_strictly(body)


def test_deep_value_of_an_unknown_field_is_kept_whole() -> None:
    deep = b"[" * 5_000 + b"]" * 5_000
    (update,) = explode_strictly(envelope("DEEP", "hologram").replace(b'"DEEP"', deep))
    assert (update.kind, update.item) == ("hologram", deep)
    check(update)


def test_a_defect_of_ours_still_keeps_the_body(monkeypatch: pytest.MonkeyPatch) -> None:
    def defect(_body: bytes) -> list[RawUpdate]:
        raise KeyError("planted")

    monkeypatch.setattr("sayso.whatsapp.explode.explode_strictly", defect)
    (update,) = explode(b'{"a":1}')
    assert (update.kind, update.item) == ("malformed", b'{"a":1}')


def paths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if path:
        yield path
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in pairs:
        yield from paths(inner, (*path, key))


STRANGE: tuple[Any, ...] = (None, True, 0, -1.5, 10**30, "", "x\x00\ud800", [], {}, [[{}]], {"id": {}})


@pytest.mark.parametrize("name", NAMES)
def test_dropping_renaming_or_retyping_any_part_never_raises(name: str) -> None:
    body = fixture(name)
    for path in list(paths(json.loads(body))):
        for changed in changes(json.loads(body), path):
            raw = json.dumps(changed).encode()
            updates = explode_strictly(raw)
            for update in updates:
                check(update)
            assert list(_odd_envelope(raw, Budget())) == updates


def changes(value: Any, path: tuple[Any, ...]) -> Iterator[Any]:
    parent = value
    for key in path[:-1]:
        parent = parent[key]
    last, old = path[-1], parent[path[-1]]
    for strange in STRANGE:
        parent[last] = strange
        yield value
    del parent[last]
    yield value
    if isinstance(parent, dict):
        parent["renamed"] = old
        yield value


ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=20,
)


@given(ANY_JSON)
def test_any_json_never_raises(value: object) -> None:
    for raw in (json.dumps(value).encode(), json.dumps(value, ensure_ascii=False).encode("utf-8", "replace")):
        for update in explode_strictly(raw):
            check(update)


@given(ANY_JSON, st.sampled_from(["messages", "user_preferences", "x"]))
def test_any_value_of_a_field_never_raises(value: object, field: str) -> None:
    for update in explode_strictly(envelope(value, field)):
        check(update)


@given(st.binary(max_size=200))
def test_any_bytes_never_raise(body: bytes) -> None:
    for update in explode_strictly(body):
        check(update)


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(NAMES), st.data())
def test_damaged_bodies_never_raise(name: str, data: st.DataObject) -> None:
    body = bytearray(fixture(name))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(body)))
        body[at : at + data.draw(st.integers(0, 3))] = data.draw(
            st.binary(max_size=3) | st.sampled_from([b'"', b"\\", b"[", b"}", b",", b"NaN"])
        )
    for update in explode_strictly(bytes(body)):
        check(update)
