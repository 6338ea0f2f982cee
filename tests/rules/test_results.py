"""What the end of a POST means for the message, for each kind of end."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from sayso.messages.outcome import MOST_REFUSALS, REPORT_UNKNOWN_AFTER, Outgoing, Result, result_of
from sayso.people.service import Person
from sayso.whatsapp.client import Accepted, Lost, NotSent, Refused, Sent
from sayso.whatsapp.failures import ROWS, GraphError, classify

NOW = datetime(2026, 3, 14, 12, 0, tzinfo=UTC)
ALICE = Person("per_a", ("per_a",), "Alice", "+15550001111", "15550001111", None)
OUTGOING = Outgoing("msg_1", 3, "100000000000001", b"{}", ALICE, 0.0)
BASE = Result("msg_1", 3, NOW, state="unknown")
HALF = 0.5
FIRST, THIRD = (NOW + timedelta(seconds=0.05 + HALF * most) for most in (1, 4))  # half of the most, by chance


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
        {"state": "queued", "reason": "no connection", "again_at": THIRD},
    ),
    "answer lost": (Lost("cut"), {"reason": "cut", "again_at": NOW + REPORT_UNKNOWN_AFTER}),
    "refused for good": (refused(131026, 400), {"state": "failed", **said(131026)}),
    "refused, try again": (
        refused(131016, 503),
        {"state": "queued", "again_at": FIRST, "refused": True, **said(131016)},
    ),
    "refused, try again when Meta says": (
        refused(131016, 503, hold_s=40.0),
        {"state": "queued", "again_at": NOW + timedelta(seconds=40), "refused": True, **said(131016)},
    ),
    "the sender is held, which is no fault of the message": (
        refused(131031, 400),
        {"state": "queued", "again_at": FIRST, **said(131031)},
    ),
    "the token is refused": (refused(190, 401), {"state": "queued", "again_at": FIRST, **said(190)}),
    "the person is held": (
        refused(131056, 400),
        {
            "state": "queued",
            "again_at": NOW + timedelta(seconds=6),
            **said(131056),
            "held": "Meta 131056: too many messages to this person",
            "held_by": "person:per_a",
        },
    ),
    "refused, and perhaps taken": (
        refused(131000, 500),
        {"state": "unknown", "again_at": NOW + REPORT_UNKNOWN_AFTER, **said(131000)},
    ),
}


def end_of(sent: Sent, outgoing: Outgoing = OUTGOING) -> Result:
    return result_of(sent, outgoing, NOW, HALF)


@pytest.mark.parametrize("end", ENDS)
def test_the_end_of_a_post_becomes_a_result(end: str) -> None:
    sent, changes = ENDS[end]
    result = end_of(sent)
    assert replace(result, trouble=None) == replace(BASE, **changes)  # type: ignore[arg-type] # fields of Result
    assert (result.trouble is not None) == isinstance(sent, Refused)


def test_only_what_is_proved_not_accepted_is_ever_queued_again() -> None:
    for end, (sent, _) in ENDS.items():
        result = end_of(sent)
        proved = isinstance(sent, NotSent) or (isinstance(sent, Refused) and sent.failure.accepted == "no")
        assert proved or result.state in ("accepted", "unknown"), end
        assert (result.again_at is None) == (result.state in ("accepted", "failed")), end


def test_what_is_refused_again_and_again_gives_up_and_says_so() -> None:
    last = end_of(refused(131016, 503), replace(OUTGOING, refusals=MOST_REFUSALS - 1))
    assert (last.state, last.again_at) == ("failed", None)
    assert last.reason == "gave up after 5 attempts: Meta 131016 A title"


@pytest.mark.parametrize("code", [130429, 190, 131056, 131031])
def test_what_is_no_fault_of_the_message_is_tried_as_long_as_it_lives(code: int) -> None:
    assert end_of(refused(code, 400), replace(OUTGOING, refusals=1000)).state == "queued"


def test_while_meta_cannot_be_reached_nothing_gives_up() -> None:
    assert end_of(NotSent("no connection"), replace(OUTGOING, attempt=1000)).state == "queued"


def test_waits_grow_to_a_minute_at_most() -> None:
    waits = [
        (result_of(NotSent("x"), replace(OUTGOING, attempt=n), NOW, 1.0).again_at or NOW) - NOW
        for n in range(1, 12)
    ]
    assert waits == sorted(waits)
    assert waits[-1] == timedelta(seconds=60.05)


def test_a_paused_template_holds_its_messages_under_its_key() -> None:
    result = end_of(refused(132015, 400), replace(OUTGOING, template=("daily", "en")))
    assert (result.state, result.held_by) == ("queued", "template:daily:en")
    assert result.held == "template daily (en): Meta 132015 A title"
    assert result.again_at is not None
    assert result.again_at > NOW + timedelta(hours=2)


def test_a_window_that_is_closed_takes_the_template_once() -> None:
    sent = refused(131047, 400)
    again = end_of(sent, replace(OUTGOING, fallback=True))
    assert (again.state, again.again_at, again.falls_back) == ("queued", NOW, True)
    assert again.reason == "Meta 131047 A title; it goes once more, as its template"
    assert end_of(sent, replace(OUTGOING, fallback=False)).state == "failed"


@pytest.mark.parametrize("row", ROWS, ids=lambda row: str(row.codes[0]))
def test_each_row_of_the_table_is_what_becomes_of_a_message(row: object) -> None:
    code = getattr(row, "codes")[0]  # noqa: B009 - the rows are read by name throughout
    code = int(code.split("-")[0]) if isinstance(code, str) else code
    result = end_of(refused(code, 400), replace(OUTGOING, template=("t", "en")))
    assert result.state == ("queued" if getattr(row, "retry") else "failed")  # noqa: B009
    assert result.trouble is not None
    assert result.trouble.failure.holds == getattr(row, "holds")  # noqa: B009
