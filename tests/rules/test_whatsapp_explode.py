"""Exploding webhooks: each update once and by itself, under the same key in whatever batch it comes."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.webhooks import ANA, BO, NAMES, OUR_KINDS, Json, check, envelope, fixture, four, told
from sayso.whatsapp.explode import MAX_UPDATES, _odd_envelope, explode_strictly
from sayso.whatsapp.tolerant import Budget


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


def test_contact_is_found_by_either_id() -> None:
    contacts = [{"wa_id": "15550001111", "user_id": ANA}, {"wa_id": "15550002222", "user_id": BO}]
    messages = [{"id": "wamid.1", "from_user_id": BO}, {"id": "wamid.2", "from": "15550001111"}]
    updates = explode_strictly(envelope({"contacts": contacts, "messages": messages}))
    assert [json.loads(update.context)["contact"]["user_id"] for update in updates] == [BO, ANA]
    assert [update.person_key for update in updates] == [BO, ANA]


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
