"""Typed reading: every situation of the fixtures, and what is missing or odd."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from sayso.whatsapp.updates import (
    GraphError,
    Identity,
    InboundMessage,
    OtherUpdate,
    StatusUpdate,
    UnreadableUpdateError,
    explode,
    read,
)

FIXTURES = Path(__file__).parents[1] / "fixtures" / "meta" / "in"
NUMBER, ACCOUNT = "400000000000001", "200000000000001"
ANA = Identity(bsuid="US.84930011223344556677", wa_id="15550001111", name="Ana Q.")
NAMELESS = Identity(bsuid="US.84930011223344556677", wa_id="15550001111")
SENT_AT = datetime(2026, 11, 18, 11, 6, 41, tzinfo=UTC)
CHANGED_AT = datetime(2026, 11, 18, 11, 6, 42, tzinfo=UTC)


def read_first(name: str) -> InboundMessage | StatusUpdate | OtherUpdate:
    update = explode((FIXTURES / f"{name}.json").read_bytes())[0]
    return read(update.kind, update.item, update.context)


def message(wamid: str, kind: str, **other: Any) -> InboundMessage:
    plain: dict[str, Any] = {
        "wamid": wamid,
        "phone_number_id": NUMBER,
        "waba_id": ACCOUNT,
        "person": ANA,
        "sent_at": SENT_AT,
        "type": kind,
        "text": None,
        "payload": None,
        "quoted_wamid": None,
        "forwarded": False,
        "group_id": None,
        "reaction": None,
        "system": None,
        "errors": (),
    }
    return InboundMessage(**(plain | other))


def yes(number: int, **other: Any) -> InboundMessage:
    return message(f"wamid.IN{number}", "text", text="Y", **other)


SYSTEM = {
    "type": "user_changed_number",
    "body": "User Ana changed from 15550001111 to 15550003333",
    "wa_id": "15550003333",
}
MESSAGES = {
    "text": yes(1),
    "text_with_accents_and_emoji": message(
        "wamid.IN2",
        "text",
        text="Sí, válido 👍 <a/b> 50%",
        person=Identity(bsuid=ANA.bsuid, wa_id=ANA.wa_id, name="Zoë 山田"),
    ),
    "text_quoting_ours": message("wamid.IN3", "text", text="yes please", quoted_wamid="wamid.OUT1"),
    "text_forwarded": yes(4, forwarded=True),
    "text_frequently_forwarded": yes(5, forwarded=True),
    "text_from_username_without_phone": yes(
        6, person=Identity(bsuid=ANA.bsuid, name="Ana Q.", username="anaq")
    ),
    "text_with_parent_user_id": yes(
        7,
        person=Identity(
            bsuid=ANA.bsuid, parent_bsuid="US.ENT.1122334455667788", wa_id=ANA.wa_id, name="Ana Q."
        ),
    ),
    "text_from_phone_only": yes(8, person=Identity(wa_id=ANA.wa_id, name="Ana Q.")),
    "text_without_profile": yes(9, person=NAMELESS),
    "text_user_id_in_contact_only": yes(10),
    "text_in_group": yes(11, group_id="120363000000000001"),
    "text_from_ad": message("wamid.IN12", "text", text="Hello", referred=True),
    "text_with_time_in_milliseconds": yes(13),
    "text_with_time_as_number": yes(14),
    "template_quick_reply": message(
        "wamid.IN20", "button", text="Yes", payload="cf:7f3a:yes", quoted_wamid="wamid.OUT1"
    ),
    "template_quick_reply_without_context": message(
        "wamid.IN21", "button", text="Yes", payload="cf:7f3a:yes"
    ),
    "button_reply": message(
        "wamid.IN22", "interactive", text="No", payload="cf:7f3a:no", quoted_wamid="wamid.OUT1"
    ),
    "list_reply": message(
        "wamid.IN23", "interactive", text="17:00", payload="slot:1700", quoted_wamid="wamid.OUT1"
    ),
    "flow_reply": message("wamid.IN24", "interactive", quoted_wamid="wamid.OUT1"),
    "call_permission_reply": message("wamid.IN25", "interactive", quoted_wamid="wamid.OUT1"),
    "interactive_without_content": message("wamid.IN26", "interactive"),
    "reaction": message("wamid.IN30", "reaction", reaction=("wamid.OUT1", "👍")),
    "reaction_taken_back": message("wamid.IN31", "reaction", reaction=("wamid.OUT1", "")),
    "image": message("wamid.IN32", "image"),
    "video": message("wamid.IN33", "video"),
    "document": message("wamid.IN34", "document"),
    "voice_note": message("wamid.IN35", "audio"),
    "voice_legacy": message("wamid.IN36", "voice"),
    "sticker": message("wamid.IN37", "sticker"),
    "location": message("wamid.IN38", "location"),
    "contacts": message("wamid.IN39", "contacts"),
    "order": message("wamid.IN40", "order"),
    "number_changed": message(
        "wamid.IN41",
        "system",
        person=NAMELESS,
        system=SYSTEM | {"user_id": "US.99990011223344556677", "previous_user_id": ANA.bsuid},
    ),
    "number_changed_before_user_ids": message(
        "wamid.IN42", "system", person=Identity(wa_id=ANA.wa_id), system=SYSTEM
    ),
    "user_id_changed": message(
        "wamid.IN43",
        "system",
        person=Identity(bsuid=ANA.bsuid),
        system={
            "type": "user_changed_user_id",
            "body": "User Ana changed",
            "user_id": "US.99990011223344556677",
            "previous_user_id": ANA.bsuid,
        },
    ),
    "identity_changed": message(
        "wamid.IN44",
        "system",
        system={"type": "customer_identity_changed", "body": "Ana's security code changed"},
    ),
    "unsupported": message(
        "wamid.IN45",
        "unsupported",
        errors=(GraphError(131051, "Message type unknown", "Message type is currently not supported."),),
    ),
    "edit": message("wamid.IN46", "edit"),
    "revoke": message("wamid.IN47", "revoke"),
    "type_of_tomorrow": message("wamid.IN48", "hologram"),
    "request_welcome": message("wamid.IN49", "request_welcome"),
}


@pytest.mark.parametrize(("name", "expected"), MESSAGES.items(), ids=MESSAGES)
def test_message_of_each_situation(name: str, expected: InboundMessage) -> None:
    assert read_first(name) == expected


PRICING = {"billable": True, "pricing_model": "PMP", "type": "regular", "category": "utility"}
WINDOW = GraphError(
    131047,
    "Re-engagement message",
    "Message failed to send because more than 24 hours have passed since the customer last replied to this"
    " number.",
)


def status(number: int, word: str, **other: Any) -> StatusUpdate:
    plain: dict[str, Any] = {
        "wamid": f"wamid.OUT{number}",
        "phone_number_id": NUMBER,
        "status": word,
        "at": CHANGED_AT,
        "recipient": ANA,
        "callback": "m:7f3a",
        "errors": (),
        "pricing": None,
    }
    return StatusUpdate(**(plain | other))


STATUSES = {
    "status_sent": status(1, "sent", pricing=PRICING),
    "status_sent_webhook_v23": status(2, "sent", pricing=PRICING | {"pricing_model": "CBP"}),
    "status_delivered": status(1, "delivered", pricing=PRICING),
    "status_read": status(1, "read"),
    "status_played": status(1, "played"),
    "status_sent_to_user_id": status(
        3, "sent", recipient=Identity(bsuid=ANA.bsuid, name="Ana Q.", username="anaq")
    ),
    "status_failed_window_closed": status(4, "failed", recipient=Identity(wa_id=ANA.wa_id), errors=(WINDOW,)),
    "status_failed_undeliverable": status(
        5, "failed", errors=(GraphError(131026, "Message undeliverable", "Message Undeliverable."),)
    ),
    "status_without_callback": status(6, "delivered", callback=None),
    "status_deleted_legacy": status(7, "deleted"),
    "status_warning_legacy": status(8, "warning"),
    "status_of_tomorrow": status(9, "teleported"),
    "statuses_of_group": status(10, "delivered", recipient=NAMELESS),
}


@pytest.mark.parametrize(("name", "expected"), STATUSES.items(), ids=STATUSES)
def test_status_of_each_situation(name: str, expected: StatusUpdate) -> None:
    assert read_first(name) == expected


OTHERS = {
    "account_error": ("error", NUMBER),
    "marketing_stopped": ("user_preferences", NUMBER),
    "marketing_resumed": ("user_preferences", NUMBER),
    "number_throughput_upgraded": ("phone_number_quality_update", ""),
    "business_capability": ("business_capability_update", ""),
    "number_name_approved": ("phone_number_name_update", ""),
    "account_restricted": ("account_update", ""),
    "account_violation": ("account_update", ""),
    "account_to_be_disabled": ("account_update", ""),
    "account_reviewed": ("account_review_update", ""),
    "account_alert": ("account_alerts", ""),
    "account_alert_nested": ("account_alerts", ""),
    "pin_changed": ("security", ""),
    "business_username_approved": ("business_username_updates", ""),
    "template_rejected": ("message_template_status_update", ""),
    "template_paused": ("message_template_status_update", ""),
    "template_quality": ("message_template_quality_update", ""),
    "template_components": ("message_template_components_update", ""),
    "template_category_changed": ("template_category_update", ""),
    "echo_from_the_business_app": ("smb_message_echoes", NUMBER),
    "field_of_tomorrow": ("hologram_update", ""),
    "value_with_nothing_known": ("messages", NUMBER),
}


@pytest.mark.parametrize(("name", "expected"), OTHERS.items(), ids=OTHERS)
def test_other_updates_keep_their_value(name: str, expected: tuple[str, str]) -> None:
    entry = json.loads((FIXTURES / f"{name}.json").read_bytes())["entry"][0]
    change = entry["changes"][0]["value"]
    for part in ("errors", "user_preferences"):
        change = change[part][0] if part in change else change
    at = datetime.fromtimestamp(entry["time"], UTC) if "time" in entry else None
    assert read_first(name) == OtherUpdate(*expected, value=change, waba_id=entry["id"], at=at)


def test_every_fixture_is_read_by_some_test() -> None:
    batches = {"batch_of_two_accounts", "batch_with_odd_ones", "empty"}
    assert {path.stem for path in FIXTURES.glob("*.json")} == batches | {*MESSAGES, *STATUSES, *OTHERS}


CONTEXT = b'{"waba_id":"2","metadata":{"phone_number_id":"4"}}'


@pytest.mark.parametrize(
    ("kind", "item", "reason"),
    [
        ("message", b'{"from":"1"}', "a message without id"),
        ("message", b'{"id":"","from":"1"}', "a message without id"),
        ("message", b'{"id":["wamid.1"],"from":"1"}', "a message without id"),
        ("message", b'{"id":"wamid.1"}', "a message without a sender"),
        ("message", b'{"id":"wamid.1","from":"","from_user_id":null}', "a message without a sender"),
        ("message", b"[]", "a message that is not an object"),
        ("message", b"{", "not JSON"),
        ("message", b'{"a":' * 70 + b"1" + b"}" * 70, "nested deeper than 64"),
        ("status", b'{"status":"sent"}', "a status without id"),
        ("status", b'{"id":"wamid.1"}', "a status without status"),
        ("status", b'"sent"', "a status that is not an object"),
        ("malformed", b"5", "not in the shape of a webhook"),
    ],
)
def test_item_without_its_required_parts_is_unreadable(kind: str, item: bytes, reason: str) -> None:
    with pytest.raises(UnreadableUpdateError) as raised:
        read(kind, item, CONTEXT)
    assert raised.value.reason == reason
    assert str(raised.value) == reason


def test_texts_are_safe_for_postgresql_and_bytes_untouched() -> None:
    item = rb'{"id":"wamid.1","from":"1","type":"text","text":{"body":"a\u0000b\ud83d c\ude00"}}'
    seen = read("message", item, CONTEXT)
    assert isinstance(seen, InboundMessage)
    assert seen.text == "a\ufffdb\ufffd c\ufffd"


def test_whole_pairs_of_surrogates_stay() -> None:
    item = rb'{"id":"wamid.1","from":"1","type":"text","text":{"body":"\ud83d\ude00 \ud83d"}}'
    seen = read("message", item, CONTEXT)
    assert isinstance(seen, InboundMessage)
    assert seen.text == "😀 \ufffd"


@pytest.mark.parametrize(
    ("timestamp", "expected"),
    [
        ('"1795000001"', SENT_AT),
        ("1795000001", SENT_AT),
        ('"1795000001000"', SENT_AT),
        ("1795000001000", SENT_AT),
        ("1795000001.0", SENT_AT),
        ('"0"', None),
        ('"-5"', None),
        ('""', None),
        ('"soon"', None),
        ('"١٧٩٥"', None),
        ("null", None),
        ("true", None),
        ("[]", None),
        ("1e300", None),
        ("9" * 30, None),
        ('"' + "9" * 16 + '"', None),
    ],
)
def test_time_in_every_form(timestamp: str, expected: datetime | None) -> None:
    seen = read("status", f'{{"id":"1","status":"sent","timestamp":{timestamp}}}'.encode(), CONTEXT)
    assert isinstance(seen, StatusUpdate)
    assert seen.at == expected


@pytest.mark.parametrize("context", [b"{}", b"", b"[]", b"null", b'{"metadata":7,"contact":[]}'])
def test_bare_context_leaves_the_rest_readable(context: bytes) -> None:
    if context == b"":
        with pytest.raises(UnreadableUpdateError):
            read("message", b'{"id":"wamid.1","from":"1"}', context)
        return
    seen = read("message", b'{"id":"wamid.1","from":"1"}', context)
    assert isinstance(seen, InboundMessage)
    assert (seen.phone_number_id, seen.waba_id, seen.person) == ("", "", Identity(wa_id="1"))


def test_status_is_lower_case_whatever_meta_writes() -> None:
    seen = read("status", b'{"id":"1","status":"READ"}', CONTEXT)
    assert isinstance(seen, StatusUpdate)
    assert seen.status == "read"
