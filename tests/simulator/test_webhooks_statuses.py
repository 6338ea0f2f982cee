"""The shape of statuses: prices, conversations, who is named how, failures (cloud-api.md 4.6, 4.7, 4.9, 7.3)."""

import dataclasses
import re
from typing import Any

import pytest

from sayso.simulator.config import SimulatorConfig
from sayso.simulator.errors import told_later
from sayso.simulator.webhooks.envelopes import contact, inbound_value, status_value
from sayso.simulator.world.clock import Clock
from sayso.simulator.world.content import Content
from sayso.simulator.world.messages import Message
from sayso.simulator.world.people import Person
from sayso.simulator.world.world import World

NOW = 1_795_000_000.0
NUMBER = "100000000000001"
USER_ID = "US.12345"
PRICING = {"billable": True, "pricing_model": "PMP", "type": "regular", "category": "utility"}
FREE = {"billable": False, "pricing_model": "PMP", "type": "free_entry_point", "category": "service"}


def world(**settings: Any) -> World:
    clock = Clock()
    clock.start_at(NOW, 0.0)
    return World(dataclasses.replace(SimulatorConfig(), **settings), clock)


def person(**more: Any) -> Person:
    return Person("15550001111", "Ana Q.", USER_ID, **more)


def message(**more: Any) -> Message:
    made = Message("wamid.OUT1", True, NUMBER, "15550001111", NOW, {"type": "text"}, Content("hi"), **more)
    made.pricing = more.get("pricing", PRICING)
    return made


BASE = {"id": "wamid.OUT1", "timestamp": "1795000000", "recipient_id": "15550001111"}
USER = {"recipient_user_id": USER_ID}
CONTACT = {"profile": {"name": "Ana Q."}, "wa_id": "15550001111", "user_id": USER_ID}


@pytest.mark.parametrize("status", ["sent", "delivered", "read", "played"])
@pytest.mark.parametrize("priced", [True, False])
def test_a_status_whole(status: str, priced: bool) -> None:
    found = status_value(world(), person(), message(), status, priced=priced)
    priced_part = {"pricing": PRICING} if priced else {}
    assert found == {"contacts": [CONTACT], "statuses": [{**BASE, **USER, "status": status, **priced_part}]}


def test_our_own_data_comes_back() -> None:
    found = status_value(world(), person(), message(callback_data="conf:7f3a"), "sent", priced=False)
    assert found["statuses"][0]["biz_opaque_callback_data"] == "conf:7f3a"


CONVERSATIONS = [
    ("v25.0", PRICING, "sent", None),
    ("v24.0", PRICING, "sent", None),
    ("v23.0", PRICING, "sent", {"expiration_timestamp": "1795086400", "origin": {"type": "utility"}}),
    ("v23.0", PRICING, "delivered", {"origin": {"type": "utility"}}),
    ("v19.0", PRICING, "read", {"origin": {"type": "utility"}}),
    (
        "v25.0",
        FREE,
        "sent",
        {"expiration_timestamp": "1795200000", "origin": {"type": "referral_conversion"}},
    ),
    ("v25.0", FREE, "delivered", {"origin": {"type": "referral_conversion"}}),
]


@pytest.mark.parametrize(("version", "pricing", "status", "conversation"), CONVERSATIONS)
def test_conversation_by_version_and_entry_point(
    version: str, pricing: dict[str, Any], status: str, conversation: dict[str, Any] | None
) -> None:
    there = world(webhook_version=version)
    there.thread(NUMBER, "15550001111").free_until = 1_795_200_000.0
    (told,) = status_value(there, person(), message(pricing=pricing), status, priced=True)["statuses"]
    found = told.get("conversation")
    if found is not None:
        ident = found.pop("id")
        assert re.fullmatch("[0-9a-f]{32}", ident)
    assert found == conversation


def test_a_conversation_is_one_per_message_or_one_per_entry_point_window() -> None:
    def ident(pricing: dict[str, Any], wamid: str) -> str:
        there = world(webhook_version="v23.0")
        there.thread(NUMBER, "15550001111").free_until = 1_795_200_000.0
        sent = message(pricing=pricing)
        sent.wamid = wamid
        (told,) = status_value(there, person(), sent, "sent", priced=True)["statuses"]
        found: str = told["conversation"]["id"]
        return found

    assert ident(PRICING, "wamid.A") == ident(PRICING, "wamid.A") != ident(PRICING, "wamid.B")
    assert ident(FREE, "wamid.A") == ident(FREE, "wamid.B")


FAILED = [
    # by BSUID, switch, contacts, named by user id
    (False, True, [{"wa_id": "15550001111"}], False),
    (False, False, None, False),
    (True, True, None, True),
    (True, False, None, True),
]


@pytest.mark.parametrize(("by_user_id", "switch", "contacts", "named"), FAILED)
def test_a_failure_whole(by_user_id: bool, switch: bool, contacts: Any, named: bool) -> None:
    errors = [told_later(131026, "Not there.")]
    sent = message(by_user_id=by_user_id, errors=errors)
    found = status_value(world(failed_contacts=switch), person(), sent, "failed", priced=False)
    status = {**BASE, "status": "failed", "errors": errors, **(USER if named else {})}
    assert found == {**({"contacts": contacts} if contacts else {}), "statuses": [status]}


HIDDEN = {"username": "anaq", "phone_hidden": True}
WHO = [
    # person, by BSUID: contact, names in the status
    ({}, False, CONTACT, {"recipient_id": "15550001111"} | USER),
    ({}, True, CONTACT, {"recipient_id": "15550001111"} | USER),
    (
        {"username": "anaq"},
        True,
        CONTACT | {"profile": {"name": "Ana Q.", "username": "anaq"}},
        {"recipient_id": "15550001111"} | USER,
    ),
    (HIDDEN, True, {"profile": {"name": "Ana Q.", "username": "anaq"}, "user_id": USER_ID}, USER),
    (
        HIDDEN,
        False,
        CONTACT | {"profile": {"name": "Ana Q.", "username": "anaq"}},
        {"recipient_id": "15550001111"} | USER,
    ),
    (
        {"parent_user_id": "US.ENT.9"},
        False,
        CONTACT | {"parent_user_id": "US.ENT.9"},
        {"recipient_id": "15550001111"} | USER | {"recipient_parent_user_id": "US.ENT.9"},
    ),
]


@pytest.mark.parametrize(("who", "by_user_id", "told", "names"), WHO)
def test_who_is_named_how(
    who: dict[str, Any], by_user_id: bool, told: dict[str, Any], names: dict[str, Any]
) -> None:
    found = status_value(world(), person(**who), message(by_user_id=by_user_id), "sent", priced=False)
    assert found["contacts"] == [told]
    assert {key: each for key, each in found["statuses"][0].items() if "recipient" in key} == names


def test_the_hash_of_an_identity_where_it_is_checked() -> None:
    ana = person(identity_hash="DF2lS5v2W6x=")
    assert "identity_key_hash" not in contact(ana, ana.user_id)
    assert contact(ana, ana.user_id, identity=True)["identity_key_hash"] == "DF2lS5v2W6x="
    there = world()
    there.number.identity_check = True
    (told,) = status_value(there, ana, message(), "sent", priced=False)["contacts"]
    assert told["identity_key_hash"] == "DF2lS5v2W6x="


def test_an_inbound_message_without_a_phone() -> None:
    said = message()
    found = inbound_value(person(**HIDDEN), USER_ID, said, shown=False)
    assert found == {
        "contacts": [{"profile": {"name": "Ana Q.", "username": "anaq"}, "user_id": USER_ID}],
        "messages": [said.body],
    }


@pytest.mark.parametrize("version", ["latest", "25", "v25", "v25.", "", "v25.0.1"])
def test_a_version_that_is_none_is_refused_at_the_start(version: str) -> None:
    with pytest.raises(ValueError, match=r"such as v25\.0"):
        world(webhook_version=version)
