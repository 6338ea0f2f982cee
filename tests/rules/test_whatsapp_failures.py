"""Errors of Meta: every code of the wire sheet has a row, and what may have been accepted is told apart."""

import pytest

from sayso.whatsapp.failures import NO_CODE, ROWS, GraphError, classify, graph_error, graph_errors

# The table of cloud-api 5.3, by its classes; a code with two classes stands where we file it.
CLASSES = {
    "retry": "1 2 130429 131000 131016 131057 133000 133004 139102 139103 2494100",
    "window": "4 17 613 80007 80008 131047 131049 131056 132069 133008 133009 133015 133016 134101",
    "bad_request": "100 192 200005 200006 200007 131008 131009 131020 131041 131059 131200 131299 131021"
    " 131030 131051 131053 131055 131058 131062 132000 132005 132008 132012 132018 133005 133006 134100"
    " 135000 138000 138999 139100 139101 139104 139199 147001 147005 2200 2593107 2593108",
    "recipient": "130472 131026 131052 131060 137000",
    "policy": "130403 130497 131050 131063",
    "credentials": "0 3 10 15 101 104 190 200 299 131005",
    "template": "132001 132007 132015 132016 132068",
    "account": "33 368 803 131031 131037 131042 131044 131045 131048 131064 133010 134011 134102 141006 141010",
}
CODES = [(int(code), kind) for kind, codes in CLASSES.items() for code in codes.split()]
GENERIC = (1, 2, 131000)


@pytest.mark.parametrize(("code", "kind"), CODES)
def test_every_code_has_its_class(code: int, kind: str) -> None:
    failure = classify(GraphError(code, "Meta's title"), 400)
    assert (failure.kind, failure.code, failure.known) == (kind, code, True)
    assert failure.accepted == "no"
    assert failure.title
    assert failure.title != "Meta's title"


def test_no_code_stands_twice_and_every_row_is_listed() -> None:
    codes = [code for row in ROWS for code in row.codes]
    assert len(codes) == len(set(codes))
    listed = {code for code, _ in CODES}
    assert {code for code in codes if isinstance(code, int)} <= listed
    spans = [tuple(map(int, code.split("-"))) for code in codes if isinstance(code, str)]
    assert all({first, last} <= listed for first, last in spans)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: str(row.codes[0]))
def test_every_row_speaks_in_sentences(row: object) -> None:
    for part in ("meaning", "we_do", "operator"):
        assert getattr(row, part).endswith(".")


@pytest.mark.parametrize("row", ROWS, ids=lambda row: str(row.codes[0]))
def test_rows_are_consistent(row: object) -> None:
    kind, retry, hold_s = (getattr(row, part) for part in ("kind", "retry", "hold_s"))
    assert hold_s >= 0
    if kind in ("bad_request", "recipient", "policy"):
        assert not retry, "the same message would fail again"
    if getattr(row, "holds") in ("person", "marketing", "sender", "everything"):  # noqa: B009
        assert hold_s > 0, "what is held is held for a time"
    if kind in ("retry", "credentials"):
        assert retry, "the message must not be lost to a passing trouble"
    if getattr(row, "generic"):  # noqa: B009 - the rows are read by name throughout
        assert kind == "retry"


@pytest.mark.parametrize("code", [code for code, _ in CODES if code not in GENERIC])
@pytest.mark.parametrize("status", [200, 400, 429, 500, 503])
def test_a_named_condition_is_a_refusal_whatever_the_status(code: int, status: int) -> None:
    assert classify(GraphError(code, ""), status) == classify(GraphError(code, ""), None)
    assert classify(GraphError(code, ""), status).accepted == "no"


@pytest.mark.parametrize("code", [*GENERIC, 999, 131999, NO_CODE])
@pytest.mark.parametrize(
    ("status", "accepted"),
    [(400, "no"), (429, "no"), (499, "no"), (500, "maybe"), (502, "maybe"), (503, "maybe"), (200, "maybe")],
)
def test_a_nameless_failure_of_the_server_may_have_been_accepted(
    code: int, status: int, accepted: str
) -> None:
    failure = classify(GraphError(code, ""), status)
    assert failure.accepted == accepted
    if accepted == "maybe":
        assert not failure.retry, "a second POST could be a second message"


@pytest.mark.parametrize("code", [*GENERIC, 999])
def test_the_verdict_of_a_webhook_is_final(code: int) -> None:
    assert classify(GraphError(code, ""), None).accepted == "no"


def test_unknown_code_says_what_meta_said() -> None:
    failure = classify(GraphError(999, "Something new"), 400)
    assert (failure.title, failure.kind, failure.known, failure.retry) == (
        "Something new",
        "bad_request",
        False,
        False,
    )
    assert classify(GraphError(999, ""), 400).title == "Unknown error"


@pytest.mark.parametrize(
    ("error", "status"), [(GraphError(999, "", is_transient=True), 400), (GraphError(999, ""), 429)]
)
def test_unknown_but_passing_is_tried_again(error: GraphError, status: int) -> None:
    failure = classify(error, status)
    assert (failure.kind, failure.retry, failure.accepted) == ("retry", True, "no")
    assert failure.hold_s > 0


@pytest.mark.parametrize(
    ("code", "holds", "hold_s"),
    [
        (131056, "person", 6),
        (130429, "sender", 2),
        (190, "everything", 60),
        (132015, "template", 10_800),
        (131049, "marketing", 86_400),
        (131016, "message", 0),
        (131048, "sender", 3_600),
    ],
)
def test_what_waits_and_how_long(code: int, holds: str, hold_s: float) -> None:
    failure = classify(GraphError(code, ""), 400)
    assert (failure.holds, failure.hold_s) == (holds, hold_s)


def test_error_of_an_answer() -> None:
    answer = {
        "message": "(#130429) Rate limit hit",
        "type": "OAuthException",
        "code": 130429,
        "error_data": {"messaging_product": "whatsapp", "details": "Throughput has been reached."},
        "error_subcode": 2494055,
        "is_transient": False,
        "fbtrace_id": "Abc123",
    }
    assert graph_error(answer) == GraphError(
        130429, "(#130429) Rate limit hit", "Throughput has been reached.", 2494055, "Abc123", False
    )


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"code": 1, "title": "T", "message": "M"}, GraphError(1, "T", "M")),
        ({"code": "190", "message": "M", "error_data": "text"}, GraphError(190, "M", "text")),
        ({"code": 100, "error_user_msg": "U"}, GraphError(100, "", "U")),
        ({"code": True, "error_data": [], "is_transient": "yes", "fbtrace_id": 5}, GraphError(NO_CODE, "")),
        ({"code": 10**30}, GraphError(NO_CODE, "")),
        ({"code": "1e5", "error_subcode": "463"}, GraphError(NO_CODE, "", "", 463)),
        ({}, GraphError(NO_CODE, "")),
        (None, None),
        ("error", None),
        ([], None),
    ],
)
def test_error_in_every_shape(value: object, expected: GraphError | None) -> None:
    assert graph_error(value) == expected


def test_what_is_no_error_is_left_out() -> None:
    assert graph_errors([{"code": 1}, None, 5]) == (GraphError(1, ""),)
    assert graph_errors({"code": 1}) == ()
    assert graph_errors(None) == ()
