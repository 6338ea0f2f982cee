"""What a newcomer must be able to see at a glance: who it is, what it was about, how far it came, what is armed."""

import pytest
from playwright.async_api import Browser, Page, expect

from browser.stage import ANA, BEN, control, desk, opened, phone, send, text, told, watched
from browser.test_desk import graph, submitted
from sayso.simulator import Simulator

GUEST, NAMESAKE = "+15550004444", "+15550007777"
ROOMS = ("Templates", "Numbers", "Faults", "Exchanges", "Clock & state")


#: What of the header lies beside a screen of 390 pixels; all looked at in one go, as the page renews itself meanwhile.
BESIDE = """() => [...document.querySelectorAll(".bar button, .bar a, .rail a")]
    .filter((part) => part.checkVisibility({ visibilityProperty: true }))
    .map((part) => [part.textContent, part.getBoundingClientRect()])
    .filter(([, box]) => box.width > 0 && (box.left < 0 || box.right > 390))
    .map(([text]) => text)"""


async def fits(page: Page) -> None:
    """Check that nothing of the page is beside the screen, its header included."""
    assert await page.evaluate("document.documentElement.scrollWidth") == 390
    assert await page.evaluate("document.querySelector('.bar').scrollWidth") <= 390
    assert await page.evaluate(BESIDE) == []


@pytest.mark.parametrize("ahead_s", [0, 86_400, 20 * 86_400])
async def test_a_small_screen_holds_a_frozen_clock_and_a_fault(
    browser: Browser, sim: Simulator, ahead_s: int
) -> None:
    await control(sim, "faults", {"kind": "drop_before"})
    await control(sim, "clock", {"freeze": True})
    await control(sim, "clock", {"advance_s": ahead_s})
    async with watched(browser, (390, 844)) as page:
        for place in ("/", "/desk#templates"):
            await page.goto(f"{sim.base_url}{place}")
            await expect(page.get_by_role("link", name="1 fault armed")).to_be_visible()
            await expect(page.get_by_role("img", name="frozen")).to_be_visible()
            await fits(page)
        for room in ROOMS:
            await page.get_by_role("link", name=room).click()
            await expect(page.get_by_role("main", name=room)).to_be_visible()
            await fits(page)


async def test_on_a_small_screen_the_button_covers_no_field(browser: Browser, sim: Simulator) -> None:
    async with watched(browser, (390, 844)) as page:
        await page.goto(f"{sim.base_url}/desk#faults")
        field, arm = page.get_by_label("Every n-th"), page.get_by_role("button", name="Arm", exact=True)
        await expect(arm).to_be_enabled()  # the form is whole then
        await field.scroll_into_view_if_needed()
        above, below = await field.bounding_box(), await arm.bounding_box()
        assert above is not None
        assert below is not None
        assert above["y"] + above["height"] < below["y"]


async def test_on_a_small_screen_a_chosen_exchange_comes_into_view(browser: Browser, sim: Simulator) -> None:
    await sim.inbound(ANA, text="hello")
    for count in range(8):
        await text(sim, f"number {count}")
    async with watched(browser, (390, 844)) as page:
        await page.goto(f"{sim.base_url}/desk#exchanges")
        await page.locator(".wire tbody tr[data-id]").nth(1).click()
        await expect(page.locator(".sheet-of h2")).to_be_in_viewport()
        await expect(page.locator(".sheet-of h2")).to_have_text("POST messages")


async def test_a_row_says_what_went_to_whom_and_how_far_it_came(browser: Browser, sim: Simulator) -> None:
    await text(sim, "nobody wrote before", to=BEN)
    await sim.inbound(GUEST, text="hi")
    await text(sim, "*Welcome* to the shop", to=GUEST)
    await send(sim, status="read", message_id=told(sim)[0]["id"])
    await sim.settled()
    async with desk(browser, sim, "exchanges") as page:
        read, welcome, late = (page.locator(".wire tbody tr[data-id]").nth(place) for place in range(3))
        await expect(read).to_contain_text("read receipt for +1 555 000 4444")
        await expect(welcome).to_contain_text("text to +1 555 000 4444")
        await expect(welcome).to_contain_text("Welcome to the shop")
        await expect(welcome.locator(".came")).to_have_text("read")
        await expect(welcome.locator(".tag.good")).to_have_text("200")
        await expect(late).to_contain_text("text to Ben Okafor")
        await expect(late.locator(".tag.good")).to_have_count(0)
        await expect(late.locator(".tag.bad")).to_have_text("failed 131047")
        await page.get_by_label("Which").select_option("bad")
        await expect(page.locator(".wire tbody tr[data-id]")).to_have_count(1)
        await page.locator(".wire tbody tr[data-id]").click()
        await expect(page.locator(".sheet-of")).to_contain_text("text to Ben Okafor, +1 555 000 2222")
        await expect(page.locator(".sheet-of > header .bad")).to_have_text("failed 131047")
        await page.get_by_label("Which").select_option("")
        await page.get_by_role("button", name="Webhooks", exact=True).click()
        await page.get_by_label("Filter").fill("ben okafor")
        await expect(page.locator(".wire tbody tr[data-id]")).to_have_count(1)
        await expect(page.locator(".wire tbody tr[data-id]")).to_contain_text("failed text to Ben Okafor")


async def test_how_far_a_message_came_is_followed(browser: Browser, sim: Simulator) -> None:
    await sim.inbound(ANA, text="hello")
    await control(sim, "clock", {"freeze": True})
    async with desk(browser, sim, "exchanges") as page:
        await text(sim, "on its way")
        came = page.locator(".wire .came")
        await expect(came).to_have_text("accepted")
        await control(sim, "clock", {"advance_s": 60})
        await expect(came).to_have_text("read")


async def test_people_are_told_apart(browser: Browser, sim: Simulator) -> None:
    await sim.inbound(GUEST, text="hi")
    await sim.inbound(NAMESAKE, text="me too", name="Ana Quiroga")
    async with opened(browser, sim) as page:
        names = page.locator(".person .name")
        await expect(names.filter(has_text="guest")).to_have_text("+1 555 000 4444guest")
        await expect(names.filter(has_text="Ana Quiroga")).to_have_text(
            ["Ana Quiroga…7777", "Ana Quiroga…1111"]
        )
        await expect(names.filter(has_text="Ben")).to_have_text("Ben Okafor")


async def test_who_reviews_is_said_and_changed(browser: Browser, sim: Simulator) -> None:
    async with desk(browser, sim, "templates") as page:
        said, who = page.locator(".nothing-waits"), page.get_by_label("Templates are reviewed")
        await expect(said).to_contain_text("2 s after a template was submitted")
        await expect(said.locator("code")).to_have_text("--review moderator")
        await who.select_option("moderator")
        await expect(said).to_contain_text("You are the moderator")
        await submitted(sim)
        await expect(page.get_by_label("1 waiting for review")).to_be_visible()
        await expect(said).to_have_count(0)
        await control(sim, "clock", {"advance_s": 3600})
        await expect(page.locator(".shelf-row", has_text="order_shipped")).to_contain_text("Pending")
        await control(sim, "review", {"how": "instant"})
        await expect(who).to_have_value("instant")


async def test_what_is_armed_is_said_with_what_was_left_out(browser: Browser, sim: Simulator) -> None:
    for kind in ("webhook_signature", "webhook_inject", "garbage"):
        await control(sim, "faults", {"kind": kind})
    async with desk(browser, sim, "faults") as page:
        rows = page.locator(".armed-row")
        await expect(rows.nth(0)).to_contain_text("Webhook wrongly signedSignature: forged")
        await expect(rows.nth(1)).to_contain_text("What: extra keys")
        await expect(rows.nth(2)).to_contain_text("Answer that is no JSON on messagesaccept first")
        await expect(page.locator(".struck-once")).to_have_count(0)
        await control(sim, "faults", {"kind": "error", "code": 131016, "on": "waba", "next": 2})
        await graph(sim, "200000000000001", {})
        await expect(page.locator(".struck-once")).to_have_text("hit 1×")


async def test_a_box_that_is_usually_ticked_can_be_left_empty(browser: Browser, sim: Simulator) -> None:
    async with desk(browser, sim, "faults") as page:
        await page.get_by_label("Kind").select_option(label="Graph error")
        await expect(page.locator(".does")).to_contain_text("except with “Accept first”")
        await expect(page.get_by_label("Accept first")).not_to_be_checked()
        await page.get_by_label("Kind").select_option(label="Empty answer")
        await expect(page.get_by_label("Accept first")).to_be_checked()
        await page.get_by_label("Accept first").uncheck()
        await page.get_by_role("button", name="Arm", exact=True).click()
        await expect(page.locator(".armed-row")).to_contain_text("Empty answer on messages")
        await expect(page.locator(".armed-row")).not_to_contain_text("accept first")
        (armed,) = (await control(sim, "faults"))["armed"]
        assert armed["after_accept"] is False


async def test_a_clock_that_fell_behind_is_brought_back(browser: Browser, sim: Simulator) -> None:
    clock = sim.clock
    clock.start_at(clock.now() - 600, 0)
    async with desk(browser, sim, "clock") as page:
        await expect(page.locator(".bar .pace")).to_have_text("frozen")
        await expect(page.locator(".bar .offset")).to_be_hidden()
        await page.get_by_role("button", name="×1", exact=True).click()
        await expect(page.locator(".bar .offset")).to_have_class("offset behind")
        await expect(page.locator(".bar .offset")).to_have_text("−10 min")
        await page.get_by_role("button", name="To the machine’s own time").click()
        await expect(page.locator(".bar .offset")).to_be_hidden()
        await expect(page.locator(".now")).to_contain_text("The machine’s own time.")
        assert abs(clock.offset_s) < 1
        await page.get_by_role("button", name="Let 1 day pass").click()
        await expect(page.locator(".now")).to_contain_text("only a reset goes back")
        await expect(page.get_by_role("button", name="To the machine’s own time")).to_be_hidden()
        title = await page.get_by_role("button", name="Let 1 day pass").get_attribute("title")
        assert title == (
            "Let 1 day pass at once: whatever is due by then happens now, for everybody. Time does not go back."
        )


async def test_on_the_phone_a_quote_is_headed_you_and_ticks_have_titles(
    browser: Browser, sim: Simulator
) -> None:
    wamid = await sim.inbound(ANA, text="my own words")
    await sim.inbound(ANA, text="once more", quote=wamid)
    async with opened(browser, sim) as page:
        on = phone(page, "Ana Quiroga")
        await expect(on.locator(".log .quote b")).to_have_text("You")
        await expect(on.locator(".ticks title").first).to_have_text("delivered")
        face = await on.locator(".contact .avatar").bounding_box()
        header = await on.locator(".contact").bounding_box()
        assert face is not None
        assert header is not None
        assert face["x"] - header["x"] <= 18, "no room is kept for a button that is not there"


async def test_redelivery_keeps_off_the_address(browser: Browser, sim: Simulator) -> None:
    await control(sim, "webhooks", {"field": "account_alerts", "value": {}})
    async with desk(browser, sim, "exchanges") as page:
        await page.get_by_role("button", name="Webhooks", exact=True).click()
        await page.locator(".wire tbody tr[data-id]").first.click()
        address = await page.locator(".sheet-of .where").bounding_box()
        button = await page.get_by_role("button", name="Redeliver", exact=True).bounding_box()
        assert address is not None
        assert button is not None
        assert button["y"] - (address["y"] + address["height"]) >= 8
