"""An assistant asks, a person answers, the assistant holds one decision."""

from typing import Any

ALICE = "+15550001111"


async def test_a_tap_on_confirm_decides_and_the_person_is_told(world: Any) -> None:
    await world.api.link(ALICE, name="Alice")
    asked = await world.api.ask()
    prompt = await world.sim.expect_message(to=ALICE, containing="schedule a meeting")
    await world.sim.tap(ALICE, prompt["wamid"], 0)
    decided = await world.api.outcome(asked["id"])
    assert (decided["status"], decided["outcome"]) == ("decided", "confirmed")
    await world.sim.expect_message(to=ALICE, containing="Confirmed")
