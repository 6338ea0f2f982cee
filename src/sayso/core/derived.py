"""Keys of one use each, derived from the installation's own: none tells anything of another."""

from functools import lru_cache

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from sayso.core.settings import TokenSettings, consent_key


@lru_cache(maxsize=16)
def key(settings: TokenSettings, use: bytes) -> bytes:
    """The 32 bytes for this use. Raises SettingError where the installation's key cannot be had."""
    return HKDF(hashes.SHA256(), length=32, salt=None, info=use).derive(consent_key(settings))
