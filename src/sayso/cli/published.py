"""The public keys a command verifies with: those of this installation, or of a file or address that is named."""

import json
from pathlib import Path
from typing import Any

import httpx2

from sayso.cli.database import token_settings
from sayso.cli.reading import text_of
from sayso.client.unreached import why
from sayso.core import keys
from sayso.core.errors import InputInvalidError
from sayso.core.faults_json import not_json
from sayso.core.runtime import wall_clock

_WITHIN_S = 10.0


def keys_from(where: str | None, env_file: Path) -> dict[str, Any] | None:
    """A JWK set; None where no place is named and no keys are here. Raises :class:`InputInvalidError`."""
    if where is not None:
        found = _parsed(
            where, _fetched(where) if where.startswith(("https://", "http://")) else text_of(Path(where))
        )
    else:
        settings = token_settings(env_file, say=False)
        if not keys.path_of(settings).exists():
            return None
        found = keys.load(settings, now=wall_clock).published()
    return found


def _fetched(url: str) -> str:
    try:
        answer = httpx2.get(url, timeout=_WITHIN_S)
        answer.raise_for_status()
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        raise InputInvalidError(f"The keys cannot be had from {url}: {why(error)}.") from error
    return answer.text


def _parsed(where: str, text: str) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(text)
        keys.public_bytes(found)
    except json.JSONDecodeError as error:
        raise InputInvalidError(
            f"{where} holds no set of public keys (JWKS): it {not_json(text, error.pos, error.msg)}"
        ) from error
    except ValueError as error:
        raise InputInvalidError(f"{where} holds no set of public keys (JWKS): {error}.") from error
    return found
