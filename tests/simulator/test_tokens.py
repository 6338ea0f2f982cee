"""Tokens: how they come, what they may, when they are over, how they are got (cloud-api.md 1.3)."""

from typing import TYPE_CHECKING, Any

import aiohttp
import pytest

from sayso.simulator import Simulator
from sayso.simulator.graph.tokens import proof_of
from sayso.simulator.world.media import store

if TYPE_CHECKING:
    from simulator.conftest import Graph

DAY_S = 86_400
APP, SECRET, APP_TOKEN = "900000000000001", "sim-secret", "900000000000001|sim-secret"
NODE = "/v25.0/100000000000001"
CLIENT = f"client_id={APP}&client_secret={SECRET}"


def bearer(value: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {value}"}


@pytest.mark.parametrize(
    ("path", "sent"),
    [
        (NODE, {"headers": {"Authorization": "Bearer sim-token"}}),
        (NODE, {"headers": {"Authorization": "bearer sim-token"}}),
        (NODE, {"headers": {"Authorization": "OAuth sim-token"}}),
        (f"{NODE}?access_token=sim-token", {"headers": {}}),
        (f"{NODE}?access_token=sim-token", {"headers": {"Authorization": "Bearer of-less-weight"}}),
    ],
)
async def test_where_a_token_may_stand(graph: "Graph", path: str, sent: dict[str, Any]) -> None:
    assert (await graph.call("GET", path, **sent)).status == 200


@pytest.mark.parametrize("kind", ["json", "data"])
async def test_a_token_in_the_body(graph: "Graph", kind: str) -> None:
    sent = {kind: {"access_token": "sim-token", "pin": "123456"}}
    assert (await graph.call("POST", NODE, headers={}, **sent)).json == {"success": True}


async def test_an_expired_token(graph: "Graph", sim: Simulator) -> None:
    sim.clock.start_at(1_795_000_000, 0)
    token = sim.parts.accounts.add_token(expires_in_s=60)
    assert (await graph.call("GET", NODE, headers=bearer(token.value))).status == 200
    sim.advance(59)
    assert (await graph.call("GET", NODE, headers=bearer(token.value))).status == 200
    sim.advance(1)
    answer = await graph.call("GET", NODE, headers=bearer(token.value))
    error = answer.json["error"]
    assert (answer.status, error["code"], error["error_subcode"]) == (401, 190, 463)
    assert error["message"] == (
        "(#190) Error validating access token: Session has expired on Wednesday, 18-Nov-26 11:07:40 UTC. "
        "The current time is Wednesday, 18-Nov-26 11:07:40 UTC."
    )


@pytest.mark.parametrize("subcode", [460, 467])
async def test_an_invalidated_token(graph: "Graph", sim: Simulator, subcode: int) -> None:
    sim.parts.accounts.change_token("sim-token", subcode=subcode)
    answer = await graph.call("GET", NODE)
    assert (answer.status, answer.code, answer.json["error"]["error_subcode"]) == (401, 190, subcode)
    sim.parts.accounts.change_token("sim-token", subcode=None)
    assert (await graph.call("GET", NODE)).status == 200


MESSAGING, MANAGEMENT = "whatsapp_business_messaging", "whatsapp_business_management"


@pytest.mark.parametrize(
    ("scopes", "sends", "manages"),
    [
        ([MESSAGING, MANAGEMENT], None, None),
        ([MESSAGING], None, 200),
        ([MANAGEMENT], 10, None),
        ([], 10, 200),
    ],
)
async def test_permissions(
    graph: "Graph", sim: Simulator, scopes: list[str], sends: int | None, manages: int | None
) -> None:
    graph.token = sim.parts.accounts.add_token(scopes=scopes).value
    for answer, code in ((await graph.text(), sends), (await graph.call("GET", NODE), manages)):
        assert answer.status == (200 if code is None else 403)
        assert code is None or answer.code == code


async def test_a_token_reaches_its_accounts_only(graph: "Graph", sim: Simulator) -> None:
    accounts = sim.parts.accounts
    other = accounts.add_waba(name="Other")
    number = accounts.add_number(phone="+44 7700 900001", waba_id=other.id)
    graph.token = accounts.add_token(waba_ids=[other.id]).value
    assert (await graph.call("GET", f"/v25.0/{number.phone_number_id}")).status == 200
    refused = await graph.call("GET", NODE)
    assert (refused.status, refused.code) == (403, 200)


async def test_the_proof_is_asked_for_when_required(graph: "Graph", sim: Simulator) -> None:
    sim.parts.accounts.change_app(APP, require_proof=True)
    proof = proof_of("sim-token", SECRET)
    assert (await graph.call("GET", f"{NODE}?appsecret_proof={proof}")).status == 200
    for query in ("", "?appsecret_proof=wrong"):
        answer = await graph.call("GET", NODE + query)
        assert (answer.status, answer.code) == (400, 100)
        assert "appsecret_proof" in answer.json["error"]["message"]
    assert (await graph.call("POST", NODE, data={"pin": "123456", "appsecret_proof": proof})).status == 200


async def test_a_wrong_proof_is_refused_even_if_none_is_required(graph: "Graph") -> None:
    assert (await graph.call("GET", f"{NODE}?appsecret_proof=wrong")).code == 100
    assert (await graph.call("GET", f"{NODE}?appsecret_proof=")).code == 100
    assert (await graph.text(appsecret_proof="wrong")).code == 100
    for kind in ("data", "json"):
        sent = {kind: {"pin": "123456", "appsecret_proof": "wrong"}}
        assert (await graph.call("POST", NODE, **sent)).code == 100
    assert (await graph.text("what is appsecret_proof?", appsecret_proof=None)).status == 200


async def test_token_and_proof_as_parts_of_a_form(graph: "Graph", sim: Simulator) -> None:
    sim.parts.accounts.change_app(APP, require_proof=True)
    for proof, status in ((proof_of("sim-token", SECRET), 200), ("wrong", 400)):
        form = aiohttp.FormData(
            {"access_token": "sim-token", "pin": "123456", "appsecret_proof": proof},
            default_to_multipart=True,
        )
        assert (await graph.call("POST", NODE, headers={}, data=form)).status == status


async def test_media_are_downloaded_without_a_proof(graph: "Graph", sim: Simulator) -> None:
    """The URL that is given out carries none, and clients add none to it."""
    world = sim.parts.world
    media = store(world, world.number, "image/jpeg", b"\xff\xd8\xff")
    sim.parts.accounts.change_app(APP, require_proof=True)
    proof = proof_of("sim-token", SECRET)
    url = (await graph.call("GET", f"/v25.0/{media.id}?appsecret_proof={proof}")).json["url"]
    for token, status in (("sim-token", 200), ("wrong", 401)):
        async with graph.session.get(url, headers=bearer(token)) as answer:
            assert answer.status == status
    async with graph.session.get(f"{url}&appsecret_proof=wrong", headers=bearer("sim-token")) as answer:
        assert answer.status == 400


@pytest.mark.parametrize(("scope", "status"), [(MESSAGING, 200), (MANAGEMENT, 403)])
async def test_a_token_grants_no_more_than_it_has(
    graph: "Graph", sim: Simulator, scope: str, status: int
) -> None:
    token = sim.parts.accounts.add_token(scopes=[MESSAGING]).value
    given = {"business_app": APP, "scope": scope, "appsecret_proof": proof_of(token, SECRET)}
    answer = await graph.call("POST", f"/v25.0/{USER}/access_tokens", headers=bearer(token), json=given)
    assert answer.status == status
    assert status == 200 or answer.code == 200


def test_the_proof_is_hex_of_hmac_sha256() -> None:
    assert proof_of("message", "key") == "6e9ef29b75fffc5b7abae527d58fdadb2fe42e7219011976917343065f58ed4a"


# --- getting tokens -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_an_app_s_own_token(graph: "Graph", method: str) -> None:
    path = f"/v25.0/oauth/access_token?grant_type=client_credentials&{CLIENT}"
    answer = await graph.call(method, path, headers={})
    token = answer.json["access_token"]
    assert answer.json == {"access_token": token, "token_type": "bearer"}
    assert token.startswith(f"{APP}|")
    assert (await graph.call("GET", f"/{APP}/subscriptions", headers=bearer(token))).status == 200
    again = await graph.call(method, path, headers={})
    assert again.json["access_token"] == token


@pytest.mark.parametrize("expiring", [True, False])
async def test_a_token_is_refreshed(graph: "Graph", sim: Simulator, expiring: bool) -> None:
    sim.clock.run(0)
    old = sim.parts.accounts.add_token(expires_in_s=30 * DAY_S)
    flag = "&set_token_expires_in_60_days=true" if expiring else ""
    path = (
        f"/v25.0/oauth/access_token?grant_type=fb_exchange_token&{CLIENT}&fb_exchange_token={old.value}{flag}"
    )
    answer = await graph.call("GET", path, headers={})
    fresh = answer.json["access_token"]
    told = {"access_token": fresh, "token_type": "bearer"} | ({"expires_in": 60 * DAY_S} if expiring else {})
    assert answer.json == told
    assert fresh != old.value
    sim.advance(30 * DAY_S)
    assert (await graph.call("GET", NODE, headers=bearer(old.value))).code == 190, "at its own time"
    assert (await graph.call("GET", NODE, headers=bearer(fresh))).status == 200
    sim.advance(30 * DAY_S)
    assert (await graph.call("GET", NODE, headers=bearer(fresh))).status == (401 if expiring else 200)


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        (f"grant_type=client_credentials&client_id={APP}", 400, 100),
        (f"grant_type=client_credentials&client_id={APP}&client_secret=wrong", 400, 1),
        ("grant_type=client_credentials&client_id=1&client_secret=x", 400, 101),
        (f"{CLIENT}", 400, 100),
        (f"grant_type=authorization_code&{CLIENT}", 400, 100),
        (f"grant_type=fb_exchange_token&{CLIENT}", 400, 100),
        (f"grant_type=fb_exchange_token&{CLIENT}&fb_exchange_token=unknown", 401, 190),
        (f"grant_type=fb_exchange_token&{CLIENT}&fb_exchange_token={APP}%7C{SECRET}", 400, 100),
    ],
)
async def test_grants_are_checked(graph: "Graph", query: str, status: int, code: int) -> None:
    answer = await graph.call("GET", f"/oauth/access_token?{query}", headers={})
    assert (answer.status, answer.code) == (status, code)


async def test_an_expired_token_is_lost(graph: "Graph", sim: Simulator) -> None:
    old = sim.parts.accounts.add_token(expires_in_s=0)
    path = f"/oauth/access_token?grant_type=fb_exchange_token&{CLIENT}&fb_exchange_token={old.value}"
    assert (await graph.call("GET", path, headers={})).code == 190


USER = "300000000000009"


async def test_a_system_user_gets_a_token(graph: "Graph", sim: Simulator) -> None:
    sim.clock.run(0)
    given = {
        "business_app": APP,
        "scope": f"{MESSAGING},{MANAGEMENT}",
        "appsecret_proof": proof_of("sim-token", SECRET),
        "set_token_expires_in_60_days": "true",
    }
    answer = await graph.call("POST", f"/v25.0/{USER}/access_tokens", data=given)
    assert set(answer.json) == {"access_token"}
    token = sim.parts.world.accounts.tokens[answer.json["access_token"]]
    assert (token.scopes, token.user_id) == ((MESSAGING, MANAGEMENT), USER)
    assert token.expires_at == sim.clock.now() + 60 * DAY_S


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"appsecret_proof": ""}, 100),
        ({"appsecret_proof": "wrong"}, 100),
        ({"business_app": "1"}, 100),
        ({"scope": "ads_management"}, 100),
        ({"scope": ""}, 100),
    ],
)
async def test_a_system_user_s_token_is_checked(graph: "Graph", change: dict[str, str], code: int) -> None:
    given = {"business_app": APP, "scope": MESSAGING, "appsecret_proof": proof_of("sim-token", SECRET)}
    answer = await graph.call("POST", f"/{USER}/access_tokens", data=given | change)
    assert (answer.status, answer.code) == (400, code)


async def test_only_the_system_user_itself(graph: "Graph", sim: Simulator) -> None:
    stranger = sim.parts.accounts.add_token(user_id="42").value
    given = {"business_app": APP, "scope": MESSAGING, "appsecret_proof": proof_of(stranger, SECRET)}
    answer = await graph.call("POST", f"/{USER}/access_tokens", headers=bearer(stranger), data=given)
    assert answer.code == 200


async def test_a_revoked_token_is_over_at_once(graph: "Graph", sim: Simulator) -> None:
    token = sim.parts.accounts.add_token().value
    path = f"/v25.0/oauth/revoke?{CLIENT}&revoke_token={token}&access_token=sim-token"
    assert (await graph.call("GET", path, headers={})).json == {"success": True}
    answer = await graph.call("GET", NODE, headers=bearer(token))
    assert (answer.code, answer.json["error"]["error_subcode"]) == (190, 467)
    unknown = f"/v25.0/oauth/revoke?{CLIENT}&revoke_token=unknown&access_token=sim-token"
    assert (await graph.call("GET", unknown, headers={})).code == 100


# --- looking at tokens --------------------------------------------------------------------------------------


async def test_a_token_is_described_whole(graph: "Graph", sim: Simulator) -> None:
    sim.clock.start_at(1_795_000_000, 0)
    token = sim.parts.accounts.add_token(waba_ids=["200000000000001"]).value
    answer = await graph.call(
        "GET", f"/v25.0/debug_token?input_token={token}&access_token={APP_TOKEN}", headers={}
    )
    assert answer.json == {
        "data": {
            "app_id": APP,
            "type": "SYSTEM_USER",
            "application": "Sayso",
            "is_valid": True,
            "issued_at": 1_795_000_000,
            "expires_at": 0,
            "data_access_expires_at": 0,
            "scopes": [MANAGEMENT, MESSAGING],
            "granular_scopes": [
                {"scope": MANAGEMENT, "target_ids": ["200000000000001"]},
                {"scope": MESSAGING, "target_ids": ["200000000000001"]},
            ],
            "user_id": USER,
        }
    }


async def test_tokens_that_are_over_say_why(graph: "Graph", sim: Simulator) -> None:
    accounts = sim.parts.accounts
    for token, subcode in ((accounts.add_token(expires_in_s=0), 463), (accounts.add_token(subcode=460), 460)):
        data = (await graph.call("GET", f"/debug_token?input_token={token.value}")).json["data"]
        assert data["is_valid"] is False
        assert (data["error"]["code"], data["error"]["subcode"]) == (190, subcode)
        assert data["error"]["message"].startswith("Error validating access token: ")


async def test_other_tokens(graph: "Graph", sim: Simulator) -> None:
    unknown = await graph.call("GET", "/debug_token?input_token=unknown")
    assert unknown.json == {
        "data": {
            "error": {"code": 190, "message": "Invalid OAuth access token - Cannot parse access token"},
            "is_valid": False,
            "scopes": [],
        }
    }
    own = await graph.call("GET", f"/debug_token?input_token={APP}%7C{SECRET}")
    assert own.json == {
        "data": {"app_id": APP, "type": "APP", "application": "Sayso", "is_valid": True, "scopes": []}
    }
    other = sim.parts.accounts.add_token(app_id=sim.parts.accounts.add_app().id).value
    assert (await graph.call("GET", f"/debug_token?input_token={other}")).code == 100
    assert (await graph.call("GET", "/debug_token")).code == 100
    assert (await graph.call("GET", "/debug_token?input_token=x", headers={})).code == 104
