"""``sayso simulator`` as a process: what it says, the flags, the environment, a snapshot, a clean end."""

import http.client
import json
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import pytest

from sayso.simulator.config import ConfigError, SimulatorConfig

RUN = "import typer; from sayso.simulator.command import simulator; typer.run(simulator)"


def said_by(out: IO[str]) -> Iterator[str]:
    """Read up to the end of the line to try."""
    for line in out:
        yield line
        if line.endswith("}}}'\n"):
            return


@contextmanager
def running(*flags: str, **environment: str) -> Iterator[tuple["subprocess.Popen[str]", str]]:
    """Run the command; yield the process and what it says at the start, "" when it ends instead."""
    process = subprocess.Popen(
        [sys.executable, "-c", RUN, "--port", "0", *flags],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **environment, "PYTHONUNBUFFERED": "1"},
    )
    assert process.stdout
    try:
        yield process, "".join(said_by(process.stdout))
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


@pytest.mark.parametrize("wanted", [signal.SIGTERM, signal.SIGINT])
def test_prints_where_it_is_and_ends_cleanly(wanted: signal.Signals) -> None:
    with running() as (process, line):
        found = re.search(r"http://127\.0\.0\.1:\d+", line)
        assert found, line
        for credential in ("sim-token", "sim-secret", "sim-verify", "100000000000001", "200000000000001"):
            assert credential in line
        assert f"{found[0]}/desk\n" in line
        assert "reviewed after 2 s; --review moderator to do it yourself" in line
        with urllib.request.urlopen(f"{found[0]}/_sim/state") as answer:  # noqa: S310  # loopback
            assert answer.status == 200
        process.send_signal(wanted)
        assert process.wait(timeout=20) == 0


def test_flags_and_environment_are_heard() -> None:
    flags = ("--token", "mine", "--waba-id", "5", "--webhook-url", "", "--seed", "7", "--batch", "9")
    with running(*flags, SAYSO_SIM_APP_SECRET="whisper", SAYSO_SIM_TIER="TIER_2K") as (_, said):
        for words in ("mine", "app secret whisper", "WABA id 5", "to nobody yet"):
            assert words in said
        assert control(said, "/accounts")["portfolios"][0]["tier"] == "TIER_2K"


def test_the_line_to_try_works_as_it_stands() -> None:
    with running() as (_, said):
        url, *_, body = words = shlex.split(said.partition("curl ")[2])
        headers = dict(each.split(": ") for each in words if ": " in each and not each.startswith("{"))
        with urllib.request.urlopen(urllib.request.Request(url, body.encode(), headers)) as answer:  # noqa: S310
            assert json.load(answer)["messages"][0]["message_status"] == "accepted"


def test_help_fits_a_narrow_terminal() -> None:
    shown = subprocess.run(
        [sys.executable, "-c", RUN, "--help"],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "COLUMNS": "80"},
    ).stdout
    assert "…" not in shown, "nothing is cut off"
    for flag in ("--snapshot", "--review", "--refuse-at-once", "--no-enforce-rates", "--allow-host"):
        assert flag in shown
    for default in ("http://127.0.0.1:8000/api/v1/whatsapp/webhook", "delayed (2 s)"):
        assert default in shown


@pytest.mark.parametrize(
    ("review", "words"), [("instant", "at once; --review"), ("moderator", "by you, at the Desk")]
)
def test_it_says_how_templates_are_reviewed(review: str, words: str) -> None:
    with running("--review", review) as (_, said):
        assert f"reviewed {words}" in said


def test_a_snapshot_is_written_at_the_end_and_gone_on_from(tmp_path: Path) -> None:
    file = tmp_path / "world.json"
    with running("--snapshot", str(file)) as (process, said):
        wamid = control(said, "/inbound", {"from": "+15550009999", "text": "hi"})["wamid"]
        control(said, "/clock", {"freeze": True})
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=20) == 0
    with running("--snapshot", str(file)) as (_, said):
        assert control(said, "/clock")["frozen"] is True
        reply = control(said, "/inbound", {"from": "+15550009999", "text": "again", "quote": wamid})
        assert reply["reached"] is True
        assert control(said, "/snapshot", {}) == {"saved": str(file)}


def test_calls_that_wait_keep_neither_the_end_nor_the_snapshot(tmp_path: Path) -> None:
    file = tmp_path / "world.json"
    with running("--snapshot", str(file)) as (process, said):
        waiting = http.client.HTTPConnection(said.partition("Phones")[2].split()[0].split("/")[2])
        waiting.request("GET", "/_sim/messages?containing=never&wait_s=60")
        wamid = control(said, "/inbound", {"from": "+15550009999", "text": "hi"})["wamid"]
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=20) == 0
        with pytest.raises(http.client.RemoteDisconnected):
            waiting.getresponse()
    assert wamid in file.read_text()


def test_a_file_that_is_no_snapshot_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "letter.txt"
    file.write_text("Dear Ana")
    with running("--snapshot", str(file)) as (process, said):
        assert (process.wait(timeout=20), said) == (2, "")
        assert process.stderr
        assert "not a snapshot" in process.stderr.read()
    assert file.read_text() == "Dear Ana"


def test_a_snapshot_that_could_not_be_written_at_the_end_is_refused_at_the_start(tmp_path: Path) -> None:
    file = tmp_path / "nowhere" / "world.json"
    with running("--snapshot", str(file)) as (process, said):
        assert said == ""
        assert process.wait(timeout=20) == 2
        assert process.stderr
        assert process.stderr.read() == f"The simulator cannot use {file}: No such file or directory.\n"
    assert list(tmp_path.iterdir()) == []


def test_a_taken_port_is_said_plainly() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        with running("--port", port) as (process, line):
            assert process.wait(timeout=20) == 2, "as `sayso serve`"
            assert line == ""
            assert process.stderr
            said = process.stderr.read()
    assert f"cannot listen on 127.0.0.1:{port}" in said
    assert "Traceback" not in said


@pytest.mark.parametrize(
    ("flag", "value", "words"),
    [
        (
            "--webhook-url",
            "nonsense",
            'must be an address such as http://127.0.0.1:3000/webhook; it is "nonsense".',
        ),
        ("--business-number", "123", "must be a number in international form"),
        ("--phone-number-id", "abc", "must be digits"),
        ("--webhook-version", "25", 'must be a version such as v25.0; it is "25".'),
    ],
)
def test_a_value_that_cannot_be_is_said_in_one_sentence(flag: str, value: str, words: str) -> None:
    with running(flag, value) as (process, said):
        assert (process.wait(timeout=20), said) == (2, "")
        assert process.stderr
        refusal = process.stderr.read()
    assert refusal.startswith(f"{flag} {words}")
    assert refusal.count("\n") == 1


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("token", "", "must not be empty."),
        ("app_secret", "", "must not be empty."),
        ("verify_token", "", "must not be empty."),
        ("waba_id", "100000000000001", "must be an id of its own; 100000000000001 is the phone_number_id."),
        ("app_id", "200000000000001", "must be an id of its own; 200000000000001 is the waba_id."),
    ],
)
def test_what_nobody_could_call_is_refused(field: str, value: str, words: str) -> None:
    with pytest.raises(ConfigError) as refused:
        SimulatorConfig(**{field: value})  # type: ignore[arg-type]
    assert (refused.value.field, refused.value.words) == (field, words)


def control(said: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    """Call the control API of the process that said this."""
    base_url = said.partition("Phones")[2].split()[0]
    data = None if body is None else json.dumps(body).encode() if body else b""
    with urllib.request.urlopen(f"{base_url}_sim{path}", data) as answer:  # noqa: S310  # loopback
        answered: dict[str, Any] = json.load(answer)
        return answered
