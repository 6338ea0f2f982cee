"""Lists in pages with cursors: ``limit``, ``after``, ``before``, ``summary`` (cloud-api.md 3.1, 8.1).

A cursor is the gap between two items, which it names: what is deleted or added elsewhere does not move it.
"""

import base64
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeVar

import msgspec

from sayso.simulator.call import Call
from sayso.simulator.errors import GraphError
from sayso.simulator.fields import whole_number
from sayso.simulator.world.ids import url_safe

T = TypeVar("T")
PAGE = 25
PAGE_AT_MOST = 1_000


class _Gap(NamedTuple):
    """A place between two items: the ids of both, "" at an end, and how many items there were before it."""

    left: str
    right: str
    place: int


def paged(
    call: Call, items: Sequence[T], describe: Callable[[T], Any], *, key: Callable[[T], str]
) -> dict[str, Any]:
    """Answer one page of ``items``, whose ids ``key`` tells, with ``next`` and ``previous`` only where there is more.

    Both are absolute URLs of this simulator, without the token. ``summary=total_count`` counts all.
    """
    query = call.query
    limit = _limit(query.get("limit"))
    keys = [key(each) for each in items]
    start, end = _span(query, limit, keys)
    told: dict[str, Any] = {"data": [describe(each) for each in items[start:end]]}
    if start < end:
        paging: dict[str, Any] = {"cursors": {"before": _cursor(keys, start), "after": _cursor(keys, end)}}
        if start > 0:
            paging["previous"] = _url(call, "before", _cursor(keys, start), limit)
        if end < len(items):
            paging["next"] = _url(call, "after", _cursor(keys, end), limit)
        told["paging"] = paging
    if "total_count" in query.get("summary", "").split(","):
        told["summary"] = {"total_count": len(items)}
    return told


def _cursor(keys: list[str], place: int) -> str:
    """Write the gap before ``keys[place]`` as an opaque cursor."""
    left, right = keys[place - 1 : place] or [""], keys[place : place + 1] or [""]
    return url_safe(msgspec.json.encode(_Gap(left[0], right[0], place)))


def _gap_in(text: str, where: str) -> _Gap:
    """Read a cursor; raise 100 for one that is none of ours."""
    try:
        padded = text + "=" * (-len(text) % 4)
        return msgspec.json.decode(base64.urlsafe_b64decode(padded.encode()), type=_Gap)
    except (ValueError, msgspec.DecodeError) as problem:
        raise GraphError(100, f"Invalid cursor in param {where}.") from problem


def _place_of(gap: _Gap, keys: list[str]) -> int:
    """Tell where a gap is now: beside whichever of its two items is left, else where it was."""
    if gap.left in keys:
        return keys.index(gap.left) + 1
    if gap.right in keys:
        return keys.index(gap.right)
    return max(0, min(gap.place, len(keys)))


def _limit(given: str | None) -> int:
    if given is None:
        return PAGE
    limit = whole_number(given)
    if limit is None or limit <= 0:
        raise GraphError(100, "Param limit must be a positive integer.")
    return min(limit, PAGE_AT_MOST)


def _span(query: dict[str, str], limit: int, keys: list[str]) -> tuple[int, int]:
    if query.get("before"):
        end = _place_of(_gap_in(query["before"], "before"), keys)
        return max(0, end - limit), end
    start = _place_of(_gap_in(query["after"], "after"), keys) if query.get("after") else 0
    return start, min(start + limit, len(keys))


def _url(call: Call, side: str, cursor: str, limit: int) -> str:
    url = call.request.url.without_query_params("access_token", "appsecret_proof", "after", "before")
    told = url.update_query({side: cursor, "limit": str(limit)})
    return f"{call.base_url}{told.raw_path_qs}"
