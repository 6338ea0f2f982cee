"""After a 131056 nothing goes to that person for a while, answers to STOP included; then one at a time, they first."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import pytest

from harness.mail import Mail
from harness.rooms import Clock, runtime
from harness.service import PHONE_NUMBER_ID
from harness.waiting import eventually
from sayso.messages.outcome import Outgoing, result_of
from sayso.messages.results import Result
from sayso.people.service import Person
from sayso.senders.rules import PAIR_EVERY, PAIR_SLACK
from sayso.whatsapp.client import Refused
from sayso.whatsapp.failures import GraphError, classify

DAY = timedelta(days=1)
BEN = "+15550002222"


@pytest.fixture
async def mail(dsn: str, clock: Clock) -> AsyncIterator[Mail]:
    """No message yet, and pairs are paced."""
    async with runtime(dsn, now=clock, sayso_pair_rate=True) as rt:
        yield Mail(rt)


@pytest.fixture
async def alice(mail: Mail, clock: Clock) -> Person:
    """Who has just written."""
    person = await mail.person()
    await mail.wrote(person, clock())
    return person


async def claimed(mail: Mail) -> list[str]:
    """Whatever can go now has gone or waits; what went."""
    went: list[str] = []

    async def look() -> bool:
        went.extend(await mail.claim())
        async with mail.rt.db.one() as tx:
            return not await tx.fetchval("SELECT EXISTS (SELECT 1 FROM messages WHERE work = 'ready')")

    await eventually(look, "slots for all that is ready")
    return went


async def refused(mail: Mail, message: str) -> None:
    """Meta refuses a message that is on the wire with 131056."""
    row, error = await mail.row(message), GraphError(131056, "A title")
    outgoing = Outgoing(
        message, row["attempt"], PHONE_NUMBER_ID, b"", await mail.person(), 0.0, row["retries"]
    )
    sent = Refused(error, classify(error, 400), 400)
    await mail.apply(result_of(sent, outgoing, mail.rt.now(), 0.0))


async def accepted(mail: Mail, message: str) -> None:
    row = await mail.row(message)
    await mail.apply(
        Result(message, row["attempt"], mail.rt.now(), state="accepted", wamid=f"wamid.{message}")
    )


async def arrives(mail: Mail, message: str) -> None:
    attempt = (await mail.row(message))["attempt"]
    await mail.status("delivered", wamid=f"wamid.{message}", callback=f"{message}:{attempt}")


async def held_until(mail: Mail, alice: Person) -> datetime:
    async with mail.rt.db.one() as tx:
        until: datetime = await tx.fetchval(
            "SELECT hold_until FROM conversations WHERE person_id = $1", alice.id
        )
    return until


async def answer(mail: Mail, alice: Person) -> str:
    """An answer to STOP, START or HELP is queued."""
    return await mail.queue(alice, purpose="consent", expires_at=mail.rt.now() + DAY)


async def goes_on(mail: Mail, clock: Clock, at: datetime) -> list[str]:
    """Time passes; what goes then."""
    clock.at = at + timedelta(milliseconds=10)
    await mail.promote()
    return await claimed(mail)


async def test_an_answer_that_meta_refused_is_held_four_times_as_long_each_time(
    mail: Mail, clock: Clock, alice: Person
) -> None:
    message, waits = await answer(mail, alice), []
    assert await claimed(mail) == [message]
    for _ in range(5):
        await refused(mail, message)
        until = await held_until(mail, alice)
        waits.append((until - clock()).total_seconds())
        row = await mail.row(message)
        assert row["work_at"] == until, "it is not looked at before"
        assert row["held_by"] == f"person:{alice.id}"
        assert await goes_on(mail, clock, until - timedelta(seconds=1)) == []
        assert await goes_on(mail, clock, until) == [message]
    assert waits == [6, 24, 96, 384, 1536]


async def test_every_lane_waits_for_the_hold_and_nobody_else_does(
    mail: Mail, clock: Clock, alice: Person
) -> None:
    first = await answer(mail, alice)
    await claimed(mail)
    await refused(mail, first)
    for purpose in ("consent", "notice", "closing", "prompt", "send"):
        await mail.queue(alice, purpose=purpose, expires_at=clock() + DAY)
    other = await mail.queue(await mail.person(BEN))
    assert await claimed(mail) == [other]


async def test_when_the_hold_ends_they_go_one_at_a_time_and_answers_first(
    mail: Mail, clock: Clock, alice: Person
) -> None:
    message = await mail.queue(alice, expires_at=clock() + DAY)
    assert await claimed(mail) == [message]
    await refused(mail, message)
    second = await mail.queue(alice, expires_at=clock() + DAY)
    assert await claimed(mail) == []
    replies = []
    for _ in range(2):
        replies.append(await answer(mail, alice))
        assert await claimed(mail) == []
    went: list[list[str]] = []
    at = await held_until(mail, alice)
    for _ in range(6):
        went.append(await goes_on(mail, clock, at))
        for each in went[-1]:
            await accepted(mail, each)
        at = clock() + PAIR_EVERY + PAIR_SLACK
    assert all(len(each) <= 1 for each in went), "there is no credit after a 131056"
    assert [each for (each,) in filter(None, went)] == [*replies, message, second]


async def test_a_message_that_arrives_after_a_hold_ends_the_row(
    mail: Mail, clock: Clock, alice: Person
) -> None:
    before, message = await answer(mail, alice), await answer(mail, alice)
    assert len(await claimed(mail)) == 2
    await accepted(mail, before)
    await refused(mail, message)
    await arrives(mail, before)  # posted before the hold: it says nothing about it
    assert await goes_on(mail, clock, await held_until(mail, alice) + PAIR_SLACK) == [message]
    await refused(mail, message)
    until = await held_until(mail, alice)
    assert until == clock() + timedelta(seconds=24)
    assert await goes_on(mail, clock, until) == [message]
    await accepted(mail, message)
    await arrives(mail, message)
    clock.advance(seconds=10)
    again = await answer(mail, alice)
    assert await claimed(mail) == [again]
    await refused(mail, again)
    assert await held_until(mail, alice) == clock() + timedelta(seconds=6)


async def test_an_answer_waits_for_a_burst_to_be_paid_back_like_everything_else(
    mail: Mail, clock: Clock, alice: Person
) -> None:
    """Meta would refuse it: 20 messages at once cost two minutes."""
    for _ in range(20):
        await mail.queue(alice)
    for each in await claimed(mail):
        await accepted(mail, each)
    clock.advance(seconds=10)
    reply = await answer(mail, alice)
    assert await claimed(mail) == []
    row = await mail.row(reply)
    assert row["held_by"] == f"pair:{PHONE_NUMBER_ID}:{alice.id}"
    assert "one in 6 seconds" in row["held"]
    assert await goes_on(mail, clock, row["work_at"]) == [reply]


async def test_those_that_queue_up_keep_their_order(mail: Mail, clock: Clock, alice: Person) -> None:
    for _ in range(46):
        await mail.queue(alice, expires_at=clock() + DAY)
    await claimed(mail)
    late = []
    for _ in range(3):
        clock.advance(milliseconds=2)  # so that ids sort
        late.append(await mail.queue(alice, expires_at=clock() + DAY))
        await claimed(mail)
    clock.advance(seconds=45 * 6)
    went = []
    for _ in range(20):
        went += await goes_on(mail, clock, clock() + timedelta(seconds=2))
    assert went[1:] == late
