"""The feed: one row per thing an assistant should hear of, written in the transaction that made it true.

Beside it goes one row for each endpoint that is to hear of it: what is delivered commits with the effect.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import msgspec

from sayso.core.database import Record, Tx
from sayso.core.runtime import Runtime

#: Every event, with what it tells. ``docs/events.md`` has a row for each (a test keeps the two equal).
CATALOGUE = {
    "confirmation.asked": "A confirmation was created and its question queued.",
    "confirmation.decided": "A confirmation has its outcome, once and for ever.",
    "confirmation.answered_late": "The person answered after the end; nothing was changed.",
    "confirmation.commented": "The person said why they declined, having been asked for a reason.",
    "confirmation.counted": "One of several people confirmed or declined; others have to answer, too.",
    "confirmation.held": "The answer is given, and may be taken back until a time; do nothing yet.",
    "confirmation.undone": "An answer was taken back in time; the question is open again, unless the others decide it.",
    "confirmation.extended": "The person asked for more time; the question has another end.",
    "confirmation.escalated": "Somebody else is asked, since those asked before did not receive, read or answer it.",
    "confirmation.frozen": "The identity of somebody who was asked changed: no answer decides until it is released.",
    "confirmation.unfrozen": "An administrator released a frozen question; it can be answered again.",
    "confirmation.executed": "The assistant said what came of a confirmed action.",
    "log.checkpoint": "The decision log has a signed checkpoint; keep it where we cannot change it.",
    "message.failed": "A message did not reach the person; the reason says why.",
    "message.unknown": "Meta's answer was lost, and no status has settled the message since.",
    "person.said": "The person wrote something that decides nothing: a comment.",
    "person.opted_out": "The person asked not to be messaged any more.",
    "person.opt_in_ended": "An opt-in of the person's has come to its end; nothing is begun without a new one.",
    "person.opted_in": "The person asked to be messaged again.",
    "person.number_changed": "The person has another phone number; whoever gets the old one is somebody else.",
    "person.identity_changed": "The person's keys changed, as with a new phone: it may be somebody else who holds it.",
    "template.approved": "A template can be sent from now on.",
    "template.rejected": "Meta rejected a template; its messages wait.",
    "template.paused": "Meta paused a template for its quality; its messages wait.",
    "template.disabled": "Meta disabled a template for good; its messages end.",
    "template.deleted": "A template was deleted at Meta; its messages end.",
    "template.held": "A template is under review, in appeal or archived; its messages wait.",
    "template.category_changed": "Meta files a template under another category.",
    "template.quality_changed": "Meta rates a template otherwise, by how people take its messages.",
    "template.drifted": "Meta has another text of a template than was pushed.",
    "alert.raised": "Something needs the operator's attention; told once, until it is resolved.",
    "alert.resolved": "What an alert told of is over.",
    "sender.changed": "Meta says something new of a number of ours: status, quality, throughput, limit, name.",
    "endpoint.failing": "Four calls of an endpoint in a row have failed; they go on, further and further apart.",
    "endpoint.recovered": "An endpoint that was failing has taken a call again.",
    "endpoint.exhausted": "An event was tried to the end of the ladder and is given up; it can be replayed.",
    "endpoint.disabled": "Nothing is delivered to an endpoint any more, until it is enabled again.",
    "account.news": "Meta told something of the account: a review, a restriction, a security event.",
}

#: Whose deliveries are claimed; see ``delivering``.
DELIVERIES = "deliveries"
#: Whether an endpoint that asked for these types and this subject is to hear of an event.
HEARS = """
(p.subject IS NULL OR p.subject = e.subject) AND (p.types = '{}' OR EXISTS (SELECT FROM unnest(p.types) AS w (pattern)
    WHERE e.type = w.pattern OR (right(w.pattern, 2) = '.*' AND starts_with(e.type, left(w.pattern, -1)))))
"""
#: Where nobody has an endpoint, telling costs no more than this. Of a question nothing stands before what was told of
#: it earlier: whoever waited for its row may have begun first. No reader is past that place while they are under way.
_TELL = """
WITH e AS (
    INSERT INTO events (id, client_id, type, subject, data, at, tx)
    SELECT id, client_id, type, subject, data::jsonb, $6, greatest(pg_current_xact_id(), (
        SELECT b.tx FROM events b WHERE b.subject = told.subject AND starts_with(told.type, 'confirmation.')
        ORDER BY b.tx DESC LIMIT 1))
    FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[])
    AS told (id, client_id, type, subject, data)
)
SELECT EXISTS (SELECT FROM endpoints WHERE state = 'enabled')
"""
#: An endpoint does not hear of itself: what it cannot take, it is not told of by itself.
_DELIVER = f"""
INSERT INTO {DELIVERIES} (id, client_id, endpoint_id, event_id, type, line, state, created_at, work, work_at)
SELECT 'dlv_' || replace(gen_random_uuid()::text, '-', ''), p.client_id, p.id, e.id, e.type, p.id || ' ' || e.subject,
    'pending', $5, 'ready', $5
FROM unnest($1::text[], $2::text[], $3::text[], $4::text[]) AS e (id, client_id, type, subject) CROSS JOIN LATERAL (
    SELECT id, client_id, types, subject FROM endpoints WHERE client_id = e.client_id AND state = 'enabled'
    UNION ALL
    SELECT id, client_id, types, subject FROM endpoints WHERE e.client_id = '' AND state = 'enabled' AND operator
) p WHERE p.id <> e.subject AND {HEARS} ORDER BY e.id
"""


@dataclass(frozen=True, slots=True)
class Event:
    """Something an assistant should hear of, about one ``subject``."""

    client_id: str
    kind: str
    subject: str
    data: Mapping[str, Any]


async def emit(
    tx: Tx, rt: Runtime, *, client_id: str, kind: str, subject: str, data: Mapping[str, Any]
) -> None:
    """Write an event into ``client_id``'s feed; whoever waits on ``subject`` is woken once it has committed."""
    await emit_all(tx, rt, [Event(client_id, kind, subject, data)])


async def emit_all(tx: Tx, rt: Runtime, told: Sequence[Event]) -> None:
    """Write events, each into its assistant's feed.

    The NOTIFY is not part of the transaction: it would make every commit that tells something wait for the one before.
    """
    for event in told:
        if event.kind not in CATALOGUE:
            raise ValueError(f"not in the catalogue: {event.kind}")
    about = [
        [rt.new_id("evt") for _ in told],
        [event.client_id for event in told],
        [event.kind for event in told],
        [event.subject for event in told],
    ]
    now = rt.now()
    data = [msgspec.json.encode(event.data).decode() for event in told]
    if await tx.fetchval(_TELL, *about, data, now) and await tx.execute(_DELIVER, *about, now):
        tx.after_commit(partial(rt.wakes.work, DELIVERIES))
    bells = {event.subject for event in told} | {bell(event.client_id) for event in told}
    for name in bells:
        tx.after_commit(partial(rt.wakes.news, name))


def bell(client_id: str) -> str:
    """What is rung when something was written into a client's feed; short and without spaces, whatever the client."""
    return f"feed:{hashlib.blake2b(client_id.encode(), digest_size=8).hexdigest()}"


@dataclass(frozen=True, slots=True)
class Page:
    """A part of a feed: each event with the cursor after it. ``unsettled``: more has been committed behind it."""

    events: list[tuple[str, dict[str, Any]]]
    unsettled: bool


async def page(tx: Tx, *, clients: Sequence[str], after: str, limit: int) -> Page:
    """Events of these clients after a cursor, oldest first.

    Ordered by the writing transaction, and only up to the oldest one still under way: a reader that followed a plain
    sequence would miss what commits late under a lower number.
    """
    tx_id, _, event_id = after.partition(".")
    rows = await tx.fetch(
        "SELECT e.id, e.tx::text AS written_by, e.type, e.subject, e.data, e.at, "
        "e.tx < pg_snapshot_xmin(pg_current_snapshot()) AS settled "
        "FROM unnest($1::text[]) AS reader (client), LATERAL (SELECT * FROM events "
        "WHERE client_id = reader.client AND (tx, id) > ($2::text::xid8, $3) ORDER BY tx, id LIMIT $4) e "
        "ORDER BY e.tx, e.id LIMIT $4",
        list(dict.fromkeys(clients)),
        tx_id or "0",
        event_id,
        limit,
    )
    settled = [(f"{row['written_by']}.{row['id']}", told(row)) for row in rows if row["settled"]]
    return Page(settled, len(settled) < len(rows))


async def about(tx: Tx, client_id: str, subject: str) -> list[Record]:
    """What a client was told of one subject, oldest first."""
    return await tx.fetch(
        "SELECT id, type, data, at FROM events WHERE subject = $1 AND client_id = $2 ORDER BY id",
        subject,
        client_id,
    )


async def newest(tx: Tx) -> str:
    """The cursor behind everything that can be read now: what is under way comes after it."""
    horizon = int(await tx.fetchval("SELECT pg_snapshot_xmin(pg_current_snapshot())::text"))
    return f"{horizon - 1}.evt_{'z' * 26}"


def told(row: Record) -> dict[str, Any]:
    """An event as it is told in every way: these members, in their order."""
    return {
        "id": row["id"],
        "type": row["type"],
        "timestamp": row["at"],
        "subject": row["subject"],
        "data": row["data"],
    }
