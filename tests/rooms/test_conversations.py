"""Windows by the messages' own timestamps, per person and sender; free entry by an ad that was answered in time."""

from datetime import timedelta

import pytest

from harness.mail import Mail
from harness.rooms import Clock
from harness.service import PHONE_NUMBER_ID
from sayso.core.runtime import Runtime
from sayso.messages import conversations
from sayso.messages.conversations import Talk
from sayso.messages.rules import FREE_ENTRY, WINDOW
from sayso.people.service import Person

ANOTHER = "400000000000099"
HOUR = timedelta(hours=1)


@pytest.fixture
async def alice(rt: Runtime) -> Person:
    """Nobody has written yet."""
    return await Mail(rt).person()


async def wrote(
    rt: Runtime, person: Person, ago: timedelta, sender: str = PHONE_NUMBER_ID, *, referred: bool = False
) -> None:
    async with rt.db.tx() as tx:
        await conversations.note_inbound(tx, rt, person, sender, rt.now() - ago, referred=referred)


async def answered(rt: Runtime, person: Person, ago: timedelta, sender: str = PHONE_NUMBER_ID) -> None:
    async with rt.db.tx() as tx:
        await conversations.note_answered(tx, [(person.id, sender, rt.now() - ago)])


async def talk(rt: Runtime, person: Person, sender: str = PHONE_NUMBER_ID) -> Talk:
    async with rt.db.one() as tx:
        return (await conversations.read(tx, [person])).of(person, sender)


async def test_the_latest_message_counts_whenever_it_comes_in(rt: Runtime, alice: Person) -> None:
    await wrote(rt, alice, HOUR)
    await wrote(rt, alice, 30 * HOUR)  # redelivered, days late
    assert (await talk(rt, alice)).opened_at == rt.now() - HOUR
    assert await talk(rt, alice, ANOTHER) == Talk()


async def test_each_sender_has_a_window_of_its_own_and_is_heard_since_its_first_message(
    rt: Runtime, clock: Clock, alice: Person
) -> None:
    first = rt.now()
    await wrote(rt, alice, 30 * HOUR)
    clock.advance(hours=2)
    await wrote(rt, alice, HOUR, ANOTHER)
    await wrote(rt, alice, HOUR)
    async with rt.db.one() as tx:
        talks = await conversations.read(tx, [alice])
    assert talks.of(alice, ANOTHER).opened_at == rt.now() - HOUR
    assert talks.heard_since == {PHONE_NUMBER_ID: first, ANOTHER: rt.now()}


async def test_a_window_that_meta_says_is_closed_is_until_the_person_writes(
    rt: Runtime, clock: Clock, alice: Person
) -> None:
    async with rt.db.tx() as tx:
        await tx.execute(
            "INSERT INTO conversations (person_id, phone_number_id, closed_at) VALUES ($1, $2, $3)",
            alice.id,
            PHONE_NUMBER_ID,
            rt.now(),
        )
    told = await talk(rt, alice)
    assert told.opened_at == rt.now() - WINDOW
    assert (told.wrote_at, told.refused_at) == (None, rt.now()), "nobody heard the person write"
    clock.advance(minutes=1)
    await wrote(rt, alice, timedelta(seconds=1))
    told = await talk(rt, alice)
    assert told.opened_at == told.wrote_at == rt.now() - timedelta(seconds=1)
    assert told.refused_at is None


async def test_an_ad_that_is_answered_within_a_day_makes_everything_free_for_three(
    rt: Runtime, alice: Person
) -> None:
    await wrote(rt, alice, 2 * HOUR, referred=True)
    before = await talk(rt, alice)
    assert before.referred_at == rt.now() - 2 * HOUR
    assert before.free(rt.now())  # the answer itself is inside the window that it opens
    await answered(rt, alice, HOUR)
    after = await talk(rt, alice)
    assert after == Talk(before.opened_at, None, rt.now() - HOUR + FREE_ENTRY)
    assert after.free(rt.now() + timedelta(hours=70))
    assert not after.free(rt.now() + timedelta(hours=71))
    await answered(rt, alice, timedelta(0))
    assert await talk(rt, alice) == after  # a second answer opens nothing


async def test_an_ad_that_was_answered_too_late_costs_as_ever(rt: Runtime, alice: Person) -> None:
    await wrote(rt, alice, 25 * HOUR, referred=True)
    assert not (await talk(rt, alice)).free(rt.now())
    await answered(rt, alice, timedelta(0))
    assert (await talk(rt, alice)).free_until is None
    await wrote(rt, alice, HOUR)  # an ordinary message is no ad
    assert not (await talk(rt, alice)).free(rt.now())


async def test_an_answer_passes_over_a_conversation_that_is_in_hand(rt: Runtime, alice: Person) -> None:
    await wrote(rt, alice, HOUR, referred=True)
    async with rt.db.tx() as holding:
        await holding.execute("SELECT 1 FROM conversations FOR UPDATE")
        await answered(rt, alice, timedelta(0))
    assert (await talk(rt, alice)).free_until is None
    await answered(rt, alice, timedelta(0))
    assert (await talk(rt, alice)).free_until == rt.now() + FREE_ENTRY
