"""How the command line says things: a moment, a number of things, itself."""

import json
import shutil
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec


def moment(at: datetime, *, zone: bool = True) -> str:
    """A time as the logs, the API and the reasons of messages have it: UTC, to the second."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S}" + (" UTC" if zone else "")


def count(number: int, one: str, many: str | None = None) -> str:
    """``1 message``, ``2 messages``."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def as_json(told: Any) -> str:
    """The same JSON as over HTTP, times included, set for reading."""
    return json.dumps(msgspec.to_builtins(told, enc_hook=str), indent=2, ensure_ascii=False)


def ourselves() -> str:
    """The command as it can be typed here: ``sayso`` where the shell finds it, else its path from this folder."""
    if shutil.which("sayso"):
        return "sayso"
    command = Path(sys.executable).with_name("sayso")
    here = Path.cwd()
    return str(command.relative_to(here) if command.is_relative_to(here) else command)
