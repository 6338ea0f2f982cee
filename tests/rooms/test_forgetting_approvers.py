"""Somebody is forgotten who was one of several: their part goes, and the question stays the others'."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from harness.decisions import ACTION, Decisions
from harness.traces import traces
from sayso.app import INBOX
from sayso.client import verify
from sayso.confirmations import absences, asking, moving, story
from sayso.confirmations.asking import SIMPLE, Asking
from sayso.confirmations.policy import Step
from sayso.confirmations.render import Action
from sayso.confirmations.rules import Kind
from sayso.confirmations.whom import Asked, Later
from sayso.core.database import Record
from sayso.core.runtime import Runtime
from sayso.operate import erasure
from sayso.operate.export import export
from sayso.people import service as people
from sayso.people.service import Person

NUMBERS = {"alice": "+15550001111", "ben": "+15550002222", "carol": "+15550003333"}
NAMES = {"alice": "Alice", "ben": "Benedict", "carol": "Caroline"}
WORDS = "at the old lighthouse"
#: Whatever must not be found anywhere once Ben, or Carol, is forgotten.
BENS = ("15550002222", "Benedict", WORDS, "wamid.BEN")
CAROLS = ("15550003333", "Caroline", "wamid.CAROL")


@pytest.fixture
async def who(rt: Runtime) -> dict[str, Person]:
    """Three users of two assistants."""
    async with rt.db.tx() as tx:
        return {
            user: await people.link(tx, rt, client_id=client, external_id=user, phone=phone, name=NAMES[user])
            for client in ("bot", "other")
            for user, phone in NUMBERS.items()
        }


async def ask(
    rt: Runtime,
    *asked: Person,
    need: int = 1,
    kind: Kind = "approve",
    later: Person | None = None,
    client: str = "bot",
) -> str:
    """A question to these, and to one more by escalation; its id."""
    step = Step(after="10m", when="unanswered", to=NUMBERS["carol"])
    wanted = Asking(
        client_id=client,
        user_id="alice",
        asked=[Asked(each, _name(each)) for each in asked],
        sender=rt.settings.whatsapp_phone_number_id,
        action=Action.of({**ACTION, "action_details": f"{kind} {need} {client}"}),
        lasts=timedelta(hours=1),
        kind=kind,
        rule=replace(SIMPLE, need=need),
        later=[Later(step, later)] if later else (),
    )
    async with rt.db.tx() as tx:
        return await asking.ask(tx, rt, wanted)


def _name(person: Person) -> str:
    return next(NAMES[user] for user, number in NUMBERS.items() if number == person.to)


async def says(
    rt: Runtime, question: str, person: Person, text: str, answer: dict[str, Any] | None = None
) -> None:
    """Somebody answers, in words that are kept."""
    answer_id = rt.new_id("ans")
    async with rt.db.tx() as tx:
        row = await moving.locked(tx, question)
        assert row is not None
        await tx.execute(
            "INSERT INTO answers (id, confirmation_id, person_id, update_key, wamid, how, said, verdict, effect, "
            "sent_at, received_at) VALUES ($1, $2, $3, $1, $4, 'word', $5, 'confirm', 'decided', $6, $6)",
            answer_id,
            question,
            person.id,
            f"wamid.{_name(person).upper()}",
            text,
            rt.now(),
        )
        await moving.record(tx, rt, row, person, "confirm", answer_id=answer_id, answer=answer)


async def forget(rt: Runtime, user: str, client: str = "bot") -> None:
    await erasure.forget_user(rt, INBOX, client_id=client, external_id=user, everywhere=False, wait_s=5)


async def unlinked(rt: Runtime, client: str) -> None:
    """This assistant knows nobody any more."""
    async with rt.db.tx() as tx:
        await tx.execute("DELETE FROM people_links WHERE client_id = $1", client)


async def row(rt: Runtime, question: str) -> Record:
    async with rt.db.one() as tx:
        found = await tx.fetchrow("SELECT * FROM confirmations WHERE id = $1", question)
    assert found is not None
    return found


async def states(rt: Runtime, question: str) -> dict[str, str]:
    async with rt.db.one() as tx:
        rows = await tx.fetch("SELECT person_id, state FROM approvers WHERE confirmation_id = $1", question)
    return {each["person_id"]: each["state"] for each in rows}


async def looked_at(rt: Runtime, question: str) -> dict[str, bool | None]:
    """What its page says of its proof."""
    async with rt.db.tx() as tx:
        told = await story.tell(tx, rt, question)
    assert told is not None
    assert told.proof is not None
    return {check.name: check.ok for check in told.proof.checks}


async def found(rt: Runtime, looked_for: tuple[str, ...]) -> set[tuple[str, str]]:
    return {(table, trace) for table, _, trace in await traces(rt.db.dsn, looked_for)}


async def test_their_part_goes_and_open_and_decided_questions_stay_the_others(
    rt: Runtime, who: dict[str, Person]
) -> None:
    await unlinked(rt, "other")
    alice, ben, carol = who["alice"], who["ben"], who["carol"]
    stood_in_for = await ask(rt, alice, ben, need=2, later=carol)
    too_few = await ask(rt, alice, ben, need=2)
    decided = await ask(rt, alice, ben, kind="ask")
    await says(rt, stood_in_for, ben, f"yes, {WORDS}")
    await says(rt, decided, ben, WORDS, {"text": WORDS})
    async with rt.db.tx() as tx:
        until = rt.now() + timedelta(days=1)
        await absences.put(tx, alice, ben, from_at=rt.now(), until=until, set_by="bot")
    assert {table for table, trace in await found(rt, BENS) if trace == WORDS} >= {
        "answers", "approvers", "confirmations", "receipts"}  # fmt: skip
    assert (await looked_at(rt, decided))["answers"] is True
    await forget(rt, "ben")
    assert await found(rt, BENS) == set()
    still, ended, answered = [await row(rt, each) for each in (stood_in_for, too_few, decided)]
    assert (still["status"], still["work"]) == ("pending", "ready"), "somebody who waits may stand in"
    assert (ended["outcome"], answered["outcome"]) == ("undeliverable", "confirmed")
    assert {each["action"]["action_description"] for each in (still, ended, answered)} == {
        ACTION["action_description"]
    }
    assert (await states(rt, stood_in_for))[alice.id] == "asked"
    made = Decisions(rt)
    for question in (too_few, decided):
        receipt = await made.receipt(question)
        verdict = verify.check(receipt, made.jwks())
        assert verdict.proven, verdict.reasons
        assert receipt.beside is not None
        assert [each is None for each in receipt.beside["opened"]["approvals"]] == [False, True]
        assert False not in (await looked_at(rt, question)).values()
    async with rt.db.one() as tx:
        assert await tx.fetchval("SELECT count(*) FROM absences") == 0, "nobody stands in for Alice"


async def test_who_was_asked_by_escalation_or_is_yet_to_be_is_found_nowhere(
    rt: Runtime, who: dict[str, Person]
) -> None:
    await unlinked(rt, "other")
    asked = await ask(rt, who["alice"], later=who["carol"])
    waiting = await ask(rt, who["alice"], later=who["carol"], kind="ask")
    async with rt.db.tx() as tx:
        await asking.put_to(tx, rt, await row(rt, asked), who["carol"].id)
        await moving.escalated(tx, rt, await row(rt, asked), who["carol"].id)
    assert {table for table, _ in await found(rt, CAROLS)} >= {"confirmations", "events", "people_links"}
    await forget(rt, "carol")
    assert await found(rt, CAROLS) == set()
    assert (await states(rt, asked))[who["carol"].id] == "undeliverable"
    assert (await states(rt, waiting))[who["carol"].id] == "passed", (
        "whom nobody has asked, nobody stands in for"
    )
    assert [(await row(rt, each))["status"] for each in (asked, waiting)] == ["pending", "pending"]


async def test_an_assistant_forgets_its_own_part_and_the_others_keep_theirs(
    rt: Runtime, who: dict[str, Person]
) -> None:
    ours, theirs = [await ask(rt, who["alice"], who["ben"], client=each) for each in ("bot", "other")]
    for question in (ours, theirs):
        await says(rt, question, who["ben"], WORDS)
    await forget(rt, "ben")
    made = Decisions(rt)
    assert [(await made.receipt(each)).beside["erased"] for each in (ours, theirs)] == [True, False]  # type: ignore[index]
    async with rt.db.one() as tx:
        said = await tx.fetch("SELECT confirmation_id, said FROM answers")
    assert {each["confirmation_id"]: each["said"] for each in said} == {ours: "", theirs: WORDS}
    await forget(rt, "ben", "other")  # the last to know them
    assert await found(rt, BENS) == set()


async def test_they_are_told_of_their_part_and_of_nobody_elses(rt: Runtime, who: dict[str, Person]) -> None:
    question = await ask(rt, who["alice"], who["ben"], need=2, later=who["carol"])
    await says(rt, question, who["alice"], "alice says so")
    await says(rt, question, who["ben"], WORDS)

    async def told(user: str) -> tuple[dict[str, Any], str]:
        async with rt.db.tx() as tx:
            whole = await export(tx, rt, INBOX, await people.get(tx, who[user].id), client_id="bot")
        [one] = whole["confirmations"]
        return one, msgspec.json.encode(whole).decode()

    one, text = await told("ben")
    assert (one["outcome"], [each["said"] for each in one["answers"]]) == ("confirmed", [WORDS])
    assert "Benedict" in str(one["shown"])
    assert not [each for each in ("Alice", "alice says so", NUMBERS["carol"]) if each in text]
    one, text = await told("alice")
    assert (one["user_id"], [each["said"] for each in one["answers"]]) == ("alice", ["alice says so"])
    assert not [each for each in (WORDS, "Benedict", NUMBERS["carol"]) if each in text]
