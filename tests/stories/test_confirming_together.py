"""Several people have to agree, and something happens to them: one leaves, another's identity changes."""

from functools import partial
from typing import Any

from harness.service import PHONE_NUMBER_ID
from harness.waiting import eventually
from harness.world import ALICE, BEN, CONFIRM, MEI, World
from sayso.core import claims
from sayso.inbound import receive

WHO = {"alice": ALICE, "ben": BEN, "carol": MEI}
WHAT = "schedule a meeting with John"


async def asked_together(world: World, *users: str, **changes: Any) -> tuple[str, dict[str, str]]:
    """A question to these, each of whom wrote before; its id, and each one's wamid of it."""
    for user in users:
        await world.api.link(WHO[user], user=user, name=user.title())
        await world.open_window(WHO[user])
    asked = await world.api.ask(WHAT, approvers=[*users], **changes)
    prompts = {user: await world.sim.expect_message(to=WHO[user], containing=WHAT) for user in users}
    return asked["id"], {user: prompt["wamid"] for user, prompt in prompts.items()}


async def states(world: World, confirmation_id: str) -> dict[str, tuple[str, str | None]]:
    found = await world.api.outcome(confirmation_id, wait=0)
    return {each["user"]: (each["state"], each["verdict"]) for each in found["approvers"]}


async def test_one_leaves_one_is_somebody_else_perhaps_and_two_decide_once_that_was_looked_at(
    world: World,
) -> None:
    question, at = await asked_together(world, "alice", "ben", "carol", need=2)
    await world.said("STOP", person=BEN)
    world.sim.world.accounts.numbers[PHONE_NUMBER_ID].identity_check = True
    await world.sim.person(MEI).changes_identity()
    await eventually(lambda: world.events("confirmation.frozen"), "the assistant hearing of it")
    for user in ("alice", "carol"):
        await world.tapped(at[user], CONFIRM, person=WHO[user])
    left, asked = ("undeliverable", None), ("asked", None)
    assert await states(world, question) == {"alice": asked, "ben": left, "carol": asked}
    status, _ = await world.api.as_(scopes=("admin",)).call("POST", f"/confirmations/{question}/unfreeze")
    assert status == 200
    await world.tapped(at["ben"], CONFIRM, person=BEN)
    await world.tapped(at["alice"], CONFIRM)
    assert await states(world, question) == {"alice": ("answered", "confirm"), "ben": left, "carol": asked}
    await world.tapped(at["carol"], CONFIRM, person=MEI)
    assert (await world.api.outcome(question))["outcome"] == "confirmed"
    answers = await world.rows("SELECT effect FROM answers ORDER BY id")
    assert [each["effect"] for each in answers] == ["frozen", "frozen", "late", "counted", "decided"]
    await world.keeps_its_promises()


async def test_where_both_are_needed_and_one_leaves_it_ends_and_the_other_is_told(world: World) -> None:
    question, at = await asked_together(world, "alice", "ben", need="all")
    await world.tapped(at["alice"], CONFIRM)
    await world.said("STOP", person=BEN)
    assert (await world.api.outcome(question))["outcome"] == "opted_out"
    assert await states(world, question) == {
        "alice": ("answered", "confirm"),
        "ben": ("undeliverable", None),
    }
    await world.sim.expect_message(to=ALICE, containing="did not get the answers it needed")
    await world.keeps_its_promises()


async def test_taps_that_come_at_once_are_decided_together_and_each_by_itself(world: World) -> None:
    """Two questions and one of two people: whoever is second at that one hears so, in the same transaction."""
    both, at = await asked_together(world, "alice", "ben", need=1)
    carols, hers = await asked_together(world, "carol")
    async with world.rt.db.tx() as tx:
        await claims.alone(tx, receive.QUEUE)  # nobody else claims
        taps = [
            await world.sim.tap(ALICE, at["alice"], CONFIRM),
            await world.sim.tap(MEI, hers["carol"], CONFIRM),
            await world.sim.tap(BEN, at["ben"], CONFIRM),
        ]
        for tap in taps:
            await eventually(partial(world.update, tap), "the tap being taken in")
    told = [await world.digested(tap) for tap in taps]
    assert [each.partition(" ")[2].split(" ", 1)[0] for each in told] == [both, carols, both]
    for question in (both, carols):
        assert (await world.api.outcome(question))["outcome"] == "confirmed"
    [written] = await world.rows(
        "SELECT count(DISTINCT xmin::text) AS times, count(*) AS proofs FROM receipts"
    )
    assert written == {"times": 1, "proofs": 2}
    effects = await world.rows("SELECT effect FROM answers ORDER BY id")
    assert [each["effect"] for each in effects] == ["decided", "decided", "repeated"]
    await world.keeps_its_promises()


async def test_whoever_takes_a_no_back_after_the_other_left_is_told_that_it_has_ended(world: World) -> None:
    question, at = await asked_together(world, "alice", "ben", need="all", undo_seconds=300)
    await world.tapped(at["alice"], 1)
    await eventually(lambda: world.events("confirmation.held"), "the no being held")
    await world.said("STOP", person=BEN)
    assert (await world.api.outcome(question, wait=0))["status"] == "held"
    await world.said("UNDO")
    assert (await world.api.outcome(question))["outcome"] == "opted_out"
    await world.sim.expect_message(to=ALICE, containing="did not get the answers it needed")
    await world.keeps_its_promises()
