"""What docs/simulator.md says to paste works when it is pasted."""

import asyncio
import json
import re
import shutil
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from harness.world import free_port
from sayso.simulator import Simulator, SimulatorConfig
from sayso.simulator.faults.model import WebhookSignature
from simulator.known import ANA

FOLDER = Path(__file__).parents[2] / "docs"
DOCS = (FOLDER / "simulator.md").read_text("utf-8")
CONTROL = (FOLDER / "simulator-control.md").read_text("utf-8")
if TYPE_CHECKING:
    from simulator.conftest import Graph

NODE = ("node", "--input-type=module", "--eval")


def block(language: str, *, holding: str) -> str:
    """Return the one block of code in this language that holds these words."""
    blocks = re.findall(rf"^```{language}\n(.*?)^```$", DOCS, re.MULTILINE | re.DOTALL)
    (found,) = [each for each in blocks if holding in each]
    return str(found)


@asynccontextmanager
async def running(*command: str) -> AsyncIterator[asyncio.StreamReader]:
    """Run what a reader would, and read what it prints; ended at the latest on leaving."""
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    try:
        yield process.stdout
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


@pytest.mark.skipif(not shutil.which("curl"), reason="the call is made with curl")
async def test_the_first_message_by_curl(sim: Simulator) -> None:
    script = block("bash", holding="hello_world").replace("http://127.0.0.1:8001", sim.base_url)
    async with running("bash", "-euc", script) as printed:
        assert '"message_status":"accepted"' in (await printed.read()).decode()
    await sim.expect_message(to=ANA, containing="Welcome and congratulations!!", status="read")


@pytest.mark.skipif(not shutil.which("curl"), reason="the calls are made with curl")
async def test_the_two_control_calls(sim: Simulator, graph: "Graph") -> None:
    hi, _ = script = (
        block("bash", holding="/_sim/inbound").replace("http://127.0.0.1:8001", sim.base_url).splitlines()
    )
    async with running("bash", "-euc", hi) as printed:
        assert json.loads(await printed.read())["reached"] is True
    sent = await graph.text("Shall I go on?")
    async with running("bash", "-euc", script[1]) as printed:
        (message,) = json.loads(await printed.read())["messages"]
    assert message["wamid"] == sent.wamid


@pytest.mark.skipif(not shutil.which("node"), reason="the five lines are JavaScript")
async def test_the_five_lines_of_another_language(sim: Simulator) -> None:
    five = block("js", holding="Shall I go on")
    assert len(five.strip().splitlines()) == 5
    await sim.inbound(ANA, text="hi")
    async with running(*NODE, five.replace("http://127.0.0.1:8001", sim.base_url)) as printed:
        wamid = (await printed.read()).decode().strip()
    message = await sim.expect_message(to=ANA, containing="Shall I go on?", status="read")
    assert message["wamid"] == wamid


@pytest.mark.skipif(not shutil.which("node"), reason="the bot is JavaScript")
async def test_the_first_bot() -> None:
    port = free_port()
    config = SimulatorConfig(port=0, webhook_url=f"http://127.0.0.1:{port}/")
    async with Simulator(config) as sim:
        bot = block("js", holding="timingSafeEqual").replace("3000", str(port))
        async with running(*NODE, bot.replace("http://127.0.0.1:8001", sim.base_url)):
            ana = sim.person(ANA)
            await ana.says("hello")
            await ana.hears(containing="You said: hello", timeout_s=30)
            sim.arm(WebhookSignature(how="forged", until_cleared=True))
            wamid = await ana.says("forged")
            forged = await sim.live.until(lambda: attempts_of(sim, wamid), 10)
            assert forged
            assert forged[0]["status_code"] == 401


def attempts_of(sim: Simulator, wamid: str) -> list[dict[str, Any]] | None:
    """Return how often the webhook with this inbound message was posted, once it was."""
    told = [each for each in sim.webhooks() if each["updates"][0]["message_id"] == wamid]
    return told[0]["attempts"] or None if told else None


async def test_pywa_as_shown(sim: Simulator) -> None:
    shown = block("python", holding="import WhatsApp")
    port = f"port={sim.base_url.rpartition(':')[2]}"
    async with running(sys.executable, "-c", shown.replace("port=8001", port)) as printed:
        await printed.read()
    await sim.expect_message(to=ANA, containing="Welcome and congratulations!!")
