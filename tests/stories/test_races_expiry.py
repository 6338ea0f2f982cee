"""Replies race the end of their questions, again and again: one outcome each, evidence kept, the person told the truth.

``SAYSO_RACES`` sets how many.
"""

import asyncio
import os
from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import Any

import pytest

from harness.world import CONFIRM, World

RACES = int(os.environ.get("SAYSO_RACES", "100"))
AT_ONCE = 20

#: The ends of some questions, a moment from now: each at another.
_ENDS = (
    "UPDATE confirmations SET expires_at = e.at, work_at = e.at FROM (SELECT id, clock_timestamp() "
    "+ random() * interval '300 milliseconds' AS at FROM unnest($1::text[]) AS u (id)) e "
    "WHERE e.id = confirmations.id AND work = 'waiting' RETURNING 1"
)


@dataclass(frozen=True)
class Race:
    """One question: whose it is, and where its prompt stands in their chat."""

    person: str
    id: str
    prompt: str


async def _asked(world: World, number: int) -> Race:
    person, description = f"+1555{number:07}", f"do what number {number} is about"
    asked = await world.api.ask(description, recipient=person)
    prompt = await world.sim.expect_message(to=person, containing=description)
    return Race(person, asked["id"], prompt["wamid"])


async def _race(world: World, races: list[Race]) -> None:
    ended = await world.rows(_ENDS, [race.id for race in races])
    assert len(ended) == len(races)
    await asyncio.gather(*(world.sim.tap(race.person, race.prompt, CONFIRM) for race in races))


def _told(world: World) -> dict[str, str]:
    """Everything that each person was shown after the question."""
    told: defaultdict[str, str] = defaultdict(str)
    for message in world.sim.messages():
        told[message["to"]] += message["shown"] + "\n"
    return told


def _truth(outcome: str, told: str) -> bool:
    """Whether what they were told is what became of it."""
    ended = "Time is up" in told or "changed nothing" in told
    return ended != ("✅" in told) and ended == (outcome == "expired")


@pytest.mark.timeout(max(300, RACES))
async def test_a_reply_that_races_the_end_is_in_time_or_late_and_never_both(world: World) -> None:
    races: list[Race] = []
    for first in range(0, RACES, AT_ONCE):
        some = range(first, min(first + AT_ONCE, RACES))
        races += await asyncio.gather(*(_asked(world, number) for number in some))
    await world.at_rest()
    for first in range(0, RACES, AT_ONCE):
        await _race(world, races[first : first + AT_ONCE])
    await world.keeps_its_promises()
    rows = {row["id"]: row for row in await world.rows("SELECT * FROM confirmations")}
    outcomes = Counter(row["outcome"] for row in rows.values())
    assert set(outcomes) == {"confirmed", "expired"}, f"the race was not run: {outcomes}"
    kept: dict[str, list[Any]] = {race.id: [] for race in races}
    for answer in await world.rows("SELECT confirmation_id, effect FROM answers"):
        kept[answer["confirmation_id"]].append(answer["effect"])
    told = _told(world)
    for race in races:
        outcome = rows[race.id]["outcome"]
        assert kept[race.id] == ["decided" if outcome == "confirmed" else "late"], race
        assert _truth(outcome, told[race.person]), (race, outcome, told[race.person])
