"""Whom the accounts of one portfolio reach counts once, together, from the moment that Meta says whose they are."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from harness.rooms import Clock, runtime
from sayso.core.runtime import Runtime
from sayso.events import alerts
from sayso.senders import portfolios, service
from sayso.senders.reach import hold_key

FIRST, SECOND, OTHERS = "100000000000001", "100000000000002", "100000000000009"
WABA, OTHER_WABA, PORTFOLIO = "200000000000001", "200000000000009", "300000000000001"


@pytest.fixture
async def rt(dsn: str, clock: Clock) -> AsyncIterator[Runtime]:
    """Two numbers of our account, and one of another that nobody has asked Meta about either."""
    async with runtime(dsn, now=clock, sayso_more_senders=SECOND) as running:
        async with running.db.tx() as tx:
            await service.ensure(tx, running)
            await tx.execute("INSERT INTO portfolios (id) VALUES ($1)", OTHER_WABA)
            await tx.execute(
                "INSERT INTO senders (id, waba_id, portfolio_id, work_at) VALUES ($1, $2, $2, now())",
                OTHERS,
                OTHER_WABA,
            )
        yield running


async def join(rt: Runtime, sender: str, portfolio: str | None) -> list[str]:
    async with rt.db.tx() as tx:
        await service.lock_all(tx)
        return await portfolios.join(tx, rt, sender, portfolio)


async def reached(rt: Runtime, portfolio: str, **people: float) -> None:
    """These were reached so many hours ago."""
    async with rt.db.tx() as tx:
        await tx.executemany(
            "INSERT INTO portfolio_reach (portfolio_id, person_id, at, message_id) VALUES ($1, $2, $3, $4)",
            [
                (portfolio, who, rt.now() - timedelta(hours=hours), f"msg_{hours}")
                for who, hours in people.items()
            ],
        )
        await tx.execute("UPDATE portfolios SET used = used + $2 WHERE id = $1", portfolio, len(people))


async def counted(rt: Runtime, portfolio: str) -> tuple[int, dict[str, str]]:
    """How many count, and by which message each holds the place."""
    async with rt.db.one() as tx:
        used = await tx.fetchval("SELECT used FROM portfolios WHERE id = $1", portfolio)
        rows = await tx.fetch(
            "SELECT person_id, message_id FROM portfolio_reach WHERE portfolio_id = $1", portfolio
        )
    return used, {row["person_id"]: row["message_id"] for row in rows}


async def where(rt: Runtime) -> list[str]:
    async with rt.db.one() as tx:
        return [sender.portfolio_id for sender in await service.listed(tx)]


async def test_accounts_of_one_portfolio_are_counted_together_each_person_once(rt: Runtime) -> None:
    await reached(rt, WABA, alice=3, ben=2)
    await reached(rt, OTHER_WABA, alice=1, mei=5)
    assert await join(rt, FIRST, PORTFOLIO) == [WABA]
    assert await where(rt) == [PORTFOLIO, PORTFOLIO, OTHER_WABA]
    assert await counted(rt, PORTFOLIO) == (2, {"alice": "msg_3", "ben": "msg_2"})
    assert await join(rt, OTHERS, PORTFOLIO) == [OTHER_WABA]
    assert await counted(rt, PORTFOLIO) == (3, {"alice": "msg_1", "ben": "msg_2", "mei": "msg_5"})
    assert [await counted(rt, each) for each in (WABA, OTHER_WABA)] == [(0, {}), (0, {})]


async def test_told_again_or_not_told_nothing_changes(rt: Runtime) -> None:
    assert await join(rt, FIRST, None) == []
    assert await join(rt, FIRST, PORTFOLIO) == [WABA]
    assert await join(rt, SECOND, PORTFOLIO) == await join(rt, FIRST, None) == []
    async with rt.db.tx() as tx:
        await service.ensure(tx, rt)
    assert await where(rt) == [PORTFOLIO, PORTFOLIO, OTHER_WABA]


async def test_a_number_that_is_added_to_a_known_account_is_in_its_portfolio_at_once(rt: Runtime) -> None:
    await join(rt, FIRST, PORTFOLIO)
    async with rt.db.tx() as tx:
        await tx.execute("DELETE FROM senders WHERE id = $1", SECOND)
        await service.ensure(tx, rt)
    assert await where(rt) == [PORTFOLIO, PORTFOLIO, OTHER_WABA]


async def test_the_limit_goes_along_and_the_alert_of_the_one_left_is_over(rt: Runtime) -> None:
    async with rt.db.tx() as tx:
        await tx.execute(
            "UPDATE portfolios SET tier = 'TIER_250', tier_limit = 250, hold_why = 'full' WHERE id = $1", WABA
        )
        await alerts.raise_(tx, rt, hold_key(WABA), severity="warning", title="t", detail="d", advice="a")
    await join(rt, FIRST, PORTFOLIO)
    async with rt.db.one() as tx:
        found = await service.get(tx, SECOND)
        assert await alerts.page(tx, state="open", before=None, limit=9) == []
    assert found is not None
    assert (found.tier, found.tier_limit) == ("TIER_250", 250)


async def test_an_account_that_leaves_a_portfolio_takes_its_count_along_and_leaves_it_too(
    rt: Runtime,
) -> None:
    for sender in (FIRST, OTHERS):
        await join(rt, sender, PORTFOLIO)
    await reached(rt, PORTFOLIO, alice=1)
    assert await join(rt, OTHERS, "300000000000002") == [PORTFOLIO]
    assert await where(rt) == [PORTFOLIO, PORTFOLIO, "300000000000002"]
    for each in (PORTFOLIO, "300000000000002"):
        assert await counted(rt, each) == (1, {"alice": "msg_1"})


async def test_the_alert_of_the_portfolio_joined_is_over_too_until_somebody_is_turned_away_again(
    rt: Runtime,
) -> None:
    await join(rt, OTHERS, PORTFOLIO)
    async with rt.db.tx() as tx:
        await tx.execute("UPDATE portfolios SET hold_why = 'full' WHERE id = $1", PORTFOLIO)
        await alerts.raise_(
            tx, rt, hold_key(PORTFOLIO), severity="warning", title="t", detail="d", advice="a"
        )
    await join(rt, FIRST, PORTFOLIO)
    async with rt.db.one() as tx:
        assert await tx.fetchval("SELECT hold_why FROM portfolios WHERE id = $1", PORTFOLIO) is None
        assert await alerts.page(tx, state="open", before=None, limit=9) == []
