"""How the command line says a moment and a number of things."""

import json
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from sayso.cli.saying import as_json, count, moment, ourselves

AT = datetime(2026, 3, 31, 9, 30, 0, 987_654, tzinfo=UTC)


def test_a_moment_is_said_in_utc_to_the_second() -> None:
    assert moment(AT) == "2026-03-31 09:30:00 UTC"
    assert moment(AT.astimezone(timezone(timedelta(hours=2)))) == "2026-03-31 09:30:00 UTC"
    assert moment(AT, zone=False) == "2026-03-31 09:30:00"


@pytest.mark.parametrize(
    ("number", "said"), [(0, "0 messages"), (1, "1 message"), (2, "2 messages"), (12_345, "12,345 messages")]
)
def test_things_are_counted(number: int, said: str) -> None:
    assert count(number, "message") == said


def test_things_with_a_plural_of_their_own_are_counted() -> None:
    assert (count(1, "entry", "entries"), count(2, "entry", "entries")) == ("1 entry", "2 entries")


def test_json_has_the_times_of_the_api() -> None:
    assert json.loads(as_json({"at": AT, "ids": ("a", "b")})) == {
        "at": "2026-03-31T09:30:00.987654Z",
        "ids": ["a", "b"],
    }


def test_it_calls_itself_as_it_can_be_typed_here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("sayso.cli.saying.shutil.which", lambda name: f"/usr/bin/{name}")
    assert ourselves() == "sayso"
    monkeypatch.setattr("sayso.cli.saying.shutil.which", lambda _name: None)
    monkeypatch.setattr("sys.executable", str(tmp_path / ".venv/bin/python3"))
    monkeypatch.chdir(tmp_path)
    assert ourselves() == ".venv/bin/sayso"
    monkeypatch.setattr("sys.executable", "/else/where/python3")
    assert ourselves() == "/else/where/sayso"
