"""What differs between the versions of webhook payloads (cloud-api.md 1.1, 4.9, 4.11)."""

from typing import Any

#: From this version on `conversation` is told within a free entry point's window only (4.9).
_TERSE_FROM = 24.0
#: Keys that only payloads before it have, and keys that only those from it on have, per field (4.11).
_GONE = {"business_capability_update": ("max_daily_conversation_per_phone",)}
_NEW = {
    "business_capability_update": ("max_daily_conversations_per_business",),
    "phone_number_quality_update": ("max_daily_conversations_per_business",),
}


def is_terse(version: str) -> bool:
    """Tell whether payloads of this version are those of v24.0 and later."""
    return float(version.removeprefix("v")) >= _TERSE_FROM


def in_version(field: str, value: dict[str, Any], version: str) -> dict[str, Any]:
    """Leave out of a value what this version of the payload does not have."""
    missing = (_GONE if is_terse(version) else _NEW).get(field, ())
    return {key: each for key, each in value.items() if key not in missing} if missing else value
