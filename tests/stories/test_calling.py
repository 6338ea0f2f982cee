"""One key, one effect, one answer; and nobody sees what is another's."""

import asyncio
from typing import Any

import pytest

from harness.world import ALICE, World

QUESTION = {
    "action_type": "calendar_create",
    "action_description": "schedule a meeting with John",
    "action_details": "tomorrow at 3 PM",
    "recipient": ALICE,
}
MESSAGE = {"recipient": ALICE, "content": "good morning"}
CREATING = [("/confirmation", QUESTION), ("/send", MESSAGE)]


@pytest.mark.parametrize(("path", "body"), CREATING)
async def test_the_same_key_again_gets_the_same_answer_and_another_body_is_refused(
    world: World, path: str, body: dict[str, Any]
) -> None:
    key = {"Idempotency-Key": "key-1"}
    first = await world.api.call("POST", path, json=body, headers=key)
    assert first[0] == 202
    assert await world.api.call("POST", path, json=body, headers=key) == first
    assert await world.api.call("POST", path, json=dict(reversed(body.items())), headers=key) == first
    other = {**body, next(iter(body.keys() - {"recipient"})): "something else"}
    status, answer = await world.api.call("POST", path, json=other, headers=key)
    assert (status, answer["code"]) == (422, "idempotency_mismatch")
    assert len(await world.rows("SELECT 1 FROM messages")) == 1
    await world.keeps_its_promises()


@pytest.mark.parametrize(("path", "body"), CREATING)
async def test_eight_calls_at_once_with_one_key_make_one_thing(
    world: World, path: str, body: dict[str, Any]
) -> None:
    await world.open_window()
    for number in range(5):
        key = {"Idempotency-Key": f"key-{number}"}
        words = "content" if "content" in body else "action_details"  # or identical questions would be one
        another = {**body, words: f"number {number}"}
        answers = await asyncio.gather(
            *(world.api.call("POST", path, json=another, headers=key) for _ in range(8))
        )
        assert {status for status, _ in answers} == {202}
        assert len({answer["id"] for _, answer in answers}) == 1
        assert len(await world.rows("SELECT 1 FROM messages")) == number + 1
    await world.keeps_its_promises()


async def test_a_key_belongs_to_its_client(world: World) -> None:
    key = {"Idempotency-Key": "key-1"}
    mine = await world.api.call("POST", "/send", json=MESSAGE, headers=key)
    theirs = await world.api.as_(client="other").call("POST", "/send", json=MESSAGE, headers=key)
    assert mine[0] == theirs[0] == 202
    assert mine[1]["id"] != theirs[1]["id"]


async def test_another_clients_objects_are_not_there(world: World) -> None:
    await world.api.link(ALICE)
    asked, _ = await world.asked()
    other = world.api.as_(client="other")
    for path in (f"/confirmations/{asked['id']}", f"/messages/{asked['message_id']}", "/people/alice"):
        assert (await world.api.call("GET", path))[0] == 200
        status, answer = await other.call("GET", path)
        assert (status, answer["code"]) == (404, "not_found")
    assert (await other.call("GET", "/confirmations"))[1]["confirmations"] == []
    assert (await other.call("GET", "/messages"))[1]["messages"] == []
    assert (await other.call("GET", "/events"))[1]["events"] == []
    assert (
        await world.api.as_(client="root", scopes=("admin", "confirmations:read")).outcome(
            asked["id"], wait=0
        )
    )["id"]
