"""Reading part of a log: what came after a row, at most so many, waiting until there is one."""

from typing import NamedTuple, TypeVar

from aiohttp import web

from sayso.simulator.control.reading import number_in
from sayso.simulator.strict import ControlError

T = TypeVar("T")
_WAIT_AT_MOST_S = 120.0
_IDS_AT_MOST = 1e15
#: The query parameters that every log takes.
ROWS = ("after", "limit", "wait_s")


class Rows(NamedTuple):
    """Which rows are asked for."""

    after: int
    limit: int | None
    wait_s: float

    def of(self, found: list[T]) -> list[T]:
        """Cut to ``limit``: the first ones after a row, the last ones when none is named; oldest first."""
        if self.limit is None:
            return found
        return found[: self.limit] if self.after else found[len(found) - min(len(found), self.limit) :]


def rows_in(query: dict[str, str]) -> Rows:
    """Read ``after``, ``limit`` and ``wait_s``."""
    limit = number_in(query, "limit", 0, at_most=_IDS_AT_MOST) if "limit" in query else None
    return Rows(
        after=int(number_in(query, "after", 0, at_most=_IDS_AT_MOST)),
        limit=None if limit is None else int(limit),
        wait_s=wait_in(query),
    )


def wait_in(query: dict[str, str]) -> float:
    """Read ``wait_s``: how many real seconds to wait for something to be there."""
    return number_in(query, "wait_s", 0.0, at_most=_WAIT_AT_MOST_S)


def id_in(request: web.Request, of: str) -> int:
    """Read the id in the path: a whole number."""
    raw = request.match_info["id"]
    if not (raw.isascii() and raw.isdigit()):
        raise ControlError(f"the id of {of} is a whole number; {raw!r} is not.")
    return int(raw)
