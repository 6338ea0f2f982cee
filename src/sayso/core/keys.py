"""The keys that sign receipts and checkpoints: Ed25519, in a file of the installation's, never in the database.

The file is a JWK set, newest key first. Only the newest has its private part and signs; the others are there to be
published, so that what they signed verifies for ever.
"""

import fcntl
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey

from sayso.core import files
from sayso.core.errors import SettingError
from sayso.core.settings import TokenSettings

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

#: The name of the signature in JOSE (RFC 9864; the older "EdDSA" leaves the curve open).
ALGORITHM: Final = "Ed25519"
_FILE: Final = "receipt-keys.json"
#: What is published of a key; ``created_at`` stays in the file.
_PUBLIC: Final = ("kty", "crv", "x", "kid", "use", "alg")


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys of an installation, newest first; the first signs."""

    jwks: Sequence[Mapping[str, Any]]
    _signer: OKPKey

    @property
    def kid(self) -> str:
        """The id of the key that signs: its thumbprint (RFC 7638)."""
        return str(self.jwks[0]["kid"])

    def published(self) -> dict[str, Any]:
        """The JWK set for everybody: public parts alone, old keys too."""
        return {"keys": [{name: key[name] for name in _PUBLIC} for key in self.jwks]}

    def sign(self, payload: bytes, *, typ: str) -> str:
        """A compact JWS over ``payload``."""
        header = {"alg": ALGORITHM, "kid": self.kid, "typ": typ}
        return jws.serialize_compact(header, payload, self._signer, algorithms=[ALGORITHM])

    def sign_bytes(self, message: bytes) -> bytes:
        """The bare signature, 64 bytes."""
        key = cast("Ed25519PrivateKey", self._signer.private_key)
        return key.sign(message)

    def public_bytes(self) -> dict[str, bytes]:
        """The 32 bytes of each public key, by kid."""
        return public_bytes(self.published())


def public_bytes(jwks: Mapping[str, Any]) -> dict[str, bytes]:
    """The 32 bytes of each Ed25519 key of a JWK set, by kid; raises ValueError for what is no such set."""
    try:
        keys = {jwk["kid"]: OKPKey.import_key(jwk) for jwk in jwks["keys"] if jwk.get("crv") == "Ed25519"}
        return {kid: key.public_key.public_bytes_raw() for kid, key in keys.items()}
    except (JoseError, KeyError, TypeError, AttributeError) as error:
        raise ValueError("it takes a list `keys` of public keys, each with its `kid`") from error


def path_of(settings: TokenSettings) -> Path:
    """Where the keys are."""
    return settings.sayso_receipt_keys or settings.sayso_data_dir / _FILE


def load(settings: TokenSettings, *, now: Callable[[], datetime]) -> Keys:
    """The installation's keys; made when there are none. Read again when the file has changed.

    Raises :class:`SettingError` when the file cannot be made or read, or holds no such keys.
    """
    path = path_of(settings)
    try:
        if not path.exists():
            files.create(path, _text([_fresh(now())]))
        stamp = files.stamp(path)
        known = _read_before.get(path)
        if known is None or known[0] != stamp:
            known = _read_before[path] = (stamp, _read(path))
    except OSError as error:
        raise SettingError(
            f"The keys of receipts, {path}, cannot be made or read: {error.strerror}. Make SAYSO_DATA_DIR writable "
            "for this account, or let SAYSO_RECEIPT_KEYS name a file that is."
        ) from error
    return known[1]


#: What was read of a file, and what the file was like then.
_read_before: dict[Path, tuple[tuple[int, int, int], Keys]] = {}


def rotate(settings: TokenSettings, *, now: Callable[[], datetime]) -> Keys:
    """Sign with a new key from here on. The old ones lose their private part, and stay published."""
    load(settings, now=now)
    path = path_of(settings)
    try:
        with path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX)  # of two who rotate at once neither loses the other's key
            old = [{name: value for name, value in key.items() if name != "d"} for key in _read(path).jwks]
            files.replace(path, _text([_fresh(now()), *old]))
    except OSError as error:
        raise SettingError(f"The keys of receipts, {path}, cannot be written: {error.strerror}.") from error
    return load(settings, now=now)


def _fresh(at: datetime) -> dict[str, Any]:
    key = OKPKey.generate_key("Ed25519")
    made = {"kid": key.thumbprint(), "use": "sig", "alg": ALGORITHM}
    return {**key.as_dict(private=True), **made, "created_at": at.astimezone(UTC).isoformat()}


def _text(jwks: Sequence[Mapping[str, Any]]) -> str:
    return json.dumps({"keys": list(jwks)}, indent=1) + "\n"


def _read(path: Path) -> Keys:
    try:
        jwks = json.loads(path.read_text(encoding="utf-8"))["keys"]
        signer = OKPKey.import_key(jwks[0])
        whole = signer.is_private and all(
            key["crv"] == "Ed25519" and key["kid"] == OKPKey.import_key(key).thumbprint() for key in jwks
        )
    except (JoseError, ValueError, KeyError, IndexError, TypeError, AttributeError) as error:
        raise _unusable(path, repr(error)) from error
    if not whole:
        raise _unusable(path, "the first key has no private part, or a key is not what its kid says")
    return Keys(jwks, signer)


def _unusable(path: Path, why: str) -> SettingError:
    return SettingError(
        f"{path} does not hold the keys of receipts: {why}. Restore it from a backup; if there is none, remove it to "
        "have new ones made, and keep what was published, else older receipts cannot be verified."
    )
