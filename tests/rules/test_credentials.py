"""The access token follows its file, and nothing but a token."""

from pathlib import Path

import pytest

from harness.service import settings
from sayso.core.redaction import redact_text
from sayso.whatsapp.credentials import Credentials


def of_file(tmp_path: Path) -> tuple[Credentials, Path]:
    file = tmp_path / "token"
    file.write_text("first-token")
    configured = settings(
        "postgresql://x", base_url="http://x", data_dir=tmp_path, sayso_access_token_file=file
    )
    return Credentials.of(configured), file


def test_a_replaced_file_is_taken_up_at_the_next_look_and_once(tmp_path: Path) -> None:
    credentials, file = of_file(tmp_path)
    assert credentials.token == "first-token"
    assert credentials.look() is False
    before = credentials.mark
    file.write_text("second-token-of-another-length\n")
    assert credentials.look() is True
    assert credentials.token == "second-token-of-another-length"
    assert credentials.mark != before
    assert credentials.look() is False
    assert "second-token" not in redact_text("Meta said second-token-of-another-length is bad")


@pytest.mark.parametrize("holds", ["", "two words", "für-immer", "your_access_token"])
def test_what_is_no_token_changes_nothing_and_what_follows_counts(tmp_path: Path, holds: str) -> None:
    credentials, file = of_file(tmp_path)
    file.write_text(holds)
    assert credentials.look() is False
    assert credentials.token == "first-token"
    file.write_text("the-whole-token")
    assert credentials.look() is True


def test_a_file_that_goes_and_comes_back_with_the_same_token_is_no_replacement(tmp_path: Path) -> None:
    credentials, file = of_file(tmp_path)
    file.unlink()
    assert credentials.look() is False
    file.write_text("first-token")
    assert credentials.look() is False
    assert credentials.token == "first-token"


def test_a_token_without_a_file_is_what_it_is(tmp_path: Path) -> None:
    configured = settings("postgresql://x", base_url="http://x", data_dir=tmp_path)
    assert Credentials.of(configured).look() is False
    assert Credentials("t").look() is False


@pytest.mark.parametrize("token", ["", "a b", "täglich", "a\nb"])
def test_what_cannot_stand_in_a_header_is_refused(token: str) -> None:
    with pytest.raises(ValueError, match="no token has"):
        Credentials(token)
