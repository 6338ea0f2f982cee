"""The manual of the simulator leaves nothing out: every flag, call, fault and section of the wire contract."""

import re
from pathlib import Path

import aiohttp
import pytest
import typer.main

from sayso.simulator import Simulator
from sayso.simulator.command import simulator

FOLDER = Path(__file__).parents[2] / "docs"
DOCS = (FOLDER / "simulator.md").read_text("utf-8")
CONTROL = (FOLDER / "simulator-control.md").read_text("utf-8")

#: Every section of the wire-contract sheet that says how the platform behaves.
SECTIONS = [
    *(f"1.{n}" for n in range(1, 4)),
    *(f"2.{n}" for n in range(1, 10)),
    *(f"3.{n}" for n in range(1, 9)),
    *(f"4.{n}" for n in range(1, 12)),
    *(f"5.{n}" for n in (1, 3)),
    "6",
    *(f"7.{n}" for n in range(1, 8)),
    *(f"8.{n}" for n in range(1, 7)),
    "9",
]


def sections_told() -> set[str]:
    """Collect the sections in the last column of the two tables, ranges such as `2.1 to 2.5` unfolded."""
    told: set[str] = set()
    for row in re.findall(r"^\|.*\| ([\d., to]+) \|$", DOCS, re.MULTILINE):
        for first, last in re.findall(r"(\d(?:\.\d+)?)(?: to (\d\.\d+))?", row):
            chapter, _, number = first.partition(".")
            end = int(last.split(".")[1]) if last else int(number or 0)
            told |= {f"{chapter}.{n}" if number else chapter for n in range(int(number or 0), end + 1)}
    return told


@pytest.mark.parametrize("section", SECTIONS)
def test_every_section_is_simulated_or_said_not_to_be(section: str) -> None:
    assert section in sections_told()


def test_no_section_is_made_up() -> None:
    assert sections_told() <= {*SECTIONS, "5.2"}


def test_every_flag_is_told() -> None:
    app = typer.Typer(add_completion=False)
    app.command()(simulator)
    command = typer.main.get_command(app)
    flags = {flag for option in command.params for flag in (*option.opts, *option.secondary_opts)}
    missing = {flag for flag in flags - {"--help"} if f"`{flag}`" not in DOCS}
    assert not missing


async def test_every_control_call_is_told(sim: Simulator) -> None:
    async with aiohttp.ClientSession() as session, session.get(f"{sim.base_url}/_sim") as answer:
        calls = [each["call"] for each in (await answer.json())["calls"]]
    assert len(calls) > 40
    paths = {call.split()[1].removeprefix("/_sim").split("?")[0] for call in calls}
    missing = {path for path in paths if path.rsplit("/", 1)[-1] not in CONTROL}
    assert not missing


async def test_every_kind_of_fault_is_told(sim: Simulator) -> None:
    async with aiohttp.ClientSession() as session, session.get(f"{sim.base_url}/_sim/faults") as answer:
        kinds = {each["kind"]: each["keys"] for each in (await answer.json())["kinds"]}
    assert {kind for kind in kinds if f'"kind":"{kind}"' not in CONTROL} == set()
    assert {key for keys in kinds.values() for key in keys if key not in CONTROL} == set()
