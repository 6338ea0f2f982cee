"""What is given to a command: files that are named, their text or the JSON in them; and words that are kept."""

import json
from pathlib import Path
from typing import Any

import typer

from sayso.client.unreached import why
from sayso.core.errors import InputInvalidError
from sayso.core.faults_json import not_json


def text_of(file: Path) -> str:
    """What a file holds; raises :class:`InputInvalidError`."""
    try:
        return file.read_text(encoding="utf-8")
    except OSError as error:
        raise InputInvalidError(f"{file} cannot be read: {why(error)}.") from error
    except UnicodeDecodeError as error:
        raise InputInvalidError(f"{file} cannot be read: it is no text in UTF-8.") from error


def json_of(file: Path) -> Any:
    """The JSON a file holds; raises :class:`InputInvalidError`, also where readers of it would not agree."""
    text = text_of(file)

    def members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            names = [name for name, _ in pairs]
            twice = next(name for name in names if names.count(name) > 1)
            raise InputInvalidError(
                f"{file} has “{twice}” twice in one object: nobody can tell which counts."
            )
        return found

    try:
        return json.loads(text, object_pairs_hook=members)
    except json.JSONDecodeError as error:
        raise InputInvalidError(f"{file} {not_json(text, error.pos, error.msg)}") from error
    except RecursionError as error:
        raise InputInvalidError(f"{file} is not JSON that can be read: it is nested too deeply.") from error


def worded(param: typer.CallbackParam, given: str) -> str:
    """Words that are kept as evidence: not blank, and of whole characters. Raises :class:`InputInvalidError`."""
    if not given.strip():
        raise InputInvalidError(f"--{param.name} is blank, and is kept as evidence.")
    if any("\ud800" <= char <= "\udfff" for char in given):
        raise InputInvalidError(f"--{param.name} is no text in UTF-8.")
    return given


def all_worded(param: typer.CallbackParam, given: list[str]) -> list[str]:
    """The same for each of several."""
    return [worded(param, each) for each in given]
