"""An alert is raised once, resolved once, and told to operators alone."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from harness.rooms import Clock
from sayso.core.runtime import Runtime
from sayso.core.telemetry import ALERTS_OPEN
from sayso.events import alerts
from sayso.events import service as events

KEY = "sender.quality:1"


async def raised(rt: Runtime, key: str = KEY, **changes: Any) -> bool:
    about: dict[str, Any] = {
        "severity": "warning",
        "title": "Low",
        "detail": "It is RED.",
        "advice": "Send less.",
    }
    async with rt.db.tx() as tx:
        return await alerts.raise_(tx, rt, key, **{**about, **changes})


async def resolved(rt: Runtime, key: str = KEY) -> bool:
    async with rt.db.tx() as tx:
        return await alerts.resolve(tx, rt, key)


async def told(rt: Runtime, client: str = alerts.OPERATOR) -> list[tuple[str, str]]:
    async with rt.db.one() as tx:
        found = (await events.page(tx, clients=[client], after="", limit=100)).events
    return [(event["type"], event["data"]["key"]) for _, event in found]


async def page(rt: Runtime, state: str) -> list[dict[str, Any]]:
    async with rt.db.one() as tx:
        return [dict(row) for row in await alerts.page(tx, state=state, before=None, limit=10)]


async def test_it_is_news_once_until_it_is_over(rt: Runtime, clock: Clock) -> None:
    assert [await raised(rt), await raised(rt), await raised(rt)] == [True, False, False]
    assert [await resolved(rt), await resolved(rt)] == [True, False]
    clock.advance(seconds=1)
    assert await raised(rt)
    assert await told(rt) == [("alert.raised", KEY), ("alert.resolved", KEY), ("alert.raised", KEY)]
    assert await told(rt, "assistant") == []


async def test_what_no_table_explains_is_no_alert(rt: Runtime) -> None:
    with pytest.raises(ValueError, match=r"nobody can look up: sender\.odd:1"):
        await raised(rt, "sender.odd:1")
    assert await page(rt, "all") == []


async def test_many_who_find_out_at_once_raise_one(rt: Runtime) -> None:
    assert sorted(await asyncio.gather(*(raised(rt) for _ in range(8)))) == [False] * 7 + [True]
    assert await told(rt) == [("alert.raised", KEY)]


async def test_it_says_what_to_do_and_since_when_it_was_seen(rt: Runtime, clock: Clock) -> None:
    began = clock()
    await raised(rt)
    for _ in range(5):
        clock.advance(seconds=20)
        await raised(rt)
    (row,) = await page(rt, "open")
    assert (row["raised_at"], row["seen_at"]) == (began, began + timedelta(seconds=60))
    assert (row["title"], row["detail"], row["advice"]) == ("Low", "It is RED.", "Send less.")
    assert await page(rt, "resolved") == []


async def test_another_severity_is_another_alert(rt: Runtime) -> None:
    await raised(rt)
    assert await raised(rt, severity="critical")
    assert [row["severity"] for row in await page(rt, "open")] == ["critical"]
    assert [row["severity"] for row in await page(rt, "all")] == ["critical", "warning"]


async def test_what_has_no_end_of_its_own_ends_at_its_time(rt: Runtime, clock: Clock) -> None:
    await raised(rt, until=clock() + timedelta(days=1))
    await raised(rt, "sender.status:1")
    for days, expected in ((0.9, 2), (1, 1)):
        clock.advance(days=days)
        async with rt.db.tx() as tx:
            await alerts.resolve_ended(tx, rt)
        assert len(await page(rt, "open")) == expected
    assert (await told(rt))[-1] == ("alert.resolved", KEY)


async def test_an_operator_resolves_one_by_hand_once(rt: Runtime) -> None:
    await raised(rt)
    (row,) = await page(rt, "open")
    for by in ("ana", "bo"):
        async with rt.db.tx() as tx:
            found = await alerts.resolve_by_hand(tx, rt, row["id"], by=by)
        assert found is not None
        assert found["resolved_by"] == "ana"
    async with rt.db.tx() as tx:
        assert await alerts.resolve_by_hand(tx, rt, "alr_none", by="ana") is None
    assert await told(rt) == [("alert.raised", KEY), ("alert.resolved", KEY)]


async def test_the_gauge_counts_what_is_open(rt: Runtime) -> None:
    await raised(rt, severity="critical")
    await raised(rt, "sender.status:1")
    await raised(rt, "sender.health:1")
    await resolved(rt, "sender.health:1")
    async with rt.db.tx() as tx:
        await alerts.gauge(tx)
    shown = {severity: ALERTS_OPEN.labels(severity)._value.get() for severity in alerts.SEVERITIES}
    assert shown == {"info": 0, "warning": 1, "critical": 1}


async def test_an_alert_of_a_transaction_that_fails_was_never_raised(rt: Runtime) -> None:
    async def fails() -> None:
        async with rt.db.tx() as tx:
            await alerts.raise_(tx, rt, KEY, severity="info", title="t", detail="d", advice="a")
            raise LookupError

    await asyncio.gather(fails(), return_exceptions=True)
    assert await told(rt) == []
    assert await raised(rt)
