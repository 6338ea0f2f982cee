"""How many people a portfolio reached outside windows in 24 hours, and whether there is room for one more.

A person is counted when a message to them is about to be posted, by the message that holds the place; the place is
given back when that message provably was not accepted. Whoever was counted already is free.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from sayso.core.database import Tx
from sayso.core.runtime import Runtime
from sayso.events import alerts
from sayso.senders.rules import REACH

#: People forgotten in one statement: so many that a claim is not delayed.
SWEEP: Final = 500
#: A place that was renewed a moment ago is not written again.
_RENEWED: Final = timedelta(minutes=5)
#: Where so many wait that nobody knows when it is their turn, they look again this far apart.
_ONE_BY_ONE: Final = timedelta(seconds=1)

REACHED = """
SELECT portfolio_id, person_id FROM portfolio_reach
WHERE portfolio_id = ANY($1) AND person_id = ANY($2) AND at > $3
"""
LOCK = "SELECT id, tier_limit, used, hold_why FROM portfolios WHERE id = ANY($1) ORDER BY id FOR UPDATE"
SWEEPING = f"""
WITH over AS MATERIALIZED (
    SELECT person_id FROM portfolio_reach WHERE portfolio_id = $1 AND at <= $2 ORDER BY at LIMIT {SWEEP} FOR UPDATE
), gone AS (
    DELETE FROM portfolio_reach r USING over WHERE r.portfolio_id = $1 AND r.person_id = over.person_id RETURNING 1
)
UPDATE portfolios SET used = used - (SELECT count(*) FROM gone) WHERE id = $1 RETURNING used
"""
ENDING = "SELECT at FROM portfolio_reach WHERE portfolio_id = $1 AND at > $2 ORDER BY at LIMIT $3"
_HOLD_PLACES = """
WITH places AS (
    INSERT INTO portfolio_reach (portfolio_id, person_id, at, message_id)
    SELECT portfolio_id, person_id, $4, message_id
    FROM unnest($1::text[], $2::text[], $3::text[]) AS p (portfolio_id, person_id, message_id)
    ON CONFLICT (portfolio_id, person_id) DO UPDATE SET at = EXCLUDED.at, message_id = EXCLUDED.message_id
    RETURNING portfolio_id, xmax = 0 AS new
)
UPDATE portfolios p SET used = p.used + n.new
FROM (SELECT portfolio_id, count(*) FILTER (WHERE new) AS new FROM places GROUP BY 1) n WHERE p.id = n.portfolio_id
"""
_STALE = """
SELECT s.portfolio_id, m.person_id, m.message_id
FROM unnest($1::text[], $2::text[], $3::text[]) AS m (sender, person_id, message_id) JOIN senders s ON s.id = m.sender
LEFT JOIN portfolio_reach r ON r.portfolio_id = s.portfolio_id AND r.person_id = m.person_id
WHERE r.at IS NULL OR r.at < $4 OR r.message_id <> m.message_id
"""
_GIVE_BACK = """
WITH gone AS (DELETE FROM portfolio_reach WHERE message_id = ANY($1) RETURNING portfolio_id)
UPDATE portfolios p SET used = p.used - n.gone
FROM (SELECT portfolio_id, count(*) AS gone FROM gone GROUP BY 1) n WHERE p.id = n.portfolio_id
"""
_PLACES_OF = "SELECT DISTINCT portfolio_id FROM portfolio_reach WHERE message_id = ANY($1)"


def hold_key(portfolio_id: str) -> str:
    """What messages that wait for room are held by."""
    return f"tier:{portfolio_id}"


@dataclass(slots=True)
class Headroom:
    """A portfolio's room for people not reached yet, under its row's lock; ``limit`` None: no limit is known.

    ``reached`` holds persons' ids; ``places`` are those taken in this claim, by person: under which of their records,
    and by which message.
    """

    portfolio_id: str
    limit: int | None
    used: int
    reached: set[str]
    told: bool
    places: dict[str, tuple[str, str]] = field(default_factory=dict)
    turned_away: int = 0

    @property
    def is_full(self) -> bool:
        """Whether nobody new may be reached."""
        return self.limit is not None and self.used >= self.limit

    def has_room_for(self, person_id: str) -> bool:
        """Whether a template to this person would go."""
        return person_id in self.reached or not self.is_full

    def reach(self, person_id: str, record_id: str, message_id: str) -> None:
        """A template goes to this person."""
        if person_id not in self.reached:
            self.reached.add(person_id)
            self.places[person_id] = (record_id, message_id)
            self.used += 1

    @property
    def why(self) -> str:
        """The reason, for people."""
        return f"messaging limit of {self.limit:,} people in 24 hours outside their windows reached"


async def read(
    tx: Tx, persons: Mapping[str, Collection[str]], owners: Mapping[str, str], now: datetime
) -> dict[str, Headroom]:
    """The room of portfolios, by portfolio, for the persons (any record's id) that templates would go to.

    ``owners`` says whose record an id is. The rows of the portfolios stay locked until the transaction ends.
    """
    if not persons:
        return {}
    rows = await tx.fetch(LOCK, list(persons))
    everybody = sorted({person for those in persons.values() for person in those})
    known = await tx.fetch(REACHED, list(persons), everybody, now - REACH)
    reached: dict[str, set[str]] = {row["id"]: set() for row in rows}
    for row in known:
        reached[row["portfolio_id"]].add(owners[row["person_id"]])
    found = {
        row["id"]: Headroom(
            row["id"], row["tier_limit"], row["used"], reached[row["id"]], row["hold_why"] is not None
        )
        for row in rows
    }
    for room in found.values():
        if room.limit is not None and room.used + len(persons[room.portfolio_id]) > room.limit:
            room.used = await sweep(tx, room.portfolio_id, now)
    return found


async def sweep(tx: Tx, portfolio_id: str, now: datetime) -> int:
    """Forget people reached more than a day ago, at most ``SWEEP`` of them; how many are left."""
    used: int = await tx.fetchval(SWEEPING, portfolio_id, now - REACH) or 0
    return used


async def sweep_all(rt: Runtime, portfolio_id: str) -> None:
    """Forget everybody reached more than a day ago, a few at a time: claims wait for the portfolio's row."""
    swept = SWEEP
    while swept >= SWEEP:
        async with rt.db.tx() as tx:
            before = await tx.fetch(LOCK, [portfolio_id])
            used = await sweep(tx, portfolio_id, rt.now())
        swept = before[0]["used"] - used if before else 0


async def endings(tx: Tx, portfolio_id: str, *, after: datetime, now: datetime, count: int) -> list[datetime]:
    """When places become free, in their order: ``count`` moments later than ``after``; the last those taken now."""
    rows = await tx.fetch(ENDING, portfolio_id, after - REACH, count)
    moments = [row["at"] + REACH for row in rows]
    while len(moments) < count:
        last = moments[-1] if moments else after
        moments.append(max(now + REACH, last + _ONE_BY_ONE))
    return moments


async def write(tx: Tx, rt: Runtime, rooms: Sequence[Headroom], now: datetime) -> None:
    """Hold the places taken in this claim; say when a limit is reached, and when nobody waits any more."""
    places = [(room.portfolio_id, *place) for room in rooms for place in room.places.values()]
    await _hold(tx, places, now)
    for room in rooms:
        if room.turned_away and not room.told:
            await tx.execute("UPDATE portfolios SET hold_why = $2 WHERE id = $1", room.portfolio_id, room.why)
            await alerts.raise_(
                tx,
                rt,
                hold_key(room.portfolio_id),
                severity="warning",
                title="The messaging limit is reached",
                detail=f"{room.why}. Messages to people not reached yet wait for the oldest of these to be a day ago; "
                "replies, and whoever was reached already, are not delayed.",
                advice="Verify the business, or keep quality high and use half of the limit: Meta raises it by itself.",
            )


async def room_again(tx: Tx, rt: Runtime, portfolio_id: str) -> None:
    """Nobody waits for room any more."""
    await tx.execute("UPDATE portfolios SET hold_why = NULL WHERE id = $1", portfolio_id)
    await alerts.resolve(tx, rt, hold_key(portfolio_id))


async def _hold(tx: Tx, places: Sequence[tuple[str, str, str]], now: datetime) -> None:
    if places:
        await tx.execute(_HOLD_PLACES, *([place[at] for place in sorted(places)] for at in range(3)), now)


async def settle(
    tx: Tx, *, accepted: Sequence[tuple[str, str, str]], given_back: Sequence[str], now: datetime
) -> None:
    """What came of templates: ``accepted`` as (sender, person, message), ``given_back`` the messages never taken.

    Last in its transaction: a claim may wait for the portfolio's row, and holds people and senders meanwhile.
    """
    places: list[tuple[str, str, str]] = []
    if accepted:
        columns = ([each[at] for each in accepted] for at in range(3))
        rows = await tx.fetch(_STALE, *columns, now - _RENEWED)
        places = [(row["portfolio_id"], row["person_id"], row["message_id"]) for row in rows]
    freed = await tx.fetch(_PLACES_OF, list(given_back)) if given_back else []
    portfolios = {place[0] for place in places} | {row["portfolio_id"] for row in freed}
    if portfolios:
        await tx.fetch(LOCK, sorted(portfolios))
        await _hold(tx, list({place[:2]: place for place in places}.values()), now)
        await tx.execute(_GIVE_BACK, list(given_back))
