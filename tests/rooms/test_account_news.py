"""Webhooks about numbers and the account (cloud-api 4.11): what each changes, tells and alerts."""

from datetime import timedelta
from typing import Any

import pytest

from harness.rooms import Clock
from harness.service import PHONE_NUMBER_ID
from sayso.core.runtime import Runtime
from sayso.events import alerts
from sayso.inbound import account_news
from sayso.senders import service
from sayso.senders.learning import learn
from sayso.senders.service import Sender
from sayso.whatsapp.numbers import Number
from sayso.whatsapp.updates import OtherUpdate

WABA, SHOWN = "200000000000001", "15550100000"


@pytest.fixture(autouse=True)
async def _a_number(rt: Runtime) -> None:
    async with rt.db.tx() as tx:
        await service.ensure(tx, rt)
        await learn(tx, rt, PHONE_NUMBER_ID, Number(display_number="+1 555-010-0000", tier="TIER_250"))
        await tx.execute(
            "UPDATE senders SET work = 'waiting', checked_at = $1", rt.now() - timedelta(hours=1)
        )


async def hear(
    rt: Runtime, field: str, value: Any, *, waba_id: str = WABA, at: Any = None, number: str = ""
) -> str:
    """Digest one; what became of it. By default it was said this moment."""
    update = OtherUpdate(field, number, value, waba_id, at or rt.now())
    async with rt.db.tx() as tx:
        return await account_news.NEWS[field](tx, rt, update)


async def sender(rt: Runtime) -> Sender:
    async with rt.db.one() as tx:
        found = await service.get(tx, PHONE_NUMBER_ID)
    assert found is not None
    return found


async def opened(rt: Runtime) -> dict[str, str]:
    async with rt.db.one() as tx:
        return {r["key"]: r["severity"] for r in await alerts.page(tx, state="open", before=None, limit=50)}


async def is_asked(rt: Runtime) -> bool:
    """Whether a check is due."""
    async with rt.db.one() as tx:
        return bool(await tx.fetchval("SELECT work = 'ready' FROM senders"))


async def test_every_field_is_told_to_operators_and_makes_a_check_due(rt: Runtime) -> None:
    for field in account_news.NEWS:
        async with rt.db.tx() as tx:
            await tx.execute("UPDATE senders SET work = 'waiting'")
            await tx.execute("DELETE FROM events")
        odd: tuple[Any, ...] = (
            {},
            [],
            None,
            {"event": 7, "decision": [], "restriction_info": 3, "ban_info": 1},
        )
        for value in odd:
            await hear(rt, field, value)
        assert await is_asked(rt)
        async with rt.db.one() as tx:
            rows = await tx.fetch("SELECT client_id, data FROM events WHERE type = 'account.news'")
        assert {row["client_id"] for row in rows} == {alerts.OPERATOR}
        assert {row["data"]["field"] for row in rows} == {field}


async def test_the_news_of_somebody_elses_account_are_not_ours(rt: Runtime) -> None:
    said = await hear(rt, "account_update", {"event": "ACCOUNT_DELETED"}, waba_id="200000000000009")
    assert "not ours" in said
    assert await opened(rt) == {}
    assert not await is_asked(rt)


async def test_an_upgraded_number_goes_faster_and_a_raised_limit_reaches_more(rt: Runtime) -> None:
    value = {"display_phone_number": SHOWN, "event": "THROUGHPUT_UPGRADE", "current_limit": "TIER_2K"}
    await hear(rt, "phone_number_quality_update", value)
    found = await sender(rt)
    assert (found.rate_limit, found.throughput, found.tier_limit) == (1000, "HIGH", 2000)


@pytest.mark.parametrize(
    ("value", "limit"), [(10_000, 10_000), ("TIER_100K", 100_000), (-1, None), ("-1", None), (None, 250)]
)
async def test_the_accounts_capability_is_the_limit(rt: Runtime, value: Any, limit: int | None) -> None:
    await hear(rt, "business_capability_update", {"max_daily_conversations_per_business": value})
    assert (await sender(rt)).tier_limit == limit


async def test_what_was_said_before_the_last_check_changes_nothing_and_asks(
    rt: Runtime, clock: Clock
) -> None:
    old = clock() - timedelta(hours=2)
    value = {"display_phone_number": SHOWN, "event": "FLAGGED", "current_limit": "TIER_50"}
    await hear(rt, "phone_number_quality_update", value, at=old)
    await hear(rt, "business_capability_update", {"max_daily_conversations_per_business": 50}, at=old)
    found = await sender(rt)
    assert (found.status, found.tier_limit) == (None, 250)
    assert await is_asked(rt)


async def test_a_flag_is_a_status_with_an_alert_and_goes_with_it(rt: Runtime) -> None:
    for event, status, keys in (
        ("FLAGGED", "FLAGGED", {f"sender.status:{PHONE_NUMBER_ID}": "warning"}),
        ("UNFLAGGED", "CONNECTED", {}),
    ):
        value = {"display_phone_number": "+1 (555) 010-0000", "event": event}
        await hear(rt, "phone_number_quality_update", value)
        assert (await sender(rt)).status == status
        assert await opened(rt) == keys


@pytest.mark.parametrize(
    ("field", "bad", "key", "severity", "good"),
    [
        (
            "phone_number_name_update",
            {"display_phone_number": SHOWN, "decision": "DECLINED", "rejection_reason": "X"},
            f"account.name:{SHOWN}",
            "warning",
            {"display_phone_number": SHOWN, "decision": "APPROVED", "rejection_reason": None},
        ),
        (
            "account_review_update",
            {"decision": "REJECTED"},
            "account.review",
            "critical",
            {"decision": "APPROVED"},
        ),
        (
            "account_update",
            {
                "event": "DISABLED_UPDATE",
                "ban_info": {"waba_ban_state": "DISABLE", "waba_ban_date": "April 17, 2027"},
            },
            "account.disabled",
            "critical",
            {"event": "DISABLED_UPDATE", "ban_info": {"waba_ban_state": "REINSTATE"}},
        ),
        (
            "account_update",
            {"event": "ACCOUNT_OFFBOARDED"},
            "account.gone",
            "critical",
            {"event": "ACCOUNT_RECONNECTED"},
        ),
        (
            "account_alerts",
            {"entity_id": "4", "alert_severity": "CRITICAL", "alert_status": "ACTIVE", "alert_type": "T"},
            "account.alert:T:4",
            "critical",
            {"entity_id": "4", "alert_info": {"alert_status": "RESOLVED", "alert_type": "T"}},
        ),
    ],
)
async def test_bad_news_is_an_alert_that_good_news_resolve(
    rt: Runtime, field: str, bad: Any, key: str, severity: str, good: Any
) -> None:
    for _ in range(2):
        await hear(rt, field, bad)
        assert await opened(rt) == {key: severity}
    await hear(rt, field, good)
    assert await opened(rt) == {}


async def test_a_restriction_is_an_alert_until_it_ends(rt: Runtime, clock: Clock) -> None:
    ends = int((clock() + timedelta(days=3)).timestamp())
    info = {
        "restriction_type": "RESTRICTED_BIZ_INITIATED_MESSAGING",
        "expiration": ends,
        "remediation": "Appeal.",
    }
    await hear(rt, "account_update", {"event": "ACCOUNT_RESTRICTION", "restriction_info": [info]})
    async with rt.db.one() as tx:
        (row,) = await alerts.page(tx, state="open", before=None, limit=5)
    assert (row["key"], int(row["until"].timestamp())) == ("account.restriction", ends)
    assert "RESTRICTED_BIZ_INITIATED_MESSAGING" in row["detail"]
    assert "Appeal." in row["detail"]
    clock.advance(days=3)
    async with rt.db.tx() as tx:
        await alerts.resolve_ended(tx, rt)
    await hear(rt, "account_update", {"event": "ACCOUNT_RESTRICTION", "restriction_info": [info]})
    assert await opened(rt) == {}  # a late copy of what is over


async def test_what_only_informs_is_no_alert(rt: Runtime) -> None:
    value = {
        "entity_id": "4",
        "alert_severity": "INFORMATIONAL",
        "alert_status": "NONE",
        "alert_type": "OBA_APPROVED",
    }
    await hear(rt, "account_alerts", value)
    await hear(rt, "account_update", {"event": "PARTNER_ADDED"})
    assert await opened(rt) == {}


async def test_a_changed_pin_and_a_violation_are_heard_of(rt: Runtime) -> None:
    await hear(rt, "security", {"display_phone_number": SHOWN, "event": "PIN_CHANGED", "requester": "3"})
    await hear(
        rt, "account_update", {"event": "ACCOUNT_VIOLATION", "violation_info": {"violation_type": "SPAM"}}
    )
    assert await opened(rt) == {
        f"account.security:PIN_CHANGED:{SHOWN}": "warning",
        "account.violation": "warning",
    }


async def test_an_error_of_the_account_is_obeyed_while_it_is_fresh(rt: Runtime, clock: Clock) -> None:
    error = {"code": 131031, "title": "Account locked"}
    await hear(rt, "error", error, number=PHONE_NUMBER_ID, at=clock() - timedelta(hours=1))
    assert (await sender(rt)).held(clock()) is None
    await hear(rt, "error", error, number=PHONE_NUMBER_ID)
    assert (await sender(rt)).held(clock()) is not None
