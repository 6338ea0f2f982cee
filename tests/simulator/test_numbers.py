"""Phone numbers: fields, pages, registration, verification, their own callback (cloud-api.md 8.1, 4.1)."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import aiohttp
import pytest

from sayso.simulator import Simulator, SimulatorConfig
from simulator.announced import announced

if TYPE_CHECKING:
    from simulator.conftest import Graph, Receiver

ID, WABA = "100000000000001", "200000000000001"
NODE = f"/v25.0/{ID}"
HOUR_S = 3600


async def test_a_number_as_it_is_by_default(graph: "Graph", receiver: "Receiver") -> None:
    assert (await graph.call("GET", NODE)).json == {
        "verified_name": "Sayso Assistant",
        "code_verification_status": "VERIFIED",
        "display_phone_number": "+1 555-010-0000",
        "quality_rating": "GREEN",
        "platform_type": "CLOUD_API",
        "throughput": {"level": "STANDARD"},
        "webhook_configuration": {"application": receiver.url},
        "id": ID,
    }


FIELDS = {
    "account_mode": "LIVE",
    "country_code": "US",
    "country_dial_code": "1",
    "is_official_business_account": False,
    "is_on_biz_app": False,
    "is_pin_enabled": False,
    "is_preverified_number": False,
    "last_onboarded_time": "1970-01-01T00:00:00+0000",
    "messaging_limit_tier": "TIER_UNLIMITED",
    "name_status": "APPROVED",
    "quality_score": {"score": "GREEN"},
    "status": "CONNECTED",
    "whatsapp_business_manager_messaging_limit": "TIER_UNLIMITED",
}


@pytest.mark.parametrize("field", sorted(FIELDS))
async def test_every_field(graph: "Graph", field: str) -> None:
    answer = await graph.call("GET", f"{NODE}?fields={field}")
    assert answer.json == {field: FIELDS[field], "id": ID}


async def test_a_number_that_is_in_the_app_too_says_so(sim: "Simulator", graph: "Graph") -> None:
    sim.accounts.change_number(ID, coexistence=True)
    assert (await graph.call("GET", f"{NODE}?fields=is_on_biz_app")).json == {"is_on_biz_app": True, "id": ID}


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ("id", {}),
        (" verified_name , status ", {"verified_name": "Sayso Assistant", "status": "CONNECTED"}),
        ("throughput{level}", {"throughput": {"level": "STANDARD"}}),
        ("throughput{none}", {"throughput": {}}),
        ("status.limit(1)", {"status": "CONNECTED"}),
        ("health_status{can_send_message}", {"health_status": {"can_send_message": "AVAILABLE"}}),
        ("certificate,new_certificate,username,conversational_automation", {}),
    ],
)
async def test_fields_are_chosen(graph: "Graph", fields: str, told: dict[str, Any]) -> None:
    answer = await graph.call("GET", NODE, params={"fields": fields})
    assert answer.json == {**told, "id": ID}


@pytest.mark.parametrize(
    "fields", ["a,,b", "status{", "status}", "status.x", "status.x(", "{a}", "status{a{a{a{a{a{a}}}}}}"]
)
async def test_fields_that_are_none(graph: "Graph", fields: str) -> None:
    answer = await graph.call("GET", NODE, params={"fields": fields})
    assert (answer.status, answer.code) == (400, 100)


async def test_an_unknown_field_is_named(graph: "Graph") -> None:
    answer = await graph.call("GET", f"{NODE}?fields=status,colour")
    assert answer.code == 100
    assert answer.json["error"]["message"] == (
        "(#100) Tried accessing nonexisting field (colour) on node type (WhatsAppBusinessPhoneNumber)"
    )


async def test_numbers_in_pages(graph: "Graph", sim: Simulator) -> None:
    for last in range(1, 5):
        sim.parts.accounts.add_number(phone=f"+1555010000{last}", verified_name=f"No. {last}")
    path: str | None = f"/v25.0/{WABA}/phone_numbers?fields=verified_name&limit=2&summary=total_count"
    names, pages = [], []
    while path is not None:
        page = (await graph.call("GET", path)).json
        pages.append(page)
        names.append([each["verified_name"] for each in page["data"]])
        following = page["paging"].get("next")
        path = following and following.removeprefix(sim.base_url)
    assert names == [["Sayso Assistant", "No. 1"], ["No. 2", "No. 3"], ["No. 4"]]
    assert ["previous" in page["paging"] for page in pages] == [False, True, True]
    assert [page["summary"] for page in pages] == [{"total_count": 5}] * 3
    assert "access_token" not in pages[0]["paging"]["next"]
    back = await graph.call("GET", pages[2]["paging"]["previous"].removeprefix(sim.base_url))
    assert [each["verified_name"] for each in back.json["data"]] == ["No. 2", "No. 3"]


async def test_the_url_of_the_next_page_is_one(graph: "Graph", sim: Simulator) -> None:
    sim.parts.accounts.add_number(phone="+15550100001")
    fields = "verified_name,health_status%7Bentities%7D"
    page = (await graph.call("GET", f"/v25.0/{WABA}/phone_numbers?fields={fields}&limit=1&x=50%25")).json
    following = page["paging"]["next"]
    assert {*urlsplit(following).query}.isdisjoint('{} "<>')
    assert parse_qs(urlsplit(following).query, errors="strict")["x"] == ["50%"]
    assert "x=50%25" in following


@pytest.mark.parametrize("query", ["limit=0", "limit=x", "after=x", "before=%21%21", "after=cGxhY2U6eA"])
async def test_pages_are_checked(graph: "Graph", query: str) -> None:
    assert (await graph.call("GET", f"/v25.0/{WABA}/phone_numbers?{query}")).code == 100


async def test_absolute_urls_are_those_the_call_came_by(graph: "Graph", sim: Simulator) -> None:
    sim.parts.accounts.add_number(phone="+15550100001")
    path = f"/v25.0/{WABA}/phone_numbers?limit=1"
    bearer = {"Authorization": "Bearer sim-token"}
    named = await graph.call("GET", path, headers={**bearer, "Host": "localhost:1234"})
    assert named.json["paging"]["next"].startswith("http://localhost:1234/v25.0/")
    meta = await graph.call("GET", path, headers={**bearer, "Host": "graph.facebook.com"})
    assert meta.json["paging"]["next"].startswith(f"{sim.base_url}/v25.0/"), "this very simulator, not Meta's"


async def test_absolute_urls_by_ipv6(config: SimulatorConfig) -> None:
    async with Simulator(replace(config, host="::1")) as sim, aiohttp.ClientSession() as session:
        sim.accounts.add_number(phone="+15550100001")
        port = sim.base_url.rpartition(":")[2]
        headers = {"Authorization": "Bearer sim-token", "Host": "graph.facebook.com"}
        url = f"http://[::1]:{port}/v25.0/{WABA}/phone_numbers?limit=1"
        async with session.get(url, headers=headers) as answer:
            following = (await answer.json())["paging"]["next"]
    assert following.startswith(f"http://[::1]:{port}/v25.0/{WABA}/phone_numbers?")


# --- registration -------------------------------------------------------------------------------------------


def registration(**change: Any) -> dict[str, Any]:
    return {"messaging_product": "whatsapp", "pin": "123456"} | change


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"pin": None}, "pin is required"),
        ({"pin": "12345"}, "6 digits"),
        ({"pin": "1234567"}, "6 digits"),
        ({"pin": "12345a"}, "6 digits"),
        ({"messaging_product": "sms"}, "messaging_product"),
    ],
)
async def test_registration_is_checked(graph: "Graph", change: dict[str, Any], words: str) -> None:
    answer = await graph.call("POST", f"{NODE}/register", json=registration(**change))
    assert (answer.status, answer.code) == (400, 100)
    assert words in answer.details


async def test_away_and_back(graph: "Graph", sim: Simulator, receiver: "Receiver") -> None:
    assert (await graph.call("POST", f"{NODE}/deregister")).json == {"success": True}
    assert (await graph.text()).code == 133010
    gone = (await graph.call("GET", f"{NODE}?fields=platform_type,throughput,status")).json
    nothing = {"platform_type": "NOT_APPLICABLE", "throughput": {"level": "NOT_APPLICABLE"}}
    assert gone == {**nothing, "status": "DISCONNECTED", "id": ID}
    assert (await graph.call("POST", f"{NODE}/deregister")).code == 133010
    assert (await graph.call("POST", f"{NODE}/register", json=registration())).json == {"success": True}
    back = (await graph.call("GET", f"{NODE}?fields=platform_type,is_pin_enabled,status")).json
    assert back == {"platform_type": "CLOUD_API", "is_pin_enabled": True, "status": "CONNECTED", "id": ID}
    told = {
        "display_phone_number": "15550100000",
        "event": "ONBOARDING",
        "old_limit": "TIER_NOT_SET",
        "current_limit": "TIER_UNLIMITED",
        "max_daily_conversations_per_business": "TIER_UNLIMITED",
    }
    assert await announced(sim, receiver) == [("phone_number_quality_update", told)]


async def test_the_first_pin_counts(graph: "Graph") -> None:
    assert (await graph.call("POST", f"{NODE}/register", json=registration())).status == 200
    wrong = await graph.call("POST", f"{NODE}/register", json=registration(pin="654321"))
    assert (wrong.status, wrong.code) == (400, 133005)
    assert (await graph.call("POST", f"{NODE}/register", json=registration())).status == 200


async def test_ten_registrations_in_72_hours(graph: "Graph", sim: Simulator) -> None:
    sim.clock.run(0)
    for _ in range(10):
        assert (await graph.call("POST", f"{NODE}/register", json=registration())).status == 200
    assert (await graph.call("POST", f"{NODE}/register", json=registration())).code == 133016
    assert (await graph.call("POST", f"{NODE}/deregister")).code == 133016
    sim.advance(72 * HOUR_S - 1)
    assert (await graph.call("POST", f"{NODE}/register", json=registration())).code == 133016
    sim.advance(1)
    assert (await graph.call("POST", f"{NODE}/register", json=registration())).status == 200


async def test_an_unverified_number_is_verified_by_its_code(graph: "Graph", sim: Simulator) -> None:
    number = sim.parts.accounts.change_number(ID, code_verification_status="NOT_VERIFIED", registered=False)
    assert (await graph.call("POST", f"{NODE}/register", json=registration())).code == 133006
    asked = await graph.call("POST", f"{NODE}/request_code?code_method=SMS&language=en_US")
    assert asked.json == {"success": True}
    code = number.verification_code
    assert code is not None
    assert (await graph.call("POST", f"{NODE}/verify_code?code=wrong")).code == 100
    assert (await graph.call("POST", f"{NODE}/verify_code?code={code[:3]}-{code[3:]}")).json == {
        "success": True
    }
    assert (await graph.call("POST", f"{NODE}/verify_code?code={code}")).code == 100, "once"
    assert (await graph.call("POST", f"{NODE}/register", json=registration())).status == 200


@pytest.mark.parametrize("query", ["language=en_US", "code_method=SMS", "code_method=MAIL&language=en_US"])
async def test_asking_for_a_code_is_checked(graph: "Graph", query: str) -> None:
    assert (await graph.call("POST", f"{NODE}/request_code?{query}")).code == 100


async def test_a_new_pin_is_told(graph: "Graph", sim: Simulator, receiver: "Receiver") -> None:
    assert (await graph.call("POST", NODE, json={"pin": "654321"})).json == {"success": True}
    assert (await graph.call("POST", f"{NODE}/register", json=registration())).code == 133005
    told = {
        "display_phone_number": "15550100000",
        "event": "PIN_CHANGED",
        "requester": "300000000000009",
    }
    assert await announced(sim, receiver) == [("security", told)]


# --- the number's own callback ------------------------------------------------------------------------------


async def test_an_override_is_verified_used_and_taken_away(
    graph: "Graph", sim: Simulator, receiver: "Receiver"
) -> None:
    own = {"override_callback_uri": f"{receiver.url}?own", "verify_token": "sim-verify"}
    answer = await graph.call("POST", f"{NODE}/", json={"webhook_configuration": own})
    assert answer.json == {"success": True}
    told = (await graph.call("GET", f"{NODE}?fields=webhook_configuration")).json["webhook_configuration"]
    assert told == {"phone_number": f"{receiver.url}?own", "application": receiver.url}
    await sim.inbound("+15550001111", text="hi")
    await sim.settled()
    assert sim.webhooks(kind="inbound")[-1]["url"] == f"{receiver.url}?own"
    nothing = {"webhook_configuration": {"override_callback_uri": ""}}
    assert (await graph.call("POST", NODE, json=nothing)).json == {"success": True}
    told = (await graph.call("GET", f"{NODE}?fields=webhook_configuration")).json["webhook_configuration"]
    assert told == {"application": receiver.url}


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"verify_token": "wrong"}, 2200),
        ({"verify_token": None}, 100),
        ({"override_callback_uri": "http://127.0.0.1:9/"}, 2200),
        ({"override_callback_uri": "nowhere"}, 100),
    ],
)
async def test_an_override_must_answer_the_challenge(
    graph: "Graph", receiver: "Receiver", change: dict[str, Any], code: int
) -> None:
    own = {"override_callback_uri": receiver.url, "verify_token": "sim-verify"} | change
    answer = await graph.call("POST", NODE, json={"webhook_configuration": own})
    assert (answer.status, answer.code) == (400, code)
    if code == 2200:
        words = "(#2200) Callback verification failed with the following errors: "
        assert answer.json["error"]["message"].startswith(words)


@pytest.mark.parametrize("given", [{}, {"colour": "red"}, {"pin": "1"}, {"webhook_configuration": []}])
async def test_changes_are_checked(graph: "Graph", given: dict[str, Any]) -> None:
    assert (await graph.call("POST", NODE, json=given)).code == 100
