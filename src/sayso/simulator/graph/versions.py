"""Graph API versions: which one a call is served by, at the simulated date (cloud-api.md 1.1)."""

import re
from datetime import UTC, datetime
from functools import lru_cache

LATEST = "v26.0"

#: When each version died or dies, oldest first.
_EXPIRES = (
    ("v17.0", "2025-09-12"),
    ("v18.0", "2026-01-26"),
    ("v19.0", "2026-05-21"),
    ("v20.0", "2026-09-24"),
    ("v21.0", "2027-01-21"),
    ("v22.0", "2027-05-20"),
    ("v23.0", "2027-10-08"),
    ("v24.0", "2028-02-18"),
    ("v25.0", "2028-07-29"),
)
_DAY_S = 24 * 3600
_SHAPE = re.compile(r"v(\d{1,3})\.(\d{1,2})")


def is_version(segment: str) -> bool:
    """Tell whether a path segment is a version such as ``v25.0``."""
    return _SHAPE.fullmatch(segment) is not None


def served(asked: str | None, now: float) -> str:
    """Tell what ``facebook-api-version`` says: an expired version is served by the oldest still alive.

    Without a version WhatsApp's pages say the newest is used. Unknown newer ones are simply echoed.
    """
    return LATEST if asked is None else _served_on(asked, int(now // _DAY_S))


@lru_cache(maxsize=1_000)
def _served_on(asked: str, day: int) -> str:
    """Tell the version of a call on a day, counted from the first of January 1970."""
    oldest = _oldest_alive(day)
    return oldest if _number(asked) < _number(oldest) else asked


def _oldest_alive(day: int) -> str:
    today = datetime.fromtimestamp(day * _DAY_S, UTC).date().isoformat()
    return next((version for version, last_day in _EXPIRES if today < last_day), LATEST)


def _number(version: str) -> tuple[int, int]:
    found = _SHAPE.fullmatch(version)
    return (int(found[1]), int(found[2])) if found else (0, 0)
