"""Every kind of message on the phone: drawn as people know it, answered with a thumb, told to the business."""

import os
import re
from typing import Any

import pytest
from playwright.async_api import Browser, FilePayload, Locator, Page, expect

from browser.stage import (
    ANA,
    BEN,
    PICTURES,
    heard,
    interactive,
    opened,
    phone,
    question,
    send,
    text,
    told,
    upload,
)
from sayso.simulator import Simulator
from sayso.simulator.phone.samples import picture, sample
from sayso.simulator.world.content import MediaKind

URL = "https://shop.example.org/rooms"
LIST = interactive(
    "list",
    {
        "button": "Slots",
        "sections": [
            {"title": "Today", "rows": [{"id": "t17", "title": "17:00", "description": "30 minutes"}]},
            {"title": "Tomorrow", "rows": [{"id": "t9", "title": "09:00"}, {"id": "t10", "title": "10:00"}]},
        ],
    },
    "When shall we come?",
)


def card(place: int) -> dict[str, Any]:
    """Compose one card of a carousel, a picture and a button."""
    action = {"name": "cta_url", "parameters": {"display_text": "See it", "url": f"{URL}/{place}"}}
    header = {"type": "image", "image": {"link": f"https://cdn.example.org/{place}.png"}}
    body = {"text": f"Room {place + 1}"}
    return {"card_index": place, "type": "cta_url", "header": header, "body": body, "action": action}


CTA = {"name": "cta_url", "parameters": {"display_text": "Open", "url": URL}}
FLOW = {
    "name": "flow",
    "parameters": {
        "flow_message_version": "3",
        "flow_id": "700000000000001",
        "flow_cta": "Start",
        "flow_token": "tok",
        "flow_action": "navigate",
        "flow_action_payload": {"screen": "FIRST"},
    },
}
CONTACT = {
    "name": {"formatted_name": "Bo Lindqvist", "first_name": "Bo"},
    "phones": [{"phone": "+15550002222"}],
}
PLACE = {"latitude": 51.4495, "longitude": -2.5972, "name": "Old Harbour", "address": "3 Quay Street"}
#: What is sent, and what its bubble must show: (name of the kind, message, selector, words).
DRAWN: list[tuple[str, dict[str, Any], str, str]] = [
    ("text", {"type": "text", "text": {"body": "Hello *Ana*"}}, ".body strong", "Ana"),
    (
        "link preview",
        {"type": "text", "text": {"body": f"See {URL}", "preview_url": True}},
        ".preview",
        "shop.example.org",
    ),
    ("image by link", {"type": "image", "image": {"link": f"{URL}.png"}}, ".by-link", "shop.example.org"),
    ("video by link", {"type": "video", "video": {"link": f"{URL}.mp4", "caption": "Look"}}, ".body", "Look"),
    (
        "document by link",
        {"type": "document", "document": {"link": f"{URL}.pdf", "filename": "rooms.pdf"}},
        ".file-card",
        "rooms.pdf",
    ),
    ("location", {"type": "location", "location": PLACE}, ".place", "Old Harbour"),
    ("contacts", {"type": "contacts", "contacts": [CONTACT]}, ".contact-card", "Bo Lindqvist"),
    ("list", LIST, ".buttons button", "Slots"),
    ("cta url", interactive("cta_url", CTA), ".buttons button", "Open"),
    ("flow", interactive("flow", FLOW), ".buttons button", "Start"),
    (
        "location request",
        interactive("location_request_message", {"name": "send_location"}),
        ".buttons button",
        "location",
    ),
    (
        "call permission",
        interactive("call_permission_request", {"name": "call_permission_request"}),
        ".buttons button",
        "",
    ),
    (
        "contact request",
        interactive("request_contact_info", {"name": "request_contact_info"}),
        ".buttons button",
        "",
    ),
    ("carousel", interactive("carousel", {"cards": [card(0), card(1)]}), ".card:nth-child(2)", "Room 2"),
]


def bubble(page: Page, wamid: str) -> Locator:
    """Return the bubble of a message."""
    return page.locator(f"[data-wamid='{wamid}']")


async def test_every_kind_of_message_is_drawn(browser: Browser, sim: Simulator) -> None:
    await sim.inbound(ANA, text="hello")
    async with opened(browser, sim) as page:
        for name, message, selector, words in DRAWN:
            wamid = await send(sim, **message)
            await expect(bubble(page, wamid).locator(selector).first, name).to_contain_text(words)


@pytest.mark.parametrize(
    ("kind", "selector"), [("image", "img"), ("sticker", "img"), ("video", "video"), ("audio", ".voice")]
)
async def test_uploaded_media_is_shown(
    browser: Browser, sim: Simulator, kind: MediaKind, selector: str
) -> None:
    await sim.inbound(ANA, text="hello")
    made = sample(kind)
    media = await upload(sim, made.data, made.mime_type, made.filename)
    async with opened(browser, sim) as page:
        message: dict[str, Any] = {"type": kind, kind: {"id": media}}
        wamid = await send(sim, **message)
        await expect(bubble(page, wamid).locator(selector)).to_be_visible()
        if selector == "img":
            shown = bubble(page, wamid).locator("img")
            await expect(shown).to_have_js_property("complete", value=True)
            assert await shown.evaluate("image => image.naturalWidth") > 0


async def test_a_row_of_a_list_is_chosen_in_its_sheet(browser: Browser, sim: Simulator) -> None:
    await sim.inbound(ANA, text="hello")
    async with opened(browser, sim) as page:
        await send(sim, **LIST)
        await page.get_by_role("button", name="Slots").click()
        sheet = page.get_by_role("dialog", name="Slots")
        await expect(sheet.get_by_role("group", name="Tomorrow")).to_be_visible()
        send_it = sheet.get_by_role("button", name="Send")
        await expect(send_it).to_be_disabled()
        await sheet.get_by_role("radio", name=re.compile("17:00")).check()
        await send_it.click()
        await expect(sheet).to_have_count(0)
        await expect(page.locator(".message.mine").last).to_contain_text("17:00")
        answer = await heard(sim, "interactive")
        assert answer["interactive"]["list_reply"] == {
            "id": "t17",
            "title": "17:00",
            "description": "30 minutes",
        }


async def test_a_sheet_is_left_by_escape_and_gives_the_focus_back(browser: Browser, sim: Simulator) -> None:
    await sim.inbound(ANA, text="hello")
    async with opened(browser, sim) as page:
        await send(sim, **LIST)
        opener = page.get_by_role("button", name="Slots")
        await opener.focus()
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("radio").first).to_be_focused()
        await page.keyboard.press("Escape")
        await expect(page.get_by_role("dialog")).to_have_count(0)
        await expect(opener).to_be_focused()


async def test_a_flow_is_filled_in(browser: Browser, sim: Simulator) -> None:
    await sim.inbound(ANA, text="hello")
    async with opened(browser, sim) as page:
        await send(sim, **interactive("flow", FLOW))
        await page.get_by_role("button", name="Start").click()
        sheet = page.get_by_role("dialog", name="Start")
        await sheet.get_by_role("textbox", name="Field").fill("guests")
        await sheet.get_by_role("textbox", name="Value").fill("3")
        await sheet.get_by_role("button", name="Send answer").click()
        answer = await heard(sim, "interactive")
        reply = answer["interactive"]["nfm_reply"]
        assert '"guests":3' in reply["response_json"].replace(" ", "")


async def test_a_place_is_sent_when_asked_for(browser: Browser, sim: Simulator) -> None:
    await sim.inbound(ANA, text="hello")
    async with opened(browser, sim) as page:
        await send(sim, **interactive("location_request_message", {"name": "send_location"}))
        await page.locator(".message.theirs .buttons button").click()
        sheet = page.get_by_role("dialog", name="Share a location")
        await sheet.get_by_role("button", name="Parque Central").click()
        await sheet.get_by_role("button", name="Send location").click()
        answer = await heard(sim, "location")
        assert answer["location"]["name"] == "Parque Central"
        await expect(page.locator(".message.mine .map")).to_be_visible()


async def test_ones_number_is_shared_when_asked_for(browser: Browser, sim: Simulator) -> None:
    await sim.inbound(ANA, text="hello")
    async with opened(browser, sim) as page:
        await send(sim, **interactive("request_contact_info", {"name": "request_contact_info"}))
        await page.locator(".message.theirs .buttons button").click()
        answer = await heard(sim, "contacts")
        assert answer["contacts"][0]["phones"][0]["wa_id"] == ANA.lstrip("+")


async def test_a_link_is_not_followed_but_said(browser: Browser, sim: Simulator) -> None:
    await sim.inbound(ANA, text="hello")
    async with opened(browser, sim) as page:
        await send(sim, **interactive("cta_url", CTA))
        await page.get_by_role("button", name="Open", exact=True).click()
        await expect(page.locator("#toast")).to_have_text(f"On a phone this opens {URL}")
        assert len(told(sim)) == 1, "a link tells the business nothing"


async def test_calls_are_allowed(browser: Browser, sim: Simulator) -> None:
    await sim.inbound(ANA, text="hello")
    async with opened(browser, sim) as page:
        await send(sim, **interactive("call_permission_request", {"name": "call_permission_request"}))
        await page.locator(".message.theirs .buttons button").click()
        await page.get_by_role("dialog").get_by_role("button", name="Allow calls").click()
        answer = await heard(sim, "interactive")
        assert answer["interactive"]["call_permission_reply"]["response"] == "accept"


async def test_a_reaction_is_given_shown_and_taken_away(browser: Browser, sim: Simulator) -> None:
    await sim.inbound(ANA, text="hello")
    async with opened(browser, sim) as page:
        wamid = await text(sim, "The meeting is set")
        made = bubble(page, wamid)
        await made.hover()
        await made.get_by_role("button", name="React to this message").click()
        await page.get_by_role("menuitem", name="React with ❤️").click()
        await expect(made.locator(".reactions")).to_have_text("❤️")
        given = await heard(sim, "reaction")
        assert given["reaction"] == {"message_id": wamid, "emoji": "❤️"}
        await made.hover()
        await made.get_by_role("button", name="React to this message").click()
        await page.get_by_role("menuitem", name="Take ❤️ away").click()
        await expect(made.locator(".reactions")).to_have_count(0)


async def test_the_business_reacts(browser: Browser, sim: Simulator) -> None:
    said = await sim.inbound(ANA, text="hello")
    async with opened(browser, sim) as page:
        await send(sim, type="reaction", reaction={"message_id": said, "emoji": "👍"})
        await expect(bubble(page, said).locator(".reactions")).to_have_text("👍")
        await expect(page.locator(".message")).to_have_count(1)


async def test_a_file_from_this_machine_is_sent(browser: Browser, sim: Simulator) -> None:
    async with opened(browser, sim) as page:
        await page.get_by_role("button", name="Attach").click()
        async with page.expect_file_chooser() as choosing:
            await page.get_by_role("button", name="Photo or video").click()
        chooser = await choosing.value
        photo = FilePayload(name="view.png", mimeType="image/png", buffer=picture(64, 48))
        await chooser.set_files(files=[photo])
        sheet = page.get_by_role("dialog", name="Send image")
        await sheet.get_by_role("textbox", name="Caption").fill("From the window")
        await sheet.get_by_role("button", name="Send").click()
        sent = page.locator(".message.mine")
        await expect(sent.locator(".body")).to_have_text("From the window")
        await expect(sent.locator("img")).to_have_js_property("naturalWidth", 64)
        image = (await heard(sim, "image"))["image"]
        assert (image["mime_type"], image["caption"]) == ("image/png", "From the window")


async def test_a_voice_note_is_recorded(browser: Browser, sim: Simulator) -> None:
    async with opened(browser, sim) as page:
        await page.get_by_role("button", name="Record a voice note").click()
        await page.get_by_role("button", name="Send voice note").click()
        await expect(page.locator(".message.mine .voice")).to_be_visible()
        assert (await heard(sim, "audio"))["audio"]["voice"] is True


async def test_a_voice_note_is_played(browser: Browser, sim: Simulator) -> None:
    await sim.inbound(ANA, text="hello")
    made = sample("audio", voice=True)
    media = await upload(sim, made.data, made.mime_type, made.filename)
    async with opened(browser, sim) as page:
        wamid = await send(sim, type="audio", audio={"id": media, "voice": True})
        await bubble(page, wamid).get_by_role("button", name="Play voice note").click()
        await expect(bubble(page, wamid).get_by_role("img", name="played")).to_be_visible()
        await sim.expect_message(to=ANA, status="played")


async def test_editing_and_deleting_ones_own_words(browser: Browser, sim: Simulator) -> None:
    said = await sim.inbound(ANA, text="Twoday")
    async with opened(browser, sim) as page:
        mine = bubble(page, said)
        await mine.focus()
        await page.keyboard.press("Enter")
        await page.get_by_role("menuitem", name="Edit").click()
        sheet = page.get_by_role("dialog", name="Edit message")
        await sheet.get_by_role("textbox").fill("Tuesday")
        await sheet.get_by_role("button", name="Save").click()
        await expect(sheet).to_have_count(0)  # under it nothing has the focus
        await expect(mine.locator(".body")).to_have_text("Tuesday")
        await expect(mine.locator(".edited")).to_be_visible()
        await mine.focus()
        await page.keyboard.press("Enter")
        await page.get_by_role("menuitem", name="Delete for everyone").click()
        await expect(mine).to_contain_text("You deleted this message")
        assert len(told(sim)) == 3


async def test_what_was_deleted_meanwhile_is_not_offered_for_anything(
    browser: Browser, sim: Simulator
) -> None:
    said = await sim.inbound(ANA, text="Twoday")
    async with opened(browser, sim) as page:
        mine, quoting = bubble(page, said), page.locator(".quoting")
        await mine.dblclick()
        await expect(quoting).to_be_visible()
        await mine.focus()
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("menu")).to_be_visible()
        await sim.person(ANA).deletes(said)
        await expect(mine).to_contain_text("You deleted this message")
        await expect(page.get_by_role("menu")).to_have_count(0)
        await expect(quoting).to_be_hidden()
        await expect(mine.locator("button")).to_have_count(0)
        await page.get_by_role("textbox", name="Message as Ana").fill("Tuesday")
        await page.keyboard.press("Enter")
        heard = await sim.live.until(lambda: told(sim)[2:] or None, 10)
        assert [each["text"] for each in heard or []] == [{"body": "Tuesday"}]


@pytest.mark.parametrize("what", ["deletion", "failed"])
async def test_what_nothing_can_be_done_with_can_still_be_copied(
    browser: Browser, sim: Simulator, what: str
) -> None:
    said = await sim.inbound(ANA, text="Twoday")
    if what == "deletion":
        wamid = await sim.person(ANA).deletes(said)
    else:
        wamid = await send(sim, **question("Shall we?", "Yes"), to=BEN)
        await sim.expect_message(to=BEN, status="failed")
    async with opened(browser, sim, ANA if what == "deletion" else BEN) as page:
        drawn = bubble(page, wamid)
        await drawn.focus()
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("menuitem", name="Copy message id")).to_be_visible()
        for name in ("React", "Reply", "Edit", "Delete"):
            await expect(page.get_by_role("menuitem", name=name)).to_have_count(0)
        await page.keyboard.press("Escape")
        await expect(drawn.locator(".tools button")).to_have_count(1)
        await drawn.dblclick()
        await expect(page.locator(".quoting")).to_be_hidden()


@pytest.mark.skipif(not os.environ.get("SAYSO_SCREENSHOTS"), reason="pictures are made when asked for")
async def test_picture_of_the_kinds(browser: Browser, sim: Simulator) -> None:
    await sim.inbound(ANA, text="What have you got?")
    made = picture(320, 200)
    media = await upload(sim, made, "image/png", "harbour.png")
    people = f"{ANA},+15550002222,+15550003333"
    await sim.inbound("+15550002222", text="hi")
    await sim.inbound("+15550003333", text="hi")
    async with opened(browser, sim, people, (1440, 900)) as page:
        await send(sim, type="image", image={"id": media, "caption": "The *harbour* this morning"})
        wamid = await send(sim, **LIST)
        await send(sim, type="reaction", reaction={"message_id": told(sim)[0]["id"], "emoji": "👍"})
        await send(sim, "+15550002222", type="location", location=PLACE)
        await send(sim, "+15550002222", type="contacts", contacts=[CONTACT])
        await send(sim, "+15550003333", **interactive("carousel", {"cards": [card(0), card(1)]}, "Rooms"))
        await send(sim, "+15550003333", **interactive("cta_url", CTA, "All of them"))
        await expect(phone(page, "Mei Lindholm").get_by_role("button", name="Open")).to_be_visible()
        await page.emulate_media(reduced_motion="reduce")
        await bubble(page, wamid).get_by_role("button", name="Slots").click()
        await page.get_by_role("radio").first.check()
        await page.screenshot(path=PICTURES / "phone-kinds.png", animations="disabled")
