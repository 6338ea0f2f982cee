"""What stories of consent look at: what holds for somebody, the entries, and what reached the phone."""

from datetime import UTC, datetime, timedelta
from typing import Any

from harness.world import ALICE, World
from sayso.cli.consent import verify_database

PROOF = {"wording": "Yes, message me.", "evidence": ["form 7"]}
OPERATOR = ("operate", "consents:read", "consents:write", "admin")
LEFT, THANKS = "unsubscribed", "Thank you for opting in"


async def send(world: World, person: str = ALICE, **more: Any) -> tuple[int, Any]:
    return await world.api.call("POST", "/send", json={"recipient": person, "content": "hello", **more})


async def standing(world: World, person: str = ALICE) -> dict[str, Any]:
    status, body = await world.api.call("GET", "/consents", params={"recipient": person})
    assert status == 200, body
    assert isinstance(body, dict)
    return body


async def whole(world: World) -> int:
    """The ledger verifies; how many entries it has."""
    walk = await verify_database(world.rt)
    assert walk.findings == []
    return walk.entries


async def entries(world: World) -> list[dict[str, Any]]:
    return await world.rows("SELECT * FROM consent_entries ORDER BY seq")


def in_an_hour() -> str:
    return (datetime.now(UTC) + timedelta(hours=1)).isoformat()


async def shown(world: World, containing: str, person: str = ALICE) -> int:
    await world.at_rest()
    return len([each for each in world.sim.messages(to=person) if containing in each["shown"]])
