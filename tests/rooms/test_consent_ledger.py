"""The ledger: nothing is ever changed in it, and what holds is read from all a person's records."""

from datetime import timedelta

import pytest

from harness.mail import Mail
from harness.rooms import Clock
from sayso.consent import service
from sayso.core.runtime import Runtime
from sayso.people import service as people
from sayso.whatsapp.updates import Identity


@pytest.fixture
def mail(rt: Runtime) -> Mail:
    """People who may leave."""
    return Mail(rt)


async def test_who_never_said_anything_is_not_out(mail: Mail) -> None:
    alice = await mail.person()
    async with mail.rt.db.one() as tx:
        assert await service.stands(tx, alice) is None
    assert not service.opted_out(None)


async def test_every_word_is_kept_with_its_evidence_and_the_latest_holds(mail: Mail, clock: Clock) -> None:
    alice = await mail.person()
    said = ["withdrawn", "granted", "withdrawn"]
    async with mail.rt.db.tx() as tx:
        for number, action in enumerate(said):
            entry = await service.record(
                tx,
                mail.rt,
                alice,
                action=action,  # type: ignore[arg-type] # one of its literals
                method="keyword",
                wording=f"word {number}",
                evidence=f"wamid.{number}",
                captured_at=clock.advance(seconds=1),
            )
            assert service.opted_out(entry) == (action == "withdrawn")
        rows = await tx.fetch("SELECT action, wording, evidence FROM consent_entries ORDER BY captured_at")
    assert [(row["action"], row["wording"], row["evidence"]) for row in rows] == [
        (action, f"word {number}", f"wamid.{number}") for number, action in enumerate(said)
    ]


async def test_an_old_word_that_comes_late_is_kept_and_changes_nothing(mail: Mail, clock: Clock) -> None:
    alice = await mail.person()
    await mail.said(alice, "withdrawn", clock())
    await mail.said(alice, "granted", clock() - timedelta(days=1))
    async with mail.rt.db.one() as tx:
        entry = await service.stands(tx, alice)
        assert await tx.fetchval("SELECT count(*) FROM consent_entries") == 2
    assert service.opted_out(entry)


async def test_a_leaving_holds_for_every_record_that_turns_out_to_be_the_person(
    mail: Mail, clock: Clock
) -> None:
    numbered = await mail.person()
    await mail.said(numbered, "withdrawn", clock())
    async with mail.rt.db.tx() as tx:
        hidden = await people.meet(tx, mail.rt, Identity(bsuid="US.1"), learned_from="meta:message")
        assert await service.stands(tx, hidden) is None
        alice = await people.meet(
            tx, mail.rt, Identity(bsuid="US.1", wa_id="15550001111"), learned_from="meta:message"
        )
        assert service.opted_out(await service.stands(tx, alice))
        assert set(await service.stand(tx, [alice])) == {alice.id}


async def test_one_persons_leaving_is_nobody_elses(mail: Mail, clock: Clock) -> None:
    alice, bob = await mail.person(), await mail.person("+15550002222")
    await mail.said(alice, "withdrawn", clock())
    async with mail.rt.db.one() as tx:
        standing = await service.stand(tx, [alice, bob])
    assert set(standing) == {alice.id}
