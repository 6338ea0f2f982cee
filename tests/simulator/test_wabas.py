"""WABAs, portfolios and apps: fields, health, subscriptions and their callbacks (cloud-api.md 4.1, 8.2, 8.3)."""

from typing import TYPE_CHECKING, Any

import pytest

from sayso.simulator import Simulator

if TYPE_CHECKING:
    from simulator.conftest import Graph, Receiver

NUMBER, WABA, PORTFOLIO, APP = "100000000000001", "200000000000001", "300000000000001", "900000000000001"
NODE = f"/v25.0/{WABA}"
APP_TOKEN = {"Authorization": f"Bearer {APP}|sim-secret"}
SUBSCRIPTIONS = f"/v25.0/{APP}/subscriptions"
NAMESPACE = "5f1b0f6e_0000_4000_8000_000000000001"
OWNER = {"name": "Sayso", "id": PORTFOLIO}
SUBSCRIBER = {
    "whatsapp_business_api_data": {
        "link": f"https://www.facebook.com/games/?app_id={APP}",
        "name": "Sayso",
        "id": APP,
    }
}
FIELDS: dict[str, Any] = {
    "account_review_status": "APPROVED",
    "business_verification_status": "verified",
    "country": "US",
    "currency": "USD",
    "disable_marketing_messages_on_cloud_api": False,
    "is_enabled_for_insights": False,
    "message_template_namespace": NAMESPACE,
    "name": "Sayso",
    "on_behalf_of_business_info": {**OWNER, "status": "APPROVED", "type": "SELF"},
    "owner_business_info": OWNER,
    "ownership_type": "SELF",
    "status": "ACTIVE",
    "subscribed_apps": {"data": [SUBSCRIBER]},
    "timezone_id": "1",
}


async def test_a_waba_as_it_is_by_default(graph: "Graph") -> None:
    told = {"id": WABA, "name": "Sayso", "timezone_id": "1", "message_template_namespace": NAMESPACE}
    assert (await graph.call("GET", NODE)).json == told


@pytest.mark.parametrize("field", sorted(FIELDS))
async def test_every_field(graph: "Graph", field: str) -> None:
    assert (await graph.call("GET", f"{NODE}?fields={field}")).json == {field: FIELDS[field], "id": WABA}


async def test_fields_without_a_value_are_left_out(graph: "Graph") -> None:
    fields = "marketing_messages_lite_api_status,marketing_messages_onboarding_status"
    assert (await graph.call("GET", f"{NODE}?fields={fields}")).json == {"id": WABA}
    answer = await graph.call("GET", f"{NODE}?fields=colour")
    assert answer.json["error"]["message"] == (
        "(#100) Tried accessing nonexisting field (colour) on node type (WhatsAppBusinessAccount)"
    )


async def test_numbers_as_a_field_of_the_waba(graph: "Graph", sim: Simulator) -> None:
    other = sim.parts.accounts.add_number(phone="+15550100001", verified_name="Second")
    fields = "name,phone_numbers{verified_name,throughput{level}},owner_business_info{name}"
    slow = {"throughput": {"level": "STANDARD"}}
    assert (await graph.call("GET", NODE, params={"fields": fields})).json == {
        "name": "Sayso",
        "phone_numbers": {
            "data": [
                {"verified_name": "Sayso Assistant", **slow, "id": NUMBER},
                {"verified_name": "Second", **slow, "id": other.phone_number_id},
            ]
        },
        "owner_business_info": OWNER,
        "id": WABA,
    }
    whole = (await graph.call("GET", f"{NODE}?fields=phone_numbers")).json["phone_numbers"]["data"]
    assert whole == (await graph.call("GET", f"{NODE}/phone_numbers")).json["data"]
    assert (await graph.call("GET", NODE, params={"fields": "phone_numbers{colour}"})).code == 100


@pytest.mark.parametrize(
    ("given", "status", "code"),
    [
        ({"is_enabled_for_insights": True}, 200, 0),
        ({"is_enabled_for_insights": "true"}, 200, 0),
        ({"is_enabled_for_insights": False}, 400, 200006),
        ({"is_enabled_for_insights": "maybe"}, 400, 100),
        ({"disable_marketing_messages_on_cloud_api": True}, 200, 0),
        ({"colour": "red"}, 400, 100),
        ({}, 400, 100),
    ],
)
async def test_a_waba_is_changed(graph: "Graph", given: dict[str, Any], status: int, code: int) -> None:
    answer = await graph.call("POST", NODE, json=given)
    assert answer.status == status
    assert answer.json == {"success": True} if status == 200 else answer.code == code
    for name, value in given.items():
        if status == 200:
            told = (await graph.call("GET", f"{NODE}?fields={name}")).json[name]
            assert told is (str(value).lower() == "true")


async def test_a_portfolio_and_its_wabas(graph: "Graph", sim: Simulator) -> None:
    assert (await graph.call("GET", f"/{PORTFOLIO}")).json == OWNER
    fields = "verification_status,whatsapp_business_manager_messaging_limit"
    told = {"verification_status": "verified", "whatsapp_business_manager_messaging_limit": "TIER_UNLIMITED"}
    assert (await graph.call("GET", f"/{PORTFOLIO}?fields={fields}")).json == {**told, "id": PORTFOLIO}
    other = sim.parts.accounts.add_waba(name="Other")
    owned = await graph.call("GET", f"/{PORTFOLIO}/owned_whatsapp_business_accounts?fields=name")
    assert owned.json["data"] == [{"name": "Sayso", "id": WABA}, {"name": "Other", "id": other.id}]
    elsewhere = sim.parts.accounts.add_portfolio()
    waba = sim.parts.accounts.add_waba(portfolio_id=elsewhere.id)
    graph.token = sim.parts.accounts.add_token(waba_ids=[waba.id]).value
    assert (await graph.call("GET", f"/{PORTFOLIO}")).code == 200


# --- who hears of it ----------------------------------------------------------------------------------------


async def test_subscribed_apps(graph: "Graph", sim: Simulator, receiver: "Receiver") -> None:
    edge = f"{NODE}/subscribed_apps"
    assert (await graph.call("GET", edge)).json == {"data": [SUBSCRIBER]}
    assert (await graph.call("DELETE", edge)).json == {"success": True}
    assert (await graph.call("GET", edge)).json == {"data": []}
    await sim.inbound("+15550001111", text="nobody listens")
    assert sim.webhooks(kind="inbound") == []
    override = {"override_callback_uri": f"{receiver.url}?waba", "verify_token": "sim-verify"}
    assert (await graph.call("POST", edge, json=override)).json == {"success": True}
    told = {**SUBSCRIBER, "override_callback_uri": f"{receiver.url}?waba"}
    assert (await graph.call("GET", edge)).json == {"data": [told]}
    await sim.inbound("+15550001111", text="hi")
    assert [hook["url"] for hook in sim.webhooks(kind="inbound")] == [f"{receiver.url}?waba"]
    assert (await graph.call("POST", edge)).json == {"success": True}
    assert (await graph.call("GET", edge)).json == {"data": [SUBSCRIBER]}, "without one the app's own again"


@pytest.mark.parametrize(("change", "code"), [({"verify_token": "wrong"}, 2200), ({"verify_token": ""}, 100)])
async def test_an_override_of_the_waba_is_verified(
    graph: "Graph", receiver: "Receiver", change: dict[str, str], code: int
) -> None:
    override = {"override_callback_uri": receiver.url, "verify_token": "sim-verify"} | change
    assert (await graph.call("POST", f"{NODE}/subscribed_apps", json=override)).code == code
    assert (await graph.call("GET", f"{NODE}/subscribed_apps")).json == {"data": [SUBSCRIBER]}


async def test_two_apps_hear_of_one_waba(graph: "Graph", sim: Simulator, receiver: "Receiver") -> None:
    other = sim.parts.accounts.add_app(
        name="Second", callback_url=f"{receiver.url}?second", verify_token="sim-verify"
    )
    graph.token = sim.parts.accounts.add_token(app_id=other.id).value
    assert (await graph.call("POST", f"{NODE}/subscribed_apps")).status == 200
    await sim.inbound("+15550001111", text="hi")
    urls = sorted(hook["url"] for hook in sim.webhooks(kind="inbound"))
    assert urls == [receiver.url, f"{receiver.url}?second"]


async def test_an_app_is_described(graph: "Graph") -> None:
    told = SUBSCRIBER["whatsapp_business_api_data"]
    assert (await graph.call("GET", f"/{APP}")).json == told


async def test_an_app_subscribes_anew(graph: "Graph", sim: Simulator, receiver: "Receiver") -> None:
    query = (
        f"object=whatsapp_business_account&callback_url={receiver.url}%3Fnew&verify_token=sim-verify"
        f"&fields=messages,account_update&access_token={APP}%7Csim-secret"
    )
    assert (await graph.call("POST", f"{SUBSCRIPTIONS}?{query}", headers={})).json == {"success": True}
    told = {
        "object": "whatsapp_business_account",
        "callback_url": f"{receiver.url}?new",
        "active": True,
        "fields": [
            {"name": "account_update", "version": "v25.0"},
            {"name": "messages", "version": "v25.0"},
        ],
    }
    assert (await graph.call("GET", SUBSCRIPTIONS, headers=APP_TOKEN)).json == {"data": [told]}
    less = f"{SUBSCRIPTIONS}?object=whatsapp_business_account&fields=messages"
    assert (await graph.call("DELETE", less, headers=APP_TOKEN)).json == {"success": True}
    left = (await graph.call("GET", SUBSCRIPTIONS, headers=APP_TOKEN)).json["data"][0]["fields"]
    assert [each["name"] for each in left] == ["account_update"]
    assert (await graph.call("DELETE", SUBSCRIPTIONS, headers=APP_TOKEN)).status == 200
    assert (await graph.call("GET", SUBSCRIPTIONS, headers=APP_TOKEN)).json == {"data": []}
    await sim.inbound("+15550001111", text="nobody listens")
    assert sim.webhooks(kind="inbound") == []


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"object": "page"}, 100),
        ({"object": None}, 100),
        ({"callback_url": None}, 100),
        ({"callback_url": "ftp://x"}, 100),
        ({"verify_token": None}, 100),
        ({"verify_token": "wrong"}, 2200),
        ({"fields": "messages,message_status"}, 100),
        ({"fields": "user_id_update"}, 100),
        ({"fields": []}, 100),
    ],
)
async def test_a_subscription_is_checked(
    graph: "Graph", receiver: "Receiver", change: dict[str, Any], code: int
) -> None:
    given = {
        "object": "whatsapp_business_account",
        "callback_url": receiver.url,
        "verify_token": "sim-verify",
        "fields": ["messages", "flows"],
    }
    assert (await graph.call("POST", SUBSCRIPTIONS, headers=APP_TOKEN, json=given)).status == 200
    answer = await graph.call("POST", SUBSCRIPTIONS, headers=APP_TOKEN, json=given | change)
    assert (answer.status, answer.code) == (400, code)


async def test_subscriptions_need_the_app_s_own_token(graph: "Graph", sim: Simulator) -> None:
    assert (await graph.call("GET", SUBSCRIPTIONS)).code == 15
    other = sim.parts.accounts.add_app()
    headers = {"Authorization": f"Bearer {other.id}|{other.secret}"}
    assert (await graph.call("GET", SUBSCRIPTIONS, headers=headers)).code == 10


# --- health -------------------------------------------------------------------------------------------------


def entity(kind: str, node: str, can: str = "AVAILABLE", **more: Any) -> dict[str, Any]:
    return {"entity_type": kind, "id": node, "can_send_message": can, **more}


def error(code: int, words: str) -> list[dict[str, Any]]:
    solution = "See the error codes of the WhatsApp Business Platform."
    return [{"error_code": code, "error_description": words, "possible_solution": solution}]


async def health(graph: "Graph", node: str) -> Any:
    return (await graph.call("GET", f"/v25.0/{node}?fields=health_status")).json["health_status"]


ABOVE = [entity("WABA", WABA), entity("BUSINESS", PORTFOLIO), entity("APP", APP)]


async def test_all_is_well(graph: "Graph") -> None:
    assert await health(graph, WABA) == {"can_send_message": "AVAILABLE", "entities": ABOVE}
    whole = [entity("PHONE_NUMBER", NUMBER), *ABOVE]
    assert await health(graph, NUMBER) == {"can_send_message": "AVAILABLE", "entities": whole}


@pytest.mark.parametrize(
    ("change", "can", "more"),
    [
        (
            {"name_status": "PENDING_REVIEW"},
            "LIMITED",
            {"additional_info": ["Display name not approved yet."]},
        ),
        (
            {"quality_rating": "RED"},
            "LIMITED",
            {"additional_info": ["The quality of this phone number is low."]},
        ),
        (
            {"registered": False},
            "BLOCKED",
            {"errors": error(133010, "The phone number is not registered.")},
        ),
        ({"status": "BANNED"}, "BLOCKED", {"errors": error(131031, "The phone number is BANNED.")}),
        (
            {"restriction": {"code": 131048, "details": "Too much spam."}},
            "BLOCKED",
            {"errors": error(131048, "Too much spam.")},
        ),
    ],
)
async def test_a_number_is_as_bad_as_its_state(
    graph: "Graph", sim: Simulator, change: dict[str, Any], can: str, more: dict[str, Any]
) -> None:
    sim.parts.accounts.change_number(NUMBER, **change)
    found = await health(graph, NUMBER)
    assert found == {
        "can_send_message": can,
        "entities": [entity("PHONE_NUMBER", NUMBER, can, **more), *ABOVE],
    }


@pytest.mark.parametrize("partly", [{"business_initiated": True}, {"countries": ["DE"]}])
async def test_a_restriction_of_some_messages_limits(
    graph: "Graph", sim: Simulator, partly: dict[str, Any]
) -> None:
    restriction = {"code": 130497, "details": "Not there.", **partly}
    sim.parts.accounts.change_number(NUMBER, restriction=restriction)
    limited = entity("PHONE_NUMBER", NUMBER, "LIMITED", errors=error(130497, "Not there."))
    assert await health(graph, NUMBER) == {"can_send_message": "LIMITED", "entities": [limited, *ABOVE]}


async def test_a_restriction_ends_by_itself(graph: "Graph", sim: Simulator) -> None:
    sim.clock.run(0)
    sim.parts.accounts.change_waba(WABA, restriction={"code": 368, "for_s": 60})
    blocked = (await health(graph, WABA))["entities"][0]
    words = "Temporarily blocked for policies violations"
    assert blocked == entity("WABA", WABA, "BLOCKED", errors=error(368, words))
    sim.advance(59)
    assert (await graph.text()).code == 368
    sim.advance(1)
    assert (await health(graph, WABA))["can_send_message"] == "AVAILABLE"
    assert (await graph.text()).status == 200


async def test_the_whole_is_as_bad_as_the_worst(graph: "Graph", sim: Simulator) -> None:
    accounts = sim.parts.accounts
    accounts.change_portfolio(PORTFOLIO, verified=False)
    business = entity("BUSINESS", PORTFOLIO, "LIMITED", errors=error(141010, "The business is not verified."))
    assert await health(graph, WABA) == {
        "can_send_message": "LIMITED",
        "entities": [ABOVE[0], business, ABOVE[2]],
    }
    accounts.change_waba(WABA, restriction={"code": 131042, "details": "No payment method."})
    waba = entity("WABA", WABA, "BLOCKED", errors=error(141006, "No payment method."))
    found = await health(graph, NUMBER)
    assert found["can_send_message"] == "BLOCKED"
    assert found["entities"][1:] == [waba, business, ABOVE[2]]


async def test_a_template_s_health(graph: "Graph", sim: Simulator) -> None:
    template = next(iter(sim.parts.world.templates.values()))
    whole = [entity("MESSAGE_TEMPLATE", template.id), *ABOVE]
    assert await health(graph, template.id) == {"can_send_message": "AVAILABLE", "entities": whole}
    template.status = "PAUSED"
    assert (await health(graph, template.id))["can_send_message"] == "BLOCKED"
