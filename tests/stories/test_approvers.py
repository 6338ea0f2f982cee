"""Several people, one decision: together, one after another, in somebody's place; taken back, frozen, withdrawn."""

from typing import Any

from harness.service import PHONE_NUMBER_ID
from harness.waiting import eventually
from harness.world import ALICE, BEN, CONFIRM, DECLINE, MEI, World

WHO = {"alice": ALICE, "ben": BEN, "carol": MEI}


async def everybody_is_known(world: World) -> None:
    """Three users, each of whom wrote before."""
    for user, number in WHO.items():
        await world.api.link(number, user=user, name=user.title())
        await world.open_window(number)


async def prompts(world: World, *people: str, what: str = "schedule a meeting with John") -> dict[str, str]:
    """The question as it reached each of these: its wamid."""
    found = {who: await world.sim.expect_message(to=WHO[who], containing=what) for who in people}
    return {who: message["wamid"] for who, message in found.items()}


async def stands(world: World, confirmation_id: str) -> dict[str, Any]:
    """The question as the assistant sees it now."""
    return await world.api.outcome(confirmation_id, wait=0)


async def test_two_of_three_confirm_and_the_third_is_told(world: World) -> None:
    await everybody_is_known(world)
    asked = await world.api.ask(approvers=[*WHO], need=2)
    at = await prompts(world, *WHO)
    await world.tapped(at["alice"], CONFIRM)
    [counted] = await world.events("confirmation.counted")
    assert (counted["data"]["have"], counted["data"]["needed"]) == (1, 2)
    assert (await stands(world, asked["id"]))["status"] == "pending", "one yes is not two"
    await world.tapped(at["ben"], CONFIRM, person=BEN)
    decided = await world.api.outcome(asked["id"])
    assert decided["outcome"] == "confirmed"
    said = {each["user"]: (each["state"], each["verdict"]) for each in decided["approvers"]}
    assert said == {
        "alice": ("answered", "confirm"),
        "ben": ("answered", "confirm"),
        "carol": ("asked", None),
    }
    await world.sim.expect_message(to=MEI, containing="was confirmed by others")
    await world.keeps_its_promises()


async def test_of_two_who_are_both_needed_one_no_ends_it_and_the_other_is_told(world: World) -> None:
    await everybody_is_known(world)
    asked = await world.api.ask(approvers=["alice", "ben"], need="all")
    at = await prompts(world, "alice", "ben")
    await world.tapped(at["alice"], DECLINE)
    assert (await world.api.outcome(asked["id"]))["outcome"] == "declined"
    await world.sim.expect_message(to=BEN, containing="was declined by others")
    await world.keeps_its_promises()


async def test_a_question_that_is_not_answered_goes_to_the_next_and_theirs_decides(world: World) -> None:
    await everybody_is_known(world)
    asked = await world.api.ask(
        approvers=["alice"],
        escalation=[{"after": "10m", "when": "unanswered", "to": "carol"}],
        timeout_minutes=60,
    )
    assert asked["next"]["what"] == "escalate"
    await prompts(world, "alice")
    world.let_pass(minutes=11)
    at = await prompts(world, "carol")
    [event] = await eventually(lambda: world.events("confirmation.escalated"), "the assistant hearing of it")
    assert event["data"]["to"] == "carol"
    await world.tapped(at["carol"], CONFIRM, person=MEI)
    assert (await world.api.outcome(asked["id"]))["outcome"] == "confirmed"
    await world.sim.expect_message(to=ALICE, containing="was confirmed by others")


async def test_a_question_is_withdrawn_once_and_its_answer_comes_to_nothing(world: World) -> None:
    await world.open_window()
    asked, prompt = await world.asked()
    path = f"/confirmations/{asked['id']}/withdraw"
    assert (await world.api.as_(client="other").call("POST", path))[0] == 404
    for _ in range(2):
        status, body = await world.api.call("POST", path)
        assert (status, body["outcome"]) == (200, "withdrawn")
    await world.sim.expect_message(to=ALICE, containing="is no longer asked")
    await world.tapped(prompt["wamid"], CONFIRM)
    assert (await stands(world, asked["id"]))["outcome"] == "withdrawn"
    await world.keeps_its_promises()
    told = [each for each in world.sim.messages(to=ALICE) if "is no longer asked" in each["shown"]]
    assert len(told) == 1


async def test_what_is_decided_cannot_be_withdrawn(world: World) -> None:
    asked, prompt = await world.asked()
    await world.tapped(prompt["wamid"], CONFIRM)
    status, problem = await world.api.call("POST", f"/confirmations/{asked['id']}/withdraw")
    assert (status, problem["code"]) == (409, "already_decided")
    assert (await stands(world, asked["id"]))["outcome"] == "confirmed"


async def test_an_answer_is_held_and_taken_back_and_given_again(world: World) -> None:
    await world.open_window()
    asked, prompt = await world.asked(undo_seconds=120)
    await world.tapped(prompt["wamid"], CONFIRM)
    held = await stands(world, asked["id"])
    assert (held["status"], held["leaning"], held["next"]["what"]) == ("held", "confirmed", "release")
    await world.sim.expect_message(to=ALICE, containing="Reply UNDO")
    await world.said("UNDO")
    await world.sim.expect_message(to=ALICE, containing="is taken back")
    assert (await stands(world, asked["id"]))["status"] == "pending"
    await world.tapped(prompt["wamid"], DECLINE)
    world.let_pass(seconds=121)
    assert (await world.api.outcome(asked["id"]))["outcome"] == "declined"
    await world.keeps_its_promises()


async def test_a_changed_identity_freezes_the_question_until_an_administrator_looks(world: World) -> None:
    await world.open_window()
    asked, prompt = await world.asked()
    world.sim.world.accounts.numbers[PHONE_NUMBER_ID].identity_check = True
    await world.sim.person(ALICE).changes_identity()
    await eventually(lambda: world.events("confirmation.frozen"), "the assistant hearing of it")
    await world.tapped(prompt["wamid"], CONFIRM)
    frozen = await stands(world, asked["id"])
    assert (frozen["status"], frozen["frozen"]) == ("pending", "identity_changed")
    path = f"/confirmations/{asked['id']}/unfreeze"
    assert (await world.api.call("POST", path))[0] == 403
    status, _ = await world.api.as_(scopes=("admin",)).call("POST", path)
    assert status == 200
    assert (await stands(world, asked["id"]))["status"] == "pending", (
        "an answer given meanwhile does not count"
    )
    await world.tapped(prompt["wamid"], CONFIRM)
    assert (await world.api.outcome(asked["id"]))["outcome"] == "confirmed"


async def test_who_is_away_is_not_asked_but_their_delegate_is(world: World) -> None:
    await everybody_is_known(world)
    away = {"delegate": "ben", "until": "2100-01-01T00:00:00Z"}
    assert (await world.api.call("PUT", "/people/alice/absence", json=away))[0] == 200
    assert (await world.api.call("GET", "/people/alice/absence"))[1]["delegate"] == "ben"
    asked = await world.api.ask(approvers=["alice"])
    at = await prompts(world, "ben")
    await world.tapped(at["ben"], CONFIRM, person=BEN)
    decided = await world.api.outcome(asked["id"])
    assert decided["outcome"] == "confirmed"
    assert [each["because"] for each in decided["approvers"] if each["user"] == "ben"] == ["delegated"]
    assert not [each for each in world.sim.messages(to=ALICE) if "meeting with John" in each["shown"]]
    assert (await world.api.call("DELETE", "/people/alice/absence"))[0] == 200
    assert (await world.api.call("GET", "/people/alice/absence"))[0] == 404


async def test_whoever_has_not_answered_is_reminded_once_before_the_end(world: World) -> None:
    await world.open_window()
    asked, _ = await world.asked(remind_minutes_before=5)
    assert asked["next"]["what"] == "remind"
    world.let_pass(minutes=26)
    await world.sim.expect_message(to=ALICE, containing="still waits for your answer")
    world.let_pass(minutes=5)
    assert (await world.api.outcome(asked["id"]))["outcome"] == "expired"
    await world.keeps_its_promises()
    reminders = [each for each in world.sim.messages(to=ALICE) if "still waits" in each["shown"]]
    assert len(reminders) == 1
