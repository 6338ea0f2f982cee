"""GET /stats: cohorts by the hour, rates, codes, reasons, prices, what waits; within the period and no further."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from harness.contract import ALICE, Contract, assert_problem, contract
from harness.service import PHONE_NUMBER_ID
from sayso.core.runtime import id_at
from sayso.messages import tally
from sayso.operate import stats

HOUR = timedelta(hours=1)
#: state, count, and what else is told of the message.
BECAME: list[tuple[str, int, dict[str, Any]]] = [
    ("read", 4, {"price_estimate": "service", "price_category": "service", "price_billable": False}),
    ("delivered", 3, {"price_estimate": "utility", "price_category": "utility", "price_billable": True}),
    ("sent", 2, {"price_estimate": "utility", "price_category": "marketing", "price_billable": True}),
    ("failed", 3, {"error_code": 131026}),
    ("failed", 1, {"error_code": 131047}),
    ("suppressed", 2, {"reason": "the person opted out (consent entry con_1)", "wamid": None, "posted_at": None}),
    ("suppressed", 1, {"reason": "the person opted out (consent entry con_2)", "wamid": None, "posted_at": None}),
    (
        "suppressed",
        1,
        {
            "reason": "the 24-hour window closed at 2026-03-14 12:00 UTC: only a template may be sent",
            "wamid": None,
            "posted_at": None,
        },
    ),
    ("unknown", 2, {"wamid": None}),
]  # fmt: skip


@pytest.fixture
async def api(dsn: str) -> AsyncIterator[Contract]:
    """Alice, a message to her, a question for her; nobody works on them."""
    async with contract(dsn) as made:
        yield made


async def became(api: Contract, at: datetime, sender: str = PHONE_NUMBER_ID) -> None:
    """One of each of ``BECAME``, queued at ``at``."""
    columns = {"wamid": "wamid.1", "posted_at": at, "reason": None, "error_code": None, "price_estimate": None,
               "price_category": None, "price_billable": None}  # fmt: skip
    async with api.rt.db.tx() as tx:
        person = await tx.fetchval("SELECT id FROM people LIMIT 1")
        number = 0
        for state, many, more in BECAME:
            told = {**columns, **more}
            for _ in range(many):
                number += 1
                await tx.execute(
                    "INSERT INTO messages (id, client_id, person_id, phone_number_id, purpose, lane, content, state, "
                    "expires_at, created_at, work_at, wamid, posted_at, reason, error_code, price_estimate, "
                    "price_category, price_billable) VALUES ($1, 'bot', $2, $3, 'send', 2, '{}', $4, $5, $5, $5, "
                    "$6, $7, $8, $9, $10, $11, $12)",
                    id_at("msg", at)[:-4] + f"{number:04d}",
                    person,
                    sender,
                    state,
                    at,
                    *told.values(),
                )


async def figures(api: Contract, **query: str) -> dict[str, Any]:
    answer = await api.call("GET", "/stats", params=query)
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


async def test_a_period_by_the_hour_and_by_the_sender(api: Contract) -> None:
    noon = datetime(2026, 3, 14, 12, 30, tzinfo=UTC)
    await became(api, noon)
    await became(api, noon + HOUR, "400000000000099")
    await became(api, noon + 5 * HOUR)  # after the period
    period = {"since": noon.isoformat(), "until": (noon + 2 * HOUR).isoformat()}
    told = await figures(api, **period)
    one = {
        "messages": 19, "posted": 15, "accepted": 13, "delivered": 7, "read": 4, "failed": 4, "suppressed": 4,
        "expired": 0, "cancelled": 0, "unknown": 2, "waiting": 0, "acceptance_rate": round(13 / 15, 4),
        "delivery_rate": round(7 / 13, 4), "read_rate": round(4 / 7, 4),
    }  # fmt: skip
    assert [{name: hour[name] for name in one} for hour in told["hours"]] == [one, one]
    assert [hour["hour"] for hour in told["hours"]] == ["2026-03-14T12:00:00Z", "2026-03-14T13:00:00Z"]
    assert all(hour["settled"] for hour in told["hours"])
    assert {each["sender"]: each["messages"] for each in told["senders"]} == {
        PHONE_NUMBER_ID: 19,
        "400000000000099": 19,
    }
    assert (told["total"]["messages"], told["truncated"]) == (38, False)
    alone = await figures(api, sender=PHONE_NUMBER_ID, **period)
    assert {name: alone["total"][name] for name in one} == one


async def test_what_reached_somebody_was_accepted_though_it_was_erased_since(api: Contract) -> None:
    noon = datetime(2026, 3, 14, 12, 30, tzinfo=UTC)
    await became(api, noon)
    period = {"since": noon.isoformat(), "until": (noon + HOUR).isoformat()}
    before = (await figures(api, **period))["total"]
    async with api.rt.db.tx() as tx:
        await tx.execute("UPDATE messages SET wamid = NULL WHERE state IN ('sent', 'delivered', 'read')")
    assert (await figures(api, **period))["total"] == before


async def test_failures_by_code_suppressed_by_reason_prices_expected_and_told(api: Contract) -> None:
    at = datetime(2026, 3, 14, 12, 30, tzinfo=UTC)
    await became(api, at)
    told = await figures(api, since=at.isoformat(), until=(at + HOUR).isoformat())
    assert [(each["code"], each["count"]) for each in told["failures"]] == [(131026, 3), (131047, 1)]
    assert all(each["title"] for each in told["failures"])
    assert told["suppressed"] == [
        {"reason": "the person opted out", "count": 3},
        {"reason": "the 24-hour window closed: only a template may be sent", "count": 1},
    ]
    assert told["prices"] == [
        {"category": "marketing", "estimated": 0, "actual": 2, "billable": 2},
        {"category": "service", "estimated": 4, "actual": 4, "billable": 0},
        {"category": "utility", "estimated": 5, "actual": 3, "billable": 3},
    ]


async def test_how_things_stand_now(api: Contract) -> None:
    told = await figures(api)
    assert {(each["lane"], each["ready"]) for each in told["queue"]} == {(1, 3), (2, 1)}
    assert told["total"]["waiting"] == 4  # the message and three questions of this stage
    assert not told["hours"][-1]["settled"]
    assert {each["name"] for each in told["templates"]} >= {"greeting"}
    assert told["unknown"] == {"count": 0, "oldest_at": None}
    await became(api, api.rt.now())
    async with api.rt.db.tx() as tx:
        await tx.execute(
            "UPDATE messages SET held = 'waits for a template', held_by = 'template:t:en', work = 'waiting' "
            "WHERE work IS NOT NULL"
        )
    told = await figures(api)
    assert (told["queue"], told["unknown"]["count"]) == ([], 2)
    assert [(each["by"], each["held"], each["count"]) for each in told["held"]] == [
        ("template:t:en", "waits for a template", 4)
    ]


async def test_who_joined_and_who_left(api: Contract) -> None:
    person = {"recipient": ALICE, "scope": ["all"], "wording": "I agree", "evidence": ["form 1"]}
    joined = await api.call("POST", "/consents", json=person)
    told = await figures(api)
    assert joined.status_code in (200, 201, 202), joined.text
    assert (told["consent"]["opted_in"], told["consent"]["opted_out"], told["consent"]["net"]) == (1, 0, 1)


async def test_of_too_many_messages_the_newest_are_counted(
    api: Contract, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = datetime(2026, 3, 14, 12, 30, tzinfo=UTC)
    await became(api, at)
    await became(api, at + HOUR)
    monkeypatch.setattr(tally, "COUNTED_AT_MOST", 19)
    monkeypatch.setattr(stats, "COUNTED_AT_MOST", 19)
    told = await figures(api, since=at.isoformat(), until=(at + 2 * HOUR).isoformat())
    assert told["truncated"]
    assert [hour["hour"] for hour in told["hours"]] == ["2026-03-14T13:00:00Z"]


async def test_a_period_has_a_length(api: Contract) -> None:
    now = api.rt.now()
    for since, until in ((now, now), (now - timedelta(days=32), now)):
        answer = await api.call(
            "GET", "/stats", params={"since": since.isoformat(), "until": until.isoformat()}
        )
        assert assert_problem(answer, 422, "input_invalid")["errors"][0]["pointer"] == "/since"


def test_without_messages_there_are_no_rates() -> None:
    told = stats.total([])
    assert (told.acceptance_rate, told.delivery_rate, told.read_rate) == (None, None, None)
