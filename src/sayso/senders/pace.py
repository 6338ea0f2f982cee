"""How fast each number sends: slots handed out under its row's lock, and waited for before the POST.

The budget is one moment a sender, ``tat``: the first slot nobody has taken, by the database's clock. However many
processes share the sender, whoever has its row takes the slots of the next tenth of a second and moves ``tat`` on.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from sayso.core.database import Tx
from sayso.core.runtime import Runtime
from sayso.senders import rules

#: How far ahead slots are taken: longer makes fewer claims, and lets a late answer wait behind what was taken already.
HORIZON: Final = timedelta(milliseconds=100)
#: On a machine so busy that a claim takes long, slots are taken so many times as far ahead: claims of one sender come
#: one after another, and each has to last until the next.
_LEADS: Final = 3
#: Senders whose slots are taken in one claim.
AT_ONCE: Final = 8

#: Timers are no finer.
_TIMERS_S: Final = 0.001
#: Lateness below this is not made up for: timers and a busy loop are that inexact.
_TOLERATED_S: Final = 0.008
#: How fast a process that was late comes closer to its slots again: the share of time that ``rules.SHARE`` leaves.
_CATCHES_UP: Final = 0.01
#: The longest lead, and the share by which each claim that needed less brings it down.
_LONGEST_LEAD_S: Final = 0.25
_FORGETS: Final = 0.1
#: More lateness than this is not kept: whoever stood still for so long begins anew.
_LATEST_S: Final = 0.25

LOCK = """
SELECT id, portfolio_id, greatest(tat, clock_timestamp() - interval '1 hour') AS tat, rate, rate_grows_at, rate_limit,
    turn, clock_timestamp() AS clock FROM senders
WHERE id = ANY($1) AND circuit = 'closed' AND (hold_until IS NULL OR hold_until <= $2)
ORDER BY senders.tat LIMIT $3 FOR UPDATE SKIP LOCKED
"""
_MOVE = """
UPDATE senders s SET tat = n.tat, turn = s.turn + n.went
FROM unnest($1::text[], $2::timestamptz[], $3::int[]) AS n (id, tat, went) WHERE s.id = n.id
"""
_KNOWN = """
SELECT id, circuit = 'closed' AND (hold_until IS NULL OR hold_until <= $2) AS open FROM senders WHERE id = ANY($1)
"""
_PORTFOLIO = "INSERT INTO portfolios (id) VALUES ($1) ON CONFLICT DO NOTHING"
_STRANGERS = (
    "INSERT INTO senders (id, waba_id, portfolio_id, work_at) SELECT id, $2, $2, $3 FROM unnest($1::text[]) AS s (id) "
    "ON CONFLICT DO NOTHING"
)


@dataclass(slots=True)
class Taken:
    """A sender whose row is locked until the transaction ends, with the slots it has for us.

    ``clock`` is the database's when the row was read, ``begin`` when what is claimed now can be posted at the earliest.
    It is looked at again when half of its ``horizon`` is free. ``turn`` counts the messages that ever got a slot.
    """

    id: str
    portfolio_id: str
    clock: datetime
    begin: datetime
    horizon: timedelta
    turn: int
    free: list[datetime]
    apart: timedelta
    tat: datetime
    went: int = 0

    def next(self) -> datetime | None:
        """The slot the next message would get; None when there is none."""
        return self.free[self.went] if self.went < len(self.free) else None

    def go(self) -> datetime:
        """Take that slot."""
        slot = self.free[self.went]
        self.went += 1
        self.tat = slot + self.apart
        return slot

    def look_in(self) -> float:
        """In how many seconds it has a worthwhile number of slots, from when the row was read."""
        return max(0.0, (self.tat - self.begin - self.horizon / 2).total_seconds())


async def take(
    tx: Tx, rt: Runtime, ids: Sequence[str], *, most: int, lead: timedelta
) -> tuple[list[Taken], bool]:
    """Lock what is free of these senders, and find their slots from ``lead`` on, each its share of ``most``.

    Passed over are those that are on hold, and those somebody else is just claiming from; whether there were any of
    the latter. Those whose slots are not worth a claim yet have none.
    """
    rows = await tx.fetch(LOCK, list(ids), rt.now(), AT_ONCE)
    passed_over = len(rows) < len(ids) and await _others_claim(tx, rt, ids, {row["id"] for row in rows})
    taken = []
    for number, row in enumerate(rows):
        share = most // len(rows) + (number < most % len(rows))
        rate = rules.grown(row["rate"], row["rate_grows_at"], row["clock"], row["rate_limit"])
        horizon = max(HORIZON, _LEADS * lead)
        begin = (
            row["clock"] + lead if row["tat"] > row["clock"] else row["clock"]
        )  # else its pace is no bound now
        free, apart = rules.slots(row["tat"], begin, begin + horizon, rate, share)
        worthwhile = bool(free) and free[0] <= begin + horizon / 2
        one = Taken(
            row["id"],
            row["portfolio_id"],
            row["clock"],
            begin,
            horizon,
            row["turn"],
            free if worthwhile else [],
            apart,
            row["tat"],
        )
        taken.append(one)
    return taken, passed_over


async def _others_claim(tx: Tx, rt: Runtime, ids: Sequence[str], ours: set[str]) -> bool:
    """Whether somebody else is just claiming from one of these that could send.

    A number that messages wait for, though no setting names it any more, gets a row, for the next look.
    """
    known = {row["id"]: row["open"] for row in await tx.fetch(_KNOWN, list(ids), rt.now())}
    strangers = [sender for sender in ids if sender not in known]
    if strangers:
        waba_id = rt.settings.whatsapp_business_account_id
        await tx.execute(_PORTFOLIO, waba_id)
        await tx.execute(_STRANGERS, strangers, waba_id, rt.now())
    return bool(strangers) or any(known[sender] for sender in known.keys() - ours)


async def move(tx: Tx, taken: Sequence[Taken]) -> None:
    """Write down which slots are gone."""
    went = [one for one in taken if one.went]
    if went:
        await tx.execute(
            _MOVE, [one.id for one in went], [one.tat for one in went], [one.went for one in went]
        )


class Offset:
    """What is to be added to the database's clock to have this process's monotonic one, in seconds.

    Each reading is late by what the answer took to be read, so that the least of the last ones is the truest.
    """

    def __init__(self) -> None:
        self._readings: deque[float] = deque(maxlen=50)

    def read(self, clock: datetime) -> float:
        """Learn from a time of the database's that has just been read; the best offset known."""
        self._readings.append(asyncio.get_running_loop().time() - clock.timestamp())
        return min(self._readings)


class Lead:
    """How long this process needs from reading a sender's row until a message of that claim stands at the wire.

    Slots before that would be missed. What it needs more is learned at once, what it needs less bit by bit.
    """

    def __init__(self) -> None:
        self.seconds = 0.0

    @property
    def value(self) -> timedelta:
        """What to expect now."""
        return timedelta(seconds=self.seconds)

    def learn(self, seconds: float) -> None:
        """The first message of a claim needed so long."""
        weight = 1.0 if seconds > self.seconds else _FORGETS
        self.seconds = min(_LONGEST_LEAD_S, max(0.0, self.seconds + weight * (seconds - self.seconds)))


@dataclass(slots=True)
class _Lateness:
    """How late a sender's messages left their slots, as of the slot ``since``; the ``last`` that left."""

    late: float
    since: float
    last: float

    def at(self, slot: float) -> float:
        """What is left of it at ``slot``; nothing once no second holds a message from before."""
        quiet = slot - self.last > 1.0 + self.late
        return 0.0 if quiet else max(0.0, self.late - _CATCHES_UP * (slot - self.since))


@dataclass(slots=True)
class Beat:
    """Waits for slots, in one process, and keeps what goes out as far apart as the slots are.

    A process that stood still would post everything that came due meanwhile at once. Instead it stays as late as it
    was, coming closer to its slots only as fast as the unused share of the limit allows.
    """

    _late: dict[str, _Lateness] = field(default_factory=dict)
    _waiting: set[asyncio.Future[None]] = field(default_factory=set)
    _stopped: bool = False

    async def wait(self, sender: str, slot: float) -> bool:
        """Return when a message with this slot (by the loop's clock) may go: True, or False when asked to stop."""
        loop = asyncio.get_running_loop()
        while not self._stopped:
            early = slot + self._owed(sender, slot) - loop.time()
            if early <= _TIMERS_S:
                self._note(sender, slot, loop.time() - slot)
                return True
            done: asyncio.Future[None] = loop.create_future()
            timer = loop.call_later(early, _let_go, done)
            self._waiting.add(done)
            try:
                await done
            finally:
                timer.cancel()
                self._waiting.discard(done)
        return False

    def stop(self) -> None:
        """Whoever waits need not any more, and nobody waits from now on."""
        self._stopped = True
        for done in self._waiting:
            _let_go(done)

    def _owed(self, sender: str, slot: float) -> float:
        """How much later than its slot a message goes at the least."""
        kept = self._late.get(sender)
        return max(0.0, kept.at(slot) - _TOLERATED_S) if kept else 0.0

    def _note(self, sender: str, slot: float, late: float) -> None:
        kept = self._late.get(sender)
        if kept is None or late >= kept.at(slot):
            self._late[sender] = _Lateness(min(late, _LATEST_S), slot, slot)
        else:
            kept.last = max(kept.last, slot)


def _let_go(done: asyncio.Future[None]) -> None:
    if not done.done():
        done.set_result(None)
