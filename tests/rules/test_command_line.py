"""What ``sayso`` says of itself, and of what is mistyped."""

import re
import sys
from importlib.metadata import version

import pytest

from sayso.cli import main


def said(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], *words: str
) -> tuple[int, str, str]:
    """Run ``sayso`` with these words; return its exit code, and what it wrote to either stream."""
    monkeypatch.setattr(sys, "argv", ["sayso", *words])
    with pytest.raises(SystemExit) as ended:
        main()
    out, err = capfd.readouterr()
    return int(ended.value.code or 0), out, err


def test_the_version_is_that_of_the_package(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    assert said(monkeypatch, capfd, "--version") == (0, f"sayso {version('sayso')}\n", "")


def test_it_lists_the_commands(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    code, out, _ = said(monkeypatch, capfd, "--help")
    assert code == 0
    for command in ("demo", "serve", "token", "simulator", "--version"):
        assert re.search(rf"^\W*{command} ", out, re.MULTILINE), command
