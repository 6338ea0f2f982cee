"""The send protocol on the real database, walked at random, with everybody who may interfere; and what must hold."""

import asyncio
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec

from harness.history import History, forward_only
from harness.mail import Mail
from harness.rooms import Clock
from harness.wire import Post
from sayso.core.database import Record
from sayso.core.runtime import id_at
from sayso.core.worker import Lease
from sayso.messages import attempts
from sayso.messages.dispatch import Dispatcher
from sayso.messages.outcome import REPORT_UNKNOWN_AFTER, UNDER_WAY, Result
from sayso.messages.rules import RANK, STATUSES
from sayso.people import service as people
from sayso.people.service import Person
from sayso.whatsapp.client import NotSent, Sent
from sayso.whatsapp.updates import Identity

_FAREWELL = "unsubscribed"
_WELCOME = "opting in"


@dataclass(slots=True, eq=False)
class Call:
    """One POST with bytes on the wire. ``taken``: Meta has the message; None as long as that is open.

    ``proved``: the service was told that Meta did not take it, or that it did not arrive. ``orphan``: its worker is
    believed dead.
    """

    message_id: str
    attempt: int
    who: str
    about_leaving: bool
    free_form: bool
    at: datetime
    hand: "Hand"
    answer: asyncio.Future[Sent]
    taken: bool | None = None
    proved: bool = False
    arrives: bool = True
    orphan: bool = False
    told: set[str] = field(default_factory=set)

    @property
    def wamid(self) -> str:
        """What Meta calls it."""
        return f"wamid.{self.message_id}.{self.attempt}"


@dataclass(eq=False)
class Hand:
    """A worker: what it has in hand, and the results that it has not written yet. It is its own wire and recorder."""

    walk: "Walk"
    lease: Lease
    dispatcher: Dispatcher = field(init=False)
    tasks: dict[asyncio.Task[None], str] = field(default_factory=dict)
    reached: dict[str, asyncio.Event] = field(default_factory=dict)
    results: list[tuple[Result, asyncio.Future[None], asyncio.Task[None]]] = field(default_factory=list)
    frozen: list[Record] = field(default_factory=list)

    def __post_init__(self) -> None:
        """With a dispatcher of its own."""
        self.renew()

    def renew(self) -> None:
        """Forget how late it was."""
        wire: Any = self
        self.dispatcher = Dispatcher(wire, wire, self.walk.mail.on_failed)

    async def post_message(self, _sender: str, body: bytes, *, turn: Any = None) -> Sent:
        """What the Graph client is for the dispatcher: here the walk says how it ends."""
        reason = await turn() if turn else None
        if reason or self.walk.down:
            return NotSent(reason or "no connection could be made")
        call = self.walk.begins(self, body)
        self.reached[call.message_id].set()
        return await call.answer

    async def commit(self, result: Result) -> None:
        """What the recorder of results is for the dispatcher: here the walk says when it is written."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        task: Any = asyncio.current_task()
        self.results.append((result, done, task))
        self.reached[result.message_id].set()
        await done

    async def start(self, rows: Sequence[Record]) -> None:
        """Handle these; returns when each is on the wire, or has ended without."""
        begun = {}
        for row in rows:
            self.reached[row["id"]] = asyncio.Event()
            begun[row["id"]] = asyncio.create_task(self.dispatcher.handle(self.walk.mail.rt, self.lease, row))
        self.tasks |= {task: message_id for message_id, task in begun.items()}
        async with asyncio.timeout(30):
            for message_id, task in begun.items():
                there = asyncio.ensure_future(self.reached[message_id].wait())
                done, _ = await asyncio.wait({there, task}, return_when="FIRST_COMPLETED")
                there.cancel()
                for ended in done:
                    ended.result()  # a handler that fails is not waited for


@dataclass
class Walk:
    """One walk: who is there, what happened, and every promise that was broken, as sentences."""

    mail: Mail
    clock: Clock
    seed: int
    persons: dict[str, list[Person]] = field(default_factory=dict)
    hands: list[Hand] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    out: set[str] = field(default_factory=set)
    left: set[str] = field(default_factory=set)
    permits: Counter[str] = field(default_factory=Counter)
    once_more: set[str] = field(default_factory=set)
    settled: set[str] = field(default_factory=set)
    broken: list[str] = field(default_factory=list)
    down: bool = False
    dice: random.Random = field(init=False)
    since: str = field(init=False)
    _who: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Its own dice, and its own time."""
        self.dice = random.Random(self.seed)
        self.since = id_at("msg", self.clock.advance(seconds=10))

    async def begin(self) -> None:
        """Three people, one of them without a number and one with two spellings of theirs; two workers."""
        number = 1000 + self.seed % 9000
        async with self.mail.rt.db.tx() as tx:
            rt = self.mail.rt
            await tx.execute(
                "UPDATE messages SET work = NULL WHERE work IS NOT NULL"
            )  # of a walk that went wrong
            alice = await people.by_phone(tx, rt, f"+1555000{number}", learned_from="assistant:bot")
            hidden = await people.meet(tx, rt, Identity(bsuid=f"US.{number}"), learned_from="meta:message")
            bia = await people.by_phone(tx, rt, f"+554198888{number}", learned_from="assistant:bot")
            twin = await people.meet(tx, rt, Identity(wa_id=f"55418888{number}"), learned_from="meta:message")
        self.persons = {"alice": [alice], "hidden": [hidden], "bia": [bia, twin]}
        for who, records in self.persons.items():
            self._who |= {str(person.to or person.bsuid).lstrip("+"): who for person in records}
        self.hands = [Hand(self, Lease(await self.mail.enlist())) for _ in range(2)]
        await self.mend()

    async def end(self) -> None:
        """Nothing of it goes on."""
        for hand in self.hands:
            for task in hand.tasks:
                task.cancel()
            await asyncio.gather(*hand.tasks, return_exceptions=True)

    def begins(self, hand: Hand, body: bytes) -> Call:
        """A POST is on the wire: never when an earlier one may have been taken, never to somebody who was let go."""
        said = msgspec.json.decode(body)
        message_id, attempt = attempts.named(said["biz_opaque_callback_data"])
        assert message_id is not None
        assert attempt is not None
        who, text = self._who[(said.get("to") or said["recipient"]).lstrip("+")], body.decode()
        self._never_twice(message_id)
        if _FAREWELL in text:
            self._under_way(who)
            if who in self.out:
                self.left.add(who)
        elif who in self.left and _WELCOME not in text:
            self.broken.append(f"{message_id} was posted to {who} after they had left")
        call = Call(
            message_id, attempt, who, _FAREWELL in text or _WELCOME in text, said["type"] != "template",
            self.clock(), hand, asyncio.get_running_loop().create_future(),
        )  # fmt: skip
        self.calls.append(call)
        return call

    def _never_twice(self, message_id: str) -> None:
        doubtful = [call for call in self.calls if call.message_id == message_id and not call.proved]
        asked = message_id in self.once_more and all(
            self.clock() - call.at >= REPORT_UNKNOWN_AFTER for call in doubtful
        )
        if len(doubtful) > self.permits[message_id] + asked:
            self.broken.append(f"{message_id} was posted again, though an earlier POST may have been taken")

    def _under_way(self, who: str) -> None:
        for call in self.calls:
            given_up = call.orphan and self.clock() - call.at >= UNDER_WAY
            if call.who == who and call.taken is None and not given_up and not call.about_leaving:
                self.broken.append(f"{who} was told they had left while {call.message_id} was under way")

    async def mend(self) -> None:
        """The sender may send again, as fast as any."""
        async with self.mail.rt.db.tx() as tx:
            await tx.execute(
                "UPDATE senders SET circuit = 'closed', hold_until = NULL, rate = 1000, rate_limit = 1000"
            )

    async def judge(self) -> list[str]:
        """Every promise broken so far."""
        history = await self._history()
        return [*self.broken, *forward_only(history), *self._told(history.messages)]

    def _told(self, rows: Sequence[Any]) -> list[str]:
        """What Meta told of the attempt that counts is not lost."""
        row_of = {row["id"]: row for row in rows}
        found = []
        for call in self.calls:
            row = row_of[call.message_id]
            if row["attempt"] == call.attempt and row["id"] not in self.settled:
                ranks = [RANK[STATUSES[word]] for word in call.told if word != "failed"]
                if ranks and not call.proved and RANK.get(row["state"], -1) < max(ranks):
                    found.append(f"{row['id']} is {row['state']}, though Meta told {sorted(call.told)}")
        return found

    async def _history(self) -> History:
        posts = [
            Post(call.message_id, call.who, "", 0.0, accepted=bool(call.taken and not call.proved))
            for call in self.calls
            if call.message_id not in self.settled
        ]
        steps = "SELECT message_id, state, detail FROM message_timeline WHERE message_id >= $1 ORDER BY id"
        events = "SELECT type, subject FROM events WHERE subject >= $1 AND type = 'message.unknown'"
        return History(
            posts=posts, messages=await self._rows("SELECT * FROM messages WHERE id >= $1"),
            steps=await self._rows(steps), confirmations=(), answers=(), updates=(),
            events=await self._rows(events), acknowledged=frozenset(), stored=(),
        )  # fmt: skip

    async def _rows(self, sql: str) -> list[Record]:
        async with self.mail.rt.db.one() as tx:
            return await tx.fetch(sql, self.since)
