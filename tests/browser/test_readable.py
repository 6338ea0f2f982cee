"""Both pages by day and by night: every word stands out from its ground (WCAG AA), every control has a name."""

from typing import Literal

import pytest
from playwright.async_api import Browser, expect

from browser.legible import readable
from browser.stage import ANA, CONFIRMATION, control, question, send, text, told, watched
from sayso.simulator import Simulator


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_the_phones_are_readable(
    browser: Browser, sim: Simulator, scheme: Literal["light", "dark"]
) -> None:
    await text(sim, "too late")
    await sim.inbound(ANA, text="hello *there*")
    asked = await send(sim, **question("Send it?", "Confirm", "Decline"))
    await send(sim, **CONFIRMATION)
    await send(sim, type="location", location={"latitude": 1, "longitude": 2, "name": "Here"})
    await sim.tap(ANA, asked, "Confirm")
    await send(sim, type="reaction", reaction={"message_id": told(sim)[0]["id"], "emoji": "👍"})
    async with watched(browser, (1440, 900), color_scheme=scheme, reduced_motion="reduce") as page:
        await page.goto(f"{sim.base_url}/#{ANA}")
        await expect(page.locator(".reactions")).to_be_visible()
        await readable(page, "chat")
        await page.get_by_role("button", name="Attach").click()
        await readable(page, "what can be attached")
        await page.get_by_title("Settings of this phone").click()
        await readable(page, "settings")


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_the_desk_is_readable(
    browser: Browser, sim: Simulator, scheme: Literal["light", "dark"]
) -> None:
    await sim.inbound(ANA, text="hello")
    await control(sim, "faults", {"kind": "error", "code": 130429, "after": 1, "until_cleared": True})
    await text(sim, "Hi Ana")
    async with watched(browser, (1440, 900), color_scheme=scheme, reduced_motion="reduce") as page:
        await page.goto(f"{sim.base_url}/desk")
        for room in ("Templates", "Numbers", "Faults", "Exchanges", "Clock & state"):
            await page.get_by_role("link", name=room).click()
            await expect(page.get_by_role("main", name=room)).to_be_visible()
            if room == "Exchanges":
                await page.locator(".wire tbody tr[data-id]").first.click()
                await expect(page.locator(".sheet-of pre").first).to_be_visible()
            await readable(page, room)
