"""Rows of senders: who is ours, what holds them and for how long, when a circuit opens and closes."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from harness.rooms import Clock, runtime
from harness.service import PHONE_NUMBER_ID
from sayso.core.runtime import Runtime
from sayso.events import alerts
from sayso.senders import proving, service
from sayso.senders.learning import learn, learn_tier
from sayso.senders.rules import LONGEST_HOLD
from sayso.senders.service import CIRCUIT_ALERT, Sender, held_alert
from sayso.whatsapp.failures import Failure, GraphError, classify
from sayso.whatsapp.numbers import Number

SECOND = "100000000000002"
WABA = "200000000000001"


@pytest.fixture
async def rt(dsn: str, clock: Clock) -> Any:
    """A runtime with two senders."""
    async with runtime(dsn, now=clock, sayso_more_senders=SECOND) as running:
        async with running.db.tx() as tx:
            await service.ensure(tx, running)
        yield running


async def get(rt: Runtime, sender_id: str = PHONE_NUMBER_ID) -> Sender:
    async with rt.db.one() as tx:
        found = await service.get(tx, sender_id)
    assert found is not None
    return found


async def obey(
    rt: Runtime, code: int, *, sender_id: str = PHONE_NUMBER_ID, hold_s: float | None = None
) -> Failure:
    failure = classify(GraphError(code, "t"), 400)
    if hold_s is not None:
        failure = Failure(**{name: getattr(failure, name) for name in Failure.__slots__} | {"hold_s": hold_s})
    async with rt.db.tx() as tx:
        await service.obey(tx, rt, sender_id, failure)
    return failure


async def opened(rt: Runtime) -> list[str]:
    async with rt.db.one() as tx:
        return sorted(row["key"] for row in await alerts.page(tx, state="open", before=None, limit=50))


async def test_each_configured_number_has_its_row_once_and_what_is_known_stays(rt: Runtime) -> None:
    async with rt.db.tx() as tx:
        await tx.execute("UPDATE senders SET quality = 'GREEN', work = 'waiting' WHERE id = $1", SECOND)
        await service.ensure(tx, rt)
        found = await service.listed(tx)
    assert [(each.id, each.portfolio_id, each.quality) for each in found] == [
        (PHONE_NUMBER_ID, WABA, None),
        (SECOND, WABA, "GREEN"),
    ]
    assert service.known(rt, SECOND)
    assert not service.known(rt, "100000000000003")


async def test_a_number_that_only_messages_knew_is_checked_once_it_is_configured(rt: Runtime) -> None:
    async with rt.db.tx() as tx:
        await tx.execute("UPDATE senders SET work = NULL WHERE id = $1", SECOND)
        await service.ensure(tx, rt)
        assert await tx.fetchval("SELECT work FROM senders WHERE id = $1", SECOND) == "ready"


@pytest.mark.parametrize("code", [100, 131026, 131047, 131056, 132015, 131050])
async def test_what_is_about_a_message_a_person_or_a_template_leaves_the_sender_alone(
    rt: Runtime, code: int
) -> None:
    before = await get(rt)
    await obey(rt, code)
    assert await get(rt) == before


async def test_a_hold_is_for_its_sender_alone_and_ends_by_time(rt: Runtime, clock: Clock) -> None:
    failure = await obey(rt, 131057)
    held = await get(rt)
    assert held.hold_until == clock() + timedelta(seconds=failure.hold_s)
    assert "131057" in (held.held(clock()) or "")
    assert (await get(rt, SECOND)).held(clock()) is None
    assert held.held(clock.advance(seconds=failure.hold_s)) is None


async def test_what_comes_back_from_before_the_hold_is_no_repetition(rt: Runtime, clock: Clock) -> None:
    failure = await obey(rt, 131057)
    for _ in range(50):
        clock.advance(milliseconds=5)
        await obey(rt, 131057)
    held = await get(rt)
    assert held.hold_times == 1
    assert held.hold_until is not None
    assert held.hold_until <= clock() + timedelta(seconds=failure.hold_s)


async def test_a_hold_that_comes_back_is_twice_as_long_an_hour_at_most_and_a_quiet_time_forgets(
    rt: Runtime, clock: Clock
) -> None:
    lengths = []
    for _ in range(9):
        await obey(rt, 131057)
        held = await get(rt)
        assert held.hold_until is not None
        lengths.append((held.hold_until - clock()).total_seconds())
        clock.at = held.hold_until + timedelta(seconds=1)
    assert lengths == [60, 120, 240, 480, 960, 1920, 3600, 3600, 3600]
    clock.advance(minutes=31)
    await obey(rt, 131057)
    assert (await get(rt)).hold_until == clock() + timedelta(seconds=60)


@pytest.mark.parametrize("hold_s", [1e9, float("inf"), float("nan")])
async def test_an_absurd_wait_is_an_hour(rt: Runtime, clock: Clock, hold_s: float) -> None:
    await obey(rt, 131057, hold_s=hold_s)
    assert (await get(rt)).hold_until == clock() + LONGEST_HOLD


async def test_a_limit_of_the_app_holds_every_number(rt: Runtime, clock: Clock) -> None:
    await obey(rt, 4)
    for sender_id in (PHONE_NUMBER_ID, SECOND):
        assert (await get(rt, sender_id)).held(clock()) is not None
    async with rt.db.tx() as tx:
        await service.release(tx, rt, None)
    assert (await get(rt)).held(clock()) is None


async def test_what_meta_did_to_the_account_is_told_at_once_what_passes_only_when_it_comes_again(
    rt: Runtime, clock: Clock
) -> None:
    for expected in ([], [], [held_alert(PHONE_NUMBER_ID)]):
        await obey(rt, 131057)
        assert await opened(rt) == expected
        held = await get(rt)
        assert held.hold_until is not None
        clock.at = held.hold_until
    await obey(rt, 131031, sender_id=SECOND)
    assert await opened(rt) == [held_alert(PHONE_NUMBER_ID), held_alert(SECOND)]


async def test_too_fast_cuts_the_rate_once_a_second_and_holds_nothing(rt: Runtime, clock: Clock) -> None:
    for _ in range(20):  # what was under way comes back all at once
        await obey(rt, 130429)
    slow = await get(rt)
    assert 56 <= slow.rate < 60
    assert slow.held(clock()) is None
    assert (await get(rt, SECOND)).rate == 80
    await obey(rt, 130429, hold_s=30)  # Meta itself asked for a pause
    assert (await get(rt)).hold_until == clock() + timedelta(seconds=30)


@pytest.mark.parametrize("code", [190, 104, 0])
async def test_a_refused_token_opens_the_circuit_of_every_number_with_one_alert(
    rt: Runtime, code: int
) -> None:
    for _ in range(3):
        await obey(rt, code)
    for sender_id in (PHONE_NUMBER_ID, SECOND):
        stopped = await get(rt, sender_id)
        assert (stopped.circuit, stopped.circuit_code, stopped.hold_until) == ("open", code, None)
        assert stopped.held(rt.now()) is not None
    assert await opened(rt) == [CIRCUIT_ALERT]
    async with rt.db.one() as tx:
        assert await tx.fetchval("SELECT count(*) FROM senders WHERE work = 'ready'") == 2
        assert await tx.fetchval("SELECT count(*) FROM events WHERE type = 'alert.raised'") == 1


async def prove(rt: Runtime, mark: str, *, began: Any = None) -> str:
    async with rt.db.tx() as tx:
        await proving.prove(tx, rt, PHONE_NUMBER_ID, mark, began or rt.now())
    return (await get(rt)).circuit


async def test_a_token_that_is_good_closes_the_circuit_of_its_number(rt: Runtime) -> None:
    await obey(rt, 190)
    assert await prove(rt, "same") == "closed"
    assert (await get(rt, SECOND)).circuit == "open"


async def test_a_check_that_began_before_the_circuit_opened_proves_nothing(rt: Runtime, clock: Clock) -> None:
    began = clock()
    clock.advance(seconds=1)
    await obey(rt, 190)
    assert await prove(rt, "same", began=began) == "open"
    assert await prove(rt, "same") == "closed"


async def test_what_a_token_may_not_do_needs_another_token_or_time(rt: Runtime, clock: Clock) -> None:
    failure = await obey(rt, 10)
    assert await prove(rt, "old") == "open"  # a look at the number shows nothing of what it may send
    assert await prove(rt, "old") == "open"
    assert await prove(rt, "new") == "closed"
    assert (await get(rt)).held(clock()) is None
    await obey(rt, 10)
    assert await prove(rt, "new") == "open"
    clock.advance(seconds=2 * failure.hold_s)
    assert await prove(rt, "new") == "closed"


async def test_a_check_that_is_asked_for_while_one_is_under_way_is_made_once_more(rt: Runtime) -> None:
    async with rt.db.tx() as tx:
        await tx.execute(
            "UPDATE senders SET work = CASE id WHEN $1 THEN 'running' ELSE 'waiting' END", SECOND
        )
        await proving.check_now(tx, rt)
        assert await proving.asked_again(tx, SECOND) is True
        assert await proving.asked_again(tx, PHONE_NUMBER_ID) is False
        assert await tx.fetchval("SELECT work FROM senders WHERE id = $1", PHONE_NUMBER_ID) == "ready"
        await proving.checked(tx, rt, SECOND, failed=None)
        assert await proving.asked_again(tx, SECOND) is False


async def test_what_meta_says_is_kept_what_it_leaves_out_stays_and_changes_are_told(rt: Runtime) -> None:
    async with rt.db.tx() as tx:
        first = Number(
            quality="GREEN", status="CONNECTED", throughput="STANDARD", rate_limit=80, tier="TIER_250"
        )
        assert (await learn(tx, rt, SECOND, first)).tier_of == WABA
        assert await tx.fetchval("SELECT count(*) FROM events WHERE type = 'sender.changed'") == 0
        learned = await learn(tx, rt, SECOND, Number(throughput="HIGH", rate_limit=1000, tier="TIER_250"))
        assert learned.changed == {"throughput": "HIGH", "rate_limit": 1000}
        assert learned.tier_of is None
        (event,) = await tx.fetch("SELECT client_id, data FROM events WHERE type = 'sender.changed'")
    found = await get(rt, SECOND)
    assert (found.quality, found.rate, found.tier, found.tier_limit) == ("GREEN", 1000, "TIER_250", 250)
    assert event["client_id"] == alerts.OPERATOR
    assert event["data"]["changed"]["rate_limit"] == {"before": 80, "after": 1000}


async def test_a_limit_that_changes_ends_what_waited_for_it(rt: Runtime) -> None:
    async with rt.db.tx() as tx:
        about: dict[str, Any] = {"severity": "warning", "title": "t", "detail": "d", "advice": "a"}
        await alerts.raise_(tx, rt, f"tier:{WABA}", **about)
        assert await learn_tier(tx, rt, WABA, "TIER_2K") == WABA
        assert await learn_tier(tx, rt, WABA, "TIER_2K") is None
        assert await learn_tier(tx, rt, WABA, None) is None
    assert await opened(rt) == []
    assert (await get(rt)).tier_limit == 2000


async def test_a_hold_for_what_the_account_lacked_ends_when_meta_sees_nothing_in_the_way(rt: Runtime) -> None:
    async with rt.db.tx() as tx:
        await learn(tx, rt, PHONE_NUMBER_ID, Number(can_send="BLOCKED", obstacles=("WABA: no card",)))
    await obey(rt, 131042)
    async with rt.db.tx() as tx:
        await learn(tx, rt, PHONE_NUMBER_ID, Number(can_send="BLOCKED"))
    assert (await get(rt)).held(rt.now()) is not None
    async with rt.db.tx() as tx:
        await learn(tx, rt, PHONE_NUMBER_ID, Number(can_send="AVAILABLE"))
    assert (await get(rt)).held(rt.now()) is None
    await obey(rt, 131048)  # quality is no lack: it takes its time
    async with rt.db.tx() as tx:
        await learn(tx, rt, PHONE_NUMBER_ID, Number(can_send="AVAILABLE"))
    assert (await get(rt)).held(rt.now()) is not None


async def test_a_number_is_found_by_how_people_see_it_in_whatever_spelling(rt: Runtime) -> None:
    async with rt.db.tx() as tx:
        await learn(tx, rt, SECOND, Number(display_number="+1 555-010-0002"))
        found = await service.by_display_number(tx, "15550100002")
        assert found is not None
        assert found.id == SECOND
        assert await service.by_display_number(tx, "") is None
        assert await service.by_display_number(tx, "15550100009") is None


async def test_holds_that_many_put_on_at_once_are_one_hold(rt: Runtime) -> None:
    await asyncio.gather(*(obey(rt, 131031) for _ in range(8)))
    assert (await get(rt)).hold_times == 1
    async with rt.db.one() as tx:
        assert await tx.fetchval("SELECT count(*) FROM events WHERE type = 'alert.raised'") == 1
