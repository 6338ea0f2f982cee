"""Messages as rows: accepted here, moved by statuses, each step on its timeline with its reason."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from sayso.core.claims import Queue
from sayso.core.database import Record, Tx
from sayso.core.runtime import Runtime
from sayso.core.telemetry import MESSAGES
from sayso.events import service as events
from sayso.messages.rules import LANES, Purpose
from sayso.people.service import Person
from sayso.whatsapp.content import Content, to_data
from sayso.whatsapp.updates import GraphError

QUEUE = Queue("messages", order="lane, id")

#: The client of what no single assistant said: answers to STOP and START. No token can carry it.
OURSELVES = ""

_QUEUE = """
WITH written AS (
    INSERT INTO messages (id, client_id, person_id, phone_number_id, purpose, lane, confirmation_id, content,
        outside_window, needs_window, quotes, expires_at, state, created_at, work, work_at)
    SELECT id, client_id, person_id, phone_number_id, purpose, lane, confirmation_id, content::jsonb,
        outside_window::jsonb, needs_window, coalesce(quotes, (SELECT m.wamid FROM messages m WHERE m.id = ours)),
        expires_at, 'queued', $14, 'ready', $14
    FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::int[], $7::text[], $8::text[],
        $9::text[], $10::bool[], $11::text[], $12::timestamptz[], $13::text[])
        AS d (id, client_id, person_id, phone_number_id, purpose, lane, confirmation_id, content, outside_window,
            needs_window, quotes, expires_at, ours)
)
INSERT INTO message_timeline (message_id, at, state) SELECT id, $14, 'queued' FROM unnest($1::text[]) AS d (id)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A message to be: ``content`` inside the window, ``outside_window`` (a template) when it is closed.

    It quotes a message of the person's by its wamid, or one of ours by our id.
    """

    client_id: str
    person: Person
    phone_number_id: str
    purpose: Purpose
    content: Content
    expires_at: datetime
    outside_window: Content | None = None
    needs_window: bool = False
    quotes: str | None = None
    quotes_message: str | None = None
    confirmation_id: str | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """One entry of a timeline."""

    message_id: str
    at: datetime
    state: str
    reason: str | None = None
    detail: Mapping[str, Any] | None = None
    moved: bool = True


async def send(tx: Tx, rt: Runtime, draft: Draft) -> str:
    """Queue a message; its id. It leaves once this transaction has committed."""
    return (await send_all(tx, rt, [draft]))[0]


async def send_all(tx: Tx, rt: Runtime, drafts: Sequence[Draft]) -> list[str]:
    """Queue messages; their ids."""
    message_ids = [rt.new_id("msg") for _ in drafts]
    columns = zip(*map(_columns, message_ids, drafts), strict=True)
    await tx.execute(_QUEUE, *map(list, columns), rt.now())
    tx.after_commit(lambda: MESSAGES.labels("queued").inc(len(drafts)))
    tx.after_commit(lambda: rt.wakes.work(QUEUE.table))
    return message_ids


def _columns(message_id: str, draft: Draft) -> tuple[Any, ...]:
    return (
        message_id,
        draft.client_id,
        draft.person.id,
        draft.phone_number_id,
        draft.purpose,
        LANES[draft.purpose],
        draft.confirmation_id,
        _json(draft.content),
        _json(draft.outside_window) if draft.outside_window else None,
        draft.needs_window,
        draft.quotes,
        draft.expires_at,
        draft.quotes_message,
    )


def _json(content: Content) -> str:
    return msgspec.json.encode(to_data(content)).decode()


async def note(tx: Tx, steps: Sequence[Step]) -> None:
    """Write on timelines; what moved its message is counted."""
    await tx.execute(
        "INSERT INTO message_timeline (message_id, at, state, reason, detail) "
        "SELECT message_id, at, state, reason, detail::jsonb "
        "FROM unnest($1::text[], $2::timestamptz[], $3::text[], $4::text[], $5::text[]) "
        "AS step (message_id, at, state, reason, detail)",
        [step.message_id for step in steps],
        [step.at for step in steps],
        [step.state for step in steps],
        [step.reason for step in steps],
        [step.detail and msgspec.json.encode(step.detail).decode() for step in steps],
    )
    tx.after_commit(lambda: _count(steps))


def _count(steps: Sequence[Step]) -> None:
    for state, count in Counter(step.state for step in steps if step.moved).items():
        MESSAGES.labels(state).inc(count)


async def note_inbound(tx: Tx, person: Person, phone_number_id: str, at: datetime) -> None:
    """The person wrote at ``at``: their 24-hour window with this sender runs from there, or from later."""
    await tx.execute(
        "INSERT INTO conversations AS c (person_id, phone_number_id, last_inbound_at) VALUES ($1, $2, $3) "
        "ON CONFLICT (person_id, phone_number_id) DO UPDATE SET last_inbound_at = $3 "
        "WHERE c.last_inbound_at IS NULL OR c.last_inbound_at < $3",
        person.id,
        phone_number_id,
        at,
    )


async def windows(tx: Tx, persons: Sequence[Person]) -> dict[tuple[str, str], datetime]:
    """When each person last wrote to each sender, by (person id, phone number id)."""
    owner = {record_id: person.id for person in persons for record_id in person.ids}
    rows = await tx.fetch(
        "SELECT person_id, phone_number_id, last_inbound_at FROM conversations "
        "WHERE person_id = ANY($1) AND last_inbound_at IS NOT NULL",
        list(owner),
    )
    opened: dict[tuple[str, str], datetime] = {}
    for row in rows:
        pair = (owner[row["person_id"]], row["phone_number_id"])
        opened[pair] = max(row["last_inbound_at"], opened.get(pair, row["last_inbound_at"]))
    return opened


def explain(error: GraphError) -> str:
    """An error of Meta's in one line: its code, its title, its details."""
    tail = f": {error.details}" if error.details and error.details != error.title else ""
    return f"Meta {error.code} {error.title}{tail}"


async def get(tx: Tx, message_id: str) -> Record | None:
    """A message's row."""
    return await tx.fetchrow("SELECT * FROM messages WHERE id = $1", message_id)


async def timeline(tx: Tx, message_id: str) -> list[Record]:
    """Everything that happened to a message, in the order it became known."""
    return await tx.fetch(
        "SELECT at, state, reason, detail FROM message_timeline WHERE message_id = $1 ORDER BY id", message_id
    )


async def by_wamid(tx: Tx, wamid: str) -> Record | None:
    """The message of ours that Meta gave this id."""
    return await tx.fetchrow("SELECT * FROM messages WHERE wamid = $1", wamid)


async def page(tx: Tx, client_id: str, *, state: str | None, before: str | None, limit: int) -> list[Record]:
    """An assistant's messages, newest first."""
    return await tx.fetch(
        "SELECT * FROM messages WHERE client_id = $1 AND ($2::text IS NULL OR state = $2) "
        "AND ($3::text IS NULL OR id < $3) ORDER BY id DESC LIMIT $4",
        client_id,
        state,
        before,
        limit,
    )


async def tell_failed(tx: Tx, rt: Runtime, row: Record) -> None:
    """Tell the assistant that its message did not reach the person."""
    await events.emit(
        tx,
        rt,
        client_id=row["client_id"],
        kind="message.failed",
        subject=row["id"],
        data={
            "message_id": row["id"],
            "confirmation_id": row["confirmation_id"],
            "state": row["state"],
            "code": row["error_code"],
            "reason": row["reason"],
        },
    )
