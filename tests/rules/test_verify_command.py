"""``sayso verify`` and ``sayso keys`` in a terminal of 80 columns: what they say, and how they end."""

import json
from pathlib import Path

import pytest
import typer
from rich.console import Console

from harness import proof
from harness.decisions import ACTION
from harness.proof import AT, Made
from sayso.cli import keys as keys_command
from sayso.cli import verify as command
from sayso.core import keys
from sayso.core.errors import InputInvalidError, SettingError
from sayso.core.settings import TokenSettings


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Made:
    """A receipt, its keys and files of both; commands find the keys in the data directory."""
    folder = tmp_path / "data"
    monkeypatch.setenv("SAYSO_DATA_DIR", str(folder))
    found = proof.receipt(keys.load(TokenSettings(sayso_data_dir=folder), now=lambda: AT))
    (tmp_path / "receipt.jws").write_text(f"{found.jws}\n")
    (tmp_path / "receipt.json").write_text(found.text)
    (tmp_path / "action.json").write_text(json.dumps(ACTION))
    (tmp_path / "jwks.json").write_text(json.dumps(found.jwks))
    return found


@pytest.fixture
def out(monkeypatch: pytest.MonkeyPatch) -> Console:
    console = Console(record=True, width=80, highlight=False)
    monkeypatch.setattr(command, "out", console)
    monkeypatch.setattr(keys_command, "out", console)
    return console


def words(console: Console) -> str:
    return " ".join(console.export_text(clear=False).split())


@pytest.mark.parametrize("form", ["receipt.jws", "receipt.json"])
def test_it_explains_each_check_and_what_the_receipt_says(
    made: Made, out: Console, tmp_path: Path, form: str
) -> None:
    command.verify(tmp_path / form, action=tmp_path / "action.json", audience="bot", env_file=tmp_path / "x")
    shown = out.export_text(clear=False)
    for name in ("signature", "statement", "log", "audience", "action"):
        assert f"✓ {name}" in shown
    assert "· issuer" in shown
    assert ("✓ contents" in shown) is (form == "receipt.json")
    assert ("asked on WhatsApp: +15550001111" in shown) is (form == "receipt.json")
    assert "The person replied to the question at 2026-11-23 05:00:05 UTC: yes." in words(out)
    assert "✓ The receipt holds: confirmed." in shown
    assert max(map(len, shown.splitlines())) <= 80


def test_keys_can_be_named(made: Made, out: Console, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAYSO_DATA_DIR", str(tmp_path / "elsewhere"))
    with pytest.raises(InputInvalidError, match="--jwks"):
        command.verify(tmp_path / "receipt.jws", env_file=tmp_path / "x")
    command.verify(tmp_path / "receipt.jws", jwks=str(tmp_path / "jwks.json"), env_file=tmp_path / "x")
    assert "holds" in words(out)
    assert not (tmp_path / "elsewhere").exists(), "looking makes no keys"


def test_what_does_not_hold_ends_with_one(made: Made, out: Console, tmp_path: Path) -> None:
    (tmp_path / "forged.jws").write_text(made.jws[:-8] + "AAAAAAAA")
    (tmp_path / "other.json").write_text(json.dumps({**ACTION, "action_details": "at 4 PM"}))
    for receipt, options in (
        ("forged.jws", {}),
        ("receipt.jws", {"audience": "other"}),
        ("receipt.jws", {"action": tmp_path / "other.json"}),
        ("receipt.jws", {"issuer": "other"}),
    ):
        with pytest.raises(typer.Exit) as ended:
            command.verify(tmp_path / receipt, env_file=tmp_path / "x", **options)
        assert ended.value.exit_code == 1
        assert words(out).endswith("✗ The receipt does not hold.")


@pytest.mark.parametrize("content", ["{}", "{", '{"receipt": 1}'])
def test_what_is_no_receipt_cannot_be_looked_at(
    made: Made, out: Console, tmp_path: Path, content: str
) -> None:
    (tmp_path / "odd.json").write_text(content)
    with pytest.raises(InputInvalidError, match="is no receipt"):
        command.verify(tmp_path / "odd.json", env_file=tmp_path / "x")


def test_what_cannot_be_read_is_said(made: Made, tmp_path: Path) -> None:
    for given in (
        {"receipt": tmp_path / "none"},
        {"receipt": tmp_path / "receipt.jws", "jwks": str(tmp_path / "receipt.jws")},
        {"receipt": tmp_path / "receipt.jws", "action": tmp_path / "receipt.jws"},
    ):
        with pytest.raises((InputInvalidError, SettingError)):
            command.verify(**given, env_file=tmp_path / "x")


@pytest.mark.parametrize("written", ["{}", "[]", '{"keys": [{"crv": "Ed25519"}]}'])
def test_what_holds_no_public_keys_is_said_in_words(made: Made, tmp_path: Path, written: str) -> None:
    (tmp_path / "odd.json").write_text(written)
    with pytest.raises(InputInvalidError) as refused:
        command.verify(tmp_path / "receipt.jws", jwks=str(tmp_path / "odd.json"), env_file=tmp_path / "x")
    assert refused.value.detail == (
        f"{tmp_path / 'odd.json'} holds no set of public keys (JWKS): "
        "it takes a list `keys` of public keys, each with its `kid`."
    )


@pytest.mark.parametrize("written", ["null", "[]", '"x"', '{"action_details": "at 4 PM", '])
def test_what_is_no_action_or_two_in_one_is_not_taken_for_the_confirmed_one(
    made: Made, tmp_path: Path, written: str
) -> None:
    whole = json.dumps(ACTION)
    (tmp_path / "odd.json").write_text(written if written[0] != "{" else written + whole[1:])
    with pytest.raises(InputInvalidError, match=r"holds no action|“action_details” twice"):
        command.verify(tmp_path / "receipt.jws", action=tmp_path / "odd.json", env_file=tmp_path / "x")


def test_keys_are_listed_and_rotated_and_the_receipt_goes_on_verifying(
    made: Made, out: Console, tmp_path: Path
) -> None:
    old = made.jwks["keys"][0]["kid"]
    keys_command.rotate(env_file=tmp_path / "x")
    keys_command.list_keys(env_file=tmp_path / "x")
    lines = out.export_text(clear=False).splitlines()
    does = [line.split()[-1] for line in lines if line.rstrip().endswith(("  signs", "  verifies"))]
    assert does == ["signs", "verifies"]
    assert any(old in line and "verifies" in line for line in lines)
    command.verify(tmp_path / "receipt.jws", env_file=tmp_path / "x")
    assert "holds" in words(out)


def test_keys_that_were_never_made_are_neither_listed_nor_rotated(
    out: Console, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SAYSO_DATA_DIR", str(tmp_path / "none"))
    for act in (keys_command.list_keys, keys_command.rotate):
        with pytest.raises(InputInvalidError, match="a service makes them"):
            act(env_file=tmp_path / "x")
    assert not (tmp_path / "none").exists()
