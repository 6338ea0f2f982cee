"""The right to act: given once, in time, for the same action, to the assistant that asked; and the report of it."""

import asyncio

import pytest

from harness.decisions import BOT, Decisions
from harness.mail import Mail
from harness.rooms import Clock
from sayso.app import INBOX
from sayso.client import verify
from sayso.confirmations import auditing, executing, forgetting
from sayso.confirmations.executing import Report
from sayso.confirmations.rules import Outcome
from sayso.core.errors import ForbiddenError, NotFoundError, SaysoError
from sayso.core.runtime import Runtime
from sayso.core.tokens import Actor
from sayso.operate.export import export
from sayso.people import service as people

OTHER = Actor("other", "alice", frozenset({"confirmations:ask"}), "jti-2")
ADMIN = Actor("operator", "root", frozenset({"admin"}), "jti-3")
DONE = Report("done", "sent at 10:00", tell=True)


async def claim(
    made: Decisions, confirmation_id: str, *, actor: Actor = BOT, action_hash: bytes | None = None
) -> str:
    row = await made.row(confirmation_id)
    async with made.rt.db.tx() as tx:
        grant = await executing.claim(
            tx, made.rt, actor, confirmation_id, action_hash or bytes(row["action_hash"])
        )
    return str(grant["grant"])


async def report(
    made: Decisions, confirmation_id: str, told: Report = DONE, *, actor: Actor = BOT
) -> dict[str, object]:
    async with made.rt.db.tx() as tx:
        return await executing.report(tx, made.rt, actor, confirmation_id, told)


async def test_of_twenty_who_claim_at_once_one_gets_the_right(made: Decisions) -> None:
    confirmation_id = await made.confirmed()
    got = await asyncio.gather(*(claim(made, confirmation_id) for _ in range(20)), return_exceptions=True)
    assert sum(isinstance(each, str) for each in got) == 1
    assert {each.code for each in got if isinstance(each, SaysoError)} == {"already_claimed"}


async def test_another_action_than_the_confirmed_one_gets_no_right(made: Decisions) -> None:
    confirmation_id = await made.confirmed()
    with pytest.raises(executing.ActionMismatchError, match="only what the person saw"):
        await claim(made, confirmation_id, action_hash=bytes(32))
    assert await claim(made, confirmation_id), "a refusal uses nothing up"


async def test_the_right_ends_fifteen_minutes_after_the_decision(made: Decisions, clock: Clock) -> None:
    early, late = await made.confirmed(), await made.confirmed()
    clock.advance(minutes=15)
    assert await claim(made, early)
    clock.advance(microseconds=1)
    with pytest.raises(executing.ClaimExpiredError):
        await claim(made, late)


@pytest.mark.parametrize("outcome", ["declined", "cancelled", "expired", "withdrawn", "opted_out"])
async def test_another_outcome_gives_no_right(made: Decisions, outcome: Outcome) -> None:
    confirmation_id = await made.ask()
    with pytest.raises(executing.NotDecidedError):
        await claim(made, confirmation_id)
    await made.decide(confirmation_id, outcome)
    with pytest.raises(executing.NotConfirmedError, match=outcome):
        await claim(made, confirmation_id)


async def test_nobody_but_the_assistant_that_asked_gets_the_right(made: Decisions) -> None:
    confirmation_id = await made.confirmed()
    with pytest.raises(NotFoundError):
        await claim(made, confirmation_id, actor=OTHER)
    with pytest.raises(ForbiddenError):
        await claim(made, confirmation_id, actor=ADMIN)
    with pytest.raises(ForbiddenError):
        await report(made, confirmation_id, actor=ADMIN)


async def test_a_report_is_kept_told_and_said_to_the_person(made: Decisions, rt: Runtime) -> None:
    confirmation_id = await made.confirmed()
    with pytest.raises(executing.NotClaimedError):
        await report(made, confirmation_id)
    await claim(made, confirmation_id)
    first = await report(made, confirmation_id)
    assert (first["status"], first["note"]) == ("done", "sent at 10:00")
    assert await report(made, confirmation_id) == first, "the same again changes nothing"
    with pytest.raises(executing.AlreadyReportedError, match="done"):
        await report(made, confirmation_id, Report("failed", None, tell=False))
    async with rt.db.one() as tx:
        events = await tx.fetch("SELECT data FROM events WHERE type = 'confirmation.executed'")
        said = await tx.fetch(
            "SELECT content FROM messages WHERE confirmation_id = $1 AND purpose = 'notice'", confirmation_id
        )
    assert [event["data"]["status"] for event in events] == ["done"]
    [message] = said
    assert message["content"]["body"] == (
        "✅ Done: “schedule a meeting with John”\n\nThe assistant says: “sent at 10:00”"
    )


async def test_a_failure_is_said_in_other_words_and_only_where_it_is_asked_for(
    made: Decisions, rt: Runtime
) -> None:
    for tell in (True, False):
        confirmation_id = await made.confirmed()
        await claim(made, confirmation_id)
        await report(made, confirmation_id, Report("failed", None, tell=tell))
        async with rt.db.one() as tx:
            said = await tx.fetch(
                "SELECT content FROM messages WHERE confirmation_id = $1 AND purpose = 'notice'",
                confirmation_id,
            )
        bodies = [each["content"]["body"] for each in said]
        assert bodies == (
            ["⚠️ Not done: “schedule a meeting with John”. It was tried, and failed."] if tell else []
        )


async def test_the_assistants_words_about_it_cannot_leave_their_quotation(made: Decisions) -> None:
    confirmation_id = await made.confirmed()
    await claim(made, confirmation_id)
    await report(made, confirmation_id, Report("done", "ok”\n\n*Reply Y*\u202e to “pay", tell=True))
    async with made.rt.db.one() as tx:
        body = await tx.fetchval(
            "SELECT content->>'body' FROM messages WHERE confirmation_id = $1 AND purpose = 'notice'",
            confirmation_id,
        )
    said = body.split("The assistant says: ")[1]
    assert (said[0], said[-1]) == ("“", "”")
    assert not set("”“\n*\u202e") & set(said[1:-1])


async def test_an_erasure_takes_what_opens_the_receipt_and_leaves_what_it_proves(
    made: Decisions, rt: Runtime
) -> None:
    person = await Mail(rt).person()
    confirmation_id = await made.confirmed(person)
    await claim(made, confirmation_id)
    await report(made, confirmation_id)
    before = await made.receipt(confirmation_id)
    async with rt.db.tx() as tx:
        told = await export(tx, rt, INBOX, person, client_id="bot")
    assert told["confirmations"][0]["receipt"] == before.jws
    async with rt.db.tx() as tx:
        await forgetting.empty(tx, await people.get(tx, person.id), None)
    after = await made.receipt(confirmation_id)
    assert after.jws == before.jws
    assert after.beside is not None
    assert (after.beside["erased"], after.beside["opened"], after.beside["action"]) == (True, None, None)
    assert verify.check(after, made.jwks()).proven
    kept = verify.Receipt(after.jws, {**(before.beside or {}), "erased": True})
    assert not verify.check(kept, made.jwks()).proven
    async with rt.db.one() as tx:
        assert await tx.fetchval("SELECT note FROM executions") is None
    assert (await auditing.verify(rt, [])).findings == [], "the log holds, whoever was forgotten"


async def test_a_question_that_ends_by_an_erasure_has_a_receipt_that_nothing_opens(
    made: Decisions, rt: Runtime
) -> None:
    person = await Mail(rt).person()
    confirmation_id = await made.ask(person)
    async with rt.db.tx() as tx:
        who = await people.get(tx, person.id)
        await forgetting.end(tx, rt, who, None)
        await forgetting.empty(tx, who, None)
    receipt = await made.receipt(confirmation_id)
    assert receipt.beside is not None
    assert receipt.beside["erased"] is True
    verdict = verify.check(receipt, made.jwks())
    assert (verdict.proven, verdict.claims["outcome"]) == (True, "withdrawn")
    assert (await auditing.verify(rt, [])).findings == []
