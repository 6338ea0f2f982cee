"""Receipts of questions that several people were asked: a part for each, opened and erased by itself."""

from typing import Any

from harness.decisions import ACTION, Decisions
from harness.mail import Mail
from sayso.client import verify
from sayso.confirmations import forgetting
from sayso.core.runtime import Runtime
from sayso.people import service as people
from sayso.people.service import Person

BEN = "+15550002222"


async def asked_two(made: Decisions) -> tuple[str, Person, Person]:
    """A question to Alice and, since she did not answer, to Ben, who did."""
    rt = made.rt
    alice, ben = await Mail(rt).person(), await Mail(rt).person(BEN)
    confirmation_id = await made.ask(alice)
    await made.posted(confirmation_id)
    answer_id = await made.answered(confirmation_id, said="ok, ten")
    message_id = await Mail(rt).queue(ben)
    async with rt.db.tx() as tx:
        await tx.execute(
            "UPDATE messages SET form = 'session', wamid = 'wamid.BEN', posted_at = now() WHERE id = $1",
            message_id,
        )
        await tx.execute(
            "UPDATE answers SET person_id = $2, verdict = 'confirm' WHERE id = $1", answer_id, ben.id
        )
        await tx.execute("DELETE FROM approvers WHERE confirmation_id = $1", confirmation_id)
        await tx.execute(
            "INSERT INTO approvers "
            "(confirmation_id, person_id, position, because, state, message_id, verdict, answer_id) "
            "SELECT c.id, $2, 0, 'asked', 'passed', c.message_id, NULL, NULL FROM confirmations c WHERE c.id = $1 "
            "UNION ALL SELECT $1, $3, 1, 'escalated', 'answered', $4, 'confirm', $5",
            confirmation_id,
            alice.id,
            ben.id,
            message_id,
            answer_id,
        )
        await tx.execute(
            "UPDATE confirmations SET kind = 'choose', needed = 1, tier = 'medium', policy_version = '3+ab', "
            'rule = \'{"use_by_s": 60}\', answer = \'{"id": "opt_2", "label": "ten o\'\'clock"}\' WHERE id = $1',
            confirmation_id,
        )
    await made.decide(confirmation_id)
    return confirmation_id, alice, ben


async def forgotten(rt: Runtime, person: Person) -> None:
    async with rt.db.tx() as tx:
        await forgetting.empty(tx, await people.get(tx, person.id), None)


def values(receipt: verify.Receipt) -> list[Any]:
    assert receipt.beside is not None
    return [
        each and {name: one["value"] for name, one in each.items()}
        for each in receipt.beside["opened"]["approvals"]
    ]


async def test_each_person_has_an_entry_with_what_they_were_sent_and_answered(made: Decisions) -> None:
    confirmation_id, _, _ = await asked_two(made)
    receipt, row = await made.receipt(confirmation_id), await made.row(confirmation_id)
    verdict = verify.check(receipt, made.jwks(), action=ACTION)
    assert verdict.proven, verdict.reasons
    said = verdict.claims
    assert (said["kind"], said["tier"], said["policy_version"], said["source"]) == (
        "choose",
        "medium",
        "3+ab",
        "answer",
    )
    assert [each["because"] for each in said["approvals"]] == ["asked", "escalated"]
    assert [each["verdict"] for each in said["approvals"]] == [None, "confirm"]
    assert (row["use_by"] - row["decided_at"]).total_seconds() == 60
    first, second = values(receipt)
    assert first == {"person": "+15550001111", "prompt": "wamid.PROMPT"}
    assert (second["person"], second["prompt"], second["said"]) == (BEN, "wamid.BEN", "ok, ten")
    assert (receipt.beside or {})["opened"]["answer"]["value"] == '{"id":"opt_2","label":"ten o\'clock"}'
    words = " ".join(said["words"])
    assert "Person 1 did not answer." in words
    assert "Person 2 replied to the question" in words
    for personal in ("clock", "ok, ten", "15550002222", "opt_2"):
        assert personal not in str(said)


async def test_who_is_forgotten_goes_from_the_receipt_and_the_others_stay(
    made: Decisions, rt: Runtime
) -> None:
    confirmation_id, _, ben = await asked_two(made)
    await forgotten(rt, ben)
    receipt = await made.receipt(confirmation_id)
    assert values(receipt) == [{"person": "+15550001111", "prompt": "wamid.PROMPT"}, None]
    assert receipt.beside is not None
    assert receipt.beside["erased"] is True
    assert receipt.beside["shown"][1] is None
    assert verify.check(receipt, made.jwks(), action=ACTION).proven
    assert "15550002222" not in await made.text(confirmation_id)


async def test_with_the_person_the_question_was_for_everything_goes(made: Decisions, rt: Runtime) -> None:
    confirmation_id, alice, _ = await asked_two(made)
    await forgotten(rt, alice)
    receipt = await made.receipt(confirmation_id)
    assert receipt.beside is not None
    assert receipt.beside["opened"] is None
    assert verify.check(receipt, made.jwks()).proven
