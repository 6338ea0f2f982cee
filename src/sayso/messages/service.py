"""Messages as rows: accepted here, moved by statuses, each step on its timeline with its reason."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import msgspec

from sayso.core.claims import Queue
from sayso.core.database import Record, Tx
from sayso.core.runtime import Runtime
from sayso.core.telemetry import MESSAGES
from sayso.events import service as events
from sayso.messages.rules import LANES, Purpose
from sayso.people.service import Person
from sayso.whatsapp.content import Content, Template, to_data

QUEUE = Queue("messages", order="phone_number_id, lane, id")

Category = Literal["confirmations", "notifications", "daily_summary", "marketing", "service"]
#: What happens when Meta's answer was lost and no status settles it within the deadline.
IfUnknown = Literal["give_up", "retry_once", "ask"]

#: The client of what no single assistant said: answers to STOP and START. No token can carry it.
OURSELVES = ""

#: How ``dedupe`` begins of an answer to somebody who had left when it was queued, the answer to their leaving among
#: them: such an answer goes to whoever is out; one that was queued before they left does not.
TO_WHO_LEFT = "left:"

#: What a message is for, as far as consent is concerned, where its sender does not say.
CATEGORIES: dict[Purpose, Category] = {
    "prompt": "confirmations",
    "send": "notifications",
    "closing": "service",
    "notice": "service",
    "consent": "service",
}

_QUEUE = """
WITH written AS (
    INSERT INTO messages (id, client_id, person_id, phone_number_id, purpose, lane, confirmation_id, content,
        outside_window, needs_window, quotes, expires_at, category, type, template_name, template_language, send_at,
        if_unknown, price_estimate, dedupe, state, created_at, work, work_at)
    SELECT id, client_id, person_id, phone_number_id, purpose, lane, confirmation_id, content::jsonb,
        outside_window::jsonb, needs_window, coalesce(quotes, (SELECT m.wamid FROM messages m WHERE m.id = ours)),
        expires_at, category, type, template_name, template_language, send_at, if_unknown, price_estimate, dedupe,
        'queued', $22, CASE WHEN send_at > $22 THEN 'waiting' ELSE 'ready' END, greatest(send_at, $22)
    FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::int[], $7::text[], $8::text[],
        $9::text[], $10::bool[], $11::text[], $12::timestamptz[], $13::text[], $14::text[], $15::text[], $16::text[],
        $17::text[], $18::timestamptz[], $19::text[], $20::text[], $21::text[])
        AS d (id, client_id, person_id, phone_number_id, purpose, lane, confirmation_id, content, outside_window,
            needs_window, quotes, expires_at, ours, category, type, template_name, template_language, send_at,
            if_unknown, price_estimate, dedupe)
    ON CONFLICT (client_id, dedupe) WHERE dedupe IS NOT NULL DO NOTHING
    RETURNING id, send_at, person_id, client_id
), known AS (
    INSERT INTO message_clients (person_id, client_id) SELECT DISTINCT person_id, client_id FROM written ORDER BY 1, 2
    ON CONFLICT DO NOTHING
), noted AS (
    INSERT INTO message_timeline (message_id, at, state, reason)
    SELECT id, $22, 'queued', CASE WHEN send_at > $22 THEN 'it is to go out at ' ||
        to_char(send_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS "UTC"') END FROM written
)
SELECT id FROM written
"""
_SAME = """
SELECT m.id, d.client_id, d.dedupe FROM unnest($1::text[], $2::text[]) AS d (client_id, dedupe)
JOIN messages m ON m.client_id = d.client_id AND m.dedupe = d.dedupe
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A message to be: ``content`` inside the window, ``outside_window`` (a template) when it is closed.

    It quotes a message of the person's by its wamid, or one of ours by our id. ``category`` is what consent asks
    about; left out, the purpose says it. ``send_at``: not before. ``if_unknown``: what happens when Meta's answer was
    lost and no status settles it. Of several drafts of one client with the same ``dedupe`` the first alone is sent.
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
    category: Category | None = None
    send_at: datetime | None = None
    if_unknown: IfUnknown = "give_up"
    price_estimate: str | None = None
    dedupe: str | None = None


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
    """Queue messages; their ids. A draft that says by ``dedupe`` that it was queued before gives the earlier id."""
    message_ids = [rt.new_id("msg") for _ in drafts]
    columns = zip(*map(_columns, message_ids, drafts), strict=True)
    written = {row["id"] for row in await tx.fetch(_QUEUE, *map(list, columns), rt.now())}
    tx.after_commit(lambda: MESSAGES.labels("queued").inc(len(written)))
    tx.after_commit(lambda: rt.wakes.work(QUEUE.table))
    if len(written) == len(drafts):
        return message_ids
    repeated = [draft for draft in drafts if draft.dedupe is not None]
    rows = await tx.fetch(_SAME, [each.client_id for each in repeated], [each.dedupe for each in repeated])
    same = {(row["client_id"], row["dedupe"]): row["id"] for row in rows}
    return [
        message_id if message_id in written else same[draft.client_id, draft.dedupe]
        for message_id, draft in zip(message_ids, drafts, strict=True)
    ]


def _columns(message_id: str, draft: Draft) -> tuple[Any, ...]:
    template = next((c for c in (draft.outside_window, draft.content) if isinstance(c, Template)), None)
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
        draft.category or CATEGORIES[draft.purpose],
        to_data(draft.content)["type"],
        template and template.name,
        template and template.language,
        draft.send_at,
        draft.if_unknown,
        draft.price_estimate,
        draft.dedupe,
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


async def suppress_all(
    tx: Tx, rt: Runtime, person: Person, entry_id: str, *, scope: Collection[str] | None, reason: str
) -> list[Record]:
    """Take back everything that waits to go to a person who has left: it becomes ``suppressed`` by ``entry_id``.

    ``scope`` names the categories, None means all; a template that is marketing to Meta is of that category, too. The
    answer to the opt-out itself goes. The caller holds the
    person's fence alone, and gets the rows as they are now. What a claim has in its hands this moment is passed over:
    it waits for the fence, then sees the entry and suppresses it at the wire.
    """
    now = rt.now()
    rows = await tx.fetch(
        "WITH these AS MATERIALIZED (SELECT id FROM messages WHERE person_id = ANY($1) AND state = 'queued' "
        "AND coalesce(work, '') <> '' AND work <> 'running' AND purpose <> 'consent' "
        "AND ($2::text[] IS NULL OR category = ANY($2) "
        "OR 'marketing' = ANY($2) AND type = 'template' AND price_estimate = 'marketing') "
        "ORDER BY id FOR UPDATE SKIP LOCKED) UPDATE messages m SET "
        "state = CASE WHEN m.risked THEN 'unknown' ELSE 'suppressed' END, "
        "reason = CASE WHEN m.risked THEN $5 ELSE $3 END, suppressed_by = $4, work = NULL, worker = NULL, "
        "held = NULL, held_by = NULL FROM these WHERE m.id = these.id RETURNING m.*",
        list(person.fence),
        None if scope is None else list(scope),
        reason,
        entry_id,
        f"{reason}{IN_DOUBT}",
    )
    if rows:
        detail = {"consent_entry": entry_id}
        await note(tx, [Step(row["id"], now, row["state"], row["reason"], detail) for row in rows])
        for row in rows:
            await tell_ended(tx, rt, row)
    return rows


#: Said of a message that an earlier attempt may have taken to the person.
IN_DOUBT = "; an earlier attempt may have reached the person"


def ended_as(row: Record, state: str, reason: str) -> tuple[str, str]:
    """The state and reason of a queued message that is not posted any more.

    One that may have been taken before its answer was lost stays ``unknown``: only a status knows better.
    """
    return ("unknown", f"{reason}{IN_DOUBT}") if row["risked"] else (state, reason)


#: Messages released in one transaction.
AT_ONCE = 1000
RELEASE = (
    "WITH these AS MATERIALIZED (SELECT id, held FROM messages WHERE held_by = $1 AND work = 'waiting' "
    f"ORDER BY work_at LIMIT {AT_ONCE} FOR UPDATE SKIP LOCKED) UPDATE messages m SET work = 'ready', work_at = $2, "
    "held = NULL, held_by = NULL FROM these WHERE m.id = these.id RETURNING m.id, m.state, these.held"
)


async def release(tx: Tx, rt: Runtime, held_by: str) -> int:
    """What held these messages is over: they are looked at again at once. How many there were.

    Whoever calls this may hold every sender: where there are more than :data:`AT_ONCE`, the claims release the rest.
    """
    released = await _release_some(tx, rt, held_by)
    if released == AT_ONCE:
        await release_soon(tx, rt, [held_by])
    return released


async def release_soon(tx: Tx, rt: Runtime, keys: Collection[str]) -> None:
    """What held these messages is over; the claims release them, for whoever must not lock messages now."""
    if keys:
        await tx.execute(
            "INSERT INTO releases (held_by) SELECT unnest($1::text[]) ON CONFLICT DO NOTHING", sorted(keys)
        )
        tx.after_commit(lambda: rt.wakes.work(QUEUE.table))


async def release_more(tx: Tx, rt: Runtime) -> None:
    """Go on with what :func:`release` has left; no sender is held meanwhile."""
    held_by = await tx.fetchval("SELECT held_by FROM releases LIMIT 1 FOR UPDATE SKIP LOCKED")
    if held_by is not None and await _release_some(tx, rt, held_by) < AT_ONCE:
        await tx.execute("DELETE FROM releases WHERE held_by = $1", held_by)


async def hold_on(tx: Tx, keys: Collection[str]) -> None:
    """These hold messages again, or still: no more of those that wait for them are released."""
    await tx.execute(
        "DELETE FROM releases WHERE held_by IN "
        "(SELECT held_by FROM releases WHERE held_by = ANY($1) FOR UPDATE SKIP LOCKED)",
        sorted(keys),
    )


async def _release_some(tx: Tx, rt: Runtime, held_by: str) -> int:
    rows = await tx.fetch(RELEASE, held_by, now := rt.now())
    if rows:
        await note(
            tx,
            [
                Step(row["id"], now, row["state"], f"no longer held: {row['held']}", moved=False)
                for row in rows
            ],
        )
        tx.after_commit(lambda: rt.wakes.work(QUEUE.table))
    return len(rows)


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


async def by_dedupe(tx: Tx, client_id: str, key: str) -> Record | None:
    """The message that an assistant queued with this key."""
    return await tx.fetchrow("SELECT * FROM messages WHERE client_id = $1 AND dedupe = $2", client_id, key)


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


async def newest(tx: Tx, *, state: str | None, limit: int) -> list[Record]:
    """Everybody's messages, newest first, for the operator."""
    return await tx.fetch(
        "SELECT * FROM messages WHERE $1::text IS NULL OR state = $1 ORDER BY id DESC LIMIT $2", state, limit
    )


#: What can be said of a message that stays unknown.
SETTLEMENTS = ("delivered", "failed", "retry")


async def tell_ended(tx: Tx, rt: Runtime, row: Record) -> None:
    """Tell the assistant that its message is not posted, or not posted again."""
    if row["state"] == "unknown":
        await tell_unknown(tx, rt, row)
    elif row["purpose"] in ("send", "prompt"):
        await tell_failed(tx, rt, row)


async def tell_unknown(tx: Tx, rt: Runtime, row: Record) -> None:
    """Tell the assistant that nobody knows whether its message reached the person, and what can be done."""
    await events.emit(
        tx,
        rt,
        client_id=row["client_id"],
        kind="message.unknown",
        subject=row["id"],
        data={
            "message_id": row["id"],
            "confirmation_id": row["confirmation_id"],
            "reason": row["reason"],
            "asks": row["if_unknown"] == "ask",
            "settle": {"route": f"POST /messages/{row['id']}/settle", "as": SETTLEMENTS},
        },
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
