"""A send that is refused changes nothing: nobody comes into being by it, no limit counts it (cloud-api.md 5.1)."""

from typing import TYPE_CHECKING, Any

import pytest

from sayso.simulator import Simulator
from simulator.known import HELLO

if TYPE_CHECKING:
    from simulator.conftest import Graph

STRANGER = "+447700900123"


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ({"type": "text", "text": {}}, 131008),
        ({"type": "text", "text": {"body": "x", "txet": "y"}}, 100),
        ({"type": "template", "template": {"name": "nothing", "language": {"code": "en"}}}, 132001),
        ({"type": "text", "text": {"body": "x"}, "context": {}}, 131008),
    ],
)
async def test_nobody_comes_into_being(
    graph: "Graph", sim: Simulator, message: dict[str, Any], code: int
) -> None:
    world = sim.parts.world
    before = world.mint.state()
    assert (await graph.send(to=STRANGER, **message)).code == code
    assert STRANGER[1:] not in world.people
    assert not [key for key in world.threads if key[1] == STRANGER[1:]]
    assert world.mint.state() == before
    assert (await graph.send(to=STRANGER, **HELLO)).status == 200
    assert STRANGER[1:] in world.people


async def test_nobody_comes_into_being_when_refused_for_the_account(graph: "Graph", sim: Simulator) -> None:
    await graph.control("POST", "/wabas/200000000000001", {"restriction": {"code": 131031}})
    assert (await graph.send(to=STRANGER, **HELLO)).code == 131031
    assert STRANGER[1:] not in sim.parts.world.people
