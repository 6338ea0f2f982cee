"""At their time, within their time, or not at all: scheduled messages, lives that end, and cancelling in a race."""

import asyncio
import random
from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from harness.planting import plant
from harness.world import ALICE, World
from sayso.messages import dead

RACES = 120


async def sent(world: World, person: str = ALICE, **body: Any) -> str:
    return await world.api.sent(person, **{"content": "hi", **body})


async def test_at_its_time_a_message_goes_or_ends(world: World) -> None:
    await world.open_window()
    later = (world.rt.now() + timedelta(hours=2)).isoformat()
    at_its_time = await sent(world, send_at=later, ttl_seconds=600)
    too_late = await sent(world, send_at=later, ttl_seconds=1)
    whenever = await sent(world)
    await world.stands(whenever, "read")
    assert {(await world.api.message(each))["state"] for each in (at_its_time, too_late)} == {"queued"}
    world.let_pass(hours=2, seconds=2)
    message = await world.stands(at_its_time, "read")
    [posted] = [step["at"] for step in message["timeline"] if step["state"] == "sending"]
    assert posted >= later
    ended = await world.stands(too_late, "expired")
    assert (ended["attempts"], world.wire.of(too_late)) == (0, [])
    assert "time to live" in ended["reason"]
    await world.keeps_its_promises()


@dataclass
class Cancels:
    """Messages that are taken back while they are on their way out."""

    world: World
    dice: random.Random

    async def run(self) -> Counter[int]:
        """Race; how the calls were answered."""
        people = [f"+1555{7_200_000 + number}" for number in range(RACES)]
        for wamid in [await self.world.sim.inbound(person, text="hello") for person in people]:
            await self.world.digested(wamid)
        return Counter(await asyncio.gather(*map(self.race, people)))

    async def race(self, person: str) -> int:
        """One message that is sent, and taken back; the status of the answer."""
        message_id = await sent(self.world, person)
        for _ in range(self.dice.randrange(30)):
            await asyncio.sleep(0)
        status, _ = await self.world.api.call("POST", f"/messages/{message_id}/cancel")
        return status

    async def broken(self) -> list[str]:
        """What was called cancelled and went out, or could not be cancelled and did not go out once."""
        await self.world.at_rest()
        found = []
        for row in await self.world.rows("SELECT id, state FROM messages"):
            posts = len(self.world.wire.of(row["id"]))
            if posts != (0 if row["state"] == "cancelled" else 1):
                found.append(f"{row['id']} is {row['state']}, and was posted {posts} times")
        return found


async def test_what_is_cancelled_never_goes_and_what_went_is_too_late_to_cancel(world: World) -> None:
    cancels = Cancels(world, random.Random(random.SystemRandom().randrange(2**31)))
    said = await cancels.run()
    assert set(said) == {200, 409}, "the race was run"
    assert await cancels.broken() == []
    rows = await world.rows("SELECT 1 FROM messages WHERE state = 'cancelled'")
    assert len(rows) == said[200]
    await world.keeps_its_promises()


async def test_the_race_catches_one_who_cancels_what_is_on_the_wire(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant(monkeypatch, dead, "cancel", ('if row["state"] != "queued" or', "if False and"))
    cancels = Cancels(world, random.Random(7))
    await cancels.run()
    assert await cancels.broken() != []
