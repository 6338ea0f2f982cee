"""Why a message did or did not arrive, and what an operator does about it: over HTTP and at the terminal."""

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from harness.waiting import eventually
from harness.world import ALICE, CONFIRM, World
from sayso.cli.main import app
from sayso.messages import outcome, rules
from sayso.simulator.faults.model import DropAfter, DropBefore, FailLate, RefuseWithError


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "_RETRY_CAP_S", 0.05)


async def sent(world: World, words: str = "good morning", **changes: Any) -> str:
    return await world.api.sent(ALICE, content=words, **changes)


async def sayso(world: World, tmp_path: Path, *words: str, expect: int = 0) -> str:
    """Run ``sayso messages …`` beside the service; what it printed."""
    env_file = tmp_path / "env"
    env_file.write_text(
        f"DATABASE_URL={world.dsn}\nWHATSAPP_ACCESS_TOKEN=sim-token\nWHATSAPP_PHONE_NUMBER_ID=100000000000001\n"
        "WHATSAPP_BUSINESS_ACCOUNT_ID=200000000000001\nWHATSAPP_VERIFY_TOKEN=sim-verify\n"
        f"WHATSAPP_WEBHOOK_SECRET=sim-secret\nSAYSO_DATA_DIR={world.data_dir}\n"
    )
    words = ("messages", *words, "--env-file", str(env_file))
    done = await asyncio.to_thread(lambda: CliRunner(env={"COLUMNS": "200"}).invoke(app, words))
    assert done.exit_code == expect, (done.output, done.exception)
    return done.output


async def test_a_question_that_came_too_late_for_its_window_arrives_as_its_template(world: World) -> None:
    """Meta says so by a status, minutes after it took the message (131047)."""
    await world.open_window()
    world.sim.arm(FailLate(code=131047))
    asked = await world.api.ask(recipient=ALICE)
    message = await world.stands(asked["message_id"], "read")
    assert (message["form"], message["attempts"]) == ("template", 2)
    assert [post.accepted for post in world.wire.of(asked["message_id"])] == [True, True]
    assert await world.events("message.failed") == []
    prompt = world.sim.messages(to=ALICE)[-1]
    await world.tapped(prompt["wamid"], CONFIRM)
    assert (await world.api.outcome(asked["id"]))["outcome"] == "confirmed"


async def test_a_lost_answer_is_posted_once_more_where_that_was_asked_for(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outcome, "REPORT_UNKNOWN_AFTER", timedelta(seconds=0.2))
    await world.open_window()
    world.sim.arm(DropBefore())
    message_id = await sent(world, if_unknown="retry_once")
    message = await world.stands(message_id, "read")
    assert message["attempts"] == 2
    assert any("twice" in (step["reason"] or "") for step in message["timeline"])


async def test_a_duplicate_that_was_risked_is_told(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Meta had taken the first attempt, but kept its statuses back until after the second."""
    monkeypatch.setattr(outcome, "REPORT_UNKNOWN_AFTER", timedelta(seconds=0.2))
    await world.open_window()
    world.sim.hold_webhooks(on=True)
    world.sim.arm(DropAfter())
    message_id = await sent(world, if_unknown="retry_once")

    async def posted_twice() -> bool:
        row = await world.api.message(message_id)
        return bool(row["attempts"] == 2 and row["state"] == "accepted")

    await eventually(posted_twice, "the second attempt")
    world.sim.hold_webhooks(on=False)
    await world.stands(message_id, "read")
    await world.at_rest()
    timeline = (await world.api.message(message_id))["timeline"]
    assert any("attempt 1 did reach the person after all" in (step["reason"] or "") for step in timeline)


async def test_an_assistant_that_is_asked_settles_what_became_of_it_and_so_does_an_operator(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outcome, "REPORT_UNKNOWN_AFTER", timedelta(seconds=0.2))
    await world.open_window()
    world.sim.arm(DropBefore())
    message_id = await sent(world, if_unknown="ask")

    async def asked() -> list[dict[str, Any]]:
        return await world.events("message.unknown")

    [told] = await eventually(asked, "the question") or []
    assert told["data"]["asks"] is True
    route = told["data"]["settle"]["route"].removeprefix("POST ")
    status, body = await world.api.call("POST", route, json={"as": "retry"})
    assert (status, body["state"]) == (200, "queued")
    await world.stands(message_id, "read")
    status, body = await world.api.call("POST", route, json={"as": "failed"})
    assert (status, body["code"]) == (409, "not_unknown")
    world.sim.arm(DropBefore())
    other = await sent(world, "another", if_unknown="ask")
    await eventually(lambda: _told_of(world, other), "the second question")
    assert f"sayso messages settle {other} --as delivered" in await sayso(world, tmp_path, "why", other)
    for _ in range(2):
        assert f"{other}  delivered" in await sayso(world, tmp_path, "settle", other, "--as", "delivered")
    await sayso(world, tmp_path, "settle", message_id, "--as", "failed", expect=1)  # it has been read
    await sayso(world, tmp_path, "settle", "msg_nobody", "--as", "failed", expect=1)


async def _told_of(world: World, message_id: str) -> bool:
    return any(told["subject"] == message_id for told in await world.events("message.unknown"))


async def test_a_message_that_is_refused_again_and_again_is_a_dead_letter_until_it_is_retried(
    world: World, tmp_path: Path
) -> None:
    await world.open_window()
    world.sim.arm(RefuseWithError(code=131016, until_cleared=True))
    message_id = await sent(world)
    message = await world.stands(message_id, "failed")
    assert message["attempts"] == 5
    assert message["reason"].startswith("gave up after 5 attempts: Meta 131016")
    status, listed = await world.api.call("GET", "/dead-letters", params={"code": "131016"})
    assert status == 200
    [letter] = listed["messages"]
    assert (letter["id"], letter["retryable"]) == (message_id, True)
    assert letter["advice"]
    assert message_id in await sayso(world, tmp_path, "dead", "--code", "131016")
    told = await sayso(world, tmp_path, "why", message_id)
    assert "gave up after 5 attempts" in told
    assert f"sayso messages retry {message_id}" in told
    assert "would be sent again" in await sayso(world, tmp_path, "retry", "--code", "131016", "--dry-run")
    world.sim.clear_faults()
    assert "1 sent again" in await sayso(world, tmp_path, "retry", "--code", "131016", "--since", "1h")
    await world.stands(message_id, "read")
    assert "0 sent again" in await sayso(world, tmp_path, "retry", "--code", "131016")
    await sayso(world, tmp_path, "retry", message_id, expect=1)  # it has been read
    assert message_id in await sayso(world, tmp_path, "tail")
    told = await sayso(world, tmp_path, "why", message_id)
    assert "the person has read it" in told
    assert "after the POST" in told
    await sayso(world, tmp_path, "why", "msg_nobody", expect=1)
    await sayso(world, tmp_path, "retry", expect=1)


async def test_nobody_touches_anothers_messages(world: World) -> None:
    await world.open_window()
    world.sim.arm(RefuseWithError(code=100))
    message_id = await sent(world)
    await world.stands(message_id, "failed")
    stranger = world.api.as_(client="other")
    for what, body in (("cancel", None), ("retry", None), ("settle", {"as": "failed"})):
        status, said = await stranger.call("POST", f"/messages/{message_id}/{what}", json=body)
        assert (status, said["code"]) == (404, "not_found")
    assert (await stranger.call("GET", "/dead-letters"))[1]["messages"] == []
    _, done = await stranger.call("POST", "/messages/retry", json={"ids": [message_id]})
    assert (done["retried"], done["refused"]) == ([], [])
    status, said = await world.api.call("POST", "/messages/retry", json={})
    assert (status, said["code"]) == (422, "input_invalid")


async def test_a_dead_letter_to_somebody_who_has_left_is_not_listed_as_one_to_retry(world: World) -> None:
    await world.open_window()
    world.sim.arm(RefuseWithError(code=100))
    message_id = await sent(world)
    await world.stands(message_id, "failed")
    [letter] = (await world.api.call("GET", "/dead-letters"))[1]["messages"]
    assert (letter["retryable"], letter["why_not"]) == (True, None)
    await world.said("STOP")
    [letter] = (await world.api.call("GET", "/dead-letters"))[1]["messages"]
    assert letter["id"] == message_id
    assert letter["retryable"] is False
    assert "opted out" in letter["why_not"]


async def test_what_is_scheduled_can_be_cancelled_until_it_leaves(world: World, tmp_path: Path) -> None:
    await world.open_window()
    later = (world.rt.now() + timedelta(hours=1)).isoformat()
    message_id = await sent(world, send_at=later)
    for _ in range(2):
        status, said = await world.api.call("POST", f"/messages/{message_id}/cancel")
        assert (status, said["state"]) == (200, "cancelled")
    assert world.wire.of(message_id) == []
    at_the_terminal = await sent(world, "a third", send_at=later)
    assert "to go out at" in await sayso(world, tmp_path, "tail", "--state", "queued")
    for _ in range(2):
        assert f"{at_the_terminal}  cancelled" in await sayso(world, tmp_path, "cancel", at_the_terminal)
    assert "No message is queued." in await sayso(world, tmp_path, "tail", "--state", "queued")
    gone = await sent(world, "another")
    await world.stands(gone, "read")
    for too_late in (gone, "msg_nobody"):
        await sayso(world, tmp_path, "cancel", too_late, expect=1)
    status, said = await world.api.call("POST", f"/messages/{gone}/cancel")
    assert (status, said["code"]) == (409, "too_late")
    await world.keeps_its_promises()
