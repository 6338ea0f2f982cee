"""A headless Chromium for the page tests; whatever a page logs as an error fails its test."""

import os
import shutil
from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from playwright.async_api import Browser, async_playwright, expect

from browser.stage import callback
from sayso.simulator import Simulator, SimulatorConfig

ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
expect.set_options(timeout=30_000)  # what is waited for comes by itself; how soon is the machine's business


def chromium_path() -> str:
    """Find the browser: ``SAYSO_CHROMIUM``, or Chromium or Chrome on the PATH."""
    given = os.environ.get("SAYSO_CHROMIUM")
    found = (
        given or shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    )
    if not found or not shutil.which(found):
        pytest.fail(
            f"The page tests need Chromium{f', and SAYSO_CHROMIUM={given} is not there' if given else ''}. "
            "Install it (Debian: apt-get install chromium) or set SAYSO_CHROMIUM to its path.",
            pytrace=False,
        )
    return found


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        made = await playwright.chromium.launch(executable_path=chromium_path(), args=ARGUMENTS)
        yield made
        await made.close()


@pytest.fixture
async def sim() -> AsyncIterator[Simulator]:
    app = web.Application()
    app.router.add_route("*", "/hook", callback)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    quick = SimulatorConfig(
        port=0,
        webhook_url=url,
        sent_after_ms=1,
        delivered_after_ms=1,
        read_after_ms=1,
        retry_first_ms=2,
        enforce_rates=False,  # a slow machine writes to one person for longer than a burst lasts
    )
    async with Simulator(quick) as running:
        yield running
    await runner.cleanup()
