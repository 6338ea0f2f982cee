"""Usage headers and management limits, by a sliding hour of simulated time (cloud-api.md 6)."""

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from sayso.simulator import Simulator, SimulatorConfig

if TYPE_CHECKING:
    from simulator.conftest import Graph

NUMBER, WABA, APP = "100000000000001", "200000000000001", "900000000000001"
HOUR_S = 3600


async def headers(graph: "Graph", method: str, path: str, **sent: Any) -> dict[str, str]:
    bearer = {"Authorization": f"Bearer {graph.token}"}
    async with graph.session.request(method, graph.base_url + path, headers=bearer, **sent) as answer:
        return {name.lower(): value for name, value in answer.headers.items()}


def business(told: dict[str, str]) -> list[dict[str, Any]]:
    found = json.loads(told["x-business-use-case-usage"])
    assert list(found) == [WABA]
    return list(found[WABA])


def used(percent: int, wait: int = 0, kind: str = "whatsapp_business_management") -> dict[str, Any]:
    shares = {"call_count": percent, "total_cputime": percent, "total_time": percent}
    return {"type": kind, **shares, "estimated_time_to_regain_access": wait}


@pytest.fixture
async def idle(sim: Simulator) -> Simulator:
    """A WABA without a registered number: 200 calls an hour; time stands still."""
    sim.parts.accounts.change_number(NUMBER, registered=False)
    sim.clock.start_at(1_795_000_000, 0)
    return sim


async def test_both_headers_whole(graph: "Graph", idle: Simulator) -> None:
    told = await headers(graph, "GET", f"/{WABA}")
    assert business(told) == [used(1), used(0, kind="whatsapp")]
    assert json.loads(told["x-app-usage"]) == {"call_count": 1, "total_cputime": 1, "total_time": 1}


async def test_the_shares_count_real_calls(graph: "Graph", idle: Simulator) -> None:
    for _ in range(20):
        told = await headers(graph, "GET", f"/{WABA}")
    assert business(told)[0] == used(10)
    assert json.loads(told["x-app-usage"])["call_count"] == 10
    told = await headers(graph, "GET", f"/{APP}")
    assert json.loads(told["x-app-usage"])["call_count"] == 10
    assert "x-business-use-case-usage" not in told, "an app belongs to no account"


async def test_messaging_counts_apart(graph: "Graph", sim: Simulator) -> None:
    told = await headers(graph, "POST", f"/{NUMBER}/messages", json={})
    assert business(told) == [used(0), used(1, kind="whatsapp")]
    sim.clock.run(0)
    sim.advance(2 * HOUR_S)
    told = await headers(graph, "GET", f"/{NUMBER}/whatsapp_business_profile")
    assert business(told)[1] == used(1, kind="whatsapp")
    assert sim.parts.world.accounts.other_calls[f"{APP}/{WABA}"].total == 1, "the first is an hour ago"


@pytest.mark.parametrize(
    ("method", "path", "counts"),
    [
        ("GET", f"/{WABA}", True),
        ("GET", f"/{WABA}/phone_numbers", True),
        ("GET", f"/{WABA}/message_templates", True),
        ("GET", f"/{WABA}/subscribed_apps", True),
        ("GET", f"/{NUMBER}", True),
        ("POST", f"/{NUMBER}", True),
        ("GET", f"/{NUMBER}/settings", False),
        ("POST", f"/{NUMBER}/messages", False),
    ],
)
async def test_what_counts_as_management(
    graph: "Graph", idle: Simulator, method: str, path: str, counts: bool
) -> None:
    await headers(graph, method, path)
    calls = idle.parts.world.accounts.management_calls.get(f"{APP}/{WABA}", [])
    assert len(calls) == int(counts)


async def test_the_200th_is_the_last_in_an_hour(graph: "Graph", idle: Simulator) -> None:
    for _ in range(199):
        await graph.call("GET", f"/{WABA}")
    idle.advance(30 * 60)
    assert (await graph.call("GET", f"/{WABA}")).status == 200
    refused = await graph.call("GET", f"/{NUMBER}")
    assert (refused.status, refused.code) == (400, 80008)
    assert (await graph.call("GET", f"/{NUMBER}/settings")).status == 200, "other calls go on"
    told = await headers(graph, "GET", f"/{WABA}")
    assert business(told)[0] == used(100, wait=30)
    assert "retry-after" not in told
    idle.advance(30 * 60 - 1)
    assert (await graph.call("GET", f"/{WABA}")).code == 80008
    idle.advance(1)
    told = await headers(graph, "GET", f"/{WABA}")
    assert business(told)[0] == used(1), "the one of half an hour ago and this"


async def test_5000_with_a_registered_number(graph: "Graph", sim: Simulator) -> None:
    sim.clock.run(0)
    calls = sim.parts.world.accounts.management_calls.setdefault(f"{APP}/{WABA}", [])
    calls.extend([sim.clock.now()] * 4_999)
    assert business(await headers(graph, "GET", f"/{WABA}"))[0] == used(100)
    assert (await graph.call("GET", f"/{WABA}")).code == 80008


async def test_limits_are_per_app_and_account(graph: "Graph", idle: Simulator) -> None:
    calls = idle.parts.world.accounts.management_calls.setdefault(f"{APP}/{WABA}", [])
    calls.extend([idle.clock.now()] * 200)
    accounts = idle.parts.accounts
    other_waba = accounts.add_waba()
    assert (await graph.call("GET", f"/{other_waba.id}")).status == 200
    graph.token = accounts.add_token(app_id=accounts.add_app().id).value
    assert (await graph.call("GET", f"/{WABA}")).status == 200


async def test_limits_can_be_switched_off_and_waits_told(
    graph: "Graph", idle: Simulator, config: SimulatorConfig
) -> None:
    calls = idle.parts.world.accounts.management_calls.setdefault(f"{APP}/{WABA}", [])
    calls.extend([idle.clock.now()] * 200)
    idle.parts.world.config = replace(config, retry_after=True)
    assert (await headers(graph, "GET", f"/{WABA}"))["retry-after"] == str(HOUR_S)
    idle.parts.world.config = replace(config, enforce_management_limits=False)
    assert (await graph.call("GET", f"/{WABA}")).status == 200
