"""How far simulated time goes: forward only, to the end of 2099, at most a million times as fast as the machine's."""

import math
from typing import TYPE_CHECKING, Any

import pytest

from sayso.simulator import Simulator
from sayso.simulator.world.clock import FASTEST, LATEST, Clock

if TYPE_CHECKING:
    from simulator.conftest import Graph

BEYOND: list[tuple[dict[str, Any], str]] = [
    ({"advance_s": 1e13}, "simulated time ends with the year 2099"),
    ({"set": 1e308}, "simulated time ends with the year 2099"),
    ({"set": LATEST + 1}, "simulated time ends with the year 2099"),
    ({"set": "9999-12-31T23:59:59-14:00"}, "simulated time ends with the year 2099"),
    ({"set": "0001-01-01T00:00:00+14:00"}, "only moves forward"),
    ({"set": -1e308}, "only moves forward"),
    ({"advance_s": -1}, "at least 0"),
    ({"speed": FASTEST + 1}, "at most 1e+06"),
]


@pytest.mark.parametrize(("move", "why"), BEYOND)
async def test_a_moment_beyond_the_bounds_is_refused(
    sim: Simulator, graph: "Graph", move: dict[str, Any], why: str
) -> None:
    status, answer = await graph.control("POST", "/clock", move)
    assert (status, why in answer["error"]) == (400, True), answer
    status, clock = await graph.control("GET", "/clock")
    assert (status, clock["frozen"]) == (200, False)
    assert (await graph.text()).status == 200
    assert sim.clock.now() < LATEST / 2, "time did not move"


async def test_the_last_moment_is_a_moment_like_others(frozen: Simulator) -> None:
    assert frozen.set_time(LATEST) == LATEST
    await frozen.person("+15550001111").says("hello")
    assert frozen.state()["messages"] == 1
    with pytest.raises(ValueError, match="year 2099"):
        frozen.advance(1)


def test_time_that_runs_stops_at_the_end() -> None:
    real = iter([LATEST - 10.0] * 3 + [LATEST * 2] * 2)
    clock = Clock(lambda: next(real))
    clock.run(FASTEST)
    assert clock.now() == LATEST


@pytest.mark.parametrize("wrong", [-1.0, math.nan, math.inf])
def test_no_number_that_is_none(wrong: float) -> None:
    clock = Clock()
    with pytest.raises(ValueError, match="simulated time"):
        clock.advance(wrong)
    with pytest.raises(ValueError, match="simulated time"):
        clock.set(wrong)
    with pytest.raises(ValueError, match="speed must be from 0 to 1000000"):
        clock.run(wrong)
