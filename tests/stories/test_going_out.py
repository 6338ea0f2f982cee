"""Nothing is sent twice blindly, nothing is lost, and each message says why it did or did not go out."""

import random
from datetime import timedelta
from typing import Any

import pytest

from harness.forgetful import Forgetful
from harness.waiting import eventually
from harness.world import ALICE, World
from sayso.messages import outcome, rules
from sayso.simulator.faults.model import Delay, DropAfter, DropBefore, FailLate, RefuseWithError


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "_RETRY_CAP_S", 0.2)


async def sent(world: World, words: str = "good morning", **changes: Any) -> str:
    return await world.api.sent(ALICE, content=words, **changes)


async def accepted_before_its_statuses(world: World) -> str:
    """Send, and keep Meta's statuses back until its answer is written down."""
    world.sim.hold_webhooks(on=True)
    message_id = await sent(world)
    await world.stands(message_id, "accepted")
    world.sim.hold_webhooks(on=False)
    return message_id


async def test_a_message_tells_its_whole_story(world: World) -> None:
    await world.open_window()
    message_id = await accepted_before_its_statuses(world)
    message = await world.stands(message_id, "read")
    states = [step["state"] for step in message["timeline"]]
    assert states[:3] == ["queued", "sending", "accepted"]
    assert states[-1] == "read"
    assert (message["attempts"], message["form"]) == (1, "session")
    await world.keeps_its_promises()


async def test_statuses_that_come_before_our_own_commit_move_the_message_and_name_it(world: World) -> None:
    await world.open_window()
    held = world.wire.hold("after", containing="good morning")
    message_id = await sent(world)
    await held.arrived()
    overtaken = await world.stands(message_id, "read")
    assert overtaken["wamid"] == world.sim.messages(to=ALICE)[-1]["wamid"]
    held.release()
    await world.at_rest()
    after = await world.api.message(message_id)
    assert (after["state"], after["wamid"]) == ("read", overtaken["wamid"])
    assert "overtook" in after["timeline"][-1]["reason"]
    await world.keeps_its_promises()


async def test_a_failure_that_comes_before_our_own_commit_stays_a_failure(world: World) -> None:
    held = world.wire.hold("after", containing="good morning")
    message_id = await sent(world)  # outside the window: Meta accepts, and then fails it
    await held.arrived()
    await world.stands(message_id, "failed")
    held.release()
    await world.at_rest()
    assert (await world.api.message(message_id))["error_code"] == 131047
    assert len(await world.events("message.failed")) == 1
    await world.keeps_its_promises()


async def test_meta_answers_after_its_statuses(world: World) -> None:
    await world.open_window()
    world.sim.arm(Delay(delay_s=0.3, after_accept=True))
    asked, prompt = await world.asked()
    await world.tapped(prompt["wamid"], 0)
    assert (await world.api.outcome(asked["id"]))["outcome"] == "confirmed"
    await world.keeps_its_promises()


async def test_statuses_shuffled_and_doubled_only_move_a_message_forward(world: World) -> None:
    await world.open_window()
    seed = random.SystemRandom().randrange(2**32)
    dice = random.Random(seed)
    world.sim.hold_webhooks(on=True)
    ids = [await sent(world, f"line {number}") for number in range(5)]
    for message_id in ids:
        await world.stands(message_id, "accepted")
    await eventually(lambda: _held(world, 15), "three statuses of each message")
    bodies = [hook["body"].encode() for hook in world.sim.webhooks(state="held")] * 3
    dice.shuffle(bodies)
    for body in bodies:
        assert await world.deliver(body=body) == 200
    world.sim.hold_webhooks(on=False)
    for message_id in ids:
        assert (await world.stands(message_id, "read"))["state"] == "read", f"seed {seed}"
    await world.keeps_its_promises()


async def _held(world: World, at_least: int) -> bool:
    return len(world.sim.webhooks(state="held")) >= at_least


async def test_while_meta_is_down_a_message_waits_and_then_goes_out_once(world: World) -> None:
    await world.open_window()
    await world.wire.go_down()
    message_id = await sent(world)

    async def tried() -> bool:
        message = await world.api.message(message_id)
        return bool(message["attempts"] >= 3 and message["reason"])

    await eventually(tried, "three attempts that provably got nowhere")
    assert world.wire.of(message_id) == []
    await world.wire.come_up()
    await world.stands(message_id, "read")
    assert [post.accepted for post in world.wire.of(message_id)] == [True]
    await world.keeps_its_promises()


async def test_an_answer_lost_after_acceptance_is_settled_by_the_status_that_carries_our_id(
    world: World,
) -> None:
    await world.open_window()
    world.sim.hold_webhooks(on=True)
    world.sim.arm(DropAfter())
    message_id = await sent(world)
    unknown = await world.stands(message_id, "unknown")
    assert (unknown["wamid"], bool(unknown["reason"])) == (None, True)
    world.sim.hold_webhooks(on=False)
    settled = await world.stands(message_id, "read")
    assert settled["wamid"]
    assert len(world.wire.of(message_id)) == 1
    await world.keeps_its_promises()


async def test_a_question_whose_answer_from_meta_was_lost_can_still_be_confirmed(world: World) -> None:
    world.sim.arm(DropAfter())
    asked = await world.api.ask(recipient=ALICE)
    prompt = await world.sim.expect_message(to=ALICE, containing="schedule")
    await world.tapped(prompt["wamid"], 0)
    assert (await world.api.outcome(asked["id"]))["outcome"] == "confirmed"
    await world.keeps_its_promises()


@pytest.mark.parametrize(
    "fault",
    [DropBefore(), RefuseWithError(code=131000, http_status=500), RefuseWithError(code=2, http_status=503)],
)
async def test_what_may_have_been_accepted_is_never_posted_again_and_reported(
    world: World, monkeypatch: pytest.MonkeyPatch, fault: Any
) -> None:
    monkeypatch.setattr(outcome, "REPORT_UNKNOWN_AFTER", timedelta(seconds=0.2))
    await world.open_window()
    world.sim.arm(fault)
    message_id = await sent(world)
    await world.stands(message_id, "unknown")

    async def reported() -> bool:
        return [event["subject"] for event in await world.events("message.unknown")] == [message_id]

    await eventually(reported, "the report")
    assert len(world.wire.of(message_id)) == 1
    assert (await world.api.message(message_id))["state"] == "unknown"
    await world.keeps_its_promises()


async def test_a_refusal_that_may_pass_is_tried_again(world: World) -> None:
    await world.open_window()
    world.sim.arm(RefuseWithError(code=131016, next=2))
    message_id = await sent(world)
    message = await world.stands(message_id, "read")
    assert [post.code for post in world.wire.of(message_id)] == [131016, 131016, None]
    assert message["attempts"] == 3
    await world.keeps_its_promises()


async def test_a_refusal_for_good_fails_with_its_reason_and_the_question_is_undeliverable(
    world: World,
) -> None:
    world.sim.arm(RefuseWithError(code=100, details="the parameter was wrong"))
    asked = await world.api.ask(recipient=ALICE)
    decided = await world.api.outcome(asked["id"])
    assert (decided["outcome"], decided["delivery"]) == ("undeliverable", "failed")
    assert "100" in decided["delivery_reason"]
    assert [event["data"]["code"] for event in await world.events("message.failed")] == [100]
    assert len(world.wire.of(asked["message_id"])) == 1
    await world.keeps_its_promises()


async def test_a_failure_that_comes_late_ends_the_question(world: World) -> None:
    world.sim.arm(FailLate(code=131026))
    asked = await world.api.ask(recipient=ALICE)
    decided = await world.api.outcome(asked["id"])
    assert (decided["outcome"], decided["delivery"]) == ("undeliverable", "failed")
    await world.keeps_its_promises()


async def test_a_text_outside_the_window_fails_late_and_says_so(world: World) -> None:
    message_id = await accepted_before_its_statuses(world)
    message = await world.stands(message_id, "failed")
    assert message["error_code"] == 131047
    assert "accepted" in [step["state"] for step in message["timeline"]]
    [told] = await world.events("message.failed")
    assert told["data"]["code"] == 131047
    await world.keeps_its_promises()


async def test_a_claim_whose_commit_was_never_heard_of_is_taken_back_and_sent_once(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.open_window()
    database = Forgetful(monkeypatch, claims=True, statement="UPDATE messages m SET state = 'sending'")
    for number in range(3):
        database.left = 1
        message_id = await sent(world, f"line {number}")
        message = await world.stands(message_id, "read")
        assert message["attempts"] == 2
        assert [post.accepted for post in world.wire.of(message_id)] == [True]
    assert database.forgot == 3
    await world.keeps_its_promises()


@pytest.mark.parametrize("fault", [None, RefuseWithError(code=131016), RefuseWithError(code=100)])
async def test_a_result_whose_commit_was_never_heard_of_counts_once(
    world: World, monkeypatch: pytest.MonkeyPatch, fault: Any
) -> None:
    await world.open_window()
    await world.at_rest()
    database = Forgetful(monkeypatch, claims=False, statement="was_open")
    database.left = 1
    if fault is not None:
        world.sim.arm(fault)
    message_id = await sent(world)
    await world.stands(message_id, "failed" if fault and fault.code == 100 else "read")
    assert database.forgot == 1
    assert len(await world.events("message.failed")) == (1 if fault and fault.code == 100 else 0)
    await world.keeps_its_promises()
