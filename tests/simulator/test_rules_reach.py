"""The messaging limit of a portfolio: different people outside windows in a rolling 24 h (cloud-api.md 6)."""

import dataclasses
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sayso.simulator import Simulator, SimulatorConfig
from sayso.simulator.page.used import used_up
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
    st.tuples(
        st.sampled_from("ABCDEF"),
        st.sampled_from([0, 1, 7, 12, 23, 24, 25]),
        st.sampled_from(["send", "send", "arrive", "give up", "move"]),
    ),
    max_size=60,
)


@given(steps)
@pytest.mark.usefixtures("tiny")
def test_no_day_reaches_more_people_than_the_limit(taken: list[tuple[str, int, str]]) -> None:
    kept, now = Reach(), 1_795_000_000.0
    arrived: list[tuple[float, str]] = []
    on_the_way: list[str] = []
    for who, hours, what in taken:
        now += hours * 3600
        of_today = {each for at, each in arrived if now - at < DAY}
        assert len(of_today) <= 3
        counted = of_today | set(on_the_way)
        refused = reach.over(kept, "TIER_3", who, now)
        assert (refused is not None) is (who not in counted and len(counted) >= 3)
        if what == "send" and refused is None:
            reach.set_out(kept, who)
            on_the_way.append(who)
        elif what == "move":
            kept.move(who, who.lower())
            kept.move(who.lower(), who)
        elif who in on_the_way and what == "arrive":
            reach.arrive(kept, who, now)
            on_the_way.remove(who)
            arrived.append((now, who))
        elif who in on_the_way:
            reach.give_up(kept, who)
            on_the_way.remove(who)


@pytest.mark.usefixtures("tiny")
def test_those_on_their_way_hold_a_place_as_long_as_any_message_is() -> None:
    kept, now = Reach(), 1_795_000_000.0
    for who in "AABC":
        reach.set_out(kept, who)
    reach.give_up(kept, "A")
    assert reach.over(kept, "TIER_3", "D", now + 29 * DAY) == reach.OVER, "another one is on its way to A"
    reach.give_up(kept, "A")
    assert reach.over(kept, "TIER_3", "D", now) is None


def test_two_people_whose_numbers_become_one_are_one() -> None:
    kept, now = Reach(), 1_795_000_000.0
    for who, at in (("A", now), ("B", now + 1), ("C", now + 2)):
        reach.set_out(kept, who)
        reach.arrive(kept, who, at)
    reach.set_out(kept, "A")
    kept.move("A", "C")
    assert (kept.people, list(kept.delivered), kept.on_the_way) == (2, ["B", "C"], {"C": 1})


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
    reached = [each["to"] for each in sim.messages() if each["status"] in ("delivered", "read")]
    assert len(set(reached)) == 60


async def test_phones_that_were_off_are_not_reached_beyond_the_limit(
    sim: Simulator, graph: "Graph", receiver: "Receiver"
) -> None:
    ana = sim.person(ANA)
    await ana.turns_phone_off()
    await receiver.status((await graph.send(**HELLO)).wamid, "sent")
    sim.advance(DAY + 1)
    await fill(sim, graph, 49)
    beyond = await receiver.status((await graph.send(to=BEN, **HELLO)).wamid, "failed")
    assert beyond["errors"][0]["code"] == 131048
    await ana.turns_phone_on()
    await sim.settled()
    sim.advance(DAY + 1)
    await receiver.status((await graph.send(to=BEN, **HELLO)).wamid, "delivered")


async def test_who_changes_their_number_meanwhile_is_one_person(sim: Simulator, graph: "Graph") -> None:
    await graph.send(**HELLO)
    await sim.settled()
    sim.clock.run(0)
    await graph.send(**HELLO)
    await sim.person(ANA).changes_number("+15550004444")
    sim.advance(60)
    (portfolio,) = used_up(sim.world)["portfolios"]
    assert portfolio["reached"] == 1
