"""Signatures of webhooks by the rules of Standard Webhooks 1.0.0: secrets, signed content, headers. Pure."""

import base64
import binascii
import hmac
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

#: Symmetric (HMAC-SHA256) and asymmetric (Ed25519).
Signature = Literal["v1", "v1a"]
SECRET_BYTES: Final = 32
_SECRET_PREFIX: Final = "whsec_"  # noqa: S105 - what a secret begins with
_PUBLIC_PREFIX: Final = "whpk_"
_LEAST_BYTES, _MOST_BYTES = 24, 64


@dataclass(frozen=True, slots=True)
class Keys:
    """What one generation of an endpoint's signatures is made with: a secret for v1, the seed of a key for v1a."""

    secret: bytes
    seed: bytes

    @classmethod
    def of(cls, raw: bytes) -> "Keys":
        """From the bytes of :meth:`raw`."""
        return cls(raw[:-SECRET_BYTES], raw[-SECRET_BYTES:])

    @property
    def raw(self) -> bytes:
        """Both, to be sealed."""
        return self.secret + self.seed

    @property
    def shown_secret(self) -> str:
        """The secret as the receiver needs it: ``whsec_…``."""
        return _SECRET_PREFIX + base64.b64encode(self.secret).decode()

    @property
    def public_key(self) -> str:
        """The public key as the receiver needs it: ``whpk_…``."""
        public = Ed25519PrivateKey.from_private_bytes(self.seed).public_key()
        return _PUBLIC_PREFIX + base64.b64encode(public.public_bytes_raw()).decode()

    def sign(self, content: bytes, kind: Signature) -> str:
        """One signature, as it stands in the header."""
        if kind == "v1":
            made = hmac.digest(self.secret, content, "sha256")
        else:
            made = Ed25519PrivateKey.from_private_bytes(self.seed).sign(content)
        return f"{kind},{base64.b64encode(made).decode()}"


def secret_bytes(shown: str) -> bytes:
    """The bytes of a ``whsec_…``; raises ValueError saying what is wrong with it."""
    try:
        raw = base64.b64decode(shown.removeprefix(_SECRET_PREFIX), validate=True)
    except (binascii.Error, ValueError) as error:
        raise ValueError("a secret is whsec_ and base64") from error
    if not _LEAST_BYTES <= len(raw) <= _MOST_BYTES:
        raise ValueError(f"a secret has {_LEAST_BYTES} to {_MOST_BYTES} bytes, not {len(raw)}")
    return raw


def headers(
    event_id: str, seconds: int, body: bytes, keys: Iterable[Keys], kinds: Iterable[Signature]
) -> dict[str, str]:
    """The three headers of one attempt; every kind of signature by every generation of keys that counts."""
    content = f"{event_id}.{seconds}.".encode() + body
    wanted = list(kinds)
    signatures = [each.sign(content, kind) for each in keys for kind in wanted]
    return {
        "webhook-id": event_id,
        "webhook-timestamp": str(seconds),
        "webhook-signature": " ".join(signatures),
    }
