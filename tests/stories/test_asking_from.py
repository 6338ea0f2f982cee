"""Which of our numbers a question is asked from, and that an answer to another one does not decide it."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from harness.service import PHONE_NUMBER_ID
from harness.world import ALICE, BEN, World, a_world

SECOND = "100000000000002"


@pytest.fixture
async def two(dsn: str, tmp_path: Path) -> AsyncIterator[World]:
    """Everything, with two business numbers."""
    async with a_world(dsn, tmp_path, more=[SECOND]) as world:
        yield world


async def wrote(world: World, text: str, *, to: str, person: str = ALICE) -> str:
    return await world.digested(await world.sim.inbound(person, text=text, to=to))


async def test_a_question_comes_from_the_sender_that_is_named_and_a_word_to_another_decides_nothing(
    two: World,
) -> None:
    await two.open_window()
    await wrote(two, "hello", to=SECOND)
    asked, prompt = await two.asked(sender=SECOND)
    assert asked["sender"] == SECOND
    sent = await two.api.message(asked["message_id"])
    assert sent["sender"] == SECOND
    await wrote(two, "Y", to=PHONE_NUMBER_ID)
    row = await two.api.outcome(asked["id"], wait=0)
    assert (row["status"], row["sender"]) == ("pending", SECOND)
    await wrote(two, "Y", to=SECOND)
    assert (await two.api.outcome(asked["id"]))["outcome"] == "confirmed"
    assert prompt["wamid"] == sent["wamid"]
    await two.keeps_its_promises()


async def test_two_questions_from_two_senders_are_told_apart_by_where_the_word_is_written(two: World) -> None:
    await wrote(two, "hello", to=PHONE_NUMBER_ID)
    await wrote(two, "hello", to=SECOND)
    first, _ = await two.asked("buy the blue bicycle", sender=PHONE_NUMBER_ID)
    second, _ = await two.asked("sell the red car", sender=SECOND)
    await wrote(two, "n", to=SECOND)
    assert (await two.api.outcome(second["id"]))["outcome"] == "declined"
    await wrote(two, "y", to=PHONE_NUMBER_ID)
    assert (await two.api.outcome(first["id"]))["outcome"] == "confirmed"
    await two.keeps_its_promises()


async def test_left_out_it_is_the_number_the_person_last_wrote_to_or_the_first(two: World) -> None:
    assert (await two.asked(person=BEN))[0]["sender"] == PHONE_NUMBER_ID
    await wrote(two, "hello", to=SECOND)
    assert (await two.asked())[0]["sender"] == SECOND


async def test_a_number_that_is_not_ours_is_refused(two: World) -> None:
    body: dict[str, Any] = {
        "action_type": "t",
        "action_description": "d",
        "action_details": "e",
        "recipient": ALICE,
    }
    status, told = await two.api.call("POST", "/confirmation", json={**body, "sender": "1"})
    assert (status, told["errors"][0]["pointer"]) == (422, "/sender")
    assert await two.rows("SELECT 1 FROM confirmations") == []
