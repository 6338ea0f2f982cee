"""``sayso simulator`` as a process: one line, the flags, the environment, a clean end."""

import os
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

RUN = "import typer; from sayso.simulator.command import simulator; typer.run(simulator)"


@contextmanager
def running(*flags: str, **environment: str) -> Iterator[tuple["subprocess.Popen[str]", str]]:
    """Run the command; yield the process and the line it prints."""
    process = subprocess.Popen(
        [sys.executable, "-c", RUN, "--port", "0", *flags],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **environment, "PYTHONUNBUFFERED": "1"},
    )
    assert process.stdout
    try:
        yield process, process.stdout.readline()
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
        with urllib.request.urlopen(f"{found[0]}/_sim/state") as answer:  # noqa: S310  # loopback
            assert answer.status == 200
        process.send_signal(wanted)
        assert process.wait(timeout=20) == 0


def test_flags_and_environment_are_heard() -> None:
    with running("--token", "mine", "--waba-id", "5", SAYSO_SIM_APP_SECRET="whisper") as (_, line):
        assert "token mine" in line
        assert "app secret whisper" in line
        assert "WABA id 5" in line


def test_a_taken_port_is_said_plainly() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        with running("--port", port) as (process, line):
            assert process.wait(timeout=20) == 1
            assert line == ""
            assert process.stderr
            said = process.stderr.read()
    assert f"cannot listen on 127.0.0.1:{port}" in said
    assert "Traceback" not in said
