"""Answers, their undoing, extensions, freezing, withdrawals, replacements, timers and dead workers, in any order.

Each walk does what it does to a question in the database, and to a small oracle; what is done at once may have come in
either order, and in no other. ``SAYSO_WALKS`` sets how many walks.
"""

import asyncio
import os
import random
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import permutations
from typing import Any

import asyncpg
import pytest

from harness.decisions import ACTION, BOT
from harness.mail import Mail
from harness.oracle import EXTEND, UNDO, Oracle
from harness.planting import plant
from harness.rooms import Clock
from sayso.confirmations import asking, moving, service, steps, timers
from sayso.confirmations.asking import SIMPLE, Asking
from sayso.confirmations.render import Action
from sayso.confirmations.rules import Verdict
from sayso.confirmations.whom import Asked
from sayso.core import claims
from sayso.core.claims import LeaseLostError
from sayso.core.database import Tx
from sayso.core.runtime import Runtime
from sayso.core.worker import Lease
from sayso.people.service import Person

WALKS = int(os.environ.get("SAYSO_WALKS", "300"))
MOVES = 12
LASTS = timedelta(minutes=30)


@dataclass(frozen=True)
class Move:
    """One thing that is done, to the oracle and to the question; a ``look`` passes over what somebody has locked."""

    name: str
    to_oracle: Callable[[Oracle], Oracle]
    to_question: Callable[[], Awaitable[None]]
    look: bool = False


@dataclass
class Walk:
    """One question, and the dice."""

    rt: Runtime
    clock: Clock
    dice: random.Random
    id: str
    people: Sequence[Person]
    workers: list[int]
    done: list[str]

    def move(self) -> Move:
        """Something to do next."""
        place = self.dice.randrange(len(self.people))
        verdict: Verdict = self.dice.choice(("confirm", "confirm", "confirm", "decline", "decline", "cancel"))
        moves = [
            *[self._answer(place, verdict)] * 5,
            *[self._undo(place)] * 3,
            Move(f"extend {place}", lambda o: o.extended(place), lambda: self._extend(place)),
            *[Move("tick", lambda o: o.ticked(self.clock()), self.tick, look=True)] * 3,
            Move("a worker dies", lambda o: o.ticked(self.clock()), self._die, look=True),
            Move("an answer is rolled back", lambda o: o, lambda: self._rolled_back(place)),
            self._by_hand(
                f"{place} has other keys",
                lambda o: o.changed(place),
                lambda tx: moving.freeze(tx, self.rt, self.people[place], "identity_changed"),
            ),
            *[self._by_hand("released", _released, lambda tx: moving.unfreeze(tx, self.rt, self.id))] * 2,
        ]
        if self.dice.random() < 0.05:
            moves = self._ends(place)
        return self.dice.choice(moves)

    def _ends(self, place: int) -> list[Move]:
        """What ends it, or leaves one fewer who can answer."""
        return [
            self._by_hand(
                "withdraw",
                lambda o: o.ended("withdrawn"),
                lambda tx: moving.withdraw(tx, self.rt, BOT, self.id),
            ),
            self._by_hand(
                "supersede",
                lambda o: o.ended("superseded"),
                lambda tx: moving.supersede(tx, self.rt, "bot", self.id, by="cnf_another"),
            ),
            *[
                self._by_hand(
                    f"{place} leaves",
                    lambda o: o.left(place),
                    lambda tx: moving.opted_out(tx, self.rt, self.people[place]),
                )
            ]
            * 2,
        ]

    def _by_hand(
        self, name: str, told: Callable[[Oracle], Oracle], act: Callable[[Tx], Awaitable[Any]]
    ) -> Move:
        return Move(name, told, lambda: self._do(act))

    def _answer(self, place: int, verdict: Verdict) -> Move:
        def told(oracle: Oracle) -> Oracle:
            after = oracle.answer(place, verdict)
            return oracle if after is oracle else after.counted(self.clock())

        return Move(f"{place} says {verdict}", told, lambda: self._say(place, verdict))

    def _undo(self, place: int) -> Move:
        return Move(f"{place} undoes", lambda o: o.undone(place), lambda: self._take_back(place))

    async def _say(self, place: int, verdict: Verdict, *, breaks: bool = False) -> None:
        async with self.rt.db.tx() as tx:
            row = await moving.locked(tx, self.id)
            assert row is not None
            answer_id = self.rt.new_id("ans")
            await _write(tx, self.rt, answer_id, self.id, self.people[place], verdict)
            await moving.record(tx, self.rt, row, self.people[place], verdict, answer_id=answer_id)
            if breaks:
                raise LeaseLostError("the process died before its commit")

    async def _rolled_back(self, place: int) -> None:
        with pytest.raises(LeaseLostError):
            await self._say(place, "confirm", breaks=True)

    async def _take_back(self, place: int) -> None:
        async with self.rt.db.tx() as tx:
            row = await moving.locked(tx, self.id)
            assert row is not None
            await moving.undo(tx, self.rt, row, self.people[place])

    async def _extend(self, place: int) -> None:
        async with self.rt.db.tx() as tx:
            row = await moving.locked(tx, self.id)
            assert row is not None
            await moving.extend(tx, self.rt, row, self.people[place])

    async def _do(self, act: Callable[[Tx], Awaitable[Any]]) -> None:
        async with self.rt.db.tx() as tx:
            with suppress(moving.AlreadyDecidedError):
                await act(tx)

    async def tick(self, *, worker: int = 0) -> None:
        """A worker does what is due."""
        lease = Lease(self.workers[worker])
        for row in await self._claim(lease):
            try:
                await timers.handle(self.rt, lease, row, undigested=_all_read)
            except LeaseLostError:
                continue  # somebody moved it meanwhile

    async def _die(self) -> None:
        """A worker claims and stands still; it is presumed dead; another takes over; it comes back, too late."""
        dead = Lease(self.workers[1])
        rows = await self._claim(dead)
        async with self.rt.db.tx(claims=True) as tx:
            await claims.release(tx, service.QUEUE, workers=[dead.worker])
        await self.tick()
        for row in rows:
            with pytest.raises(LeaseLostError):
                await timers.handle(self.rt, dead, row, undigested=_all_read)

    async def _claim(self, lease: Lease) -> list[Any]:
        async with self.rt.db.tx(claims=True) as tx:
            await claims.promote(tx, service.QUEUE, now=self.rt.now())
            return await claims.claim(tx, service.QUEUE, worker=lease.worker, limit=10)

    async def seen(self) -> tuple[str, str | None, str | None]:
        """The question as it is."""
        async with self.rt.db.one() as tx:
            row = await tx.fetchrow(
                "SELECT status, outcome, leaning FROM confirmations WHERE id = $1", self.id
            )
        assert row is not None
        return row["status"], row["outcome"], row["leaning"] if row["status"] == "held" else None

    async def make(self, moves: Sequence[Move], may_be: Sequence[Oracle]) -> list[Oracle]:
        """Do it, at once where it is several; what the question may be now."""
        self.done.append(" beside ".join(move.name for move in moves))
        await asyncio.gather(*(move.to_question() for move in moves))
        after = []
        for order in _orders(moves):
            for oracle in may_be:
                for move in order:
                    oracle = move.to_oracle(oracle)  # noqa: PLW2901 - it moves
                after.append(oracle)
        seen = await self.seen()
        found = [oracle for oracle in dict.fromkeys(after) if oracle.seen == seen]
        assert found, f"{self.done} left {seen}, not one of {[oracle.seen for oracle in after]}"
        return found


def _orders(moves: Sequence[Move]) -> Iterator[Sequence[Move]]:
    """In which order it may have happened; beside others, a look may have seen nothing."""
    yield from permutations(moves)
    if len(moves) > 1:
        yield from permutations([move for move in moves if not move.look])


def _released(oracle: Oracle) -> Oracle:
    return replace(oracle, frozen=False)


async def _all_read(_tx: Tx, _person: Person | None, _before: datetime) -> bool:
    return False


async def _write(tx: Tx, rt: Runtime, answer_id: str, question: str, person: Person, verdict: str) -> None:
    """An answer, as it is written down before it counts."""
    await tx.execute(
        "INSERT INTO answers (id, confirmation_id, person_id, update_key, wamid, how, said, verdict, effect, sent_at, "
        "received_at) VALUES ($1, $2, $3, $1, $1, 'button', $4, $4, 'decided', $5, $5)",
        answer_id,
        question,
        person.id,
        verdict,
        rt.now(),
    )


async def _begin(
    rt: Runtime, clock: Clock, number: int, seed: int, workers: list[int]
) -> tuple[Walk, Oracle]:
    dice = random.Random(seed)
    count = dice.randint(1, 3)
    needed, undo, extends = dice.randint(1, count), dice.random() < 0.6, dice.randint(0, 2)
    people = [await Mail(rt).person(f"+1555{number:05}{place:02}") for place in range(count)]
    wanted = Asking(
        client_id="bot",
        user_id="alice",
        asked=[Asked(person, None) for person in people],
        sender=rt.settings.whatsapp_phone_number_id,
        action=Action.of({**ACTION, "action_details": f"number {number}"}),
        lasts=LASTS,
        rule=replace(
            SIMPLE,
            need=needed,
            undo_s=int(UNDO.total_seconds()) if undo else 0,
            extend_s=int(EXTEND.total_seconds()),
            extends_left=extends,
        ),
    )
    async with rt.db.tx() as tx:
        confirmation_id = await asking.ask(tx, rt, wanted)
    oracle = Oracle((None,) * count, needed, undo, clock() + LASTS, extends)
    done = [f"seed {seed}: {needed} of {count}, undo {undo}, {extends} extensions"]
    return Walk(rt, clock, dice, confirmation_id, people, workers, done), oracle


async def _walk(rt: Runtime, clock: Clock, number: int, seed: int, workers: list[int]) -> Mapping[str, Any]:
    """One question's life; what was told of it, and proved."""
    walk, oracle = await _begin(rt, clock, number, seed, workers)
    may_be = [oracle]
    for _ in range(MOVES):
        clock.advance(seconds=walk.dice.choice((0, 1, 60, 299, 301, 900)))
        at_once = 2 if walk.dice.random() < 0.3 else 1
        may_be = await walk.make([walk.move() for _ in range(at_once)], may_be)
    for _ in range(2):
        clock.advance(hours=2)
        may_be = await walk.make([Move("tick", lambda o: o.ticked(clock()), walk.tick)], may_be)
    async with rt.db.one() as tx:
        row = await tx.fetchrow(
            "SELECT c.outcome, c.decided_by, (SELECT count(*) FROM events e WHERE e.subject = c.id "
            "AND e.type = 'confirmation.decided') AS told, (SELECT count(*) FROM decision_log l "
            "WHERE l.confirmation_id = c.id) AS logged, (SELECT count(*) FROM receipts r "
            "WHERE r.confirmation_id = c.id) AS proved, (SELECT count(*) FROM answers a "
            "WHERE a.confirmation_id = c.id AND a.effect = 'decided') AS decided FROM confirmations c WHERE c.id = $1",
            walk.id,
        )
    assert row is not None
    by_answer = row["decided_by"] is not None
    assert (row["told"], row["logged"], row["proved"], row["decided"]) == (1, 1, 1, by_answer), walk.done
    return row


async def _walks(rt: Runtime, clock: Clock, count: int, first: int) -> set[str]:
    async with rt.db.tx(claims=True) as tx:
        workers = [await claims.enlist(tx) for _ in range(2)]
    rows = [await _walk(rt, clock, number, first + number, workers) for number in range(count)]
    return {row["outcome"] for row in rows}


@pytest.mark.timeout(max(300, WALKS))
async def test_a_question_is_what_some_order_of_what_was_done_makes_it(rt: Runtime, clock: Clock) -> None:
    outcomes = await _walks(rt, clock, WALKS, random.randrange(10**6))
    assert outcomes == {
        "confirmed",
        "declined",
        "cancelled",
        "expired",
        "withdrawn",
        "superseded",
        "opted_out",
    }


@pytest.mark.parametrize(
    "bug",
    [
        "decided again",
        "held for ever",
        "one yes is enough",
        "undone too late",
        "answered twice",
        "not frozen",
    ],
)
async def test_the_walks_catch_a_bug(
    rt: Runtime, clock: Clock, monkeypatch: pytest.MonkeyPatch, bug: str
) -> None:
    match bug:
        case "decided again":
            plant(monkeypatch, service, "decide_all", (" AND status <> 'decided'", ""))
            plant(monkeypatch, moving, "withdraw", ('if row["status"] != "decided"', "if True"))
        case "held for ever":
            plant(monkeypatch, steps, "due", ('if facts.status == "held" and', "if False and"))
        case "one yes is enough":
            plant(monkeypatch, steps, "tally", ("if agreed >= needed", "if agreed >= 1"))
        case "not frozen":
            plant(monkeypatch, moving, "_may_answer", (' or row["frozen_why"] is not None', ""))
        case "answered twice":
            asked = 'return asked if row["status"] == "pending" and answered is None else None'
            plant(monkeypatch, moving, "_may_answer", (asked, "return asked or answered"))
        case _:
            plant(monkeypatch, moving, "undo", ('row["status"] != "held" or ', ""))
    with pytest.raises((AssertionError, asyncpg.IntegrityConstraintViolationError)):
        await _walks(rt, clock, 60, 7)
