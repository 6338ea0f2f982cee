"""Templates between our files and Meta: pushed, reviewed, changed on either side, and never out of sight."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from harness import registry as desk
from harness.registry import ORDER, at_meta, becomes, heard, mirrored, moderate, operator, pushed
from harness.waiting import eventually
from harness.world import World, a_world
from sayso.simulator.faults.model import WebhookLoss

NAME = "order_ready"


@pytest.fixture
async def world(dsn: str, tmp_path: Path) -> AsyncIterator[World]:
    """Everything, with a folder of definitions, once the mirror has been compared for the first time."""
    folder = desk.write(tmp_path / "templates", order_ready=ORDER)
    async with a_world(dsn, tmp_path, sayso_templates_dir=folder) as everything:
        await becomes(everything, "confirmation_request", status="APPROVED")
        await review(everything, "instant")
        yield everything


async def review(world: World, how: str) -> None:
    await desk.desk(world, "POST", "/review", {"how": how})


def did(results: list[dict[str, Any]]) -> dict[str, str]:
    return {each["language"]: each["did"] for each in results}


async def test_what_is_pushed_is_reviewed_and_can_then_be_sent(world: World) -> None:
    await review(world, "moderator")
    results = await pushed(world, NAME)
    assert did(results) == {"en": "created", "de": "created"}
    assert {each["status"] for each in results} == {"PENDING"}
    waiting = await mirrored(world, NAME)
    assert waiting is not None
    assert (waiting["usable"], waiting["parameter_format"]) == (False, "NAMED")
    assert "review" in waiting["why"]
    await moderate(world, NAME, "approve")
    approved = await becomes(world, NAME, status="APPROVED", usable=True)
    assert approved["parameters"] == ["customer", "order"]
    assert [event["language"] for event in await heard(world, "template.approved")] == ["en"]
    assert (await mirrored(world, NAME, "de") or {})["status"] == "PENDING"
    again = await pushed(world, NAME)
    assert did(again) == {"en": "unchanged", "de": "unchanged"}


async def test_a_review_that_takes_longer_than_a_day_is_an_alert_until_it_ends(world: World) -> None:
    await review(world, "moderator")
    await pushed(world, NAME)
    world.let_pass(hours=23)
    await compared(world)
    assert await desk.alerts(world, about="template.pending") == []
    world.let_pass(hours=1, minutes=1)
    await compared(world)
    await compared(world)
    status, told = await operator(world).call("GET", "/alerts")
    assert status == 200, told
    overdue = {each["key"]: each for each in told["alerts"] if each["key"].startswith("template.pending")}
    assert overdue.keys() == {f"template.pending:{NAME}:en", f"template.pending:{NAME}:de"}
    assert "24 hours" in overdue[f"template.pending:{NAME}:en"]["detail"]
    await moderate(world, NAME, "approve")
    await becomes(world, NAME, status="APPROVED")
    assert [each["key"] for each in await desk.alerts(world, about="template.pending")] == [
        f"template.pending:{NAME}:de"
    ]
    for kind, keys in (("alert.raised", {"en", "de"}), ("alert.resolved", {"en"})):
        heard_of = [each["key"] for each in await heard(world, kind) if "template.pending" in each["key"]]
        assert sorted(heard_of) == sorted(f"template.pending:{NAME}:{language}" for language in keys)


async def compared(world: World) -> None:
    status, told = await operator(world).call("POST", "/templates/sync")
    assert status == 200, told


async def test_a_rejection_tells_its_reason_and_is_over_with_the_next_approval(world: World) -> None:
    await review(world, "moderator")
    await pushed(world, NAME)
    await moderate(world, NAME, "reject", {"reason": "SCAM", "explanation": "asks for money"})
    rejected = await becomes(world, NAME, status="REJECTED")
    assert "SCAM" in rejected["reason"]
    [alert] = await desk.alerts(world, about=f"template.status:{NAME}")
    assert "SCAM" in alert["detail"]
    await moderate(world, NAME, "appeal")
    await becomes(world, NAME, status="IN_APPEAL")
    await moderate(world, NAME, "approve")
    await becomes(world, NAME, status="APPROVED")
    assert await desk.alerts(world, about=f"template.status:{NAME}") == []


async def test_pauses_and_their_end_are_heard_of(world: World) -> None:
    await pushed(world, NAME)
    await moderate(world, NAME, "quality", {"score": "RED"})
    paused = await becomes(world, NAME, status="PAUSED", quality="RED")
    assert paused["paused_until"] is not None
    assert len(await desk.alerts(world, about="template.")) == 2  # the pause, and the rating behind it
    [told] = await heard(world, "template.paused")
    assert told["paused_until"] is not None
    await moderate(world, NAME, "unpause")
    await becomes(world, NAME, status="APPROVED", paused_until=None)
    await moderate(world, NAME, "quality", {"score": "GREEN"})
    await becomes(world, NAME, quality="GREEN")
    assert await desk.alerts(world, about="template.") == []


async def test_a_pause_of_metas_pacing_is_taken_back_by_a_call_and_one_for_quality_is_not(
    world: World,
) -> None:
    await pushed(world, NAME)
    await moderate(world, NAME, "hold")
    await moderate(world, NAME, "drop")
    await moderate(world, NAME, "pause", language="de")
    await becomes(world, NAME, "de", status="PAUSED")
    paused = await becomes(world, NAME, status="PAUSED")
    assert "RATE_LIMITING_PAUSE" in paused["reason"]
    world.sim.advance(6 * 60)  # Meta takes such a pause back after five minutes at the earliest
    status, told = await operator(world).call("POST", f"/templates/{NAME}/unpause")
    assert status == 200, told
    results = {each["language"]: each for each in told["results"]}
    assert (results["en"]["done"], results["de"]["done"]) == (True, False)
    assert "quality" in results["de"]["why"]
    await becomes(world, NAME, status="APPROVED", usable=True)


async def test_a_template_that_is_disabled_is_told_of_as_gone_for_good(world: World) -> None:
    await pushed(world, NAME)
    await moderate(world, NAME, "disable")
    gone = await becomes(world, NAME, status="DISABLED")
    assert "for good" in gone["why"]
    [alert] = await desk.alerts(world, about=f"template.status:{NAME}")
    assert alert["severity"] == "critical"


async def test_another_category_is_announced_and_then_so(world: World) -> None:
    await pushed(world, NAME)
    await moderate(world, NAME, "announce_category", {"category": "MARKETING"})
    await becomes(world, NAME, category="UTILITY", correct_category="MARKETING")
    assert len(await desk.alerts(world, about=f"template.category:{NAME}")) == 1
    await moderate(world, NAME, "recategorise", {"category": "MARKETING"})
    await becomes(world, NAME, category="MARKETING")
    [told] = await heard(world, "template.category_changed")
    assert (told["previous"], told["category"]) == ("UTILITY", "MARKETING")


async def test_an_edit_at_metas_side_is_drift_until_ours_is_pushed_again(world: World) -> None:
    await pushed(world, NAME)
    there = await at_meta(world, NAME)
    parts = [
        {**part, "text": part["text"].replace("is ready", "has been ready")}
        if part["type"] == "BODY"
        else part
        for part in there["components"]
    ]
    await edit_as_somebody_else(world, there["id"], parts)
    drifted = await becomes(world, NAME, drift=["body"])
    assert "has been ready" in str(drifted["components"])
    [told] = await heard(world, "template.drifted")
    assert told["fields"] == ["body"]
    assert len(await desk.alerts(world, about=f"template.drift:{NAME}")) == 1
    world.sim.advance(25 * 3600)  # Meta lets an approved template be edited once in 24 hours
    assert did(await pushed(world, NAME))["en"] == "edited"
    await becomes(world, NAME, drift=[])
    assert await desk.alerts(world, about=f"template.drift:{NAME}") == []


async def edit_as_somebody_else(world: World, meta_id: str, parts: list[dict[str, Any]]) -> None:
    """Change a template as a person in WhatsApp Manager does: not through the service."""
    url = f"{world.sim.base_url}/v25.0/{meta_id}"
    headers = {"Authorization": "Bearer sim-token"}
    async with world.api.session.post(url, json={"components": parts}, headers=headers) as answer:
        assert answer.status == 200, await answer.text()


async def test_a_comparison_finds_what_lost_webhooks_would_have_told(world: World) -> None:
    await pushed(world, NAME)
    await becomes(world, NAME, status="APPROVED")
    world.sim.arm(WebhookLoss(on="webhooks", until_cleared=True))
    await moderate(world, NAME, "pause")
    await moderate(world, NAME, "recategorise", {"category": "MARKETING"}, language="de")
    assert (await mirrored(world, NAME) or {})["status"] == "APPROVED"
    status, told = await operator(world).call("POST", "/templates/sync")
    assert (status, told["changed"]) == (200, 2)
    assert (await mirrored(world, NAME) or {})["status"] == "PAUSED"
    assert (await mirrored(world, NAME, "de") or {})["category"] == "MARKETING"


async def test_what_is_deleted_at_meta_is_gone_here_too(world: World) -> None:
    await pushed(world, NAME)
    status, told = await operator(world).call("DELETE", f"/templates/{NAME}", params={"language": "de"})
    assert (status, told["deleted"]) == (200, ["de"])
    gone = await mirrored(world, NAME, "de")
    assert gone is not None
    assert gone["usable"] is False
    assert (await mirrored(world, NAME) or {})["usable"] is True


async def test_a_definition_that_meta_refuses_is_told_with_its_reason_and_costs_the_others_nothing(
    world: World,
) -> None:
    body = {
        "examples": ["Ana"],
        "languages": {
            "en": {"body": "Hello {{1}}, how are you?"},
            "xx": {"body": "Hallo {{1}}, wie geht es?"},
        },
    }
    results = {each["language"]: each for each in await pushed(world, "greeting", body)}
    assert (results["en"]["did"], results["xx"]["did"]) == ("created", "refused")
    assert "100" in results["xx"]["detail"]


async def test_a_header_shows_an_example_that_was_uploaded(world: World, tmp_path: Path) -> None:
    (tmp_path / "templates" / "map.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(200))
    body = {
        "examples": ["Ana"],
        "languages": {"en": {"header": {"image": "map.png"}, "body": "Hello {{1}}, this is where we meet."}},
    }
    [made] = await pushed(world, "meeting_place", body)
    assert made["did"] == "created", made
    found = await becomes(world, "meeting_place", status="APPROVED")
    assert found["header_media"] == "image"
    assert did(await pushed(world, "meeting_place", body)) == {"en": "unchanged"}


async def test_what_the_account_had_before_is_ours_where_it_says_the_same(world: World) -> None:
    before = await at_meta(world, "confirmation_request")
    parts = [
        {**part, "text": part["text"].replace("wants to", "would like to")}
        if part["type"] == "BODY"
        else part
        for part in before["components"]
    ]
    await edit_as_somebody_else(world, before["id"], parts)
    await becomes(world, "confirmation_request", drift=["body"])


async def test_a_preview_is_what_the_person_will_see(world: World) -> None:
    parameters = {"customer": "Bo", "order": "B-2"}
    body = {"language": "de-AT", "parameters": parameters, "url_suffixes": ["B-2"]}
    status, told = await operator(world).call("POST", f"/templates/{NAME}/preview", json=body)
    assert status == 200, told
    assert told["language"] == "de"
    assert told["body"].startswith("Hallo Bo,")
    assert told["buttons"][1]["target"] == "https://example.org/o/B-2"
    wrong = {**body, "parameters": {"customer": "Bo\nand Al"}}
    status, told = await operator(world).call("POST", f"/templates/{NAME}/preview", json=wrong)
    assert status == 422
    assert {fault["pointer"] for fault in told["errors"]} == {"/parameters/customer", "/parameters/order"}


async def test_a_comparison_that_fails_is_told_and_made_up_for(world: World) -> None:
    await world.wire.go_down()
    status, told = await operator(world).call("POST", "/templates/sync")
    assert (status, told["code"]) == (503, "meta_unreachable")
    await world.wire.come_up()

    async def compared() -> bool:
        return (await operator(world).call("POST", "/templates/sync"))[0] == 200

    await eventually(compared, "a comparison")
