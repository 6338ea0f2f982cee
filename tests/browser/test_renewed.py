"""A page renews itself while somebody uses it: a press and the focus outlast that, and nothing is asked too early."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from playwright.async_api import Browser, Locator, Page, Route, expect

from browser.stage import ANA, BEN, control, desk, opened, phone, send, template, text
from sayso.simulator import Simulator


@asynccontextmanager
async def held_down(page: Page, what: Locator) -> AsyncIterator[None]:
    """Press the mouse on something and let go afterwards, as a slow hand does."""
    await what.hover()
    await page.mouse.down()
    yield
    await page.mouse.up()


async def unanswered(_: Route) -> None:
    """Keep the page waiting for an answer."""


async def test_a_press_on_the_rail(browser: Browser, sim: Simulator) -> None:
    async with desk(browser, sim, "templates") as page:
        await expect(page.locator(".shelf-row").first).to_be_visible()
        async with held_down(page, page.get_by_role("link", name="Numbers")):
            await control(sim, "faults", {"kind": "drop_before"})
            await expect(page.get_by_label("1 armed")).to_be_visible()
        await expect(page.get_by_role("heading", name="Numbers & tiers")).to_be_visible()


async def test_the_focus_on_the_rail(browser: Browser, sim: Simulator) -> None:
    async with desk(browser, sim, "templates") as page:
        await page.get_by_role("link", name="Numbers").focus()
        await control(sim, "faults", {"kind": "drop_before"})
        await expect(page.get_by_label("1 armed")).to_be_visible()
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("heading", name="Numbers & tiers")).to_be_visible()


async def test_a_press_on_one_of_the_people(browser: Browser, sim: Simulator) -> None:
    await sim.inbound(ANA, text="hello")
    async with opened(browser, sim) as page:
        people = page.get_by_role("navigation", name="People")
        async with held_down(page, people.get_by_role("button", name="Ben")):
            await text(sim, "news for Ana")
            await expect(people.get_by_text("news for Ana")).to_be_visible()
        await expect(phone(page, "Ben Okafor")).to_be_visible()


async def test_a_press_on_one_of_the_chats(browser: Browser, sim: Simulator) -> None:
    await control(sim, "numbers", {"phone": "+15550100001", "verified_name": "Harbour Hotel"})
    async with opened(browser, sim) as page:
        chats = phone(page, "Ana Quiroga")
        async with held_down(page, chats.get_by_role("button", name="Harbour Hotel")):
            await send(sim, **template("hello_world", language="en_US"))
            await expect(chats.get_by_label("1 unread")).to_be_visible()
        await expect(chats.get_by_role("heading", name="Harbour Hotel")).to_be_visible()


async def test_a_press_on_a_row_that_is_still_going_on(browser: Browser, sim: Simulator) -> None:
    await sim.inbound(ANA, text="hello")
    await control(sim, "clock", {"freeze": True})
    await text(sim, "on its way")
    async with desk(browser, sim, "exchanges") as page:
        came = page.locator(".wire .came")
        async with held_down(page, came):
            await control(sim, "clock", {"advance_s": 60})
            await expect(came).to_have_text("read")
        await expect(page.locator(".sheet-of pre").first).to_contain_text("on its way")


async def test_a_press_on_one_of_the_faults(browser: Browser, sim: Simulator) -> None:
    await control(sim, "faults", {"kind": "empty"})
    async with desk(browser, sim, "faults") as page:
        async with held_down(page, page.get_by_role("button", name="Disarm Empty answer")):
            await control(sim, "faults", {"kind": "drop_before"})
            await expect(page.locator(".armed-row")).to_have_count(2)
        await expect(page.locator(".armed-row")).to_have_count(1)
        (armed,) = (await control(sim, "faults"))["armed"]
        assert armed["kind"] == "drop_before"


async def test_a_press_on_a_template(browser: Browser, sim: Simulator) -> None:
    async with desk(browser, sim, "templates") as page:
        row = page.locator(".shelf-row").nth(1)
        name = await row.locator("b").inner_text()
        async with held_down(page, row):
            await control(sim, "review", {"how": "instant"})
            await expect(page.locator(".nothing-waits")).to_contain_text("at once")
        await expect(page.locator(".sheet-of h2")).to_have_text(name)


async def test_nothing_is_armed_before_the_page_knows_what_there_is(browser: Browser, sim: Simulator) -> None:
    async with opened(browser, sim) as page:
        await page.route("**/_sim/faults", unanswered)
        await page.goto(f"{sim.base_url}/desk#faults")
        arm = page.get_by_role("button", name="Arm", exact=True)
        await expect(arm).to_be_disabled()
        await page.unroute("**/_sim/faults")
        await control(sim, "faults", {"kind": "drop_before"})
        await expect(arm).to_be_enabled()


async def test_a_reset_is_asked_about_for_as_long_as_one_stays_at_it(
    browser: Browser, sim: Simulator
) -> None:
    await sim.inbound(BEN, text="remember me")
    async with desk(browser, sim, "clock") as page:
        await page.get_by_role("button", name="Reset everything").click()
        await expect(page.get_by_role("button", name="Really forget everything?")).to_be_visible()
        await page.keyboard.press("Tab")
        await page.get_by_role("button", name="Reset everything").click()
        assert len(sim.bubbles(10)) == 1
        await page.get_by_role("button", name="Really forget everything?").click()
        await expect(page.get_by_role("status").filter(has_text="as at the start")).to_be_visible()
        assert sim.bubbles(10) == []
