"""How many messages became what: by the hour in which they were queued, and what waits now. Bounded in every case."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import msgspec

from sayso.core.database import Tx
from sayso.core.runtime import id_at

#: The newest of a period count; a period with more says so.
COUNTED_AT_MOST: Final = 500_000
#: What waits is counted up to here for each lane of each sender.
WAITING_AT_MOST: Final = 100_000

#: What was erased, or settled by hand, has no wamid, and was accepted as far as its state says.
_PERIOD = """
WITH period AS (
    SELECT phone_number_id, state, error_code, reason, wamid, posted_at, price_estimate, price_category,
        price_billable, created_at FROM messages
    WHERE id >= $1 AND id < $2 AND ($3::text IS NULL OR phone_number_id = $3) ORDER BY id DESC LIMIT $4
)
SELECT date_trunc('hour', created_at, 'UTC') AS hour, phone_number_id AS sender, state, error_code,
    CASE WHEN state = 'suppressed' THEN
        regexp_replace(reason, ' \\(consent entry [^)]*\\)| at [0-9-]+ [0-9:]+ UTC', '', 'g') END AS why,
    posted_at IS NOT NULL AS attempted,
    wamid IS NOT NULL OR state IN ('accepted', 'sent', 'delivered', 'read') AS accepted, price_estimate AS estimate,
    price_category AS charged, price_billable AS billable, count(*) AS many
FROM period GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 ORDER BY 1, 2
"""
_WAITING = """
SELECT s.id AS sender, lanes.lane, w.many, w.oldest_at FROM unnest($1::text[]) AS s (id)
CROSS JOIN generate_series(0, $2::int) AS lanes (lane)
CROSS JOIN LATERAL (SELECT count(*) AS many, min(work_at) AS oldest_at FROM (
    SELECT work_at FROM messages m WHERE m.work = 'ready' AND m.phone_number_id = s.id AND m.lane = lanes.lane
    ORDER BY id LIMIT $3) AS part) AS w
WHERE w.many > 0 ORDER BY 1, 2
"""
_HELD = """
SELECT held_by AS by, min(held) AS held, count(*) AS many, min(work_at) AS until FROM (
    SELECT held_by, held, work_at FROM messages WHERE held_by IS NOT NULL AND work IS NOT NULL LIMIT $1) AS part
GROUP BY 1 ORDER BY many DESC, 1 LIMIT 100
"""
_UNKNOWN = """
SELECT count(*) AS many, min(posted_at) AS oldest_at FROM (
    SELECT posted_at FROM messages WHERE state = 'unknown' LIMIT $1
) AS part
"""


@dataclass(frozen=True, slots=True)
class Group:
    """Messages that were queued in one hour and are alike in everything else."""

    hour: datetime
    sender: str
    state: str
    error_code: int | None
    why: str | None
    attempted: bool
    accepted: bool
    estimate: str | None
    charged: str | None
    billable: bool | None
    many: int


@dataclass(frozen=True, slots=True)
class Waiting:
    """What is ready to go in a lane of a sender; ``many`` ends at ``WAITING_AT_MOST``."""

    sender: str
    lane: int
    many: int
    oldest_at: datetime


@dataclass(frozen=True, slots=True)
class HeldBack:
    """What waits for one thing: its key, a sentence, and when the first of it is looked at again."""

    by: str
    held: str | None
    many: int
    until: datetime


async def groups(tx: Tx, since: datetime, until: datetime, sender: str | None) -> list[Group]:
    """What became of the messages queued from ``since`` to before ``until``, the newest ``COUNTED_AT_MOST`` of them."""
    rows = await tx.fetch(_PERIOD, id_at("msg", since), id_at("msg", until), sender, COUNTED_AT_MOST)
    return [msgspec.convert(dict(row), Group) for row in rows]


async def waiting(tx: Tx, senders: Sequence[str], lanes: int) -> list[Waiting]:
    """What is ready to go now, by sender and lane; ``lanes`` is the highest."""
    rows = await tx.fetch(_WAITING, list(senders), lanes, WAITING_AT_MOST)
    return [msgspec.convert(dict(row), Waiting) for row in rows]


async def held(tx: Tx) -> list[HeldBack]:
    """What is held back now, by what holds it."""
    return [msgspec.convert(dict(row), HeldBack) for row in await tx.fetch(_HELD, WAITING_AT_MOST)]


async def unknown(tx: Tx) -> tuple[int, datetime | None]:
    """How many messages are ``unknown`` now, and since when the oldest of them is."""
    row = await tx.fetchrow(_UNKNOWN, WAITING_AT_MOST)
    return (row["many"], row["oldest_at"]) if row else (0, None)
