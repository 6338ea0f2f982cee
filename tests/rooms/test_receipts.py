"""A receipt for every decision, made with it: what it binds, what it hides, and that it verifies without us."""

import asyncio
import json
from collections.abc import Sequence
from datetime import timedelta

import pytest

from harness.decisions import ACTION, Decisions
from harness.mail import Mail
from harness.rooms import Clock
from sayso.client import verify
from sayso.confirmations import log
from sayso.confirmations.rules import OUTCOMES, Outcome
from sayso.core import canonical
from sayso.core.chains import NOTHING
from sayso.core.database import Tx
from sayso.core.runtime import Runtime

OTHERS: tuple[Outcome, ...] = ("withdrawn", "superseded", "expired", "undeliverable", "opted_out")


async def test_a_receipt_binds_what_was_asked_shown_answered_and_decided(
    made: Decisions, clock: Clock
) -> None:
    confirmation_id = await made.ask()
    asked_at = clock.advance(seconds=1)
    await made.posted(confirmation_id)
    clock.advance(seconds=5)
    await made.decide(confirmation_id, by=await made.answered(confirmation_id))
    row, receipt = await made.row(confirmation_id), await made.receipt(confirmation_id)
    verdict = verify.check(receipt, made.jwks(), action=ACTION, audience="bot", issuer="sayso")
    assert [check.name for check in verdict.checks if check.ok is not True] == []
    said = verdict.claims
    assert said["jti"] == confirmation_id
    assert (said["outcome"], said["source"]) == ("confirmed", "answer")
    assert said["action_hash"] == row["action_hash"].hex() == verify.action_hash(ACTION)
    assert said["business"] == {"account": "200000000000001", "number": "100000000000001"}
    [approval] = said["approvals"]
    shown = {"form": "session", "hash": row["shown_hash"]["session"], "template": None, "rest": None}
    assert approval["shown"] == shown
    assert (approval["verdict"], approval["how"]) == ("confirm", "quote")
    assert approval["posted_at"].startswith(f"{asked_at:%Y-%m-%dT%H:%M:%S}")
    assert len(bytes.fromhex(approval["webhook"])) == 32
    assert said["use_by"].startswith(f"{row['decided_at'] + timedelta(minutes=15):%Y-%m-%dT%H:%M:%S}")
    assert receipt.beside is not None
    opened = receipt.beside["opened"]
    assert opened["user"]["value"] == "alice"
    values = {name: each["value"] for name, each in opened["approvals"][0].items()}
    assert values == {
        "person": "+15550001111",
        "prompt": "wamid.PROMPT",
        "reply": "wamid.REPLY",
        "quoted": "wamid.PROMPT",
        "said": "Yes",
    }


async def test_the_signed_statement_and_the_log_hold_nothing_personal(made: Decisions) -> None:
    confirmation_id = await made.confirmed()
    verdict = verify.check(await made.receipt(confirmation_id), made.jwks())
    [entry] = await made.logged()
    for text in (json.dumps(verdict.claims), entry.entry.decode()):
        for personal in ("15550001111", "wamid", "Alice", "alice", "John", "Yes"):
            assert personal not in text


@pytest.mark.parametrize("outcome", [*OUTCOMES.values(), *OTHERS])
async def test_every_outcome_has_its_receipt_and_says_who_brought_it_about(
    made: Decisions, outcome: Outcome
) -> None:
    confirmation_id = await made.ask()
    by = await made.answered(confirmation_id) if outcome in OUTCOMES.values() else None
    await made.decide(confirmation_id, outcome, by=by)
    verdict = verify.check(await made.receipt(confirmation_id), made.jwks(), action=ACTION)
    assert verdict.proven, verdict.reasons
    assert verdict.claims["outcome"] == outcome
    assert (verdict.claims["use_by"] is not None) is (outcome == "confirmed")
    source = {"expired": "deadline", "undeliverable": "delivery", "opted_out": "opt_out"}
    expected = "answer" if by else source.get(outcome, "assistant")
    assert verdict.claims["source"] == expected
    assert any(f"“{outcome}”" in sentence for sentence in verdict.claims["words"])


async def test_decisions_stand_in_one_chain_in_the_order_of_their_commits(made: Decisions) -> None:
    ids = [await made.ask() for _ in range(8)]
    await asyncio.gather(*(made.decide(each) for each in ids))
    logged = await made.logged()
    assert [entry.index for entry in logged] == list(range(8))
    assert {entry.confirmation_id for entry in logged} == set(ids)
    head = NOTHING
    for entry in logged:
        place = verify.check(await made.receipt(entry.confirmation_id), made.jwks()).claims["log"]
        assert bytes.fromhex(place["before"]) == head
        head = log.head_of(head, log.leaf_of(entry.entry))
        assert entry.head == head == bytes.fromhex(place["head"])
        assert canonical.encode(json.loads(entry.entry)) == entry.entry
    async with made.rt.db.one() as tx:
        assert await log.end(tx) == (8, head)


async def test_a_decision_that_is_rolled_back_leaves_neither_entry_nor_receipt(made: Decisions) -> None:
    confirmation_id = await made.ask()

    async def gives_up() -> None:
        async with made.rt.db.tx() as tx:
            await made.decide_in(tx, confirmation_id)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await gives_up()
    assert await made.logged() == []
    assert (await made.row(confirmation_id))["jws"] is None


async def test_the_heads_lock_is_taken_last_so_that_no_two_transactions_wait_for_one_another(
    made: Decisions,
) -> None:
    """Each decides one, then the other's: with the head's lock taken at the first decision this is a deadlock."""
    one, other = await made.ask(), await made.ask()
    decided, go_on = asyncio.Event(), asyncio.Event()

    async def first() -> None:
        async with made.rt.db.tx() as tx:
            await made.decide_in(tx, one)
            decided.set()
            await go_on.wait()
            await tx.fetchrow("SELECT 1 FROM confirmations WHERE id = $1 FOR UPDATE", other)

    async def second() -> None:
        await decided.wait()
        async with made.rt.db.tx() as tx:
            await made.decide_in(tx, other)
            go_on.set()

    async with asyncio.timeout(20):
        await asyncio.gather(first(), second())
    assert len(await made.logged()) == 2


async def test_many_decisions_of_one_transaction_are_appended_at_once(made: Decisions) -> None:
    ids = [await made.ask() for _ in range(3)]
    async with made.rt.db.tx() as tx:
        for each in ids:
            await made.decide_in(tx, each, "expired")
    assert [entry.confirmation_id for entry in await made.logged()] == ids


async def test_what_is_to_come_last_needs_a_transaction(rt: Runtime) -> None:
    async def nothing(_tx: Tx, _given: Sequence[object]) -> None:
        return None

    async with rt.db.one() as tx:
        with pytest.raises(RuntimeError, match="no transaction"):
            tx.before_commit(nothing, None)


async def test_a_person_known_by_no_number_is_committed_to_by_their_user_id(
    made: Decisions, rt: Runtime
) -> None:
    person = await Mail(rt).person("+15550002222")
    async with rt.db.tx() as tx:
        await tx.execute("DELETE FROM people_identifiers WHERE person_id = $1", person.id)
        await tx.execute(
            "INSERT INTO people_identifiers (kind, value, person_id, learned_from, learned_at, said_at) "
            "VALUES ('bsuid', 'US.77', $1, 'meta:message', $2, $2)",
            person.id,
            rt.now(),
        )
    receipt = await made.receipt(await made.confirmed(person))
    assert receipt.beside is not None
    assert receipt.beside["opened"]["approvals"][0]["person"]["value"] == "US.77"
    assert verify.check(receipt, made.jwks()).proven
