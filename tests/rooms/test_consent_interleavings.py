"""A thousand leavings and returnings beside claims that never stop: what starts after a leaving was never permitted."""

import asyncio
import random
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from harness.mail import Mail
from harness.rooms import until_one_waits_for_a_lock
from harness.service import PHONE_NUMBER_ID
from sayso.consent import ledger, rules
from sayso.consent import service as consent
from sayso.consent.chain import verify
from sayso.consent.rules import Standing
from sayso.consent.service import Said
from sayso.core.runtime import Runtime
from sayso.inbound import leaving
from sayso.inbound.leaving import Chat
from sayso.messages import trouble
from sayso.messages.outcome import Trouble
from sayso.people import service as people
from sayso.people.service import Person
from sayso.whatsapp.failures import classify
from sayso.whatsapp.updates import GraphError

SILENT = Chat(phone_number_id=None, language="en")


class BrokenError(AssertionError):
    """A message went out that must not."""


async def _said(mail: Mail, person: Person, *, back: bool, second: int) -> None:
    said = Said(
        person=person,
        action="granted" if back else "withdrawn",
        method="keyword",
        captured_at=mail.rt.now() + timedelta(seconds=second),
    )
    async with mail.rt.db.tx() as tx:
        if back:
            await leaving.come_back(tx, mail.rt, said, SILENT)
        else:
            await leaving.leave(tx, mail.rt, said, SILENT)


async def _gone(mail: Mail, person: Person) -> set[str]:
    async with mail.rt.db.one() as tx:
        rows = await tx.fetch("SELECT id FROM messages WHERE person_id = $1 AND state = 'sending'", person.id)
    return {row["id"] for row in rows}


async def _live(mail: Mail, person: Person, dice: random.Random, rounds: int) -> None:
    """Somebody who leaves and comes back while messages to them are queued all the time."""
    queued: list[str] = []
    for number in range(rounds):
        queued.append(await mail.queue(person))
        for _ in range(dice.randrange(6)):
            await asyncio.sleep(0)
        await _said(mail, person, back=False, second=2 * number)
        before = await _gone(mail, person)
        queued.append(await mail.queue(person))  # as by a request that was checked before they left
        for _ in range(dice.randrange(6)):
            await asyncio.sleep(0)
        if after := await _gone(mail, person) - before:
            raise BrokenError(f"{after} began after {person.id} had left")
        await _said(mail, person, back=True, second=2 * number + 1)


async def _claim_for_ever(mail: Mail) -> None:
    worker = await mail.enlist()
    while True:
        await mail.claim(worker)
        await asyncio.sleep(0)


async def _run(mail: Mail, *, persons: int, rounds: int, seed: int) -> Sequence[Person]:
    dice = random.Random(seed)
    whom = [await mail.person(f"+1555{number:07}") for number in range(persons)]
    claiming = [asyncio.create_task(_claim_for_ever(mail)) for _ in range(2)]
    try:
        async with asyncio.timeout(240):
            await asyncio.gather(*(_live(mail, person, dice, rounds) for person in whom))
    finally:
        for task in claiming:
            task.cancel()
        await asyncio.gather(*claiming, return_exceptions=True)
    return whom


async def test_a_thousand_leavings_and_nothing_begins_after_one(rt: Runtime) -> None:
    mail = Mail(rt)
    whom = await _run(mail, persons=20, rounds=50, seed=(seed := random.randrange(10**6)))
    async with rt.db.one() as tx:
        lines = [line async for line in ledger.lines(tx)]
        walk = verify(lines, head=await ledger.head_of(tx), key=ledger.key(rt))
        holding = await consent.verdicts(tx, rt, whom)
        suppressed = await tx.fetchval("SELECT count(*) FROM messages WHERE state = 'suppressed'")
        sending = await tx.fetchval("SELECT count(*) FROM messages WHERE state = 'sending'")
        unnamed = await tx.fetchval(
            "SELECT count(*) FROM messages WHERE state = 'suppressed' AND suppressed_by IS NULL"
        )
    assert walk.findings == [], f"seed {seed}"
    assert len(lines) == 2_000, f"seed {seed}"
    assert not any(holds.out for holds in holding.values()), f"seed {seed}"
    assert min(suppressed, sending) > 0, "the race was not run"
    assert unnamed == 0


async def test_a_wire_that_does_not_ask_would_be_noticed(
    rt: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def everything_goes(_tx: Any, rt_: Runtime, persons: Sequence[Person]) -> dict[str, Standing]:
        return {person.id: rules.standing([], now=rt_.now(), required=()) for person in persons}

    monkeypatch.setattr("sayso.messages.deciding.consent.verdicts", everything_goes)
    with pytest.raises(BrokenError):
        await _run(Mail(rt), persons=20, rounds=20, seed=7)


async def test_a_refusal_of_two_by_meta_and_a_stop_of_one_of_them_do_not_wait_for_one_another(
    rt: Runtime,
) -> None:
    mail = Mail(rt)
    both = sorted([await mail.person(), await mail.person("+15550002222")], key=lambda each: each.id)
    error = GraphError(131050, "stopped marketing")
    refusals = [
        Trouble(rt.now(), each.id, PHONE_NUMBER_ID, None, rt.now(), error, classify(error, 400), "wamid.1")
        for each in both
    ]

    async def refused() -> None:
        async with rt.db.tx() as tx:
            await trouble.obey(tx, rt, refusals)

    async with asyncio.timeout(30), asyncio.TaskGroup() as tasks, rt.db.tx() as tx:
        await people.lock(tx, both[1].ids, exclusive=True)
        tasks.create_task(refused())
        await until_one_waits_for_a_lock(rt)
        said = Said(person=both[1], action="withdrawn", method="keyword", captured_at=rt.now())
        await leaving.leave(tx, rt, said, SILENT)
    async with rt.db.one() as tx:
        assert await tx.fetchval("SELECT count(*) FROM consent_entries") == 3
