"""Claims within a sender: its slots, its holds, its people's credit, its portfolio's room."""

import itertools
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from harness.mail import Mail
from harness.rooms import Clock, runtime
from harness.service import PHONE_NUMBER_ID
from sayso.core.runtime import Runtime
from sayso.core.worker import Claimed, Lease
from sayso.messages import claiming, service
from sayso.messages.results import Result
from sayso.people import service as people
from sayso.people.service import Person
from sayso.senders import reach
from sayso.senders import service as senders

OTHER = "100000000000002"
WABA = "200000000000001"


@pytest.fixture
async def rt(dsn: str, clock: Clock) -> AsyncIterator[Runtime]:
    """A runtime that keeps to the rate to one person."""
    async with runtime(dsn, now=clock, sayso_pair_rate=True) as running:
        yield running


@pytest.fixture
async def mail(rt: Runtime) -> Mail:
    """No message yet; our first number may send as fast as it likes."""
    mail = Mail(rt)
    await mail.enlist()
    await run(mail, "UPDATE senders SET rate_limit = 100000")
    return mail


async def run(mail: Mail, sql: str, *args: Any) -> None:
    async with mail.rt.db.one() as tx:
        await tx.execute(sql, *args)


async def value(mail: Mail, sql: str, *args: Any) -> Any:
    async with mail.rt.db.one() as tx:
        return await tx.fetchval(sql, *args)


async def look(mail: Mail, most: int = 100) -> Claimed:
    """One claim, with what it says of the next."""
    lease = Lease(await mail.enlist())
    async with mail.rt.db.tx(claims=True) as tx:
        return await mail.dispatcher.claim(mail.rt, tx, lease, most)


async def crowd(mail: Mail, count: int, **changes: Any) -> list[str]:
    """A message to each of so many people."""
    messages = []
    for number in range(count):
        mail.rt.now.advance(milliseconds=1)  # type: ignore[attr-defined] # so that ids sort
        person = await mail.person(f"+1555000{number:04}")
        messages.append(await mail.queue(person, **changes))
    return messages


async def other_number(mail: Mail, message: str) -> None:
    """Let a message be another number's of ours."""
    await run(
        mail,
        "INSERT INTO senders (id, waba_id, portfolio_id, work_at) VALUES ($1, $2, $2, now()) ON CONFLICT DO NOTHING",
        OTHER,
        WABA,
    )
    await run(mail, "UPDATE messages SET phone_number_id = $2 WHERE id = $1", message, OTHER)


async def test_a_claim_takes_no_more_than_the_slots_of_the_next_moment(mail: Mail) -> None:
    await run(mail, "UPDATE senders SET rate_limit = 0.01")
    messages = await crowd(mail, 3)
    claimed = await look(mail)
    assert [row["id"] for row in claimed.todo] == messages[:1], "the next is more than a minute away"
    assert claimed.look_in > 0
    again = await look(mail)
    assert again.todo == []
    assert again.look_in > 0, "and it is known when there will be more"
    assert await mail.state(messages[1]) == ("queued", "ready")
    assert await value(mail, "SELECT turn FROM senders WHERE id = $1", PHONE_NUMBER_ID) == 1


async def test_two_who_claim_share_the_slots(mail: Mail) -> None:
    messages = await crowd(mail, 40)
    await run(mail, "UPDATE senders SET rate_limit = 80")
    other = Mail(mail.rt)
    went = await mail.claim()
    while not other.dispatcher._ready:
        went += await other.claim()
    assert sorted(went) == messages[: len(went)]
    moments = [
        each.dispatcher._ready[message].slot
        for each in (mail, other)
        for message in messages
        if message in each.dispatcher._ready
    ]
    gaps = [later - earlier for earlier, later in itertools.pairwise(sorted(moments))]
    assert min(gaps) > 1 / 80 - 0.002, "by one clock, whoever took them"


async def test_what_is_stopped_or_has_to_wait_uses_no_slot(mail: Mail, clock: Clock) -> None:
    await run(mail, "UPDATE senders SET rate_limit = 10")
    people = [await mail.person(f"+1555000{number:04}") for number in range(3)]
    stale = [await mail.queue(person, expires_at=clock()) for person in people]
    clock.advance(milliseconds=1)
    fresh = await mail.queue(people[0])
    assert [row["id"] for row in (await look(mail)).todo] == [fresh]
    assert {await mail.state(message) for message in stale} == {("expired", None)}


async def test_while_a_sender_is_being_claimed_from_others_take_other_senders(mail: Mail) -> None:
    ours, others = await crowd(mail, 2)
    await other_number(mail, others)
    one, two = Lease(await mail.enlist()), Lease(await mail.enlist())
    async with mail.rt.db.tx(claims=True) as tx, mail.rt.db.tx(claims=True) as other:
        await tx.execute("SELECT 1 FROM senders WHERE id = $1 FOR UPDATE", PHONE_NUMBER_ID)
        theirs = await mail.dispatcher.claim(mail.rt, other, two, 9)
        assert [row["id"] for row in theirs.todo] == [others]
        claimed = await mail.dispatcher.claim(mail.rt, tx, one, 9)
        assert [row["id"] for row in claimed.todo] == [ours]


@pytest.mark.parametrize("held", ["hold", "circuit"])
async def test_a_sender_that_is_held_delays_nobody_else_and_goes_on_when_it_is_not(
    mail: Mail, clock: Clock, held: str
) -> None:
    ours, others = await crowd(mail, 2)
    await other_number(mail, others)
    async with mail.rt.db.tx() as tx:
        if held == "hold":
            await senders.hold(
                tx, mail.rt, PHONE_NUMBER_ID, until=clock() + timedelta(seconds=60), why="test"
            )
        else:
            await senders.open_circuit(tx, mail.rt, PHONE_NUMBER_ID, why="test", code=190)
    assert await mail.claim() == [others]
    assert await mail.state(ours) == ("queued", "ready")
    if held == "hold":
        clock.advance(seconds=60)
    else:
        async with mail.rt.db.tx() as tx:
            await tx.execute("UPDATE senders SET circuit = 'closed'")
    assert await mail.claim() == [ours]


async def test_what_is_to_be_reported_is_reported_also_while_its_sender_is_held(
    mail: Mail, clock: Clock
) -> None:
    [message] = await crowd(mail, 1)
    await mail.claim()
    await mail.apply(Result(message, 1, clock(), state="unknown", reason="cut", again_at=clock()))
    async with mail.rt.db.tx() as tx:
        await senders.open_circuit(tx, mail.rt, PHONE_NUMBER_ID, why="test", code=190)
    await mail.promote()
    assert await mail.claim() == []
    assert await mail.state(message) == ("unknown", None)
    assert "message.unknown" in await mail.events()


@pytest.mark.parametrize("held", ["hold", "circuit"])
async def test_whatever_holds_its_sender_a_message_ends_in_its_time(
    mail: Mail, clock: Clock, monkeypatch: pytest.MonkeyPatch, held: str
) -> None:
    monkeypatch.setattr(claiming, "STALE", 2)
    monkeypatch.setattr(claiming, "TO_END", claiming.TO_END.replace("LIMIT 100", "LIMIT 2"))
    messages = await crowd(mail, 3, expires_at=clock() + timedelta(seconds=30))
    lasting = await mail.queue(await mail.person("+15550000000"))
    async with mail.rt.db.tx() as tx:
        if held == "hold":
            await senders.hold(tx, mail.rt, PHONE_NUMBER_ID, until=clock() + timedelta(days=1), why="test")
        else:
            await senders.open_circuit(tx, mail.rt, PHONE_NUMBER_ID, why="test", code=190)
    clock.advance(seconds=30)
    first, second = await look(mail), await look(mail)
    assert (first.todo, second.todo) == ([], [])
    assert first.look_in == 0.0, "there may be more of them"
    assert second.look_in > 0.0
    assert {await mail.state(message) for message in messages} == {("expired", None)}
    assert (await mail.events()).count("message.failed") == 3
    assert await mail.state(lasting) == ("queued", "ready")


async def test_whose_fence_is_taken_keeps_nobody_behind_them_from_the_slots(mail: Mail) -> None:
    alice, ben = await mail.person(), await mail.person("+15550002222")
    await run(mail, "UPDATE senders SET rate_limit = 10")
    theirs = [await mail.queue(alice) for _ in range(20)]
    mail.rt.now.advance(milliseconds=1)  # type: ignore[attr-defined] # so that ids sort
    behind = await mail.queue(ben)
    async with mail.rt.db.tx() as leaving:
        await people.lock(leaving, [alice.id], exclusive=True)
        assert [row["id"] for row in (await look(mail)).todo] == [behind]
        await run(mail, "UPDATE senders SET tat = clock_timestamp() - interval '1 s'")
        again = await look(mail)
        assert again.todo == []
        assert again.look_in > 0.0, "it does not spin while there is nobody else"
    await run(mail, "UPDATE senders SET tat = clock_timestamp() - interval '1 s'")
    assert {row["id"] for row in (await look(mail)).todo} < set(theirs)


async def test_messages_for_a_number_that_no_setting_names_any_more_go_all_the_same(mail: Mail) -> None:
    [message] = await crowd(mail, 1)
    await run(mail, "UPDATE messages SET phone_number_id = '300000000000003'")
    assert await mail.claim() == []
    assert await mail.claim() == [message]


async def burst(mail: Mail, person: Person, count: int) -> list[str]:
    """Messages to one person; those that went."""
    for _ in range(count):
        await mail.queue(person, expires_at=mail.rt.now() + timedelta(days=1))
    went: list[str] = []
    while claimed := await mail.claim():
        went += claimed
    return went


async def test_one_person_gets_45_on_credit_and_the_rest_one_behind_the_other(
    mail: Mail, clock: Clock
) -> None:
    alice, ben = await mail.person(), await mail.person("+15550002222")
    await mail.wrote(alice, clock())
    assert len(await burst(mail, alice, 48)) == 45
    other = await mail.queue(ben)
    assert await mail.claim() == [other], "nobody else is delayed"
    async with mail.rt.db.one() as tx:
        rows = await tx.fetch("SELECT * FROM messages WHERE work = 'waiting' ORDER BY work_at")
    assert len(rows) == 3
    assert {row["held_by"] for row in rows} == {f"pair:{PHONE_NUMBER_ID}:{alice.id}"}
    assert {row["held"][:11] for row in rows} == {"45 messages"}
    first = rows[0]["work_at"]
    assert timedelta(seconds=45 * 6) < first - clock() < timedelta(seconds=45 * 6 + 2)
    assert [row["work_at"] - first for row in rows] == [timedelta(seconds=6.5 * k) for k in range(3)]
    reply = await mail.queue(alice, purpose="notice")
    assert await mail.claim() == []
    waits = (await mail.row(reply))["work_at"]
    assert abs(waits - first) < timedelta(seconds=1), "an answer is not behind the rest"
    clock.advance(seconds=45 * 6 + 2)
    await mail.promote()
    assert len(await mail.claim()) == 2, "the first that waited, and the answer"
    assert await value(mail, "SELECT count FROM pairs WHERE person_id = $1", alice.id) == 2


async def test_what_meta_did_not_take_gives_its_credit_back(mail: Mail, clock: Clock) -> None:
    alice = await mail.person()
    went = await burst(mail, alice, 3)
    await mail.apply(Result(went[0], 1, clock(), state="queued", reason="not sent", again_at=clock()))
    await mail.apply(Result(went[1], 1, clock(), state="accepted", wamid="wamid.1"))
    assert await value(mail, "SELECT count FROM pairs WHERE person_id = $1", alice.id) == 2


async def limited(mail: Mail, limit: int) -> None:
    await run(mail, "UPDATE portfolios SET tier_limit = $1", limit)


async def used(mail: Mail) -> int:
    """How many people count, as kept and as counted afresh."""
    kept: int = await value(mail, "SELECT used FROM portfolios")
    assert kept == await value(mail, "SELECT count(*) FROM portfolio_reach")
    return kept


async def test_new_people_wait_for_room_and_those_reached_do_not(mail: Mail, clock: Clock) -> None:
    await limited(mail, 2)
    messages = await crowd(mail, 4, template=True, expires_at=clock() + timedelta(days=3))
    assert await mail.claim() == messages[:2]
    held = [await mail.row(message) for message in messages[2:]]
    assert {row["held_by"] for row in held} == {reach.hold_key(WABA)}
    assert "messaging limit of 2" in held[0]["held"]
    day = clock() + timedelta(hours=24)
    assert [row["work_at"] for row in held] == [day, day + timedelta(seconds=1)]
    assert await value(mail, "SELECT count(*) FROM alerts WHERE resolved_at IS NULL") == 1
    assert await mail.steps(messages[2]) == ["queued", "queued"]
    again = await mail.queue(await mail.person("+15550000001"), template=True)
    assert await mail.claim() == [again], "whoever was reached already is free"
    inside = await mail.person("+15550000003")
    await mail.wrote(inside, clock())
    reply = await mail.queue(inside, purpose="notice")
    assert await mail.claim() == [reply], "a window does not count"
    assert await used(mail) == 2
    clock.advance(hours=24, seconds=2)
    await mail.promote()
    assert await mail.claim() == messages[2:]
    assert await used(mail) == 2
    assert await value(mail, "SELECT count(*) FROM alerts WHERE resolved_at IS NULL") == 0


async def test_a_place_is_given_back_when_meta_did_not_take_the_message(mail: Mail, clock: Clock) -> None:
    await limited(mail, 1)
    first, second = await crowd(mail, 2, template=True)
    assert await mail.claim() == [first]
    assert await used(mail) == 1
    await mail.apply(
        Result(first, 1, clock(), state="failed", reason="refused", error_code=131026, reaches=True)
    )
    assert await used(mail) == 0
    async with mail.rt.db.tx() as tx:
        assert await service.release(tx, mail.rt, reach.hold_key(WABA)) == 1
    assert await mail.claim() == [second]
    await mail.apply(Result(second, 1, clock(), state="accepted", wamid="wamid.1", reaches=True))
    assert await used(mail) == 1
    assert await value(mail, "SELECT count(*) FROM alerts WHERE resolved_at IS NULL") == 0


@pytest.mark.parametrize("still", [False, True])
async def test_a_large_hold_is_released_by_parts_as_long_as_it_does_not_hold_again(
    mail: Mail, clock: Clock, monkeypatch: pytest.MonkeyPatch, still: bool
) -> None:
    monkeypatch.setattr(service, "AT_ONCE", 2)
    monkeypatch.setattr(service, "RELEASE", service.RELEASE.replace("LIMIT 1000", "LIMIT 2"))
    await limited(mail, 1)
    messages = await crowd(mail, 6, template=True, expires_at=clock() + timedelta(days=3))
    assert await mail.claim() == messages[:1]
    waiting = "SELECT count(*) FROM messages WHERE work = 'waiting'"
    if not still:
        await limited(mail, 10)
    async with mail.rt.db.tx() as tx:
        assert await service.release(tx, mail.rt, reach.hold_key(WABA)) == 2
    assert await value(mail, waiting) == 3
    went = [each for _ in range(3) for each in await mail.claim()]
    if still:
        assert went == []
        assert await value(mail, waiting) == 5
    else:
        assert sorted(went) == messages[1:]
    assert await value(mail, "SELECT count(*) FROM releases") == 0


async def test_a_second_message_keeps_the_place_that_the_first_gives_back(mail: Mail, clock: Clock) -> None:
    alice = await mail.person()
    first, second = await mail.queue(alice, template=True), await mail.queue(alice, template=True)
    assert await mail.claim() == [first, second]
    await mail.apply(Result(second, 1, clock(), state="accepted", wamid="wamid.2", reaches=True))
    await mail.apply(Result(first, 1, clock(), state="queued", reason="x", again_at=clock(), reaches=True))
    assert await used(mail) == 1


async def test_people_reached_a_day_ago_are_forgotten_a_few_at_a_time(
    mail: Mail, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    await crowd(mail, 3, template=True)
    assert len(await mail.claim()) == 3
    clock.advance(hours=25)
    async with mail.rt.db.tx() as tx:
        assert await reach.sweep(tx, WABA, clock()) == 0
    assert await used(mail) == 0
