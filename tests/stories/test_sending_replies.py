"""Answers to STOP, START and HELP keep to Meta's rate to one person, and wait as long as Meta wants, like all else."""

from pathlib import Path
from typing import Any

from harness.waiting import eventually
from harness.world import ALICE, World, a_world

#: So that what is queued meanwhile goes at once.
ON_HOLD = "UPDATE senders SET hold_until = now() + interval '1 hour', hold_why = 'a test' RETURNING id"
OFF_HOLD = "UPDATE senders SET hold_until = NULL, hold_why = NULL RETURNING id"
PACED: dict[str, Any] = {"meta": {"enforce_rates": True}, "sayso_pair_rate": True}


async def waits(world: World, kind: str, count: int) -> list[dict[str, Any]]:
    """Wait until so many messages are held by something of this kind; their rows, the first in turn first."""

    async def look() -> list[dict[str, Any]] | None:
        rows = await world.rows(
            "SELECT * FROM messages WHERE starts_with(held_by, $1) AND work = 'waiting' ORDER BY work_at, lane",
            kind,
        )
        return rows if len(rows) == count else None

    return await eventually(look, f"{count} messages being held by their {kind}") or []


async def sent(world: World, words: str, person: str = ALICE) -> str:
    return await world.api.sent(person, content=words)


async def test_whoever_asks_for_help_again_and_again_is_answered_at_metas_pace(
    dsn: str, tmp_path: Path
) -> None:
    """Meta keeps to its rate here, and would refuse whatever came too early with 131056."""
    async with a_world(dsn, tmp_path, **PACED) as world:
        await world.open_window()
        await world.rows(ON_HOLD)
        burst = [await sent(world, f"line {number}") for number in range(20)]
        await world.rows(OFF_HOLD)
        for each in burst:
            await world.stands(each, "read")
        world.let_pass(seconds=7)
        message = await sent(world, "good morning")
        for _ in range(2):
            await world.said("HELP")
        line = [row["id"] for row in await waits(world, "pair:", 3)]
        assert line[-1] == message, "answers are before what was queued earlier"
        world.let_pass(minutes=2)
        for each in line:
            await world.stands(each, "read")
        taken = [post.message_id for post in world.wire.posts if post.code is None]
        assert set(taken[20:]) == set(line)
        assert taken[-1] == message
        assert len(world.wire.posts) - len(taken) <= 2, "only what a slow machine lets come closer is refused"
        await world.keeps_its_promises()
