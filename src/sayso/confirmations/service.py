"""Decide: one row, one outcome, given by one UPDATE where there is none yet."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from sayso.confirmations import approvers, receipts, told
from sayso.confirmations.rules import Outcome
from sayso.core.claims import Queue
from sayso.core.database import Record, Tx
from sayso.core.errors import NotFoundError
from sayso.core.runtime import Runtime
from sayso.core.telemetry import CONFIRMATIONS
from sayso.core.tokens import Actor
from sayso.events import service as events
from sayso.events.service import Event
from sayso.messages import dead
from sayso.messages import service as messages
from sayso.messages.rules import Purpose
from sayso.messages.service import Draft
from sayso.people import service as people
from sayso.people.service import Person
from sayso.whatsapp.content import Content, Text

QUEUE = Queue("confirmations", order="work_at, id", inward=True)

#: How long a closing line or a notice may still be sent: later it would only puzzle.
NOTICE_LIVES = timedelta(hours=1)

_WHOLE = (
    "SELECT c.*, m.state AS delivery, m.reason AS delivery_reason, r.use_by, e.status AS execution_status, "
    "e.claimed_at, e.reported_at, e.note AS execution_note, "
    "(SELECT coalesce(jsonb_agg(jsonb_build_object('user', (SELECT l.external_id FROM people_links l "
    "WHERE l.client_id = c.client_id AND l.person_id = p.person_id ORDER BY 1 LIMIT 1), "
    "'number', (SELECT '…' || right(i.value, 4) FROM people_identifiers i WHERE i.person_id = p.person_id "
    "AND i.kind IN ('phone', 'wa_id') ORDER BY i.kind LIMIT 1), 'step', p.position, 'because', p.because, "
    "'state', p.state, 'delivery', a.state, 'verdict', p.verdict, 'answered_at', p.answered_at) "
    "ORDER BY p.position, p.person_id), '[]') FROM approvers p LEFT JOIN messages a ON a.id = p.message_id "
    "WHERE p.confirmation_id = c.id) AS approvers FROM confirmations c "
    "LEFT JOIN messages m ON m.id = c.message_id LEFT JOIN receipts r ON r.confirmation_id = c.id "
    "LEFT JOIN executions e ON e.confirmation_id = c.id"
)


@dataclass(frozen=True, slots=True)
class Everyone:
    """Who was asked, by confirmation, and their persons by record id: whatever the caller has not read is read."""

    asked: Mapping[str, Sequence[Record]] = field(default_factory=dict)
    persons: Mapping[str, Person] = field(default_factory=dict)


async def decide(
    tx: Tx,
    rt: Runtime,
    confirmation_id: str,
    outcome: Outcome,
    *,
    by: str | None,
    everyone: Everyone | None = None,
) -> Record | None:
    """Give a confirmation its outcome; the row, or None when somebody was first. ``by`` is the deciding answer's id."""
    rows = await decide_all(tx, rt, [confirmation_id], outcome, by=by, everyone=everyone)
    return rows[0] if rows else None


async def decide_all(
    tx: Tx,
    rt: Runtime,
    confirmation_ids: Collection[str],
    outcome: Outcome,
    *,
    by: str | None = None,
    worker: int | None = None,
    everyone: Everyone | None = None,
) -> list[Record]:
    """Give confirmations the same outcome; the rows of those that had none. Whoever was asked is told.

    With ``worker`` only those that this worker holds are decided.
    """
    rows = await tx.fetch(
        "UPDATE confirmations SET status = 'decided', outcome = $2, decided_at = $3, decided_by = $4, work = NULL, "
        "worker = NULL WHERE id = ANY($1) AND status <> 'decided' AND ($5::bigint IS NULL OR worker = $5) "
        "RETURNING *",
        sorted(confirmation_ids),
        outcome,
        rt.now(),
        by,
        worker,
    )
    if rows:
        tx.after_commit(lambda: CONFIRMATIONS.labels(outcome).inc(len(rows)))
        await events.emit_all(tx, rt, [_decided(row) for row in rows])
        every = await _everyone(tx, rows, everyone or Everyone())
        receipts.prove(tx, rt, {row["id"]: every.persons[row["person_id"]] for row in rows})
        await _close(tx, rt, rows, every)
    return rows


async def _everyone(tx: Tx, rows: Sequence[Record], known: Everyone) -> Everyone:
    asked = {row["id"]: known.asked.get(row["id"]) for row in rows}
    if unread := [confirmation_id for confirmation_id, they in asked.items() if they is None]:
        asked |= await approvers.of(tx, unread)
    found = {key: they or [] for key, they in asked.items()}
    ids = {each["person_id"] for they in found.values() for each in they} | {row["person_id"] for row in rows}
    more = await people.get_many(tx, sorted(ids - known.persons.keys())) if ids - known.persons.keys() else {}
    return Everyone(found, {**known.persons, **more})


def _decided(row: Record) -> Event:
    data = {"confirmation_id": row["id"], "outcome": row["outcome"], "decided_at": row["decided_at"]}
    return Event(row["client_id"], "confirmation.decided", row["id"], data)


async def _close(
    tx: Tx,
    rt: Runtime,
    rows: Sequence[Record],
    everyone: Everyone,
) -> None:
    """Tell everybody who was asked; a question that has not left is not asked any more, and needs no last line."""
    ended = {row["id"]: row for row in rows}
    reached = [each for row in rows for each in everyone.asked[row["id"]] if each["message_id"]]
    unsent = [
        each["message_id"]
        for each in reached
        if each["delivery"] == "queued"
        and each["state"] == "asked"
        and ended[each["confirmation_id"]]["outcome"] != "expired"
    ]
    taken_back = await dead.take_back(tx, rt, unsent) if unsent else []
    drafts = []
    for each in reached:
        row, person = ended[each["confirmation_id"]], everyone.persons[each["person_id"]]
        line = _last_line(row, each, person, everyone.asked[row["id"]])
        if line and each["message_id"] not in taken_back:
            drafts.append(about(rt, row, line, purpose="closing", person=person, quotes=each["message_id"]))
    if drafts:
        await messages.send_all(tx, rt, drafts)


def _last_line(row: Record, each: Record, person: Person, everyone: Sequence[Record]) -> Text | None:
    """What one of those who were asked reads at the end; who read it when it was held does not read it again."""
    if each["state"] not in ("asked", "answered"):
        return None
    if row["held_until"] is not None and row["decided_by"] == each["answer_id"] is not None:
        return None
    return told.closing(
        row["outcome"],
        row["action"]["action_description"],
        verdict=each["verdict"],
        partly=told.partly(approvers.read(everyone)),
        language=person.language,
    )


async def say(
    tx: Tx,
    rt: Runtime,
    row: Record,
    content: Content,
    *,
    purpose: Purpose,
    person: Person,
    quotes: str | None = None,
) -> None:
    """Say something about a question, below it in the chat; only while the window is open."""
    await messages.send(tx, rt, about(rt, row, content, purpose=purpose, person=person, quotes=quotes))


def about(
    rt: Runtime, row: Record, content: Content, *, purpose: Purpose, person: Person, quotes: str | None = None
) -> Draft:
    """A line about a question; it quotes the question as this person was asked it."""
    return Draft(
        client_id=row["client_id"],
        person=person,
        phone_number_id=row["phone_number_id"],
        purpose=purpose,
        content=content,
        needs_window=True,
        expires_at=rt.now() + NOTICE_LIVES,
        quotes_message=quotes or row["message_id"],
        confirmation_id=row["id"],
    )


async def get(tx: Tx, confirmation_id: str) -> Record | None:
    """A confirmation's row, with ``delivery``: how far its question has come, and what came of the action."""
    return await tx.fetchrow(f"{_WHOLE} WHERE c.id = $1", confirmation_id)


async def standing(tx: Tx, confirmation_id: str) -> Record | None:
    """Whose a confirmation is and how it stands, and no more."""
    return await tx.fetchrow("SELECT client_id, status FROM confirmations WHERE id = $1", confirmation_id)


def visible(row: Record | None, actor: Actor, confirmation_id: str) -> Record:
    """The row of a confirmation that the caller may see; raises :class:`NotFoundError`."""
    if row is None or not actor.sees(row["client_id"]):
        raise NotFoundError(f"No confirmation {confirmation_id!r}.")
    return row


async def page(tx: Tx, client_id: str, *, status: str | None, before: str | None, limit: int) -> list[Record]:
    """An assistant's confirmations, newest first."""
    return await tx.fetch(
        f"{_WHOLE} WHERE c.client_id = $1 AND ($2::text IS NULL OR c.status = $2) "
        "AND ($3::text IS NULL OR c.id < $3) ORDER BY c.id DESC LIMIT $4",
        client_id,
        status,
        before,
        limit,
    )


async def newest(tx: Tx, *, status: str | None, before: str | None, limit: int) -> list[Record]:
    """Everybody's confirmations, newest first, for the administrator."""
    return await tx.fetch(
        f"{_WHOLE} WHERE ($1::text IS NULL OR c.status = $1) AND ($2::text IS NULL OR c.id < $2) "
        "ORDER BY c.id DESC LIMIT $3",
        status,
        before,
        limit,
    )


async def count_open(tx: Tx) -> int:
    """How many have no outcome yet."""
    number: int = await tx.fetchval("SELECT count(*) FROM confirmations WHERE status <> 'decided'")
    return number
