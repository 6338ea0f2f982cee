"""``/docs``: every route can be read and tried, out of this process alone."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from typing import Annotated

import pytest
import uvicorn
from fastapi import Depends, FastAPI
from playwright.async_api import Browser, expect

from sayso.core import described_page
from sayso.core.api import speak_problem_json
from sayso.core.auth import needs


def app() -> FastAPI:
    """An API with one route, described as ours is."""
    made = FastAPI(title="Sayso", docs_url=None, redoc_url=None)
    speak_problem_json(made)

    @made.get("/messages", tags=["messages"])
    async def messages(_actor: Annotated[object, Depends(needs("messages:read"))]) -> None:
        """One's own messages."""

    made.router.routes.extend(described_page.ROUTES)
    return made


@pytest.fixture
async def url() -> AsyncIterator[str]:
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as listener:
        server = uvicorn.Server(uvicorn.Config(app(), lifespan="off", log_config=None, access_log=False))
        serving = asyncio.create_task(server.serve([listener]))
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        server.should_exit = True
        await serving


async def test_a_route_is_read_and_tried_and_nothing_comes_from_elsewhere(browser: Browser, url: str) -> None:
    page = await browser.new_page()
    asked: list[str] = []
    complaints: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    await page.goto(f"{url}/docs")
    await page.get_by_text("/messages").click()
    await expect(page.get_by_text("One's own messages.").first).to_be_visible()
    assert complaints == []
    await page.get_by_role("button", name="Try it out").click()
    await page.get_by_role("button", name="Execute").click()
    await expect(page.get_by_text("`sayso token --user").first).to_be_visible()
    assert {address for address in asked if not address.startswith((url, "data:"))} == set()
    await page.close()
