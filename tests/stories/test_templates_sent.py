"""Templates on their way to people: what they are filled with, in which language, and what a pause holds."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from harness import registry as desk
from harness.registry import ORDER, becomes, heard, moderate, pushed
from harness.waiting import eventually
from harness.world import ALICE, BEN, World, a_world
from sayso.simulator.faults.model import WebhookLoss

NAME = "order_ready"
FILLED: dict[str, Any] = {
    "name": NAME,
    "parameters": {"customer": "Ana", "order": "A-1017"},
    "quick_replies": ["fetch:A-1017"],
    "url_suffixes": ["A-1017"],
}


@pytest.fixture
async def world(dsn: str, tmp_path: Path) -> AsyncIterator[World]:
    """Everything, with a template of ours that Meta has approved."""
    folder = desk.write(tmp_path / "templates", order_ready=ORDER)
    async with a_world(dsn, tmp_path, sayso_templates_dir=folder) as everything:
        await desk.desk(everything, "POST", "/review", {"how": "instant"})
        await pushed(everything, NAME)
        await becomes(everything, NAME, status="APPROVED")

        async def quiet() -> bool:
            return not await everything.rows("SELECT 1 FROM template_syncs WHERE work <> 'waiting'")

        await eventually(quiet, "no look at Meta's list being under way: it would find what a test does next")
        yield everything


async def asked(world: World, template: dict[str, Any], to: str = ALICE, **more: Any) -> tuple[int, Any]:
    body = {"recipient": to, "message_type": "template", "template": template, **more}
    return await world.api.call("POST", "/send", json=body)


async def sent(world: World, template: dict[str, Any], to: str = ALICE, **more: Any) -> str:
    status, told = await asked(world, template, to, **more)
    assert status == 202, told
    return str(told["id"])


async def held(world: World, message_id: str) -> dict[str, Any]:
    """Wait until a message is held for its template; its row."""
    [row] = await world.rows("SELECT * FROM messages WHERE id = $1", message_id)
    while row["held_by"] != f"template:{NAME}:en":
        await world.stands(message_id, "queued")
        [row] = await world.rows("SELECT * FROM messages WHERE id = $1", message_id)
    return row


async def test_names_a_quick_reply_and_a_link_arrive_as_they_were_given(world: World) -> None:
    message_id = await sent(world, FILLED)
    await world.stands(message_id, "read")
    shown = await world.sim.expect_message(to=ALICE, containing="A-1017 is ready")
    assert shown["buttons"] == ["On my way", "Track"]
    [post] = world.wire.of(message_id)
    assert post.touches('"sub_type":"url","index":"1","parameters":[{"type":"text","text":"A-1017"}]')
    await world.tapped(shown["wamid"], 0)
    [said] = await world.events("person.said")
    assert said["data"]["quotes"] == message_id
    await world.keeps_its_promises()


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"parameters": {"customer": "Ana"}}, "/template/parameters/order"),
        ({"parameters": {**FILLED["parameters"], "odrer": "x"}}, "/template/parameters/odrer"),
        ({"parameters": ["Ana", "A-1017"]}, "/template/parameters"),
        ({"parameters": {"customer": "Ana\nBo", "order": "A"}}, "/template/parameters/customer"),
        ({"parameters": {"customer": "A     b", "order": "A"}}, "/template/parameters/customer"),
        ({"parameters": {"customer": "x" * 1_000, "order": "A"}}, "/template/parameters"),
        ({"url_suffixes": []}, "/template/url_suffixes"),
        ({"quick_replies": ["a", "b"]}, "/template/quick_replies"),
        ({"header": {"text": "x"}}, "/template/header"),
        ({"name": "order_raedy"}, "/template/name"),
    ],
)
async def test_what_does_not_fit_the_template_is_refused_where_it_stands_and_nothing_is_queued(
    world: World, change: dict[str, Any], pointer: str
) -> None:
    status, told = await asked(world, {**FILLED, **change})
    assert status == 422, told
    assert pointer in {fault["pointer"] for fault in told["errors"]}, told
    assert await world.rows("SELECT id FROM messages") == []


async def test_a_name_that_meta_does_not_have_is_refused_with_what_may_have_been_meant(world: World) -> None:
    status, told = await asked(world, {**FILLED, "name": "order_redy"})
    assert (status, told["code"]) == (422, "template_unknown")
    assert "do you mean order_ready?" in told["detail"]


@pytest.mark.parametrize(
    ("language", "words"), [("de", "liegt zur Abholung"), ("de-AT", "liegt zur Abholung"), ("fr", "is ready")]
)
async def test_a_person_reads_their_own_language_or_the_nearest_there_is(
    world: World, language: str, words: str
) -> None:
    status, told = await world.api.call("PUT", "/people/alice", json={"phone": ALICE, "language": language})
    assert status == 200, told
    await sent(world, FILLED)
    await world.sim.expect_message(to=ALICE, containing=words)


async def test_a_picture_in_the_header_is_sent_along_and_its_lack_refused(
    world: World, tmp_path: Path
) -> None:
    (tmp_path / "templates" / "map.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(200))
    body = {
        "examples": ["Ana"],
        "languages": {"en": {"header": {"image": "map.png"}, "body": "Hello {{1}}, this is where we meet."}},
    }
    await pushed(world, "meeting_place", body)
    await becomes(world, "meeting_place", status="APPROVED")
    template = {"name": "meeting_place", "parameters": ["Ana"]}
    status, told = await asked(world, template)
    assert status == 422
    assert told["errors"][0]["pointer"] == "/template/header"
    picture = {"image": {"link": "https://example.org/map.png"}}
    message_id = await sent(world, {**template, "header": picture})
    await world.stands(message_id, "read")


async def test_a_pause_holds_what_is_queued_and_its_end_lets_it_go_once(world: World) -> None:
    before = await sent(world, FILLED)
    await world.stands(before, "read")
    await moderate(world, NAME, "pause")
    await becomes(world, NAME, status="PAUSED")
    waiting = [await sent(world, {**FILLED, "language": "en"}, to) for to in (ALICE, BEN)]
    for message_id in waiting:
        row = await held(world, message_id)
        assert "paused" in row["held"]
    assert [world.wire.of(message_id) for message_id in waiting] == [[], []]
    await moderate(world, NAME, "unpause")
    for message_id in waiting:
        await world.stands(message_id, "read")
        assert [post.accepted for post in world.wire.of(message_id)] == [True]
    await world.keeps_its_promises()


async def test_a_pause_that_only_a_refusal_tells_of_holds_the_message_too(world: World) -> None:
    lost = world.sim.arm(
        WebhookLoss(on="webhooks", field="message_template_status_update", until_cleared=True)
    )
    await moderate(world, NAME, "pause")
    message_id = await sent(world, {**FILLED, "language": "en"})
    row = await held(world, message_id)
    assert row["state"] == "queued"
    assert [post.code for post in world.wire.of(message_id)] == [132015]
    assert len(await heard(world, "template.paused")) == 1
    world.sim.clear_faults()
    await moderate(world, NAME, "unpause")
    await world.stands(message_id, "read")
    assert lost
    await world.keeps_its_promises()


async def test_a_held_message_ends_with_its_template(world: World) -> None:
    await moderate(world, NAME, "pause")
    await becomes(world, NAME, status="PAUSED")
    message_id = await sent(world, {**FILLED, "language": "en"})
    await held(world, message_id)
    await moderate(world, NAME, "disable")
    failed = await world.stands(message_id, "failed")
    assert "disabled" in failed["reason"]
    assert world.wire.of(message_id) == []
    await world.keeps_its_promises()


async def test_what_waits_for_a_review_goes_with_the_approval_or_ends_at_its_own_time(world: World) -> None:
    await desk.desk(world, "POST", "/review", {"how": "moderator"})
    body = {"examples": ["Ana"], "languages": {"en": {"body": "Hello {{1}}, this is news for you."}}}
    await pushed(world, "news_for_you", body)
    template = {"name": "news_for_you", "parameters": ["Ana"]}
    brief = await sent(world, template, BEN, ttl_seconds=1)
    patient = await sent(world, template)
    ended = await world.stands(brief, "expired")
    assert ended["reason"]
    assert (await world.api.message(patient))["state"] == "queued"
    await moderate(world, "news_for_you", "approve")
    await world.stands(patient, "read")
    assert world.wire.of(brief) == []
    await world.keeps_its_promises()


async def test_while_the_own_language_is_paused_new_messages_go_in_english(world: World) -> None:
    await moderate(world, NAME, "pause", language="de")
    await becomes(world, NAME, "de", status="PAUSED")
    status, told = await world.api.call("PUT", "/people/alice", json={"phone": ALICE, "language": "de"})
    assert status == 200, told
    await sent(world, FILLED)
    await world.sim.expect_message(to=ALICE, containing="is ready to be fetched")


async def test_a_question_outside_the_window_is_asked_in_the_persons_language_and_answered_by_its_button(
    world: World,
) -> None:
    await pushed(world, "confirmation_request")
    await becomes(world, "confirmation_request", "de", status="APPROVED")
    status, told = await world.api.call("PUT", "/people/alice", json={"phone": ALICE, "language": "de"})
    assert status == 200, told
    asked_ = await world.api.ask("den Wochenbericht versenden")
    shown = await world.sim.expect_message(to=ALICE, containing="Wochenbericht")
    assert shown["buttons"] == ["Bestätigen", "Ablehnen", "Abbrechen"]
    await world.tapped(shown["wamid"], 0)
    assert (await world.api.outcome(asked_["id"]))["outcome"] == "confirmed"
    await world.keeps_its_promises()
