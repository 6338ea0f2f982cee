"""Which calls a fault strikes: its schedule, and whom it concerns (docs/simulator-control.md)."""

import random
from typing import Any

import msgspec
import pytest
from aiohttp import web

from sayso.simulator.call import Call, Route
from sayso.simulator.config import SimulatorConfig
from sayso.simulator.faults.armed import Armed
from sayso.simulator.faults.faults import Faults
from sayso.simulator.faults.matching import Aim, concerns
from sayso.simulator.faults.model import DropBefore, Fault, WebhookLoss, WebhookReorder
from sayso.simulator.live import Live
from sayso.simulator.world.clock import Clock
from sayso.simulator.world.world import World

SCHEDULES: list[tuple[dict[str, Any], str]] = [
    ({}, "x.........."),
    ({"next": 3}, "xxx........"),
    ({"until_cleared": True}, "xxxxxxxxxxx"),
    ({"after": 2}, "..x........"),
    ({"after": 2, "next": 2}, "..xx......."),
    ({"every": 3}, "..x..x..x.."),
    ({"every": 3, "next": 2}, "..x..x....."),
    ({"every": 3, "after": 1}, "...x..x..x."),
    ({"every": 1}, "xxxxxxxxxxx"),
    ({"probability": 1.0}, "xxxxxxxxxxx"),
    ({"probability": 1.0, "next": 2, "after": 1}, ".xx........"),
    ({"until_cleared": True, "next": 2}, "xx........."),
]


@pytest.mark.parametrize(("schedule", "struck"), SCHEDULES)
def test_a_schedule(schedule: dict[str, Any], struck: str) -> None:
    armed = Armed(1, DropBefore(**schedule))
    assert "".join("x" if armed.strikes() else "." for _ in struck) == struck
    assert armed.hits == struck.count("x")
    assert armed.used_up == (armed.left == 0)


def test_chance_is_that_of_the_seed() -> None:
    def struck(seed: int) -> list[bool]:
        armed = Armed(1, DropBefore(probability=0.3, seed=seed))
        return [armed.strikes() for _ in range(1_000)]

    dice = random.Random(7)
    assert struck(7) == [dice.random() < 0.3 for _ in range(1_000)]
    assert struck(7) != struck(8)
    assert 200 < sum(struck(7)) < 400


def test_a_schedule_goes_on_after_a_snapshot() -> None:
    armed, whole = (Armed(1, DropBefore(probability=0.5, seed=3, next=40)) for _ in range(2))
    first = [armed.strikes() for _ in range(20)]
    again = Armed.restored(msgspec.json.decode(msgspec.json.encode(armed.saved())))
    assert [*first, *(again.strikes() for _ in range(20))] == [whole.strikes() for _ in range(40)]
    assert again.listed() == whole.listed()


def test_what_is_listed() -> None:
    armed = Armed(4, WebhookLoss(status="sent", every=2))
    assert (armed.strikes(), armed.strikes(), armed.strikes()) == (False, True, False)
    assert armed.listed() == {
        "id": 4,
        "kind": "webhook_loss",
        "on": "webhooks",
        "status": "sent",
        "every": 2,
        "next": None,
        "hits": 1,
        "seen": 3,
    }


@pytest.mark.parametrize(
    ("fault", "times"),
    [
        (WebhookReorder(), 3),
        (WebhookReorder(next=5), 5),
        (WebhookReorder(until_cleared=True), None),
        (WebhookReorder(on="messages"), 1),
        (WebhookLoss(), 1),
    ],
)
def test_how_often_by_default(fault: Fault, times: int | None) -> None:
    assert fault.times == times


CALL = Aim(
    on="messages",
    method="POST",
    phone_number_id="100000000000001",
    waba_id="200000000000001",
    wa_id="15550001111",
    template="hello_world",
    token="sim-token",
)
UPDATE = Aim(on="webhooks", wa_id="15550001111", field="messages", status="sent", app_id="9")
AIMED: list[tuple[dict[str, Any], Aim, bool]] = [
    ({}, CALL, True),
    ({"on": "*"}, CALL, True),
    ({"on": "media"}, CALL, False),
    ({"method": "POST"}, CALL, True),
    ({"method": "GET"}, CALL, False),
    ({"to": "+15550001111"}, CALL, True),
    ({"to": "+1 (555) 000-1111"}, CALL, True),
    ({"to": "+15550002222"}, CALL, False),
    ({"phone_number_id": "100000000000001"}, CALL, True),
    ({"phone_number_id": "100000000000002"}, CALL, False),
    ({"waba_id": "200000000000001"}, CALL, True),
    ({"waba_id": "200000000000002"}, CALL, False),
    ({"template": "hello_world"}, CALL, True),
    ({"template": "goodbye"}, CALL, False),
    ({"token": "sim-token"}, CALL, True),
    ({"token": "other"}, CALL, False),
    ({"to": "+15550001111", "template": "goodbye"}, CALL, False),
    ({"on": "*"}, UPDATE, False),
]
WEBHOOKS: list[tuple[dict[str, Any], bool]] = [
    ({}, True),
    ({"to": "+15550001111"}, True),
    ({"to": "+15550002222"}, False),
    ({"field": "messages"}, True),
    ({"field": "security"}, False),
    ({"status": "sent"}, True),
    ({"status": "read"}, False),
    ({"app_id": "9"}, True),
    ({"app_id": "8"}, False),
    ({"on": "messages"}, False),
]


@pytest.fixture(scope="module")
def world() -> World:
    return World(SimulatorConfig(), Clock())


@pytest.mark.parametrize(("aimed", "aim", "met"), AIMED)
def test_which_calls_it_concerns(world: World, aimed: dict[str, Any], aim: Aim, met: bool) -> None:
    assert concerns(DropBefore(**aimed), aim, world) is met


@pytest.mark.parametrize(("aimed", "met"), WEBHOOKS)
def test_which_webhooks_it_concerns(world: World, aimed: dict[str, Any], met: bool) -> None:
    assert concerns(WebhookLoss(**aimed), UPDATE, world) is met


def test_a_person_by_business_scoped_user_id(world: World) -> None:
    user_id = world.people["15550001111"].user_id
    assert concerns(DropBefore(to=user_id), CALL, world)
    assert not concerns(DropBefore(to="US.404"), CALL, world)


@pytest.mark.parametrize(
    ("armed", "known"), [("+5511987654321", "551187654321"), ("+551187654321", "5511987654321")]
)
def test_a_person_by_the_other_spelling(armed: str, known: str) -> None:
    """In Brazil a number has two spellings, of which people are known by one (2.1)."""
    world = World(SimulatorConfig(), Clock())
    world.person(known)
    assert concerns(DropBefore(to=armed), CALL._replace(wa_id=known), world)
    assert not concerns(DropBefore(to=armed), CALL, world)


def test_faults_of_messages_go_on_after_a_snapshot(world: World) -> None:
    aim = Aim(on="webhooks", field="messages", status="sent")

    def faults() -> Faults:
        made = Faults(world, Live())
        made.know([Route("POST", "number", "messages", "messages", None, answered)])
        return made

    there = faults()
    first, second = there.arm(WebhookLoss(on="messages")), there.arm(DropBefore(next=2))
    there._remember("wamid.A", there.armed[first])
    again = faults()
    again.restored(msgspec.json.decode(msgspec.json.encode(there.saved())))
    assert again.listed() == there.listed()
    assert [each.id for each in again.of_webhook(aim, "wamid.A")] == [first]
    assert again.of_webhook(aim, "wamid.B") == []
    assert again.arm(DropBefore()) == second + 1
    again.clear()
    assert again.of_webhook(aim, "wamid.A") == []


async def answered(_: Call) -> web.Response:
    raise AssertionError("nobody calls")
