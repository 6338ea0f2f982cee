"""The list of templates: fields, filters, pages and summary (cloud-api.md 3.1)."""

from typing import TYPE_CHECKING, Any

import pytest

from sayso.simulator import Simulator, SimulatorConfig
from simulator.template_stage import EDGE, body, created, desk, read

if TYPE_CHECKING:
    from simulator.conftest import Answer, Graph, Receiver

PRELOADED = ["confirmation_request", "daily_summary", "hello_world"]


@pytest.fixture
def config(receiver: "Receiver") -> SimulatorConfig:
    return SimulatorConfig(port=0, webhook_url=receiver.url, review="instant")


async def ask(graph: "Graph", **query: Any) -> "Answer":
    return await graph.call("GET", EDGE, params=query)


def names(answer: "Answer") -> list[str]:
    return [each["name"] for each in answer.json["data"]]


@pytest.fixture
async def more(graph: "Graph") -> dict[str, str]:
    """Three more templates: rejected in English, marketing in German and paused."""
    rude = await created(graph, body("Do as we say, you idiots."), name="rude", language="en")
    sale = await created(
        graph, body("Nur heute: alles im Angebot."), name="sale", language="de", category="MARKETING"
    )
    tired = await created(graph, name="tired")
    await desk(graph, tired, "quality", score="RED")
    return {"rude": rude, "sale": sale, "tired": tired}


FILTERS: dict[str, tuple[dict[str, str], list[str]]] = {
    "nothing": ({}, [*PRELOADED, "rude", "sale", "tired"]),
    "status": ({"status": "REJECTED"}, ["rude"]),
    "status in lower case": ({"status": "paused"}, ["tired"]),
    "statuses with commas": ({"status": "REJECTED,PAUSED"}, ["rude", "tired"]),
    "statuses as an array": ({"status": '["REJECTED","PAUSED"]'}, ["rude", "tired"]),
    "category": ({"category": "MARKETING"}, ["sale"]),
    "language": ({"language": "de"}, ["sale"]),
    "languages": ({"language": "de,en"}, ["confirmation_request", "daily_summary", "rude", "sale"]),
    "a language never by its half": ({"language": "en"}, ["confirmation_request", "daily_summary", "rude"]),
    "quality": ({"quality_score": "RED"}, ["tired"]),
    "part of a name": ({"name": "ir"}, ["confirmation_request", "tired"]),
    "content": ({"content": "ANGEBOT"}, ["sale"]),
    "name or content": ({"name_or_content": "sum"}, ["daily_summary"]),
    "source that nothing has": ({"source": "AUTO_GENERATED"}, []),
    "two filters": ({"status": "APPROVED", "language": "de"}, ["sale"]),
    "empty ones": ({"name": "", "status": ""}, [*PRELOADED, "rude", "sale", "tired"]),
    "order": ({"order": "DESC"}, ["tired", "sale", "rude", *PRELOADED[::-1]]),
    "an unknown key": ({"colour": "red"}, [*PRELOADED, "rude", "sale", "tired"]),
}


@pytest.mark.parametrize("case", FILTERS)
async def test_filter(graph: "Graph", more: dict[str, str], case: str) -> None:
    query, wanted = FILTERS[case]
    assert names(await ask(graph, **query)) == wanted


@pytest.mark.parametrize(
    "query",
    [
        {"status": "FINE"},
        {"status": "APPROVED,FINE"},
        {"status": "[1"},
        {"category": "SERVICE"},
        {"quality_score": "BLUE"},
        {"order": "UP"},
        {"limit": "0"},
        {"limit": "x"},
        {"after": "nonsense"},
        {"before": "nonsense"},
        {"fields": "name,colour"},
        {"fields": "quality_score{"},
    ],
)
async def test_what_is_not_known_is_refused(graph: "Graph", query: dict[str, str]) -> None:
    answer = await ask(graph, **query)
    assert (answer.status, answer.code) == (400, 100), answer.json


async def follow(graph: "Graph", url: str) -> "Answer":
    assert url.startswith(graph.base_url)
    assert "sim-token" not in url
    return await graph.call("GET", url.removeprefix(graph.base_url))


async def test_pages_go_forth_and_back(graph: "Graph", more: dict[str, str]) -> None:
    first = await ask(graph, limit="2", fields="name")
    assert "previous" not in first.json["paging"]
    second = await follow(graph, first.json["paging"]["next"])
    last = await follow(graph, second.json["paging"]["next"])
    assert [names(each) for each in (first, second, last)] == [
        ["confirmation_request", "daily_summary"],
        ["hello_world", "rude"],
        ["sale", "tired"],
    ]
    assert "next" not in last.json["paging"]
    back = await follow(graph, last.json["paging"]["previous"])
    assert back.json["data"] == second.json["data"]
    cursors = second.json["paging"]["cursors"]
    assert names(await ask(graph, limit="2", after=cursors["after"])) == ["sale", "tired"]
    assert names(await ask(graph, limit="2", before=cursors["before"])) == names(first)


@pytest.mark.parametrize("order", ["ASC", "DESC"])
async def test_what_is_deleted_meanwhile_does_not_shift_the_pages(
    graph: "Graph", sim: Simulator, more: dict[str, str], order: str
) -> None:
    """Neither forth nor back, though what stood on either side of the cursor is gone."""
    every = names(await ask(graph, order=order))
    after = (await ask(graph, order=order, limit="3")).json["paging"]["cursors"]["after"]
    templates = sim.parts.world.templates
    for name in every[1:4]:
        del templates[next(each.id for each in templates.values() if each.name == name)]
    rest = await ask(graph, order=order, after=after)
    assert names(rest) == every[4:]
    back = rest.json["paging"]["cursors"]["before"]
    assert names(await ask(graph, order=order, before=back)) == every[:1]


async def test_a_filter_stays_on_the_next_page(graph: "Graph", more: dict[str, str]) -> None:
    first = await ask(graph, limit="1", status="REJECTED,PAUSED")
    assert names(await follow(graph, first.json["paging"]["next"])) == ["tired"]


async def test_an_empty_list_has_no_pages(graph: "Graph") -> None:
    answer = await ask(graph, status="DISABLED", fields="name")
    assert answer.json == {"data": []}


async def test_summary_tells_the_figures_asked_for(graph: "Graph", more: dict[str, str]) -> None:
    wanted = {
        "total_count": 1,
        "message_template_count": 6,
        "message_template_limit": 6000,
        "are_translations_complete": False,
    }
    for asked in (",".join(wanted), "true", "1"):
        assert (await ask(graph, status="PAUSED", summary=asked)).json["summary"] == wanted
    some = await ask(graph, summary="total_count,message_template_limit")
    assert some.json["summary"] == {"total_count": 6, "message_template_limit": 6000}
    assert "summary" not in (await ask(graph)).json


async def test_fields_are_those_asked_for_and_absent_ones_are_left_out(graph: "Graph") -> None:
    template_id = await created(graph)
    template = await read(graph, template_id, "name,quality_score{score},previous_category,source")
    assert template == {"name": "notice", "quality_score": {"score": "UNKNOWN"}, "id": template_id}
    (one,) = (await ask(graph, name="notice", fields="components{type}")).json["data"]
    assert one == {"components": [{"type": "BODY"}], "id": template_id}
    whole = await read(graph, template_id)
    assert whole.pop("components")
    assert whole == {
        "id": template_id,
        "name": "notice",
        "parameter_format": "POSITIONAL",
        "language": "en_US",
        "status": "APPROVED",
        "category": "UTILITY",
        "quality_score": {"score": "UNKNOWN", "date": 0},
        "rejected_reason": "NONE",
    }


async def test_health_and_options_are_told(graph: "Graph") -> None:
    template_id = await created(graph, cta_url_link_tracking_opted_out=True)
    fields = "health_status,cta_url_link_tracking_opted_out,last_updated_time"
    template = await read(graph, template_id, fields)
    assert template["cta_url_link_tracking_opted_out"] is True
    assert template["last_updated_time"].endswith("+0000")
    health = template["health_status"]
    assert health["can_send_message"] == "AVAILABLE"
    assert health["entities"][0]["entity_type"] == "MESSAGE_TEMPLATE"
    await desk(graph, template_id, "pause")
    paused = (await read(graph, template_id, "health_status"))["health_status"]
    assert paused["can_send_message"] == "BLOCKED"


async def test_another_account_sees_none_of_them(graph: "Graph") -> None:
    assert (await graph.call("GET", "/404/message_templates")).code == 33
    assert (await graph.call("GET", "/v25.0/100000000000001/message_templates")).status == 400
