"""Analytics counted from messages that were really sent (cloud-api.md 8.6)."""

from typing import TYPE_CHECKING, Any

import pytest

from sayso.simulator import Simulator

if TYPE_CHECKING:
    from simulator.conftest import Answer, Graph

WABA = "200000000000001"
NODE = f"/v25.0/{WABA}"
ANA, MEI = "+15550001111", "+447700900123"
HOUR_S, DAY_S = 3_600, 86_400
BEGIN = 1_794_960_000  # 18 November 2026, midnight UTC


async def template(graph: "Graph", to: str) -> "Answer":
    words = [{"type": "text", "text": "go"}] * 3
    asked = {"name": "confirmation_request", "language": {"code": "en"}}
    component = {"type": "body", "parameters": words}
    return await graph.send(to=to, type="template", template={**asked, "components": [component]})


@pytest.fixture
async def sent(graph: "Graph", sim: Simulator) -> Simulator:
    """A text and two templates on one day, one of these to somebody not on WhatsApp; a text on the next day."""
    sim.clock.start_at(BEGIN + HOUR_S, 0)
    await sim.inbound(ANA, text="hi")
    await graph.text()
    taken = await template(graph, ANA)
    sim.parts.world.person(MEI.lstrip("+"), "Mei").on_whatsapp = False
    assert (await template(graph, MEI)).status == 200
    sim.advance(10)
    await sim.tap(ANA, taken.wamid, "Confirm")
    sim.advance(23 * HOUR_S)
    await graph.text()
    sim.advance(10)
    await sim.settled()
    return sim


async def read(graph: "Graph", field: str) -> Any:
    answer = await graph.call("GET", NODE, params={"fields": field})
    assert answer.status == 200, answer.json
    return answer.json[field.partition(".")[0]]


SPAN = f".start({BEGIN}).end({BEGIN + 2 * DAY_S})"
NEXT = BEGIN + DAY_S


async def test_sent_and_delivered_by_day(graph: "Graph", sent: Simulator) -> None:
    days = [
        {"start": BEGIN, "end": NEXT, "sent": 2, "delivered": 2},
        {"start": NEXT, "end": NEXT + DAY_S, "sent": 1, "delivered": 1},
    ]
    whole = {"phone_numbers": ["15550100000"], "granularity": "DAY", "data_points": days}
    assert await read(graph, f"analytics{SPAN}.granularity(DAY)") == whole
    assert await read(graph, f"analytics.start({NEXT}).end({NEXT + DAY_S}).granularity(DAY)") == {
        **whole,
        "data_points": days[1:],
    }
    other = await read(graph, f'analytics{SPAN}.granularity(DAY).phone_numbers(["1"])')
    assert other == {"phone_numbers": [], "granularity": "DAY", "data_points": []}


@pytest.mark.parametrize(
    ("granularity", "start", "end"),
    [
        ("HALF_HOUR", BEGIN + HOUR_S, BEGIN + HOUR_S + 1_800),
        ("MONTH", 1_793_491_200, 1_796_083_200),  # November 2026
    ],
)
async def test_other_periods(graph: "Graph", sent: Simulator, granularity: str, start: int, end: int) -> None:
    first = (await read(graph, f"analytics{SPAN}.granularity({granularity})"))["data_points"][0]
    assert (first["start"], first["end"]) == (start, end)


async def test_volumes_by_price(graph: "Graph", sent: Simulator) -> None:
    dimensions = 'dimensions(["PRICING_CATEGORY","PRICING_TYPE","COUNTRY","PHONE"])'
    found = await read(graph, f"pricing_analytics{SPAN}.granularity(DAILY).{dimensions}")
    (told,) = found["data"]
    common = {"country": "US", "phone_number": "15550100000", "volume": 1}
    categories = [(each["start"], each["pricing_category"]) for each in told["data_points"]]
    assert categories == [(BEGIN, "SERVICE"), (BEGIN, "UTILITY"), (NEXT, "SERVICE")]
    for point in told["data_points"]:
        assert point | common == point
        assert set(point) == {"start", "end", "pricing_category", "pricing_type", *common}
    bare = await read(graph, f"pricing_analytics{SPAN}.granularity(DAILY)")
    assert [each["volume"] for each in bare["data"][0]["data_points"]] == [2, 1]


async def test_templates_and_their_taps(graph: "Graph", sent: Simulator) -> None:
    templates = {each.name: each.id for each in sent.parts.world.templates.values()}
    asked = templates["confirmation_request"]
    query = f"start={BEGIN}&end={BEGIN + 2 * DAY_S}&granularity=DAILY&template_ids=[{asked}]"
    edge = f"{NODE}/template_analytics?{query}"
    assert (await graph.call("GET", edge)).code == 200007
    await graph.call("POST", f"{NODE}?is_enabled_for_insights=true")
    point = {"template_id": asked, "start": BEGIN, "end": NEXT, "sent": 1, "delivered": 1, "read": 1}
    clicked = [{"type": "quick_reply_button", "button_content": "Confirm", "count": 1}]
    told = {
        "granularity": "DAILY",
        "product_type": "cloud_api",
        "data_points": [{**point, "clicked": clicked}],
    }
    assert (await graph.call("GET", edge)).json == {"data": [told]}
    fewer = (await graph.call("GET", f"{edge}&metric_types=SENT,READ")).json["data"][0]["data_points"]
    assert fewer == [{key: point[key] for key in ("template_id", "start", "end", "sent", "read")}]


@pytest.mark.parametrize(
    "field",
    [
        "analytics",
        f"analytics{SPAN}",
        f"analytics{SPAN}.granularity(DAILY)",
        f"analytics.start({NEXT}).end({BEGIN}).granularity(DAY)",
        "analytics.start(x).end(y).granularity(DAY)",
        f"pricing_analytics{SPAN}.granularity(DAY)",
        f'pricing_analytics{SPAN}.granularity(DAILY).dimensions(["TIER"])',
        f"conversation_analytics{SPAN}.granularity(DAILY)",
    ],
)
async def test_what_is_asked_is_checked(graph: "Graph", field: str) -> None:
    assert (await graph.call("GET", NODE, params={"fields": field})).code == 100


@pytest.mark.parametrize(
    "change",
    [
        {"template_ids": "[]"},
        {"template_ids": ",".join(str(each) for each in range(11))},
        {"granularity": "DAY"},
        {"metric_types": "COST"},
        {"start": "0"},
    ],
)
async def test_template_analytics_are_checked(graph: "Graph", sim: Simulator, change: dict[str, str]) -> None:
    await graph.call("POST", f"{NODE}?is_enabled_for_insights=true")
    now = int(sim.clock.now())
    query = {"start": str(now - DAY_S), "end": str(now), "granularity": "DAILY", "template_ids": "1"}
    assert (await graph.call("GET", f"{NODE}/template_analytics", params=query)).status == 200
    assert (await graph.call("GET", f"{NODE}/template_analytics", params=query | change)).code == 100
