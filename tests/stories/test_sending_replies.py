"""Answers to STOP, START and HELP keep to Meta's rate to one person, and wait as long as Meta wants, like all else."""

from pathlib import Path
from typing import Any

from harness.waiting import eventually
from harness.world import ALICE, BEN, World, a_world
from sayso.simulator.faults.model import RefuseWithError

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
        assert len(world.wire.posts) - len(taken) <= 2, "only what a slow machine lets come closer is refused"
        await world.keeps_its_promises()


async def test_after_a_131056_everything_to_the_person_waits_longer_each_time_and_answers_go_first(
    dsn: str, tmp_path: Path
) -> None:
    """Somebody else writes from the same number: Meta counts what we do not know of."""
    async with a_world(dsn, tmp_path, **PACED) as world:
        await world.open_window()
        await world.open_window(BEN)
        world.sim.arm(RefuseWithError(code=131056, until_cleared=True))
        await world.said("HELP")
        [answer] = await waits(world, "person:", 1)
        message = await sent(world, "good morning")
        assert [row["id"] for row in await waits(world, "person:", 2)] == [answer["id"], message]
        world.let_pass(seconds=7)

        async def again() -> bool:
            return (
                len(world.wire.posts) == 2
                and (await world.rows("SELECT max(hold_times) AS times FROM conversations"))[0]["times"] == 2
            )

        await eventually(again, "the answer being refused once more")
        world.let_pass(seconds=7)
        world.sim.clear_faults()
        ben = await sent(world, "good morning, Ben", BEN)
        await world.stands(ben, "accepted", "sent", "delivered", "read")
        assert len(world.wire.posts) == 3, "the second hold is longer than the first"
        for state in (answer["id"], message):
            world.let_pass(seconds=30)
            await world.stands(state, "read")
        posted = [post.message_id for post in world.wire.posts if post.message_id != ben]
        assert posted == [*[answer["id"]] * 3, message]
        await world.keeps_its_promises()
