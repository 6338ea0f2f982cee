"""What may happen on a walk over the send protocol: the steps it is made of, and how it comes to its end."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, get_args

from harness.history import nothing_lost_going_out
from harness.protocol import Call, Hand, Walk
from harness.service import PHONE_NUMBER_ID
from sayso.consent.service import Said
from sayso.core import claims
from sayso.core.database import Record
from sayso.core.errors import NotRetryableError, NotUnknownError, TooLateError
from sayso.core.worker import Lease
from sayso.inbound import leaving
from sayso.inbound.leaving import Chat
from sayso.messages import attempts, dead, dispatch, service, statuses
from sayso.messages.service import QUEUE
from sayso.messages.statuses import Joined
from sayso.people.service import Person
from sayso.whatsapp.client import Accepted, Lost, Refused, Sent
from sayso.whatsapp.failures import classify
from sayso.whatsapp.updates import GraphError, Identity, StatusUpdate

#: One refusal of each way in which errors of Meta's are dealt with.
_REFUSALS = (130429, 131016, 131026, 131047, 131049, 131056, 132001, 132015, 190)


class Stroll(Walk):
    """A walk that can take every step."""

    async def queue(self) -> None:
        """A message more, of whatever kind."""
        person = self.dice.choice([person for records in self.persons.values() for person in records])
        policy = self.dice.choice(["give_up", "ask", "retry_once", "retry_once"])
        later = self.clock() + timedelta(minutes=20) if self.dice.random() < 0.15 else None
        message = await self.mail.queue(
            person,
            template=self.dice.random() < 0.5,
            if_unknown=policy,
            category=self.dice.choice(["notifications", "marketing"]),
            send_at=later,
            expires_at=self.clock() + timedelta(minutes=self.dice.choice([2, 60, 180])),
        )
        if policy == "retry_once":
            self.once_more.add(message)

    async def claim(self) -> None:
        """A worker takes what is next, and posts it."""
        hand = self.dice.choice(self.hands)
        if not hand.frozen:
            await hand.start(await self._claim(hand))

    async def _claim(self, hand: Hand) -> Sequence[Record]:
        async with self.mail.rt.db.tx(claims=True) as tx:
            await tx.execute("UPDATE senders SET tat = clock_timestamp() - interval '1 second'")
            claimed = await hand.dispatcher.claim(self.mail.rt, tx, hand.lease, self.dice.randint(1, 12))
        return claimed.todo

    async def freeze(self) -> None:
        """A worker stands still between its claim and its POSTs, for longer than others wait for it."""
        hand = self.dice.choice(self.hands)
        if hand.frozen:
            return
        honest, dispatch.POST_WITHIN_S = dispatch.POST_WITHIN_S, -1.0
        try:
            hand.frozen = list(await self._claim(hand))
        finally:
            dispatch.POST_WITHIN_S = honest
        if hand.frozen and self.dice.random() < 0.8:
            await self._bury(hand)

    async def thaw(self) -> None:
        """It goes on."""
        for hand in self.hands:
            rows, hand.frozen = hand.frozen, []
            await hand.start(rows)
            if rows:
                hand.renew()

    async def disown(self) -> None:
        """A claim commits, and its worker never hears of it."""
        hand = self.dice.choice(self.hands)
        if hand.frozen:
            return
        await self._claim(hand)
        keep = list(hand.tasks.values())
        async with self.mail.rt.db.tx(claims=True) as tx:
            await hand.dispatcher.disown(self.mail.rt, tx, hand.lease, keep)
            await claims.disown(tx, QUEUE, worker=hand.lease.worker, keep=keep)

    async def bury(self) -> None:
        """A worker is believed dead, and is not: its POSTs go on."""
        await self._bury(self.dice.choice(self.hands))

    async def kill(self) -> None:
        """A worker is dead: nobody hears what came of its POSTs, or writes it."""
        hand = self.dice.choice(self.hands)
        for call in self.calls:
            if call.hand is hand and call.taken is None:
                self._met(call, taken=self.dice.random() < 0.5)
        for task in hand.tasks:
            task.cancel()
        await asyncio.gather(*hand.tasks, return_exceptions=True)
        hand.tasks, hand.results, hand.frozen = {}, [], []
        await self._bury(hand)

    async def _bury(self, hand: Hand) -> None:
        for call in self.calls:
            call.orphan = call.orphan or call.hand is hand
        async with self.mail.rt.db.tx(claims=True) as tx:
            await dispatch.lost_with_their_worker(self.mail.rt, tx, [hand.lease.worker])
            await claims.retire(tx, hand.lease.worker)
        hand.lease = Lease(await self.mail.enlist())

    def _met(self, call: Call, *, taken: bool) -> None:
        call.taken, call.arrives = taken, self.dice.random() < 0.75

    async def answer(self) -> None:
        """A POST ends, in whatever way."""
        calls = [call for call in self.calls if call.taken is None]
        if calls:
            call = self.dice.choice(calls)
            await self._answer(call, self._end_of(call))

    async def _answer(self, call: Call, sent: Sent) -> None:
        reached = call.hand.reached[call.message_id] = asyncio.Event()
        call.answer.set_result(sent)
        async with asyncio.timeout(30):
            await reached.wait()

    def _end_of(self, call: Call) -> Sent:
        kind = self.dice.choices(["accepted", "refused", "in doubt", "lost"], [4, 3, 1, 3])[0]
        if kind == "accepted":
            self._met(call, taken=True)
            return Accepted(call.wamid)
        if kind == "refused":
            self._met(call, taken=False)
            call.proved = True
            error = GraphError(self.dice.choice(_REFUSALS), "Refused")
            return Refused(error, classify(error, 400), 400)
        self._met(call, taken=self.dice.random() < 0.5)
        if kind == "lost":
            return Lost("the connection broke")
        error = GraphError(131000, "Something went wrong")
        return Refused(error, classify(error, 500), 500)

    async def write(self) -> None:
        """Some results are committed, perhaps twice."""
        hand = self.dice.choice(self.hands)
        taken, hand.results = hand.results[:3], hand.results[3:]
        self.dice.shuffle(taken)
        for _ in range(self.dice.choice([1, 1, 2]) if taken else 0):
            await self.mail.apply(*(result for result, _, _ in taken))
        for _, done, task in taken:
            done.set_result(None)
            async with asyncio.timeout(30):
                await task
            del hand.tasks[task]

    async def status(self) -> None:
        """Meta tells of messages it took: in any order, of any attempt, once or more."""
        told = [call for call in self.calls if call.taken]
        chosen = self.dice.choices(told, k=self.dice.randint(1, 3)) if told else []
        updates = []
        for call in chosen:
            word = self.dice.choice(["sent", "delivered", "read"] if call.arrives else ["sent", "failed"])
            code = 131047 if call.free_form and self.dice.random() < 0.7 else 131026
            errors = (GraphError(code, "Undeliverable"),) if word == "failed" else ()
            callback = attempts.callback(call.message_id, call.attempt)
            updates.append(
                StatusUpdate(
                    call.wamid, PHONE_NUMBER_ID, word, self.clock(), Identity(), callback, errors, None
                )
            )
            call.told.add(word)
            call.proved = call.proved or word == "failed"
        async with self.mail.rt.db.tx() as tx:
            record = await statuses.record(tx, self.mail.rt, updates)
            for update, joined in zip(updates, record, strict=True):
                if joined and joined.moved and joined.message["state"] == "unknown":
                    await service.tell_unknown(tx, self.mail.rt, joined.message)
                self._settles(joined, update)

    def _settles(self, joined: Joined | None, update: StatusUpdate) -> None:
        """Word that any attempt arrived ends the doubt about the message; any other word is of its own attempt only."""
        if joined is None:
            return
        (_, attempt), row = attempts.named(update.callback), joined.message
        if update.status in ("delivered", "read"):
            if row["state"] == "unknown":
                self.broken.append(f"{row['id']} stays unknown, though Meta told {update.status}")
        elif joined.moved and attempt is not None and attempt < row["attempt"]:
            self.broken.append(f"{row['id']} is {row['state']} by word of an earlier attempt")

    async def cancel(self) -> None:
        """Somebody wants a message back."""
        async with self.mail.rt.db.tx() as tx:
            row = await dead.locked(tx, await self._any())
            try:
                if row:
                    await dead.cancel(tx, self.mail.rt, row, by="bot", on_failed=self.mail.on_failed)
            except TooLateError:
                pass

    async def retry(self) -> None:
        """Somebody wants a message to go again."""
        async with self.mail.rt.db.tx() as tx:
            row = await dead.locked(tx, await self._any())
            try:
                if row and await dead.retry(tx, self.mail.rt, row, by="bot") and row["id"] in self.settled:
                    self.permits[row["id"]] += 1
            except NotRetryableError:
                pass

    async def settle(self) -> None:
        """Somebody says what became of a message, or wants it again whatever became of it."""
        said = self.dice.choice(get_args(dead.Settlement))
        async with self.mail.rt.db.tx() as tx:
            row = await dead.locked(tx, await self._any("unknown"))
            try:
                if row:
                    await dead.settle(tx, self.mail.rt, row, said, by="bot", on_failed=self.mail.on_failed)
                    self.permits[row["id"]] += said == "retry"
                    self.settled |= {row["id"]}
            except (NotUnknownError, NotRetryableError):
                pass

    async def _any(self, state: str | None = None) -> str:
        rows = await self._rows("SELECT id, state FROM messages WHERE id >= $1 ORDER BY id")
        ids = [row["id"] for row in rows if state in (None, row["state"])]
        return str(self.dice.choice(ids)) if ids else ""

    async def leave(self) -> None:
        """Somebody writes STOP."""
        who, person = self._somebody()
        async with self.mail.rt.db.tx() as tx:
            done = await leaving.leave(tx, self.mail.rt, self._said(person, "withdrawn"), _chat())
        if not done.stale:
            self.out.add(who)

    async def come_back(self) -> None:
        """Somebody writes START."""
        who, person = self._somebody()
        async with self.mail.rt.db.tx() as tx:
            done = await leaving.come_back(tx, self.mail.rt, self._said(person, "granted"), _chat())
        if done.news:
            self.out.discard(who)
            self.left.discard(who)

    def _somebody(self) -> tuple[str, Person]:
        who = self.dice.choice(sorted(self.persons))
        return who, self.dice.choice(self.persons[who])

    def _said(self, person: Person, action: Any) -> Said:
        at = self.clock.advance(seconds=2)
        return Said(person=person, action=action, method="keyword", captured_at=at, personal={"wording": "x"})

    async def hear(self) -> None:
        """Somebody writes."""
        await self.mail.wrote(self._somebody()[1], self.clock())

    async def wait(self) -> None:
        """Time passes."""
        self.clock.advance(seconds=self.dice.choice([1, 10, 70, 400, 960, 960]))
        await self.mail.promote()

    async def release(self) -> None:
        """What held messages is over."""
        held = await self._rows("SELECT DISTINCT held_by AS k FROM messages WHERE id >= $1 AND held_by <> ''")
        async with self.mail.rt.db.tx() as tx:
            for row in held:
                await service.release(tx, self.mail.rt, row["k"])

    async def break_line(self) -> None:
        """No connection can be made, or again."""
        self.down = not self.down

    async def rest(self) -> list[str]:
        """Let everything come to its end; every promise broken by then."""
        self.down = False
        for _ in range(40):
            await self.thaw()
            for call in self.calls:
                if call.taken is None:
                    self._met(call, taken=True)
                    await self._answer(call, Accepted(call.wamid))
            while any(hand.results for hand in self.hands):
                await self.write()
            if not await self._rows("SELECT 1 FROM messages WHERE id >= $1 AND work IS NOT NULL LIMIT 1"):
                break
            await self.mend()
            await self.wait()
            await self.claim()
        return [*await self.judge(), *nothing_lost_going_out(await self._history())]


def _chat() -> Chat:
    return Chat(phone_number_id=PHONE_NUMBER_ID, language="en")
