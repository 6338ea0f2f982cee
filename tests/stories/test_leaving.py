"""Opt-out is a fence, not a check: STOP stops, CANCEL ends or leaves, START returns."""

import asyncio
import time
from typing import Any

import pytest

from harness.waiting import eventually
from harness.world import ALICE, World, value
from sayso.messages import rules

LEFT = "unsubscribed"


async def send(world: World, person: str = ALICE, words: str = "good morning") -> tuple[int, Any]:
    return await world.api.call("POST", "/send", json={"recipient": person, "content": words})


async def refused(world: World, person: str = ALICE) -> None:
    """Neither a message nor a question is taken for this person any more."""
    question = {"action_type": "t", "action_description": "d", "action_details": "x", "recipient": person}
    for path, body in (("/send", {"recipient": person, "content": "hi"}), ("/confirmation", question)):
        status, answer = await world.api.call("POST", path, json=body)
        assert (status, answer["code"]) == (403, "opted_out"), answer


async def test_stop_ends_what_is_open_says_so_once_and_holds(world: World) -> None:
    await world.api.link(ALICE)
    asked, _ = await world.asked()
    assert "opt-out" in await world.said("STOP")
    decided = await world.api.outcome(asked["id"])
    assert decided["outcome"] == "opted_out"
    farewell = await world.sim.expect_message(to=ALICE, containing=LEFT)
    assert "One open question was closed" in farewell["shown"]
    await refused(world)
    assert "out already" in await world.said("stop")
    await world.keeps_its_promises()
    assert len([each for each in world.sim.messages(to=ALICE) if LEFT in each["shown"]]) == 1
    assert len(await world.events("person.opted_out")) == 1


async def test_what_was_queued_is_suppressed_and_names_the_entry_of_the_ledger(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rules, "_RETRY_CAP_S", 0.2)
    await world.open_window()
    await world.wire.go_down()
    _, queued = await send(world)
    asked = await world.api.ask(recipient=ALICE)
    await world.said("STOP")
    assert (await world.api.outcome(asked["id"]))["outcome"] == "opted_out"
    await world.wire.come_up()
    [entry] = await world.rows("SELECT id FROM consent_entries")
    for message_id in (queued["id"], asked["message_id"]):
        message = await world.stands(message_id, "suppressed")
        assert entry["id"] in message["reason"]
        assert world.wire.of(message_id) == []
    await world.sim.expect_message(to=ALICE, containing=LEFT)
    await world.keeps_its_promises()


async def test_the_answer_to_stop_waits_until_nothing_is_under_way(world: World) -> None:
    people = [f"+1555030{number:04}" for number in range(8)]
    for person in people:
        await world.open_window(person)
    await world.at_rest()
    world.sim.hold_webhooks(on=True)  # no status tells the service what the answer would have told
    for number, person in enumerate(people):
        words = f"slow line {number}"
        held = world.wire.hold("before" if number % 2 else "after", containing=words, cut=number % 3 == 0)
        await send(world, person, words)
        await held.arrived()
        await world.said("STOP", person=person)
        await eventually(lambda who=person: _looked_twice(world, who), "the answer waiting for its turn")  # type: ignore[misc]
        assert not [post for post in world.wire.posts if post.to == person and post.touches(LEFT)]
        held.release()
        await world.sim.expect_message(to=person, containing=LEFT)
        await refused(world, person)
    world.sim.hold_webhooks(on=False)
    await world.keeps_its_promises()


async def _looked_twice(world: World, person: str) -> bool:
    [row] = await world.rows(
        "SELECT m.* FROM messages m JOIN people_identifiers i ON i.person_id = m.person_id "
        "WHERE i.kind = 'wa_id' AND '+' || i.value = $1 AND m.purpose = 'consent'",
        person,
    )
    assert row["state"] == "queued", "the answer left while a message was under way"
    return bool(
        (row["work_at"] - row["created_at"]).total_seconds() > rules.IN_FLIGHT_LOOK.total_seconds() * 1.5
    )


async def test_stop_races_with_sends_and_nothing_follows_the_answer(world: World) -> None:
    people = [f"+1555031{number:04}" for number in range(15)]
    for person in people:
        await world.open_window(person)

    async def race(person: str, number: int) -> None:
        sends = [asyncio.create_task(send(world, person, f"{number}.{line}")) for line in range(4)]
        for _ in range(number % 5):
            await asyncio.sleep(0)  # another interleaving for each
        await world.said("STOP", person=person)
        sends += [asyncio.create_task(send(world, person, f"{number}.late"))]
        for status, _ in await asyncio.gather(*sends):
            assert status in (202, 403)

    await asyncio.gather(*(race(person, number) for number, person in enumerate(people)))
    for person in people:
        await world.sim.expect_message(to=person, containing=LEFT)
        await refused(world, person)
    await world.keeps_its_promises()


async def test_cancel_with_one_open_cancels_it_and_nobody_leaves(world: World) -> None:
    asked, _ = await world.asked()
    await world.said("CANCEL")
    assert (await world.api.outcome(asked["id"]))["outcome"] == "cancelled"
    status, _ = await send(world)
    assert status == 202
    await world.keeps_its_promises()


async def test_cancel_with_none_open_leaves_and_start_returns(world: World) -> None:
    await world.api.link(ALICE)
    assert "opt-out" in await world.said("CANCEL")
    await world.sim.expect_message(to=ALICE, containing=LEFT)
    await refused(world)
    world.sim.advance(2)  # in one second, of two words the more restrictive holds
    assert "opt-in" in await world.said("START")
    await world.sim.expect_message(to=ALICE, containing="opting in")
    status, _ = await send(world)
    assert status == 202
    await world.sim.expect_message(to=ALICE, containing="good morning")
    asked, prompt = await world.asked()
    await world.tapped(prompt["wamid"], 0)
    assert (await world.api.outcome(asked["id"]))["outcome"] == "confirmed"
    assert len(await world.events("person.opted_in")) == 1
    await world.keeps_its_promises()


async def test_cancel_with_two_open_neither_cancels_nor_leaves(world: World) -> None:
    first, _ = await world.asked("buy the blue bicycle")
    second, _ = await world.asked("sell the red car")
    await world.said("CANCEL")
    for asked in (first, second):
        assert (await world.api.outcome(asked["id"], wait=0))["status"] == "pending"
    await world.sim.expect_message(to=ALICE, containing="Which one do you want to cancel?")
    await world.keeps_its_promises()


async def test_a_stop_that_comes_later_than_the_start_after_it_ends_nothing(world: World) -> None:
    await world.said("START")
    asked, prompt = await world.asked()
    old = {
        "from": ALICE.lstrip("+"),
        "id": "wamid.OLD",
        "timestamp": str(int(time.time()) - 3600),
        "type": "text",
        "text": {"body": "STOP"},
    }
    assert await world.deliver(value(messages=[old])) == 200
    assert "older" in await world.digested("wamid.OLD")
    await world.tapped(prompt["wamid"], 0)
    assert (await world.api.outcome(asked["id"]))["outcome"] == "confirmed"
    await world.keeps_its_promises()


async def test_a_stop_without_a_number_stops_everything_to_the_number_too(world: World) -> None:
    await world.open_window()
    [known] = await world.rows("SELECT value FROM people_identifiers WHERE kind = 'bsuid'")
    nameless = {
        "from_user_id": known["value"],
        "id": "wamid.NUMBERLESS",
        "timestamp": str(int(time.time())),
        "type": "text",
        "text": {"body": "unsubscribe"},
    }
    contact = {"profile": {"name": "Alice"}, "user_id": known["value"]}
    assert await world.deliver(value(messages=[nameless], contacts=[contact])) == 200
    assert "opt-out" in await world.digested("wamid.NUMBERLESS")
    await refused(world)
    await world.keeps_its_promises()
