"""What was sent is looked for by names that are known: others are named, with those there are, and nobody waits."""

from typing import TYPE_CHECKING

import pytest

from sayso.simulator import Simulator
from simulator.known import ANA, HELLO

if TYPE_CHECKING:
    from simulator.conftest import Graph

NUMBER = "100000000000001"


@pytest.mark.parametrize(
    ("query", "why"),
    [
        ("template=helo_world", '`template` cannot be "helo_world"; did you mean `hello_world`?'),
        ("number=7", f'`number` cannot be "7". Known here: `{NUMBER}`.'),
        ("after=wamid.nope", "`after` is the id of no message that is kept here: 'wamid.nope'."),
    ],
)
async def test_a_filter_that_never_fits_is_named(graph: "Graph", query: str, why: str) -> None:
    status, answer = await graph.control("GET", f"/messages?{query}&wait_s=100")
    assert (status, answer["error"].startswith(why)) == (400, True), answer


async def test_a_filter_that_fits_finds(sim: Simulator, graph: "Graph") -> None:
    said = await sim.person(ANA).says("hello")
    sent = (await graph.send(**HELLO)).wamid

    async def found(query: str) -> list[str]:
        status, answer = await graph.control("GET", f"/messages?{query}&wait_s=10")
        assert status == 200, answer
        return [each["wamid"] for each in answer["messages"]]

    assert await found("template=hello_world") == [sent]
    assert await found(f"number={NUMBER}") == [sent]
    assert await found(f"after={said}".replace("+", "%2B")) == [sent]
    (template,) = [each["id"] for each in sim.desk.listed() if each["name"] == "hello_world"]
    sim.desk.delete(template)
    sim.advance(90 * 24 * 3600)
    assert await found("template=hello_world") == [sent], "it was sent before it was deleted"


@pytest.mark.parametrize(("deed", "body"), [("block", {}), ("unblock", {}), ("marketing", {"value": "stop"})])
async def test_a_number_that_is_none_is_named_by_its_key(
    graph: "Graph", deed: str, body: dict[str, str]
) -> None:
    status, answer = await graph.control("POST", f"/people/{ANA}/{deed}", {"number": "nope", **body})
    why = f"`number` must be the id of a business phone number, one of {NUMBER}; it is 'nope'"
    assert (status, answer["error"]) == (400, why)
    status, answer = await graph.control("POST", "/inbound", {"from": ANA, "text": "hello", "to": "nope"})
    assert (status, answer["error"].partition(" must")[0]) == (400, "`to`")


async def test_reading_from_a_number_that_is_none(sim: Simulator) -> None:
    with pytest.raises(ValueError, match="`number` must be the id of a business phone number"):
        await sim.person(ANA).reads(number="nope")
