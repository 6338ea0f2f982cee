"""What each of several people who were asked is told when they answer, in their language and below their question."""

import asyncio
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest

from harness.decisions import ACTION, BOT
from harness.mail import Mail
from harness.rooms import Clock, until_one_waits_for_a_lock
from sayso.confirmations import answers, approvers, asking, executing, moving, service
from sayso.confirmations.answers import Inbound
from sayso.confirmations.asking import SIMPLE, Asking
from sayso.confirmations.executing import Report
from sayso.confirmations.policy import Step
from sayso.confirmations.render import Action
from sayso.confirmations.rules import Option
from sayso.confirmations.whom import Asked, Later
from sayso.core.runtime import Runtime
from sayso.inbound import consenting, identity
from sayso.people import service as people
from sayso.people.service import Person
from sayso.whatsapp.updates import Identity, InboundMessage

ALICE, BEN, GRETA = "+15550001111", "+15550002222", "+4915112345678"
CARS = (Option("red", "Red car"), Option("blue", "Blue car"))


@dataclass
class Chats:
    """The chats of several people with one sender of ours."""

    rt: Runtime
    clock: Clock

    async def ask(
        self, *asked: Asked, what: str = "pay Bob", later: Person | None = None, **changes: Any
    ) -> str:
        """A question to these, and to ``later`` in its time; shown to whom it was put."""
        rule = {
            name: changes.pop(name)
            for name in ("need", "undo_s", "extend_s", "extends_left")
            if name in changes
        }
        steps = [Later(Step(after="1m", when="unanswered", to="later"), later)] if later else []
        wanted = Asking(
            client_id="bot",
            user_id="alice",
            asked=asked,
            later=steps,
            sender=self.rt.settings.whatsapp_phone_number_id,
            action=Action.of({**ACTION, "action_description": what}),
            rule=replace(SIMPLE, **rule),
            **{"lasts": timedelta(hours=1), **changes},
        )  # fmt: skip
        async with self.rt.db.tx() as tx:
            confirmation_id = await asking.ask(tx, self.rt, wanted)
            if later:
                row = await tx.fetchrow("SELECT * FROM confirmations WHERE id = $1", confirmation_id)
                assert row is not None
                await asking.put_to(tx, self.rt, row, later.id)
        await self.arrive()
        return confirmation_id

    async def arrive(self) -> None:
        """Whatever waits to be sent is on the phones."""
        async with self.rt.db.tx() as tx:
            await tx.execute(
                "UPDATE messages SET state = 'delivered', form = 'session', wamid = 'wamid.' || id, posted_at = $1 "
                "WHERE state = 'queued'",
                self.rt.now(),
            )
        self.clock.advance(seconds=20)

    async def says(self, person: Person, text: str, *, to_last: bool = False) -> list[str]:
        """Somebody writes, to answer or to leave, perhaps in reply to our last message; what they are told then."""
        quoted = await self.last(person) if to_last else None
        wamid = self.rt.new_id("upd")
        sender = self.rt.settings.whatsapp_phone_number_id
        message = InboundMessage(
            wamid, sender, "waba", Identity(wa_id="1"), self.rt.now(), "text", text, None, quoted, False, None, None,
            None, (),
        )  # fmt: skip
        async with self.rt.db.tx() as tx:
            inbound = Inbound(message, person, wamid, self.rt.now())
            answered = await answers.answer(tx, self.rt, inbound)
            if answered.leaving:
                await consenting.leave(tx, self.rt, inbound, aside=answered.aside)
        told = await self.waits(person)
        await self.arrive()
        return told

    async def waits(self, person: Person) -> list[str]:
        """What waits to be sent to somebody, none of it below another's question."""
        async with self.rt.db.one() as tx:
            rows = await tx.fetch(
                "SELECT m.id, m.content, q.person_id AS quoted FROM messages m "
                "LEFT JOIN messages q ON q.wamid = m.quotes WHERE m.person_id = $1 AND m.state = 'queued'",
                person.id,
            )
        assert {row["quoted"] for row in rows} <= {None, person.id}, "it quotes a message of another chat"
        return [row["content"]["body"] for row in rows]

    async def last(self, person: Person) -> str:
        """Our last message to somebody."""
        async with self.rt.db.one() as tx:
            wamid: str = await tx.fetchval(
                "SELECT wamid FROM messages WHERE person_id = $1 ORDER BY id DESC LIMIT 1", person.id
            )
        return wamid

    async def outcome(self, confirmation_id: str) -> tuple[str, str | None, Any]:
        """How a question stands."""
        async with self.rt.db.one() as tx:
            row = await tx.fetchrow(
                "SELECT status, outcome, answer FROM confirmations WHERE id = $1", confirmation_id
            )
        assert row is not None
        return row["status"], row["outcome"], row["answer"]


@pytest.fixture
def chats(rt: Runtime, clock: Clock) -> Chats:
    return Chats(rt, clock)


async def asked_as(chats: Chats, role: str, **changes: Any) -> tuple[str, Person]:
    """A question to Alice and to Ben, in one of the ways in which there may be a second one."""
    alice, ben = await Mail(chats.rt).person(ALICE), await Mail(chats.rt).person(BEN)
    match role:
        case "escalated":
            return await chats.ask(Asked(alice), later=ben, **changes), ben
        case "delegated":
            return await chats.ask(Asked(ben, delegated_from=alice.id), **changes), ben
        case _:
            need = {"all": 2, "n_of": 2, "any": 1}[role]
            return await chats.ask(Asked(alice), Asked(ben), need=need, **changes), ben


@pytest.mark.parametrize("role", ["any", "all", "escalated", "delegated"])
async def test_who_has_something_open_is_never_told_that_nothing_is_open(chats: Chats, role: str) -> None:
    asked, ben = await asked_as(chats, role, extend_s=600, extends_left=1)
    assert "1. “pay Bob”" in (await chats.says(ben, "PENDING"))[0]
    assert await chats.says(ben, "UNDO") == [
        "There is no answer of yours in this chat that can be taken back."
    ]
    assert "“pay Bob” can be answered for" in (await chats.says(ben, "EXTEND"))[0]
    assert await chats.says(ben, "EXTEND") == ["The time for “pay Bob” cannot be extended."]
    assert (await chats.outcome(asked))[0] == "pending"
    await chats.says(ben, "no")
    assert (await chats.outcome(asked))[1] in ("declined", None)


async def test_who_has_answered_is_told_that_others_still_have_to(chats: Chats) -> None:
    asked, ben = await asked_as(chats, "all")
    assert "is noted" in (await chats.says(ben, "yes"))[0]
    assert "Answered, and not yet final:\n\n• “pay Bob”" in (await chats.says(ben, "PENDING"))[0]
    for again in ("yes", "EXTEND"):
        assert "others still have to" in (await chats.says(ben, again))[0]
    assert "no answer of yours to “pay Bob”" in (await chats.says(ben, "UNDO"))[0]
    await chats.says(ben, "CANCEL")
    assert (await chats.outcome(asked))[1] == "cancelled"


async def test_what_others_answered_is_theirs_to_undo_and_everybodys_to_cancel(chats: Chats) -> None:
    asked, ben = await asked_as(chats, "any", undo_s=600)
    alice = await Mail(chats.rt).person(ALICE)
    assert "You confirmed" in (await chats.says(alice, "yes"))[0]
    assert await chats.says(ben, "yes") == [
        "Others have answered “pay Bob” already. Reply CANCEL to stop it."
    ]
    assert "no answer of yours" in (await chats.says(ben, "UNDO"))[0]
    assert "not yet final" in (await chats.says(ben, "PENDING"))[0]
    assert "Reply UNDO" in (await chats.says(alice, "yes"))[0]
    assert "is taken back" in (await chats.says(alice, "UNDO"))[0]
    assert (await chats.outcome(asked))[0] == "pending"
    await chats.says(ben, "yes")
    await chats.says(ben, "CANCEL")
    assert (await chats.outcome(asked))[1] == "cancelled"


async def test_after_the_end_each_is_told_of_the_last_question_that_was_put_to_them(chats: Chats) -> None:
    _, ben = await asked_as(chats, "any")
    alice = await Mail(chats.rt).person(ALICE)
    await chats.says(alice, "yes")
    for late in (ben, alice):
        (told,) = await chats.says(late, "no")
        assert told.startswith("There is no open question in this chat right now. The last one: “pay Bob”")
    greta = await Mail(chats.rt).person(GRETA)
    assert await chats.says(greta, "yes") == [], "whom nothing was put to is told of nothing"


async def test_each_is_answered_in_their_own_language(chats: Chats) -> None:
    alice, greta = await Mail(chats.rt).person(ALICE), await Mail(chats.rt).person(GRETA)
    await chats.ask(Asked(alice), Asked(greta), need=2)
    assert "Offene Fragen:" in (await chats.says(greta, "PENDING"))[0]
    assert "ist vermerkt" in (await chats.says(greta, "ja"))[0]
    assert "andere müssen es noch" in (await chats.says(greta, "ja"))[0]
    assert "is noted" not in (await chats.says(alice, "no"))[0]
    assert "In diesem Chat ist gerade keine Frage offen." in (await chats.says(greta, "ja"))[0]


async def test_everybody_who_confirmed_hears_what_came_of_it(chats: Chats, rt: Runtime) -> None:
    alice, ben, greta = [await Mail(rt).person(phone) for phone in (ALICE, BEN, GRETA)]
    asked = await chats.ask(Asked(alice), Asked(ben), Asked(greta), need=2)
    for person in (ben, greta):
        await chats.says(person, "yes")
    async with rt.db.tx() as tx:
        row = await service.get(tx, asked)
        assert row is not None
        await executing.claim(tx, rt, BOT, asked, bytes(row["action_hash"]))
        await executing.report(tx, rt, BOT, asked, Report("done", None, tell=True))
    told = [await chats.waits(person) for person in (alice, ben, greta)]
    assert told == [[], ["✅ Done: “pay Bob”"], ["✅ Erledigt: “pay Bob”"]]


async def test_whoever_leaves_right_after_a_yes_of_others_is_told_that_it_stands(chats: Chats) -> None:
    alice, greta = await Mail(chats.rt).person(ALICE), await Mail(chats.rt).person(GRETA)
    await chats.ask(Asked(alice), Asked(greta))
    await chats.says(alice, "yes")
    (farewell,) = await chats.says(greta, "Abbrechen")
    assert "“pay Bob” war schon bestätigt; dies hat es nicht abgebrochen." in farewell
    (farewell,) = await chats.says(alice, "CANCEL")
    assert "“pay Bob” was already confirmed; this did not cancel it." in farewell


@pytest.mark.parametrize("quoting", [False, True])
async def test_the_number_of_a_choice_shows_its_options_and_their_numbers_are_theirs(
    chats: Chats, quoting: bool
) -> None:
    alice = await Mail(chats.rt).person(ALICE)
    choice = await chats.ask(Asked(alice), what="rent a car", kind="choose", options=CARS)
    words = await chats.ask(Asked(alice), what="know when to come", kind="ask")
    plain = await chats.ask(Asked(alice), what="pay Eve")
    (listed,) = await chats.says(alice, "half past three")
    assert "1. “rent a car”" in listed
    assert "pay Eve" not in listed, "words of their own are for no yes or no"
    (how,) = await chats.says(alice, "2")
    assert how.startswith("To answer “know when to come”, reply to this message")
    await chats.says(alice, "yes")
    (options,) = await chats.says(alice, "1")
    assert options.endswith("1. “Red car”\n2. “Blue car”")
    await chats.says(alice, "2", to_last=quoting)
    status, outcome, answer = await chats.outcome(choice)
    assert (status, outcome, answer["option"]) == ("decided", "confirmed", "blue")
    for untouched in (words, plain):
        assert (await chats.outcome(untouched))[0] == "pending"
    await chats.says(alice, "when?")
    await chats.says(alice, "half past three", to_last=True)
    assert (await chats.outcome(words))[2] is None, "it quotes a list, which is no question"
    assert (await chats.says(alice, "1"))[0].startswith("To answer “know when to come”")
    await chats.says(alice, "half past three", to_last=True)
    assert (await chats.outcome(words))[2] == {"text": "half past three"}


async def test_a_word_a_day_later_is_asked_about_until_the_person_is_reminded(
    chats: Chats, rt: Runtime
) -> None:
    alice = await Mail(rt).person(ALICE)
    question = await chats.ask(Asked(alice), lasts=timedelta(days=7))
    chats.clock.advance(hours=24)
    (which,) = await chats.says(alice, "yes")
    assert "pay Bob" in which
    assert (await chats.outcome(question))[0] == "pending", "it may have been for something else by then"
    async with rt.db.tx() as tx:
        await approvers.reminded(tx, question, list(alice.ids), rt.now())
    await chats.says(alice, "yes")
    assert (await chats.outcome(question))[:2] == ("decided", "confirmed")


async def test_another_number_freezes_what_was_asked_at_the_old_one(chats: Chats, rt: Runtime) -> None:
    async with rt.db.tx() as tx:
        alice = await people.meet(tx, rt, Identity("US.1", None, "15550001111"), learned_from="meta:message")
    question = await chats.ask(Asked(alice))
    told = {"type": "user_changed_number", "wa_id": "15550009999", "user_id": "US.2"}
    news = InboundMessage(
        "wamid.NEWS", rt.settings.whatsapp_phone_number_id, "waba", Identity("US.1", None, "15550001111"), rt.now(),
        "system", None, None, None, False, None, None, told, (),
    )  # fmt: skip
    async with rt.db.tx() as tx:
        assert "has another number" in await identity.system(tx, rt, news, rt.now())
        alice = await people.get(tx, alice.id)
    assert alice.wa_id == "15550009999"
    (paused,) = await chats.says(alice, "yes")
    assert "is paused" in paused
    assert (await chats.outcome(question))[0] == "pending", "it was asked of whoever had the old number"


async def test_whose_identity_changes_while_they_take_an_answer_back_is_asked_nothing_more(
    chats: Chats, rt: Runtime
) -> None:
    alice = await Mail(rt).person(ALICE)
    question = await chats.ask(Asked(alice), undo_s=300)
    await chats.says(alice, "yes")

    async def changes() -> int:
        async with rt.db.tx() as tx:
            return await moving.freeze(tx, rt, alice, "identity_changed")

    async with rt.db.tx() as tx:
        row = await moving.locked(tx, question)
        assert row is not None
        assert await moving.undo(tx, rt, row, alice)
        frozen = asyncio.create_task(changes())
        await until_one_waits_for_a_lock(rt)
    assert await frozen == 1, "what was held when it was looked for is pending by now, and asked of them"
