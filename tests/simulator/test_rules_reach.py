"""The messaging limit of a portfolio: different people outside windows in a rolling 24 h (cloud-api.md 6)."""

import dataclasses
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sayso.simulator import Simulator, SimulatorConfig
from sayso.simulator.rules import reach
from sayso.simulator.world.accounts import BusinessNumber
from sayso.simulator.world.quotas import Reach
from simulator.known import ANA, BEN, DAY, HELLO

if TYPE_CHECKING:
    from simulator.conftest import Graph, Receiver


@pytest.fixture
def config(config: SimulatorConfig) -> SimulatorConfig:
    """A portfolio at the lowest tier."""
    return dataclasses.replace(config, tier="TIER_50")


@pytest.fixture(scope="module")
def tiny() -> Any:
    """A tier of 3 people, so that a handful of steps meets every edge."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(reach.LIMITS, "TIER_3", 3)
        yield


steps = st.lists(
    st.tuples(st.sampled_from("ABCDEF"), st.sampled_from([0, 1, 7, 12, 23, 24, 25]), st.booleans()),
    max_size=60,
)


@given(steps)
@pytest.mark.usefixtures("tiny")
def test_no_day_reaches_more_people_than_the_limit(taken: list[tuple[str, int, bool]]) -> None:
    kept, now = Reach(), 1_795_000_000.0
    arrived: list[tuple[float, str]] = []
    for who, hours, arrives in taken:
        now += hours * 3600
        of_today = {each for at, each in arrived if now - at < DAY}
        refused = reach.over(kept, "TIER_3", who, now)
        assert (refused is not None) is (who not in of_today and len(of_today) >= 3)
        if refused is not None:
            continue
        reach.set_out(kept, who, now)
        if arrives:
            reach.arrive(kept, who, now)
            arrived.append((now, who))
        else:
            reach.give_up(kept, who)


@pytest.mark.usefixtures("tiny")
def test_those_on_their_way_hold_a_place_for_a_day() -> None:
    kept, now = Reach(), 1_795_000_000.0
    for who in "ABC":
        reach.set_out(kept, who, now)
    assert reach.over(kept, "TIER_3", "D", now) == reach.OVER
    reach.give_up(kept, "A")
    assert reach.over(kept, "TIER_3", "D", now) is None
    reach.set_out(kept, "D", now)
    assert reach.over(kept, "TIER_3", "A", now + DAY - 1) == reach.OVER
    assert reach.over(kept, "TIER_3", "A", now + DAY) is None


def test_no_more_people_are_remembered_than_any_limit_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reach, "REMEMBERED", 5)
    kept = Reach()
    for index in range(9):
        reach.arrive(kept, str(index), 1_795_000_000.0 + index)
    assert len(kept.delivered) == 5


async def fill(sim: Simulator, graph: "Graph", count: int) -> None:
    """Reach so many people outside windows."""
    for index in range(count):
        assert (await graph.send(to=f"+1555100{index:04d}", **HELLO)).status == 200
    await sim.settled()


async def test_one_person_more_than_the_tier_fails_late(
    sim: Simulator, graph: "Graph", receiver: "Receiver"
) -> None:
    await fill(sim, graph, 50)
    wamid = (await graph.send(**HELLO)).wamid
    failed = await receiver.status(wamid, "failed")
    (error,) = failed["errors"]
    assert (error["code"], error["title"]) == (131048, "Spam rate limit hit")
    assert "messaging limit" in error["error_data"]["details"]
    again = (await graph.send(to="+15551000000", **HELLO)).wamid
    await receiver.status(again, "delivered")
    sim.advance(DAY + 1)
    await receiver.status((await graph.send(**HELLO)).wamid, "delivered")


async def test_answers_in_a_window_are_not_limited_and_do_not_count(
    sim: Simulator, graph: "Graph", receiver: "Receiver"
) -> None:
    await sim.inbound(ANA, text="hi")
    await receiver.status((await graph.text()).wamid, "delivered")
    await fill(sim, graph, 50)
    await receiver.status((await graph.text()).wamid, "delivered")
    await receiver.status((await graph.send(to=BEN, **HELLO)).wamid, "failed")


async def test_every_number_of_the_portfolio_shares_it(
    sim: Simulator, graph: "Graph", receiver: "Receiver"
) -> None:
    await fill(sim, graph, 50)
    config = sim.config
    second = BusinessNumber("100000000000077", config.waba_id, "15550100077", "Second")
    sim.parts.world.accounts.numbers[second.phone_number_id] = second
    body = {"messaging_product": "whatsapp", "to": ANA, **HELLO}
    sent = await graph.call("POST", f"/v25.0/{second.phone_number_id}/messages", json=body)
    assert (await receiver.status(sent.wamid, "failed"))["errors"][0]["code"] == 131048


async def test_who_was_not_reached_does_not_count(
    sim: Simulator, graph: "Graph", receiver: "Receiver"
) -> None:
    await fill(sim, graph, 49)
    sim.parts.world.people[ANA[1:]].on_whatsapp = False
    await receiver.status((await graph.send(**HELLO)).wamid, "failed")
    await receiver.status((await graph.send(to=BEN, **HELLO)).wamid, "delivered")


async def test_a_message_that_fails_gives_back_no_place_but_its_own(
    sim: Simulator, graph: "Graph", receiver: "Receiver"
) -> None:
    await fill(sim, graph, 49)
    ana = sim.parts.world.people[ANA[1:]]
    sim.journey.phone_off(ana)
    await receiver.status((await graph.send(**HELLO)).wamid, "sent")  # the 50th place
    await receiver.status((await graph.text()).wamid, "failed")
    beyond = await receiver.status((await graph.send(to=BEN, **HELLO)).wamid, "failed")
    assert beyond["errors"][0]["code"] == 131048


async def test_without_a_limit_there_is_none(sim: Simulator, graph: "Graph") -> None:
    sim.parts.world.accounts.portfolios[sim.config.portfolio_id].tier = "TIER_UNLIMITED"
    await fill(sim, graph, 60)
    assert {each["status"] for each in sim.messages()} <= {"delivered", "read"}
