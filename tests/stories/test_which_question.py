"""A reply can never hit the wrong question: several open, none open, one not shown yet."""

from harness.waiting import eventually
from harness.world import ALICE, BEN, World, value


async def undecided(world: World, *asked: dict[str, object]) -> None:
    for question in asked:
        row = await world.api.outcome(str(question["id"]), wait=0)
        assert (row["status"], row["outcome"]) == ("pending", None)


async def test_a_bare_y_with_two_open_decides_nothing_and_the_numbered_button_decides_that_one(
    world: World,
) -> None:
    first, _ = await world.asked("buy the blue bicycle")
    second, _ = await world.asked("sell the red car")
    assert "asked which of 2" in await world.said("Y")
    await undecided(world, first, second)
    which = await world.sim.expect_message(to=ALICE, containing="Which one do you want to confirm?")
    assert "buy the blue bicycle" in which["shown"]
    assert "sell the red car" in which["shown"]
    await world.tapped(which["wamid"], 1)
    assert (await world.api.outcome(second["id"]))["outcome"] == "confirmed"
    await undecided(world, first)
    await world.said("n")
    assert (await world.api.outcome(first["id"]))["outcome"] == "declined"
    await world.keeps_its_promises()


async def test_a_y_that_quotes_one_of_two_open_questions_decides_that_one(world: World) -> None:
    first, prompt = await world.asked("buy the blue bicycle")
    second, _ = await world.asked("sell the red car")
    await world.said("Y", quote=prompt["wamid"])
    assert (await world.api.outcome(first["id"]))["outcome"] == "confirmed"
    await undecided(world, second)
    await world.keeps_its_promises()


async def test_a_y_that_quotes_something_else_decides_nothing(world: World) -> None:
    await world.open_window()
    status, sent = await world.api.call("POST", "/send", json={"recipient": ALICE, "content": "good morning"})
    assert status == 202, sent
    morning = await world.sim.expect_message(to=ALICE, containing="good morning")
    asked, _ = await world.asked()
    assert "asked which of 1" in await world.said("Y", quote=morning["wamid"])
    await undecided(world, asked)
    await world.keeps_its_promises()


async def test_with_many_open_they_are_listed_and_a_quote_still_decides(world: World) -> None:
    await world.open_window()
    questions = [await world.asked(f"do thing number {number}") for number in range(5)]
    await world.said("yes")
    which = await world.sim.expect_message(to=ALICE, containing="Which one")
    assert which["type"] == "text"
    await undecided(world, *(asked for asked, _ in questions))
    asked, prompt = questions[3]
    await world.said("yes", quote=prompt["wamid"])
    assert (await world.api.outcome(asked["id"]))["outcome"] == "confirmed"
    await world.keeps_its_promises()


async def test_a_y_when_nothing_was_ever_asked_is_a_comment_for_the_assistants_that_know_the_person(
    world: World,
) -> None:
    await world.api.link(ALICE)
    assert "comment" in await world.said("Y")
    said = await world.events("person.said")
    assert [(event["data"]["text"], event["data"]["confirmation_id"]) for event in said] == [("Y", None)]
    assert world.sim.messages(to=ALICE) == []
    await world.keeps_its_promises()


async def test_what_is_no_answer_is_passed_on_with_the_question_it_quotes(world: World) -> None:
    asked, prompt = await world.asked()
    await world.said("what is this about?", quote=prompt["wamid"])
    said = await world.events("person.said")
    assert [event["data"]["confirmation_id"] for event in said] == [asked["id"]]
    await undecided(world, asked)


async def tried_in_vain(world: World, message_id: str) -> None:
    """Wait for an attempt that provably got nowhere, and keep the next one away: in it, nobody knows."""
    keep_away = (
        "UPDATE messages SET work_at = now() + interval '1 hour' "
        "WHERE id = $1 AND state = 'queued' AND attempt > 0 AND work = 'waiting' RETURNING 1"
    )
    await eventually(lambda: world.rows(keep_away, message_id), "a first attempt that got nowhere")


async def test_a_y_to_a_question_that_was_not_shown_yet_decides_nothing(world: World) -> None:
    await world.open_window()
    await world.wire.go_down()
    asked = await world.api.ask("buy the blue bicycle", recipient=ALICE)
    await tried_in_vain(world, asked["message_id"])
    assert "comment" in await world.said("Y")
    await undecided(world, asked)
    await world.wire.come_up()
    await world.rows("UPDATE messages SET work_at = now() WHERE work = 'waiting' RETURNING 1")
    prompt = await world.sim.expect_message(to=ALICE, containing="blue bicycle", timeout_s=60)
    await world.tapped(prompt["wamid"], 0)
    assert (await world.api.outcome(asked["id"]))["outcome"] == "confirmed"
    await world.keeps_its_promises()


async def test_a_y_counts_only_the_questions_that_were_shown(world: World) -> None:
    await world.open_window()
    shown, _ = await world.asked("buy the blue bicycle")
    await world.wire.go_down()
    hidden = await world.api.ask("sell the red car", recipient=ALICE)
    await tried_in_vain(world, hidden["message_id"])
    await world.said("Y")
    assert (await world.api.outcome(shown["id"]))["outcome"] == "confirmed"
    await undecided(world, hidden)


async def test_nobody_else_can_answer(world: World) -> None:
    asked, prompt = await world.asked(person=ALICE)
    shown = (await world.rows("SELECT shown FROM confirmations"))[0]["shown"]
    payload = shown["template"]["quick_replies"][0]
    assert asked["id"] in payload
    assert "button of somebody else" in await world.digested(await _forged_tap(world, payload))
    unsigned = f"cf1:{asked['id']}:confirm"
    assert "button that is not ours" in await world.digested(await _forged_tap(world, unsigned, ALICE))
    assert "comment" in await world.said("Y", person=BEN)
    await undecided(world, asked)
    await world.tapped(prompt["wamid"], 0)
    assert (await world.api.outcome(asked["id"]))["outcome"] == "confirmed"
    await world.keeps_its_promises()


async def _forged_tap(world: World, payload: str, person: str = BEN) -> str:
    """Somebody sends a payload that was on no button of theirs."""
    wamid = f"wamid.FORGED{person}"
    message = {
        "from": person.lstrip("+"),
        "id": wamid,
        "timestamp": "1",
        "type": "button",
        "button": {"payload": payload, "text": "Confirm"},
    }
    assert await world.deliver(value(messages=[message])) == 200
    return wamid
