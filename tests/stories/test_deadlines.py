"""A question ends at its deadline, once, and never over an answer that came in time."""

import asyncio
from typing import Any

import pytest

from harness import evidence
from harness.waiting import eventually
from harness.world import ALICE, World
from sayso.inbound import handle as conductor

SOON = 0.03  # minutes


async def test_a_question_nobody_answers_expires_and_the_person_is_told(world: World) -> None:
    await world.open_window()
    asked, _ = await world.asked()
    await evidence.time_is_up(world.dsn)
    decided = await world.api.outcome(asked["id"])
    assert decided["outcome"] == "expired"
    assert decided["decided_at"] >= decided["expires_at"]
    await world.sim.expect_message(to=ALICE, containing="Time is up")
    await world.keeps_its_promises()


async def test_outside_the_window_an_expired_question_ends_without_a_line(world: World) -> None:
    asked, _ = await world.asked()
    await evidence.time_is_up(world.dsn)
    assert (await world.api.outcome(asked["id"]))["outcome"] == "expired"
    await world.keeps_its_promises()
    [closing] = await world.rows("SELECT state, reason FROM messages WHERE purpose = 'closing'")
    assert closing["state"] == "suppressed"
    assert "window" in closing["reason"]


@pytest.mark.parametrize("way", ["tap", "quote", "word"])
async def test_an_answer_after_the_deadline_changes_nothing_and_is_told_so_kindly(
    world: World, way: str
) -> None:
    asked, prompt = await world.asked()
    await evidence.time_is_up(world.dsn)
    assert (await world.api.outcome(asked["id"]))["outcome"] == "expired"
    if way == "tap":
        await world.tapped(prompt["wamid"], 0)
    else:
        await world.said("Y", quote=prompt["wamid"] if way == "quote" else None)
    notice = await world.sim.expect_message(to=ALICE, containing="changed nothing")
    assert "ended without an answer" in notice["shown"]
    assert (await world.api.outcome(asked["id"]))["outcome"] == "expired"
    late = await world.events("confirmation.answered_late")
    said = [event["data"]["said"] for event in late]
    assert said == ["confirm"] or (way == "word" and said == [])  # a bare word may not point at any question
    await world.keeps_its_promises()


async def test_a_repeated_tap_after_the_decision_changes_nothing_and_is_told_so_kindly(world: World) -> None:
    asked, prompt = await world.asked()
    await world.tapped(prompt["wamid"], 0)
    decided = await world.api.outcome(asked["id"])
    for button in (1, 0, 2):
        await world.tapped(prompt["wamid"], button)
    assert await world.api.outcome(asked["id"]) == {**decided, "delivery": "read"}
    await world.sim.expect_message(to=ALICE, containing="was already confirmed")
    late = await world.events("confirmation.answered_late")
    assert [event["data"]["said"] for event in late] == ["decline", "confirm", "cancel"]
    assert {event["data"]["outcome"] for event in late} == {"confirmed"}
    await world.keeps_its_promises()


async def test_two_taps_at_once_make_one_decision(world: World) -> None:
    for number in range(5):
        asked, prompt = await world.asked(f"do thing number {number}")
        taps = await asyncio.gather(*(world.sim.tap(ALICE, prompt["wamid"], button) for button in (0, 1)))
        for wamid in taps:
            await world.digested(wamid)
        assert (await world.api.outcome(asked["id"]))["outcome"] in ("confirmed", "declined")
    await world.keeps_its_promises()


@pytest.mark.parametrize("known", [True, False], ids=["a person who wrote before", "a person's first words"])
async def test_expiry_never_overtakes_a_reply_that_came_in_before_it(
    world: World, monkeypatch: pytest.MonkeyPatch, *, known: bool
) -> None:
    """Digestion stands still while the deadline passes; the reply that was already in decides."""
    if known:
        await world.open_window()
    gate = asyncio.Event()
    act = conductor._message

    async def when_let(*args: Any) -> Any:
        await gate.wait()
        return await act(*args)

    monkeypatch.setattr(conductor, "_message", when_let)
    asked, prompt = await world.asked()
    wamid = await world.sim.tap(ALICE, prompt["wamid"], 0)
    await eventually(lambda: world.update(wamid), "the reply being in")
    await evidence.time_is_up(world.dsn)

    async def looked_and_waited() -> bool:
        [row] = await world.rows(
            "SELECT clock_timestamp() > expires_at + interval '1 second' AS over, tries, status FROM confirmations"
        )
        assert row["status"] == "pending", "expired over a reply that was in before the deadline"
        return bool(row["over"] and row["tries"] > 1)

    await eventually(looked_and_waited, "the expiry looking more than once")
    gate.set()
    await world.digested(wamid)
    assert (await world.api.outcome(asked["id"]))["outcome"] == "confirmed"
    await world.keeps_its_promises()


async def test_many_deadlines_at_once_each_end_once(world: World) -> None:
    people = [f"+1555020{number:04}" for number in range(40)]
    asked = await asyncio.gather(*(world.api.ask(recipient=each, timeout_minutes=SOON) for each in people))
    outcomes = await asyncio.gather(*(world.api.outcome(each["id"]) for each in asked))
    assert {row["outcome"] for row in outcomes} == {"expired"}
    await world.keeps_its_promises()
