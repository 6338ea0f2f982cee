"""The allowance of management calls: shared by everybody, obeyed to the letter of Meta's headers."""

import asyncio
from datetime import timedelta

import msgspec
import pytest

from harness.rooms import Clock
from sayso.core.runtime import Runtime
from sayso.senders import budget, service
from sayso.senders.budget import FEW, MANY, CallBudget, CallBudgetSpentError
from sayso.senders.rules import LONGEST_HOLD
from sayso.whatsapp.usage import Usage

WABA = "200000000000001"


async def take(rt: Runtime, *, calls: int = 1, urgent: bool = False) -> float:
    """Seconds to wait; 0: go."""
    async with rt.db.tx() as tx:
        until = await budget.take(tx, rt, WABA, calls=calls, urgent=urgent)
    return 0.0 if until is None else (until - rt.now()).total_seconds()


async def test_calls_go_until_the_allowance_is_used_and_the_last_fifth_is_for_what_is_urgent(
    rt: Runtime,
) -> None:
    went = 0
    while not await take(rt):
        went += 1
    assert went == 0.8 * FEW / 2
    urgent = 0
    while not await take(rt, urgent=True):
        urgent += 1
    assert urgent == 0.2 * FEW / 2


async def test_who_comes_back_when_told_may_call(rt: Runtime, clock: Clock) -> None:
    while not (wait := await take(rt)):
        pass
    clock.advance(seconds=wait / 2)
    assert await take(rt) > 0
    clock.advance(seconds=wait / 2)
    assert await take(rt) == 0


async def test_an_account_with_a_connected_number_has_more(rt: Runtime) -> None:
    assert await take(rt, calls=150) > 0
    async with rt.db.tx() as tx:
        await service.ensure(tx, rt)
        await tx.execute("UPDATE senders SET status = 'CONNECTED'")
        standing = await budget.standing(tx, rt, WABA)
    assert standing == {
        "hourly": MANY,
        "left_now": MANY // 2,
        "used_percent": None,
        "hold_until": None,
        "hold_why": None,
    }
    assert await take(rt, calls=150) == 0


async def test_many_processes_share_one_allowance(rt: Runtime) -> None:
    async def spend() -> int:
        went = 0
        while not await take(rt):
            went += 1
        return went

    assert sum(await asyncio.gather(*(spend() for _ in range(4)))) == 0.8 * FEW / 2


@pytest.mark.parametrize(
    ("told", "wait_s"),
    [
        (Usage(), 0),
        (Usage(percent=94), 0),
        (Usage(percent=95), 300),
        (Usage(percent=100), 300),
        (Usage(percent=3, regain_s=120), 120),
        (Usage(percent=100, regain_s=1e12), LONGEST_HOLD.total_seconds()),
    ],
)
async def test_metas_own_count_is_heeded_by_all(
    rt: Runtime, clock: Clock, told: Usage, wait_s: float
) -> None:
    async with rt.db.tx() as tx:
        await budget.heed(tx, rt, WABA, told)
    assert await take(rt, urgent=True) == pytest.approx(wait_s)
    clock.advance(seconds=wait_s)
    assert await take(rt) == 0


async def test_a_shorter_wait_does_not_end_a_longer_one(rt: Runtime) -> None:
    async with rt.db.tx() as tx:
        await budget.heed(tx, rt, WABA, Usage(regain_s=1200))
        await budget.heed(tx, rt, WABA, Usage(regain_s=60))
        standing = await budget.standing(tx, rt, WABA)
    assert await take(rt) == 1200
    assert standing["left_now"] == 0


async def test_who_makes_the_calls_is_stopped_with_the_time_to_come_back(rt: Runtime, clock: Clock) -> None:
    calls = CallBudget(rt)
    await calls.spend(WABA)
    await calls.learn(WABA, {"x-app-usage": '{"call_count":7}'})
    async with rt.db.one() as tx:
        standing = await budget.standing(tx, rt, WABA)
    assert (standing["used_percent"], standing["hold_until"]) == (7, None)
    use = {"type": "whatsapp_business_management", "call_count": 100, "estimated_time_to_regain_access": 9}
    header = msgspec.json.encode({WABA: [use]}).decode()
    await calls.learn(WABA, {"x-business-use-case-usage": header, "x-app-usage": '{"call_count":1}'})
    with pytest.raises(CallBudgetSpentError) as stopped:
        await calls.spend(WABA)
    assert stopped.value.until == clock() + timedelta(minutes=9)
    assert stopped.value.retryable
    clock.advance(minutes=9)
    await calls.spend(WABA)
