"""Lists in pages with cursors: ``limit``, ``after``, ``before``, ``summary`` (cloud-api.md 3.1, 8.1)."""

import base64
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from sayso.simulator.call import Call
from sayso.simulator.errors import GraphError
from sayso.simulator.world.ids import url_safe

T = TypeVar("T")
PAGE = 25
PAGE_AT_MOST = 1_000


def paged(call: Call, items: Sequence[T], describe: Callable[[T], Any]) -> dict[str, Any]:
    """Answer one page of ``items``, with ``next`` and ``previous`` only where there is more.

    Both are absolute URLs of this simulator, without the token. ``summary=total_count`` counts all.
    """
    query = call.query
    limit = _limit(query.get("limit"))
    start, end = _span(query, limit, len(items))
    told: dict[str, Any] = {"data": [describe(each) for each in items[start:end]]}
    if start < end:
        paging: dict[str, Any] = {"cursors": {"before": cursor(start), "after": cursor(end)}}
        if start > 0:
            paging["previous"] = _url(call, "before", start, limit)
        if end < len(items):
            paging["next"] = _url(call, "after", end, limit)
        told["paging"] = paging
    if "total_count" in query.get("summary", "").split(","):
        told["summary"] = {"total_count": len(items)}
    return told


def cursor(place: int) -> str:
    """Write a place in a list as an opaque cursor."""
    return url_safe(f"place:{place}".encode())


def place_of(text: str, where: str) -> int:
    """Read a cursor; raise 100 for one that is none of ours."""
    try:
        padded = text + "=" * (-len(text) % 4)
        kind, _, place = base64.urlsafe_b64decode(padded.encode()).decode().partition(":")
        if kind == "place" and place.isdecimal():
            return int(place)
    except ValueError:
        pass
    raise GraphError(100, f"Invalid cursor in param {where}.")


def _limit(given: str | None) -> int:
    if given is None:
        return PAGE
    if not (given.isdecimal() and int(given) > 0):
        raise GraphError(100, "Param limit must be a positive integer.")
    return min(int(given), PAGE_AT_MOST)


def _span(query: dict[str, str], limit: int, count: int) -> tuple[int, int]:
    if query.get("before"):
        end = min(place_of(query["before"], "before"), count)
        return max(0, end - limit), end
    start = place_of(query["after"], "after") if query.get("after") else 0
    return min(start, count), min(start + limit, count)


def _url(call: Call, side: str, place: int, limit: int) -> str:
    url = call.request.url.without_query_params("access_token", "appsecret_proof", "after", "before")
    told = url.update_query({side: cursor(place), "limit": str(limit)})
    return f"{call.base_url}{told.path_qs}"
