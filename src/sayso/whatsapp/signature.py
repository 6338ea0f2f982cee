"""Says whether a webhook body was signed with our app secret."""

import hmac


def signature_valid(body: bytes, header: bytes | None, secret: bytes) -> bool:
    """Tell whether ``header`` (``X-Hub-Signature-256``) is the HMAC-SHA256 of the raw ``body``.

    The header must be exactly ``sha256=`` and 64 lower-case hex digits (cloud-api 4.3). Both sides are
    bytes: comparing text raises on a non-ASCII header. An empty secret signs nothing. Never raises.
    """
    if header is None or not secret:
        return False
    expected = b"sha256=" + hmac.digest(secret, body, "sha256").hex().encode()
    return hmac.compare_digest(expected, header)
