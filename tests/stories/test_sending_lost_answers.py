"""Two hundred answers lost before Meta took the message, two hundred after: nobody gets anything twice."""

import asyncio
from collections import Counter
from typing import Any

from harness.waiting import eventually
from harness.world import World
from sayso.simulator.faults.model import DropAfter, DropBefore

PEOPLE, EACH = 40, 5
LOST = PEOPLE * EACH


async def lost(world: World, prefix: str, fault: Any) -> list[str]:
    """Send 200 messages while every answer is lost; their ids, once each is known to be in doubt or settled."""
    people = [f"+1555{prefix}{number:04}" for number in range(PEOPLE)]
    for wamid in await asyncio.gather(*(world.sim.inbound(person, text="hello") for person in people)):
        await world.digested(wamid)
    world.sim.arm(fault)

    async def send(person: str) -> list[str]:
        ids = []
        for number in range(EACH):
            body = {"recipient": person, "content": f"line {number} to {person}"}
            status, answer = await world.api.call("POST", "/send", json=body)
            assert status == 202, answer
            ids.append(answer["id"])
        return ids

    ids = [each for many in await asyncio.gather(*map(send, people)) for each in many]

    async def all_posted() -> bool:
        rows = await world.rows(
            "SELECT 1 FROM messages WHERE id = ANY($1) AND (state IN ('queued', 'sending'))", ids
        )
        return not rows

    await eventually(all_posted, "every message being posted", within=120)
    return ids


async def test_what_was_lost_before_meta_took_it_is_reported_and_never_posted_again(world: World) -> None:
    ids = await lost(world, "041", DropBefore(next=LOST))
    states = await world.rows("SELECT DISTINCT state FROM messages WHERE id = ANY($1)", ids)
    assert states == [{"state": "unknown"}]
    await world.rows("UPDATE messages SET work_at = now() WHERE state = 'unknown' RETURNING 1")

    async def all_reported() -> bool:
        told = await world.rows("SELECT subject FROM events WHERE type = 'message.unknown'")
        return sorted(row["subject"] for row in told) == sorted(ids)

    await eventually(all_reported, "every message being reported, once", within=60)
    await world.keeps_its_promises()
    assert [post.message_id for post in world.wire.posts if post.accepted] == []
    assert Counter(post.message_id for post in world.wire.posts) == Counter(ids)
    reasons = await world.rows("SELECT 1 FROM messages WHERE state = 'unknown' AND reason <> ''")
    assert len(reasons) == LOST


async def test_what_was_lost_after_meta_took_it_is_settled_by_its_status_and_reached_everybody_once(
    world: World,
) -> None:
    ids = await lost(world, "042", DropAfter(next=LOST))
    await world.keeps_its_promises()
    states = await world.rows("SELECT state, count(*) AS n FROM messages GROUP BY state")
    assert states == [{"state": "read", "n": LOST}]
    assert Counter(post.message_id for post in world.wire.posts) == Counter(ids)
    shown = Counter((message["to"], message["shown"]) for message in world.sim.messages())
    assert len([text for _, text in shown if text.startswith("line")]) == LOST
    assert set(shown.values()) == {1}
