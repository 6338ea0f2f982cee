"""What a button carries: the question and the answer, signed, so that nobody else's button can decide. Pure."""

import base64
import hmac
import re
from dataclasses import dataclass

from sayso.core import derived
from sayso.core.settings import TokenSettings

#: What the bytes of a webhook hold where a button of ours was tapped; others may hold it, too.
MARK = b'"cf2:'
_FORM = re.compile(r"cf2:(cnf_[0-9a-z]{26}):([a-z0-9_-]{1,20}):([a-z2-7]{16})", re.ASCII)
_MAC_BYTES = 10


@dataclass(frozen=True, slots=True)
class Tap:
    """What a button of ours said: ``confirm``, ``decline``, ``cancel``, ``extend``, ``undo`` or an option's id."""

    question_id: str
    answer: str


def key(settings: TokenSettings) -> bytes:
    """The key of payloads. Raises SettingError."""
    return derived.key(settings, b"sayso button payloads 2")


def make(signing_key: bytes, question_id: str, answer: str) -> str:
    """The payload of a button: at most 78 of the 256 characters that fit (cloud-api 2.5, 2.6)."""
    said = f"cf2:{question_id}:{answer}"
    return f"{said}:{_mac(signing_key, said)}"


def read(signing_key: bytes, text: str | None) -> Tap | None:
    """What a payload says, or None when it is not in our form or was not signed with this key."""
    match = _FORM.fullmatch(text or "")
    if match is None:
        return None
    said, _, mac = match[0].rpartition(":")
    if not hmac.compare_digest(_mac(signing_key, said), mac):
        return None
    return Tap(match[1], match[2])


def is_ours(text: str | None) -> bool:
    """Whether a payload has the form of ours, signed or not: its label is then no word of the person's."""
    return _FORM.fullmatch(text or "") is not None


def _mac(signing_key: bytes, said: str) -> str:
    digest = hmac.digest(signing_key, said.encode(), "sha256")[:_MAC_BYTES]
    return base64.b32encode(digest).decode().lower()
