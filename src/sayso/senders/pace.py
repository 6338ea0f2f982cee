"""How fast each number sends: slots handed out under its row's lock, and waited for before the POST.

The budget is one moment a sender, ``tat``: the first slot nobody has taken, by the database's clock. However many
processes share the sender, whoever has its row takes the slots of the next tenth of a second and moves ``tat`` on.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from sayso.core.database import Tx
from sayso.core.runtime import Runtime
from sayso.senders import rules

#: How far ahead slots are taken: longer makes fewer claims, and lets a late answer wait behind what was taken already.
HORIZON: Final = timedelta(milliseconds=100)
#: On a machine so busy that a claim takes long, slots are taken so many times as far ahead: claims of one sender come
#: one after another, and each has to last until the next.
_LEADS: Final = 3
#: How far ahead a slot for a message that missed its own may lie: beyond, it goes back into the queue.
_FURTHEST: Final = timedelta(seconds=2)
#: Senders whose slots are taken in one claim.
AT_ONCE: Final = 8

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
_AGAIN = """
SELECT greatest(tat, clock_timestamp() - interval '1 hour') AS tat, rate, rate_grows_at, rate_limit,
    clock_timestamp() AS clock FROM senders WHERE id = $1 FOR UPDATE
"""
_IMPATIENT = "SET LOCAL lock_timeout = '500ms'"
_MOVE_TO = "UPDATE senders SET tat = $2 WHERE id = $1"
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


async def take_again(tx: Tx, sender: str, count: int, *, lead: timedelta) -> tuple[list[datetime], datetime]:
    """New slots for messages that missed theirs, before whatever is claimed next; and the database's clock.

    They are in flight already, so whatever holds the sender by now does not hold them. Who has its row has it for
    milliseconds: one that stands still is not waited for, or heartbeats and claims would wait for this connection.
    """
    await tx.execute(_IMPATIENT)
    row = await tx.fetchrow(_AGAIN, sender)
    if row is None:
        return [], datetime.min.replace(tzinfo=UTC)
    rate = rules.grown(row["rate"], row["rate_grows_at"], row["clock"], row["rate_limit"])
    found, apart = rules.slots(row["tat"], row["clock"] + lead, row["clock"] + _FURTHEST, rate, count)
    if found:
        await tx.execute(_MOVE_TO, sender, found[-1] + apart)
    return found, row["clock"]
