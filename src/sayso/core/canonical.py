"""One spelling of a JSON value (RFC 8785), and its digest: what two parties must agree on byte for byte."""

import hashlib
from typing import Any

import rfc8785

from sayso.core.errors import InputInvalidError


def encode(value: Any) -> bytes:
    """The canonical JSON of a value.

    Raises :class:`InputInvalidError` for what has none: whole numbers beyond 2^53, which most readers of JSON would
    change, infinities, halves of surrogate pairs.
    """
    try:
        return rfc8785.dumps(value)
    except (rfc8785.CanonicalizationError, RecursionError, UnicodeEncodeError) as error:
        raise InputInvalidError(f"This JSON has no canonical form: {error}.") from error


def digest(value: Any) -> bytes:
    """SHA-256 of the canonical JSON."""
    return hashlib.sha256(encode(value)).digest()
