"""What moves a question, move by move: what its row, the evidence, the feed and the proof say afterwards."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest

from harness.decisions import ACTION, BOT
from harness.mail import Mail
from harness.rooms import Clock
from sayso.confirmations import approvers, asking, moving, service, timers
from sayso.confirmations.asking import SIMPLE, Asking
from sayso.confirmations.moving import AlreadyDecidedError
from sayso.confirmations.policy import Step
from sayso.confirmations.render import Action
from sayso.confirmations.rules import Verdict
from sayso.confirmations.whom import Asked, Later
from sayso.core import claims
from sayso.core.database import Record, Tx
from sayso.core.runtime import Runtime
from sayso.core.worker import Lease
from sayso.people import merging
from sayso.people import service as people
from sayso.people.service import Person

LASTS, UNDO, MORE = timedelta(minutes=30), timedelta(minutes=5), timedelta(minutes=10)
NUMBERS = ("+15550001111", "+15550002222", "+15550003333")
RULE = replace(SIMPLE, undo_s=300, extend_s=600, extends_left=1, remind_s=60)


@dataclass
class Room:
    """Questions to Alice, Ben and Carol, and everything that can be done to them."""

    rt: Runtime
    clock: Clock
    people: list[Person]
    worker: int
    asked: int = 0

    async def ask(self, count: int = 1, *, need: int = 1, then: tuple[Person, ...] = (), **rule: Any) -> str:
        """A question to the first so many, and by escalation to others; its id."""
        self.asked += 1
        step = Step(after="10m", when="unanswered", to="somebody")
        wanted = Asking(
            client_id="bot",
            user_id="alice",
            asked=[Asked(person) for person in self.people[:count]],
            sender=self.rt.settings.whatsapp_phone_number_id,
            action=Action.of({**ACTION, "action_details": f"number {self.asked}"}),
            lasts=LASTS,
            rule=replace(RULE, need=need, **rule),
            later=[Later(step, person) for person in then],
        )
        async with self.rt.db.tx() as tx:
            return await asking.ask(tx, self.rt, wanted)

    async def do(self, question: str, move: Callable[[Tx, Record], Awaitable[Any]]) -> Any:
        """One move, in a transaction of its own, with the row locked."""
        async with self.rt.db.tx() as tx:
            row = await moving.locked(tx, question)
            assert row is not None
            return await move(tx, row)

    async def says(self, question: str, verdict: Verdict = "confirm", *, who: int = 0) -> str:
        """Somebody answers; what came of it."""
        answer_id, person = self.rt.new_id("ans"), self.people[who]

        async def move(tx: Tx, row: Record) -> str:
            await tx.execute(
                "INSERT INTO answers (id, confirmation_id, person_id, update_key, wamid, how, said, verdict, effect, "
                "sent_at, received_at) VALUES ($1, $2, $3, $1, $1, 'button', $4, $4, 'decided', $5, $5)",
                answer_id,
                question,
                person.id,
                verdict,
                self.rt.now(),
            )
            done = await moving.record(tx, self.rt, row, person, verdict, answer_id=answer_id)
            return done.state

        return str(await self.do(question, move))

    async def undo(self, question: str, *, who: int = 0) -> bool:
        """Somebody takes their answer back; whether there was one."""
        return bool(await self.do(question, lambda tx, row: moving.undo(tx, self.rt, row, self.people[who])))

    async def extend(self, question: str, *, who: int = 0) -> Any:
        """Somebody wants more time; the new end."""
        return await self.do(question, lambda tx, row: moving.extend(tx, self.rt, row, self.people[who]))

    async def withdraw(self, question: str) -> None:
        """The assistant takes it back."""
        async with self.rt.db.tx() as tx:
            await moving.withdraw(tx, self.rt, BOT, question)

    async def supersede(self, question: str, by: str = "cnf_new") -> bool:
        """Another takes its place; whether it could."""
        async with self.rt.db.tx() as tx:
            return await moving.supersede(tx, self.rt, "bot", question, by=by)

    async def freeze(self, question: str) -> None:
        """Somebody's identity has changed."""
        async with self.rt.db.tx() as tx:
            await tx.execute(
                "UPDATE confirmations SET frozen_why = 'identity_changed' WHERE id = $1", question
            )

    async def loses(self, question: str, who: int) -> None:
        """Somebody has left."""
        ids = self.people[who].ids
        await self.do(question, lambda tx, row: moving.lose(tx, self.rt, row, ids, "opted_out"))

    async def tick(self) -> None:
        """The timers look at whatever is due."""
        lease = Lease(self.worker)
        async with self.rt.db.tx(claims=True) as tx:
            await claims.promote(tx, service.QUEUE, now=self.rt.now())
            rows = await claims.claim(tx, service.QUEUE, worker=self.worker, limit=100)
        for row in rows:
            await timers.handle(self.rt, lease, row, undigested=_all_read)

    async def row(self, question: str) -> Record:
        """It, as it is."""
        async with self.rt.db.one() as tx:
            found = await tx.fetchrow("SELECT * FROM confirmations WHERE id = $1", question)
        assert found is not None
        return found

    async def stands(self, question: str) -> tuple[str, str | None, str | None]:
        """Status, outcome, and what it leans to."""
        row = await self.row(question)
        return row["status"], row["outcome"], row["leaning"] if row["status"] == "held" else None

    async def effects(self, question: str) -> list[str]:
        """What came of each answer."""
        return await self._list(
            "SELECT effect AS it FROM answers WHERE confirmation_id = $1 ORDER BY id", question
        )

    async def told(self, question: str) -> list[str]:
        """What its assistant was told."""
        sql = "SELECT split_part(type, '.', 2) AS it FROM events WHERE subject = $1 ORDER BY id"
        return await self._list(sql, question)

    async def lines(self, question: str, purpose: str) -> list[str]:
        """The states of the messages of one purpose."""
        sql = "SELECT state AS it FROM messages WHERE confirmation_id = $1 AND purpose = $2 ORDER BY id"
        return await self._list(sql, question, purpose)

    async def logged(self, question: str) -> int:
        """How many decisions of it stand in the log."""
        return len(await self._list("SELECT '' AS it FROM decision_log WHERE confirmation_id = $1", question))

    async def _list(self, sql: str, *args: Any) -> list[str]:
        async with self.rt.db.one() as tx:
            return [row["it"] for row in await tx.fetch(sql, *args)]


async def _all_read(_tx: Tx, _person: Person | None, _before: object) -> bool:
    return False


@pytest.fixture
async def room(rt: Runtime, clock: Clock) -> Room:
    mail = Mail(rt)
    return Room(rt, clock, [await mail.person(number) for number in NUMBERS], await mail.enlist())


async def test_an_answer_is_held_and_released_when_its_time_to_be_undone_is_over(room: Room) -> None:
    question = await room.ask()
    assert await room.says(question) == "held"
    row, until = await room.row(question), room.clock() + UNDO
    assert (row["status"], row["leaning"], row["outcome"]) == ("held", "confirmed", None)
    assert (row["held_until"], row["work"], row["work_at"]) == (until, "waiting", until)
    assert (await room.effects(question), await room.told(question)) == (["held"], ["asked", "held"])
    assert await room.logged(question) == 0, "nothing is decided yet"
    room.clock.advance(seconds=299)
    await room.tick()
    assert await room.stands(question) == ("held", None, "confirmed")
    room.clock.advance(seconds=1)
    await room.tick()
    after = await room.row(question)
    assert (after["outcome"], after["decided_by"], after["decided_at"]) == (
        "confirmed",
        row["decided_by"],
        room.clock(),
    )
    assert (await room.effects(question), await room.told(question)) == (
        ["decided"],
        ["asked", "held", "decided"],
    )
    assert await room.logged(question) == 1
    assert await room.lines(question, "closing") == [], "they read it when it was held"


async def test_what_is_taken_back_leaves_nothing_behind_but_evidence(room: Room) -> None:
    question = await room.ask(2)
    await room.says(question)
    assert not await room.undo(question, who=1), "it is not Ben's answer"
    assert await room.undo(question)
    assert not await room.undo(question), "there is nothing left to take back"
    row = await room.row(question)
    columns = ("leaning", "held_until", "decided_by", "answer", "outcome")
    assert (row["status"], [row[name] for name in columns]) == ("pending", [None] * 5)
    assert (row["work"], row["work_at"]) == ("ready", room.clock()), "the timers look at it anew"
    assert await room.effects(question) == ["undone"]
    assert await room.told(question) == ["asked", "held", "undone"]
    assert await room.says(question, "decline") == "counted"
    assert await room.says(question, "decline", who=1) == "held"
    assert await room.effects(question) == ["undone", "counted", "held"]


@pytest.mark.parametrize(("answered_after", "lines", "outcome"), [(24, 2, None), (26, 1, "expired")])
async def test_what_is_taken_back_after_the_end_is_over_and_nobody_reads_that_it_can_be_answered(
    room: Room, answered_after: float, lines: int, outcome: str | None
) -> None:
    question = await room.ask(remind_s=None)
    room.clock.advance(minutes=answered_after)
    await room.says(question)
    room.clock.advance(minutes=4.5)
    assert await room.undo(question)
    assert len(await room.lines(question, "notice")) == lines
    await room.tick()
    assert (await room.row(question))["outcome"] == outcome


async def test_a_cancel_ends_what_is_held_and_the_answer_that_held_it_counts_as_one(room: Room) -> None:
    question = await room.ask()
    await room.says(question)
    assert await room.says(question, "cancel") == "decided"
    assert await room.stands(question) == ("decided", "cancelled", None)
    assert await room.effects(question) == ["counted", "decided"]
    assert await room.told(question) == ["asked", "held", "decided"]


async def test_more_time_moves_the_end_and_whoever_was_reminded_may_be_again(room: Room) -> None:
    question = await room.ask(2, need=2)
    room.clock.advance(minutes=29)
    await room.tick()
    end = (await room.row(question))["expires_at"]
    async with room.rt.db.one() as tx:
        reminded = [each["reminded_at"] for each in (await approvers.of(tx, [question]))[question]]
    assert reminded == [room.clock()] * 2
    await room.says(question, who=1)
    assert await room.extend(question, who=1) is None, "Ben has answered"
    assert await room.extend(question) == end + MORE
    assert await room.extend(question) is None, "once is what the rule allows"
    row = await room.row(question)
    assert (row["expires_at"], row["extended"], row["work"]) == (end + MORE, 1, "ready")
    async with room.rt.db.one() as tx:
        reminded = [each["reminded_at"] for each in (await approvers.of(tx, [question]))[question]]
    assert reminded == [None, None]
    assert await room.told(question) == ["asked", "counted", "extended"]
    room.clock.advance(minutes=1)
    await room.tick()
    assert (await room.stands(question))[0] == "pending", "the old end is none any more"
    room.clock.advance(minutes=10)
    await room.tick()
    assert await room.stands(question) == ("decided", "expired", None)


async def test_what_has_not_left_is_taken_back_with_its_question_and_nobody_gets_a_line(room: Room) -> None:
    withdrawn, superseded = await room.ask(2), await room.ask(2)
    await room.withdraw(withdrawn)
    assert await room.supersede(superseded, by=withdrawn)
    assert not await room.supersede(superseded), "it has its outcome"
    for question in (withdrawn, superseded):
        assert await room.lines(question, "prompt") == ["cancelled", "cancelled"]
        assert await room.lines(question, "closing") == []
        assert await room.told(question) == ["asked", "decided"]
    assert (await room.row(superseded))["superseded_by"] == withdrawn


async def test_whoever_was_reached_gets_one_line_at_the_end(room: Room) -> None:
    question = await room.ask(2)
    async with room.rt.db.tx() as tx:
        await tx.execute(
            "UPDATE messages SET state = 'delivered', work = NULL WHERE id = (SELECT min(id) FROM messages)"
        )
    await room.withdraw(question)
    await room.withdraw(question)
    assert sorted(await room.lines(question, "prompt")) == ["cancelled", "delivered"]
    assert await room.lines(question, "closing") == ["queued"]


Moves = dict[str, Callable[[Room, str], Awaitable[Any]]]
MOVES: Moves = {
    "confirm": lambda room, question: room.says(question),
    "cancel": lambda room, question: room.says(question, "cancel"),
    "undo": lambda room, question: room.undo(question),
    "extend": lambda room, question: room.extend(question),
    "withdraw": lambda room, question: room.withdraw(question),
    "supersede": lambda room, question: room.supersede(question),
}
PENDING, HELD, OVER = ("pending", None, None), ("held", None, "confirmed"), ("decided", "declined", None)
#: What each move leaves of a question that was so. Whatever is frozen is moved by its assistant alone.
LEFT: dict[str, dict[str, tuple[str, str | None, str | None]]] = {
    "pending": {
        "confirm": HELD,
        "undo": PENDING,
        "extend": PENDING,
        "cancel": ("decided", "cancelled", None),
    },
    "held": {"confirm": HELD, "undo": PENDING, "extend": HELD, "cancel": ("decided", "cancelled", None)},
    "frozen": dict.fromkeys(("confirm", "undo", "extend", "cancel"), PENDING),
    "frozen, held": dict.fromkeys(("confirm", "undo", "extend", "cancel"), HELD),
    "decided": dict.fromkeys(MOVES, OVER),
}
for _open in ("pending", "held", "frozen", "frozen, held"):
    LEFT[_open] |= {"withdraw": ("decided", "withdrawn", None), "supersede": ("decided", "superseded", None)}


async def _made(room: Room, so: str) -> str:
    """A question that stands so."""
    question = await room.ask(undo_s=0 if so == "decided" else 300)
    if so in ("held", "frozen, held"):
        await room.says(question)
    if so == "decided":
        await room.says(question, "decline")
    if so.startswith("frozen"):
        await room.freeze(question)
    return question


async def test_every_move_of_every_question_leaves_it_as_the_table_says(room: Room) -> None:
    wrong = []
    for so, moves in LEFT.items():
        for name, left in moves.items():
            question = await _made(room, so)
            try:
                await MOVES[name](room, question)
            except AlreadyDecidedError:
                assert so == "decided"
            found, times = await room.stands(question), (await room.told(question)).count("decided")
            if (found, times, await room.logged(question)) != (left, *[int(left[0] == "decided")] * 2):
                wrong.append((so, name, found, times))
    assert wrong == []
    assert {*LEFT["decided"]} == {*LEFT["pending"]} == {*MOVES}


async def test_what_is_frozen_keeps_its_answers_and_ends_at_its_end(room: Room) -> None:
    answered, held = await _made(room, "frozen"), await _made(room, "frozen, held")
    assert await room.says(answered) == "closed"
    assert (await room.effects(answered), await room.lines(answered, "notice")) == (["evidence"], ["queued"])
    room.clock.advance(minutes=10)
    await room.tick()
    assert await room.stands(held) == ("held", None, "confirmed"), "what is frozen is not released"
    async with room.rt.db.tx() as tx:
        await moving.unfreeze(tx, room.rt, answered)
        await moving.unfreeze(tx, room.rt, answered)
    assert await room.told(answered) == ["asked", "unfrozen"]
    assert await room.says(answered) == "held"
    room.clock.advance(minutes=20)
    await room.tick()
    assert [await room.stands(each) for each in (answered, held)] == [
        ("decided", "confirmed", None),
        ("decided", "expired", None),
    ]


async def test_a_no_is_not_taken_to_the_next_because_somebody_else_who_was_to_be_asked_has_left(
    room: Room,
) -> None:
    question = await room.ask(then=(room.people[1], room.people[2]), undo_s=0)
    await room.loses(question, 1)
    async with room.rt.db.one() as tx:
        rows = (await approvers.of(tx, [question]))[question]
    assert [each["state"] for each in rows] == ["asked", "passed", "waiting"]
    assert await room.says(question, "decline") == "decided"
    assert await room.stands(question) == ("decided", "declined", None)


async def test_whose_yes_held_it_and_leaves_opens_it_again_for_the_others(room: Room) -> None:
    question = await room.ask(2)
    await room.says(question)
    await room.loses(question, 0)
    assert await room.stands(question) == ("pending", None, None)
    assert await room.says(question, who=1) == "held"
    await room.loses(question, 1)
    assert await room.stands(question) == ("decided", "opted_out", None)
    assert await room.told(question) == ["asked", "held", "held", "decided"]


async def test_who_turns_out_to_be_two_of_those_asked_counts_once(room: Room) -> None:
    """An assistant may name one person twice, by a number and by a user id, before Meta says that they are one."""
    question = await room.ask(2, need=2, undo_s=0)
    async with room.rt.db.tx() as tx:
        ids = [person.id for person in room.people]
        await merging.merge(tx, room.rt, ids[1], ids[0], because="Meta said so")
        room.people[0] = await people.get(tx, ids[0])
    assert await room.says(question) == "counted"
    assert await room.says(question) == "not_asked"
    assert await room.stands(question) == ("pending", None, None)
    assert await room.says(question, "cancel") == "decided"
