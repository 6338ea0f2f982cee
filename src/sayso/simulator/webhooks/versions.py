"""What differs between the versions of webhook payloads (cloud-api.md 1.1, 4.9)."""

#: From this version on `conversation` is told within a free entry point's window only (4.9).
_TERSE_FROM = 24.0


def is_terse(version: str) -> bool:
    """Tell whether payloads of this version are those of v24.0 and later."""
    return float(version.removeprefix("v")) >= _TERSE_FROM
