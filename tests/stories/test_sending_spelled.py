"""One person under two spellings of one number: asked under the one, answers from the other, leaves for both."""

from datetime import timedelta
from typing import Any

import pytest

from harness.world import CONFIRM, World

#: As the assistant writes a number, and as the person behind it is known to Meta (cloud-api 2.2).
SPELLINGS = [
    ("+5541988887777", "+554188887777"),  # Brazil, with and without the ninth digit
    ("+525639691841", "+5215639691841"),  # Mexico
    ("+541158749895", "+5491158749895"),  # Argentina
]


async def send(world: World, person: str, **more: Any) -> tuple[int, Any]:
    body = {"recipient": person, "content": "good morning", **more}
    return await world.api.call("POST", "/send", json=body)


@pytest.mark.parametrize(("given", "known"), SPELLINGS)
async def test_asked_under_one_spelling_answered_from_the_other_and_left_under_both(
    world: World, given: str, known: str
) -> None:
    person = world.sim.person(known)
    asked = await world.api.ask("buy the blue bicycle", recipient=given)
    prompt = await person.hears("blue bicycle")
    assert [post.to for post in world.wire.of(asked["message_id"])] == [given], "dialled as it was given"
    await world.digested(await person.taps(prompt["wamid"], CONFIRM))
    assert (await world.api.outcome(asked["id"]))["outcome"] == "confirmed"
    for number in (given, known):
        status, told = await send(world, number)
        assert status == 202
        await world.stands(told["id"], "read")
    later = (world.rt.now() + timedelta(hours=1)).isoformat()
    waiting = [(await send(world, number, send_at=later))[1]["id"] for number in (given, known)]
    assert "opt-out" in await world.digested(await person.says("STOP"))
    for message_id in waiting:
        await world.stands(message_id, "suppressed")
    for number in (given, known):
        status, told = await send(world, number)
        assert (status, told["code"]) == (403, "opted_out")
    await world.keeps_its_promises()
    everybody = await world.rows("SELECT DISTINCT coalesce(merged_into, id) AS who FROM people")
    assert len(everybody) == 1, "Meta's answer said that they are one"
