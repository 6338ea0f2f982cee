"""From the tap to the proof, the right to act and the report, over HTTP and on the phone."""

from typing import Any

from harness.decisions import ACTION
from harness.history import violations
from harness.world import CONFIRM, DECLINE, World
from sayso.client import verify


async def fetched(world: World, path: str) -> tuple[int, str, str]:
    """Status, content type and text of what is at a path."""
    headers = {"Authorization": f"Bearer {world.api.bearer}"}
    async with world.api.session.get(f"{world.api.url}{path}", headers=headers) as answer:
        return answer.status, answer.content_type, await answer.text()


async def receipt_of(world: World, confirmation_id: str, form: str = "jws") -> tuple[int, str, str]:
    return await fetched(world, f"/api/v1/whatsapp/confirmations/{confirmation_id}/receipt?format={form}")


async def published(world: World) -> dict[str, Any]:
    async with world.api.session.get(f"{world.api.url}/.well-known/jwks.json") as answer:
        assert answer.headers["cache-control"] == "public, max-age=300"
        found: dict[str, Any] = await answer.json(content_type="application/jwk-set+json")
        return found


async def test_a_tap_has_a_receipt_that_verifies_with_the_published_keys(world: World) -> None:
    await world.open_window()
    asked, prompt = await world.asked()
    status, _, text = await receipt_of(world, asked["id"])
    assert (status, "not_decided" in text) == (409, True)
    await world.tapped(prompt["wamid"], CONFIRM)
    status, kind, signed = await receipt_of(world, asked["id"])
    assert (status, kind) == (200, "application/jose")
    status, kind, whole = await receipt_of(world, asked["id"], "json")
    assert (status, kind) == (200, "application/json")
    jwks = await published(world)
    for text in (signed, whole):
        verdict = verify.check(verify.read(text), jwks, action=ACTION, audience="assistant")
        assert verdict.proven, verdict.reasons
    [approval] = verdict.claims["approvals"]
    [update] = await world.rows(
        "SELECT body_digest FROM updates WHERE kind = 'message' ORDER BY id DESC LIMIT 1"
    )
    assert approval["webhook"] == update["body_digest"].hex()
    assert (approval["how"], approval["verdict"]) == ("button", "confirm")
    opened = (verify.read(whole).beside or {})["opened"]["approvals"][0]
    assert opened["prompt"]["value"] == opened["quoted"]["value"] == prompt["wamid"]


async def test_what_was_confirmed_is_claimed_once_carried_out_and_told(world: World) -> None:
    await world.open_window()
    asked, prompt = await world.asked()
    await world.tapped(prompt["wamid"], CONFIRM)
    claim = f"/confirmations/{asked['id']}/claim"
    key = {"headers": {"Idempotency-Key": "k1"}}
    status, grant = await world.api.call("POST", claim, json={"action": ACTION}, **key)
    assert (status, grant["action_hash"]) == (201, verify.action_hash(ACTION))
    again = await world.api.call("POST", claim, json={"action_hash": grant["action_hash"]}, **key)
    assert again == (201, grant), "the same key gives the same grant"
    status, refused = await world.api.call("POST", claim, json={"action": ACTION})
    assert (status, refused["code"]) == (409, "already_claimed")
    done = {"status": "done", "note": "the invitation is sent", "tell_person": True}
    status, reported = await world.api.call("POST", f"/confirmations/{asked['id']}/execution", json=done)
    assert (status, reported["status"]) == (200, "done")
    said = await world.sim.expect_message(to="+15550001111", containing="the invitation is sent")
    assert "Done: “schedule a meeting with John”" in str(said)
    [event] = await world.events("confirmation.executed")
    assert event["data"] == {
        "confirmation_id": asked["id"],
        "status": "done",
        "note": "the invitation is sent",
    }
    await world.keeps_its_promises()


async def test_a_no_is_proved_too_and_gives_no_right(world: World) -> None:
    await world.open_window()
    asked, prompt = await world.asked()
    await world.tapped(prompt["wamid"], DECLINE)
    _, _, signed = await receipt_of(world, asked["id"])
    claims = verify.check(verify.read(signed), await published(world)).claims
    assert (claims["outcome"], claims["use_by"]) == ("declined", None)
    status, refused = await world.api.call(
        "POST", f"/confirmations/{asked['id']}/claim", json={"action": ACTION}
    )
    assert (status, refused["code"]) == (409, "not_confirmed")


async def test_a_claim_names_one_action_and_names_it_well(world: World) -> None:
    await world.open_window()
    asked, prompt = await world.asked()
    await world.tapped(prompt["wamid"], CONFIRM)
    path = f"/confirmations/{asked['id']}/claim"
    for body in (
        {},
        {"action": ACTION, "action_hash": "ab" * 32},
        {"action_hash": "AB" * 32},
        {"action": {"n": 2**60}},
    ):
        status, refused = await world.api.call("POST", path, json=body)
        assert (status, refused["code"]) == (422, "input_invalid"), body
    other = {**ACTION, "action_details": "tomorrow at 4 PM"}
    status, refused = await world.api.call("POST", path, json={"action": other})
    assert (status, refused["code"]) == (409, "action_mismatch")


async def test_nobody_else_sees_a_receipt(world: World) -> None:
    await world.open_window()
    asked, prompt = await world.asked()
    await world.tapped(prompt["wamid"], CONFIRM)
    other = world.api.as_(client="other")
    for method, path in (("GET", "receipt"), ("POST", "claim"), ("POST", "execution")):
        body = {"claim": {"action": ACTION}, "execution": {"status": "done"}}.get(path)
        status, refused = await other.call(method, f"/confirmations/{asked['id']}/{path}", json=body)
        assert (status, refused["code"]) == (404, "not_found")


async def test_an_erased_person_leaves_a_receipt_that_holds_and_tells_of_nobody(world: World) -> None:
    await world.open_window()
    await world.api.link("+15550001111")
    asked, prompt = await world.asked()
    await world.tapped(prompt["wamid"], CONFIRM)
    _, _, before = await receipt_of(world, asked["id"])
    await world.at_rest()
    status, body = await world.api.call("DELETE", "/people/alice")
    assert status == 200, body
    _, _, after = await receipt_of(world, asked["id"], "json")
    receipt = verify.read(after)
    assert receipt.jws == before
    assert receipt.beside is not None
    assert receipt.beside["erased"] is True
    assert "15550001111" not in after
    assert verify.check(receipt, await published(world)).proven


async def test_a_decision_without_its_proof_breaks_a_promise(world: World) -> None:
    await world.open_window()
    asked, prompt = await world.asked()
    await world.tapped(prompt["wamid"], CONFIRM)
    await world.keeps_its_promises()
    await world.rows("DELETE FROM receipts RETURNING 1")
    assert violations(await world.history()) == [
        f"{asked['id']} is confirmed, but ['(no receipt)'] is proved"
    ]
