"""A service leaves a note of itself where it runs; commands find it there, and nothing that is over or secret."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.service import settings
from sayso.cli import database, running
from sayso.core.errors import SettingError
from sayso.core.settings import Settings, load_settings

SECRETS = ("sim-token", "sim-secret", "sim-verify", "hunter2", "a-secret-for-tests", "a-key-for-tests")


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a folder of its own, with nothing set."""
    for name in list(os.environ):
        if name.upper().startswith(("WHATSAPP_", "SAYSO_")) or name.upper() == "DATABASE_URL":
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def of_file(name: str = "elsewhere.env", **changes: str) -> Settings:
    """The settings of a service that read them from a file of this name."""
    given = {
        "WHATSAPP_ACCESS_TOKEN": "sim-token",
        "WHATSAPP_PHONE_NUMBER_ID": "100000000000001",
        "WHATSAPP_BUSINESS_ACCOUNT_ID": "200000000000001",
        "WHATSAPP_VERIFY_TOKEN": "sim-verify",
        "WHATSAPP_WEBHOOK_SECRET": "sim-secret",
        "SAYSO_DATA_DIR": "far",
        **changes,
    }
    Path(name).write_text("".join(f"{name}={value}\n" for name, value in given.items()), "utf-8")
    return load_settings(Path(name))


def notes() -> list[Path]:
    return sorted(Path.cwd().glob(".sayso-*"))


def test_a_command_that_names_none_means_the_service_that_runs_here(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with running.noted(of_file()):
        found = database.settings_for(running.ENV_FILE, Settings)
        assert found.sayso_data_dir == Path.cwd() / "far"
        assert found.whatsapp_access_token.get_secret_value() == "sim-token"
        assert capsys.readouterr().err == (
            f"sayso: speaking to the service that runs here (process {os.getpid()}, data in far).\n"
        )
        assert database.token_settings(running.ENV_FILE, say=False).sayso_data_dir == Path.cwd() / "far"
    assert notes() == []
    assert running.chosen(running.ENV_FILE) is None


def test_files_that_a_command_reads_itself_are_those_its_environment_names(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with running.noted(of_file(SAYSO_TEMPLATES_DIR="theirs", SAYSO_CONTACT="help@example.com")):
        monkeypatch.setenv("SAYSO_TEMPLATES_DIR", "mine")
        monkeypatch.setenv("SAYSO_CONTACT", "somebody else")
        found = database.settings_for(running.ENV_FILE, Settings)
    assert found.sayso_templates_dir == Path("mine")
    assert found.sayso_contact == "help@example.com"
    assert found.sayso_data_dir == Path.cwd() / "far"


def test_the_note_is_private_and_holds_no_secret() -> None:
    configured = settings(
        "postgresql://me:hunter2@db/x",
        base_url="http://x",
        data_dir=Path("far"),
        sayso_contact="help@example.com",
    )
    with running.noted(configured):
        [path] = notes()
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        text = path.read_text("utf-8")
        assert "help@example.com" in text
        assert [secret for secret in SECRETS if secret in text] == []
        with pytest.raises(SettingError, match="DATABASE_URL and SAYSO_CONSENT_KEY came by its environment"):
            database.settings_for(running.ENV_FILE)


def test_a_note_that_a_killed_service_left_is_removed_and_not_believed() -> None:
    with running.noted(of_file()):
        [path] = notes()
        left = path.read_text("utf-8")
    path.write_text(left, "utf-8")
    assert running.found() == []
    assert notes() == []


def test_what_is_no_note_is_not_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running.Note, "written", lambda _self: '{"pid": 1}')
    with running.noted(of_file()):
        assert running.found() == []
        assert len(notes()) == 1


@pytest.mark.parametrize("name", ["SAYSO_DATA_DIR", "DATABASE_URL", "WHATSAPP_BASE_URL"])
def test_who_sets_an_installation_means_that_one(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    with running.noted(of_file()):
        assert running.chosen(running.ENV_FILE) is not None
        assert running.chosen(Path("another.env")) is None
        monkeypatch.setenv(name, "")
        assert running.chosen(running.ENV_FILE) is not None
        monkeypatch.setenv(name, "something")
        assert running.chosen(running.ENV_FILE) is None
        monkeypatch.delenv(name)
        running.ENV_FILE.touch()
        assert running.chosen(running.ENV_FILE) is None


def test_of_two_that_run_here_one_has_to_be_named() -> None:
    with running.noted(of_file()), running.noted(of_file()):  # two processes of one installation
        assert running.chosen(running.ENV_FILE) is not None
        with (
            running.noted(of_file("third.env", SAYSO_DATA_DIR="near")),
            pytest.raises(SettingError, match=r"--env-file .*elsewhere\.env, or --env-file .*third\.env"),
        ):
            running.chosen(running.ENV_FILE)


def test_a_folder_that_cannot_be_written_is_no_reason_not_to_run(monkeypatch: pytest.MonkeyPatch) -> None:
    configured = of_file()

    def refuses(**_options: object) -> Iterator[None]:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("sayso.cli.running.tempfile.mkstemp", refuses)
    with running.noted(configured):
        assert notes() == []


def looked(env_file: Path = running.ENV_FILE) -> str:
    """What a command says that looks where no database is."""

    async def never(_rt: object) -> None:
        raise AssertionError("there was a database")

    with pytest.raises(SettingError) as caught:
        database.with_runtime(env_file, never)
    return caught.value.detail


def test_without_a_database_a_command_says_what_to_do_and_makes_none() -> None:
    said = looked()
    assert said.startswith(f"There is no database in {Path.cwd() / 'data'}: no service has run with it yet. ")
    assert "serve` or `make demo` makes one" in said
    assert list(Path.cwd().iterdir()) == []


def test_without_a_database_what_else_runs_or_was_left_here_is_named() -> None:
    running.ENV_FILE.touch()
    with running.noted(of_file()):
        assert (
            f"One runs here with other settings; to look at that: --env-file {Path.cwd() / 'elsewhere.env'}."
            in looked()
        )
    left = Path("data/demo/demo.env")
    left.parent.mkdir(parents=True)
    left.touch()
    assert "To look at what `make demo` left: --env-file data/demo/demo.env." in looked()


def test_nothing_is_sealed_with_another_key() -> None:
    async def never(_rt: object) -> None:
        raise AssertionError("there was a database")

    configured = Path("here.env")
    configured.write_text("DATABASE_URL=postgresql://nobody@127.0.0.1:1/x\n", "utf-8")
    with pytest.raises(SettingError, match="neither SAYSO_CONSENT_KEY nor data/consent-key"):
        database.with_runtime(configured, never, seals=True)
    assert not Path("data").exists()
