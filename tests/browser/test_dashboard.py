"""The dashboard in a browser: the way in, and the whole story of a decision on one page."""

import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect

from browser.legible import readable
from browser.stage import PICTURES, watched
from harness.receiver import Receiver, receiving
from harness.waiting import eventually
from harness.world import ALICE, BEN, CONFIRM, World, a_world
from sayso.confirmations import log
from sayso.core.tokens import ASSISTANT_SCOPES

POLICY = """
version = "2026-11"

[action.payment]
tier = "medium"
approvers = ["alice", "ben"]
need = "all"
undo_seconds = 60
remind_minutes_before = 5
"""
PAYMENT = {"amount": "1,240.00", "currency": "EUR", "to": "Acme GmbH", "iban": "DE02 1203 0000 0000 2020 51"}


@pytest.fixture
async def world(dsn: str, tmp_path: Path) -> AsyncIterator[World]:
    """Alice and Ben, who have written before, and a policy of payments."""
    policy = tmp_path / "policy.toml"
    policy.write_text(POLICY)
    async with a_world(
        dsn, tmp_path, sayso_policy_file=policy, sayso_endpoints_allow="127.0.0.1"
    ) as everything:
        yield everything


async def _decision(world: World, receiver: Receiver) -> str:
    """Two have to confirm; one takes it back and confirms again; it is done, and told. The confirmation's id."""
    for user, number in {"alice": ALICE, "ben": BEN}.items():
        await world.api.link(number, user=user, name=user.title())
        await world.open_window(number)
    owner = world.api.as_(scopes=(*ASSISTANT_SCOPES, "endpoints:write"))
    hook = {"url": receiver.url(), "types": ["confirmation.*"]}
    assert (await owner.call("POST", "/endpoints", json=hook))[0] == 201
    what = "pay invoice 2026-118 to Acme GmbH"
    asked = await world.api.ask(what, action_type="payment", action_details="due on Friday", action=PAYMENT)
    alices, bens = [await world.sim.expect_message(to=who, containing=what) for who in (ALICE, BEN)]
    await world.tapped(alices["wamid"], CONFIRM)
    await world.said("Yes", person=BEN, quote=bens["wamid"])
    await world.said("UNDO", person=BEN)
    await world.said("yes", person=BEN, quote=bens["wamid"])
    world.let_pass(minutes=2)
    decided = await world.api.outcome(asked["id"])
    assert decided["outcome"] == "confirmed"
    path = f"/confirmations/{asked['id']}"
    body = {"action_hash": decided["action_hash"]}
    assert (await world.api.call("POST", f"{path}/claim", json=body))[0] == 201
    done = {"status": "done", "note": "paid, reference 77-1204"}
    assert (await world.api.call("POST", f"{path}/execution", json=done))[0] == 200
    async with world.rt.db.tx() as tx:
        await log.checkpoint(tx, world.rt, now=True)

    async def delivered() -> bool:
        rows = await world.rows("SELECT state FROM deliveries")
        return bool(rows) and all(row["state"] == "delivered" for row in rows)

    await eventually(delivered)
    return str(asked["id"])


async def _sign_in(page: Page, token: str) -> None:
    await page.get_by_label("Token").fill(token)
    await page.get_by_role("button", name="Sign in").click()


async def _looks_well(page: Page) -> None:
    """By day and by night, on a desk and on a phone: readable, named, and nothing wider than the screen."""
    for width in (1280, 390):
        await page.set_viewport_size({"width": width, "height": 900})
        for scheme in ("light", "dark"):
            await page.emulate_media(color_scheme=scheme)
            await readable(page, f"{width} {scheme}")
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth"), width
    await page.emulate_media(color_scheme="light")
    await page.set_viewport_size({"width": 1280, "height": 900})


async def _picture(page: Page, name: str, **more: Any) -> None:
    if os.environ.get("SAYSO_SCREENSHOTS"):
        await page.screenshot(path=PICTURES / f"{name}.png", animations="disabled", **more)


async def test_one_page_shows_the_whole_story_of_a_decision(browser: Browser, world: World) -> None:
    async with receiving() as receiver, watched(browser, (1280, 900)) as page:
        confirmation_id = await _decision(world, receiver)
        await page.goto(f"{world.api.url}/dashboard")
        await _sign_in(page, world.api.bearer)
        await _looks_well(page)
        await page.get_by_role("link", name="pay invoice").click()
        await expect(page).to_have_url(f"{world.api.url}/dashboard/confirmations/{confirmation_id}")
        question = page.get_by_role("region", name="The question")
        await expect(question.get_by_text("“pay invoice 2026-118 to Acme GmbH”")).to_have_count(2)
        answers = page.get_by_role("region", name="Every answer")
        await expect(answers.locator("article")).to_have_count(4)
        await expect(answers).to_contain_text("replied to the question itself · read as yes")
        await expect(page.get_by_role("region", name="The decision")).to_contain_text(
            "paid, reference 77-1204"
        )
        await expect(page.get_by_role("region", name="The policy")).to_contain_text("2026-11+")
        receipt = page.get_by_role("region", name="The receipt")
        await expect(receipt).to_contain_text("✓ verified")
        await expect(receipt.locator(".checks .good")).to_have_count(7)
        told = page.get_by_role("region", name="The way back")
        await expect(told.locator(".badge.good")).to_have_count(receiver.subjects.count(confirmation_id))
        happened = page.get_by_role("region", name="What happened")
        await expect(happened).to_contain_text("took the answer back")
        await expect(happened.get_by_text("Reply UNDO before then to take it back.")).to_have_count(2)
        await _looks_well(page)
        await _picture(page, "dashboard", full_page=True)


async def test_the_way_in_and_the_way_out(browser: Browser, world: World) -> None:
    async with watched(browser, (1280, 900)) as page:
        await page.goto(f"{world.api.url}/dashboard/confirmations?status=held")
        await _looks_well(page)
        await _sign_in(page, world.api.bearer)
        await expect(page).to_have_url(f"{world.api.url}/dashboard/confirmations?status=held")
        await expect(page.get_by_text("No confirmation stands so.")).to_be_visible()
        assert await page.evaluate("document.cookie") == "", "no script reads the cookie"
        await page.get_by_role("button", name="Sign out").click()
        await page.goto(f"{world.api.url}/dashboard/confirmations")
        await expect(page.get_by_label("Token")).to_be_visible()
