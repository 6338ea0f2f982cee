"""What an assistant may ask beyond yes or no: of several, with a code, under a policy; asking twice asks once."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from harness.world import ALICE, BEN, CONFIRM, MEI, World, a_world

PAY: dict[str, Any] = {
    "action_type": "payment",
    "action_description": "pay the invoice",
    "action": {"amount": 50, "to": "Bob"},
}
POLICY = f"""
version = "7"

[action.payment]
tier = "high"
approvers = ["{ALICE}", "{BEN}"]
need = 2
auto = [
  {{ name = "tiny", then = "allow", match = {{ amount = {{ lt = 5 }} }} }},
  {{ name = "vast", then = "deny", match = {{ amount = {{ gt = 999 }} }} }},
  {{ name = "trial", then = "allow", match = {{ to = "Bob" }}, dry_run = true }},
]

[caps]
person_hour = 2
"""


@pytest.fixture
async def ruled(dsn: str, tmp_path: Path) -> AsyncIterator[World]:
    """Everything, under a policy."""
    path = tmp_path / "policy.toml"
    path.write_text(POLICY, "utf-8")
    async with a_world(dsn, tmp_path, sayso_policy_file=path) as world:
        yield world


async def post(world: World, key: str | None = None, **body: Any) -> tuple[int, dict[str, Any]]:
    headers = {"Idempotency-Key": key} if key else {}
    status, answer = await world.api.call("POST", "/confirmation", json=body, headers=headers)
    assert isinstance(answer, dict)
    return status, answer


async def test_the_same_question_is_asked_once_however_often_it_comes(world: World) -> None:
    body = {
        "action_type": "x",
        "action_description": "water the plants",
        "action_details": "now",
        "recipient": ALICE,
    }
    answers = await asyncio.gather(*(post(world, **body) for _ in range(6)))
    assert len({answer["id"] for _, answer in answers}) == 1
    assert sorted(status for status, _ in answers) == [200, 200, 200, 200, 200, 202]
    _, other = await post(world, **{**body, "action_details": "tomorrow"})
    assert other["id"] not in {answer["id"] for _, answer in answers}
    await world.sim.expect_message(to=ALICE, containing="water the plants")
    await world.keeps_its_promises()


async def test_a_key_of_the_business_gives_the_same_confirmation_to_four_workers(world: World) -> None:
    def body(n: int) -> dict[str, Any]:
        return {
            "action_type": "x",
            "action_description": f"ship it ({n})",
            "action_details": "now",
            "recipient": ALICE,
        }

    answers = await asyncio.gather(
        *(post(world, f"call-{n}", **body(n), dedupe_key="order-17") for n in range(4))
    )
    assert len({answer["id"] for _, answer in answers}) == 1
    assert [status for status, _ in answers].count(202) == 1
    rows = await world.rows("SELECT id FROM messages WHERE purpose = 'prompt'")
    assert len(rows) == 1


async def test_choices_are_sent_as_a_list_and_kept_with_the_question(world: World) -> None:
    await world.open_window()
    options = [{"label": day, "description": "all day"} for day in ("Monday", "Tuesday", "Friday", "Sunday")]
    status, asked = await post(
        world,
        action_type="x",
        action_description="Which day?",
        kind="choose",
        options=options,
        recipient=ALICE,
    )
    assert status == 202
    assert (asked["kind"], [option["id"] for option in asked["options"]]) == ("choose", ["1", "2", "3", "4"])
    prompt = await world.sim.expect_message(to=ALICE, containing="3. “Friday”")
    assert prompt["type"] == "interactive"


async def test_a_number_is_for_the_assistants_screen_and_not_in_the_text(world: World) -> None:
    await world.open_window()
    _, asked = await post(
        world, **{**PAY, "action": {"to": "Bob"}}, tier="high", challenge="number", recipient=ALICE
    )
    assert asked["number"].isdigit()
    prompt = await world.sim.expect_message(to=ALICE, containing="the number that the assistant shows you")
    assert asked["number"] not in prompt["shown"]


async def test_the_policy_asks_several_each_with_a_code_of_their_own(ruled: World) -> None:
    for person in (ALICE, BEN):
        await ruled.open_window(person)
    status, asked = await post(ruled, **PAY)
    assert status == 202
    assert (asked["tier"], asked["challenge"], asked["needed"], asked["number"]) == ("high", "code", 2, None)
    assert asked["policy_version"].startswith("7+")
    assert asked["dry_run"] == [{"name": "trial", "then": "allow"}]
    rows = await ruled.rows(
        "SELECT code, state, shown_hash FROM approvers WHERE confirmation_id = $1", asked["id"]
    )
    assert {row["state"] for row in rows} == {"asked"}
    assert len({row["code"] for row in rows}) == 2
    for person in (ALICE, BEN):
        prompt = await ruled.sim.expect_message(to=person, containing="reply with the code")
        assert sum(row["code"] in prompt["shown"] for row in rows) == 1
        assert "Amount: “50”\nTo: “Bob”" in prompt["shown"]


@pytest.mark.parametrize(
    ("amount", "outcome", "rule"), [(1, "confirmed", "tiny"), (5000, "declined", "vast")]
)
async def test_a_rule_decides_at_once_and_the_receipt_says_so(
    ruled: World, amount: int, outcome: str, rule: str
) -> None:
    status, decided = await post(ruled, **{**PAY, "action": {"amount": amount}})
    assert status == 200
    assert (decided["status"], decided["outcome"]) == ("decided", outcome)
    assert decided["answer"] == {"how": "policy", "rule": rule}
    status, receipt = await ruled.api.call(
        "GET", f"/confirmations/{decided['id']}/receipt", params={"format": "json"}
    )
    assert status == 200
    assert (receipt["claims"]["source"], receipt["claims"]["policy_version"]) == (
        "policy",
        decided["policy_version"],
    )
    assert "nobody was asked" in " ".join(receipt["claims"]["words"])
    assert await ruled.rows("SELECT id FROM messages") == []
    await ruled.keeps_its_promises()


async def test_nobody_the_policy_does_not_know_approves_and_limits_say_when_to_come_back(
    ruled: World,
) -> None:
    assert (await post(ruled, **PAY, recipient=MEI))[0] == 422
    assert (await post(ruled, **PAY, approvers=[ALICE, MEI]))[0] == 422
    for n in range(2):
        assert (await post(ruled, **{**PAY, "action": {"amount": 50 + n}}))[0] == 202
    wait = await told_to_wait(ruled, **{**PAY, "action": {"amount": 52}})
    assert await ruled.rows("SELECT 1 FROM confirmations OFFSET 2") == []
    ruled.let_pass(seconds=wait - 600)
    left = await told_to_wait(ruled, **{**PAY, "action": {"amount": 52}})
    ruled.let_pass(seconds=left)
    assert (await post(ruled, **{**PAY, "action": {"amount": 52}}))[0] == 202


async def told_to_wait(world: World, **body: Any) -> int:
    """Ask above a limit; after how many seconds to ask again."""
    headers = {"Authorization": f"Bearer {world.api.bearer}"}
    url = f"{world.api.url}/api/v1/whatsapp/confirmation"
    async with world.api.session.post(url, headers=headers, json=body) as answer:
        refused = await answer.json(content_type=None)
        assert (answer.status, refused["code"]) == (429, "too_many_questions")
        return int(answer.headers["Retry-After"])


async def test_a_question_takes_the_place_of_an_open_one_only(world: World) -> None:
    await world.open_window()
    old, prompt = await world.asked("sell the boat", undo_seconds=600)
    await world.tapped(prompt["wamid"], CONFIRM)
    new, shown = await world.asked("sell the ship", supersedes=old["id"])
    ended = await world.api.outcome(old["id"], wait=0)
    assert (ended["outcome"], ended["superseded_by"]) == ("superseded", new["id"])
    await world.sim.expect_message(to=ALICE, containing="another question takes the place of “sell the boat”")
    await world.tapped(prompt["wamid"], CONFIRM)
    await world.said("UNDO", quote=prompt["wamid"])
    assert (await world.api.outcome(old["id"], wait=0))["outcome"] == "superseded"
    assert (await world.api.outcome(new["id"], wait=0))["status"] == "pending"
    await world.tapped(shown["wamid"], CONFIRM)
    assert (await world.api.outcome(new["id"]))["outcome"] == "confirmed"
    status, refused = await post(
        world,
        action_type="x",
        action_description="sell it",
        action={"it": 1},
        recipient=ALICE,
        supersedes=old["id"],
    )
    assert (status, refused["errors"][0]["pointer"]) == (422, "/supersedes")
    await world.keeps_its_promises()


@pytest.mark.parametrize(
    "changes",
    [
        {"action_details": ""},
        {"kind": "choose"},
        {"kind": "ask", "tier": "high"},
        {"kind": "ask", "need": "all"},
        {"options": [{"label": "a"}, {"label": "b"}]},
        {"kind": "choose", "options": [{"label": "a", "id": "x"}, {"label": "b", "id": "x"}]},
        {"kind": "choose", "options": [{"label": "a", "id": "confirm"}, {"label": "b"}]},
        {"kind": "choose", "options": [{"label": "a"}, {"label": "A"}]},
        {"labels": {"confirm": "No"}},
        {"labels": {"decline": "Bestätigen"}},
        {"labels": {"confirm": "x" * 21}},
        {"approvers": [ALICE]},
        {"action": {"n": 2**60}},
        {"action": {"s": "\x00"}},
        {"action": {"s": "x" * 20_000}},
        {"escalation": [{"after": "soon", "to": "bob"}]},
    ],
)
async def test_what_makes_no_sense_is_refused_and_nothing_is_asked(
    world: World, changes: dict[str, Any]
) -> None:
    body = {"action_type": "x", "action_description": "do it", "action_details": "now", "recipient": ALICE}
    status, refused = await post(world, **{**body, **changes})
    assert (status, refused["code"]) in ((422, "input_invalid"), (422, "content_too_long")), refused
    assert await world.rows("SELECT 1 FROM confirmations") == []


async def test_a_policy_that_is_wrong_is_told_at_the_start_and_stops_the_asking_alone(
    dsn: str, tmp_path: Path
) -> None:
    path = tmp_path / "policy.toml"
    path.write_text(POLICY.replace('"high"', '"hihg"'), "utf-8")
    with capture_logs() as logs:
        async with a_world(dsn, tmp_path, sayso_policy_file=path):
            [told] = [each["detail"] for each in logs if each["event"] == "policy.wrong"]
    assert "policy.toml:5: action.payment.tier: " in told
    async with a_world(dsn, tmp_path, sayso_policy_file=path) as world:
        await world.api.link(ALICE)
        refused = await world.api.must(
            "POST", "/confirmation", expect=500, json={**PAY, "timeout_minutes": 5}
        )
        assert "policy.toml:5: action.payment.tier: " in refused["detail"]
        await world.open_window()
        await world.stands(await world.api.sent(ALICE, content="the news"), "read")
        path.write_text(POLICY.replace("need = 2", "need = 1"), "utf-8")
        await world.api.must("POST", "/confirmation", expect=202, json={**PAY, "timeout_minutes": 5})
