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


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("simulator", "--port", "70000"), "--port must be at most 65535; it is 70000."),
        (("simulator", "--port", "x"), '--port must be a whole number; it is "x".'),
        (("simulator", "--batch", "0"), "--batch must be at least 1; it is 0."),
        (("simulator", "--seed", "x"), '--seed must be a whole number; it is "x".'),
        (
            ("simulator", "--review", "moderater"),
            '--review cannot be "moderater"; did you mean `moderator`? Known here: `instant`, `delayed`, `moderator`.',
        ),
        (
            ("simulator", "--webhook-version", "25"),
            '--webhook-version must be a version such as v25.0; it is "25".',
        ),
        (("serve", "--port", "soon"), '--port must be a whole number; it is "soon".'),
    ],
)
def test_a_value_that_cannot_be_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], words: tuple[str, ...], sentence: str
) -> None:
    assert said(monkeypatch, capfd, *words) == (2, "", f"{sentence}\n")


def test_a_value_from_the_environment_is_held_to_the_same(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SAYSO_SIM_PORT", "-1")
    assert said(monkeypatch, capfd, "simulator") == (2, "", "--port must be at least 0; it is -1.\n")


def test_what_is_no_flag_is_refused(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    code, _, err = said(monkeypatch, capfd, "simulator", "--prot", "1")
    assert (code, "--prot" in err) == (2, True)
