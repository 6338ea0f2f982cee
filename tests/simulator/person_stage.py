"""Being Ana in a test, and hearing what the business is told of it."""

from typing import TYPE_CHECKING, Any

from sayso.simulator import Simulator
from simulator.known import ANA

if TYPE_CHECKING:
    from simulator.conftest import Graph, Receiver


async def told_by(
    graph: "Graph", receiver: "Receiver", deed: dict[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Do something as Ana; return the message of the webhook that tells of it, and the whole value."""
    status, answer = await graph.control("POST", "/inbound", {"from": ANA, **deed})
    assert (status, answer["reached"]) == (200, True), answer

    def found() -> list[dict[str, Any]]:
        values = [hook.value for hook in receiver.hooks if hook.value.get("messages")]
        return [each for each in values if each["messages"][0]["id"] == answer["wamid"]]

    await receiver.until(lambda _: bool(found()))
    return found()[0]["messages"][0], found()[0]


def common(sim: Simulator, message: dict[str, Any]) -> dict[str, Any]:
    """Tell what every message of Ana's begins with."""
    assert message["timestamp"].isdecimal(), "a string of unix seconds"
    return {
        "from": "15550001111",
        "from_user_id": sim.person(ANA).user_id,
        "id": message["id"],
        "timestamp": message["timestamp"],
    }
