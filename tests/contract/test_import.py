"""POST /consents/import: rows as JSON or CSV, each with what became of it, each once."""

from typing import Any

import httpx2
import pytest

from harness.contract import Contract, assert_problem, bearer
from sayso.inbound import import_routes, importing

PATH = "/consents/import"
PROVEN = {
    "recipient": "+15550007001",
    "captured_at": "2026-01-31T10:00:00Z",
    "wording": "I agree.",
    "evidence": "form 7",
}
CSV = (
    "recipient,captured_at,wording,evidence,scope\r\n"
    "+15550007001,2026-01-31T10:00:00Z,I agree.,form 7,\r\n"
    "+15550007002,,,,confirmations\r\n"
    "nobody,,,,\r\n"
)


async def take_in(api: Contract, rows: list[dict[str, Any]], **options: Any) -> dict[str, Any]:
    answer = await api.call("POST", options.pop("path", PATH), json={"rows": rows}, **options)
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


async def as_csv(api: Contract, text: str | bytes, **options: Any) -> httpx2.Response:
    headers = {"content-type": "text/csv; charset=utf-8", **options.pop("headers", {})}
    return await api.call("POST", PATH, content=text, headers=headers, **options)


async def entries(api: Contract) -> list[Any]:
    async with api.rt.db.one() as tx:
        return list(await tx.fetch("SELECT * FROM consent_entries WHERE action = 'imported' ORDER BY seq"))


async def test_each_row_is_told_and_what_lacks_proof_is_unverified(api: Contract) -> None:
    told = await take_in(
        api, [PROVEN, {"recipient": "US.7002"}, {"recipient": "nobody"}, {"phone": "+1", "odd": "x"}]
    )
    rows = told.pop("rows")
    assert told == {"recorded": 2, "known": 0, "rejected": 2, "unverified": 1, "dry_run": False}
    assert [(row["row"], row["state"], row["verified"]) for row in rows] == [
        (1, "recorded", True),
        (2, "recorded", False),
        (3, "rejected", None),
        (4, "rejected", None),
    ]
    assert "not an international phone number" in rows[2]["why"]
    assert rows[3]["why"] == "unknown column odd"
    written = await entries(api)
    assert [entry["id"] for entry in written] == [rows[0]["id"], rows[1]["id"]]
    assert written[0]["personal"]["actor"] == "bot/alice"


async def test_csv_is_taken_as_the_terminal_takes_it(api: Contract) -> None:
    answer = await as_csv(api, CSV)
    assert answer.status_code == 200, answer.text
    assert [row["state"] for row in answer.json()["rows"]] == ["recorded", "recorded", "rejected"]
    first, second = await entries(api)
    assert (first["verified"], second["verified"]) == (True, False)
    assert (list(first["scope"]), list(second["scope"])) == (["all"], ["confirmations"])


async def test_a_row_is_written_once_however_often_and_wherever_it_comes(api: Contract) -> None:
    first = await take_in(api, [PROVEN, dict(PROVEN)])
    assert [row["state"] for row in first["rows"]] == ["recorded", "known"]
    assert first["rows"][0]["id"] == first["rows"][1]["id"]
    again = (await as_csv(api, CSV)).json()
    assert [row["state"] for row in again["rows"]] == ["known", "recorded", "rejected"]
    assert again["rows"][0]["id"] == first["rows"][0]["id"]
    assert len(await entries(api)) == 2


async def test_one_form_may_opt_in_to_several_things_row_by_row(api: Contract) -> None:
    rows = [PROVEN | {"scope": scope} for scope in ("confirmations", "marketing", "marketing confirmations")]
    first = await take_in(api, rows)
    assert [row["state"] for row in first["rows"]] == ["recorded"] * 3
    again = await take_in(api, [*rows, PROVEN | {"scope": "confirmations marketing"}, PROVEN])
    assert [row["state"] for row in again["rows"]] == ["known"] * 4 + ["recorded"]
    assert (await take_in(api, [PROVEN | {"scope": "notifications"}]))["rows"][0]["state"] == "known"


async def test_proof_that_comes_later_is_written_down(api: Contract) -> None:
    bare = {name: PROVEN[name] for name in ("recipient", "captured_at")}
    assert (await take_in(api, [bare]))["rows"][0]["verified"] is False
    assert (await take_in(api, [PROVEN]))["rows"][0]["state"] == "recorded"
    assert [entry["verified"] for entry in await entries(api)] == [False, True]
    assert (await take_in(api, [bare, PROVEN]))["known"] == 2


async def test_a_key_is_one_import_and_one_answer(api: Contract, monkeypatch: pytest.MonkeyPatch) -> None:
    key = {"Idempotency-Key": "import-1"}
    first = await as_csv(api, CSV, headers=key)
    monkeypatch.setattr(importing, "write", lambda *_, **__: pytest.fail("nothing is written again"))
    again = await as_csv(api, CSV, headers=key)
    assert (again.headers["idempotency-replayed"], again.json()) == ("true", first.json())
    assert len(await entries(api)) == 2
    assert_problem(await as_csv(api, CSV + "\r\n", headers=key), 422, "idempotency_mismatch")


async def test_a_dry_run_writes_nothing(api: Contract) -> None:
    told = await take_in(api, [PROVEN, {"recipient": "nobody"}], path=f"{PATH}?dry_run=true")
    assert (told["dry_run"], told["recorded"], told["rejected"]) == (True, 1, 1)
    assert told["rows"][0]["id"] is None
    assert await entries(api) == []


async def test_many_rows_go_in_parts_and_too_many_are_refused(api: Contract) -> None:
    count = importing.AT_ONCE + 1
    told = await take_in(api, [{"recipient": f"US.{number}"} for number in range(count)])
    assert told["recorded"] == len(await entries(api)) == count
    most = import_routes.MOST_ROWS
    answer = await api.call("POST", PATH, json={"rows": [{}] * (most + 1)})
    problem = assert_problem(answer, 422, "input_invalid")
    assert problem["errors"] == [{"detail": "may hold at most 10000, not 10,001", "pointer": "/rows"}]
    answer = await as_csv(api, "recipient\n" + "x\n" * (most + 1))
    assert "more than 10,000 rows" in assert_problem(answer, 422, "input_invalid")["detail"]
    large = await as_csv(api, b"x" * (import_routes.LARGEST_BODY + 1))
    assert_problem(large, 413, "body_too_large")


async def test_what_is_no_such_file_is_said_and_where(api: Contract) -> None:
    assert "must be application/json or text/csv" in await refused(api, "<x/>", "text/xml")
    assert "not UTF-8" in await refused(api, b"\xff\xfe", "text/csv")
    assert "no rows" in await refused(api, "recipient\n", "text/csv")
    assert "cannot be read" in await refused(api, 'recipient\n"+1', "text/csv")
    assert "must be text or a list of texts, not 7" in await refused(
        api, '{"rows": [{"wording": 7}]}', "application/json"
    )


async def refused(api: Contract, content: str | bytes, kind: str) -> str:
    answer = await api.call("POST", PATH, content=content, headers={"content-type": kind})
    detail: str = assert_problem(answer, 422, "input_invalid")["detail"]
    return detail


async def test_what_cannot_be_stored_is_rejected_by_row(api: Contract) -> None:
    told = await take_in(
        api,
        [
            {**PROVEN, "wording": "a\x00b"},
            {**PROVEN, "wording": "x" * 4_001},
            {**PROVEN, "evidence": ["y" * 501]},
        ],
    )
    assert [row["why"] for row in told["rows"]] == [
        "wording holds a character that cannot be stored (NUL or half of one)",
        "wording has 4,001 characters, 1 more than the 4,000 that are kept",
        "evidence has 501 characters, 1 more than the 500 that are kept",
    ]


async def test_an_assistant_may_not_import(api: Contract) -> None:
    answer = await api.call("POST", PATH, json={"rows": [PROVEN]}, token=bearer())
    assert_problem(answer, 403, "forbidden")
