"""The receivers of docs/webhooks-out.md, taken from the page and run: they take what we post and nothing else."""

import asyncio
import contextlib
import os
import re
import shutil
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from harness.waiting import eventually
from harness.world import ALICE, CONFIRM, World, free_port
from sayso.core.tokens import ASSISTANT_SCOPES

PAGE = (Path(__file__).parents[2] / "docs" / "webhooks-out.md").read_text("utf-8")
RUN = {"python": [sys.executable], "javascript": [shutil.which("node") or "node"]}


def example(language: str) -> str:
    """The receiver of the page in this language."""
    found = re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    assert len(found) == 1
    return str(found[0])


@dataclass
class Program:
    """A receiver of the page, running."""

    url: str
    running: asyncio.subprocess.Process
    said: list[str]


@contextlib.asynccontextmanager
async def running(language: str, folder: Path, secret: str, port: int) -> AsyncIterator[Program]:
    """Run the receiver of the page with this secret."""
    if language == "javascript" and shutil.which("node") is None:
        pytest.skip("no node on this machine")
    path = folder / f"receiver.{'py' if language == 'python' else 'js'}"
    path.write_text(example(language), encoding="utf-8")
    environment = {**os.environ, "PORT": str(port), "SAYSO_WEBHOOK_SECRET": secret}
    process = await asyncio.create_subprocess_exec(
        *RUN[language],
        str(path),
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    program = Program(f"http://127.0.0.1:{port}/sayso", process, [])
    assert process.stdout is not None
    reading = asyncio.create_task(_read(process.stdout, program.said))
    try:
        await eventually(lambda: _listens(program.url), "the receiver listening")
        yield program
    finally:
        process.kill()
        await process.wait()
        await reading


async def _read(out: asyncio.StreamReader, said: list[str]) -> None:
    async for line in out:
        said.append(line.decode())  # noqa: PERF401 - as they come


async def _listens(url: str) -> bool:
    with contextlib.suppress(aiohttp.ClientError):
        async with (
            aiohttp.ClientSession() as session,
            session.post(url, json={"type": "endpoint.verify", "data": {"challenge": "x"}}),
        ):
            return True
    return False


@pytest.mark.parametrize("language", ["python", "javascript"])
async def test_the_receiver_of_the_page_takes_what_is_ours_and_nothing_else(
    listing: World, tmp_path: Path, language: str
) -> None:
    port = free_port()
    api = listing.api.as_(scopes=(*ASSISTANT_SCOPES, "endpoints:write"))
    url = f"http://127.0.0.1:{port}/sayso"
    async with running(language, tmp_path, "whsec_AAAA", port):
        status, endpoint = await api.call(
            "POST", "/endpoints", json={"url": url, "types": ["confirmation.*"]}
        )
    assert (status, endpoint["state"]) == (201, "enabled"), endpoint
    async with running(language, tmp_path, endpoint["secret"], port) as program:
        await listing.api.link(ALICE)
        await listing.open_window()
        asked, prompt = await listing.asked()
        await listing.tapped(prompt["wamid"], CONFIRM)

        async def told() -> Any:
            return any("confirmation.decided" in line and asked["id"] in line for line in program.said)

        await eventually(told, "the receiver hearing of the decision")
        forged = {"id": "evt_1", "type": "confirmation.decided", "subject": asked["id"], "data": {}}
        named = {"webhook-id": "evt_1", "webhook-timestamp": "1", "webhook-signature": "v1,AAAA"}
        async with (
            aiohttp.ClientSession() as session,
            session.post(url, json=forged, headers=named) as answer,
        ):
            assert answer.status == 401
    assert len([line for line in program.said if "confirmation.decided" in line]) == 1
