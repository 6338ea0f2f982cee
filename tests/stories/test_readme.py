"""What the README says to paste works when it is pasted."""

import asyncio
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from harness.service import token

README = (Path(__file__).parents[2] / "README.md").read_text("utf-8")
ALICE = "+15550001111"


def _blocks(language: str, *, holding: str) -> list[str]:
    blocks = re.findall(rf"^```{language}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
    return [block for block in blocks if holding in block]


async def _shell(script: str, **variables: str) -> str:
    """Run what a reader would paste; fails as the shell does."""
    process = await asyncio.create_subprocess_exec(
        "bash",
        "-euo",
        "pipefail",
        "-c",
        script.replace("curl ", "curl --silent --show-error --fail-with-body "),
        env={"PATH": "/usr/local/bin:/usr/bin:/bin", **variables},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    out, _ = await process.communicate()
    assert process.returncode == 0, out.decode()
    return out.decode()


@pytest.fixture(autouse=True)
async def _opt_ins_are_needed(world: Any) -> None:
    """As on a reader's machine: nobody is asked or notified without an opt-in."""
    await world.needs_opt_ins()


@pytest.mark.skipif(not shutil.which("curl"), reason="the README's calls are made with curl")
async def test_the_curl_calls_of_the_readme_do_what_it_says(world: Any) -> None:
    link, opt_in, ask, look, send, verify, stats = (
        block.replace("http://127.0.0.1:8000", world.api.url) for block in _blocks("bash", holding="curl ")
    )
    await _shell(link, TOKEN=token())
    with pytest.raises(AssertionError, match="consent_missing"):
        await _shell(ask, TOKEN=token())
    assert '"state":"recorded"' in await _shell(opt_in, TOKEN=token())
    asked = await _shell(ask, TOKEN=token())
    found = re.search(r'"id":"(cnf_\w+)"', asked)
    assert found, asked
    prompt = await world.sim.expect_message(to=ALICE, containing="schedule a meeting")
    await world.sim.tap(ALICE, prompt["wamid"], 0)
    looked = await _shell(look.replace("cnf_…", found[1]), TOKEN=token())
    assert '"outcome":"confirmed"' in looked
    assert '"state":"queued"' in await _shell(send, TOKEN=token())
    await world.sim.expect_message(to="+1234567890", containing="Hello from AI Assistant!")
    assert await _shell(verify) == "1158201444"
    with pytest.raises(AssertionError, match="operate"):
        await _shell(stats, OPERATOR=token())
    assert '"messages"' in await _shell(stats, OPERATOR=token(scopes=("operate",)))


async def test_the_five_lines_of_the_readme_ask_and_print_the_outcome(
    world: Any, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOKEN", token())
    (five,) = _blocks("python", holding="sayso.client")
    await world.api.link(ALICE)
    await world.opts_in()

    async def tap() -> None:
        prompt = await world.sim.expect_message(to=ALICE, containing="schedule a meeting")
        await world.sim.tap(ALICE, prompt["wamid"], 0)

    program = compile(five.replace("http://127.0.0.1:8000", world.api.url), "README.md", "exec")
    names: dict[str, Any] = {}
    await asyncio.gather(asyncio.to_thread(exec, program, names), tap())
    assert capsys.readouterr().out.strip().endswith("confirmed")
    names["sayso"].close()
