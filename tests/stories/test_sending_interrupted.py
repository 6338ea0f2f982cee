"""Sending that is interrupted in its middle: the token expires, the template is paused, the window turns out closed.

What was sent stays sent, what waits is kept, people who leave meanwhile leave, and it all goes on by itself, once.
"""

import asyncio
from collections import Counter
from pathlib import Path

import pytest

from harness.registry import becomes, moderate
from harness.waiting import eventually
from harness.world import World, a_world
from sayso.messages import rules
from sayso.simulator.faults.model import FailLate

SUMMARY = {
    "name": "daily_summary",
    "parameters": ["3 March", "2 tasks", "Stand-up at 09:30"],
    "language": "en",
}
CROWD = [f"+1555{7_100_000 + number}" for number in range(40)]
LEAVES, BRIEF = CROWD[:2]
MAY = ["whatsapp_business_messaging", "whatsapp_business_management"]


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "_RETRY_CAP_S", 0.1)


async def everybody_wrote(world: World) -> None:
    for wamid in [await world.sim.inbound(person, text="hello") for person in CROWD]:
        await world.digested(wamid)


async def in_the_middle(world: World, many: int) -> None:
    """Return once so many have been taken."""

    async def taken() -> bool:
        return sum(post.accepted for post in world.wire.posts) >= many

    await eventually(taken, f"{many} messages being taken")


async def states(world: World, ids: list[str]) -> Counter[str]:
    rows = await world.rows("SELECT state FROM messages WHERE id = ANY($1)", ids)
    return Counter(row["state"] for row in rows)


async def circuits(world: World) -> list[str]:
    return [row["circuit"] for row in await world.rows("SELECT circuit FROM senders")]


async def test_a_token_that_expires_in_mid_run_loses_and_doubles_nothing(dsn: str, tmp_path: Path) -> None:
    file = tmp_path / "access-token"
    file.write_text("sim-token")
    async with a_world(dsn, tmp_path, sayso_access_token_file=file) as world:
        await everybody_wrote(world)
        before = len(world.wire.posts)
        sending = asyncio.gather(
            *(world.api.sent(person, content=f"{n} to {person}") for n in range(3) for person in CROWD)
        )
        await in_the_middle(world, before + 20)
        world.sim.accounts.change_token("sim-token", expires_in_s=0)
        ids = await sending

        async def stopped() -> bool:
            return await circuits(world) == ["open"] and not (await states(world, ids))["sending"]

        await eventually(stopped, "the circuit being open, and nothing under way")
        kept = (await states(world, ids))["queued"]
        assert 0 < kept < len(ids)
        brief = await world.api.sent(BRIEF, content="for a minute", ttl_seconds=30)
        assert "opt-out" in await world.said("STOP", person=LEAVES), "what comes in is taken in and acted on"
        world.let_pass(minutes=1)
        assert (await world.stands(brief, "expired"))["attempts"] == 0
        assert await circuits(world) == ["open"]
        world.sim.accounts.add_token(value="EAAafresh", scopes=MAY)
        beside = file.with_suffix(".new")
        beside.write_text("EAAafresh")
        beside.replace(file)
        await world.sim.expect_message(to=LEAVES, containing="unsubscribed", timeout_s=30)
        await world.keeps_its_promises()
        ends = await states(world, ids)
        assert ends["read"] + ends["suppressed"] == len(ids), ends
        assert ends["suppressed"] <= 3, "of whoever left"
        reached = Counter(post.message_id for post in world.wire.posts if post.accepted)
        assert set(reached.values()) == {1}
        shown = Counter(each["shown"] for each in world.sim.messages() if " to +" in each["shown"])
        assert (len(shown), set(shown.values())) == (ends["read"], {1})
        told = await world.rows("SELECT type FROM events WHERE type LIKE 'alert.%' ORDER BY id")
        assert [row["type"] for row in told] == ["alert.raised", "alert.resolved"]


async def test_a_template_that_is_paused_in_mid_queue_holds_the_rest_of_it(world: World) -> None:
    await becomes(world, "daily_summary", status="APPROVED")
    sending = asyncio.gather(
        *(
            world.api.sent(person, message_type="template", template=SUMMARY)
            for _ in range(2)
            for person in CROWD
        )
    )
    await in_the_middle(world, 15)
    await moderate(world, "daily_summary", "pause")
    ids = await sending

    async def held() -> bool:
        rows = await world.rows("SELECT state, held_by FROM messages WHERE id = ANY($1)", ids)
        kinds = {(row["state"], row["held_by"]) for row in rows}
        return kinds <= {("read", None), ("queued", "template:daily_summary:en")}

    await eventually(held, "each having arrived or being held")
    kept = (await states(world, ids))["queued"]
    assert 0 < kept < len(ids)
    free = await world.asked("buy the blue bicycle", person=CROWD[0])
    assert free, "another template is not delayed"
    await moderate(world, "daily_summary", "unpause")
    await world.keeps_its_promises()
    assert await states(world, ids) == {"read": len(ids)}
    reached = Counter(post.message_id for post in world.wire.posts if post.accepted)
    assert set(reached.values()) == {1}


@pytest.mark.parametrize(("failures", "end"), [(1, "read"), (2, "failed")])
async def test_whoever_turns_out_to_be_outside_their_window_gets_the_template_once(
    world: World, failures: int, end: str
) -> None:
    """Meta says 131047 after it took the text; it would say it of the template, too, which it never does."""
    await world.open_window(CROWD[0])
    world.sim.arm(FailLate(code=131047, next=failures))
    message_id = await world.api.sent(CROWD[0], content="hello", fallback=SUMMARY)
    message = await world.stands(message_id, end)
    assert (message["form"], message["attempts"]) == ("template", 2)
    await world.at_rest()
    forms = [post.touches('"type":"template"') for post in world.wire.of(message_id)]
    assert forms == [False, True]
    assert (await world.api.message(message_id))["error_code"] == (None if end == "read" else 131047)
    await world.keeps_its_promises()
