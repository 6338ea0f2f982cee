"""Meta's limits, kept on both sides: to one person, to new people in a day, of one number; and senseless waits."""

from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from harness.operating import alerts, operator, sender
from harness.service import PHONE_NUMBER_ID
from harness.waiting import eventually
from harness.world import ALICE, BEN, World, a_world
from sayso.senders.rules import LONGEST_HOLD, PAIR_AT_ONCE
from sayso.simulator.faults.model import PlainHttp, RefuseWithError

SECOND = "100000000000002"
SUMMARY = {"name": "daily_summary", "parameters": ["3 March", "2 tasks", "Stand-up at 09:30"]}
ON_HOLD = "UPDATE senders SET hold_until = now() + interval '1 hour', hold_why = 'a test' RETURNING id"
OFF_HOLD = "UPDATE senders SET hold_until = NULL, hold_why = NULL RETURNING id"


async def sent(world: World, person: str, words: str, **more: Any) -> str:
    return await world.api.sent(person, content=words, **more)


async def template(world: World, person: str) -> str:
    return await world.api.sent(person, message_type="template", template=SUMMARY, ttl_seconds=3 * 86_400)


async def states(world: World, ids: list[str]) -> Counter[str]:
    rows = await world.rows("SELECT state FROM messages WHERE id = ANY($1)", ids)
    return Counter(row["state"] for row in rows)


def codes(world: World) -> Counter[int | None]:
    """What Meta said of each POST: None where it took the message."""
    return Counter(post.code for post in world.wire.posts)


async def test_a_burst_to_one_person_is_paid_back_and_delays_nobody_else(dsn: str, tmp_path: Path) -> None:
    """Meta keeps to its rate here, and would refuse whatever came too early with 131056."""
    more = 3
    async with a_world(dsn, tmp_path, meta={"enforce_rates": True}, sayso_pair_rate=True) as world:
        await world.open_window(ALICE)
        await world.open_window(BEN)
        await world.rows(ON_HOLD)
        to_alice = [await sent(world, ALICE, f"alice {n}") for n in range(PAIR_AT_ONCE + more)]
        to_ben = [await sent(world, BEN, f"ben {n}") for n in range(5)]
        await world.rows(OFF_HOLD)
        for message_id in to_ben:
            await world.stands(message_id, "read")

        async def burst() -> bool:
            return await states(world, to_alice) == {"read": PAIR_AT_ONCE, "queued": more}

        await eventually(burst, "what one person may get at once")
        waiting = await world.rows("SELECT * FROM messages WHERE state = 'queued' ORDER BY id")
        assert [row["id"] for row in waiting] == to_alice[-more:], "in their order"
        assert {row["held_by"].partition(":")[0] for row in waiting} == {"pair"}
        reply = await sent(world, BEN, "ben again")
        await world.stands(reply, "read")
        world.let_pass(minutes=5)
        for message_id in to_alice:
            await world.stands(message_id, "read")
        assert codes(world) == {None: PAIR_AT_ONCE + more + 6}
        await world.keeps_its_promises()


async def room(world: World, **wanted: int) -> None:
    """Wait until the messaging limit shows these figures."""

    async def look() -> bool:
        found = (await sender(world))["people"]
        return {name: found[name] for name in wanted} == wanted

    await eventually(look, f"the limit showing {wanted}")


async def held(world: World, messages: list[str], by: str) -> None:
    """Wait until all of these are held by the same kind of thing."""

    async def look() -> bool:
        rows = await world.rows(
            "SELECT held_by FROM messages WHERE id = ANY($1) AND work = 'waiting'", messages
        )
        return [row["held_by"].partition(":")[0] for row in rows] == [by] * len(messages)

    await eventually(look, f"messages being held by {by}")


async def no_alert(world: World) -> None:
    """Wait until no alert is open."""

    async def look() -> bool:
        return not await alerts(world)

    await eventually(look, "the alerts being over")


async def test_a_used_up_messaging_limit_is_shown_holds_new_people_only_and_comes_back_with_the_day(
    dsn: str, tmp_path: Path
) -> None:
    """Meta keeps to the limit here, and would fail whatever went beyond it with 131048."""
    async with a_world(dsn, tmp_path, meta={"tier": "TIER_50"}) as world:
        await room(world, limit=50, headroom=50)
        crowd = [f"+1555{7_000_000 + number}" for number in range(53)]
        first = [await template(world, person) for person in crowd[:50]]
        for message_id in first:
            await world.stands(message_id, "read")
        await room(world, reached_24h=50, headroom=0)
        late = [await template(world, person) for person in crowd[50:]]

        await held(world, late, "tier")
        assert [key.partition(":")[0] for key in await alerts(world)] == ["tier"]
        again = await template(world, crowd[0])
        await world.open_window(crowd[52])
        answer = await sent(world, crowd[52], "you asked?", category="service")
        for message_id in (again, answer):
            await world.stands(message_id, "read")
        assert await states(world, late) == {"queued": 3}
        world.let_pass(hours=24, minutes=6)  # Meta counts from the delivery, a little later than we do
        for message_id in late:
            await world.stands(message_id, "read")
        await room(world, reached_24h=3, headroom=47)

        await no_alert(world)
        assert codes(world) == {None: len(first) + len(late) + 2}
        await world.keeps_its_promises()


async def test_a_throttled_number_delays_no_other_number(dsn: str, tmp_path: Path) -> None:
    async with a_world(dsn, tmp_path, more=[SECOND]) as world:
        await world.open_window(ALICE)
        await world.digested(await world.sim.inbound(BEN, text="hello", to=SECOND))
        world.sim.arm(RefuseWithError(code=130429, phone_number_id=PHONE_NUMBER_ID, until_cleared=True))
        throttled = [await sent(world, ALICE, f"slow {n}") for n in range(12)]
        free = [await sent(world, BEN, f"quick {n}", sender=SECOND) for n in range(30)]
        for message_id in free:
            await world.stands(message_id, "read")

        async def refused() -> bool:
            return codes(world)[130429] > 0

        await eventually(refused, "Meta saying that it is too much")
        assert await states(world, throttled) <= Counter(queued=12, sending=12)
        slow, quick = (await sender(world))["rate"], (await sender(world, SECOND))["rate"]
        assert slow["now_per_s"] < slow["limit_per_s"]
        assert quick["now_per_s"] == quick["limit_per_s"]
        world.sim.clear_faults()
        for message_id in throttled:
            await world.stands(message_id, "read")
        await world.keeps_its_promises()


HUGE = "9" * 400
#: Waits that nobody can mean, by header.
ABSURD = [
    {"Retry-After": "-5"},
    {"Retry-After": "0"},
    {"Retry-After": "soon"},
    {"Retry-After": HUGE},
    {"Retry-After": "nan"},
    {"Retry-After": "Wed, 21 Oct 2099 07:28:00 GMT"},
    {"Retry-After": "Thu, 01 Jan 1970 00:00:00 GMT"},
    {"X-App-Usage": f'{{"call_count":{HUGE},"estimated_time_to_regain_access":{HUGE}}}'},
    {"X-App-Usage": '{"call_count":100,"estimated_time_to_regain_access":-7}'},
    {"X-App-Usage": '{"call_count":"all","estimated_time_to_regain_access":"never"}'},
    {
        "X-Business-Use-Case-Usage": f'{{"2":[{{"type":"whatsapp","estimated_time_to_regain_access":{HUGE}}}]}}'
    },
    {"X-Business-Use-Case-Usage": '[{"2":null}'},
]


async def test_a_wait_that_makes_no_sense_is_neither_ignored_nor_obeyed_to_the_letter(world: World) -> None:
    await world.open_window()
    for absurd in ABSURD:
        world.wire.besides = absurd
        world.sim.arm(RefuseWithError(code=131057))
        message_id = await sent(world, ALICE, "in maintenance")

        async def hold() -> Any:
            return (await sender(world))["held"]

        held = await eventually(hold, f"the hold for {absurd}")
        now, until = world.rt.now(), datetime.fromisoformat(held["until"])
        assert now < until <= now + LONGEST_HOLD, absurd
        status, _ = await operator(world).call("POST", f"/senders/{PHONE_NUMBER_ID}/release")
        assert status == 200
        await world.stands(message_id, "read")
    assert codes(world) == {131057: len(ABSURD), None: len(ABSURD)}
    await world.keeps_its_promises()


async def test_a_gateway_that_says_too_many_holds_the_number_and_leaves_nothing_in_doubt(
    world: World,
) -> None:
    await world.open_window()
    world.sim.arm(PlainHttp(http_status=429, retry_after_s=600))
    message_id = await sent(world, ALICE, "through a gateway")

    async def hold() -> Any:
        return (await sender(world))["held"]

    held = await eventually(hold, "the hold that was asked for")
    assert datetime.fromisoformat(held["until"]) > world.rt.now() + timedelta(minutes=9)
    assert await states(world, [message_id]) == {"queued": 1}
    status, _ = await operator(world).call("POST", f"/senders/{PHONE_NUMBER_ID}/release")
    assert status == 200
    await world.stands(message_id, "read")
    assert [post.status for post in world.wire.of(message_id)] == [429, 200]
    await world.keeps_its_promises()
