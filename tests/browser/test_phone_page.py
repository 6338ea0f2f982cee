"""The phone page in a real browser: live, tappable, several people, and text that stays text."""

import os

import aiohttp
import pytest
from playwright.async_api import Browser, expect

from browser.stage import (
    ANA,
    BEN,
    CONFIRMATION,
    PICTURES,
    opened,
    phone,
    question,
    send,
    template,
    text,
)
from sayso.simulator import Simulator


async def test_a_message_appears_live_with_its_ticks(browser: Browser, sim: Simulator) -> None:
    await sim.inbound(ANA, text="hello")
    async with opened(browser, sim) as page:
        wamid = await text(sim, "Good *morning*, Ana")
        bubble = page.locator(f"[data-wamid='{wamid}']")
        await expect(bubble.locator(".body")).to_have_text("Good morning, Ana")
        await expect(bubble.locator("strong")).to_have_text("morning")
        await expect(bubble.get_by_role("img", name="read")).to_be_visible()
        await expect(page.locator(".message.mine").get_by_role("img", name="delivered")).to_be_visible()


async def test_tapping_confirm_on_a_template_sends_the_webhook(browser: Browser, sim: Simulator) -> None:
    async with opened(browser, sim) as page:
        wamid = await send(sim, **CONFIRMATION)
        await expect(
            page.locator(".log").get_by_text("This action will send two invitations.")
        ).to_be_visible()
        await page.get_by_role("button", name="Confirm", exact=True).click()
        answer = page.locator(".message.mine")
        await expect(answer.locator(".body")).to_have_text("Confirm")
        await expect(answer.locator(".quote")).to_contain_text("Sayso Assistant")
        await expect(answer.get_by_role("img", name="delivered")).to_be_visible()
        (hook,) = sim.webhooks(kind="inbound")
        assert f'"id":"{wamid}"' in hook["body"]
        assert '"button":{"payload":"Confirm","text":"Confirm"}' in hook["body"]
        await expect(page.locator(".window")).to_contain_text("Window open until tomorrow")


async def test_tapping_an_interactive_button_by_keyboard(browser: Browser, sim: Simulator) -> None:
    await sim.inbound(ANA, text="hello")
    async with opened(browser, sim) as page:
        await send(sim, **question("Send the report?", "Confirm", "Decline"))
        button = page.get_by_role("button", name="Decline", exact=True)
        await button.focus()
        await page.keyboard.press("Enter")
        await expect(page.locator(".message.mine").last).to_contain_text("Decline")
        assert "cf:Decline" in sim.webhooks(kind="inbound")[-1]["body"]


async def test_typing_and_quoting(browser: Browser, sim: Simulator) -> None:
    await sim.inbound(ANA, text="hello")
    async with opened(browser, sim) as page:
        wamid = await text(sim, "Which day?")
        bubble = page.locator(f"[data-wamid='{wamid}']")
        await bubble.hover()
        await bubble.get_by_role("button", name="Quote this message").click()
        field = page.get_by_role("textbox", name="Message as Ana Quiroga")
        await field.fill("Tuesday")
        await field.press("Enter")
        said = page.locator(".message.mine").last
        await expect(said.locator(".body")).to_have_text("Tuesday")
        await expect(said.locator(".quote")).to_contain_text("Which day?")
        await expect(field).to_have_value("")
        assert (
            f'"context":{{"from":"15550100000","id":"{wamid}"}}' in sim.webhooks(kind="inbound")[-1]["body"]
        )


async def test_several_people_each_with_their_own_phone(browser: Browser, sim: Simulator) -> None:
    async with opened(browser, sim) as page:
        people = page.get_by_role("navigation", name="People")
        await send(sim, BEN, **template("hello_world", language="en_US"))
        await expect(people.get_by_role("button", name="Ben").get_by_label("1 unread")).to_be_visible()
        await people.get_by_role("button", name="Ben").click()
        await expect(phone(page, "Ben Okafor").get_by_text("Hello World")).to_be_visible()
        await expect(people.get_by_label("1 unread")).to_have_count(0)
        await expect(phone(page, "Ana Quiroga")).to_have_count(0)
        await page.get_by_role("button", name="Two phones").click()
        await expect(phone(page, "Ana Quiroga")).to_be_visible()
        await expect(phone(page, "Ben Okafor")).to_be_visible()
        await sim.inbound(ANA, text="only mine")
        await expect(phone(page, "Ana Quiroga").get_by_text("only mine")).to_be_visible()
        await expect(phone(page, "Ben Okafor").get_by_text("only mine")).to_have_count(0)


async def test_reading_is_what_the_page_shows(browser: Browser, sim: Simulator) -> None:
    async with opened(browser, sim) as page:
        await expect(phone(page, "Ana Quiroga")).to_be_visible()
        assert await sim.live.until(lambda: sim.live.shows("15550001111") or None, 10)
        await send(sim, BEN, **template("hello_world", language="en_US"))
        await sim.expect_message(to=BEN, status="delivered")
        await sim.settled()
        assert sim.messages(to=BEN)[0]["status"] == "delivered", "not on the screen, not read"
        await page.get_by_role("navigation", name="People").get_by_role("button", name="Ben").click()
        await sim.expect_message(to=BEN, status="read")


async def test_adding_a_person(browser: Browser, sim: Simulator) -> None:
    async with opened(browser, sim) as page:
        await page.get_by_role("button", name="Add a person").click()
        dialog = page.get_by_role("dialog", name="Add a person")
        await dialog.get_by_label("Name").fill("Rosa Blum")
        await dialog.get_by_label("Number").fill("555")
        await dialog.get_by_role("button", name="Add", exact=True).click()
        await expect(dialog.get_by_role("alert")).to_contain_text("international form")
        assert len(sim.state()["people"]) == 3
        await dialog.get_by_label("Number").fill("+49 1512 3456789")
        await dialog.get_by_role("button", name="Add", exact=True).click()
        await expect(phone(page, "Rosa Blum")).to_be_visible()


async def test_outside_the_window_the_reason_is_shown(browser: Browser, sim: Simulator) -> None:
    async with opened(browser, sim) as page:
        await expect(page.locator(".window")).to_contain_text("Window closed")
        wamid = await text(sim, "too late")
        bubble = page.locator(f"[data-wamid='{wamid}']")
        await expect(bubble.locator(".reason")).to_contain_text("Not delivered · 131047")
        await expect(bubble.get_by_role("img", name="failed")).to_be_visible()


HOSTILE = "<img src=x onerror=\"document.title='gone'\"><script>document.title='gone'</script> & </p> *<b>*"


async def test_text_stays_text(browser: Browser, sim: Simulator) -> None:
    await sim.inbound(ANA, text=HOSTILE, name="<i>Ana</i>")
    async with opened(browser, sim) as page:
        wamid = await text(sim, f"{HOSTILE} javascript:alert(1)", context={"message_id": "wamid.gone"})
        await send(sim, **question(HOSTILE, "<u>Yes</u>", footer="<s>"))
        body = page.locator(f"[data-wamid='{wamid}'] .body")
        await expect(body).to_contain_text("<img src=x onerror=")
        await expect(body.locator("strong")).to_have_text("<b>")
        await expect(page.get_by_role("button", name="<u>Yes</u>")).to_be_visible()
        await expect(page.locator(".caption b")).to_have_text("<i>Ana</i>")
        for tag in ("script", "img[src=x]", "b b", "i i", "u", "a"):
            await expect(page.locator(f".log {tag}, .people {tag}")).to_have_count(0)
        assert "gone" not in await page.title()


async def test_formatting(browser: Browser, sim: Simulator) -> None:
    await sim.inbound(ANA, text="hello")
    async with opened(browser, sim) as page:
        wamid = await text(
            sim,
            "_it_ ~no~ `code` snake_case_name 2*3*4\n> quoted\n- one\n- two\nsee https://example.org/a_b_c.",
        )
        body = page.locator(f"[data-wamid='{wamid}'] .body")
        await expect(body.locator("em")).to_have_text("it")
        await expect(body.locator("s")).to_have_text("no")
        await expect(body.locator("code")).to_have_text("code")
        await expect(body.locator("strong")).to_have_count(0)
        await expect(body.locator("q")).to_have_text("quoted")
        await expect(body.locator(".item")).to_have_text(["one", "two"])
        link = body.get_by_role("link")
        await expect(link).to_have_attribute("href", "https://example.org/a_b_c")
        await expect(link).to_have_attribute("rel", "noopener noreferrer")


async def test_typing_indicator_and_simulated_time(browser: Browser, sim: Simulator) -> None:
    wamid = await sim.inbound(ANA, text="hello")
    async with opened(browser, sim) as page:
        await send(sim, status="read", message_id=wamid, typing_indicator={"type": "text"})
        await expect(page.locator(".presence")).to_have_text("typing…")
        await expect(page.locator(".message.mine").get_by_role("img", name="read")).to_be_visible()
        await page.get_by_role("button", name="Let 1 day pass").click()
        await expect(page.locator(".presence")).to_have_text("Business account")
        await expect(page.locator(".window")).to_contain_text("Window closed since")
        await expect(page.locator(".day")).to_have_text("Yesterday")
        assert sim.clock.offset_s == 86_400


async def test_a_narrow_screen_shows_the_list_then_the_chat(browser: Browser, sim: Simulator) -> None:
    async with opened(browser, sim, people="", size=(390, 844)) as page:
        await expect(phone(page, "Ana Quiroga")).not_to_be_visible()
        await page.get_by_role("button", name="Ana Quiroga").click()
        await expect(phone(page, "Ana Quiroga")).to_be_visible()
        await expect(page.get_by_role("navigation", name="People")).not_to_be_visible()
        wide = await page.evaluate("document.documentElement.scrollWidth")
        assert wide == 390, "nothing sticks out"
        await page.get_by_role("button", name="Back to the list of people").click()
        await expect(page.get_by_role("navigation", name="People")).to_be_visible()


async def test_the_page_comes_back_after_the_simulator_was_away(browser: Browser, sim: Simulator) -> None:
    page = await browser.new_page()  # the lost connection is logged as an error by the browser
    await page.goto(f"{sim.base_url}/#{ANA}")
    await expect(phone(page, "Ana Quiroga")).to_be_visible()
    await sim.go_down()
    await expect(page.get_by_text("not reachable")).to_be_visible()
    await sim.inbound(ANA, text="said meanwhile")
    await sim.come_up()
    await expect(phone(page, "Ana Quiroga").get_by_text("said meanwhile")).to_be_visible(timeout=20_000)
    await page.close()


async def test_only_its_own_files_and_no_inline_code(sim: Simulator) -> None:
    async with aiohttp.ClientSession() as session, session.get(sim.base_url) as answer:
        policy, page = answer.headers["Content-Security-Policy"], await answer.text()
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "style=" not in page
    assert "https://" not in page
    async with aiohttp.ClientSession() as session:
        for name in ("nothing.js", "..%2fserver.py", "%2e%2e/command.py"):
            async with session.get(f"{sim.base_url}/_sim/page/{name}") as answer:
                assert answer.status == 404


async def story(sim: Simulator) -> None:
    """Play the conversation that the pictures show."""
    hello = await sim.inbound(ANA, text="Hello! Anything for me?")
    await send(sim, status="read", message_id=hello)
    words = "Your assistant wants to *schedule a meeting with John*, tomorrow 3 PM.\n\nThis will send two invitations."
    asked = await send(sim, **question(words, "Confirm", "Decline", "Cancel"))
    await sim.expect_message(to=ANA, status="read")
    tapped = await sim.tap(ANA, asked, "Confirm")
    await send(sim, status="read", message_id=tapped)
    await text(sim, "*Confirmed.* The meeting is in your calendar.")
    await send(sim, BEN, **template("daily_summary", "today", "3 tasks, 1 meeting", "Stand-up at 09:30"))
    await sim.expect_message(to=BEN, status="read")
    await sim.settled()


@pytest.mark.skipif(not os.environ.get("SAYSO_SCREENSHOTS"), reason="pictures are made when asked for")
@pytest.mark.parametrize(
    ("name", "people", "size"),
    [
        ("phone.png", ANA, (1200, 860)),
        ("phone-pair.png", f"{ANA},{BEN}", (1400, 860)),
        ("phone-narrow.png", ANA, (390, 844)),
    ],
)
async def test_pictures(
    browser: Browser, sim: Simulator, name: str, people: str, size: tuple[int, int]
) -> None:
    await story(sim)
    async with opened(browser, sim, people, size, scale=1.25) as page:
        await expect(phone(page, "Ana Quiroga").get_by_text("in your calendar")).to_be_visible()
        await page.emulate_media(reduced_motion="reduce")
        await page.evaluate("document.activeElement?.blur()")
        PICTURES.mkdir(parents=True, exist_ok=True)
        await page.screenshot(path=PICTURES / name, animations="disabled")
