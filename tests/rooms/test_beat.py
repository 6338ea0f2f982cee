"""When a message leaves, in one process: slots waited for, given up at the end, taken anew where they were missed."""

import asyncio
import itertools
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from harness.mail import Mail
from harness.service import PHONE_NUMBER_ID
from sayso.core.database import UNAVAILABLE
from sayso.core.runtime import Runtime
from sayso.senders import pace
from sayso.senders.beat import Anew, Beat, Lead, Offset
from sayso.senders.rules import SHARE


@pytest.fixture
async def mail(rt: Runtime) -> Mail:
    """No message yet; our number may send 80 a second."""
    mail = Mail(rt)
    await mail.enlist()
    async with rt.db.tx() as tx:
        await tx.execute("UPDATE senders SET rate_limit = 80")
    return mail


async def tat(mail: Mail) -> Any:
    async with mail.rt.db.one() as tx:
        return await tx.fetchval("SELECT tat FROM senders WHERE id = $1", PHONE_NUMBER_ID)


async def test_asked_to_stop_what_waits_for_its_slot_goes_back() -> None:
    beat = Beat()
    far = asyncio.get_running_loop().time() + 3600
    waiting = [asyncio.create_task(beat.wait(far + number)) for number in range(3)]
    while len(beat._waiting) < 3:  # noqa: ASYNC110 - a few turns of the loop
        await asyncio.sleep(0)
    beat.stop()
    assert await asyncio.gather(*waiting) == [None] * 3
    assert await beat.wait(0.0) is None, "and nobody waits from then on"


async def test_new_slots_follow_all_that_were_taken_and_are_taken_themselves(mail: Mail) -> None:
    async with mail.rt.db.tx() as tx:
        await tx.execute("UPDATE senders SET tat = clock_timestamp() + interval '1 second'")
    before = await tat(mail)
    async with mail.rt.db.tx(claims=True) as tx:
        found, clock = await pace.take_again(tx, PHONE_NUMBER_ID, 4, lead=timedelta(0))
    assert clock < before
    assert found[0] == before
    gaps = {later - earlier for earlier, later in itertools.pairwise([*found, await tat(mail)])}
    assert {round(gap.total_seconds(), 4) for gap in gaps} == {round(1 / (80 * SHARE), 4)}


async def test_those_that_miss_together_ask_together_and_nobody_gets_one_for_ever_ahead(mail: Mail) -> None:
    anew = Anew(Offset(), Lead())
    slots = await asyncio.gather(*(anew.slot(mail.rt, PHONE_NUMBER_ID) for _ in range(200)))
    given = [slot for slot in slots if slot is not None]
    assert 100 < len(given) < 200, "two seconds of 80 each; the rest goes back into the queue"
    assert given == sorted(given)
    assert len(set(given)) == len(given)
    assert await anew.slot(mail.rt, "nobody") is None


async def test_a_sender_whose_row_somebody_keeps_is_not_waited_for(mail: Mail) -> None:
    anew = Anew(Offset(), Lead())
    async with asyncio.timeout(20), mail.rt.db.tx() as keeping:
        await keeping.fetchrow("SELECT 1 FROM senders WHERE id = $1 FOR UPDATE", PHONE_NUMBER_ID)
        with pytest.raises(UNAVAILABLE):
            await anew.slot(mail.rt, PHONE_NUMBER_ID)
    assert await anew.slot(mail.rt, PHONE_NUMBER_ID) is not None


async def test_a_message_that_comes_too_late_to_its_slot_leaves_in_another(mail: Mail) -> None:
    message = await mail.queue(await mail.person())
    await mail.claim()
    ready = mail.dispatcher._ready[message]
    before = await tat(mail)
    stood_still = replace(ready, slot=ready.slot - 1)
    assert await mail.dispatcher._turn(mail.rt, stood_still) is None
    assert await tat(mail) > before
    frozen = replace(stood_still, outgoing=replace(ready.outgoing, post_before=ready.slot - 1))
    assert "stood still" in (await mail.dispatcher._turn(mail.rt, frozen) or "")


def test_a_lead_grows_at_once_and_shrinks_bit_by_bit() -> None:
    lead = Lead()
    lead.learn(0.1)
    assert lead.seconds == 0.1
    lead.learn(0.0)
    assert 0.08 < lead.seconds < 0.1
    lead.learn(9.0)
    assert lead.seconds < 1.0, "whatever happens, nobody waits for ever"
