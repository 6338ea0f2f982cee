"""Nothing is begun without an opt-in, and every way in or out lands in one ledger that verifies."""

import asyncio
import json
from typing import Any

import pytest

from harness.waiting import eventually
from harness.world import ALICE, BEN, World
from stories.consent_stage import (
    LEFT,
    PROOF,
    THANKS,
    entries,
    in_an_hour,
    send,
    shown,
    standing,
    whole,
)


@pytest.fixture(autouse=True)
async def _opt_ins_are_needed(world: World) -> None:
    await world.needs_opt_ins()


async def test_nothing_is_begun_without_an_opt_in_and_each_category_is_asked_for_itself(world: World) -> None:
    for path, body in (
        ("/send", {"recipient": ALICE, "content": "hi"}),
        (
            "/confirmation",
            {"recipient": ALICE, "action_type": "t", "action_description": "d", "action_details": "x"},
        ),
    ):
        status, answer = await world.api.call("POST", path, json=body)
        assert (status, answer["code"]) == (403, "consent_missing"), answer
    assert await world.rows("SELECT 1 FROM messages") == []
    await world.opts_in(scope=["notifications"])
    assert (await send(world))[0] == 202
    status, answer = await send(world, category="marketing")
    assert (status, answer["code"]) == (403, "consent_missing")
    holds = (await standing(world))["standing"]
    assert [
        category for category in holds if isinstance(holds[category], dict) and holds[category]["allowed"]
    ] == ["notifications"]
    assert await whole(world) == 1


async def test_who_wrote_to_us_is_answered_without_an_opt_in(world: World) -> None:
    await world.open_window()
    assert (await send(world))[0] == 202
    await world.sim.expect_message(to=ALICE, containing="hello")
    assert (await standing(world))["standing"]["notifications"]["allowed_in_window"] is True
    await world.keeps_its_promises()


async def test_an_opt_in_by_the_api_thanks_once_and_only_into_an_open_window(world: World) -> None:
    await world.opts_in(BEN, notify=True)
    await world.open_window()
    for _ in range(2):
        recorded = await world.opts_in(notify=True)
        assert recorded["state"] == "recorded"
    assert await shown(world, THANKS) == 1
    assert await shown(world, THANKS, BEN) == 0
    assert [(row["action"], row["client_id"]) for row in await entries(world)] == [
        ("granted", "assistant"),
        ("granted", "assistant"),
        ("renewed", "assistant"),
    ]
    row = (await entries(world))[1]
    assert row["personal"]["wording"] == PROOF["wording"]
    assert row["personal"]["identifiers"]["phone"] == ALICE
    assert await whole(world) == 3


async def test_an_opt_in_needs_its_words_and_its_proof(world: World) -> None:
    for missing in ("wording", "evidence"):
        body = {name: value for name, value in PROOF.items() if name != missing}
        status, answer = await world.api.call("POST", "/consents", json={"recipient": ALICE, **body})
        assert (status, answer["errors"][0]["pointer"]) == (422, f"/{missing}")
    wrongs: tuple[dict[str, Any], ...] = (
        {"wording": "  "},
        {"evidence": []},
        {"evidence": ["form 7", " "]},
        {"captured_at": "2099-01-01T00:00:00Z"},
        {"captured_at": "2026-01-01T00:00:00Z", "expires_at": "2025-01-01T00:00:00Z"},
        {"captured_at": "2026-01-01T00:00:00"},
        {"scope": ["everything"]},
        {"method": "keyword"},
    )
    for wrong in wrongs:
        status, answer = await world.api.call(
            "POST", "/consents", json={"recipient": ALICE, **PROOF, **wrong}
        )
        assert (status, answer["code"]) == (422, "input_invalid"), wrong
    assert await entries(world) == []


async def test_an_opt_out_by_the_api_takes_back_what_waits_and_names_the_entry(world: World) -> None:
    await world.opts_in()
    _, later = await send(world, send_at=in_an_hour())
    await world.open_window()
    asked, _ = await world.asked()
    body = {"recipient": ALICE, "reason": "asked on the phone"}
    status, left = await world.api.call("POST", "/consents/revoke", json=body)
    assert (status, left["state"], left["closed"], left["suppressed"]) == (200, "recorded", 1, 1)
    assert left["id"] in (await world.stands(later["id"], "suppressed"))["reason"]
    assert (await world.api.outcome(asked["id"]))["outcome"] == "opted_out"
    status, answer = await send(world)
    assert (status, answer["code"]) == (403, "opted_out")
    assert await shown(world, LEFT) == 1
    status, again = await world.api.call("POST", "/consents/revoke", json=body)
    assert (again["state"], again["id"]) == ("was_out", left["id"])
    assert await shown(world, LEFT) == 1
    assert "opt-in" in await world.said("START")
    assert (await standing(world))["standing"]["opted_out"] is True, (
        "stopped elsewhere: START restores nothing"
    )
    assert await shown(world, "STOP") >= 1
    await world.opts_in(notify=True)
    await world.sim.expect_message(to=ALICE, containing=THANKS)
    assert (await send(world))[0] == 202
    assert await whole(world) == 3
    assert len(await world.events("person.opted_out")) == 0, "nobody is linked to her"
    await world.keeps_its_promises()


async def test_an_opt_out_by_the_api_is_answered_when_nothing_is_under_way(world: World) -> None:
    await world.open_window()
    held = world.wire.hold("before", containing="slow line")
    await world.api.call("POST", "/send", json={"recipient": ALICE, "content": "slow line"})
    await held.arrived()
    leaving = asyncio.create_task(
        world.api.call("POST", "/consents/revoke", json={"recipient": ALICE, "reason": "said so"})
    )
    await eventually(
        lambda: world.rows("SELECT 1 FROM consent_entries WHERE action = 'withdrawn'"), "the entry"
    )
    done, _ = await asyncio.wait([leaving], timeout=0.3)
    assert not done, "answered while a message was under way"
    held.release()
    status, left = await leaving
    assert (status, left["state"]) == (200, "recorded")
    await world.keeps_its_promises()


async def test_a_later_proven_opt_in_lifts_a_stop_and_an_earlier_one_does_not(world: World) -> None:
    assert "opt-out" in await world.said("STOP")
    old = await world.opts_in(captured_at="2026-01-01T00:00:00Z")
    assert old["state"] == "stopped"
    assert (await send(world))[1]["code"] == "opted_out"
    world.sim.advance(1)
    new = await world.opts_in()
    assert (new["state"], new["standing"]["opted_out"]) == ("recorded", False)
    assert (await send(world))[0] == 202


@pytest.mark.parametrize(
    ("word", "farewell", "back", "thanks"),
    [
        ("BAJA", "Se ha dado de baja", "alta", "Gracias por suscribirse"),
        ("Abmelden!", "abgemeldet", "anmelden", "Danke"),
        ("退订", "您已退订", "订阅", "感谢您订阅"),
        ("stop", LEFT, "start", THANKS),
    ],
)
async def test_a_word_of_a_language_is_answered_in_it(
    world: World, word: str, farewell: str, back: str, thanks: str
) -> None:
    await world.said(word)
    await world.sim.expect_message(to=ALICE, containing=farewell)
    world.sim.advance(2)
    await world.said(back)
    await world.sim.expect_message(to=ALICE, containing=thanks)
    locales = {row["personal"]["locale"] for row in await entries(world)}
    assert len(locales) == 1
    assert await whole(world) == 2


async def test_the_language_of_the_person_beats_that_of_the_word(world: World) -> None:
    await world.api.call("PUT", "/people/alice", json={"phone": ALICE, "language": "fr"})
    await world.said("BAJA")
    await world.sim.expect_message(to=ALICE, containing="désinscrit")


@pytest.mark.parametrize("word", ["end", "quit", "basta", "iptal", "CANCEL"])
async def test_a_soft_word_calls_off_what_is_open_and_says_how_to_leave(world: World, word: str) -> None:
    await world.opts_in()
    asked, _ = await world.asked()
    assert "cancelled" in await world.said(word)
    assert (await world.api.outcome(asked["id"]))["outcome"] == "cancelled"
    assert (await send(world))[0] == 202
    assert len(await entries(world)) == 1
    await world.keeps_its_promises()
    lines = [m for m in world.sim.messages(to=ALICE) if "STOP" in m["shown"]]
    assert len(lines) == 1, "one line says how to leave"


@pytest.mark.parametrize("word", ["end", "Basta!", "DUR"])
async def test_a_soft_word_with_nothing_open_leaves(world: World, word: str) -> None:
    assert "opt-out" in await world.said(word)
    assert (await standing(world))["standing"]["opted_out"] is True


async def test_what_only_holds_a_word_is_no_opt_out(world: World) -> None:
    await world.opts_in()
    for words in ("stop, o Zé não vem", "don't stop", "basta così"):
        assert "comment" in await world.said(words)
    assert (await standing(world))["standing"]["opted_out"] is False


async def test_promotions_are_stopped_alone(world: World) -> None:
    await world.opts_in()
    await world.said("STOP PROMOTIONS")
    await world.sim.expect_message(to=ALICE, containing="no more promotions")
    status, answer = await send(world, category="marketing")
    assert (status, answer["code"]) == (403, "opted_out")
    assert (await send(world))[0] == 202


async def test_help_says_who_writes_and_how_to_stop_to_whoever_left_too(world: World) -> None:
    await world.said("STOP")
    await world.said("HELP")
    help_ = await world.sim.expect_message(to=ALICE, containing="Reply STOP to opt out")
    assert "AI Assistant" in help_["shown"]
    await world.keeps_its_promises()


async def test_metas_own_stop_bars_marketing_until_meta_lifts_it(world: World) -> None:
    await world.opts_in()
    await world.open_window()
    _, queued = await send(world, category="marketing", send_at=in_an_hour())
    await world.sim.person(ALICE).stops_marketing()
    await eventually(
        lambda: world.rows("SELECT 1 FROM consent_entries WHERE action = 'suppressed_by_meta'"), "the stop"
    )
    assert "stopped marketing" in (await world.stands(queued["id"], "suppressed"))["reason"]
    for _ in range(2):
        status, answer = await send(world, category="marketing")
        assert (status, answer["code"]) == (403, "opted_out")
        assert (await send(world))[0] == 202
        await world.said("START")
    world.sim.advance(2)  # in one second, of two words the more restrictive holds
    await world.sim.person(ALICE).resumes_marketing()
    await eventually(
        lambda: world.rows("SELECT 1 FROM consent_entries WHERE action = 'lifted_by_meta'"), "the resume"
    )
    assert (await send(world, category="marketing"))[0] == 202
    assert await whole(world) >= 3
    assert await shown(world, LEFT) == 0


async def asked_to_opt_in(world: World, person: str = ALICE, **more: Any) -> tuple[int, Any]:
    body = {"recipient": person, **PROOF, "double_opt_in": True, **more}
    return await world.api.call("POST", "/consents", json=body)


@pytest.mark.parametrize("how", ["tap", "quote", "word"])
async def test_a_yes_to_the_question_is_the_opt_in(world: World, how: str) -> None:
    await world.open_window()
    status, asked = await asked_to_opt_in(world, scope=["notifications"])
    assert (status, asked["state"]) == (202, "asked")
    question = await world.sim.expect_message(to=ALICE, containing="Do you agree?")
    await world.at_rest()
    assert await entries(world) == [], "asking is not an opt-in"
    if how == "tap":
        result = await world.tapped(question["wamid"], 0)
    else:
        result = await world.said("yes", quote=question["wamid"] if how == "quote" else None)
    assert "opt-in: confirmed" in result
    await world.sim.expect_message(to=ALICE, containing=THANKS)
    [row] = await entries(world)
    assert (row["action"], row["scope"], row["client_id"]) == ("confirmed", ["notifications"], "assistant")
    assert row["method"] == ("button" if how == "tap" else "keyword")
    assert question["wamid"] in row["personal"]["evidence"]
    assert "Do you agree?" in row["personal"]["wording"]
    assert "comment" in await world.said("yes"), "a second yes answers nothing"
    assert await whole(world) == 1


async def test_a_no_is_written_down_and_nothing_is_begun(world: World) -> None:
    await world.open_window()
    await asked_to_opt_in(world)
    question = await world.sim.expect_message(to=ALICE, containing="Do you agree?")
    assert "declined" in await world.tapped(question["wamid"], 1)
    [row] = await entries(world)
    assert row["action"] == "denied"
    assert (await standing(world))["standing"]["notifications"]["allowed"] is False
    assert "had its answer" in await world.tapped(question["wamid"], 0)
    assert len(await entries(world)) == 1


async def test_a_yes_opts_nobody_in_who_was_not_asked(world: World) -> None:
    assert "comment" in await world.said("yes")
    await world.open_window(BEN)
    await asked_to_opt_in(world, BEN)
    question = await world.sim.expect_message(to=BEN, containing="Do you agree?")
    payload = f"oi1:{(await world.rows('SELECT id FROM consent_questions'))[0]['id']}:yes"
    assert payload in json.dumps(question)
    assert "comment" in await world.said("yes"), "Ben was asked, not Alice"
    assert await entries(world) == []


async def test_a_bare_yes_while_a_confirmation_is_open_answers_the_confirmation(world: World) -> None:
    await world.open_window()
    await asked_to_opt_in(world)
    await world.sim.expect_message(to=ALICE, containing="Do you agree?")
    asked, _ = await world.asked()
    await world.said("yes")
    assert (await world.api.outcome(asked["id"]))["outcome"] == "confirmed"
    assert await entries(world) == []


async def test_a_bare_yes_below_a_question_to_opt_in_decides_no_confirmation_above_it(world: World) -> None:
    await world.open_window()
    asked, prompt = await world.asked()
    await asked_to_opt_in(world)
    await world.sim.expect_message(to=ALICE, containing="Do you agree?")
    assert "asked which of 1" in await world.said("yes")
    assert (await world.api.outcome(asked["id"], wait=0))["status"] == "pending"
    assert await entries(world) == [], "it may have been for either"
    await world.said("yes", quote=prompt["wamid"])
    assert (await world.api.outcome(asked["id"]))["outcome"] == "confirmed"
    assert "opt-in: confirmed" in await world.said("yes"), "now it can mean nothing else"
    await world.keeps_its_promises()


async def test_outside_the_window_a_question_is_refused_in_words_and_nobody_who_left_is_asked(
    world: World,
) -> None:
    status, answer = await asked_to_opt_in(world)
    assert (status, answer["code"]) == (409, "window_closed"), answer
    assert "SAYSO_OPT_IN_TEMPLATE" in answer["detail"]
    await world.said("STOP")
    status, answer = await asked_to_opt_in(world)
    assert (status, answer["code"]) == (403, "opted_out")
