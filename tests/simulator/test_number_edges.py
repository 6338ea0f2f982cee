"""Profile, settings, username and contact book of a number (cloud-api.md 2.8, 4.7, 8.1)."""

from typing import TYPE_CHECKING, Any

import pytest

from sayso.simulator import Simulator
from simulator.announced import announced

if TYPE_CHECKING:
    from simulator.conftest import Answer, Graph, Receiver

ID = "100000000000001"
NODE = f"/v25.0/{ID}"
PROFILE = f"{NODE}/whatsapp_business_profile"


async def written(graph: "Graph", **given: Any) -> "Answer":
    return await graph.call("POST", PROFILE, json={"messaging_product": "whatsapp", **given})


async def profile(graph: "Graph", fields: str | None = None) -> dict[str, Any]:
    query = "" if fields is None else f"?fields={fields}"
    (found,) = (await graph.call("GET", PROFILE + query)).json["data"]
    return dict(found)


WHOLE: dict[str, Any] = {
    "about": "We ask first",
    "address": "1 High St",
    "description": "An assistant",
    "email": "a@example.org",
    "websites": ["https://example.org/", "http://example.com/"],
    "vertical": "PROF_SERVICES",
}


async def test_a_profile_is_kept_whole_and_flat(graph: "Graph") -> None:
    assert await profile(graph) == {"vertical": "UNDEFINED", "messaging_product": "whatsapp"}
    assert (await written(graph, **WHOLE)).json == {"success": True}
    assert await profile(graph) == {**WHOLE, "messaging_product": "whatsapp"}
    chosen = {"about": "We ask first", "vertical": "PROF_SERVICES", "messaging_product": "whatsapp"}
    assert await profile(graph, "about") == chosen
    await written(graph, email="", websites=[], address=None)
    assert set(await profile(graph)) == {"about", "address", "description", "vertical", "messaging_product"}


@pytest.mark.parametrize(
    ("name", "most"), [("about", 139), ("address", 256), ("description", 512), ("email", 128)]
)
async def test_texts_at_under_and_over_their_length(graph: "Graph", name: str, most: int) -> None:
    end = "@example.org" if name == "email" else ""
    for length, status in ((most - 1, 200), (most, 200), (most + 1, 400)):
        answer = await written(graph, **{name: "a" * (length - len(end)) + end})
        assert answer.status == status
    assert (answer.code, f"at most {most} characters" in answer.details) == (100, True)


SITE = "https://example.org/"


@pytest.mark.parametrize(
    ("given", "status"),
    [
        ({"websites": [SITE + "a" * (256 - len(SITE))]}, 200),
        ({"websites": [SITE + "a" * (257 - len(SITE))]}, 400),
        ({"websites": [SITE] * 3}, 400),
        ({"websites": ["example.org"]}, 400),
        ({"websites": [7]}, 400),
        ({"about": ""}, 400),
        ({"about": 7}, 400),
        ({"email": "nobody"}, 400),
        ({"vertical": "SPACE"}, 400),
        ({"vertical": ""}, 200),
        ({"colour": "red"}, 400),
        ({"profile_picture_handle": "4::unknown"}, 400),
        ({"messaging_product": "sms"}, 400),
    ],
)
async def test_a_profile_is_checked(graph: "Graph", given: dict[str, Any], status: int) -> None:
    answer = await written(graph, **given)
    assert answer.status == status
    assert status == 200 or answer.code == 100


async def test_a_picture_is_shown(graph: "Graph") -> None:
    begun = await graph.call("POST", "/900000000000001/uploads?file_length=4&file_type=image/png")
    headers = {"Authorization": "OAuth sim-token", "file_offset": "0"}
    handle = (await graph.call("POST", f"/{begun.json['id']}", headers=headers, data=b"\x89PNG")).json["h"]
    assert (await written(graph, profile_picture_handle=handle)).status == 200
    url = (await profile(graph, "profile_picture_url"))["profile_picture_url"]
    async with graph.session.get(url) as answer:
        assert (answer.status, answer.content_type, await answer.read()) == (200, "image/png", b"\x89PNG")
    async with graph.session.get(url + "9") as answer:
        assert answer.status == 404


# --- settings -----------------------------------------------------------------------------------------------

SETTINGS = {
    "calling": {"status": "DISABLED"},
    "payload_encryption": {"status": "DISABLED"},
    "storage_configuration": {"status": "DEFAULT"},
    "user_identity_change": {"enable_identity_key_check": False},
}


async def test_settings_are_kept(graph: "Graph", sim: Simulator) -> None:
    assert (await graph.call("GET", f"{NODE}/settings")).json == SETTINGS
    change = {
        "user_identity_change": {"enable_identity_key_check": True},
        "storage_configuration": {"status": "IN_COUNTRY_STORAGE_ENABLED", "data_localization_region": "CH"},
        "calling": {"status": "ENABLED"},
    }
    assert (await graph.call("POST", f"{NODE}/settings", json=change)).json == {"success": True}
    assert (await graph.call("GET", f"{NODE}/settings")).json == {**SETTINGS, **change}
    chosen = await graph.call("GET", f"{NODE}/settings?fields=calling")
    assert chosen.json == {"calling": {"status": "ENABLED"}}
    assert sim.parts.world.number.identity_check is True


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"colour": {}},
        {"calling": []},
        {"calling": {"status": "MAYBE"}},
        {"payload_encryption": {"status": "ENABLED"}},
        {"storage_configuration": {"status": "SOMEWHERE"}},
        {"storage_configuration": {"status": "IN_COUNTRY_STORAGE_ENABLED"}},
        {"storage_configuration": {"status": "NO_STORAGE_ENABLED"}},
        {"user_identity_change": {"enable_identity_key_check": "yes"}},
        {"user_identity_change": {"enable_identity_key_check": True}, "calling": {"status": "MAYBE"}},
    ],
)
async def test_settings_are_checked_all_or_none(graph: "Graph", given: dict[str, Any]) -> None:
    assert (await graph.call("POST", f"{NODE}/settings", json=given)).code == 100
    assert (await graph.call("GET", f"{NODE}/settings")).json == SETTINGS


# --- username -----------------------------------------------------------------------------------------------


async def adopt(graph: "Graph", username: str, node: str = NODE, **more: str) -> "Answer":
    return await graph.call("POST", f"{node}/username", json={"username": username, **more})


async def test_a_username_is_adopted_and_given_up(
    graph: "Graph", sim: Simulator, receiver: "Receiver"
) -> None:
    assert (await graph.call("GET", f"{NODE}/username")).json == {}
    assert (await adopt(graph, "OurCo")).json == {"status": "approved"}
    assert (await graph.call("GET", f"{NODE}/username")).json == {"username": "ourco", "status": "approved"}
    assert (await graph.call("GET", f"{NODE}?fields=username")).json == {"username": "ourco", "id": ID}
    assert (await graph.call("DELETE", f"{NODE}/username")).json == {"success": True}
    assert (await graph.call("DELETE", f"{NODE}/username")).code == 100
    told = {"display_phone_number": "15550100000", "username": "ourco"}
    assert await announced(sim, receiver) == [
        ("business_username_updates", {**told, "status": "approved"}),
        ("business_username_updates", {**told, "status": "deleted"}),
    ]


@pytest.mark.parametrize(
    ("username", "status"),
    [
        ("abc", 200),
        ("a" * 35, 200),
        ("a.b_9", 200),
        ("ab", 400),
        ("a" * 36, 400),
        ("123", 400),
        ("www.ab", 400),
    ],
)
async def test_usernames_have_a_shape(graph: "Graph", username: str, status: int) -> None:
    answer = await adopt(graph, username)
    assert answer.status == status
    assert status == 200 or answer.code == 100


@pytest.mark.parametrize(("by", "code"), [("somebody", 147001), ("facebook", 147003), ("instagram", 147004)])
async def test_usernames_of_others(graph: "Graph", by: str, code: int) -> None:
    held = {"username": "ourco", "by": by}
    assert await graph.control("POST", "/usernames", held) == (200, held)
    answer = await adopt(graph, "ourco")
    assert (answer.status, answer.code) == (400, code)
    await graph.control("POST", "/usernames", {"username": "ourco", "by": None})
    assert (await adopt(graph, "ourco")).status == 200


async def test_a_small_portfolio_has_no_username(graph: "Graph", sim: Simulator) -> None:
    for tier, status in (("TIER_250", 400), ("TIER_2K", 200)):
        sim.parts.accounts.change_portfolio("300000000000001", tier=tier)
        answer = await adopt(graph, "ourco")
        assert answer.status == status
        assert status == 200 or answer.code == 147002


async def test_a_username_moves_between_own_numbers_by_force(graph: "Graph", sim: Simulator) -> None:
    other = sim.parts.accounts.add_number(phone="+15550100001")
    node = f"/v25.0/{other.phone_number_id}"
    await adopt(graph, "ourco")
    assert (await adopt(graph, "ourco", node)).code == 147005
    assert (await adopt(graph, "ourco", node, transfer_action="none")).code == 147005
    assert (await adopt(graph, "ourco", node, transfer_action="steal")).code == 100
    assert (await adopt(graph, "ourco", node, transfer_action="force_transfer")).status == 200
    assert (await graph.call("GET", f"{NODE}/username")).json == {}


async def test_a_username_of_another_portfolio_is_gone(graph: "Graph", sim: Simulator) -> None:
    accounts = sim.parts.accounts
    waba = accounts.add_waba(portfolio_id=accounts.add_portfolio().id)
    accounts.add_number(phone="+15550100001", waba_id=waba.id, username="ourco")
    assert (await adopt(graph, "ourco", transfer_action="force_transfer")).code == 147001


# --- contact book -------------------------------------------------------------------------------------------


async def test_somebody_is_taken_out_of_the_contact_book(graph: "Graph", sim: Simulator) -> None:
    world = sim.parts.world
    ana = world.person("15550001111")
    book = world.accounts.portfolio_of(world.number).contact_book
    book.add(ana.wa_id)
    path = f"{NODE}/contact_book?messaging_product=whatsapp&bsuid="
    assert (await graph.call("DELETE", path + "US.unknown")).code == 100
    assert (await graph.call("DELETE", path)).code == 100
    assert (await graph.call("DELETE", f"{NODE}/contact_book?bsuid={ana.user_id}")).code == 100
    assert (await graph.call("DELETE", path + ana.user_id)).json == {"success": True}
    assert ana.wa_id not in book
