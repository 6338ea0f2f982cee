"""The service as who operates it sees it: its numbers, its alerts."""

from typing import Any

from .service import PHONE_NUMBER_ID, Api
from .world import World


def operator(world: World) -> Api:
    """The service, for somebody with every right."""
    return world.api.as_(user="ops", client="ops", scopes=("admin",))


async def sender(world: World, phone_number_id: str = PHONE_NUMBER_ID) -> dict[str, Any]:
    """One of our numbers."""
    body = await operator(world).must("GET", "/senders")
    found: dict[str, Any] = next(each for each in body["senders"] if each["id"] == phone_number_id)
    return found


async def alerts(world: World, state: str = "open") -> list[str]:
    """The keys of alerts, oldest first."""
    body = await operator(world).must("GET", "/alerts", params={"state": state})
    return [each["key"] for each in reversed(body["alerts"])]
