"""The ledger is read, exported and switched by whoever may; a key records once."""

import csv
import io

import pytest

from harness.service import token
from harness.world import ALICE, BEN, MEI, World
from stories.consent_stage import (
    OPERATOR,
    PROOF,
    entries,
    send,
    standing,
)


@pytest.fixture(autouse=True)
async def _opt_ins_are_needed(world: World) -> None:
    await world.needs_opt_ins()


async def test_the_whole_ledger_is_exported_to_an_operator_and_one_person_to_an_assistant(
    world: World,
) -> None:
    await world.opts_in()
    await world.opts_in(BEN, wording="=1+1")
    assert (await send(world))[0] == 202
    await world.said("STOP")
    status, answer = await world.api.call("GET", "/consents/export")
    assert (status, answer["code"]) == (403, "forbidden")
    operator = world.api.as_(client="ops", scopes=OPERATOR)
    status, every = await operator.call("GET", "/consents/export")
    assert (status, every["extent"], len(every["entries"])) == (200, "all", 3)
    status, hers = await world.api.call("GET", "/consents/export", params={"recipient": ALICE})
    assert [entry["action"] for entry in hers["entries"]] == ["granted", "withdrawn"]
    stranger = world.api.as_(client="other")
    for path in ("/consents", "/consents/export"):
        _, seen = await stranger.call("GET", path, params={"recipient": ALICE})
        assert seen["entries"] == []
    url = f"{world.api.url}/api/v1/whatsapp/consents/export?format=csv"
    bearer = {"Authorization": f"Bearer {token(scopes=OPERATOR)}"}
    async with world.api.session.get(url, headers=bearer) as download:
        rows = list(csv.DictReader(io.StringIO(await download.text())))
    assert [row["wording"] for row in rows] == ["Yes, message me.", "'=1+1", "STOP"]


async def test_nobody_is_made_by_looking_for_them(world: World) -> None:
    assert (await standing(world, MEI))["entries"] == []
    assert await world.rows("SELECT 1 FROM people") == []


async def test_a_policy_is_switched_by_an_operator_with_its_reason(world: World) -> None:
    body = {"category": "notifications", "opt_in_required": False, "reason": "contract of 2026"}
    assert (await world.api.call("PUT", "/consents/policy", json=body))[0] == 403
    operator = world.api.as_(client="ops", scopes=OPERATOR)
    status, told = await operator.call("PUT", "/consents/policy", json={**body, "reason": " "})
    assert (status, told["code"]) == (422, "input_invalid")
    status, told = await operator.call("PUT", "/consents/policy", json=body)
    assert (status, told["actor"]) == (200, "ops/alice")
    _, seen = await world.api.call("GET", "/consents/policy")
    assert [(p["category"], p["opt_in_required"]) for p in seen["policies"]] == [
        ("confirmations", True),
        ("notifications", False),
        ("daily_summary", True),
        ("marketing", True),
    ]
    assert (await send(world))[0] == 202


async def test_one_key_records_one_opt_in(world: World) -> None:
    for _ in range(2):
        status, _body = await world.api.call(
            "POST",
            "/consents",
            json={"recipient": ALICE, **PROOF},
            headers={"Idempotency-Key": "k1"},
        )
        assert status == 201
    assert len(await entries(world)) == 1
