"""What was written earlier and comes later means what was on the screen when it was written, and nothing else."""

from datetime import datetime
from typing import Any

from harness.world import ALICE, CONFIRM, World, value


def written(at: datetime, wamid: str, **said: Any) -> dict[str, Any]:
    """What Alice wrote then, as Meta tells it whenever it does."""
    message = {"from": ALICE.lstrip("+"), "id": wamid, "timestamp": str(int(at.timestamp())), **said}
    return value(messages=[message])


def word(at: datetime, wamid: str, text: str = "Y") -> dict[str, Any]:
    return written(at, wamid, type="text", text={"body": text})


async def comes(world: World, *values: dict[str, Any]) -> list[str]:
    """Meta tells of it, now; what came of each."""
    assert await world.deliver(*values) == 200
    return [await world.digested(each["messages"][0]["id"]) for each in values]


async def pending(world: World, *questions: dict[str, Any]) -> None:
    for each in questions:
        found = await world.api.outcome(each["id"], wait=0)
        assert (found["status"], found["outcome"]) == ("pending", None)


async def test_a_y_that_was_written_before_a_question_was_shown_decides_it_neither_beside_nor_after_the_other(
    world: World,
) -> None:
    await world.open_window()
    first, _ = await world.asked("buy the blue bicycle")
    early = world.clock()
    world.let_pass(seconds=2)
    second, prompt = await world.asked("sell the red car")
    assert await comes(world, word(early, "wamid.EARLY1")) == [
        "answer: asked which of 2 was meant; nothing decided"
    ]
    assert (await world.api.call("POST", f"/confirmations/{first['id']}/withdraw"))[0] == 200
    assert await comes(world, word(early, "wamid.EARLY2")) == [
        "answer: asked which of 1 was meant; nothing decided"
    ]
    await pending(world, second)
    await world.tapped(prompt["wamid"], CONFIRM)
    assert (await world.api.outcome(second["id"]))["outcome"] == "confirmed"
    await world.keeps_its_promises()


async def test_a_y_that_was_written_in_time_and_comes_after_the_end_or_days_late_decides_nothing(
    world: World,
) -> None:
    await world.open_window()
    asked, prompt = await world.asked()
    in_time = world.clock()
    world.let_pass(minutes=31)
    assert (await world.api.outcome(asked["id"]))["outcome"] == "expired"
    payload = (await world.rows("SELECT shown FROM confirmations"))[0]["shown"]["template"]["quick_replies"][
        0
    ]
    tap = {"button": {"payload": payload, "text": "Confirm"}, "context": {"id": prompt["wamid"]}}
    results = await comes(
        world,
        word(in_time, "wamid.WORD"),
        written(in_time, "wamid.TAP", type="button", **tap),
    )
    assert results == [f"answer: {asked['id']} had ended; nothing changed"] * 2
    await world.sim.expect_message(to=ALICE, containing="changed nothing")
    late = await world.events("confirmation.answered_late")
    assert [(each["data"]["said"], each["data"]["outcome"]) for each in late] == [("confirm", "expired")] * 2
    world.let_pass(hours=50)
    await world.open_window()
    today, _ = await world.asked("sell the red car")
    assert await comes(world, word(in_time, "wamid.DAYS")) == [
        "answer: asked which of 1 was meant; nothing decided"
    ]
    await pending(world, today)
    assert (await world.api.outcome(asked["id"]))["outcome"] == "expired"
    await world.keeps_its_promises()
