"""The main job with a real thumb: the service asks, the phone in the browser answers, the assistant decides."""

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from harness.service import Api, serving, settings
from harness.waiting import eventually
from harness.world import free_port, hook
from sayso.simulator import Simulator, SimulatorConfig

ALICE = "+15550001111"
PICTURES = Path(__file__).parents[2] / "docs" / "images"


@pytest.fixture
async def world(dsn: str, tmp_path: Path) -> AsyncIterator[tuple[Simulator, Api]]:
    """A simulator whose page can be opened, and the service behind it."""
    port = free_port()
    async with Simulator(SimulatorConfig(port=0, webhook_url=hook(port), enforce_rates=False)) as sim:
        await sim.person(ALICE).changes(name="Alice Moreau")
        configured = settings(dsn, base_url=sim.base_url, data_dir=tmp_path)
        async with serving(configured, port=port) as running:
            await running.api.link(ALICE, name="Alice")
            yield sim, running.api


async def _phone(browser: Browser, sim: Simulator) -> Page:
    page = await browser.new_page(
        viewport={"width": 1200, "height": 1040}, device_scale_factor=1.25, locale="en-GB"
    )
    await page.goto(f"{sim.base_url}/#{ALICE}")
    await expect(page.locator(".person").first).to_be_attached()
    return page


async def _say(page: Page, words: str) -> None:
    await page.get_by_role("textbox", name="Message").fill(words)
    await page.keyboard.press("Enter")


async def _greet(page: Page, api: Api) -> None:
    """Say hello, and wait until the service knows: the 24-hour window is open then."""
    await _say(page, "Hi!")
    operator = api.as_(user="op", client="op", scopes=("operate",))

    async def digested() -> bool:
        _, found = await operator.call("GET", "/updates", params={"kind": "message", "state": "done"})
        return bool(found["updates"])

    await eventually(digested)


async def test_a_thumb_on_confirm_decides(browser: Browser, world: tuple[Simulator, Api]) -> None:
    sim, api = world
    page = await _phone(browser, sim)
    await _greet(page, api)
    asked = await api.ask()
    await expect(page.locator(".log").get_by_text("“schedule a meeting with John”")).to_be_visible()
    await page.get_by_role("button", name="Confirm", exact=True).click()
    decided = await api.outcome(asked["id"])
    assert decided["outcome"] == "confirmed"
    await expect(
        page.locator(".log").get_by_text("✅ Confirmed: “schedule a meeting with John”")
    ).to_be_visible()
    if os.environ.get("SAYSO_SCREENSHOTS"):
        await page.evaluate("document.activeElement?.blur()")
        await page.mouse.move(0, 0)
        await page.screenshot(path=PICTURES / "sayso.png", animations="disabled")
    await page.close()


async def test_a_bare_yes_to_two_questions_is_asked_back_and_a_number_tapped(
    browser: Browser, world: tuple[Simulator, Api]
) -> None:
    sim, api = world
    page = await _phone(browser, sim)
    await _greet(page, api)
    first = await api.ask("send the weekly report to 14 people")
    second = await api.ask("delete the folder “Old invoices”")
    await expect(page.get_by_role("button", name="Confirm", exact=True)).to_have_count(2)
    await _say(page, "Y")
    await page.get_by_role("button", name="1. Confirm").click()
    assert (await api.outcome(first["id"]))["outcome"] == "confirmed"
    assert (await api.outcome(second["id"], wait=0))["status"] == "pending"
    if os.environ.get("SAYSO_SCREENSHOTS"):
        await expect(page.locator(".log").get_by_text("✅ Confirmed")).to_be_visible()
        await page.evaluate("document.activeElement?.blur()")
        await page.mouse.move(0, 0)
        await page.screenshot(path=PICTURES / "which.png", animations="disabled")
    await page.close()
