"""A message's timeline as people read it: in the order of what happened, however late it was heard; nothing twice."""

from datetime import UTC, datetime, timedelta
from typing import Any

from sayso.messages import outcome, steps
from sayso.whatsapp.failures import GraphError

NOW = datetime(2026, 3, 14, 12, 0, 5, 734_000, UTC)
SECOND = NOW.replace(microsecond=0)


def step(state: str, at: datetime, reason: str | None = None, **detail: Any) -> dict[str, Any]:
    return {"state": state, "at": at, "reason": reason, "detail": detail or None}


def posted(attempt: int = 1, at: datetime = NOW) -> dict[str, Any]:
    return step("sending", at, attempt=attempt, form="session")


def states(rows: list[dict[str, Any]]) -> list[str]:
    return [row["state"] for row in steps.in_order(rows)]


def sentences(rows: list[dict[str, Any]]) -> list[str]:
    return [sentence for _, _, sentence in steps.told(rows)]


def test_a_status_of_the_second_in_which_its_message_was_posted_comes_after_the_post() -> None:
    rows = [
        step("queued", NOW - timedelta(milliseconds=20)),
        posted(),
        step("accepted", NOW + timedelta(milliseconds=90), attempt=1),
        step("sent", SECOND, status="sent"),
        step("delivered", SECOND, status="delivered"),
    ]
    assert states(rows) == ["queued", "sending", "accepted", "sent", "delivered"]


def test_a_status_of_a_clock_that_is_behind_comes_after_the_post_all_the_same() -> None:
    rows = [posted(), step("sent", SECOND - timedelta(seconds=3), status="sent")]
    assert states(rows) == ["sending", "sent"]
    assert sentences(rows)[1] == "Meta said sent (less than a second after the POST)"


def test_a_status_that_is_heard_of_late_stands_where_it_happened() -> None:
    rows = [
        posted(),
        step("delivered", SECOND + timedelta(seconds=9), status="delivered"),
        step(
            "delivered",
            SECOND + timedelta(seconds=2),
            "Meta said sent; the message was further already",
            status="sent",
        ),
    ]
    assert [row["detail"].get("status") for row in steps.in_order(rows)] == [None, "sent", "delivered"]
    assert sentences(rows)[1:] == [
        "Meta said sent; the message was further already (2 s after the POST)",
        "Meta said delivered (9 s after the POST)",
    ]


def test_word_of_an_earlier_attempt_is_counted_from_that_attempts_post() -> None:
    rows = [
        posted(),
        posted(2, NOW + timedelta(minutes=15)),
        step(
            "sending",
            SECOND + timedelta(seconds=4),
            "about attempt 1: Meta said sent",
            status="sent",
            attempt=1,
            earlier=True,
        ),
    ]
    told = sentences(rows)
    assert told[1] == "about attempt 1: Meta said sent (4 s after the POST)"
    assert [row["detail"].get("earlier", False) for row in steps.in_order(rows)] == [False, True, False]


def test_what_meta_calls_a_message_is_said_once() -> None:
    rows = [
        posted(),
        step("accepted", NOW, attempt=1, wamid="wamid.1"),
        step("sent", SECOND, status="sent", wamid="wamid.1"),
    ]
    assert sum("wamid.1" in sentence for sentence in sentences(rows)) == 1


def test_the_next_attempt_is_told_to_the_second() -> None:
    [said] = sentences(
        [step("queued", NOW, "no connection", next_attempt_at="2026-03-14T12:00:09.123456+00:00")]
    )
    assert said == "no connection; next attempt at 12:00:09"


def test_metas_error_is_one_sentence_without_an_end_and_without_its_code_twice() -> None:
    def said(title: str, details: str) -> str:
        return outcome.explain(GraphError(131047, title, details))

    assert said("(#131047) Re-engagement message", "") == "Meta 131047 Re-engagement message"
    assert (
        said("Re-engagement message.", "More than 24 hours.")
        == "Meta 131047 Re-engagement message: More than 24 hours"
    )
    assert said("(#131047) Too late.", "Too late") == "Meta 131047 Too late"
    assert said("Too late", "(#131047) too late, by 3 hours.") == "Meta 131047 too late, by 3 hours"
    assert said("", "") == "Meta 131047"
