"""Several accounts: opened, changed and told of, by the control API and Python alike (cloud-api.md 4.11)."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from sayso.simulator import Simulator, SimulatorConfig
from sayso.simulator.strict import ControlError
from simulator.announced import announced

if TYPE_CHECKING:
    from simulator.conftest import Graph, Receiver

NUMBER, WABA, PORTFOLIO, APP = "100000000000001", "200000000000001", "300000000000001", "900000000000001"
DIGITS = "15550100000"
#: The accounts there are at the start, as the control API tells them.
LISTED: dict[str, Any] = {
    "portfolios": [
        {
            "id": PORTFOLIO,
            "name": "Sayso",
            "tier": "TIER_UNLIMITED",
            "verified": True,
            "contact_book_on": True,
        }
    ],
    "wabas": [
        {
            "id": WABA,
            "portfolio_id": PORTFOLIO,
            "name": "Sayso",
            "currency": "USD",
            "country": "US",
            "timezone_id": "1",
            "account_review_status": "APPROVED",
            "business_verification_status": "verified",
            "insights": False,
            "marketing_disabled": False,
            "restriction": None,
            "subscribed": [{"app_id": APP, "override_callback_uri": None}],
        }
    ],
    "numbers": [
        {
            "id": NUMBER,
            "waba_id": WABA,
            "portfolio_id": PORTFOLIO,
            "display_phone_number": DIGITS,
            "verified_name": "Sayso Assistant",
            "status": "CONNECTED",
            "quality_rating": "GREEN",
            "throughput": "STANDARD",
            "tier": "TIER_UNLIMITED",
            "registered": True,
            "pin": None,
            "account_mode": "LIVE",
            "name_status": "APPROVED",
            "code_verification_status": "VERIFIED",
            "verification_code": None,
            "username": None,
            "official": False,
            "identity_check": False,
            "coexistence": False,
            "allowed": None,
            "blocked": [],
            "override_callback_uri": None,
            "restriction": None,
        }
    ],
    "tokens": [
        {
            "value": "sim-token",
            "app_id": APP,
            "kind": "SYSTEM_USER",
            "scopes": ["whatsapp_business_management", "whatsapp_business_messaging"],
            "waba_ids": None,
            "expires_at": None,
            "subcode": None,
            "user_id": "300000000000009",
            "state": "valid",
        }
    ],
}


async def test_everything_is_listed(graph: "Graph", sim: Simulator, receiver: "Receiver") -> None:
    await sim.live.until(lambda: sim.state()["webhooks"]["verification"] == "verified" or None, 10)
    status, told = await graph.control("GET", "/accounts")
    assert status == 200
    (app,) = told.pop("apps")
    fields = app["subscription"].pop("fields")
    assert {"messages", "account_update", "business_username_updates"} <= set(fields)
    subscription = {
        "callback_url": receiver.url,
        "verify_token": "sim-verify",
        "verification": "verified",
    }
    plain = {"id": APP, "name": "Sayso", "secret": "sim-secret", "require_proof": False}
    assert app == {**plain, "subscription": subscription}
    assert told["tokens"][0].pop("issued_at") <= sim.clock.now()
    assert told == LISTED


async def test_a_second_business_beside_the_first(
    graph: "Graph", sim: Simulator, receiver: "Receiver"
) -> None:
    made: dict[str, Any] = {}
    for what, said in (
        ("portfolios", {"id": "31", "name": "Other", "tier": "TIER_250", "verified": False}),
        ("apps", {"id": "91", "callback_url": f"{receiver.url}?other", "verify_token": "sim-verify"}),
        ("wabas", {"id": "21", "portfolio_id": "31", "name": "Other", "apps": ["91"]}),
        ("numbers", {"id": "11", "waba_id": "21", "phone": "+44 7700 900001", "verified_name": "O"}),
        ("tokens", {"app_id": "91", "waba_ids": ["21"], "value": "other", "expires_in_s": 60}),
    ):
        status, made[what] = await graph.control("POST", f"/{what}", said)
        assert status == 200, made[what]
    _, everything = await graph.control("GET", "/accounts")
    for what, one in made.items():
        assert everything[what][1] == one
    graph.token = "other"
    sent = await graph.call(
        "POST",
        "/11/messages",
        json={
            "messaging_product": "whatsapp",
            "to": "+15550001111",
            "type": "template",
            "template": {"name": "hello_world", "language": {"code": "en_US"}},
        },
    )
    await receiver.status(sent.wamid, "sent")
    assert {hook["url"] for hook in sim.webhooks(kind="status")} == {f"{receiver.url}?other"}


RESTRICTION = {"restriction_type": "RESTRICTED_BIZ_INITIATED_MESSAGING", "expiration": 1_795_604_800}
CAPABILITY = {
    "max_daily_conversations_per_business": 2_000,
    "max_phone_numbers_per_business": 20,
    "max_phone_numbers_per_waba": 25,
}


def quality(event: str, old: str = "TIER_UNLIMITED", new: str = "TIER_UNLIMITED") -> tuple[str, Any]:
    told = {
        "display_phone_number": DIGITS,
        "event": event,
        "old_limit": old,
        "current_limit": new,
        "max_daily_conversations_per_business": new,
    }
    return "phone_number_quality_update", told


def account_update(**told: Any) -> tuple[str, Any]:
    return "account_update", told


def ban(state: str) -> tuple[str, Any]:
    info = {"waba_ban_state": state, "waba_ban_date": "November 18, 2026"}
    return account_update(event="DISABLED_UPDATE", ban_info=info)


def name(decision: str, reason: str | None) -> tuple[str, Any]:
    told = {
        "display_phone_number": DIGITS,
        "decision": decision,
        "requested_verified_name": "Our Co",
        "rejection_reason": reason,
    }
    return "phone_number_name_update", told


ALERT = {
    "entity_type": "PHONE_NUMBER",
    "entity_id": NUMBER,
    "alert_severity": "INFORMATIONAL",
    "alert_status": "NONE",
    "alert_type": "OBA_APPROVED",
    "alert_description": "The phone number is an official business account now.",
}
#: What is changed, and the webhooks that tell of it, whole.
TOLD: tuple[tuple[str, dict[str, Any], list[tuple[str, Any]]], ...] = (
    (
        f"portfolios/{PORTFOLIO}",
        {"tier": "TIER_2K"},
        [
            quality("DOWNGRADE", "TIER_UNLIMITED", "TIER_2K"),
            ("business_capability_update", CAPABILITY),
        ],
    ),
    (
        f"portfolios/{PORTFOLIO}",
        {"verified": False},
        [
            (
                "business_capability_update",
                CAPABILITY
                | {"max_daily_conversations_per_business": -1, "max_phone_numbers_per_business": 2},
            )
        ],
    ),
    (f"numbers/{NUMBER}", {"quality_rating": "RED"}, [quality("FLAGGED")]),
    (f"numbers/{NUMBER}", {"quality_rating": "YELLOW"}, []),
    (f"numbers/{NUMBER}", {"throughput": "HIGH"}, [quality("THROUGHPUT_UPGRADE")]),
    (f"numbers/{NUMBER}", {"official": True}, [("account_alerts", ALERT)]),
    (
        f"numbers/{NUMBER}",
        {"name_status": "DECLINED", "verified_name": "Our Co"},
        [name("DECLINED", "NAME_DOES_NOT_MATCH_BUSINESS")],
    ),
    (
        f"numbers/{NUMBER}",
        {"restriction": {"code": 131048}},
        [account_update(event="ACCOUNT_RESTRICTION", restriction_info=[{**RESTRICTION, "remediation": ""}])],
    ),
    (
        f"wabas/{WABA}",
        {
            "restriction": {
                "code": 368,
                "late": True,
                "kind": "RESTRICTED_UTILITY_TEMPLATES",
                "remediation": "Wait.",
                "for_s": 60,
            }
        },
        [
            account_update(
                event="ACCOUNT_RESTRICTION",
                restriction_info=[
                    {
                        "restriction_type": "RESTRICTED_UTILITY_TEMPLATES",
                        "expiration": 1_795_000_060,
                        "remediation": "Wait.",
                    }
                ],
            )
        ],
    ),
    (f"wabas/{WABA}", {"restriction": {"code": 131031}}, [ban("DISABLE")]),
    (
        f"wabas/{WABA}",
        {"account_review_status": "REJECTED"},
        [("account_review_update", {"decision": "REJECTED"})],
    ),
    (f"wabas/{WABA}", {"name": "New", "marketing_disabled": True}, []),
)


@pytest.mark.parametrize(("path", "said", "told"), TOLD)
async def test_a_change_is_told(
    graph: "Graph",
    sim: Simulator,
    receiver: "Receiver",
    path: str,
    said: dict[str, Any],
    told: list[tuple[str, Any]],
) -> None:
    sim.clock.start_at(1_795_000_000, 0)
    status, answer = await graph.control("POST", f"/{path}", said)
    assert status == 200, answer
    assert await announced(sim, receiver) == told
    await graph.control("POST", f"/{path}", said | {"restriction": None} if "restriction" in said else said)
    assert len(await announced(sim, receiver)) <= len(told) + 1, "nothing twice but the lifting of a ban"


async def test_ups_are_told_too(sim: Simulator, receiver: "Receiver") -> None:
    sim.clock.start_at(1_795_000_000, 0)
    accounts = sim.parts.accounts
    accounts.change_portfolio(PORTFOLIO, tier="TIER_250")
    accounts.change_portfolio(PORTFOLIO, tier="TIER_100K")
    accounts.change_number(NUMBER, quality_rating="RED")
    accounts.change_number(NUMBER, quality_rating="GREEN")
    accounts.change_number(NUMBER, name_status="PENDING_REVIEW", verified_name="Our Co")
    accounts.change_number(NUMBER, name_status="APPROVED")
    accounts.change_waba(WABA, restriction={"code": 131031})
    accounts.change_waba(WABA, restriction=None)
    found = await announced(sim, receiver)
    expected = [
        quality("DOWNGRADE", "TIER_UNLIMITED", "TIER_250"),
        ("business_capability_update", CAPABILITY | {"max_daily_conversations_per_business": 250}),
        quality("UPGRADE", "TIER_250", "TIER_100K"),
        ("business_capability_update", CAPABILITY | {"max_daily_conversations_per_business": 100_000}),
        quality("FLAGGED", "TIER_100K", "TIER_100K"),
        quality("UNFLAGGED", "TIER_100K", "TIER_100K"),
        name("APPROVED", None),
        ban("DISABLE"),
        ban("REINSTATE"),
    ]
    assert sorted(found, key=repr) == sorted(expected, key=repr), "in whatever order they arrived"


async def test_before_v24_limits_are_told_per_phone(
    sim: Simulator, receiver: "Receiver", config: SimulatorConfig
) -> None:
    sim.parts.world.config = replace(config, webhook_version="v23.0")
    sim.parts.accounts.change_portfolio(PORTFOLIO, tier="TIER_10K")
    told = dict(await announced(sim, receiver))
    assert told["business_capability_update"] == {
        "max_daily_conversation_per_phone": 10_000,
        "max_phone_numbers_per_business": 20,
        "max_phone_numbers_per_waba": 25,
    }
    assert "max_daily_conversations_per_business" not in told["phone_number_quality_update"]


async def test_changes_take_effect(graph: "Graph", sim: Simulator) -> None:
    accounts = sim.parts.accounts
    accounts.change_number(NUMBER, allowed=["+1 555 000 2222"], restriction=None)
    assert (await graph.text()).code == 131030
    assert (await graph.text(to="+15550002222")).status == 200
    accounts.change_number(NUMBER, allowed=None, restriction={"code": 131031, "details": "Locked."})
    assert (await graph.text()).code == 131031
    accounts.change_number(NUMBER, restriction=None, override={"callback_url": "http://127.0.0.1:9/"})
    assert sim.parts.accounts.listed()["numbers"][0]["override_callback_uri"] == "http://127.0.0.1:9/"


@pytest.mark.parametrize(
    ("path", "said", "status", "words"),
    [
        (f"numbers/{NUMBER}", {"quality": "RED"}, 400, "quality"),
        (f"numbers/{NUMBER}", {"quality_rating": "PINK"}, 400, "quality_rating"),
        (f"numbers/{NUMBER}", {"pin": "12345"}, 400, "pin"),
        (f"numbers/{NUMBER}", {"allowed": ["+1555000000" + str(n) for n in range(6)]}, 400, "allowed"),
        (f"numbers/{NUMBER}", {"allowed": ["15550001111"]}, 400, "international form"),
        (f"numbers/{NUMBER}", {"restriction": {"details": "why"}}, 400, "code"),
        ("numbers/1", {}, 404, "no phone number 1"),
        ("numbers", {}, 400, "phone"),
        ("numbers", {"phone": "+1 555 010 0000"}, 400, "already"),
        ("numbers", {"phone": "+15550100001", "id": WABA}, 400, "taken"),
        ("numbers", {"phone": "+15550100001", "id": "abc"}, 400, "id"),
        ("numbers", {"phone": "+15550100001", "waba_id": "1"}, 404, "no WABA 1"),
        ("wabas", {"apps": ["1"]}, 404, "no app 1"),
        ("wabas", {"portfolio_id": "1"}, 404, "no portfolio 1"),
        ("portfolios", {"tier": "TIER_3"}, 400, "tier"),
        ("apps", {"callback_url": "http://x", "fields": ["message_status"]}, 400, "message_status"),
        ("tokens", {"value": "sim-token"}, 400, "already"),
        ("tokens/sim-token", {"subcode": 461}, 400, "subcode"),
        ("tokens/none", {}, 404, "no token none"),
    ],
)
async def test_what_cannot_be_is_said(
    graph: "Graph", path: str, said: dict[str, Any], status: int, words: str
) -> None:
    found, problem = await graph.control("POST", f"/{path}", said)
    assert (found, words in problem["error"]) == (status, True), problem


async def test_python_says_so_too(sim: Simulator) -> None:
    with pytest.raises(ControlError, match="colour"):
        sim.parts.accounts.change_number(NUMBER, colour="red")
    with pytest.raises(LookupError):
        sim.parts.accounts.change_number("1")


async def test_tokens_are_told_with_their_state(graph: "Graph", sim: Simulator) -> None:
    for change, state in (
        ({"expires_in_s": 0}, "expired"),
        ({"expires_in_s": 60}, "valid"),
        ({"subcode": 460}, "invalidated"),
        ({"subcode": None, "expires_in_s": None}, "valid"),
    ):
        _, told = await graph.control("POST", "/tokens/sim-token", change)
        assert told["state"] == state
    accounts = sim.parts.accounts
    accounts.change_app(APP, secret="new", name="New", fields=["messages"])
    assert accounts.change_app(APP, callback_url=None).subscription is None
    assert (await graph.call("GET", "/100000000000001")).status == 200
