"""A moment from the end of a calendar is refused where it stands: no time zone and no sum carries it further."""

from typing import Any

import pytest

from harness.contract import ALL, Contract, bearer

PROOF = {"recipient": "+15550001111", "wording": "I agree.", "evidence": ["form 7"]}
#: Where callers name a moment: the route, the parameter of its address or the field of its body.
NAMED: list[tuple[str, str, str, dict[str, Any] | None]] = [
    ("POST", "/consents", "captured_at", PROOF),
    ("POST", "/consents", "expires_at", PROOF),
    ("POST", "/consents", "review_at", PROOF),
    (
        "POST",
        "/consents/revoke",
        "captured_at",
        {"recipient": "+15550001111", "reason": "asked on the phone"},
    ),
    ("POST", "/send", "send_at", {"content": "hello"}),
    ("POST", "/send", "expires_at", {"content": "hello"}),
    ("POST", "/messages/retry", "since", {}),
    ("GET", "/dead-letters", "since", None),
    ("GET", "/dead-letters", "until", None),
    ("GET", "/stats", "since", None),
    ("GET", "/stats", "until", None),
    ("GET", "/consents/export", "since", None),
    ("GET", "/consents/export", "until", None),
    ("PUT", "/people/alice/absence", "until", {"delegate": "carol"}),
    ("POST", "/endpoints/{endpoint}/replay", "since", {}),
]
ENDS = ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00")


async def test_the_ends_of_the_calendar_are_refused_wherever_a_moment_is_named(api: Contract) -> None:
    everything = bearer(scopes=ALL)
    for method, path, name, body in NAMED:
        for at in ENDS:
            given: dict[str, Any] = {"params": {name: at}} if body is None else {"json": body | {name: at}}
            answer = await api.call(method, path, token=everything, **given)
            where = f"{method} {path} {name}={at}"
            assert answer.status_code == 422, f"{where}: {answer.status_code} {answer.text}"
            assert [fault["pointer"] for fault in answer.json()["errors"]] == [f"/{name}"], where


@pytest.mark.parametrize("name", ["captured_at", "expires_at"])
async def test_a_row_with_such_a_moment_is_rejected_by_itself(api: Contract, name: str) -> None:
    rows = [
        {"recipient": "+15550002222", name: "0001-01-01T00:00:00+14:00"},
        {"recipient": "+15550003333"},
        {"recipient": "+15550004444", name: "9999-12-31T23:59:59-12:00"},
    ]
    answer = await api.call("POST", "/consents/import", json={"rows": rows})
    assert [row["state"] for row in answer.json()["rows"]] == ["rejected", "recorded", "rejected"]
