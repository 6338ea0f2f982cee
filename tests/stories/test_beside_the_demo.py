"""The first minutes of a newcomer: the demonstration runs, and another terminal in its folder looks at it."""

import asyncio
import contextlib
import os
import re
import signal
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest

from harness.processes import Phone, Process
from harness.waiting import eventually
from harness.world import free_port


@dataclass
class Demo:
    """``sayso demo`` in a folder of its own, and a terminal of 80 columns beside it."""

    folder: Path
    process: Process
    phone: Phone
    url: str

    async def types(self, *words: str, expect: int = 0) -> tuple[str, str]:
        """Run a command there with nothing set; what it wrote to either stream."""
        running = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "sayso", *words,
            cwd=self.folder, env={"PATH": os.environ["PATH"], "COLUMNS": "80", "NO_COLOR": "1"},
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        out, err = await running.communicate()
        assert running.returncode == expect, (out.decode(), err.decode())
        return out.decode(), err.decode()

    async def get(self, path: str, token: str) -> str:
        """What the service answers."""
        headers = {"Authorization": f"Bearer {token.strip()}"}
        url = f"{self.url}/api/v1/whatsapp{path}"
        async with self.phone.session.get(url, headers=headers) as answer:
            return await answer.text()


@pytest.fixture
async def demo(tmp_path: Path) -> AsyncIterator[Demo]:
    """The demonstration, once it has asked its question."""
    port, meta = free_port(), free_port()
    url = f"http://127.0.0.1:{port}"
    arguments = ["demo", "--port", str(port), "--simulator-port", str(meta)]
    process = Process(arguments, {"COLUMNS": "80"}, tmp_path / "demo.log", url)
    async with aiohttp.ClientSession() as session:
        phone = Phone(f"http://127.0.0.1:{meta}", session)
        try:
            await process.start(ready="/readyz")
            await phone.expect(to="+15550001111", containing="weekly report")
            yield Demo(tmp_path, process, phone, url)
        finally:
            with contextlib.suppress(ProcessLookupError, TimeoutError):
                process.signal(signal.SIGTERM)
                await process.ended()
            await process.kill()


async def replaced(demo: Demo, operator: str) -> None:
    """Meta's side ends the token; its successor, written where the alert says, is taken up without a restart."""
    await demo.phone.call("POST", "/tokens", json={"value": "the-next-token"})
    await demo.phone.call("POST", "/tokens/sim-token", json={"expires_in_s": 0})
    alice, _ = await demo.types("token", "--user", "alice", "--client", "my-assistant")
    headers = {"Authorization": f"Bearer {alice.strip()}"}
    body = {"recipient": "+15550001111", "content": "Did it arrive?"}
    async with demo.phone.session.post(
        f"{demo.url}/api/v1/whatsapp/send", json=body, headers=headers
    ) as sent:
        assert sent.status == 202, await sent.text()

    async def advised() -> bool:
        return f"it stands in {demo.folder / 'data/demo/demo.env'}" in await demo.get("/alerts", operator)

    await eventually(advised, "the alert about the token")
    settings = demo.folder / "data/demo/demo.env"
    settings.write_text(settings.read_text("utf-8").replace("sim-token", "the-next-token"), "utf-8")
    await demo.phone.expect(to="+15550001111", containing="Did it arrive?")


async def test_another_terminal_finds_it_and_its_token_is_replaced_while_it_runs(demo: Demo) -> None:
    out, err = await demo.types("messages", "tail")
    assert re.fullmatch(
        r"sayso: speaking to the service that runs here \(process \d+, data in data/demo\)\.\n", err
    )
    [message_id] = re.findall(r"msg_\w+", "".join(line for line in out.splitlines() if "prompt" in line))
    assert "to Alice (…1111)" in out
    told, _ = await demo.types("messages", "why", message_id)
    assert "the person has read it" in told
    assert '"+15550001111"' in (await demo.types("people", "show", "alice"))[0]
    assert "verified" in (await demo.types("consent", "verify"))[0]
    assert "nothing changed since" in (await demo.types("templates", "sync"))[0]
    operator, err = await demo.types("token", "--user", "me", "--client", "operations", "--scope", "operate")
    assert err == ""
    assert '"messages"' in await demo.get("/stats", operator)
    await replaced(demo, operator)

    deaf = signal.getsignal(signal.SIGHUP) is signal.SIG_IGN  # nohup, which what it starts inherits
    demo.process.signal(signal.SIGTERM if deaf else signal.SIGHUP)  # the terminal was closed
    await demo.process.ended()
    assert list(demo.folder.glob(".sayso-*")) == []
    _, err = await demo.types("messages", "tail", expect=2)
    assert "--env-file data/demo/demo.env" in err
    assert not (demo.folder / "data" / "postgres").exists()
    out, err = await demo.types("messages", "tail", "--env-file", "data/demo/demo.env")
    assert (message_id in out, err) == (True, "")
