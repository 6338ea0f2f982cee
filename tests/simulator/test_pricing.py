"""What messages cost: the table by category, window, date and allowance; pricing in the statuses (4.9, 7.2, 7.3)."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from sayso.simulator import Simulator
from sayso.simulator.rules import entry, price
from sayso.simulator.world.people import Thread
from sayso.simulator.world.quotas import Allowance
from sayso.simulator.world.templates import Template
from simulator.known import ANA, DAY, HELLO, HOUR

if TYPE_CHECKING:
    from simulator.conftest import Graph, Receiver

BEFORE, SINCE = "2026-09", "2026-10"
CHARGED, FREE, ENTRY = "regular", "free_customer_service", "free_entry_point"


#: category, month, window open, allowance used, -> type: the table of 7.3.
TABLE = [
    ("marketing", BEFORE, False, 0, CHARGED),
    ("marketing", BEFORE, True, 0, CHARGED),
    ("marketing", SINCE, True, 0, CHARGED),
    ("marketing_lite", SINCE, False, 0, CHARGED),
    ("utility", BEFORE, False, 0, CHARGED),
    ("utility", BEFORE, True, 0, FREE),
    ("utility", SINCE, False, 0, CHARGED),
    ("utility", SINCE, True, 0, CHARGED),
    ("authentication", BEFORE, True, 0, CHARGED),
    ("authentication", SINCE, False, 0, CHARGED),
    ("service", BEFORE, True, 5_000, FREE),
    ("service", SINCE, True, 0, FREE),
    ("service", SINCE, True, 999, FREE),
    ("service", SINCE, True, 1_000, CHARGED),
]


@pytest.mark.parametrize(("category", "month", "window_open", "used", "kind"), TABLE)
def test_the_table(category: str, month: str, window_open: bool, used: int, kind: str) -> None:
    priced = price.pricing(
        category, when=month, window_open=window_open, entry=False, allowance=Allowance(month, used)
    )
    assert priced == {
        "billable": kind == CHARGED,
        "pricing_model": "PMP",
        "type": kind,
        "category": category,
    }


@pytest.mark.parametrize("category", ["marketing", "utility", "authentication", "service"])
@pytest.mark.parametrize("month", [BEFORE, SINCE])
def test_by_a_free_entry_point_all_is_free(category: str, month: str) -> None:
    allowance = Allowance(month, 17)
    priced = price.pricing(category, when=month, window_open=True, entry=True, allowance=allowance)
    assert (priced["billable"], priced["type"], priced["category"]) == (False, ENTRY, "referral_conversion")
    assert allowance.used == 17


def test_the_allowance_begins_anew_with_the_month_and_takes_back_what_never_arrived() -> None:
    allowance = Allowance("2026-10", 1_000)

    def kind(month: str) -> str:
        priced = price.pricing("service", when=month, window_open=True, entry=False, allowance=allowance)
        return str(priced["type"])

    assert kind("2026-10") == CHARGED
    assert kind("2026-11") == FREE
    assert allowance == Allowance("2026-11", 1)
    lost = price.pricing("service", when="2026-11", window_open=True, entry=False, allowance=allowance)
    price.give_back(lost, allowance, sent_in="2026-11")
    price.give_back(lost, allowance, sent_in="2026-10")  # of a month that is over
    assert allowance == Allowance("2026-11", 1)


@pytest.mark.parametrize(
    ("zone", "month"),
    [
        ("1", "2026-10"),
        ("7", "2026-10"),
        ("Asia/Tokyo", "2026-11"),
        ("UTC", "2026-11"),
        ("no zone", "2026-11"),
    ],
)
def test_the_month_is_that_of_the_waba_s_time_zone(zone: str, month: str) -> None:
    assert price.month(zone, datetime(2026, 11, 1, 2, 0, tzinfo=UTC).timestamp()) == month


@pytest.mark.parametrize(("hours", "opens"), [(0, True), (23.9, True), (24, False)])
def test_the_first_answer_within_a_day_opens_72_free_hours(hours: float, opens: bool) -> None:
    came = 1_795_000_000.0
    thread, answered = Thread(entry_point_at=came), came + hours * HOUR
    entry.answered(thread, answered)
    entry.answered(thread, answered + HOUR)  # only the first answer counts
    assert thread.free_until == (answered + 72 * HOUR if opens else None)
    assert entry.is_free(thread, answered + 72 * HOUR - 1) is opens
    assert not entry.is_free(thread, answered + 72 * HOUR)


async def priced(graph: "Graph", receiver: "Receiver", **message: Any) -> dict[str, Any]:
    """Send, wait until it is read, and return the pricing that `sent` and `delivered` agree on."""
    wamid = (await graph.send(**message)).wamid
    await receiver.status(wamid, "read")
    told = {each["status"]: each.get("pricing") for each in receiver.statuses(wamid)}
    assert told["sent"] == told["delivered"]
    assert told["read"] is None
    found = told["sent"]
    assert found is not None
    return dict(found)


async def test_service_messages_are_free_until_the_allowance_is_used(
    sim: Simulator, graph: "Graph", receiver: "Receiver"
) -> None:
    await sim.inbound(ANA, text="hi")
    text = {"type": "text", "text": {"body": "hello"}}
    free = await priced(graph, receiver, **text)
    assert free == {"billable": False, "pricing_model": "PMP", "type": FREE, "category": "service"}
    allowance = sim.parts.world.quotas.service[sim.config.phone_number_id]
    assert allowance.used == 1
    allowance.used = 999
    assert (await priced(graph, receiver, **text))["type"] == FREE
    charged = await priced(graph, receiver, **text)
    assert charged == {"billable": True, "pricing_model": "PMP", "type": CHARGED, "category": "service"}
    assert allowance.used == 1_000


async def test_what_an_ad_brought_is_free_for_72_hours_and_no_longer(
    sim: Simulator, graph: "Graph", receiver: "Receiver"
) -> None:
    await sim.inbound(ANA, text="saw your ad")
    thread = sim.parts.world.thread(sim.config.phone_number_id, ANA[1:])
    thread.entry_point_at = sim.clock.now()
    assert (await priced(graph, receiver, **HELLO))["type"] == ENTRY
    sim.advance(71 * HOUR)
    assert (await priced(graph, receiver, **HELLO))["type"] == ENTRY
    sim.advance(HOUR)
    assert (await priced(graph, receiver, **HELLO))["type"] == CHARGED


async def test_a_message_dropped_after_it_was_sent_costs_nothing(
    sim: Simulator, graph: "Graph", receiver: "Receiver"
) -> None:
    await sim.inbound(ANA, text="hi")
    sim.journey.phone_off(sim.parts.world.people[ANA[1:]])
    await receiver.status((await graph.text()).wamid, "sent")
    allowance = sim.parts.world.quotas.service[sim.config.phone_number_id]
    used = allowance.used
    sim.advance(31 * DAY)
    assert [each["status"] for each in sim.messages()] == ["dropped"]
    assert used == 1
    assert allowance.used == (0 if allowance.month == price.month("1", sim.clock.now() - 31 * DAY) else 1)


@pytest.fixture
def template(sim: Simulator) -> Callable[[str], dict[str, Any]]:
    """Make approved templates of any category."""

    def make(category: str) -> dict[str, Any]:
        components = ({"type": "BODY", "text": "Words."},)
        made = Template("1900000000000778", "words", "en", category, components, waba_id=sim.config.waba_id)
        sim.parts.world.templates[made.id] = made
        return {"type": "template", "template": {"name": "words", "language": {"code": "en"}}}

    return make


@pytest.mark.parametrize("category", ["MARKETING", "UTILITY"])
async def test_a_template_is_priced_as_its_category(
    graph: "Graph", receiver: "Receiver", template: Callable[[str], dict[str, Any]], category: str
) -> None:
    found = await priced(graph, receiver, **template(category))
    assert found == {
        "billable": True,
        "pricing_model": "PMP",
        "type": CHARGED,
        "category": category.lower(),
    }
