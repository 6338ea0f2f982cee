"""Secrets of endpoints at rest: sealed under the installation's key, each for its own row."""

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from sayso.core import derived
from sayso.core.errors import SettingError
from sayso.core.runtime import Runtime
from sayso.core.settings import Settings
from sayso.events.signing import Keys

_NONCE_BYTES = 12


def _cipher(settings: Settings) -> AESGCM:
    return AESGCM(derived.key(settings, b"sayso endpoint secrets 1"))


def seal(rt: Runtime, endpoint_id: str, keys: Keys) -> bytes:
    """The keys of an endpoint as they are stored; they open for this endpoint alone."""
    nonce = rt.rng.getrandbits(8 * _NONCE_BYTES).to_bytes(_NONCE_BYTES, "big")
    return nonce + _cipher(rt.settings).encrypt(nonce, keys.raw, endpoint_id.encode())


def unseal(rt: Runtime, endpoint_id: str, sealed: bytes) -> Keys:
    """The keys of an endpoint; raises SettingError when they were sealed under another key, or for another row."""
    try:
        raw = _cipher(rt.settings).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], endpoint_id.encode())
    except InvalidTag as error:
        raise SettingError(
            f"The secret of endpoint {endpoint_id} was sealed under another key than this installation's. Give every "
            "machine of one database the same SAYSO_CONSENT_KEY, or rotate the endpoint's secret."
        ) from error
    return Keys.of(raw)


def generate(rt: Runtime) -> Keys:
    """New keys, by chance."""
    return Keys(rt.rng.randbytes(32), rt.rng.randbytes(32))
