"""Lists in pages with cursors: ``limit``, ``after``, ``before``, ``summary`` (cloud-api.md 3.1, 8.1).

A cursor is the rank of the last item on its side of a page: whatever is deleted or added does not move it.
"""

import base64
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import msgspec

from sayso.simulator.call import Call
from sayso.simulator.errors import GraphError
from sayso.simulator.fields import whole_number
from sayso.simulator.world.ids import url_safe

T = TypeVar("T")
#: What the items of a list are in order of, each with one of its own.
R = TypeVar("R", int, str)
PAGE = 25
PAGE_AT_MOST = 1_000


def paged(
    call: Call, items: Sequence[T], describe: Callable[[T], Any], *, rank: Callable[[T], R]
) -> dict[str, Any]:
    """Answer one page of ``items``, which rise in ``rank``, with ``next`` and ``previous`` only where there is more.

    Both are absolute URLs of this simulator, without the token. ``summary=total_count`` counts all.
    """
    query = call.query
    limit = _limit(query.get("limit"))
    ranks = [rank(each) for each in items]
    start, end = _span(query, limit, ranks)
    told: dict[str, Any] = {"data": [describe(each) for each in items[start:end]]}
    if start < end:
        before, after = _cursor(ranks[start]), _cursor(ranks[end - 1])
        paging: dict[str, Any] = {"cursors": {"before": before, "after": after}}
        if start > 0:
            paging["previous"] = _url(call, "before", before, limit)
        if end < len(items):
            paging["next"] = _url(call, "after", after, limit)
        told["paging"] = paging
    if "total_count" in query.get("summary", "").split(","):
        told["summary"] = {"total_count": len(items)}
    return told


def _cursor(rank: R) -> str:
    """Write a rank as an opaque cursor."""
    return url_safe(msgspec.json.encode(rank))


def _rank_in(text: str, where: str, ranks: list[R]) -> R:
    """Read a cursor; raise 100 for one that is none of a list like this."""
    kind: Any = type(ranks[0]) if ranks else int | str
    try:
        padded = text + "=" * (-len(text) % 4)
        rank: R = msgspec.json.decode(base64.urlsafe_b64decode(padded.encode()), type=kind)
    except (ValueError, msgspec.DecodeError) as problem:
        raise GraphError(100, f"Invalid cursor in param {where}.") from problem
    return rank


def _limit(given: str | None) -> int:
    if given is None:
        return PAGE
    limit = whole_number(given)
    if limit is None or limit <= 0:
        raise GraphError(100, "Param limit must be a positive integer.")
    return min(limit, PAGE_AT_MOST)


def _span(query: dict[str, str], limit: int, ranks: list[R]) -> tuple[int, int]:
    """Tell where a page begins and ends; ``before`` goes before ``after`` where both are given."""
    before, after = query.get("before"), query.get("after")
    if before:
        end = bisect_left(ranks, _rank_in(before, "before", ranks))
        return max(0, end - limit), end
    start = bisect_right(ranks, _rank_in(after, "after", ranks)) if after else 0
    return start, min(start + limit, len(ranks))


def _url(call: Call, side: str, cursor: str, limit: int) -> str:
    url = call.request.url.without_query_params("access_token", "appsecret_proof", "after", "before")
    told = url.update_query({side: cursor, "limit": str(limit)})
    return f"{call.base_url}{told.raw_path_qs}"
