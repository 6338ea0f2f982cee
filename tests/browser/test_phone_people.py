"""People and their phones in a real browser: drafts, settings, several business numbers, many phones, the keyboard."""

import json

from playwright.async_api import Browser, Page, expect

from browser.stage import (
    ANA,
    BEN,
    control,
    heard,
    opened,
    phone,
    send,
    template,
    text,
    told,
    watched,
)
from sayso.simulator import Simulator

SECOND = {"phone": "+15550100001", "verified_name": "Harbour Hotel"}


async def test_a_half_typed_draft_survives_a_lost_connection(browser: Browser, sim: Simulator) -> None:
    page = await browser.new_page()  # the lost connection is logged as an error by the browser
    await page.goto(f"{sim.base_url}/#{ANA}")
    field = page.get_by_role("textbox", name="Message as Ana Quiroga")
    await field.fill("I was about to s")
    await sim.go_down()
    await expect(page.get_by_text("not reachable")).to_be_visible()
    await sim.inbound(ANA, text="said meanwhile")
    await sim.come_up()
    await expect(phone(page, "Ana Quiroga").get_by_text("said meanwhile")).to_be_visible(timeout=20_000)
    await expect(field).to_have_value("I was about to s")
    await expect(field).to_be_focused()
    await page.close()


async def test_a_draft_waits_while_somebody_elses_phone_is_looked_at(
    browser: Browser, sim: Simulator
) -> None:
    async with opened(browser, sim) as page:
        await page.get_by_role("textbox", name="Message as Ana Quiroga").fill("half a thought")
        people = page.get_by_role("navigation", name="People")
        await people.get_by_role("button", name="Ben").click()
        await expect(page.get_by_role("textbox", name="Message as Ben Okafor")).to_have_value("")
        await people.get_by_role("button", name="Ana").click()
        await expect(page.get_by_role("textbox", name="Message as Ana")).to_have_value("half a thought")


async def test_hiding_the_number_leaves_it_out_of_webhooks(browser: Browser, sim: Simulator) -> None:
    async with opened(browser, sim) as page:
        await page.get_by_title("Settings of this phone").click()
        sheet = page.get_by_role("dialog", name="Ana Quiroga’s phone")
        await sheet.get_by_role("textbox", name="Username").fill("ana.q")
        await sheet.get_by_role("switch", name="Hide my number").check()
        await expect(phone(page, "Ana Quiroga").locator(".caption")).to_contain_text("@ana.q · number hidden")
        await page.keyboard.press("Escape")
        await page.get_by_role("textbox", name="Message as Ana").fill("guess who")
        await page.keyboard.press("Enter")
        said = await heard(sim, "text")
        assert "from" not in said
        assert said["from_user_id"].startswith("US.")


async def test_renaming_and_switching_a_phone_off_and_on(browser: Browser, sim: Simulator) -> None:
    async with opened(browser, sim) as page:
        await page.get_by_title("Settings of this phone").click()
        await page.get_by_role("switch", name="Phone switched off").check()
        await page.get_by_role("textbox", name="Name", exact=True).fill("Ana Q.")
        await page.get_by_role("button", name="Save").click()
        await expect(page.get_by_role("dialog")).to_have_count(0)
        await expect(page.locator(".caption b")).to_have_text("Ana Q.")
        wamid = await send(sim, **template("hello_world", language="en_US"))
        one_tick = page.locator(f"[data-wamid='{wamid}']").get_by_role("img", name="sent", exact=True)
        await expect(one_tick).to_be_visible()
        await page.get_by_title("Settings of this phone").click()
        await page.get_by_role("switch", name="Phone switched off").uncheck()
        await sim.expect_message(to=ANA, status="read")


async def test_blocking_and_stopping_marketing(browser: Browser, sim: Simulator) -> None:
    await sim.inbound(ANA, text="hello")
    async with opened(browser, sim) as page:
        await page.get_by_role("button", name="About Sayso Assistant").click()
        sheet = page.get_by_role("dialog", name="Sayso Assistant")
        await sheet.get_by_role("switch", name="Offers and announcements").uncheck()
        await expect(sheet.locator(".problem")).to_be_empty()
        await sheet.get_by_role("switch", name="Block").check()
        await expect(page.locator(".window")).to_contain_text("You blocked this business")
        await page.keyboard.press("Escape")
        wamid = await text(sim, "anybody there?")
        await expect(page.locator(f"[data-wamid='{wamid}'] .reason")).to_contain_text("131026")
        values = [json.loads(each["body"])["entry"][0]["changes"][0] for each in sim.webhooks()]
        preferences = [each["value"] for each in values if each["field"] == "user_preferences"]
        assert preferences[0]["user_preferences"][0]["value"] == "stop"


async def test_changing_the_number_keeps_the_phone_and_what_was_said(
    browser: Browser, sim: Simulator
) -> None:
    await sim.inbound(ANA, text="still me")
    async with opened(browser, sim) as page:
        await page.get_by_title("Settings of this phone").click()
        await page.get_by_role("button", name="Change number").click()
        sheet = page.get_by_role("dialog", name="Change number")
        await sheet.get_by_label("New number").fill("+1 555 000 7777")
        await sheet.get_by_role("button", name="Change number").click()
        moved = phone(page, "Ana Quiroga")
        await expect(moved.locator(".caption")).to_contain_text("+1 555 000 7777")
        await expect(moved.get_by_text("still me")).to_be_visible()
        assert (await heard(sim, "system"))["system"]["type"] == "user_changed_number"


async def test_one_chat_for_each_business_number(browser: Browser, sim: Simulator) -> None:
    second = (await control(sim, "numbers", SECOND))["id"]
    async with opened(browser, sim) as page:
        chats = phone(page, "Ana Quiroga")
        await expect(chats.get_by_role("heading", name="Chats")).to_be_visible()
        await chats.get_by_role("button", name="Harbour Hotel").click()
        await page.get_by_role("textbox", name="Message as Ana").fill("A room, please")
        await page.keyboard.press("Enter")
        await expect(page.locator(".message.mine")).to_contain_text("A room, please")
        assert await sim.live.until(lambda: told(sim) or None, 10)
        (hook,) = sim.webhooks(kind="inbound")
        assert f'"phone_number_id":"{second}"' in hook["body"]
        await chats.get_by_role("button", name="Back to the chats").click()
        await send(sim, **template("hello_world", language="en_US"))
        first = chats.get_by_role("button", name="Sayso Assistant")
        await expect(first.get_by_label("1 unread")).to_be_visible()
        await first.click()
        await expect(chats.locator(".log").get_by_text("Hello World")).to_be_visible()
        await expect(chats.locator(".log").get_by_text("A room")).to_have_count(0)


async def test_as_many_phones_as_the_width_holds(browser: Browser, sim: Simulator) -> None:
    async with watched(browser, (1440, 900)) as page:
        await page.goto(f"{sim.base_url}/#{ANA}")
        await page.get_by_role("button", name="Three phones").click()
        await expect(page.locator(".phone")).to_have_count(3)
        await expect(page.get_by_role("button", name="Four phones")).to_have_count(0)
        await page.set_viewport_size({"width": 1024, "height": 768})
        await expect(page.locator(".phone")).to_have_count(1)
        assert await _fits(page)


async def test_by_keyboard_alone(browser: Browser, sim: Simulator) -> None:
    await sim.inbound(ANA, text="hello")
    wamid = await text(sim, "Which day suits you?")
    async with opened(browser, sim) as page:
        asked = page.locator(f"[data-wamid='{wamid}']")
        await expect(asked).to_be_visible()
        field = page.get_by_role("textbox", name="Message as Ana Quiroga")
        await field.focus()
        await page.keyboard.press("ArrowUp")
        await expect(asked).to_be_focused()
        await page.keyboard.press("Enter")
        await page.keyboard.press("Enter")  # the first of the menu: 👍
        await expect(asked.locator(".reactions")).to_have_text("👍")
        await page.keyboard.press("Enter")
        for _ in range(7):
            await page.keyboard.press("ArrowDown")
        await expect(page.get_by_role("menuitem", name="Reply")).to_be_focused()
        await page.keyboard.press("Enter")
        await expect(field).to_be_focused()
        await page.keyboard.type("Friday")
        await page.keyboard.press("Enter")
        await expect(page.locator(".message.mine").last.locator(".quote")).to_contain_text("Which day")


async def test_a_flood_is_drawn_and_the_page_keeps_up(browser: Browser, sim: Simulator) -> None:
    await sim.inbound(ANA, text="hello")
    async with opened(browser, sim) as page:
        for count in range(400):
            await sim.inbound(BEN if count % 2 else ANA, text=f"message {count}")
        await expect(phone(page, "Ana Quiroga").get_by_text("message 398")).to_be_visible()
        assert await page.locator(".message").count() <= 300
        await page.get_by_role("navigation", name="People").get_by_role("button", name="Ben").click()
        await expect(phone(page, "Ben Okafor").get_by_text("message 399")).to_be_visible()


async def _fits(page: Page) -> bool:
    return bool(await page.evaluate("document.documentElement.scrollWidth <= innerWidth"))
