"""What the headers of an answer say about how much of our allowance of calls is used up (cloud-api 6)."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from sayso.whatsapp.tolerant import UnloadableError, load

#: The uses of a business that management calls, and messages, count towards.
MANAGEMENT: Final = "whatsapp_business_management"
MESSAGES: Final = "whatsapp"
_SHARES: Final = ("call_count", "total_cputime", "total_time")
_REGAIN: Final = "estimated_time_to_regain_access"
#: No number of the headers means more than this.
_LARGEST: Final = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Usage:
    """``percent`` of the allowance that is used (100: calls are refused), and how long until access is regained.

    Both are 0 when the answer did not say.
    """

    percent: float = 0.0
    regain_s: float = 0.0


def read(headers: Mapping[str, str], use: str = MANAGEMENT) -> Usage:
    """Read ``x-app-usage`` and, for this kind of call, ``x-business-use-case-usage``; the worst of both."""
    return _read(headers.get("x-app-usage", ""), headers.get("x-business-use-case-usage", ""), use)


@lru_cache(maxsize=64)  # at a thousand messages a second one answer in many says something new
def _read(app: str, business: str, use: str) -> Usage:
    found = [*_app(app), *_business(business, use)]
    shares = [_number(entry.get(name)) for entry in found for name in _SHARES]
    return Usage(
        percent=max(shares, default=0.0),
        regain_s=60.0 * max((_number(entry.get(_REGAIN)) for entry in found), default=0.0),
    )


def _app(header: str) -> Iterator[dict[str, Any]]:
    found = _loaded(header)
    if isinstance(found, dict):
        yield found


def _business(header: str, use: str) -> Iterator[dict[str, Any]]:
    found = _loaded(header)
    for entries in found.values() if isinstance(found, dict) else ():
        for entry in entries if isinstance(entries, list) else ():
            if isinstance(entry, dict) and entry.get("type", use) == use:
                yield entry


def _loaded(header: str) -> Any:
    try:
        return load(header.encode("utf-8", "replace"))
    except UnloadableError:
        return None


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return 0.0
    return float(min(max(0, value), _LARGEST))  # JSON has whole numbers that no float can hold
