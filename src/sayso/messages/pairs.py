"""How fast one sender writes to one person: bursts on credit, paid back before the next (cloud-api 6).

Claims write them, under the sender's lock, and results: an inbound message never waits for them, nor they for it.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from sayso.core.database import Tx
from sayso.messages.conversations import Pair
from sayso.people.service import Person
from sayso.senders.rules import Burst

READ = (
    "SELECT phone_number_id, person_id, began, count FROM pairs "
    "WHERE phone_number_id = ANY($1) AND person_id = ANY($2)"
)
_WRITE = (
    "INSERT INTO pairs (person_id, phone_number_id, began, count) "
    "SELECT * FROM unnest($1::text[], $2::text[], $3::timestamptz[], $4::int[]) "
    "ON CONFLICT (phone_number_id, person_id) DO UPDATE SET began = EXCLUDED.began, count = EXCLUDED.count"
)
_GIVE_BACK = """
WITH given AS (
    SELECT person_id, phone_number_id, count(*) AS count
    FROM unnest($1::text[], $2::text[]) AS g (person_id, phone_number_id) GROUP BY 1, 2
), locked AS MATERIALIZED (
    SELECT person_id, phone_number_id, given.count FROM pairs JOIN given USING (person_id, phone_number_id)
    ORDER BY 1, 2 FOR UPDATE OF pairs
)
UPDATE pairs p SET count = greatest(0, p.count - l.count) FROM locked l
WHERE p.phone_number_id = l.phone_number_id AND p.person_id = l.person_id
"""
#: When the last of those that wait for one thing looks again.
TAILS = """
SELECT k.key, (SELECT m.work_at FROM messages m WHERE m.held_by = k.key AND m.work = 'waiting'
    ORDER BY m.work_at DESC LIMIT 1) AS last FROM unnest($1::text[]) AS k (key)
"""


def hold_key(pair: Pair) -> str:
    """What messages that wait for a burst to be paid back are held by."""
    person_id, phone_number_id = pair
    return f"pair:{phone_number_id}:{person_id}"


async def read(tx: Tx, persons: Collection[Person], senders: Collection[str]) -> dict[Pair, Burst]:
    """The bursts of these people with these senders, under any of their records: the one that is paid back last."""
    owner = {record_id: person.id for person in persons for record_id in person.ids}
    found: dict[Pair, Burst] = {}
    for row in await tx.fetch(READ, list(senders), list(owner)):
        pair = (owner[row["person_id"]], row["phone_number_id"])
        burst = Burst(row["began"], row["count"])
        found[pair] = max(burst, found.get(pair, burst), key=Burst.paid_back)
    return found


async def write(tx: Tx, bursts: Mapping[Pair, Burst]) -> None:
    """Keep bursts as they are now."""
    if bursts:
        pairs = sorted(bursts)
        await tx.execute(
            _WRITE,
            [person for person, _ in pairs],
            [sender for _, sender in pairs],
            [bursts[pair].began for pair in pairs],
            [bursts[pair].count for pair in pairs],
        )


async def give_back(tx: Tx, pairs: Sequence[Pair]) -> None:
    """Messages that provably were not accepted used up no credit."""
    if pairs:
        await tx.execute(_GIVE_BACK, [person for person, _ in pairs], [sender for _, sender in pairs])


async def tails(tx: Tx, keys: Collection[str]) -> dict[str, datetime]:
    """When the last message that is held by each key looks again; those without one are missing."""
    if not keys:
        return {}
    return {row["key"]: row["last"] for row in await tx.fetch(TAILS, sorted(keys)) if row["last"] is not None}
