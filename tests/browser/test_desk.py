"""The desk in a real browser: a moderator's verdict, limits, faults that strike, every exchange, the clock."""

import asyncio
import json
import os
import shlex
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from playwright.async_api import Browser, expect

from browser.stage import ANA, BEN, NUMBER, PICTURES, control, desk, opened, question, send, template, text
from sayso.simulator import Simulator

SHIPPED = {
    "name": "order_shipped",
    "language": "en_US",
    "category": "UTILITY",
    "components": [
        {"type": "HEADER", "format": "TEXT", "text": "Your order"},
        {
            "type": "BODY",
            "text": "Hi {{1}}, your order leaves us *today* and arrives on {{2}}. See you!",
            "example": {"body_text": [["Ana", "Friday"]]},
        },
        {"type": "FOOTER", "text": "Reply STOP to opt out"},
        {"type": "BUTTONS", "buttons": [{"type": "QUICK_REPLY", "text": "Where is it?"}]},
    ],
}


async def graph(sim: Simulator, path: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    """Call Graph as the business and return the HTTP status and the answer."""
    headers = {"Authorization": "Bearer sim-token"}
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        session.post(f"{sim.base_url}/v25.0/{path}", json=body) as answer,
    ):
        return answer.status, await answer.json()


async def submitted(sim: Simulator) -> str:
    """Submit a template for review and freeze time, so that only the moderator decides."""
    await control(sim, "clock", {"freeze": True})
    status, told = await graph(sim, "200000000000001/message_templates", SHIPPED)
    assert (status, told["status"]) == (200, "PENDING")
    return str(told["id"])


async def test_a_moderator_approves_a_template_and_it_can_be_sent(browser: Browser, sim: Simulator) -> None:
    await submitted(sim)
    filled = template("order_shipped", "Ana", "Friday", language="en_US")
    body = {"messaging_product": "whatsapp", "to": ANA, **filled}
    status, refused = await graph(sim, f"{NUMBER}/messages", body)
    assert (status >= 400, refused["error"]["code"]) == (True, 132001)
    async with desk(browser, sim, "templates") as page:
        await expect(page.get_by_label("1 waiting for review")).to_be_visible()
        await expect(page.get_by_role("figure", name="Preview")).to_contain_text("Hi Ana, your order")
        await page.get_by_role("button", name="Approve", exact=True).click()
        await expect(page.locator(".sheet-of .tag").first).to_have_text("Approved")
        await expect(page.get_by_label("1 waiting for review")).to_have_count(0)
    status, _ = await graph(sim, f"{NUMBER}/messages", body)
    assert status == 200


async def test_a_rejection_carries_its_reason(browser: Browser, sim: Simulator) -> None:
    await submitted(sim)
    async with desk(browser, sim, "templates") as page:
        await page.get_by_role("button", name="Reject…").click()
        dialog = page.get_by_role("dialog")
        await dialog.get_by_label("Reason").select_option("PROMOTIONAL")
        await dialog.get_by_label("Explanation").fill("It sells something.")
        await dialog.get_by_role("button", name="Reject").click()
        await expect(page.locator(".sheet-of")).to_contain_text("Promotional · It sells something.")
    bodies = [json.loads(each["body"])["entry"][0]["changes"][0] for each in sim.webhooks()]
    (told,) = [each["value"] for each in bodies if each["field"] == "message_template_status_update"]
    assert (told["event"], told["reason"]) == ("REJECTED", "PROMOTIONAL")


async def test_a_tier_is_changed_and_a_number_restricted(browser: Browser, sim: Simulator) -> None:
    async with desk(browser, sim, "numbers") as page:
        await page.get_by_label("Messaging limit").select_option("TIER_2K")
        await expect(page.locator(".panel-head .meter")).to_contain_text("0 of 2,000")
        card = page.get_by_role("article", name="Sayso Assistant")
        await card.get_by_role("button", name="Restrict…").click()
        await page.get_by_role("dialog").get_by_role("button", name="Restrict").click()
        await expect(card.locator(".tag.bad")).to_have_text("131031")
        body = {"messaging_product": "whatsapp", "to": ANA, **template("hello_world", language="en_US")}
        _, refused = await graph(sim, f"{NUMBER}/messages", body)
        assert refused["error"]["code"] == 131031
        await card.get_by_role("button", name="Lift").click()
        await expect(card.get_by_role("button", name="Restrict…")).to_be_visible()
        assert (await graph(sim, f"{NUMBER}/messages", body))[0] == 200


async def test_a_token_is_invalidated(browser: Browser, sim: Simulator) -> None:
    async with desk(browser, sim, "numbers") as page:
        tokens = page.get_by_role("region", name="Tokens")
        await tokens.get_by_role("button", name="Invalidate").click()
        await expect(tokens.locator(".tag")).to_have_text("invalidated")
        _, refused = await graph(sim, f"{NUMBER}/messages", {})
        assert refused["error"]["code"] == 190
        await tokens.get_by_role("button", name="Make valid").click()
        await expect(tokens.locator(".tag")).to_have_text("valid")


async def test_a_fault_armed_on_the_page_hits_a_send_and_shows(browser: Browser, sim: Simulator) -> None:
    await sim.inbound(ANA, text="hello")
    async with desk(browser, sim, "faults") as page:
        await page.get_by_label("Kind").select_option("error")
        await page.get_by_label("Graph error code").fill("130429")
        await page.get_by_label("Times").fill("2")
        await page.get_by_role("button", name="Arm", exact=True).click()
        await expect(page.locator(".armed-row")).to_contain_text("2 times left")
        await expect(page.get_by_role("link", name="1 fault armed")).to_be_visible()
        body = {"messaging_product": "whatsapp", "to": ANA, "type": "text", "text": {"body": "Hi"}}
        status, refused = await graph(sim, f"{NUMBER}/messages", body)
        assert (status, refused["error"]["code"]) == (429, 130429)
        await expect(page.locator(".armed-row")).to_contain_text("hit 1× of 1 seen · 1 time left")
        await page.get_by_role("link", name="Exchanges").click()
        row = page.locator(".wire tbody tr[data-id]").first
        await expect(row).to_contain_text("429130429")
        await expect(row.get_by_role("img", name="fault error")).to_be_visible()
        await page.get_by_role("link", name="Faults").click()
        await page.get_by_role("button", name="Disarm Graph error").click()
        await expect(page.get_by_role("link", name="1 fault armed")).to_have_count(0)
    assert (await graph(sim, f"{NUMBER}/messages", body))[0] == 200


async def test_every_kind_of_fault_can_be_armed(browser: Browser, sim: Simulator) -> None:
    kinds = [each["kind"] for each in (await control(sim, "faults"))["kinds"]]
    async with desk(browser, sim, "faults") as page:
        for count, kind in enumerate(kinds, start=1):
            await page.get_by_label("Kind").select_option(kind)
            await page.get_by_role("button", name="Arm", exact=True).click()
            await expect(page.locator(".armed-row"), kind).to_have_count(count)
        await expect(page.get_by_role("link", name=f"{len(kinds)} faults armed")).to_be_visible()
        await page.get_by_role("button", name="Disarm all").click()
        await expect(page.locator(".armed-row")).to_have_count(0)


async def test_what_is_refused_is_said_beside_the_form(browser: Browser, sim: Simulator) -> None:
    async with desk(browser, sim, "faults") as page:
        await page.get_by_label("Probability").fill("7")
        await page.get_by_role("button", name="Arm", exact=True).click()
        await expect(page.get_by_role("alert")).to_contain_text("probability")
        assert (await control(sim, "faults"))["armed"] == []


async def test_the_badge_is_on_the_phones_too(browser: Browser, sim: Simulator) -> None:
    async with opened(browser, sim) as page:
        await expect(page.locator(".armed")).not_to_be_visible()
        await control(sim, "faults", {"kind": "drop_before"})
        await expect(page.get_by_role("link", name="1 fault armed")).to_be_visible()


async def test_a_call_copied_as_curl_works_when_run(browser: Browser, sim: Simulator) -> None:
    await sim.inbound(ANA, text="hello")
    await text(sim, "It's *ready*")
    async with desk(browser, sim, "exchanges") as page:
        await page.locator(".wire tbody tr[data-id]").first.click()
        detail = page.locator(".sheet-of")
        await expect(detail).to_contain_text("It's *ready*")
        await detail.get_by_role("button", name="Copy as curl").click()
        await expect(page.get_by_role("status").filter(has_text="Copied")).to_be_visible()
        line = await page.evaluate("navigator.clipboard.readText()")
    run = await asyncio.create_subprocess_exec(
        *shlex.split(line), "-s", stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    said, _ = await run.communicate()
    assert json.loads(said)["messages"][0]["id"].startswith("wamid.")
    assert [each["shown"] for each in sim.messages(to=ANA)] == ["It's *ready*", "It's *ready*"]


async def test_webhooks_that_followed_and_redelivery(browser: Browser, sim: Simulator) -> None:
    await sim.inbound(ANA, text="hello")
    await text(sim, "Hi Ana")
    await sim.expect_message(to=ANA, status="read")
    await sim.settled()
    async with desk(browser, sim, "exchanges") as page:
        await page.locator(".wire tbody tr[data-id]").first.click()
        followed = page.locator(".followed")
        await expect(followed).to_have_count(3)
        await expect(followed.first.locator(".attempts li")).to_have_count(1)
        await followed.first.get_by_role("button", name="Redeliver").click()
        await expect(followed.first.locator(".attempts li")).to_have_count(2)
        await page.get_by_role("button", name="Webhooks", exact=True).click()
        await page.locator(".wire tbody tr[data-id]").first.click()
        await expect(page.locator(".sheet-of pre").first).to_contain_text("whatsapp_business_account")


async def test_the_log_is_followed_live_and_filtered(browser: Browser, sim: Simulator) -> None:
    await sim.inbound(ANA, text="hello")
    async with desk(browser, sim, "exchanges") as page:
        await expect(page.locator(".wire")).to_contain_text("Nothing yet")
        await text(sim, "one")
        await expect(page.locator(".wire tbody tr[data-id]")).to_have_count(1)
        await graph(sim, f"{NUMBER}/messages", {"messaging_product": "whatsapp"})
        await expect(page.locator(".wire tbody tr[data-id]")).to_have_count(2)
        await page.get_by_label("Which").select_option("bad")
        await expect(page.locator(".wire tbody tr[data-id]")).to_have_count(1)
        await page.get_by_label("Filter").fill("no such words")
        await expect(page.locator(".wire")).to_contain_text("Nothing fits")


async def test_time_is_frozen_and_set(browser: Browser, sim: Simulator) -> None:
    async with desk(browser, sim, "clock") as page:
        await page.get_by_role("button", name="Frozen").click()
        await expect(page.locator(".bar .pace")).to_have_text("frozen")
        assert sim.clock.frozen
        before = sim.clock.now()
        await page.get_by_role("button", name="+7 days").click()
        await expect(page.locator(".bar .offset")).to_contain_text("d")
        assert round(sim.clock.now() - before) == 7 * 86_400
        await page.get_by_role("button", name="×60", exact=True).click()
        await expect(page.locator(".bar .pace")).to_have_text("×60")


async def test_a_snapshot_is_downloaded_and_put_back(
    browser: Browser, sim: Simulator, tmp_path: Path
) -> None:
    await sim.inbound(ANA, text="remember me")
    async with desk(browser, sim, "clock") as page:
        async with page.expect_download() as coming:
            await page.get_by_role("link", name="Download snapshot").click()
        saved = tmp_path / "simulator.json"
        await (await coming.value).save_as(saved)
        await page.get_by_role("button", name="Reset everything").click()
        await page.get_by_role("button", name="Really forget everything?").click()
        await expect(page.get_by_role("status").filter(has_text="as at the start")).to_be_visible()
        assert sim.bubbles(10) == []
        async with page.expect_file_chooser() as choosing:
            await page.get_by_role("button", name="Put one back").click()
        await (await choosing.value).set_files(saved)
        await expect(page.get_by_role("status").filter(has_text="put back")).to_be_visible()
        assert [each["content"]["body"] for each in sim.bubbles(10)] == ["remember me"]


async def test_from_room_to_room_by_keyboard_and_on_a_small_screen(browser: Browser, sim: Simulator) -> None:
    async with desk(browser, sim, "templates") as page:
        await page.get_by_role("link", name="Numbers").focus()
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("heading", name="Numbers & tiers")).to_be_visible()
        await page.set_viewport_size({"width": 390, "height": 844})
        for room in ("Templates", "Numbers", "Faults", "Exchanges", "Clock & state"):
            await page.get_by_role("link", name=room).click()
            await expect(page.get_by_role("main", name=room)).to_be_visible()
            wide = await page.evaluate("document.documentElement.scrollWidth")
            assert wide <= 390, f"{room} sticks out"


@pytest.mark.skipif(not os.environ.get("SAYSO_SCREENSHOTS"), reason="pictures are made when asked for")
async def test_pictures_of_the_desk(browser: Browser, sim: Simulator) -> None:
    await submitted(sim)
    await control(sim, "clock", {"speed": 1})
    await sim.inbound(ANA, text="hello")
    for fault in (
        {"kind": "error", "code": 130429, "on": "messages", "after": 4},
        {"kind": "webhook_duplicate", "copies": 3, "probability": 0.2},
    ):
        await control(sim, "faults", fault)
    await control(sim, "clock", {"freeze": True})
    for words in ("Good morning, Ana", "Your *daily summary* is ready", "Anything else?"):
        await text(sim, words)
    await text(sim, "Are you there?", to=BEN)
    await graph(sim, f"{NUMBER}/messages", {"messaging_product": "whatsapp", "to": ANA, "type": "text"})
    await send(sim, **question("Send the report?", "Confirm", "Decline"))
    await control(sim, "clock", {"advance_s": 0.5})
    await sim.settled()
    for room in ("templates", "numbers", "faults", "exchanges", "clock"):
        async with desk(browser, sim, room) as page:
            await expect(page.locator(".room h1")).to_be_visible()
            if room == "exchanges":
                await page.locator(".wire tbody tr[data-id]").nth(4).click()
                await expect(page.locator(".sheet-of h3").first).to_be_visible()
            await page.screenshot(path=PICTURES / f"desk-{room}.png", animations="disabled")
