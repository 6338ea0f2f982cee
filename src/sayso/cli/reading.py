"""Files that are named to a command: their text, or the JSON in them."""

import json
from pathlib import Path
from typing import Any

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
    """The JSON a file holds; raises :class:`InputInvalidError`."""
    text = text_of(file)
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise InputInvalidError(f"{file} {not_json(text, error.pos, error.msg)}") from error
    except RecursionError as error:
        raise InputInvalidError(f"{file} is not JSON that can be read: it is nested too deeply.") from error
