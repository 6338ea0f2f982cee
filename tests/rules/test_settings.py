"""Settings are complete, checked at once, and explained."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from sayso.core.errors import SettingError
from sayso.core.settings import Settings, jwt_secret, load_settings, reread_token

SIMULATOR = {
    "WHATSAPP_ACCESS_TOKEN": "sim-token",
    "WHATSAPP_PHONE_NUMBER_ID": "100000000000001",
    "WHATSAPP_BUSINESS_ACCOUNT_ID": "200000000000001",
    "WHATSAPP_VERIFY_TOKEN": "sim-verify",
    "WHATSAPP_WEBHOOK_SECRET": "sim-secret",
}


@pytest.fixture(autouse=True)
def _empty_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.upper().startswith(("WHATSAPP_", "SAYSO_")) or name.upper() == "DATABASE_URL":
            monkeypatch.delenv(name)


def env_file(tmp_path: Path, **changes: str) -> Path:
    path = tmp_path / ".env"
    path.write_text("".join(f"{name}={value}\n" for name, value in {**SIMULATOR, **changes}.items()))
    return path


def test_the_guides_five_names_are_enough(tmp_path: Path) -> None:
    settings = load_settings(env_file(tmp_path))
    assert settings.whatsapp_access_token.get_secret_value() == "sim-token"
    assert settings.whatsapp_api_version == "v25.0"
    assert settings.whatsapp_base_url == "https://graph.facebook.com"
    assert (settings.sayso_host, settings.sayso_port) == ("127.0.0.1", 8000)
    assert settings.warnings() == []


def test_the_example_file_is_a_working_one(tmp_path: Path) -> None:
    example = Path(__file__).parents[2] / ".env.example"
    assert load_settings(example).whatsapp_base_url == "http://127.0.0.1:8001"


def test_the_environment_wins_over_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAYSO_PORT", "9000")
    assert load_settings(env_file(tmp_path, SAYSO_PORT="7000")).sayso_port == 9000


def test_everything_missing_is_named_at_once_with_where_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(SettingError) as caught:
        load_settings(tmp_path / "none")
    assert {fault.pointer for fault in caught.value.faults} == set(SIMULATOR)
    assert "WHATSAPP_PHONE_NUMBER_ID is missing: Meta App Dashboard -> WhatsApp" in caught.value.detail
    assert "with the simulator it is 100000000000001." in caught.value.detail


def test_where_there_is_no_file_of_settings_the_example_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingError) as caught:
        load_settings(tmp_path / "none")
    last = caught.value.detail.splitlines()[-1]
    assert last.startswith(f"There is no file {tmp_path / 'none'}: copy .env.example to it")
    (tmp_path / "none").touch()
    with pytest.raises(SettingError) as caught:
        load_settings(tmp_path / "none")
    assert ".env.example" not in caught.value.detail


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("WHATSAPP_PHONE_NUMBER_ID", "+15550001111", "must be digits only"),
        ("WHATSAPP_BUSINESS_ACCOUNT_ID", "x", "must be digits only"),
        ("WHATSAPP_WEBHOOK_SECRET", "", "is missing"),
        ("WHATSAPP_WEBHOOK_SECRET", "your_webhook_secret", "still holds the placeholder"),
        ("WHATSAPP_API_VERSION", "25", "must look like v25.0"),
        ("WHATSAPP_BASE_URL", "https://graph.facebook.com/", "not end with a slash"),
        ("WHATSAPP_BASE_URL", "graph.facebook.com", "must start with https://"),
        ("SAYSO_PORT", "0", "must be at least 1"),
        ("SAYSO_PORT", "70000", "must be at most 65535"),
        ("SAYSO_PORT", "http", "must be a whole number"),
        ("SAYSO_LOG_LEVEL", "LOUD", "must be 'DEBUG', 'INFO'"),
        ("SAYSO_JWT_SECRET", "short", "at least 32 bytes"),
        ("DATABASE_URL", "mysql://db/sayso", "must start with postgresql://"),
    ],
)
def test_a_malformed_setting_is_named_with_what_it_must_be(
    tmp_path: Path, name: str, value: str, said: str
) -> None:
    with pytest.raises(SettingError) as caught:
        load_settings(env_file(tmp_path, **{name: value}))
    assert [fault.pointer for fault in caught.value.faults] == [name]
    assert caught.value.faults[0].detail.startswith(f"{name} {said}") or said in caught.value.detail


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("WHATSAPP_ACCESS_TOKEN", "sim-token\n", "begins or ends with a space, a line break or"),
        ("WHATSAPP_ACCESS_TOKEN", '"sim-token"', "begins or ends with a space, a line break or"),
        ("WHATSAPP_ACCESS_TOKEN", "Bearer sim-token", "must be the token alone, without `Bearer`"),
        ("WHATSAPP_ACCESS_TOKEN", "sim-tok\u0435n", "must be the token alone, without `Bearer`"),
        ("WHATSAPP_WEBHOOK_SECRET", "sim-secret\n", "begins or ends with a space, a line break or"),
        ("WHATSAPP_WEBHOOK_SECRET", "'sim-secret'", "begins or ends with a space, a line break or"),
        ("WHATSAPP_VERIFY_TOKEN", " ", "begins or ends with a space, a line break or"),
    ],
)
def test_a_secret_is_taken_without_what_it_was_copied_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str, said: str
) -> None:
    """The environment keeps every character: `docker --env-file` quotes, a mounted secret its line break."""
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingError) as caught:
        load_settings(env_file(tmp_path))
    assert [fault.pointer for fault in caught.value.faults] == [name]
    assert caught.value.faults[0].detail.startswith(f"{name} {said}")


def test_a_malformed_secret_is_never_shown(tmp_path: Path) -> None:
    with pytest.raises(SettingError) as caught:
        load_settings(env_file(tmp_path, SAYSO_JWT_SECRET="hunter2", DATABASE_URL="mysql://me:hunter2@db"))
    assert "hunter2" not in caught.value.detail
    assert "hunter2" not in repr(caught.value.__cause__)


def test_the_guides_expired_version_is_taken_with_a_warning(tmp_path: Path) -> None:
    (warning,) = load_settings(env_file(tmp_path, WHATSAPP_API_VERSION="v18.0")).warnings()
    assert "v18.0 has expired" in warning


def test_a_folder_that_was_named_and_is_not_there_is_said_at_the_start(tmp_path: Path) -> None:
    named = {"SAYSO_TEMPLATES_DIR": str(tmp_path), "SAYSO_ACTIONS_DIR": str(tmp_path / "acitons")}
    (warning,) = load_settings(env_file(tmp_path, **named)).warnings()
    assert warning.startswith(f"SAYSO_ACTIONS_DIR names {tmp_path / 'acitons'}, and there is no such folder")


def test_secrets_do_not_show_in_a_printed_settings_object(tmp_path: Path) -> None:
    shown = repr(load_settings(env_file(tmp_path, DATABASE_URL="postgresql://me:hunter2@db/x")))
    assert not [secret for secret in ("sim-token", "sim-secret", "sim-verify", "hunter2") if secret in shown]


def with_data(tmp_path: Path, **changes: str) -> Settings:
    return load_settings(env_file(tmp_path, SAYSO_DATA_DIR=str(tmp_path / "data"), **changes))


def test_a_given_jwt_secret_is_used_and_nothing_is_written(tmp_path: Path) -> None:
    assert jwt_secret(with_data(tmp_path, SAYSO_JWT_SECRET="s" * 32)) == b"s" * 32
    assert not (tmp_path / "data").exists()


def test_a_generated_jwt_secret_is_private_and_stays(tmp_path: Path) -> None:
    settings = with_data(tmp_path)
    first = jwt_secret(settings)
    assert len(first) >= 32
    assert jwt_secret(settings) == first
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["jwt-secret"]
    assert stat.S_IMODE((tmp_path / "data" / "jwt-secret").stat().st_mode) == 0o600


def test_processes_starting_together_agree_on_the_jwt_secret(tmp_path: Path) -> None:
    code = (
        "import sys, pathlib; from sayso.core.settings import *; sys.stdin.read(1); "
        "print(jwt_secret(load_settings(pathlib.Path(sys.argv[1]))))"
    )
    path = env_file(tmp_path, SAYSO_DATA_DIR=str(tmp_path / "data"))
    command = [sys.executable, "-c", code, str(path)]
    pipe = subprocess.PIPE
    racers = [subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) for _ in range(4)]
    answers = {racer.communicate("x")[0] for racer in racers}
    assert len(answers) == 1
    assert answers != {""}


def test_a_jwt_secret_cut_short_is_refused_with_what_to_do(tmp_path: Path) -> None:
    settings = with_data(tmp_path)
    jwt_secret(settings)
    (tmp_path / "data" / "jwt-secret").write_text("short")
    with pytest.raises(SettingError, match="Remove the file"):
        jwt_secret(settings)


def test_further_senders_are_ids_with_commas_each_once(tmp_path: Path) -> None:
    settings = load_settings(env_file(tmp_path, SAYSO_MORE_SENDERS="100000000000002, 100000000000001,"))
    assert settings.phone_number_ids == ("100000000000001", "100000000000002")
    with pytest.raises(SettingError, match="SAYSO_MORE_SENDERS must be digits only"):
        load_settings(env_file(tmp_path, SAYSO_MORE_SENDERS="100000000000002,+15550100000"))


def test_the_token_may_stand_in_a_file_of_its_own_which_counts_first(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("of-the-file\n")
    settings = load_settings(env_file(tmp_path, SAYSO_ACCESS_TOKEN_FILE=str(file)))
    assert settings.whatsapp_access_token.get_secret_value() == "of-the-file"
    file.write_text("of-tomorrow")
    assert reread_token(settings) == "of-tomorrow"
    (tmp_path / ".env").write_text("")
    with pytest.raises(SettingError) as caught:
        load_settings(tmp_path / ".env")
    assert "WHATSAPP_ACCESS_TOKEN" in {fault.pointer for fault in caught.value.faults}


@pytest.mark.parametrize(("holds", "said"), [("", "is empty"), (None, "cannot be read")])
def test_a_token_file_without_a_token_is_named(tmp_path: Path, holds: str | None, said: str) -> None:
    file = tmp_path / "token"
    if holds is not None:
        file.write_text(holds)
    with pytest.raises(SettingError, match=said) as caught:
        load_settings(env_file(tmp_path, SAYSO_ACCESS_TOKEN_FILE=str(file)))
    assert [fault.pointer for fault in caught.value.faults] == ["SAYSO_ACCESS_TOKEN_FILE"]


def test_a_token_in_the_file_of_settings_can_be_read_again_one_of_the_environment_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = load_settings(env_file(tmp_path))
    env_file(tmp_path, WHATSAPP_ACCESS_TOKEN="replaced")
    assert reread_token(settings) == "replaced"
    monkeypatch.setenv("WHATSAPP_ACCESS_TOKEN", "given")
    assert reread_token(settings) == "given"


def test_where_another_token_goes_is_said_by_its_file_and_whether_a_restart_is_needed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_once = "replaced there, it is taken up within a second, without a restart."
    assert (
        load_settings(env_file(tmp_path)).token_place == f"Here it stands in {tmp_path / '.env'}; {at_once}"
    )
    file = tmp_path / "token"
    file.write_text("of-the-file")
    of_file = load_settings(env_file(tmp_path, SAYSO_ACCESS_TOKEN_FILE=str(file)))
    assert of_file.token_place == f"Here the token is read from {file}; {at_once}"
    by_environment = "change it there, and restart the service."
    monkeypatch.setenv("WHATSAPP_ACCESS_TOKEN", "given")
    assert load_settings(env_file(tmp_path)).token_place.endswith(by_environment)
    monkeypatch.setenv("WHATSAPP_ACCESS_TOKEN", "")  # not set, then
    assert load_settings(env_file(tmp_path)).token_place.endswith(at_once)
    assert Settings.model_validate(
        {name.lower(): value for name, value in SIMULATOR.items()}
    ).token_place.endswith(by_environment)
