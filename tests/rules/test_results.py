"""What the end of a POST means for the message, for each kind of end."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from sayso.messages.dispatch import REPORT_UNKNOWN_AFTER, Outgoing, result_of
from sayso.messages.results import Result
from sayso.people.service import Person
from sayso.whatsapp.client import Accepted, Lost, NotSent, Refused, Sent
from sayso.whatsapp.failures import GraphError, classify

NOW = datetime(2026, 3, 14, 12, 0, tzinfo=UTC)
ALICE = Person("per_a", ("per_a",), "Alice", "+15550001111", "15550001111", None)
OUTGOING = Outgoing("msg_1", 3, "100000000000001", b"{}", ALICE, 0.0)
BASE = Result("msg_1", 3, NOW, state="unknown")
HALF = 0.5
RETRY = NOW + timedelta(seconds=0.05 + HALF * 4)  # the third attempt: at most 4 s, half of it by chance


def refused(code: int, http: int, **changes: object) -> Refused:
    error = GraphError(code, "A title")
    return Refused(error, replace(classify(error, http), **changes), http)  # type: ignore[arg-type] # fields of Failure


def said(code: int) -> dict[str, object]:
    return {"reason": f"Meta {code} A title", "error_code": code}


ENDS: dict[str, tuple[Sent, dict[str, object]]] = {
    "accepted": (Accepted("wamid.1", "15550001111"), {"state": "accepted", "wamid": "wamid.1"}),
    "accepted, another wa_id and a user id": (
        Accepted("wamid.1", "5550001111", "US.1"),
        {
            "state": "accepted",
            "wamid": "wamid.1",
            "learned": (("per_a", "wa_id", "5550001111"), ("per_a", "bsuid", "US.1")),
        },
    ),
    "held": (
        Accepted("wamid.1", held=True),
        {"state": "accepted", "wamid": "wamid.1", "reason": "held by Meta for quality assessment"},
    ),
    "no byte written": (
        NotSent("no connection"),
        {"state": "queued", "reason": "no connection", "again_at": RETRY},
    ),
    "answer lost": (Lost("cut"), {"reason": "cut", "again_at": NOW + REPORT_UNKNOWN_AFTER}),
    "refused for good": (refused(131026, 400), {"state": "failed", **said(131026)}),
    "refused, try again": (
        refused(130429, 429, retry=True, hold_s=0.0),
        {"state": "queued", "again_at": RETRY, **said(130429)},
    ),
    "refused, try again after the hold": (
        refused(130429, 429, retry=True, hold_s=40.0),
        {"state": "queued", "again_at": NOW + timedelta(seconds=40), **said(130429)},
    ),
    "refused, and perhaps taken": (
        refused(131000, 500),
        {"state": "unknown", "again_at": NOW + REPORT_UNKNOWN_AFTER, **said(131000)},
    ),
}


@pytest.mark.parametrize("end", ENDS)
def test_the_end_of_a_post_becomes_a_result(end: str) -> None:
    sent, changes = ENDS[end]
    assert result_of(sent, OUTGOING, NOW, HALF) == replace(BASE, **changes)  # type: ignore[arg-type] # fields of Result


def test_only_what_is_proved_not_accepted_is_ever_queued_again() -> None:
    for end, (sent, _) in ENDS.items():
        result = result_of(sent, OUTGOING, NOW, HALF)
        proved = isinstance(sent, NotSent) or (isinstance(sent, Refused) and sent.failure.accepted == "no")
        assert proved or result.state in ("accepted", "unknown"), end
        assert (result.again_at is None) == (result.state in ("accepted", "failed")), end
