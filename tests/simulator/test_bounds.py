"""Memory has bounds, and what goes beyond them ends as docs/simulator.md says."""

import gc
from functools import partial
from typing import TYPE_CHECKING

import pytest

from sayso.simulator import Simulator
from sayso.simulator.world.clock import SWEEP_FROM, Clock, Timer
from simulator.known import ANA, BEN, HELLO

if TYPE_CHECKING:
    from simulator.conftest import Graph, Receiver


def test_cancelled_timers_do_not_pile_up() -> None:
    clock, happened = Clock(), list[int]()
    clock.run(0)
    kept = [clock.after(index, partial(happened.append, index)) for index in (7, 3, 5)]
    for _ in range(20 * SWEEP_FROM):
        clock.after(30, partial(happened.append, 0)).cancel()
    gc.collect()
    assert sum(isinstance(each, Timer) for each in gc.get_objects()) <= SWEEP_FROM + len(kept)
    assert clock.waiting == 3
    clock.advance(60)
    assert happened == [3, 5, 7]


async def wait_somehow(sim: Simulator, how: str) -> None:
    """Have what is sent to Ana from now on wait: for her phone, for its end, for its template, or for the clock."""
    if how == "phone":
        await sim.person(ANA).turns_phone_off()
    elif how == "template":
        next(each for each in sim.world.templates.values() if each.name == "hello_world").pacing = True
    else:
        sim.clock.run(0)


async def go_on(sim: Simulator, how: str) -> None:
    """Have what waited go on."""
    hello = next(each for each in sim.world.templates.values() if each.name == "hello_world")
    sim.clock.run(1)
    if how == "phone":
        await sim.person(ANA).turns_phone_on()
    elif how == "template":
        hello.pacing = False
        sim.journey.release_held(hello.id)


@pytest.mark.parametrize("config", [{"keep_messages": 3}], indirect=True)
@pytest.mark.parametrize("saved", [False, True])
@pytest.mark.parametrize("how", ["phone", "template", "clock"])
async def test_what_waits_beyond_the_bound_keeps_its_course_as_many_again(
    sim: Simulator, graph: "Graph", receiver: "Receiver", how: str, saved: bool
) -> None:
    await wait_somehow(sim, how)
    sent = [(await graph.send(**HELLO)).wamid for _ in range(8)]
    if how == "phone":
        await sim.settled()
    if saved:
        document = sim.snapshot()
        await sim.reset()
        await sim.restore(document)
    assert len(sim.messages()) == 3
    await go_on(sim, how)
    await receiver.status(sent[-1], "read")
    await sim.settled()
    read = [each["id"] for each in receiver.statuses() if each["status"] == "read"]
    assert sorted(read) == sorted(sent[-6:]), "three that are kept, three beyond"
    assert not sim.world.beyond


@pytest.mark.parametrize(
    "config", [{"keep_messages": 3, "course": "silent", "tier": "TIER_50"}], indirect=True
)
async def test_what_is_dropped_beyond_the_bound_leaves_nothing_behind(sim: Simulator, graph: "Graph") -> None:
    for index in range(60):
        await graph.send(to=f"+1555100{index:04d}", **HELLO)
    assert sim.clock.waiting == 6
    assert (await graph.send(to=BEN, **HELLO)).status == 200
    assert sim.messages(to=BEN)[0]["status"] == "accepted", "the places of those dropped are free again"
