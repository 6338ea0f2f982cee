"""What an error of Meta means and what to do about it, looked up by its code in ``errors.toml``."""

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Literal

import msgspec

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


Kind = Literal["retry", "window", "bad_request", "recipient", "policy", "credentials", "template", "account"]
Holds = Literal["message", "person", "marketing", "template", "sender", "everything"]
Then = Literal["", "fall_back", "opt_out", "strike", "compare"]


@dataclass(frozen=True, slots=True)
class Failure:
    """What an error means for a message, and what to do about it.

    ``accepted`` is "no" when Meta provably did not take the message, "maybe" when it may have. ``retry``
    says that the same message is to be sent again, at the earliest in ``hold_s`` seconds; meanwhile
    ``holds`` waits. ``then`` is what follows besides. ``known`` is False for a code that ``errors.toml``
    does not have. The texts are for people: what it means, what we do, what the operator should do.
    """

    kind: Kind
    accepted: Literal["no", "maybe"]
    retry: bool
    hold_s: float
    holds: Holds
    code: int
    title: str
    meaning: str
    we_do: str
    operator: str
    known: bool = True
    then: Then = ""


class Row(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One row of ``errors.toml``, where its columns are explained."""

    codes: tuple[int | str, ...]
    title: str
    kind: Kind = msgspec.field(name="class")
    meaning: str
    we_do: str
    operator: str
    retry: bool = False
    hold_s: float = 0.0
    holds: Holds = "message"
    generic: bool = False
    then: Then = ""


def classify(error: GraphError, http_status: int | None) -> Failure:
    """Say what an error means; ``http_status`` is None for an error that came in a webhook.

    Meta says to decide by code and never by HTTP status (cloud-api 5.2), and an error that names a refused
    condition (a limit, a token, a template, a closed window) was raised instead of accepting the message:
    "no", whatever the status. Three codes (1, 2, 131000) and any code we do not know name no condition. With
    a 4xx they are still refusals; with anything else the failure may have come after the message was taken,
    and a second POST would be a second message, for Meta has no idempotency key (cloud-api 2.1): "maybe"
    (failure-model F28, messaging-facts C9). 131016 and 133004 say that a service did not take the request;
    counting them as "maybe" would strand every message of an outage. A webhook's verdict is final, so "no".
    """
    row = _BY_CODE.get(error.code) or _in_range(error.code)
    failure = _UNKNOWN if row is None else _failure(row)
    if row is None and (error.is_transient or http_status == _TOO_MANY_REQUESTS):
        failure = replace(failure, kind="retry", retry=True, hold_s=_UNKNOWN_HOLD_S, holds="sender")
    refused = http_status is None or _BAD_REQUEST <= http_status < _SERVER_ERROR
    if not refused and (row is None or row.generic):
        failure = replace(failure, kind="retry", accepted="maybe", retry=False, hold_s=0.0, holds="message")
    title = failure.title if failure.known else error.title or failure.title
    return replace(failure, code=error.code, title=title)


def _failure(row: Row) -> Failure:
    return Failure(
        kind=row.kind,
        accepted="no",
        retry=row.retry,
        hold_s=row.hold_s,
        holds=row.holds,
        code=NO_CODE,
        title=row.title,
        meaning=row.meaning,
        we_do=row.we_do,
        operator=row.operator,
        then=row.then,
    )


def _bounds(codes: str) -> tuple[int, int]:
    first, _, last = codes.partition("-")
    return int(first), int(last)


def _in_range(code: int) -> Row | None:
    return next((row for first, last, row in _RANGES if first <= code <= last), None)


ROWS: Final = msgspec.convert(
    tomllib.loads(Path(__file__).with_name("errors.toml").read_text("utf-8"))["error"], tuple[Row, ...]
)
"""The table, in its order; the documentation of errors is made of it."""

_BY_CODE: Final = {code: row for row in ROWS for code in row.codes if isinstance(code, int)}
_RANGES: Final = [(*_bounds(code), row) for row in ROWS for code in row.codes if isinstance(code, str)]
_BAD_REQUEST: Final = 400
_TOO_MANY_REQUESTS: Final = 429
_SERVER_ERROR: Final = 500
_UNKNOWN_HOLD_S: Final = 30.0
_UNKNOWN: Final = Failure(
    kind="bad_request",
    accepted="no",
    retry=False,
    hold_s=0.0,
    holds="message",
    code=NO_CODE,
    title="Unknown error",
    meaning="A code that this version does not know.",
    we_do="A clear refusal fails the message; with a server error it may be on its way, so we wait.",
    operator="See Meta's sentence, and whether a newer version of Sayso knows the code.",
    known=False,
)


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
