"""One check of a number against the simulator: what is asked, what its answers mean, when it is asked again."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest

from harness.rooms import Clock, runtime
from harness.service import PHONE_NUMBER_ID
from harness.waiting import eventually
from sayso.core import claims
from sayso.core.database import Record, Tx
from sayso.core.runtime import Runtime
from sayso.core.worker import Lease
from sayso.events import alerts
from sayso.senders import checks, service
from sayso.senders.budget import CallBudget
from sayso.senders.checks import Checks
from sayso.senders.service import CIRCUIT_ALERT, Sender
from sayso.simulator import Simulator, SimulatorConfig
from sayso.whatsapp.client import graph_session
from sayso.whatsapp.credentials import Credentials
from sayso.whatsapp.management import ManagementClient

WABA, PORTFOLIO = "200000000000001", "300000000000001"


@dataclass
class Stage:
    """A number, the simulator, and who checks."""

    rt: Runtime
    sim: Simulator
    checks: Checks
    credentials: Credentials
    worker: int
    tiers: list[str] = field(default_factory=list)

    async def check(self) -> float:
        """Check the number once; in how many seconds the next check is due."""
        async with self.rt.db.tx() as tx:
            await tx.execute(
                "UPDATE senders SET work = 'running', worker = $1 WHERE id = $2", self.worker, PHONE_NUMBER_ID
            )
            row: Record | None = await tx.fetchrow("SELECT * FROM senders WHERE id = $1", PHONE_NUMBER_ID)
        assert row is not None
        await self.checks.handle(self.rt, Lease(self.worker), row)
        async with self.rt.db.one() as tx:
            after = await tx.fetchrow("SELECT work, work_at FROM senders WHERE id = $1", PHONE_NUMBER_ID)
        assert after is not None
        assert after["work"] == "waiting"
        return float((after["work_at"] - self.rt.now()).total_seconds())

    async def sender(self) -> Sender:
        """The number as it stands."""
        async with self.rt.db.one() as tx:
            found = await service.get(tx, PHONE_NUMBER_ID)
        assert found is not None
        return found

    async def open_alerts(self) -> list[str]:
        """Keys of open alerts."""
        async with self.rt.db.one() as tx:
            return sorted(row["key"] for row in await alerts.page(tx, state="open", before=None, limit=9))

    def asked(self) -> list[dict[str, Any]]:
        """Calls about the number."""
        path = f"/v25.0/{PHONE_NUMBER_ID}"
        return [each for each in self.sim.exchanges() if each["path"].partition("?")[0] == path]


@pytest.fixture
async def stage(dsn: str, clock: Clock) -> AsyncIterator[Stage]:
    """Everything a check needs."""
    async with (
        Simulator(SimulatorConfig(port=0)) as sim,
        runtime(dsn, now=clock) as rt,
        graph_session(4) as session,
    ):
        credentials = Credentials("sim-token")
        meta = ManagementClient(
            session,
            base_url=sim.base_url,
            version="v25.0",
            waba_id=WABA,
            token=lambda: credentials.token,
            budget=CallBudget(rt, urgent=True),
        )
        tiers: list[str] = []

        async def on_tier(_tx: Tx, _rt: Runtime, portfolio_id: str) -> None:
            tiers.append(portfolio_id)

        async with rt.db.tx() as tx:
            await service.ensure(tx, rt)
            worker = await claims.enlist(tx)
        yield Stage(rt, sim, Checks(meta, credentials, on_tier), credentials, worker, tiers)


async def test_a_good_check_learns_everything_and_comes_again_in_ten_minutes(stage: Stage) -> None:
    assert await stage.check() == 600
    found = await stage.sender()
    assert (found.status, found.quality, found.throughput) == ("CONNECTED", "GREEN", "STANDARD")
    assert (found.tier, found.can_send, found.rate_limit) == ("TIER_UNLIMITED", "AVAILABLE", 80)
    assert (found.checked_at, found.check_failed) == (stage.rt.now(), None)
    assert found.display_number
    assert stage.tiers == [WABA, PORTFOLIO]  # for that it stood until now
    assert found.portfolio_id == PORTFOLIO


async def test_all_who_were_reached_a_day_ago_are_forgotten_however_many(stage: Stage) -> None:
    await stage.check()
    async with stage.rt.db.tx() as tx:
        await tx.execute(
            "INSERT INTO portfolio_reach (portfolio_id, person_id, at, message_id) "
            "SELECT $1, 'per_' || n, $2::timestamptz - n * interval '1 minute', 'msg_1' "
            "FROM generate_series(1, 2600) n",
            PORTFOLIO,
            stage.rt.now(),
        )
        await tx.execute("UPDATE portfolios SET used = 2600 WHERE id = $1", PORTFOLIO)
    await stage.check()
    assert (await stage.sender()).reached == 1439


async def test_the_rate_is_what_meta_allows_the_number(stage: Stage) -> None:
    stage.sim.accounts.change_number(PHONE_NUMBER_ID, throughput="HIGH")
    await stage.check()
    assert (await stage.sender()).rate_limit == 1000


async def test_a_field_that_this_version_of_graph_lacks_costs_only_what_it_would_tell(stage: Stage) -> None:
    stage.checks.fields = "id,status,a_field_of_tomorrow"
    assert await stage.check() == 600
    assert (await stage.sender()).quality == "GREEN"
    assert len(stage.asked()) == 2
    await stage.check()
    assert len(stage.asked()) == 3  # it has learned


async def test_while_the_token_is_bad_it_is_tried_ever_less_often_and_closes_by_itself(
    stage: Stage, clock: Clock
) -> None:
    stage.sim.accounts.change_token("sim-token", expires_in_s=0)
    waits = [await stage.check() for _ in range(5)]
    assert waits == [15, 30, 60, 60, 60]
    assert (await stage.sender()).circuit == "open"
    assert await stage.open_alerts() == [CIRCUIT_ALERT]
    clock.advance(seconds=60)
    stage.sim.accounts.add_token(value="EAAnew", scopes=["whatsapp_business_management"])
    stage.credentials.token = "EAAnew"
    assert await stage.check() == 600
    assert (await stage.sender()).circuit == "closed"
    assert await stage.open_alerts() == []


async def test_meta_being_away_says_nothing_of_the_token(stage: Stage) -> None:
    await stage.sim.go_down()
    waits = [await stage.check() for _ in range(6)]
    assert waits == [60, 120, 240, 480, 600, 600]
    found = await stage.sender()
    assert (found.circuit, found.checks_failed) == ("closed", 6)
    assert await stage.open_alerts() == [f"sender.unchecked:{PHONE_NUMBER_ID}"]
    await stage.sim.come_up()
    assert await stage.check() == 600
    assert await stage.open_alerts() == []


async def test_a_refused_allowance_is_heeded_and_nobody_asks_meanwhile(stage: Stage, clock: Clock) -> None:
    stage.sim.arm(kind="error", code=80008, next=1, on="number")
    await stage.check()
    asked = len(stage.asked())
    assert await stage.check() == 300
    assert len(stage.asked()) == asked
    clock.advance(seconds=300)
    assert await stage.check() == 600


async def test_the_alert_of_a_hold_ends_a_while_after_the_hold(stage: Stage, clock: Clock) -> None:
    async with stage.rt.db.tx() as tx:
        await service.hold(
            tx, stage.rt, PHONE_NUMBER_ID, until=clock() + timedelta(minutes=5), why="because", code=131048
        )
        about: dict[str, Any] = {"severity": "critical", "title": "t", "detail": "d", "advice": "a"}
        await alerts.raise_(tx, stage.rt, service.held_alert(PHONE_NUMBER_ID), **about)
    assert await stage.check() == 120
    clock.advance(minutes=5)
    assert await stage.check() == 30
    assert len(await stage.open_alerts()) == 1
    clock.advance(seconds=30)
    await stage.check()
    assert await stage.open_alerts() == []


async def test_a_number_that_is_no_longer_configured_is_not_checked_any_more(stage: Stage) -> None:
    async with stage.rt.db.tx() as tx:
        await tx.execute(
            "INSERT INTO senders (id, waba_id, portfolio_id, work, work_at, worker) "
            "VALUES ('100000000000009', $1, $1, 'running', now(), $2)",
            WABA,
            stage.worker,
        )
        row = await tx.fetchrow("SELECT * FROM senders WHERE id = '100000000000009'")
    assert row is not None
    await stage.checks.handle(stage.rt, Lease(stage.worker), row)
    async with stage.rt.db.one() as tx:
        assert await tx.fetchval("SELECT work FROM senders WHERE id = '100000000000009'") is None
    assert stage.asked() == []


async def test_a_new_token_that_a_refused_post_met_first_is_checked_all_the_same(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checks, "LOOK_S", 0.01)
    watching = asyncio.create_task(stage.checks.watch(stage.rt))
    await stage.check()
    stage.credentials.token = "EAAmet-by-somebody-else"

    async def is_due() -> bool:
        async with stage.rt.db.one() as tx:
            return bool(await tx.fetchval("SELECT work = 'ready' FROM senders"))

    await eventually(is_due, "a check being due")
    watching.cancel()
