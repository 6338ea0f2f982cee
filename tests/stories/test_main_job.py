"""An assistant asks, a person answers in any of the ways there are, the assistant holds one decision."""

import pytest

from harness.world import ALICE, World

BUTTONS = [(0, "confirmed", "Confirmed"), (1, "declined", "Declined"), (2, "cancelled", "Cancelled")]
WORDS = [
    ("Y", "confirmed", "Confirmed"),
    ("yes", "confirmed", "Confirmed"),
    ("Confirm", "confirmed", "Confirmed"),
    ("n", "declined", "Declined"),
    ("NO", "declined", "Declined"),
    ("decline", "declined", "Declined"),
    ("CANCEL", "cancelled", "Cancelled"),
]


async def the_outcome_is(world: World, confirmation_id: str, outcome: str, line: str) -> None:
    decided = await world.api.outcome(confirmation_id)
    assert (decided["status"], decided["outcome"]) == ("decided", outcome)
    assert decided["decided_at"]
    await world.sim.expect_message(to=ALICE, containing=line)
    await world.keeps_its_promises()
    said = [message for message in world.sim.messages(to=ALICE) if line in message["shown"]]
    assert len(said) == 1, "one closing line per outcome"


@pytest.mark.parametrize(("button", "outcome", "line"), BUTTONS)
async def test_outside_the_window_the_template_asks_and_its_quick_replies_decide(
    world: World, button: int, outcome: str, line: str
) -> None:
    asked, prompt = await world.asked()
    assert prompt["type"] == "template"
    await world.tapped(prompt["wamid"], button)
    await the_outcome_is(world, asked["id"], outcome, line)


@pytest.mark.parametrize(("button", "outcome", "line"), BUTTONS)
async def test_inside_the_window_buttons_ask_and_decide(
    world: World, button: int, outcome: str, line: str
) -> None:
    await world.open_window()
    asked, prompt = await world.asked()
    assert prompt["type"] == "interactive"
    await world.tapped(prompt["wamid"], button)
    await the_outcome_is(world, asked["id"], outcome, line)


@pytest.mark.parametrize(("word", "outcome", "line"), WORDS)
async def test_a_typed_word_decides_the_only_open_question(
    world: World, word: str, outcome: str, line: str
) -> None:
    asked, _ = await world.asked()
    await world.said(word)
    await the_outcome_is(world, asked["id"], outcome, line)


@pytest.mark.parametrize(("word", "outcome", "line"), [WORDS[0], WORDS[3], WORDS[6]])
async def test_a_word_that_quotes_the_question_decides_it(
    world: World, word: str, outcome: str, line: str
) -> None:
    asked, prompt = await world.asked()
    await world.said(word, quote=prompt["wamid"])
    await the_outcome_is(world, asked["id"], outcome, line)


async def test_a_linked_user_is_asked_by_name_and_the_assistant_hears_of_every_step(world: World) -> None:
    await world.api.link(ALICE, name="Alice")
    asked = await world.api.ask()
    assert (asked["status"], asked["outcome"], asked["user"]) == ("pending", None, "alice")
    prompt = await world.sim.expect_message(to=ALICE, containing="Alice")
    await world.tapped(prompt["wamid"], 0)
    await the_outcome_is(world, asked["id"], "confirmed", "Confirmed")
    assert (await world.api.outcome(asked["id"]))["delivery"] == "read"
    assert [event["subject"] for event in await world.events("confirmation.asked")] == [asked["id"]]
    assert [event["data"]["outcome"] for event in await world.events("confirmation.decided")] == ["confirmed"]


async def test_a_tap_whose_webhook_lacks_its_context_decides_by_its_payload(world: World) -> None:
    asked, prompt = await world.asked()
    wamid = await world.sim.inbound(ALICE, tap=(prompt["wamid"], 0), context=False)
    assert asked["id"] in await world.digested(wamid)
    await the_outcome_is(world, asked["id"], "confirmed", "Confirmed")
