"""A question that is not answered goes on: not delivered, not read, not answered; and to a stand-in."""

from typing import Any

from harness.waiting import eventually
from harness.world import ALICE, BEN, CONFIRM, MEI, World

DAVE = "+15550004444"
WHO = {"alice": ALICE, "ben": BEN, "carol": MEI, "dave": DAVE}
WHAT = "schedule a meeting with John"


async def everybody_is_known(world: World) -> None:
    """Four users, each of whom wrote before."""
    for user, number in WHO.items():
        await world.api.link(number, user=user, name=user.title())
        await world.open_window(number)


async def put_to(world: World, confirmation_id: str, user: str, state: str) -> str:
    """Wait until the question to this user has come so far; its wamid."""

    async def look() -> str | None:
        asked = await world.api.outcome(confirmation_id, wait=0)
        stands = {each["user"]: each["delivery"] for each in asked["approvers"]}
        return stands.get(user) if stands.get(user) == state else None

    await eventually(look, f"the question to {user} being {state}")
    prompt = await world.sim.expect_message(to=WHO[user], containing=WHAT)
    return str(prompt["wamid"])


async def states(world: World, confirmation_id: str) -> dict[str, tuple[Any, ...]]:
    found = await world.api.outcome(confirmation_id, wait=0)
    return {each["user"]: (each["because"], each["state"], each["delivery"]) for each in found["approvers"]}


async def test_at_each_delay_it_goes_on_by_what_became_of_it_so_far(world: World) -> None:
    await everybody_is_known(world)
    await world.sim.person(ALICE).turns_phone_off()
    await world.sim.person(BEN).changes(read_receipts=False)
    asked = await world.api.ask(
        WHAT,
        approvers=["alice"],
        escalation=[
            {"after": "5m", "when": "undelivered", "to": "ben"},
            {"after": "10m", "when": "unread", "to": "carol"},
            {"after": "15m", "when": "unanswered", "to": "dave"},
        ],
    )
    read = await world.api.ask(
        "book the room", approvers=["carol"], escalation=[{"after": "5m", "when": "unread", "to": "ben"}]
    )
    await world.stands(asked["message_id"], "sent")
    await world.stands(read["message_id"], "read")
    for user, state in (("ben", "delivered"), ("carol", "read"), ("dave", "read")):
        world.let_pass(minutes=5, seconds=10)
        at = await put_to(world, asked["id"], user, state)
    assert await states(world, read["id"]) == {
        "carol": ("asked", "asked", "read"),
        "ben": ("escalated", "waiting", None),
    }
    told = await world.events("confirmation.escalated")
    assert [(each["subject"], each["data"]["step"], each["data"]["to"]) for each in told] == [
        (asked["id"], step, user) for step, user in enumerate(("ben", "carol", "dave"), start=1)
    ]
    await world.tapped(at, CONFIRM, person=DAVE)
    assert (await world.api.outcome(asked["id"]))["outcome"] == "confirmed"
    await world.sim.person(ALICE).turns_phone_on()
    for user in ("alice", "ben", "carol"):
        await world.sim.expect_message(to=WHO[user], containing="was confirmed by others")
    await world.keeps_its_promises()


async def test_whose_turn_comes_while_they_are_away_is_asked_in_the_person_of_their_delegate(
    world: World,
) -> None:
    await everybody_is_known(world)
    asked = await world.api.ask(
        WHAT, approvers=["alice"], escalation=[{"after": "5m", "when": "unanswered", "to": "carol"}]
    )
    away = {"delegate": "dave", "until": "2100-01-01T00:00:00Z"}
    assert (await world.api.call("PUT", "/people/carol/absence", json=away))[0] == 200
    world.let_pass(minutes=5, seconds=10)
    at = await put_to(world, asked["id"], "dave", "read")
    assert await states(world, asked["id"]) == {
        "alice": ("asked", "asked", "read"),
        "carol": ("escalated", "passed", None),
        "dave": ("delegated", "asked", "read"),
    }
    await world.tapped(at, CONFIRM, person=DAVE)
    assert (await world.api.outcome(asked["id"]))["outcome"] == "confirmed"
    status, receipt = await world.api.call("GET", f"/confirmations/{asked['id']}/receipt?format=json")
    said = [(each["because"], each["verdict"]) for each in receipt["claims"]["approvals"]]
    assert (status, sorted(said, key=str)) == (
        200,
        [("asked", None), ("delegated", "confirm"), ("escalated", None)],
    )
    assert not [each for each in world.sim.messages(to=MEI) if WHAT in each["shown"]]
    await world.keeps_its_promises()
