"""Who may send, and to whom: registration, restrictions, lists, people out of reach (cloud-api.md 5.3, 7.7, 9)."""

from typing import TYPE_CHECKING, Any

import pytest

from sayso.simulator import Simulator
from sayso.simulator.error_codes import row_of
from sayso.simulator.errors import HREF
from sayso.simulator.rules.countries import country, has_us_area_code
from sayso.simulator.world.accounts import Restriction
from simulator.known import ANA, BEN, HELLO

if TYPE_CHECKING:
    from simulator.conftest import Graph, Receiver

#: Every code a number or WABA can be restricted with.
CODES_OF_RESTRICTIONS = (368, 130497, 131031, 131037, 131042, 131045, 131048, 131057, 131064)


def failure(wamid: str, code: int, details: str, timestamp: str) -> dict[str, Any]:
    """The status of a message to Ana that failed, whole, as 4.9 has it."""
    title = row_of(code).title
    return {
        "id": wamid,
        "status": "failed",
        "timestamp": timestamp,
        "recipient_id": ANA[1:],
        "errors": [
            {
                "code": code,
                "title": title,
                "message": title,
                "error_data": {"details": details},
                "href": HREF,
            }
        ],
    }


@pytest.mark.parametrize("on", ["number", "waba"])
@pytest.mark.parametrize("code", CODES_OF_RESTRICTIONS)
async def test_a_restriction_refuses_at_once(sim: Simulator, graph: "Graph", code: int, on: str) -> None:
    restricted = (
        sim.parts.world.number if on == "number" else next(iter(sim.parts.world.accounts.wabas.values()))
    )
    restricted.restriction = Restriction(code, "Restricted for a test.")
    refused = await graph.send(**HELLO)
    assert (refused.code, refused.details) == (code, "Restricted for a test.")
    assert refused.status == row_of(code).http_status
    restricted.restriction = None
    assert (await graph.send(**HELLO)).status == 200


@pytest.mark.parametrize("code", CODES_OF_RESTRICTIONS)
async def test_without_words_the_codes_own_are_told(graph: "Graph", code: int) -> None:
    await graph.control("POST", "/wabas/200000000000001", {"restriction": {"code": code}})
    refused = await graph.send(**HELLO)
    assert (refused.code, refused.details) == (code, row_of(code).title)


@pytest.mark.parametrize("code", CODES_OF_RESTRICTIONS)
async def test_or_by_webhook(sim: Simulator, graph: "Graph", receiver: "Receiver", code: int) -> None:
    sim.parts.world.number.restriction = Restriction(code, "Restricted for a test.", late=True)
    wamid = (await graph.send(**HELLO)).wamid
    failed = await receiver.status(wamid, "failed")
    await sim.settled()
    assert receiver.statuses(wamid) == [failure(wamid, code, "Restricted for a test.", failed["timestamp"])]


async def test_a_restriction_by_country_leaves_the_others_alone(sim: Simulator, graph: "Graph") -> None:
    sim.parts.world.number.restriction = Restriction(130497, "Not there.", countries=["DE", "CU"])
    assert (await graph.send(to="+4917612345678", **HELLO)).code == 130497
    assert (await graph.send(to="+5355512345", **HELLO)).code == 130497
    assert (await graph.send(to="+447700900123", **HELLO)).status == 200


async def test_a_restriction_of_business_initiated_messages_leaves_answers_alone(
    sim: Simulator, graph: "Graph"
) -> None:
    sim.parts.world.number.restriction = Restriction(131031, "Answers only.", business_initiated=True)
    await sim.inbound(ANA, text="hi")
    assert (await graph.text()).status == 200
    assert (await graph.send(to=BEN, **HELLO)).code == 131031


async def test_a_restriction_ends(sim: Simulator, graph: "Graph") -> None:
    until = sim.clock.now() + 86_400
    sim.parts.world.number.restriction = Restriction(368, "For a day.", until=until)
    assert (await graph.send(**HELLO)).code == 368
    sim.advance(86_401)
    assert (await graph.send(**HELLO)).status == 200


async def test_an_unregistered_number_sends_nothing(sim: Simulator, graph: "Graph") -> None:
    sim.parts.world.number.registered = False
    refused = await graph.send(**HELLO)
    assert refused.code == 133010
    assert "/register" in refused.details


@pytest.mark.parametrize(
    ("digits", "name_status", "refused"),
    [
        ("15550100000", "APPROVED", False),
        ("15550100000", "AVAILABLE_WITHOUT_REVIEW", False),
        ("15550100000", "PENDING_REVIEW", True),
        ("15550100000", "DECLINED", True),
        ("15550100000", "NONE", True),
        ("442071234567", "PENDING_REVIEW", False),
    ],
)
async def test_a_555_number_needs_its_name_approved(
    sim: Simulator, graph: "Graph", digits: str, name_status: Any, refused: bool
) -> None:
    number = sim.parts.world.number
    number.digits, number.name_status = digits, name_status
    answer = await graph.send(**HELLO)
    assert (answer.code if refused else answer.status) == (131037 if refused else 200)


async def test_a_test_number_writes_to_its_list_only(sim: Simulator, graph: "Graph") -> None:
    sim.parts.world.number.allowed = {ANA[1:]}
    assert (await graph.send(**HELLO)).status == 200
    assert (await graph.send(to=BEN, **HELLO)).code == 131030


async def test_who_is_blocked_by_the_business_is_not_written_to(sim: Simulator, graph: "Graph") -> None:
    sim.parts.world.number.blocked.add(ANA[1:])
    assert (await graph.send(**HELLO)).code == 130403
    assert (await graph.send(to=BEN, **HELLO)).status == 200


@pytest.mark.parametrize("why", ["not on WhatsApp", "blocked us"])
async def test_who_cannot_be_reached_fails_late(
    sim: Simulator, graph: "Graph", receiver: "Receiver", why: str
) -> None:
    ana = sim.parts.world.people[ANA[1:]]
    if why == "blocked us":
        ana.blocked_by.add(sim.config.phone_number_id)
    else:
        ana.on_whatsapp = False
    wamid = (await graph.send(**HELLO)).wamid
    failed = await receiver.status(wamid, "failed")
    await sim.settled()
    (error,) = failed["errors"]
    assert error["error_data"]["details"].startswith("Message Undeliverable")
    assert receiver.statuses(wamid) == [
        failure(wamid, 131026, error["error_data"]["details"], failed["timestamp"])
    ]


@pytest.mark.parametrize("config", [{"refuse_at_once": True}], indirect=True)
async def test_all_of_it_at_once_when_asked_for(sim: Simulator, graph: "Graph") -> None:
    assert (await graph.text()).code == 131047
    sim.parts.world.people[ANA[1:]].on_whatsapp = False
    assert (await graph.send(**HELLO)).code == 131026
    assert sim.messages() == []


@pytest.mark.parametrize(
    ("wa_id", "where", "us_area"),
    [
        ("12125550123", "US", True),
        ("15550001111", "US", False),  # 555 is nobody's area code
        ("14165550123", "CA", False),
        ("17876001111", "PR", False),
        ("447700900123", "GB", False),
        ("4917612345678", "DE", False),
        ("999", "US", False),  # no country: the first of ids.region
    ],
)
def test_where_a_number_is(wa_id: str, where: str, *, us_area: bool) -> None:
    assert (country(wa_id), has_us_area_code(wa_id)) == (where, us_area)
