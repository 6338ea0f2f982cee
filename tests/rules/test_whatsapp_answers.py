"""Answers of the Graph API: an id is acceptance, a code is refusal, everything else is lost."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sayso.whatsapp.answers import MAX_HOLD_S, Accepted, Lost, Refused, interpret, succeeded
from sayso.whatsapp.failures import GraphError, classify

OK = {
    "messaging_product": "whatsapp",
    "contacts": [{"input": "+15550001111", "wa_id": "15550001111"}],
    "messages": [{"id": "wamid.OUT1"}],
}


def answer(status: int, value: object, **headers: str) -> Accepted | Refused | Lost:
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    return interpret(status, named, json.dumps(value).encode())


def with_message(**message: Any) -> dict[str, Any]:
    return OK | {"messages": [message]}


@pytest.mark.parametrize(
    ("status", "value", "expected"),
    [
        (200, OK, Accepted("wamid.OUT1", "15550001111")),
        (201, OK, Accepted("wamid.OUT1", "15550001111")),
        (
            200,
            OK | {"contacts": [{"input": "US.8493", "user_id": "US.8493"}]},
            Accepted("wamid.OUT1", None, "US.8493"),
        ),
        (
            200,
            with_message(id="wamid.1", message_status="accepted"),
            Accepted("wamid.1", "15550001111", held=False),
        ),
        (
            200,
            with_message(id="wamid.1", message_status="held_for_quality_assessment"),
            Accepted("wamid.1", "15550001111", held=True),
        ),
        (
            200,
            with_message(id="wamid.1", message_status="paused"),
            Accepted("wamid.1", "15550001111", held=True),
        ),
        (200, {"messages": [{"id": "wamid.1"}]}, Accepted("wamid.1")),
        (200, OK | {"contacts": "none"}, Accepted("wamid.OUT1")),
        (200, OK | {"error": {"code": 1}}, Accepted("wamid.OUT1", "15550001111")),
    ],
)
def test_an_id_is_acceptance(status: int, value: object, expected: Accepted) -> None:
    assert answer(status, value) == expected


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, b"{}"),
        (200, b""),
        (200, b"OK"),
        (200, b"[]"),
        (200, b"null"),
        (200, b'{"messages":[]}'),
        (200, b'{"messages":[{}]}'),
        (200, b'{"messages":[{"id":""}]}'),
        (200, b'{"messages":[{"id":7}]}'),
        (200, b'{"messages":{"id":"wamid.1"}}'),
        (200, b'{"messages":[{"id":"wamid.1"'),
        (200, b'{"success":true}'),
        (302, json.dumps(OK).encode()),
        (307, b""),
        (400, b"<html>Bad Request</html>"),
        (404, b'{"detail":"Not Found"}'),
        (500, b""),
        (502, b"<html>Bad Gateway</html>"),
        (503, b'{"error":"overloaded"}'),
        (503, b'{"error":{"message":"no code"}}'),
        (500, json.dumps(OK).encode()),
        (200, b"[" * 100_000),
    ],
)
def test_everything_unclear_is_lost(status: int, body: bytes) -> None:
    found = interpret(status, {}, body)
    assert isinstance(found, Lost)
    assert str(status) in found.reason


@pytest.mark.parametrize(
    ("status", "code", "accepted"),
    [(400, 131047, "no"), (401, 190, "no"), (500, 131000, "maybe"), (400, 131000, "no"), (200, 100, "no")],
)
def test_a_code_is_a_refusal(status: int, code: int, accepted: str) -> None:
    found = answer(status, {"error": {"code": code, "message": "M", "fbtrace_id": "F"}})
    assert isinstance(found, Refused)
    assert found.error == GraphError(code, "M", "M", fbtrace_id="F")
    assert (found.http_status, found.failure.code, found.failure.accepted) == (status, code, accepted)


@pytest.mark.parametrize(
    "body", [b"", b"<html>Too Many Requests</html>", b'{"error":{"message":"slow down"}}']
)
def test_too_many_requests_without_a_code_are_a_refusal_that_slows_the_sender_down(body: bytes) -> None:
    """Whoever answers so, Meta's edge or a gateway before it, has not passed the request on (RFC 6585)."""
    for headers, hold_s in (({}, OWN_HOLD_S), ({"Retry-After": "90"}, 90.0)):
        found = interpret(429, headers, body)
        assert isinstance(found, Refused)
        assert (found.failure, found.error.title) == (
            replace(classify(GraphError(130429, ""), 429), hold_s=hold_s),
            "HTTP 429 without a code of Meta's",
        )


DATE = "Sun, 22 Nov 2026 10:00:00 GMT"
THROTTLED = {"error": {"code": 130429, "message": "M"}}
OWN_HOLD_S = 2.0


@pytest.mark.parametrize(
    ("headers", "hold_s"),
    [
        ({}, OWN_HOLD_S),
        ({"Retry_After": "30"}, 30.0),
        ({"Retry_After": "1.5"}, OWN_HOLD_S),
        ({"Retry_After": "0"}, OWN_HOLD_S),
        ({"Retry_After": "-5"}, OWN_HOLD_S),
        ({"Retry_After": "1000000000"}, MAX_HOLD_S),
        ({"Retry_After": "inf"}, OWN_HOLD_S),
        ({"Retry_After": "nan"}, OWN_HOLD_S),
        ({"Retry_After": "soon"}, OWN_HOLD_S),
        ({"Retry_After": ""}, OWN_HOLD_S),
        ({"Retry_After": "Sun, 22 Nov 2026 10:01:00 GMT", "Date": DATE}, 60.0),
        ({"Retry_After": "Sun, 22 Nov 2026 09:00:00 GMT", "Date": DATE}, OWN_HOLD_S),
        ({"Retry_After": "Sun, 22 Nov 2099 10:01:00 GMT", "Date": DATE}, MAX_HOLD_S),
        ({"Retry_After": "Sun, 22 Nov 2026 10:01:00 GMT"}, OWN_HOLD_S),
        ({"Retry_After": "Sun, 22 Nov 2026 10:01:00", "Date": DATE}, OWN_HOLD_S),
        ({"x_app_usage": '{"call_count":100,"estimated_time_to_regain_access":2}'}, 120.0),
        ({"x_app_usage": '{"call_count":100}'}, OWN_HOLD_S),
        ({"x_app_usage": "\udcff"}, OWN_HOLD_S),
        (
            {
                "x_business_use_case_usage": '{"2":[{"type":"a","estimated_time_to_regain_access":0},'
                '{"type":"whatsapp","estimated_time_to_regain_access":5}]}'
            },
            300.0,
        ),
        (  # of calls that are no messages
            {
                "x_business_use_case_usage": '{"2":[{"type":"whatsapp_business_management",'
                '"estimated_time_to_regain_access":60}]}'
            },
            OWN_HOLD_S,
        ),
        ({"x_business_use_case_usage": '{"2":[{"estimated_time_to_regain_access":1e9}]}'}, MAX_HOLD_S),
        ({"x_app_usage": f'{{"estimated_time_to_regain_access":{10**400}}}'}, MAX_HOLD_S),
        ({"x_app_usage": f'{{"estimated_time_to_regain_access":-{10**400}}}'}, OWN_HOLD_S),
        (
            {"x_business_use_case_usage": '{"2":[7,{"estimated_time_to_regain_access":"x"}],"3":5}'},
            OWN_HOLD_S,
        ),
        ({"x_business_use_case_usage": "[1]"}, OWN_HOLD_S),
        ({"x_business_use_case_usage": "{"}, OWN_HOLD_S),
    ],
)
def test_hold_that_meta_asks_for(headers: dict[str, str], hold_s: float) -> None:
    found = answer(429, THROTTLED, **headers)
    assert isinstance(found, Refused)
    assert found.failure.hold_s == hold_s


def test_what_is_not_tried_again_is_not_held_by_a_header() -> None:
    found = answer(400, {"error": {"code": 100, "message": "M"}}, Retry_After="30")
    assert isinstance(found, Refused)
    assert found.failure.hold_s == 0


ANY_TEXT = st.text(st.characters(), max_size=20)  # half characters too: HTTP headers are decoded into them


@given(st.integers(100, 599), st.binary(max_size=100), ANY_TEXT)
def test_any_answer_is_one_of_the_three(status: int, body: bytes, header: str) -> None:
    headers = {"Retry-After": header, "Date": header, "x-app-usage": header}
    assert isinstance(interpret(status, headers, body), Accepted | Refused | Lost)
    refused = interpret(status, headers, json.dumps(THROTTLED).encode())
    assert isinstance(refused, Refused)
    assert 0 <= refused.failure.hold_s <= MAX_HOLD_S


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (200, b'{"success":true}', True),
        (200, b'{"success":false}', False),
        (200, b'{"success":"true"}', False),
        (200, b"{}", False),
        (200, b"[true]", False),
        (200, b"<", False),
        (400, b'{"success":true}', False),
    ],
)
def test_read_receipt_is_confirmed_by_success_only(status: int, body: bytes, *, expected: bool) -> None:
    assert succeeded(status, body) is expected
