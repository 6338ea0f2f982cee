"""The moderator's desk over the control API: what may be done when, and how wrong calls are refused."""

from typing import TYPE_CHECKING

import pytest

from sayso.simulator import SimulatorConfig
from sayso.simulator.templates.desk import ACTIONS
from simulator.template_stage import BODY, created, desk

if TYPE_CHECKING:
    from sayso.simulator import Simulator
    from simulator.conftest import Graph, Receiver


@pytest.fixture
def config(receiver: "Receiver") -> SimulatorConfig:
    return SimulatorConfig(port=0, webhook_url=receiver.url, review="moderator")


async def test_list_tells_all_of_a_template_and_what_may_be_done(graph: "Graph") -> None:
    template_id = await created(graph, message_send_ttl_seconds=60)
    status, whole = await graph.control("GET", "/templates")
    assert status == 200
    assert [each["name"] for each in whole["templates"]][-1] == "notice"
    _, none = await graph.control("GET", "/templates?waba_id=1")
    assert none == {"templates": []}
    _, one = await graph.control("GET", f"/templates/{template_id}")
    assert one == whole["templates"][-1]
    assert one.pop("created_at") == one.pop("updated_at")
    assert one == {
        "id": template_id,
        "waba_id": "200000000000001",
        "name": "notice",
        "language": "en_US",
        "status": "PENDING",
        "category": "UTILITY",
        "previous_category": None,
        "correct_category": None,
        "parameter_format": "POSITIONAL",
        "components": [BODY],
        "quality": "UNKNOWN",
        "rejected_reason": "NONE",
        "rejection": None,
        "ttl_s": 60,
        "review_due": None,
        "pauses": 0,
        "paused_until": None,
        "paused_by": None,
        "category_due": None,
        "delete_due": None,
        "pacing": False,
        "held": 0,
        "actions": ["approve", "reject", "delete"],
    }


NEEDED = {
    "reject": {"reason": "SCAM"},
    "quality": {"score": "GREEN"},
    "announce_category": {"category": "MARKETING"},
    "recategorise": {"category": "MARKETING"},
}


@pytest.mark.parametrize("action", ACTIONS)
async def test_an_action_is_offered_exactly_where_it_can_be_done(graph: "Graph", action: str) -> None:
    for before in ([], ["approve"], ["approve", "disable"], ["approve", "archive"], ["approve", "hold"]):
        template_id = await created(graph, name=f"n_{len(before)}_{'_'.join(before)}")
        for each in before:
            await desk(graph, template_id, each)
        _, shown = await graph.control("GET", f"/templates/{template_id}")
        status, told = await graph.control("POST", f"/templates/{template_id}/{action}", NEEDED.get(action))
        assert (status == 200) == (action in shown["actions"]), (before, told)
        assert status == 200 or f"`{action}`" in told["error"] or "already" in told["error"]


REFUSED = {
    "unknown action": ("aprove", None, "`approve`"),
    "unknown key": ("approve", {"now": True}, "now"),
    "no reason": ("reject", {}, "reason"),
    "unknown reason": ("reject", {"reason": "RUDE"}, "`reason` must be one of"),
    "no reason at all": ("reject", {"reason": "NONE"}, "`reason` must be one of"),
}
REFUSED_LATER = {
    "unknown score": ("quality", {"score": "BLUE"}, "`score` must be one of"),
    "hours": ("pause", {"hours": 0}, "`hours` must be more than 0"),
    "unknown category": ("recategorise", {"category": "SERVICE"}, "`category` must be one of"),
    "the same category": ("announce_category", {"category": "UTILITY"}, "already"),
}


@pytest.mark.parametrize("case", [*REFUSED, *REFUSED_LATER])
async def test_a_wrong_call_is_refused_in_words(graph: "Graph", case: str) -> None:
    template_id = await created(graph)
    if case in REFUSED_LATER:
        await desk(graph, template_id, "approve")
    action, given, words = (REFUSED | REFUSED_LATER)[case]
    status, told = await graph.control("POST", f"/templates/{template_id}/{action}", given)
    assert status == 400, told
    assert words in told["error"]


async def test_an_unknown_template_is_not_found(graph: "Graph") -> None:
    for method, path in (("GET", "/templates/1"), ("POST", "/templates/1/approve")):
        status, told = await graph.control(method, path)
        assert (status, told["error"]) == (404, "there is no template with the id 1")
    status, told = await graph.control("GET", "/templates?name=x")
    assert status == 400
    assert "name" in told["error"]


async def test_how_templates_are_reviewed_is_changed_kept_and_put_back(
    sim: "Simulator", graph: "Graph"
) -> None:
    sim.run_clock(0)
    assert await graph.control("GET", "/review") == (200, {"how": "moderator", "after_s": 2.0})
    assert (await graph.control("POST", "/review", {"how": "instant"}))[1]["how"] == "instant"
    at_once = await created(graph, name="at_once")
    await graph.control("POST", "/review", {"how": "delayed"})
    later = await created(graph, name="later")
    templates = sim.world.templates
    assert templates[at_once].status == "APPROVED"
    assert templates[later].review_due == sim.clock.now() + 2
    document = sim.snapshot()
    await sim.reset()
    assert (await graph.control("GET", "/review"))[1]["how"] == "moderator"
    await sim.restore(document)
    assert (await graph.control("GET", "/review"))[1]["how"] == "delayed"
    status, told = await graph.control("POST", "/review", {"how": "never"})
    assert status == 400
    assert "how" in told["error"]
