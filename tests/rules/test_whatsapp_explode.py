"""Exploding webhooks: each update once and by itself, under the same key in whatever batch it comes."""

import json
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sayso.whatsapp.explode import (
    MAX_UPDATES,
    RawUpdate,
    _odd_envelope,
    explode,
    explode_strictly,
)
from sayso.whatsapp.tolerant import Budget
from sayso.whatsapp.updates import UnreadableUpdateError, read

FIXTURES = sorted((Path(__file__).parents[1] / "fixtures" / "meta" / "in").glob("*.json"))
NAMES = [path.stem for path in FIXTURES]
ANA, BO = "US.84930011223344556677", "US.11110011223344556677"
OUR_KINDS = {"message", "status", "error", "malformed"}

Json = dict[str, Any]


def fixture(name: str) -> bytes:
    return next(path for path in FIXTURES if path.stem == name).read_bytes()


def envelope(value: object, field: object = "messages", **entry: object) -> bytes:
    change = {"value": value, "field": field}
    return json.dumps(
        {"object": "whatsapp_business_account", "entry": [{"id": "2", **entry, "changes": [change]}]}
    ).encode()


def told(updates: list[RawUpdate]) -> list[tuple[str, str, str]]:
    """Shorten digests, which say nothing to a reader."""
    return [
        (key.split(":")[0] if len(key) > 64 else key, number, who)
        for key, _, number, who in map(four, updates)
    ]


def four(update: RawUpdate) -> tuple[str, str, str, str]:
    return update.key, update.kind, update.phone_number_id, update.person_key


def check(update: RawUpdate) -> None:
    """Assert what every update promises, and that reading it ends in one of two ways."""
    for text in four(update):
        assert text.isascii()
        assert text.isprintable()
        assert len(text) <= 700
    assert update.key
    assert update.kind
    json.loads(update.context.decode("utf-8", "replace"), strict=False)
    with suppress(UnreadableUpdateError):
        encodable(read(update.kind, update.item, update.context))


def encodable(value: object) -> None:
    """Assert that PostgreSQL could hold every text of it."""
    text = repr(value)
    text.encode()
    assert "\\x00" not in text
    assert "\\ud8" not in text.lower()


def test_batch_explodes_into_every_update_with_its_person() -> None:
    updates = explode_strictly(fixture("batch_of_two_accounts"))
    assert told(updates) == [
        ("m:wamid.IN60", "400000000000001", ANA),
        ("m:wamid.IN61", "400000000000001", BO),
        ("s:wamid.OUT60:read", "400000000000001", ANA),
        ("s:wamid.OUT61:failed", "400000000000001", BO),  # by the contact: a failed status has no user id
        ("s:wamid.OUT62:sent", "400000000000002", ANA),
        ("account_review_update", "", ""),
    ]
    assert json.loads(updates[1].context) == {
        "waba_id": "200000000000001",
        "time": None,
        "field": "messages",
        "metadata": {"display_phone_number": "15550009999", "phone_number_id": "400000000000001"},
        "contact": {"profile": {"name": "Bo"}, "wa_id": "15550002222", "user_id": BO},
    }
    assert json.loads(updates[-1].context)["waba_id"] == "200000000000002"


def test_odd_ones_cost_the_others_nothing() -> None:
    kinds = [update.kind for update in explode_strictly(fixture("batch_with_odd_ones"))]
    assert kinds == [*["malformed"] * 6, "message", "malformed", "message", "message", *["malformed"] * 2]


@pytest.mark.parametrize(
    ("name", "key", "person"),
    [
        ("text_from_phone_only", "m:wamid.IN8", "15550001111"),
        ("text_from_username_without_phone", "m:wamid.IN6", ANA),
        ("text_user_id_in_contact_only", "m:wamid.IN10", ANA),
        ("number_changed", "m:wamid.IN41", ANA),
        ("number_changed_before_user_ids", "m:wamid.IN42", "15550001111"),
        ("user_id_changed", "m:wamid.IN43", ANA),
        ("status_failed_window_closed", "s:wamid.OUT4:failed", "15550001111"),
        ("status_sent_to_user_id", "s:wamid.OUT3:sent", ANA),
        ("status_of_tomorrow", "s:wamid.OUT9:teleported", ANA),
        ("statuses_of_group", f"s:wamid.OUT10:delivered:{ANA}", ANA),
    ],
)
def test_key_and_person_of_each_situation(name: str, key: str, person: str) -> None:
    update = explode_strictly(fixture(name))[0]
    assert (update.key, update.person_key) == (key, person)


@pytest.mark.parametrize("name", NAMES)
def test_item_bytes_are_exactly_those_received(name: str) -> None:
    body = fixture(name)
    for update in explode_strictly(body):
        assert update.item in body
        check(update)


@pytest.mark.parametrize("name", NAMES)
def test_white_space_and_member_order_do_not_change_keys(name: str) -> None:
    if name == "batch_with_odd_ones":
        pytest.skip("what is malformed is known by its bytes alone")
    body = fixture(name)
    again = json.dumps(backwards(json.loads(body)), separators=(",", ":"), ensure_ascii=False).encode()
    assert [four(update) for update in explode_strictly(again)] == [
        four(update) for update in explode_strictly(body)
    ]


def backwards(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: backwards(value[key]) for key in reversed(list(value))}
    return [backwards(each) for each in value] if isinstance(value, list) else value


@pytest.mark.parametrize("name", NAMES)
def test_slow_way_finds_what_the_fast_way_finds(name: str) -> None:
    body = fixture(name)
    assert list(_odd_envelope(body, Budget())) == explode_strictly(body)


@pytest.mark.parametrize(
    "body",
    [b'{"object":"whatsapp_business_account","entry":[]}', b"{}", b'{"object":"whatsapp_business_account"}'],
)
def test_empty_envelope_is_empty(body: bytes) -> None:
    assert explode_strictly(body) == []


def test_same_error_in_two_accounts_is_two_updates() -> None:
    value = {"metadata": {"phone_number_id": "4"}, "errors": [{"code": 1}]}
    first, second = explode_strictly(envelope(value, time=1)), explode_strictly(envelope(value, time=2))
    assert first[0].key != second[0].key
    assert first[0].key == explode_strictly(envelope(value, time=1))[0].key


def test_preference_is_the_same_in_another_envelope() -> None:
    item = {"wa_id": "15550001111", "category": "marketing_messages", "value": "stop", "timestamp": 1}
    one, two = (
        explode_strictly(envelope({"user_preferences": [item]}, "user_preferences", time=time))[0]
        for time in (1, 2)
    )
    assert one.key == two.key
    assert one.person_key == "15550001111"


def test_another_products_webhook_is_kept_and_not_read_as_ours() -> None:
    body = fixture("text").replace(b"whatsapp_business_account", b"instagram")
    (update,) = explode_strictly(body)
    assert (update.kind, update.item, update.phone_number_id) == ("instagram", body, "")


@pytest.mark.parametrize(
    "field", ["message", "status", "error", "malformed", "Odd Field", "é\x00", "x" * 500]
)
def test_field_name_never_passes_for_one_of_our_kinds(field: str) -> None:
    (update,) = explode_strictly(envelope({"a": 1}, field))
    assert update.kind not in OUR_KINDS
    check(update)


def test_contact_of_another_person_is_not_taken() -> None:
    value = {
        "contacts": [{"wa_id": "15550001111", "user_id": BO, "profile": {"name": "Bo"}}],
        "messages": [{"id": "wamid.1", "from": "15550001111", "from_user_id": ANA}],
    }
    (update,) = explode_strictly(envelope(value))
    assert update.person_key == ANA
    assert "contact" not in json.loads(update.context)


def test_lone_contact_belongs_to_the_lone_message() -> None:
    value = {"contacts": [{"user_id": ANA}], "messages": [{"id": "wamid.1", "from": "15550001111"}]}
    assert explode_strictly(envelope(value))[0].person_key == ANA
    value["messages"].append({"id": "wamid.2", "from": "15550002222"})
    assert [update.person_key for update in explode_strictly(envelope(value))] == [
        "15550001111",
        "15550002222",
    ]


def test_ids_that_an_index_cannot_hold_become_digests() -> None:
    long = "wamid." + "A" * 5_000
    value = {"messages": [{"id": long, "from": "1" * 5_000}, {"id": "wamid.\x00é", "from": "\x00"}]}
    updates = explode_strictly(envelope(value))
    for update in updates:
        check(update)
    assert len({update.key for update in updates}) == 2
    assert updates == explode_strictly(envelope(value))


def test_large_contact_is_not_multiplied() -> None:
    contact = {"wa_id": "15550001111", "user_id": ANA, "profile": {"name": "x" * 100_000}}
    messages = [{"id": f"wamid.{n}", "from": "15550001111"} for n in range(1_000)]
    updates = explode_strictly(envelope({"contacts": [contact], "messages": messages}))
    assert sum(len(update.context) for update in updates) < 500_000
    assert {update.person_key for update in updates} == {ANA}


@pytest.mark.parametrize("place", [{"id": "x" * 100_000}, {"time": "x" * 100_000}, {}])
def test_nothing_around_the_items_is_multiplied(place: Json) -> None:
    value: Json = {"messages": [{"id": f"wamid.{n}", "from": "1"} for n in range(1_000)]}
    if not place:
        value["metadata"] = {"phone_number_id": "4", "more": "x" * 100_000}
    updates = explode_strictly(envelope(value, **place))
    assert sum(len(update.context) for update in updates) < 500_000


def test_group_is_never_taken_for_a_person() -> None:
    item = {
        "id": "wamid.1",
        "status": "sent",
        "recipient_type": "group",
        "recipient_id": "120363000000000001",
    }
    (update,) = explode_strictly(envelope({"statuses": [item]}))
    assert (update.key, update.person_key) == ("s:wamid.1:sent", "")


def test_more_updates_than_meta_ever_sends_are_one_malformed_body() -> None:
    messages = [{"id": f"wamid.{n}", "from": "1"} for n in range(MAX_UPDATES + 1)]
    body = envelope({"messages": messages})
    (update,) = explode_strictly(body)
    assert (update.kind, update.item) == ("malformed", body)
    assert len(explode_strictly(envelope({"messages": messages[1:]}))) == MAX_UPDATES


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


PEOPLE = [("15550001111", ANA), ("15550002222", BO), ("15550003333", ""), ("", "US.33330011223344556677")]


@st.composite
def items(draw: st.DrawFn) -> tuple[str, str, Json]:
    """Draw (our number, list name, item)."""
    phone, user = draw(st.sampled_from(PEOPLE))
    number = draw(st.sampled_from(["400000000000001", "400000000000002"]))
    wamid = f"wamid.{draw(st.integers(0, 30))}"
    if draw(st.booleans()):
        item = {"id": wamid, "from": phone, "from_user_id": user, "type": "text", "text": {"body": "Y"}}
        return number, "messages", {key: part for key, part in item.items() if part}
    status = draw(st.sampled_from(["sent", "delivered", "read", "failed"]))
    item = {"id": wamid, "status": status, "recipient_id": phone, "recipient_user_id": user}
    return number, "statuses", {key: part for key, part in item.items() if part}


@given(st.lists(items(), max_size=30), st.data())
def test_keys_do_not_depend_on_batching_or_order(
    drawn: list[tuple[str, str, Json]], data: st.DataObject
) -> None:
    singly = {
        (update.key, update.person_key)
        for number, name, item in drawn
        for update in explode_strictly(envelope({"metadata": {"phone_number_id": number}, name: [item]}))
    }
    shuffled = data.draw(st.permutations(drawn))
    batched = set()
    while shuffled:
        size = data.draw(st.integers(1, len(shuffled)))
        batched |= {
            (update.key, update.person_key) for update in explode_strictly(batch(shuffled[:size], data))
        }
        shuffled = shuffled[size:]
    assert batched == singly


def batch(drawn: list[tuple[str, str, Json]], data: st.DataObject) -> bytes:
    """Put the items into one envelope: a change for each number, contacts in any order."""
    changes = []
    for number in sorted({number for number, _, _ in drawn}):
        people = data.draw(st.permutations(PEOPLE))
        contacts = [{"wa_id": phone, "user_id": user} for phone, user in people if phone and user]
        value: Json = {"metadata": {"phone_number_id": number}, "contacts": contacts}
        for _, name, item in (each for each in drawn if each[0] == number):
            value.setdefault(name, []).append(item)
        changes.append({"field": "messages", "value": value})
    body = {"object": "whatsapp_business_account", "entry": [{"id": "2", "changes": changes}]}
    return json.dumps(body).encode()
