"""Both pages by day and by night: every word stands out from its ground (WCAG AA), every control has a name."""

from typing import Literal

import pytest
from playwright.async_api import Browser, Page, expect

from browser.stage import ANA, CONFIRMATION, control, question, send, text, told, watched
from sayso.simulator import Simulator

#: Tells the words whose contrast with what is behind them is below 4.5, or 3 for large ones.
TOO_FAINT = """() => {
  const channel = (part) => (part / 255 <= 0.03928 ? part / 255 / 12.92 : ((part / 255 + 0.055) / 1.055) ** 2.4);
  const light = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
  const read = (colour) => {
    const parts = colour.match(/[\\d.]+/g).map(Number);
    const [r, g, b, a = 1] = parts;
    return colour.startsWith("color(") ? [r * 255, g * 255, b * 255, a] : [r, g, b, a];
  };
  const over = ([r, g, b, a], ground) => [r, g, b].map((part, at) => part * a + ground[at] * (1 - a));
  const ground = (element) => {
    const layers = [];
    for (let at = element; at; at = at.parentElement) layers.unshift(read(getComputedStyle(at).backgroundColor));
    const dark = matchMedia("(prefers-color-scheme: dark)").matches;
    return layers.reduce((below, layer) => over(layer, below), dark ? [13, 21, 25] : [255, 255, 255]);
  };
  const faint = [];
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const element = walk.currentNode.parentElement;
    const hidden = !element.getBoundingClientRect().width || element.closest("[hidden], noscript, :disabled");
    if (!walk.currentNode.data.trim() || hidden) continue;
    const style = getComputedStyle(element);
    const below = ground(element);
    const [high, low] = [light(over(read(style.color), below)), light(below)].sort((one, two) => two - one);
    const size = parseFloat(style.fontSize);
    const large = size >= 24 || (size >= 18.6 && Number(style.fontWeight) >= 700);
    if ((high + 0.05) / (low + 0.05) < (large ? 3 : 4.5)) faint.push(walk.currentNode.data.trim());
  }
  return faint;
}"""
#: Tells the controls that a screen reader would announce without a name.
NAMELESS = """() => [...document.querySelectorAll("button, a[href], input, select, textarea")]
  .filter((each) => each.getBoundingClientRect().width)
  .filter((each) => !(each.getAttribute("aria-label") || each.textContent.trim() || each.labels?.length))
  .map((each) => each.outerHTML)"""


async def _readable(page: Page, where: str) -> None:
    assert await page.evaluate(TOO_FAINT) == [], where
    assert await page.evaluate(NAMELESS) == [], where


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
        await _readable(page, "chat")
        await page.get_by_role("button", name="Attach").click()
        await _readable(page, "what can be attached")
        await page.get_by_title("Settings of this phone").click()
        await _readable(page, "settings")


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
            await _readable(page, room)
