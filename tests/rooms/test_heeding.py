"""What Meta counts of our messages: heard with each answer, shown, and obeyed before it refuses one."""

from collections.abc import AsyncIterator
from datetime import timedelta

import msgspec
import pytest

from harness.graph_peers import ANSWER, BODY, NUMBER, TOKEN, Peer, Server, http, serving
from harness.rooms import Clock, runtime
from sayso.core.runtime import Runtime
from sayso.senders import rules, service
from sayso.senders.heeding import Heeding
from sayso.senders.service import Sender
from sayso.whatsapp.client import GraphClient, graph_session
from sayso.whatsapp.usage import Usage

FIRST, SECOND, OTHERS = "100000000000001", "100000000000002", "100000000000009"


@pytest.fixture
async def rt(dsn: str, clock: Clock) -> AsyncIterator[Runtime]:
    """Two numbers of our account, and one of another."""
    async with runtime(dsn, now=clock, sayso_more_senders=SECOND) as running:
        async with running.db.tx() as tx:
            await service.ensure(tx, running)
            await tx.execute(
                "INSERT INTO senders (id, waba_id, portfolio_id, work_at) "
                "SELECT $1, '9', portfolio_id, now() FROM senders LIMIT 1",
                OTHERS,
            )
        yield running


async def heard(rt: Runtime, *said: Usage, sender: str = FIRST) -> Heeding:
    heeding = Heeding(rt)
    for each in said:
        heeding.hear(sender, each)
    await heeding.write()
    return heeding


async def get(rt: Runtime, sender: str = FIRST) -> Sender:
    async with rt.db.one() as tx:
        found = await service.get(tx, sender)
    assert found is not None
    return found


async def test_a_share_is_shown_for_all_numbers_of_the_account_while_it_is_fresh(
    rt: Runtime, clock: Clock
) -> None:
    await heard(rt, Usage(12), Usage(14), Usage())
    assert [(await get(rt, each)).used(clock()) for each in (FIRST, SECOND, OTHERS)] == [14, 14, None]
    assert (await get(rt)).rate == 80
    assert (await get(rt)).used(clock.advance(hours=1)) is None


@pytest.mark.parametrize(
    ("percent", "rate"), [(94.9, 80), (95, 80), (97, 48), (99, 16), (100, 1), (1e308, 1)]
)
async def test_close_to_the_end_the_account_goes_slower_and_its_share_is_bounded(
    rt: Runtime, clock: Clock, percent: float, rate: float
) -> None:
    await heard(rt, Usage(percent))
    for each in (FIRST, SECOND):
        sender = await get(rt, each)
        assert sender.rate == pytest.approx(rate, abs=2)  # it grows back by the database's clock
        assert sender.held(clock()) is None
    assert (await get(rt, OTHERS)).rate == 80
    assert ((await get(rt)).used(clock()) or 0) <= 1000


@pytest.mark.parametrize(("regain_s", "hold"), [(120, timedelta(minutes=2)), (1e300, rules.LONGEST_HOLD)])
async def test_until_access_comes_back_nothing_goes_an_hour_at_most(
    rt: Runtime, clock: Clock, regain_s: float, hold: timedelta
) -> None:
    await heard(rt, Usage(100, regain_s))
    held = await get(rt, SECOND)
    assert held.hold_until == clock() + hold
    assert "100 %" in (held.held(clock()) or "")
    assert (await get(rt, OTHERS)).held(clock()) is None


async def test_only_what_is_new_is_written(rt: Runtime, clock: Clock) -> None:
    heeding = await heard(rt, Usage(3))
    first = clock()
    for seconds, written in ((10, first), (400, first + timedelta(seconds=410))):
        clock.advance(seconds=seconds)
        heeding.hear(FIRST, Usage(3))
        await heeding.write()
        assert (await get(rt)).told_at == written
    heeding.hear(FIRST, Usage(4))
    await heeding.write()
    assert (await get(rt)).told_percent == 4


async def test_a_rate_that_was_lower_already_stays(rt: Runtime) -> None:
    async with rt.db.tx() as tx:
        await tx.execute("UPDATE senders SET rate = 2, rate_grows_at = clock_timestamp()")
    await heard(rt, Usage(97))
    assert (await get(rt)).rate < 10


@pytest.mark.parametrize("status", ["200 OK", "400 Bad Request"])
async def test_every_answer_to_a_message_is_read_for_it(status: str) -> None:
    use = [
        {"type": "whatsapp_business_management", "call_count": 90},
        {"type": "whatsapp", "call_count": 41, "total_time": 7, "estimated_time_to_regain_access": 2},
    ]
    header = f"X-Business-Use-Case-Usage: {msgspec.json.encode({'2': use}).decode()}"
    told: list[tuple[str, Usage]] = []

    async def play(server: Server, peer: Peer) -> None:
        while True:
            await server.take(peer)
            await peer.answer(http(ANSWER, status, header))

    async with serving(play) as server, graph_session(1) as session:
        graph = GraphClient(
            session,
            base_url=f"http://127.0.0.1:{server.port}",
            version="v25.0",
            token=TOKEN,
            on_usage=lambda sender, usage: told.append((sender, usage)),
        )
        await graph.post_message(NUMBER, BODY)
        await graph.mark_read(NUMBER, "wamid.x")
    assert told == [(NUMBER, Usage(41, 120))] * 2
