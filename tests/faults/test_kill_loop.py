"""kill -9 at random moments under a steady mix of questions and answers: nothing lost, nothing twice."""

import asyncio
import contextlib
import itertools
import random
import time
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from harness import evidence
from harness.history import violations
from harness.processes import House
from harness.waiting import eventually

KILLS = 20
KILL_FOR_S = 75.0
PEOPLE = [f"+1555050{number:04}" for number in range(12)]
OUTCOMES = ("confirmed", "declined", "cancelled")


@dataclass
class Mix:
    """An assistant that keeps asking, and people who answer each question once, by a tap, whoever is dead meanwhile."""

    house: House
    dice: random.Random
    asked: dict[str, str] = field(default_factory=dict)
    tapped: dict[str, str] = field(default_factory=dict)
    asking: bool = True
    tapping: bool = True

    async def asks(self) -> None:
        """Ask until told to end; each question again with its key until it is taken."""
        for number in itertools.count():
            if not self.asking:
                return
            description = f"question {number:05}"
            question = {
                "action_type": "test",
                "action_description": description,
                "action_details": "-",
                "recipient": self.dice.choice(PEOPLE),
                "timeout_minutes": 60,
            }
            self.asked[description] = await self._insist(question, key=f"key-{number}")
            await asyncio.sleep(self.dice.uniform(0, 0.05))  # an assistant's pace, not a wait

    async def _insist(self, question: dict[str, Any], *, key: str) -> str:
        async def taken() -> str | None:
            with contextlib.suppress(aiohttp.ClientError, TimeoutError):
                status, body = await self.house.api.call(
                    "POST", "/confirmation", json=question, headers={"Idempotency-Key": key}
                )
                if status == 202:
                    return str(body["id"])
                assert status == 503, body
            return None

        found = await eventually(taken, "the question being taken", within=60)
        assert found is not None
        return found

    async def prompts(self) -> list[dict[str, Any]]:
        """The questions that reached the phones."""
        found = await self.house.phone.messages(containing="question ")
        return [message for message in found if message["buttons"] == ["Confirm", "Decline", "Cancel"]]

    async def answered(self) -> bool:
        """Whether every question that reached a phone was answered."""
        return {_question(each) for each in await self.prompts()} <= set(self.tapped)

    async def end(self) -> None:
        """Stop asking; when nothing is on its way any more and everything is answered, stop answering."""
        self.asking = False
        await self.house.at_rest(within=90)
        await eventually(self.answered, "the people keeping up", within=60)
        self.tapping = False
        await self.house.at_rest(within=90)

    async def taps(self) -> None:
        """Answer what reaches the phones, once, until told to end."""
        seen: set[str] = set()
        while self.tapping:
            for message in await self.prompts():
                if message["wamid"] in seen:
                    continue
                seen.add(message["wamid"])
                button = self.dice.randrange(3)
                await self.house.phone.taps(message["to"], message["wamid"], button)
                self.tapped[_question(message)] = OUTCOMES[button]
            await asyncio.sleep(0.02)  # a look at the phone


def _question(message: dict[str, Any]) -> str:
    """The message of ours that this is an attempt of."""
    return str(message["biz_opaque_callback_data"]).partition(":")[0]


async def _kill_and_kill_again(house: House, dice: random.Random) -> int:
    """As many times as planned, or as many as a busy machine has time for."""
    began = time.monotonic()
    for kills in range(1, KILLS + 1):
        await asyncio.sleep(dice.uniform(0.05, 0.9))  # a random moment, not a wait
        await house.kill()
        await house.start()
        if time.monotonic() - began > KILL_FOR_S:
            return kills
    return KILLS


async def test_kills_at_random_moments_lose_nothing_and_do_nothing_twice(house: House) -> None:
    seed = random.SystemRandom().randrange(2**32)
    print(f"seed {seed}")  # noqa: T201 - shown when it fails
    dice = random.Random(seed)
    mix = Mix(house, random.Random(seed + 1))
    working = [asyncio.create_task(mix.asks()), asyncio.create_task(mix.taps())]
    kills = await _kill_and_kill_again(house, dice)

    await mix.end()
    await asyncio.gather(*working)
    history = await evidence.gather(house.dsn, house.wire, await house.phone.webhooks())
    assert violations(history) == [], f"seed {seed}"
    assert {row["id"] for row in history.confirmations} == set(mix.asked.values()), f"seed {seed}"
    for row in history.confirmations:
        assert row["outcome"] == mix.tapped.get(row["message_id"]), f"seed {seed}: {row}"
    unknown = [row for row in history.messages if row["state"] == "unknown"]
    print(  # noqa: T201 - what was shown
        f"{kills} kills: {len(mix.asked)} questions, {len(mix.tapped)} answers, {len(history.posts)} POSTs, "
        f"{len(history.updates)} updates, {len(history.acknowledged)} acknowledged, {len(unknown)} unknown"
    )
