"""A headless Chromium for the page tests; whatever a page logs as an error fails its test."""

import os
import shutil
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, async_playwright

ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]


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
