"""What an error of Meta means and what to do about it, decided by its code alone."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

NO_CODE = -1
"""The code of an error that came without one."""

_LONGEST_CODE = 10
_LARGEST_CODE = 2**31 - 1  # what an integer column holds; Meta's codes have 7 digits at most


@dataclass(frozen=True, slots=True)
class GraphError:
    """One error as Meta writes it, in an answer or in a webhook (cloud-api 5.1).

    ``title`` is Meta's sentence, ``details`` the longer one that says what to correct. Decide on ``code``
    only; ``subcode`` tells kinds of the same code apart. ``fbtrace_id`` is what Meta's support asks for.
    """

    code: int
    title: str
    details: str = ""
    subcode: int | None = None
    fbtrace_id: str | None = None
    is_transient: bool | None = None


def graph_error(value: Any) -> GraphError | None:
    """Read an error object of either shape; None when it is not one."""
    if not isinstance(value, dict):
        return None
    code = _code(value.get("code"))
    title = _first_text(value.get("title"), value.get("message"))
    data = value.get("error_data")
    details = data.get("details") if isinstance(data, dict) else data
    trace = value.get("fbtrace_id")
    transient = value.get("is_transient")
    return GraphError(
        code=NO_CODE if code is None else code,
        title=title,
        details=_first_text(details, value.get("error_user_msg"), value.get("message")),
        subcode=_code(value.get("error_subcode")),
        fbtrace_id=trace if isinstance(trace, str) and trace else None,
        is_transient=transient if isinstance(transient, bool) else None,
    )


def graph_errors(value: Any) -> tuple[GraphError, ...]:
    """Read the ``errors`` list of a webhook; what is no error object is left out."""
    found: Iterable[Any] = value if isinstance(value, list) else ()
    return tuple(error for error in map(graph_error, found) if error is not None)


def _first_text(*candidates: Any) -> str:
    return next((each for each in candidates if isinstance(each, str) and each), "")


def _code(value: Any) -> int | None:
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= _LONGEST_CODE:
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value if abs(value) <= _LARGEST_CODE else None
