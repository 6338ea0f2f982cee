"""What docs/simulator.md says to paste works when it is pasted."""

import asyncio
import json
import re
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from harness.world import free_port
from sayso.simulator import Simulator, SimulatorConfig
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
        assert '"reached":true' in (await printed.read()).decode()
    sent = await graph.text("Shall I go on?")
    async with running("bash", "-euc", script[1]) as printed:
        (message,) = json.loads(await printed.read())["messages"]
    assert message["wamid"] == sent.wamid


@pytest.mark.skipif(not shutil.which("node"), reason="the five lines are JavaScript")
async def test_the_five_lines_of_another_language(sim: Simulator) -> None:
    five = block("js", holding="fetch(")
    assert len(five.strip().splitlines()) == 5
    await sim.inbound(ANA, text="hi")
    async with running(*NODE, five.replace("http://127.0.0.1:8001", sim.base_url)) as printed:
        wamid = (await printed.read()).decode().strip()
    message = await sim.expect_message(to=ANA, containing="Shall I go on?", status="read")
    assert message["wamid"] == wamid


@pytest.mark.skipif(not shutil.which("node"), reason="the receiver is JavaScript")
async def test_the_receiver_in_another_language() -> None:
    port = free_port()
    receiver = block("js", holding="createServer(").replace("3000", str(port))
    config = SimulatorConfig(port=0, webhook_url=f"http://127.0.0.1:{port}/")
    async with running(*NODE, receiver) as printed, Simulator(config) as sim:
        assert await sim.live.until(
            lambda: sim.state()["webhooks"]["verification"] == "verified" or None, timeout_s=30
        )
        wamid = await sim.inbound(ANA, text="hi")
        assert wamid in (await printed.readline()).decode().replace("\\/", "/")
        await sim.settled()
