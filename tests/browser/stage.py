"""What the tests of the pages share: a business that calls and is called, and a page that must not complain."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web
from playwright.async_api import Browser, Locator, Page, expect

from sayso.simulator import Simulator

ANA, BEN = "+15550001111", "+15550002222"
NUMBER = "100000000000001"
PICTURES = Path(__file__).parents[2] / "docs" / "images"


async def callback(request: web.Request) -> web.Response:
    """Take whatever comes, as a business would."""
    await request.read()
    return web.Response(text=request.query.get("hub.challenge", ""))


async def send(sim: Simulator, to: str = ANA, **message: Any) -> str:
    """Send as the business and return the wamid."""
    body = {"messaging_product": "whatsapp", "to": to, **message}
    headers = {"Authorization": "Bearer sim-token"}
    url = f"{sim.base_url}/v25.0/100000000000001/messages"
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        session.post(url, json=body) as answer,
    ):
        told = await answer.json()
        assert answer.status == 200, told
        return str(told.get("messages", [{}])[0].get("id"))


async def text(sim: Simulator, words: str, to: str = ANA, **more: Any) -> str:
    """Send a text as the business."""
    return await send(sim, to, type="text", text={"body": words}, **more)


def template(name: str, *values: str, language: str = "en") -> dict[str, Any]:
    """Compose a template message with these values in its body."""
    parameters = [{"type": "text", "text": value} for value in values]
    components = [{"type": "body", "parameters": parameters}] if values else []
    return {
        "type": "template",
        "template": {"name": name, "language": {"code": language}, "components": components},
    }


def question(words: str, *titles: str, footer: str = "Expires in 30 min") -> dict[str, Any]:
    """Compose a question with reply buttons."""
    buttons = [{"type": "reply", "reply": {"id": f"cf:{title}", "title": title}} for title in titles]
    return {
        "type": "interactive",
        "interactive": {
            "type": "button",
            "header": {"type": "text", "text": "Confirmation needed"},
            "body": {"text": words},
            "footer": {"text": footer},
            "action": {"buttons": buttons},
        },
    }


CONFIRMATION = template(
    "confirmation_request", "Ana", "schedule a meeting with John, tomorrow 3 PM", "send two invitations"
)


@asynccontextmanager
async def watched(
    browser: Browser, size: tuple[int, int] = (1280, 800), scale: float = 1, **more: Any
) -> AsyncIterator[Page]:
    """Open an empty page; at the end nothing on it may have logged an error, refused control calls apart.

    Chromium logs what the Content-Security-Policy stopped as an error, too.
    """
    wrong: list[str] = []
    page = await browser.new_page(
        viewport={"width": size[0], "height": size[1]}, device_scale_factor=scale, locale="en-GB", **more
    )
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda line: wrong.append(line.text) if line.type == "error" else None)
    yield page
    assert [each for each in wrong if "status of 400" not in each] == []
    await page.close()


@asynccontextmanager
async def opened(
    browser: Browser, sim: Simulator, people: str = ANA, size: tuple[int, int] = (1280, 800), scale: float = 1
) -> AsyncIterator[Page]:
    """Open the phones of these people."""
    async with watched(browser, size, scale) as page:
        await page.goto(f"{sim.base_url}/{'#' + people if people else ''}")
        await expect(page.locator(".person").first).to_be_attached()
        yield page


@asynccontextmanager
async def desk(browser: Browser, sim: Simulator, room: str, scale: float = 1) -> AsyncIterator[Page]:
    """Open a room of the desk; the clipboard may be read, as a person reads it by pasting."""
    permissions = ["clipboard-read", "clipboard-write"]
    async with watched(browser, (1440, 900), scale, permissions=permissions) as page:
        await page.goto(f"{sim.base_url}/desk#{room}")
        await expect(page.locator(".rail [aria-current]")).to_be_visible()
        yield page


async def control(sim: Simulator, path: str, body: Any = None) -> dict[str, Any]:
    """Call the control API: GET without a body, POST with one."""
    sent = {} if body is None else {"json": body}
    method = "GET" if body is None else "POST"
    async with (
        aiohttp.ClientSession() as session,
        session.request(method, f"{sim.base_url}/_sim/{path}", **sent) as answer,
    ):
        told: dict[str, Any] = await answer.json()
        assert answer.status == 200, told
        return told


async def upload(sim: Simulator, data: bytes, mime_type: str, filename: str) -> str:
    """Upload media as the business and return its id."""
    form = aiohttp.FormData({"messaging_product": "whatsapp", "type": mime_type})
    form.add_field("file", data, content_type=mime_type, filename=filename)
    async with (
        aiohttp.ClientSession(headers={"Authorization": "Bearer sim-token"}) as session,
        session.post(f"{sim.base_url}/v25.0/{NUMBER}/media", data=form) as answer,
    ):
        told = await answer.json()
        assert answer.status == 200, told
        return str(told["id"])


def interactive(kind: str, action: dict[str, Any], body: str = "Choose", **more: Any) -> dict[str, Any]:
    """Compose an interactive message."""
    return {
        "type": "interactive",
        "interactive": {"type": kind, "body": {"text": body}, "action": action, **more},
    }


def told(sim: Simulator) -> list[dict[str, Any]]:
    """List the inbound messages the business was told, oldest first."""
    hooks = [json.loads(each["body"]) for each in sim.webhooks(kind="inbound")]
    return [message for hook in hooks for message in hook["entry"][0]["changes"][0]["value"]["messages"]]


async def heard(sim: Simulator, kind: str) -> dict[str, Any]:
    """Wait until the business was told a message of this type, and return it."""

    def look() -> dict[str, Any] | None:
        return next((each for each in told(sim) if each["type"] == kind), None)

    found = await sim.live.until(look, 10)
    assert found is not None, f"no {kind}; told was {told(sim)}"
    return found


def phone(page: Page, name: str) -> Locator:
    """Return one person's phone."""
    return page.get_by_role("region", name=f"{name}'s phone")
