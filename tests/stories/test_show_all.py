"""What a question has no room for is shown before a yes counts; who has been asked enough is not asked more."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from harness.world import ALICE, BEN, CONFIRM, World, a_world
from sayso.client import verify

FIELDS = {f"field{n:02}": f"value {n} of some length" for n in range(20)}
SHOW = 0


async def all_of_it(world: World) -> dict[str, Any]:
    """The message with every field, as it reached Alice."""
    message = await world.sim.expect_message(to=ALICE, containing="All of it, before you decide:")
    assert [name for name, value in FIELDS.items() if f"{name}: “{value}”" not in message["shown"]] == []
    await world.at_rest()
    return message


async def confirmed(world: World, asked: dict[str, Any], whole: dict[str, Any]) -> list[str]:
    """Alice confirms what she was shown; what became of all her answers, once the receipt holds."""
    await world.tapped(whole["wamid"], CONFIRM)
    assert (await world.api.outcome(asked["id"]))["outcome"] == "confirmed"
    status, receipt = await world.api.call(
        "GET", f"/confirmations/{asked['id']}/receipt", params={"format": "json"}
    )
    assert status == 200
    assert receipt["rest"][0] is not None
    assert verify.action_hash(receipt["rest"][0]) == receipt["claims"]["approvals"][0]["shown"]["rest"]
    assert any("left out" in line for line in receipt["claims"]["words"])
    await world.keeps_its_promises()
    return [row["effect"] for row in await world.rows("SELECT effect FROM answers ORDER BY id")]


async def test_a_yes_before_all_was_shown_shows_all_and_decides_nothing(world: World) -> None:
    await world.open_window()
    asked, prompt = await world.asked(action=FIELDS)
    assert asked["hidden_fields"] > 0
    assert prompt["buttons"] == ["Show all", "Decline", "Cancel"]
    await world.said("Yes")
    whole = await all_of_it(world)
    await world.tapped(prompt["wamid"], SHOW)
    await world.sim.expect_message(to=ALICE, containing="All of it", after=whole["wamid"])
    assert (await world.api.outcome(asked["id"], wait=0))["status"] == "pending"
    assert await confirmed(world, asked, whole) == ["unseen", "unseen", "decided"]


async def test_the_fixed_button_of_a_template_shows_all_first(world: World) -> None:
    asked, prompt = await world.asked(action=FIELDS)
    assert "Show all" not in str(prompt["buttons"])
    await world.tapped(prompt["wamid"], CONFIRM)
    assert await confirmed(world, asked, await all_of_it(world)) == ["unseen", "decided"]


@pytest.fixture
async def ruled(dsn: str, tmp_path: Path) -> AsyncIterator[World]:
    """Everything, where one open question is enough, and reminders may cost something."""
    path = tmp_path / "policy.toml"
    path.write_text(
        'version = "1"\n[default]\nremind_by_template = true\n[caps]\nperson_open = 1\n', encoding="utf-8"
    )
    async with a_world(dsn, tmp_path, sayso_policy_file=path) as world:
        yield world


async def test_outside_the_window_the_template_comes_again_where_the_policy_wants_it(ruled: World) -> None:
    asked, first = await ruled.asked(remind_minutes_before=5)
    ruled.let_pass(minutes=26)
    again = await ruled.sim.expect_message(to=ALICE, containing="meeting with John", after=first["wamid"])
    assert (again["type"], again["buttons"]) == ("template", first["buttons"])
    await ruled.tapped(again["wamid"], CONFIRM)
    assert (await ruled.api.outcome(asked["id"]))["outcome"] == "confirmed"
    await ruled.keeps_its_promises()
    assert len([each for each in ruled.sim.messages(to=ALICE) if each["type"] == "template"]) == 2


async def test_who_has_enough_to_answer_is_asked_no_more_and_by_escalation_later(ruled: World) -> None:
    for user, number in {"alice": ALICE, "ben": BEN}.items():
        await ruled.api.link(number, user=user, name=user.title())
        await ruled.open_window(number)
    bens, prompt = await ruled.asked("water the plants", person=BEN, timeout_minutes=120)
    body = {"action_type": "x", "action_description": "feed the cat", "action_details": "now"}
    status, refused = await ruled.api.call("POST", "/confirmation", json={**body, "recipient": BEN})
    assert (status, refused["code"]) == (429, "too_many_questions")
    assert "1 question to one person open at once" in refused["detail"]
    step = {"after": "10m", "when": "unanswered", "to": "ben"}
    asked = await ruled.api.ask(approvers=["alice"], escalation=[step], timeout_minutes=120)
    ruled.let_pass(minutes=11)
    await ruled.at_rest()
    assert [each["state"] for each in (await ruled.api.outcome(asked["id"], wait=0))["approvers"]] == [
        "asked",
        "waiting",
    ]
    await ruled.tapped(prompt["wamid"], CONFIRM, person=BEN)
    assert (await ruled.api.outcome(bens["id"]))["outcome"] == "confirmed"
    ruled.let_pass(minutes=2)
    await ruled.sim.expect_message(to=BEN, containing="meeting with John")
    await ruled.keeps_its_promises()
