"""The ledger: nothing is ever changed in it, and what holds is read from all a person's records."""

import asyncio
from datetime import timedelta

import asyncpg
import pytest

from harness.mail import Mail
from harness.rooms import Clock
from sayso.consent import chain, ledger, service
from sayso.consent.rules import Action
from sayso.consent.service import Said
from sayso.people import service as people
from sayso.people.service import Person
from sayso.whatsapp.updates import Identity


async def out(mail: Mail, person: Person) -> bool:
    async with mail.rt.db.one() as tx:
        return (await service.verdict(tx, mail.rt, person)).out is not None


async def test_who_never_said_anything_is_not_out(mail: Mail) -> None:
    assert not await out(mail, await mail.person())


async def test_every_word_is_kept_with_its_evidence_and_the_latest_holds(mail: Mail, clock: Clock) -> None:
    alice = await mail.person()
    words: list[Action] = ["withdrawn", "granted", "withdrawn"]
    async with mail.rt.db.tx() as tx:
        for number, action in enumerate(words):
            said = Said(
                person=alice,
                action=action,
                method="keyword",
                captured_at=clock.advance(seconds=1),
                personal={"wording": f"word {number}", "evidence": [f"wamid.{number}"], "reason": None},
            )
            (entry,) = await service.append(tx, mail.rt, [said])
            assert (entry.action, entry.seq) == (action, number + 1)
            holds = await service.verdict(tx, mail.rt, alice)
            assert (holds.out is not None) == (action == "withdrawn")
        rows = await tx.fetch("SELECT * FROM consent_entries ORDER BY seq")
    known = {
        "identifiers": {"phone": "+15550001111"},
        "business": "AI Assistant",
        "waba_id": "200000000000001",
    }
    assert [row["personal"] for row in rows] == [
        {**known, "wording": f"word {number}", "evidence": [f"wamid.{number}"]} for number in range(3)
    ]
    assert [row["seq"] for row in rows] == [1, 2, 3]
    assert [row["person_prev_hash"] for row in rows[1:]] == [row["hash"] for row in rows[:2]]


async def test_an_entry_names_everybody_concerned_and_the_country_of_the_number(
    mail: Mail, clock: Clock
) -> None:
    identity = Identity("DE.1", "DE.ENT.1", "4915112345678", "Anna")
    async with mail.rt.db.tx() as tx:
        anna = await people.meet(tx, mail.rt, identity, learned_from="meta:message")
        for declared in ({}, {"jurisdiction": "AT"}):
            said = Said(person=anna, action="granted", method="api", captured_at=clock(), personal=declared)
            await service.append(tx, mail.rt, [said])
        rows = [
            row["personal"] for row in await tx.fetch("SELECT personal FROM consent_entries ORDER BY seq")
        ]
    assert rows[0]["identifiers"] == {"wa_id": "4915112345678", "bsuid": "DE.1", "parent_bsuid": "DE.ENT.1"}
    assert [row["jurisdiction"] for row in rows] == ["DE", "AT"]


async def test_an_old_word_that_comes_late_is_kept_and_changes_nothing(mail: Mail, clock: Clock) -> None:
    alice = await mail.person()
    await mail.said(alice, "withdrawn", clock())
    await mail.said(alice, "granted", clock() - timedelta(days=1))
    async with mail.rt.db.one() as tx:
        assert await tx.fetchval("SELECT count(*) FROM consent_entries") == 2
    assert await out(mail, alice)


async def test_a_leaving_holds_for_every_record_that_turns_out_to_be_the_person(
    mail: Mail, clock: Clock
) -> None:
    numbered = await mail.person()
    await mail.said(numbered, "withdrawn", clock())
    async with mail.rt.db.tx() as tx:
        hidden = await people.meet(tx, mail.rt, Identity(bsuid="US.1"), learned_from="meta:message")
        assert (await service.verdict(tx, mail.rt, hidden)).out is None
        alice = await people.meet(
            tx, mail.rt, Identity(bsuid="US.1", wa_id="15550001111"), learned_from="meta:message"
        )
        assert (await service.verdict(tx, mail.rt, alice)).out is not None


async def test_one_persons_leaving_is_nobody_elses(mail: Mail, clock: Clock) -> None:
    alice, bob = await mail.person(), await mail.person("+15550002222")
    await mail.said(alice, "withdrawn", clock())
    async with mail.rt.db.one() as tx:
        holding = await service.verdicts(tx, mail.rt, [alice, bob])
    assert {who for who, holds in holding.items() if holds.out} == {alice.id}


async def test_nothing_in_the_ledger_can_be_changed_or_removed(mail: Mail, clock: Clock) -> None:
    await mail.said(await mail.person(), "withdrawn", clock())
    for statement in (
        "UPDATE consent_entries SET action = 'granted'",
        "UPDATE consent_entries SET personal = '{}'",
        "UPDATE consent_entries SET personal = NULL, salt = NULL, captured_at = now() - interval '1 year'",
        "DELETE FROM consent_entries",
    ):
        async with mail.rt.db.one() as tx:
            with pytest.raises(asyncpg.RaiseError, match="append-only"):
                await tx.execute(statement)


async def test_entries_written_at_the_same_time_make_one_chain(mail: Mail, clock: Clock) -> None:
    people_ = [await mail.person(f"+1555000{number:04}") for number in range(12)]
    await asyncio.gather(*(mail.said(person, "withdrawn", clock()) for person in people_ * 2))
    async with mail.rt.db.one() as tx:
        lines = [line async for line in ledger.lines(tx)]
        walk = chain.verify(lines, head=await ledger.head_of(tx), key=ledger.key(mail.rt))
    assert walk.findings == []
    assert [line.seq for line in lines] == list(range(1, 25))


async def test_a_word_whose_transaction_fails_leaves_no_gap(mail: Mail, clock: Clock) -> None:
    alice = await mail.person()
    await mail.said(alice, "granted", clock())
    said = Said(person=alice, action="withdrawn", method="keyword", captured_at=clock())

    async def fail() -> None:
        async with mail.rt.db.tx() as tx:
            await service.append(tx, mail.rt, [said])
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    await mail.said(alice, "withdrawn", clock())
    async with mail.rt.db.one() as tx:
        assert [line.seq async for line in ledger.lines(tx)] == [1, 2]


async def test_erased_people_stay_out_when_their_number_comes_back(mail: Mail, clock: Clock) -> None:
    alice, bob = await mail.person(), await mail.person("+15550002222")
    await mail.said(alice, "granted", clock() - timedelta(days=2))
    await mail.said(alice, "withdrawn", clock() - timedelta(days=1))
    await mail.said(bob, "granted", clock())
    async with mail.rt.db.tx() as tx:
        assert await service.erase(tx, mail.rt, alice) == 2
        assert await service.erase(tx, mail.rt, bob) == 1
        await tx.execute("DELETE FROM people_identifiers")
        kept = await tx.fetch("SELECT personal, salt FROM consent_entries")
        assert {(row["personal"], row["salt"]) for row in kept} == {(None, None)}
        walk = chain.verify(
            [line async for line in ledger.lines(tx)],
            head=await ledger.head_of(tx),
            key=ledger.key(mail.rt),
        )
        assert (walk.findings, walk.erased) == ([], 3)
        assert "1555" not in str(await tx.fetch("SELECT * FROM consent_suppressions"))
    again, bob_again = await mail.person(), await mail.person("+15550002222")
    assert again.id != alice.id
    assert await out(mail, again)
    assert not await out(mail, bob_again)
    await mail.said(again, "granted", clock())
    assert not await out(mail, again)


async def test_policies_are_switched_with_their_reason_and_every_earlier_one_stays(
    mail: Mail, clock: Clock
) -> None:
    async with mail.rt.db.tx() as tx:
        await tx.execute("DELETE FROM consent_policies")
        assert all(policy.opt_in_required for policy in (await service.policies(tx)).values())
        for needed in (False, True, False):
            await service.set_policy(
                tx,
                mail.rt,
                "notifications",
                opt_in_required=needed,
                reason="contract of 2026",
                actor="ops",
            )
            clock.advance(seconds=1)
        policy = (await service.policies(tx))["notifications"]
        assert (policy.opt_in_required, policy.reason, policy.actor) == (False, "contract of 2026", "ops")
        assert await tx.fetchval("SELECT count(*) FROM consent_policies") == 3
        alice = await people.by_phone(tx, mail.rt, "+15550001111", learned_from="test")
        holds = await service.verdict(tx, mail.rt, alice)
    assert holds.permits("notifications", initiated=True).allowed
    assert not holds.permits("confirmations", initiated=True).allowed
