"""How fast a number may write: throughput and pair rate, at the limit, below and beyond (cloud-api.md 6)."""

from typing import TYPE_CHECKING, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sayso.simulator import Simulator
from sayso.simulator.rules import pair, throughput
from sayso.simulator.world.accounts import BusinessNumber
from sayso.simulator.world.quotas import Burst, Quotas, Throughput
from simulator.known import ANA

if TYPE_CHECKING:
    from simulator.conftest import Graph

NOON = 1_795_000_000.0

#: Pauses between attempts, in sixty-fourths of a second: exact in binary, so that a limit is met exactly.
pauses = st.lists(st.sampled_from([0, 1, 2, 8, 32, 63, 64, 65, 200]), max_size=120)
long_pauses = st.lists(st.sampled_from([0, 0, 0, 1, 64, 320, 383, 384, 385, 4_000]), max_size=160)


Level = Literal["STANDARD", "HIGH"]


@pytest.fixture
def rates() -> bool:
    return True


def moments(pauses_64: list[int]) -> list[float]:
    at, found = NOON, []
    for pause in pauses_64:
        at += pause / 64
        found.append(at)
    return found


def number(level: Level = "STANDARD") -> BusinessNumber:
    made = BusinessNumber("1", "2", "15550100000", "Sayso")
    made.throughput = level
    return made


class TinyNumber(BusinessNumber):
    """A number of 3 messages a second, to see every edge of the ring."""

    per_second = 3


@given(pauses)
def test_no_second_has_more_than_the_limit_and_none_below_it_is_refused(pauses_64: list[int]) -> None:
    quotas, small = Quotas(), TinyNumber("1", "2", "15550100000", "Sayso")
    passed: list[float] = []
    for now in moments(pauses_64):
        in_this_second = [at for at in passed if now - at < 1]
        refused = throughput.over(quotas, small, now)
        assert (refused is not None) is (len(in_this_second) >= 3)
        if refused is None:
            throughput.spend(quotas, small, now)
            passed.append(now)
    assert len(quotas.throughput.get("1", Throughput()).moments) <= 3


@given(long_pauses)
def test_a_pair_never_has_more_than_45_in_6_s_nor_more_than_its_rate(pauses_64: list[int]) -> None:
    burst, passed = Burst(), list[float]()
    for now in moments(pauses_64):
        if pair.over(burst, now) is None:
            pair.spend(burst, now)
            passed.append(now)
    for index, first in enumerate(passed):
        within = [at for at in passed[index:] if at - first < 6]
        assert len(within) <= 45
        for count, at in enumerate(passed[index:], start=1):
            assert count <= 45 + (at - first) / 6 + 1


@given(st.lists(st.integers(min_value=384, max_value=2_000), max_size=60))
def test_one_message_in_6_s_always_passes(pauses_64: list[int]) -> None:
    burst = Burst()
    for now in moments(pauses_64):
        assert pair.over(burst, now) is None
        pair.spend(burst, now)


@pytest.mark.parametrize("count", [1, 2, 20, 45])
def test_a_burst_is_paid_back_6_s_a_message(count: int) -> None:
    burst = Burst()
    for _ in range(count):
        assert pair.over(burst, NOON) is None
        pair.spend(burst, NOON)
    paid = NOON + 6 * count
    assert (pair.over(burst, NOON + 5.9) is None) is (count < 45)
    assert pair.over(burst, paid - 0.01) == (pair.OVER if count > 1 else None)
    assert pair.over(burst, paid) is None


@pytest.mark.parametrize(("before", "after"), [("STANDARD", "HIGH"), ("HIGH", "STANDARD")])
def test_the_ring_follows_an_upgrade_and_a_downgrade(before: Level, after: Level) -> None:
    quotas, ours = Quotas(), number(before)
    for index in range(ours.per_second + 7):  # past the end of the ring
        throughput.spend(quotas, ours, NOON + index / 10_000)
    ours.throughput = after
    now = NOON + 0.5
    passed = 0
    while throughput.over(quotas, ours, now) is None:
        throughput.spend(quotas, ours, now)
        passed += 1
    assert passed == (1_000 - 80 if after == "HIGH" else 0)
    assert throughput.over(quotas, ours, now + 1) is None


async def test_the_81st_of_a_second_is_refused_and_the_next_second_is_new(
    sim: Simulator, graph: "Graph"
) -> None:
    sim.clock.run(0)
    for index in range(80):
        assert (await graph.text(to=f"+1555100{index:04d}")).status == 200
    refused = await graph.text(to="+15551009999")
    assert refused.code == 130429
    assert refused.json["error"]["message"].startswith("(#130429)")
    assert refused.details == "Cloud API message throughput has been reached."
    sim.advance(1)
    assert (await graph.text(to="+15551009999")).status == 200


async def test_what_people_write_counts_too(sim: Simulator, graph: "Graph") -> None:
    sim.clock.run(0)
    for index in range(80):
        await sim.inbound(f"+1555100{index:04d}", text="hi")
    assert (await graph.text()).code == 130429
    await sim.inbound(ANA, text="people are never refused")


async def test_a_faster_number_takes_more(sim: Simulator, graph: "Graph") -> None:
    sim.clock.run(0)
    sim.parts.world.number.throughput = "HIGH"
    answers = [(await graph.text(to=f"+1555100{index:04d}")).status for index in range(100)]
    assert set(answers) == {200}


async def test_a_number_that_is_also_on_the_business_app_has_20(sim: Simulator, graph: "Graph") -> None:
    sim.clock.run(0)
    sim.parts.world.number.coexistence = True
    answers = [(await graph.text(to=f"+1555100{index:04d}")).status for index in range(21)]
    assert answers == [200] * 20 + [429]


async def test_the_46th_to_one_person_is_refused_and_others_are_not_concerned(
    sim: Simulator, graph: "Graph"
) -> None:
    sim.clock.run(0)
    for _ in range(45):
        assert (await graph.text()).status == 200
    refused = await graph.text()
    assert refused.code == 131056
    assert "too many messages sent from this phone number to the same phone number" in refused.details
    assert (await graph.text(to="+15550002222")).status == 200
    sim.advance(45 * 6 - 1)
    assert (await graph.text()).code == 131056
    sim.advance(1)
    assert (await graph.text()).status == 200


async def test_what_is_refused_uses_nothing_up(sim: Simulator, graph: "Graph") -> None:
    sim.clock.run(0)
    for _ in range(100):
        assert (await graph.send(type="text", text={})).code == 131008
    assert (await graph.text()).status == 200


@pytest.mark.parametrize("config", [{"enforce_rates": False}], indirect=True)
async def test_without_rates_nothing_is_too_fast(sim: Simulator, graph: "Graph") -> None:
    sim.clock.run(0)
    assert {(await graph.text()).status for _ in range(90)} == {200}


@pytest.mark.parametrize(("config", "said"), [({}, None), ({"retry_after": True}, "1")], indirect=["config"])
async def test_retry_after_is_said_only_when_asked_for(
    sim: Simulator, graph: "Graph", said: str | None
) -> None:
    sim.clock.run(0)
    for index in range(80):
        await sim.inbound(f"+1555100{index:04d}", text="hi")
    body = {"messaging_product": "whatsapp", "to": ANA, "type": "text", "text": {"body": "x"}}
    url = f"{sim.base_url}/{sim.config.phone_number_id}/messages"
    headers = {"Authorization": "Bearer sim-token"}
    async with graph.session.post(url, json=body, headers=headers) as answer:
        assert (answer.status, answer.headers.get("Retry-After")) == (429, said)
