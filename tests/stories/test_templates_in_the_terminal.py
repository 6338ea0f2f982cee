"""``sayso templates`` as somebody types it: each a process of its own, beside Meta's side."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from harness.registry import ORDER, write
from harness.service import JWT_SECRET
from sayso.simulator import Simulator, SimulatorConfig


@dataclass
class Terminal:
    """Types commands in a folder with definitions; ``env`` is what it takes to reach Meta and the database."""

    folder: Path
    env: dict[str, str] = field(default_factory=dict)

    async def __call__(self, *words: str) -> tuple[int, str]:
        """Run ``sayso templates …``; its exit code and all it wrote."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "sayso",
            "templates",
            *words,
            cwd=self.folder,
            env={"PATH": os.environ["PATH"], "COLUMNS": "120", "NO_COLOR": "1", **self.env},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        told, _ = await process.communicate()
        return process.returncode or 0, told.decode()


@pytest.fixture
def terminal(tmp_path: Path) -> Terminal:
    """A folder with one template, and nothing else set."""
    write(tmp_path / "templates", order_ready=ORDER)
    return Terminal(tmp_path)


@pytest.fixture
async def sim() -> AsyncIterator[Simulator]:
    """Meta's side."""
    async with Simulator(SimulatorConfig(port=0, review="instant")) as running:
        yield running


async def test_files_are_checked_and_shown_without_an_account(terminal: Terminal) -> None:
    code, told = await terminal("lint")
    assert (code, "7 templates, 66 texts" in told) == (0, True), told
    code, told = await terminal("preview", "order_ready", "--language", "de-AT", "--set", "customer=Bo")
    assert code == 0
    for words in ("Hallo Bo,", "Bin unterwegs", "https://example.org/o/A-1017", "order_ready · de"):
        assert words in told, told
    assert "order_ready · en" not in told
    code, told = await terminal("preview", "order_ready", "--set", "custmer=Bo")
    assert (code, "no variable custmer" in told) == (1, True), told
    code, told = await terminal("preview", "order_ready", "--set", "customer")
    assert (code, "write 1=Ana, or customer=Ana" in told) == (2, True), told
    code, told = await terminal("preview", "daily_summary", "--set", "4=x")
    assert (code, "there is no parameter 4; there are: 1, 2, 3" in told) == (2, True), told
    code, told = await terminal("preview", "nobody")
    assert (code, "no definition nobody" in told) == (2, True), told


async def test_every_fault_of_every_file_is_listed_and_only_what_was_checked_is_promised(
    terminal: Terminal,
) -> None:
    code, told = await terminal("lint")
    assert (code, "within Meta's published limits" in told, "Not checked:" in told) == (0, True, True), told
    faulty = """category = "utilty"
[languages.en]
body = "{{1}}, hello there to you"
footer = "Yours, {{1}}"
buttons = [
  { replay = "Yes" },
  { reply = "This is more than twenty-five letters" },
]
"""
    write(
        terminal.folder / "templates", first=faulty, second="category = ", third='[languages.en]\nbody = ""'
    )
    code, told = await terminal("lint")
    assert code == 1
    for words in (
        "templates/first.toml:1: category: ",
        "templates/first.toml:3: languages.en.body: a body may not start",
        "templates/first.toml:4: languages.en.footer: ",
        "templates/first.toml:6: languages.en.buttons.0: ",
        "templates/first.toml:7: languages.en.buttons.1: ",
        "languages.en.examples: ",
        "templates/second.toml:1: not TOML: ",
        "nothing else of this file could be checked",
        "templates/third.toml:1: languages.en: ",
    ):
        assert words in told, told
    assert "published limits" not in told
    code, told = await terminal("lint", "second")
    assert (code, "second.toml:1" in told, "first.toml" in told) == (1, True, False), told
    assert (await terminal("lint", "order_ready"))[0] == 0


async def test_files_and_meta_are_made_one(terminal: Terminal, sim: Simulator, dsn: str) -> None:
    terminal.env = {
        "WHATSAPP_ACCESS_TOKEN": "sim-token",
        "WHATSAPP_PHONE_NUMBER_ID": "100000000000001",
        "WHATSAPP_BUSINESS_ACCOUNT_ID": "200000000000001",
        "WHATSAPP_VERIFY_TOKEN": "sim-verify",
        "WHATSAPP_WEBHOOK_SECRET": "sim-secret",
        "WHATSAPP_BASE_URL": sim.base_url,
        "SAYSO_DATA_DIR": str(terminal.folder / "data"),
        "SAYSO_JWT_SECRET": JWT_SECRET,
        "DATABASE_URL": dsn,
    }
    code, told = await terminal("push", "order_ready", "--dry-run")
    assert (code, told.count("would be created")) == (0, 3), told
    code, told = await terminal("diff", "order_ready", "--check")
    assert (code, told.count("not at Meta yet")) == (1, 2), told
    code, told = await terminal("push", "order_ready")
    assert (code, told.count("approved")) == (0, 2), told
    changed = ORDER.replace("is ready to be fetched", "waits for you")
    write(terminal.folder / "templates", order_ready=changed)
    code, told = await terminal("diff", "order_ready")
    assert code == 0
    assert "- your order {{order}} is ready to be fetched." in told, told
    assert "+ your order {{order}} waits for you." in told
    sim.arm(kind="error", on="message_templates", method="POST", code=100, subcode=2388039)
    code, told = await terminal("push", "order_ready")
    assert (code, "once in 24 hours" in told) == (1, True), told
    code, told = await terminal("push", "order_ready")
    assert (code, "edited" in told) == (0, True), told
    code, told = await terminal("sync")
    assert (code, "5 texts at Meta, nothing changed since" in told) == (0, True), told
    there = next(each for each in sim.desk.listed() if each["name"] == "order_ready")
    sim.desk.set_quality(there["id"], "YELLOW")
    code, told = await terminal("sync")
    assert (code, "1 changed since the last comparison" in told) == (0, True), told
    assert "sim-token" not in told
    code, told = await terminal("diff", "order_ready", "--check")
    assert (code, "Meta has what your files say" in told) == (0, True), told


async def test_without_an_account_what_needs_one_says_what_is_missing(terminal: Terminal) -> None:
    code, told = await terminal("push")
    assert (code, "WHATSAPP_ACCESS_TOKEN is missing" in told) == (2, True), told
    assert "Traceback" not in told
