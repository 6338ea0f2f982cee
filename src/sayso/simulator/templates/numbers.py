"""Whole numbers as clients send them: as such, or in a string (cloud-api.md 2.6)."""

from typing import Any

_DIGITS = 18


def whole_number(raw: Any) -> int | None:
    """Return an integer, given as one or as a string of up to 18 digits; None when it is neither."""
    if isinstance(raw, bool):
        return None
    if isinstance(raw, int):
        return raw
    digits = raw.removeprefix("-") if isinstance(raw, str) else ""
    return int(raw) if digits.isascii() and digits.isdecimal() and len(digits) <= _DIGITS else None
