"""The access token: one for every call, and another one as soon as its file holds another one."""

import hashlib
import logging
from pathlib import Path
from typing import Final

from sayso.core import files
from sayso.core.errors import SettingError
from sayso.core.redaction import redact_values
from sayso.core.settings import Settings, reread_token

_MARK_CHARS: Final = 12
_log = logging.getLogger("sayso.credentials")


class Credentials:
    """The access token as it is now. Raises ValueError for one that cannot stand in a header.

    With ``settings`` the token can be replaced while the service runs: ``look`` reads it afresh when its file has
    changed since. A file that cannot be read, or holds no token, changes nothing.
    """

    def __init__(self, token: str, settings: Settings | None = None) -> None:
        self.token = _sendable(token)
        self._settings = settings
        self._source = settings.token_source if settings else None
        self._seen = _stamp(self._source)

    @classmethod
    def of(cls, settings: Settings) -> "Credentials":
        """The credentials that the settings give."""
        return cls(settings.whatsapp_access_token.get_secret_value(), settings)

    @property
    def mark(self) -> str:
        """What tells this token from another one, and gives nothing away."""
        return hashlib.sha256(self.token.encode()).hexdigest()[:_MARK_CHARS]

    def look(self) -> bool:
        """Read the token afresh if its file has changed; whether it is another one now. Costs a stat, mostly."""
        stamp = _stamp(self._source)
        if self._settings is None or stamp is None or stamp == self._seen:
            return False
        try:
            token = _sendable(reread_token(self._settings))
        except (SettingError, ValueError) as error:
            _log.warning("The access token could not be read again from %s: %s", self._source, error)
            return False
        self._seen = stamp
        if token == self.token:
            return False
        redact_values(token)
        self.token = token
        _log.warning("The access token was replaced; calls are made with the new one.")
        return True


def _sendable(token: str) -> str:
    if not token or not token.isascii() or not token.isprintable() or " " in token:
        raise ValueError("The access token is empty or holds a character that no token has.")
    return token


def _stamp(path: Path | None) -> tuple[int, int, int] | None:
    try:
        return files.stamp(path) if path else None
    except OSError:
        return None
