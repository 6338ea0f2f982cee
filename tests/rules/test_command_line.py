"""What ``sayso`` says of itself, and of what is mistyped."""

import re
import sys
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any, get_args

import pytest
import typer
from typer.core import TyperGroup

from sayso.cli import main
from sayso.cli.main import app
from sayso.consent.rules import CATEGORIES
from sayso.messages.views import State


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
        (("serve", "--port", "70000"), "--port must be at most 65535; it is 70000."),
        (("demo", "--simulator-port", "0"), "--simulator-port must be at least 1; it is 0."),
        (
            ("consent", "policy", "summary"),
            f"sayso: There is no category 'summary'; there are: {', '.join(CATEGORIES)}; do you mean daily_summary?",
        ),
        (
            ("consent", "policy", "marketing", "--opt-in"),
            "sayso: Say why, with --reason: it is kept beside the switch.",
        ),
        (("consent", "policy", "marketing", "--reason", "x"), "sayso: Say --opt-in or --no-opt-in, too."),
        (
            ("consent", "policy", "--no-opt-in", "--reason", "x"),
            "sayso: Which category? Name one of: confirmations, notifications, daily_summary, marketing.",
        ),
        *(
            (
                ("consent", *words),
                f"sayso: {words[-2]} is blank, and is kept as evidence.",
            )
            for words in (
                ("grant", "+15550001111", "--evidence", "form 7", "--wording", " "),
                ("grant", "+15550001111", "--wording", "Yes.", "--evidence", ""),
                ("revoke", "+15550001111", "--reason", " "),
                ("correct", "con_1", "--reason", ""),
            )
        ),
        (
            ("messages", "tail", "--state", "gone"),
            f"sayso: There is no state 'gone'; there are: {', '.join(get_args(State))}.",
        ),
        (
            ("messages", "tail", "--state", "delivred"),
            f"sayso: There is no state 'delivred'; there are: {', '.join(get_args(State))}; do you mean delivered?",
        ),
        (
            ("messages", "settle", "msg_1", "--as", "arrived"),
            "sayso: There is no settling as 'arrived'; there are: delivered, failed, retry.",
        ),
        (
            ("listen", "--client", "bot", "--url", "127.0.0.1:8000"),
            "sayso: --url takes an address such as http://127.0.0.1:8000, not '127.0.0.1:8000'.",
        ),
        (
            ("listen", "--client", "bot", "--forward-to", "localhost:3000"),
            "sayso: --forward-to takes an address such as http://127.0.0.1:8000, not 'localhost:3000'.",
        ),
        (
            ("verify", "none.json", "--jwks", "none.jwks"),
            "sayso: none.jwks cannot be read: there is no such file.",
        ),
        (
            ("verify", "none.json", "--jwks", "http://127.0.0.1:1/jwks.json"),
            "sayso: The keys cannot be had from http://127.0.0.1:1/jwks.json: nobody listens there.",
        ),
        (
            ("policy", "check", "--file", "none.toml"),
            "sayso: none.toml cannot be read: there is no such file.",
        ),
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


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (
            ("--scope", "message:send"),
            r"Unknown scope message:send; there are: .*; do you mean messages:send\?",
        ),
        (("--scope", ""), "A token without a scope opens nothing"),
        (("--ttl", "900d"), "A token lives between"),
        (("--client", " "), "A token speaks for somebody"),
    ],
)
def test_a_token_that_nobody_should_have_leaves_no_key_behind(
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    tmp_path: Path,
    words: tuple[str, ...],
    says: str,
) -> None:
    env_file = tmp_path / "env"
    env_file.write_text(f"SAYSO_DATA_DIR={tmp_path / 'data'}\n", "utf-8")
    given = ("token", "--user", "alice", "--client", "bot", *words, "--env-file", str(env_file))
    code, out, err = said(monkeypatch, capfd, *given)
    assert (code, out) == (2, "")
    assert re.match(f"sayso: {says}", err), err
    assert not (tmp_path / "data").exists()


def test_who_listens_where_no_key_is_makes_none(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    env_file = tmp_path / "env"
    env_file.write_text(f"SAYSO_DATA_DIR={tmp_path / 'data'}\n", "utf-8")
    code, _, err = said(monkeypatch, capfd, "listen", "--client", "bot", "--env-file", str(env_file))
    assert code == 2
    assert err.startswith(
        f"sayso: There is no key to make a token with in {tmp_path / 'data'}. Run this in the folder"
    )
    assert not (tmp_path / "data").exists()


def commands(group: Any, *path: str) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every command with the words that call it."""
    for name, command in group.commands.items():
        if isinstance(command, TyperGroup):
            yield from commands(command, *path, name)
        else:
            yield (*path, name), command


PAGES = sorted([*Path(__file__).parents[2].glob("*.md"), *Path(__file__).parents[2].glob("docs/*.md")])
COMMANDS = dict(commands(typer.main.get_command(app)))


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_every_command_says_what_it_does_and_what_each_word_means(words: tuple[str, ...]) -> None:
    command = COMMANDS[words]
    assert command.help.strip().split("\n\n")[0].rstrip().endswith((".", "…")), command.help
    assert [each.name for each in command.params if not each.help] == []


#: Those that look into the database and need nothing else.
LOOKING = [
    words for words in COMMANDS if words[0] in ("messages", "consent", "people") and words[-1] != "import"
]


def filled(words: tuple[str, ...]) -> tuple[str, ...]:
    """A command with whatever it needs to be typed."""
    given = list(words)
    for each in COMMANDS[words].params:
        if each.required:
            given += [each.opts[0], "x"] if each.param_type_name == "option" else ["+15550001111"]
    if words == ("messages", "retry"):
        given.append("msg_1")
    if words == ("messages", "settle"):
        given[-1] = "delivered"
    return tuple(given)


@pytest.mark.parametrize("words", LOOKING, ids=" ".join)
def test_a_command_whose_database_is_away_says_so_in_one_sentence(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path, words: tuple[str, ...]
) -> None:
    key = "SAYSO_CONSENT_KEY=" + "k" * 32
    env_file = tmp_path / "env"
    env_file.write_text(f"DATABASE_URL=postgresql://nobody@127.0.0.1:1/x\n{key}\n", "utf-8")
    code, out, err = said(monkeypatch, capfd, *filled(words), "--env-file", str(env_file))
    assert (code, out) == (2, "")
    assert re.fullmatch(r"sayso: The database does not answer: .*is the URL right\?\n", err), err


@pytest.mark.parametrize("words", LOOKING, ids=" ".join)
def test_a_command_without_a_database_makes_none(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path, words: tuple[str, ...]
) -> None:
    env_file = tmp_path / "env"
    env_file.write_text(f"SAYSO_DATA_DIR={tmp_path / 'data'}\n", "utf-8")
    code, out, err = said(monkeypatch, capfd, *filled(words), "--env-file", str(env_file))
    assert (code, out) == (2, "")
    assert err.startswith(f"sayso: There is no database in {tmp_path / 'data'}: ")
    assert err.count("\n") == 1
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_command_that_is_there_to_be_pasted_is_found_where_it_was_installed(page: Path) -> None:
    """Nobody is told to activate anything first."""
    blocks = re.findall(r"^ *```(\w*)\n(.*?)^ *```$", page.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    pasted = "\n".join(block for language, block in blocks if language in ("", "bash", "sh", "console"))
    assert re.findall(r"(?m)^.*(?<![\w./-])sayso (?:[a-z]+|--).*$", pasted) == []
