"""The life of a template: quality, pauses, pacing, category, archive, deletion, on the clock (3.4 to 3.8)."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from sayso.simulator import Simulator, SimulatorConfig
from simulator.known import DAY, HOUR
from simulator.template_stage import EDGE, STATUS, create, created, desk, read, send, told, values, which

if TYPE_CHECKING:
    from simulator.conftest import Graph, Receiver

QUALITY = "message_template_quality_update"
CATEGORY = "template_category_update"
pytestmark = pytest.mark.usefixtures("frozen_clock")


@pytest.fixture
def hyphens() -> bool:
    return False


@pytest.fixture
def config(receiver: "Receiver", hyphens: bool) -> SimulatorConfig:
    return SimulatorConfig(
        port=0,
        webhook_url=receiver.url,
        review="instant",
        sent_after_ms=1,
        verify_at_start=False,
        hyphens_in_webhooks=hyphens,
    )


@pytest.fixture
async def notice(graph: "Graph", receiver: "Receiver") -> str:
    """A template that is approved, and told."""
    template_id = await created(graph)
    await told(receiver, STATUS, 1)
    receiver.hooks.clear()
    return template_id


def status(template_id: str, event: str, **case: Any) -> dict[str, Any]:
    told_of = {"event": event, **which(template_id), "reason": "NONE", "message_template_category": "UTILITY"}
    return told_of | case


def other(title: str, value: dict[str, Any]) -> dict[str, Any]:
    """The part that tells of a pause, whose words are the simulator's own."""
    description = value["other_info"]["description"]
    assert description
    return {"other_info": {"title": title, "description": description}}


async def test_pauses_are_three_hours_then_six_then_for_good(
    graph: "Graph", sim: Simulator, receiver: "Receiver", notice: str
) -> None:
    for step, (title, hours) in enumerate((("FIRST_PAUSE", 3), ("SECOND_PAUSE", 6))):
        shown = await desk(graph, notice, "quality", score="RED")
        assert (shown["status"], shown["pauses"], shown["paused_by"]) == ("PAUSED", step + 1, "quality")
        assert (await send(graph, "notice")).code == 132015
        sim.advance(hours * HOUR - 1)
        assert (await read(graph, notice))["status"] == "PAUSED"
        sim.advance(1)
        assert (await read(graph, notice))["status"] == "APPROVED"
        paused, unpaused = (await told(receiver, STATUS, 2 * step + 2))[-2:]
        assert paused == status(notice, "PAUSED", **other(title, paused))
        assert unpaused == status(notice, "APPROVED", **other("UNPAUSE", unpaused))
        assert (await send(graph, "notice")).status == 200
    await desk(graph, notice, "quality", score="RED")
    sim.advance(365 * DAY)
    assert (await read(graph, notice))["status"] == "DISABLED"
    assert (await send(graph, "notice")).code == 132016
    disabled = (await told(receiver, STATUS, 5))[-1]
    date = disabled["disable_info"]["disable_date"]
    assert date == int(sim.clock.now()) - 365 * DAY
    wanted = {"disable_info": {"disable_date": date}} | other("DISABLED", disabled)
    assert disabled == status(notice, "DISABLED", **wanted)


async def test_every_change_of_quality_is_told_once(
    graph: "Graph", sim: Simulator, receiver: "Receiver", notice: str
) -> None:
    for score in ("GREEN", "GREEN", "YELLOW", "RED"):
        await desk(graph, notice, "quality", score=score)
    pairs = (("UNKNOWN", "GREEN"), ("GREEN", "YELLOW"), ("YELLOW", "RED"))
    assert await told(receiver, QUALITY, 3) == [
        {"previous_quality_score": before, "new_quality_score": after, **which(notice)}
        for before, after in pairs
    ]
    score = (await read(graph, notice, "quality_score"))["quality_score"]
    assert score == {"score": "RED", "date": int(sim.clock.now())}


@pytest.mark.parametrize(
    ("first", "action", "event", "after", "case"),
    [
        (None, "flag", "FLAGGED", "APPROVED", {}),
        (None, "archive", "ARCHIVED", "ARCHIVED", {}),
        ("archive", "unarchive", "UNARCHIVED", "APPROVED", {}),
        ("disable", "reinstate", "REINSTATED", "APPROVED", {}),
        ("disable", "appeal", "IN_APPEAL", "IN_APPEAL", {}),
        (None, "delete", "PENDING_DELETION", "PENDING_DELETION", {"reason": None}),
    ],
)
async def test_each_status_is_told(
    graph: "Graph",
    receiver: "Receiver",
    notice: str,
    first: str | None,
    action: str,
    event: str,
    after: str,
    case: dict[str, Any],
) -> None:
    if first is not None:
        await desk(graph, notice, first)
    assert (await desk(graph, notice, action))["status"] == after
    last = (await told(receiver, STATUS, 1 if first is None else 2))[-1]
    assert last == status(notice, event, **case)


async def test_a_category_is_announced_a_day_ahead_then_switched(
    graph: "Graph", sim: Simulator, receiver: "Receiver"
) -> None:
    notice = await created(graph, message_send_ttl_seconds=60)
    shown = await desk(graph, notice, "announce_category", category="MARKETING")
    due = int(sim.clock.now()) + DAY
    assert int(shown["category_due"]) == due
    before = await read(graph, notice)
    assert (before["category"], before["correct_category"]) == ("UTILITY", "MARKETING")
    sim.advance(DAY - 1)
    assert (await read(graph, notice))["category"] == "UTILITY"
    sim.advance(1)
    after = await read(graph, notice)
    assert (after["category"], after["previous_category"]) == ("MARKETING", "UTILITY")
    assert "message_send_ttl_seconds" not in after
    assert "correct_category" not in after
    announced, done = await told(receiver, CATEGORY, 2)
    assert announced == which(notice) | {
        "new_category": "UTILITY",
        "correct_category": "MARKETING",
        "category_update_timestamp": due,
    }
    assert done == which(notice) | {"previous_category": "UTILITY", "new_category": "MARKETING"}


async def test_recategorising_without_notice_is_told_once(
    graph: "Graph", receiver: "Receiver", notice: str
) -> None:
    assert (await desk(graph, notice, "recategorise", category="MARKETING"))["category"] == "MARKETING"
    wanted = which(notice) | {"previous_category": "UTILITY", "new_category": "MARKETING"}
    assert await told(receiver, CATEGORY, 1) == [wanted]


async def test_what_should_be_authentication_is_rejected_on_the_first_of_the_next_month(
    graph: "Graph", sim: Simulator, notice: str
) -> None:
    shown = await desk(graph, notice, "announce_category", category="AUTHENTICATION")
    due = datetime.fromtimestamp(shown["category_due"], UTC)
    assert (due.day, due.hour, due.minute) == (1, 0, 0)
    assert due.timestamp() > sim.clock.now()
    sim.clock.set(shown["category_due"] - 1)
    assert (await read(graph, notice))["status"] == "APPROVED"
    sim.advance(1)
    template = await read(graph, notice)
    assert (template["status"], template["rejected_reason"]) == ("REJECTED", "INCORRECT_CATEGORY")


async def test_paced_messages_are_held_then_released(graph: "Graph", sim: Simulator, notice: str) -> None:
    await desk(graph, notice, "hold")
    answer = await send(graph, "notice")
    assert answer.json["messages"][0]["message_status"] == "held_for_quality_assessment"
    sim.advance(10)
    assert [each["status"] for each in sim.messages()] == ["held"]
    _, listed = await graph.control("GET", f"/templates/{notice}")
    assert (listed["pacing"], listed["held"]) == (True, 1)
    shown = await desk(graph, notice, "release")
    assert (shown["pacing"], shown["held"], shown["status"]) == (False, 0, "APPROVED")
    sim.advance(10)
    assert sim.messages()[0]["status"] in ("sent", "delivered", "read")
    assert (await send(graph, "notice")).json["messages"][0]["message_status"] == "accepted"


async def test_dropped_messages_fail_with_132015_and_only_a_call_unpauses(
    graph: "Graph", sim: Simulator, receiver: "Receiver", notice: str
) -> None:
    await desk(graph, notice, "hold")
    wamid = (await send(graph, "notice")).wamid
    shown = await desk(graph, notice, "drop")
    assert (shown["status"], shown["paused_by"], shown["paused_until"]) == ("PAUSED", "pacing", None)
    failed = await receiver.status(wamid, "failed")
    assert failed["errors"][0]["code"] == 132015
    (paused,) = await told(receiver, STATUS, 1)
    assert paused == status(notice, "PAUSED", **other("RATE_LIMITING_PAUSE", paused))
    sim.advance(299)
    early = await graph.call("POST", f"/v25.0/{notice}/unpause")
    assert early.json == {"success": False, "reason": early.json["reason"]}
    assert "5 minutes" in early.json["reason"]
    sim.advance(1)
    assert (await graph.call("POST", f"/v25.0/{notice}/unpause")).json == {"success": True}
    assert (await read(graph, notice))["status"] == "APPROVED"


async def test_a_pause_for_quality_is_not_ended_by_a_call(graph: "Graph", notice: str) -> None:
    not_paused = await graph.call("POST", f"/v25.0/{notice}/unpause")
    assert not_paused.json["success"] is False
    await desk(graph, notice, "pause", hours=1)
    answer = await graph.call("POST", f"/v25.0/{notice}/unpause")
    assert answer.json["success"] is False
    assert "by itself" in answer.json["reason"]


async def test_an_archived_template_is_deleted_after_28_days_unless_brought_back(
    graph: "Graph", sim: Simulator, receiver: "Receiver", notice: str
) -> None:
    await desk(graph, notice, "archive")
    sim.advance(27 * DAY)
    assert (await send(graph, "notice")).code == 132001
    await desk(graph, notice, "unarchive")
    sim.advance(30 * DAY)
    assert (await send(graph, "notice")).status == 200
    await desk(graph, notice, "archive")
    sim.advance(28 * DAY)
    assert (await graph.call("GET", f"/v25.0/{notice}")).code == 33
    assert (await told(receiver, STATUS, 4))[-1] == status(notice, "DELETED")


async def test_what_is_held_fails_when_its_archived_template_is_gone(
    graph: "Graph", sim: Simulator, notice: str
) -> None:
    await desk(graph, notice, "hold")
    assert (await send(graph, "notice")).status == 200
    await desk(graph, notice, "archive")
    assert [each["status"] for each in sim.messages()] == ["held"], "it may come back"
    sim.advance(28 * DAY + 1)
    (message,) = sim.messages()
    assert (message["status"], message["errors"][0]["code"]) == ("failed", 132015)


async def test_an_archived_template_that_was_paused_comes_back_paused_or_over_it(
    graph: "Graph", sim: Simulator, notice: str
) -> None:
    await desk(graph, notice, "pause")
    await desk(graph, notice, "archive")
    sim.advance(2 * HOUR)
    assert (await desk(graph, notice, "unarchive"))["status"] == "PAUSED"
    await desk(graph, notice, "archive")
    sim.advance(2 * HOUR)
    assert (await read(graph, notice))["status"] == "ARCHIVED"
    await desk(graph, notice, "unarchive")
    sim.advance(0)
    assert (await read(graph, notice))["status"] == "APPROVED"


async def test_deleting_an_archived_template_blocks_its_name_too(graph: "Graph", notice: str) -> None:
    await desk(graph, notice, "archive")
    assert (await desk(graph, notice, "delete"))["status"] == "PENDING_DELETION"
    assert (await create(graph)).json["error"]["error_subcode"] == 2388023


async def test_an_edit_ends_a_pause(graph: "Graph", sim: Simulator, notice: str) -> None:
    await desk(graph, notice, "pause")
    components = [{"type": "BODY", "text": "Your export is waiting for you."}]
    await graph.call("POST", f"/v25.0/{notice}", json={"components": components})
    _, shown = await graph.control("GET", f"/templates/{notice}")
    assert (shown["status"], shown["paused_until"], shown["pauses"]) == ("APPROVED", None, 1)


async def test_a_deleted_name_is_blocked_for_thirty_days(
    graph: "Graph", sim: Simulator, receiver: "Receiver", notice: str
) -> None:
    await graph.call("DELETE", EDGE, params={"name": "notice"})
    assert (await read(graph, notice))["status"] == "PENDING_DELETION"
    assert (await send(graph, "notice")).code == 132001
    sim.advance(30 * DAY - 1)
    for language in ("en_US", "de"):
        refused = await create(graph, language=language)
        assert refused.json["error"]["error_subcode"] == 2388023
    sim.advance(1)
    assert (await create(graph)).status == 200
    pending, deleted = (await told(receiver, STATUS, 3))[:2]
    assert pending == status(notice, "PENDING_DELETION", reason=None)
    assert deleted == status(notice, "DELETED")


async def test_timers_come_back_from_the_data(graph: "Graph", sim: Simulator, notice: str) -> None:
    await desk(graph, notice, "pause")
    sim.parts.life.reset()
    sim.advance(3 * HOUR)
    assert (await read(graph, notice))["status"] == "PAUSED"
    sim.parts.life.resume()
    sim.advance(1)
    assert (await read(graph, notice))["status"] == "APPROVED"


@pytest.mark.parametrize("hyphens", [True])
async def test_webhooks_may_write_languages_otherwise(
    graph: "Graph", receiver: "Receiver", notice: str
) -> None:
    await desk(graph, notice, "quality", score="GREEN")
    assert (await told(receiver, QUALITY, 1))[0]["message_template_language"] == "en-US"
    assert (await read(graph, notice))["language"] == "en_US"


async def test_nothing_is_told_when_nothing_happened(
    graph: "Graph", sim: Simulator, receiver: "Receiver", notice: str
) -> None:
    sim.advance(300 * DAY)
    await read(graph, notice)
    assert [values(receiver, each) for each in (STATUS, QUALITY, CATEGORY)] == [[], [], []]
