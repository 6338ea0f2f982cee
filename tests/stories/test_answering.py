"""Every way to answer, on the phone: codes, numbers, reactions, choices, reasons; and what decides nothing."""

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from harness.world import ALICE, World, a_world, value

POLICY = """
version = "1"

[default]
reactions = true
remind_minutes_before = 5
extend_minutes = 10
extend_times = 1
"""


@pytest.fixture
async def lenient(dsn: str, tmp_path: Path) -> AsyncIterator[World]:
    """Everything, under a policy that takes reactions and gives more time."""
    path = tmp_path / "policy.toml"
    path.write_text(POLICY, "utf-8")
    async with a_world(dsn, tmp_path, sayso_policy_file=path) as world:
        yield world


async def row(world: World, confirmation_id: str) -> dict[str, Any]:
    (found,) = await world.rows("SELECT * FROM confirmations WHERE id = $1", confirmation_id)
    return found


async def effects(world: World) -> list[str]:
    return [each["effect"] for each in await world.rows("SELECT effect FROM answers ORDER BY id")]


async def pending(world: World, confirmation_id: str) -> None:
    found = await row(world, confirmation_id)
    assert (found["status"], found["outcome"]) == ("pending", None)


async def reacts(world: World, prompt: dict[str, Any], emoji: str) -> str:
    react = {"message_id": prompt["wamid"], "emoji": emoji}
    return await world.digested(await world.sim.inbound(ALICE, react=react))


async def test_a_list_is_answered_by_its_numbers(world: World) -> None:
    asked = [(await world.asked(f"do thing number {number}"))[0]["id"] for number in range(1, 5)]
    assert "asked which of 4" in await world.said("yes")
    await world.sim.expect_message(to=ALICE, containing="Reply with its number")
    await world.said("3")
    assert (await row(world, asked[2]))["outcome"] == "confirmed"
    await world.said("2 no")
    assert (await row(world, asked[1]))["outcome"] == "declined"
    assert "listed 2" in await world.said("PENDING")
    listed = await world.sim.expect_message(to=ALICE, containing="Open questions")
    await world.said("cancel 2", quote=listed["wamid"])
    assert (await row(world, asked[3]))["outcome"] == "cancelled"
    await pending(world, asked[0])
    assert "had ended" in await world.said("yes 2", quote=listed["wamid"])
    await pending(world, asked[0])
    await world.said("oui")
    assert (await row(world, asked[0]))["outcome"] == "confirmed"
    assert "listed 0" in await world.said("pending")


async def test_a_cancel_with_a_number_is_for_a_question_and_never_means_leaving(world: World) -> None:
    """As the list of what is open has it written, however long ago that was; CANCEL alone does, with nothing open."""
    await world.open_window()
    assert "comment" in await world.said("CANCEL 1")
    asked, _ = await world.asked()
    await world.said("PENDING")
    await world.at_rest()  # the list is out: it is an hour and more before the number
    world.let_pass(hours=2)
    assert (await world.api.outcome(asked["id"]))["outcome"] == "expired"
    assert await world.said("CANCEL 1") == "answer: nothing was open; nothing changed"
    world.let_pass(minutes=1)
    assert "opt-out" in await world.said("CANCEL")


async def test_an_ok_decides_nothing_and_the_buttons_come_again(world: World) -> None:
    asked, prompt = await world.asked()
    for quote in (None, prompt["wamid"]):
        assert "stays as it is: how" in await world.said("Ok!", quote=quote)
        await pending(world, asked["id"])
    again = await world.sim.expect_message(to=ALICE, containing="tap a button")
    assert await effects(world) == ["how", "how"]
    await world.digested(await world.sim.tap(ALICE, again["wamid"], 0))
    assert (await row(world, asked["id"]))["outcome"] == "confirmed"
    await world.keeps_its_promises()


async def test_a_reaction_decides_nothing_where_no_rule_takes_one(world: World) -> None:
    asked, prompt = await world.asked()
    await reacts(world, prompt, "👍")
    await pending(world, asked["id"])


async def test_a_reaction_decides_where_the_rule_takes_one(lenient: World) -> None:
    asked, prompt = await lenient.asked()
    for emoji in ("😂", ""):
        await reacts(lenient, prompt, emoji)
        await pending(lenient, asked["id"])
    await reacts(lenient, prompt, "👎🏽")
    assert (await row(lenient, asked["id"]))["outcome"] == "declined"
    await lenient.keeps_its_promises()


async def test_who_wants_more_time_has_it_once_and_is_reminded_anew(lenient: World) -> None:
    await lenient.open_window()
    asked, _ = await lenient.asked()
    lenient.let_pass(minutes=26)
    first = await lenient.sim.expect_message(to=ALICE, containing="still waits for your answer")
    assert "extended" in await lenient.said("EXTEND")
    assert "not_extendable" in await lenient.said("more time")
    await lenient.at_rest()
    lenient.let_pass(minutes=10)
    await lenient.sim.expect_message(to=ALICE, containing="still waits", after=first["wamid"])
    await pending(lenient, asked["id"])
    lenient.let_pass(minutes=5)
    assert (await lenient.api.outcome(asked["id"]))["outcome"] == "expired"
    [event] = await lenient.events("confirmation.extended")
    assert event["data"]["expires_at"] == (await lenient.api.outcome(asked["id"]))["expires_at"]
    await lenient.keeps_its_promises()


async def with_code(world: World) -> tuple[str, dict[str, Any], str]:
    """A question of the highest tier: its id, as it was shown, and the code in it."""
    await world.open_window()
    asked, prompt = await world.asked(tier="high")
    [code] = re.findall(r"\b\d{4}\b", prompt["shown"])
    return asked["id"], prompt, code


def other_than(code: str) -> str:
    return str(1000 + (int(code) + 1) % 9000)


async def test_three_wrong_codes_lock_a_question_which_can_still_be_declined(world: World) -> None:
    question, prompt, code = await with_code(world)
    await world.said("Y")
    await world.said("Y", quote=prompt["wamid"])
    for _ in range(3):
        await world.said(other_than(code))
    await world.said(code)
    await pending(world, question)
    assert await effects(world) == [
        "needs_code",
        "needs_code",
        "wrong_code",
        "wrong_code",
        "wrong_code",
        "locked",
    ]
    await world.sim.expect_message(to=ALICE, containing="Too many wrong codes")
    await world.said("no")
    assert (await row(world, question))["outcome"] == "declined"
    await world.keeps_its_promises()


async def test_the_right_code_confirms(world: World) -> None:
    question, _, code = await with_code(world)
    await world.said(other_than(code))
    await world.said(code)
    assert (await row(world, question))["outcome"] == "confirmed"
    await world.keeps_its_promises()


async def test_what_is_frozen_keeps_its_answers_and_decides_nothing(world: World) -> None:
    asked, prompt = await world.asked()
    await world.rows(
        "UPDATE confirmations SET frozen_why = 'identity_changed' WHERE id = $1 RETURNING 1", asked["id"]
    )
    await world.tapped(prompt["wamid"], 0)
    await world.said("Y")
    await world.said("cancel")
    await pending(world, asked["id"])
    assert await effects(world) == ["frozen"] * 3


async def test_a_choice_and_a_question_for_words_take_what_is_written(world: World) -> None:
    cars = [{"id": "red", "label": "Red car"}, {"id": "blue", "label": "Blue car"}]
    await world.open_window()
    choice, _ = await world.asked("rent a car", kind="choose", options=cars)
    await world.said("yes")
    await world.said("blue car")
    found = await row(world, choice["id"])
    assert (found["outcome"], found["answer"]["option"]) == ("confirmed", "blue")
    free, prompt = await world.asked("know when to come", kind="ask")
    await world.said("No. 5")
    asks = await world.sim.expect_message(to=ALICE, containing="Was that an answer to")
    assert asks["type"] == "text", "a button to decline would decline nothing"
    await world.said("half past three", quote=prompt["wamid"])
    found = await row(world, free["id"])
    assert (found["outcome"], found["answer"]["text"]) == ("confirmed", "half past three")
    assert await effects(world) == ["needs_option", "decided", "decided"]


async def test_what_is_held_is_taken_back_by_undo_and_ended_by_cancel(world: World) -> None:
    asked, prompt = await world.asked(undo_seconds=3600)
    await world.tapped(prompt["wamid"], 0)
    assert (await row(world, asked["id"]))["status"] == "held"
    await world.said("UNDO")
    await pending(world, asked["id"])
    await world.tapped(prompt["wamid"], 0)
    await world.said("cancel")
    assert (await row(world, asked["id"]))["outcome"] == "cancelled"


async def test_the_reason_of_a_no_reaches_the_assistant_once(world: World) -> None:
    await world.api.link(ALICE)
    asked, prompt = await world.asked(ask_reason=True)
    await world.tapped(prompt["wamid"], 1)
    await world.sim.expect_message(to=ALICE, containing="Would you say why not")
    assert "the reason" in await world.said("too expensive")
    assert "comment" in await world.said("and too late")
    (told,) = await world.events("confirmation.commented")
    assert (told["subject"], told["data"]["text"]) == (asked["id"], "too expensive")
    assert [each["data"]["text"] for each in await world.events("person.said")] == ["and too late"]


#: Every type of message of cloud-api 4.8 that is no answer, each quoting the question and saying yes where it can.
OTHERS: dict[str, dict[str, Any]] = {
    "image": {"image": {"id": "5001", "mime_type": "image/jpeg", "caption": "Y"}},
    "video": {"video": {"id": "5001", "mime_type": "video/mp4", "caption": "Y"}},
    "audio": {"audio": {"id": "5001", "mime_type": "audio/ogg", "voice": True}},
    "document": {"document": {"id": "5001", "filename": "Y", "caption": "Y"}},
    "sticker": {"sticker": {"id": "5001", "mime_type": "image/webp"}},
    "location": {"location": {"latitude": 1.0, "longitude": 2.0, "name": "Y"}},
    "contacts": {"contacts": [{"name": {"formatted_name": "Y"}}]},
    "order": {"order": {"catalog_id": "1", "text": "Y", "product_items": []}},
    "edit": {"edit": {"original_message_id": "wamid.X", "message": {"type": "text", "text": {"body": "Y"}}}},
    "revoke": {"revoke": {"original_message_id": "wamid.X"}},
    "unsupported": {"unsupported": {"type": "poll"}, "text": {"body": "Y"}},
    "unknown": {"text": {"body": "Y"}},
    "request_welcome": {"text": {"body": "Y"}},
    "button": {"button": {"text": "Y"}},
    "interactive": {"interactive": {"type": "nfm_reply", "nfm_reply": {"name": "flow", "body": "Y"}}},
    "system": {"system": {"type": "customer_identity_changed", "body": "Y"}, "text": {"body": "Y"}},
}


@pytest.mark.parametrize("kind", [*OTHERS, "group", "forwarded", "often forwarded"])
async def test_no_other_type_of_message_decides_anything(world: World, kind: str) -> None:
    asked, prompt = await world.asked()
    context: dict[str, Any] = {"from": "15550100000", "id": prompt["wamid"]}
    said: dict[str, Any] = {"type": kind, **OTHERS.get(kind, {})}
    if kind not in OTHERS:
        said = {"type": "text", "text": {"body": "Y"}}
        said |= {"group_id": "G1"} if kind == "group" else {}
        context |= {"forwarded": True} if kind == "forwarded" else {}
        context |= {"frequently_forwarded": True} if kind == "often forwarded" else {}
    wamid = "wamid.OTHER" + re.sub(r"\W", "", kind)
    message = {"from": ALICE.lstrip("+"), "id": wamid, "timestamp": "1795000001", "context": context, **said}
    assert await world.deliver(value(messages=[message])) == 200
    await world.digested(wamid)
    await pending(world, asked["id"])
    assert await effects(world) == []
