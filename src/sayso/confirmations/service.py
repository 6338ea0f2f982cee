"""Ask, answer, expire: one row, one outcome, decided by one UPDATE where it is still pending."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from sayso.confirmations import question, receipts, render, rules
from sayso.confirmations.render import Action
from sayso.confirmations.rules import OUTCOMES, Outcome
from sayso.consent import service as consent
from sayso.core import claims
from sayso.core.claims import Queue
from sayso.core.database import Record, Tx
from sayso.core.errors import TemplateUnknownError
from sayso.core.runtime import Runtime
from sayso.core.telemetry import CONFIRMATIONS
from sayso.core.worker import Lease
from sayso.events import service as events
from sayso.events.service import Event
from sayso.messages import conversations
from sayso.messages import service as messages
from sayso.messages.rules import Purpose, window_open
from sayso.messages.service import Draft
from sayso.people import service as people
from sayso.people.service import Person
from sayso.templates import service as templates
from sayso.whatsapp.content import Content

QUEUE = Queue("confirmations", order="work_at, id")

#: How long a closing line or a notice may still be sent: later it would only puzzle.
NOTICE_LIVES = timedelta(hours=1)
#: While an earlier reply waits to be read, the end of a question looks again after this.
EXPIRY_LOOK = timedelta(milliseconds=100)

_WHOLE = (
    "SELECT c.*, m.state AS delivery, m.reason AS delivery_reason, r.use_by, e.status AS execution_status, "
    "e.claimed_at, e.reported_at, e.note AS execution_note FROM confirmations c "
    "LEFT JOIN messages m ON m.id = c.message_id LEFT JOIN receipts r ON r.confirmation_id = c.id "
    "LEFT JOIN executions e ON e.confirmation_id = c.id"
)

#: Whether words of a person's (of anybody's: None) that came in before a time still wait to be read.
Undigested = Callable[[Tx, Person | None, datetime], Awaitable[bool]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """A question to be; ``sender`` is the phone number id of ours that it is asked from."""

    client_id: str
    user_id: str
    person: Person
    sender: str
    greet: str | None
    action: Action
    lasts: timedelta


async def ask(tx: Tx, rt: Runtime, asking: Asking) -> str:
    """Ask; the confirmation's id. Row, texts, digests, message and deadline are one transaction.

    Raises :class:`OptedOutError`, :class:`ConsentMissingError`, and :class:`ContentTooLongError` where a text is too
    long.
    """
    await _permitted(tx, rt, asking)
    confirmation_id, now = rt.new_id("cnf"), rt.now()
    expires_at = now + asking.lasts
    shown = question.prompt(
        question.Question(action=asking.action, lasts=asking.lasts),
        question.Reader(
            greet=asking.greet,
            language=asking.person.language,
            template_language=await _language(tx, rt, asking.person),
        ),
        payloads=partial(rules.payload, confirmation_id),
        business=rt.settings.sayso_business_name,
    )
    draft = Draft(
        client_id=asking.client_id,
        person=asking.person,
        phone_number_id=asking.sender,
        purpose="prompt",
        content=shown.session,
        outside_window=shown.template,
        expires_at=expires_at,
        confirmation_id=confirmation_id,
    )
    message_id = await messages.send(tx, rt, draft)
    await _insert(tx, asking, shown, draft, message_id=message_id, now=now)
    await events.emit(
        tx,
        rt,
        client_id=asking.client_id,
        kind="confirmation.asked",
        subject=confirmation_id,
        data={"confirmation_id": confirmation_id, "expires_at": expires_at},
    )
    return confirmation_id


async def _language(tx: Tx, rt: Runtime, person: Person) -> str:
    """The language of the question's template: the person's own where Meta has it, or the nearest.

    Without any it is English, as if nobody knew: inside the window none is needed, and outside Meta says so.
    """
    try:
        found = await templates.choose(
            tx, rt, question.TEMPLATE, [person.language] if person.language else []
        )
    except TemplateUnknownError:
        return question.LANGUAGE
    return found.language if found else question.LANGUAGE


async def _permitted(tx: Tx, rt: Runtime, asking: Asking) -> None:
    talks = await conversations.read(tx, [asking.person])
    opened_at = talks.of(asking.person, asking.sender).opened_at
    await consent.check(
        tx, rt, asking.person, "confirmations", initiated=not window_open(opened_at, rt.now())
    )


async def _insert(
    tx: Tx, asking: Asking, shown: question.Prompt, draft: Draft, *, message_id: str, now: datetime
) -> None:
    await tx.execute(
        "INSERT INTO confirmations (id, client_id, user_id, person_id, phone_number_id, message_id, action, "
        "action_hash, shown, shown_hash, status, created_at, expires_at, work, work_at) "
        "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 'pending', $11, $12, 'waiting', $12)",
        draft.confirmation_id,
        asking.client_id,
        asking.user_id,
        asking.person.id,
        draft.phone_number_id,
        message_id,
        asking.action.data(),
        asking.action.digest(),
        shown.data(),
        shown.digests(),
        now,
        draft.expires_at,
    )


async def decide(
    tx: Tx, rt: Runtime, confirmation_id: str, outcome: Outcome, *, by: str | None, person: Person
) -> Record | None:
    """Give a confirmation its outcome; the row, or None when somebody was first. ``by`` is the deciding answer's id."""
    rows = await decide_all(tx, rt, {confirmation_id: person}, outcome, by=by)
    return rows[0] if rows else None


async def decide_all(
    tx: Tx,
    rt: Runtime,
    whose: Mapping[str, Person],
    outcome: Outcome,
    *,
    by: str | None = None,
    worker: int | None = None,
) -> list[Record]:
    """Give confirmations, by id with the person asked, the same outcome; the rows of those that were still open.

    With ``worker`` only those that this worker holds are decided.
    """
    rows = await tx.fetch(
        "UPDATE confirmations SET status = 'decided', outcome = $2, decided_at = $3, decided_by = $4, work = NULL, "
        "worker = NULL WHERE id = ANY($1) AND status = 'pending' AND ($5::bigint IS NULL OR worker = $5) RETURNING *",
        sorted(whose),
        outcome,
        rt.now(),
        by,
        worker,
    )
    if rows:
        tx.after_commit(lambda: CONFIRMATIONS.labels(outcome).inc(len(rows)))
        receipts.prove(tx, rt, {row["id"]: whose[row["id"]] for row in rows})
        await events.emit_all(tx, rt, [_decided(row) for row in rows])
        lines = [(row, render.closing(outcome, row["action"]["action_description"])) for row in rows]
        drafts = [
            _line(rt, row, line, purpose="closing", person=whose[row["id"]]) for row, line in lines if line
        ]
        if drafts:
            await messages.send_all(tx, rt, drafts)
    return rows


def _decided(row: Record) -> Event:
    data = {"confirmation_id": row["id"], "outcome": row["outcome"], "decided_at": row["decided_at"]}
    return Event(row["client_id"], "confirmation.decided", row["id"], data)


async def say(
    tx: Tx, rt: Runtime, row: Record, content: Content, *, purpose: Purpose, person: Person
) -> None:
    """Say something about a question, below it in the chat; only while the window is open."""
    await messages.send(tx, rt, _line(rt, row, content, purpose=purpose, person=person))


def _line(rt: Runtime, row: Record, content: Content, *, purpose: Purpose, person: Person) -> Draft:
    return Draft(
        client_id=row["client_id"],
        person=person,
        phone_number_id=row["phone_number_id"],
        purpose=purpose,
        content=content,
        needs_window=True,
        expires_at=rt.now() + NOTICE_LIVES,
        quotes_message=row["message_id"],
        confirmation_id=row["id"],
    )


async def expire(rt: Runtime, lease: Lease, row: Record, *, undigested: Undigested) -> None:
    """A deadline has come: decide ``expired``, unless a reply that came in before it still waits to be read."""
    async with rt.db.tx() as tx:
        person = await people.get(tx, row["person_id"])
        if await undigested(tx, person, row["expires_at"]):
            await claims.postpone(
                tx, QUEUE, worker=lease.worker, row_id=row["id"], until=rt.now() + EXPIRY_LOOK
            )
            return
        ended = await decide_all(tx, rt, {row["id"]: person}, "expired", worker=lease.worker)
        claims.check_fence(QUEUE, worker=lease.worker, ended=len(ended), of=1)


async def expire_together(
    rt: Runtime, lease: Lease, rows: Sequence[Record], *, undigested: Undigested
) -> Sequence[Record]:
    """Many deadlines have come; while anybody's reply waits to be read, each is left to be looked at by itself."""
    async with rt.db.tx() as tx:
        if await undigested(tx, None, max(row["expires_at"] for row in rows)):
            return rows
        persons = await people.get_many(tx, [row["person_id"] for row in rows])
        whose = {row["id"]: persons[row["person_id"]] for row in rows}
        ended = await decide_all(tx, rt, whose, "expired", worker=lease.worker)
        claims.check_fence(QUEUE, worker=lease.worker, ended=len(ended), of=len(rows))
    return []


async def prompt_failed(tx: Tx, rt: Runtime, message: Record) -> None:
    """A message did not go out, or not through. If it was a question, its confirmation ends here."""
    if message["purpose"] != "prompt" or message["confirmation_id"] is None or message["state"] == "expired":
        return
    person = await people.get(tx, message["person_id"])
    opted_out = (await consent.verdict(tx, rt, person)).stopped("confirmations") is not None
    await decide(
        tx,
        rt,
        message["confirmation_id"],
        "opted_out" if opted_out else "undeliverable",
        by=None,
        person=person,
    )


async def end_all(tx: Tx, rt: Runtime, person: Person, outcome: Outcome) -> int:
    """End every open question to a person, or to the same line under another spelling; how many there were."""
    rows = await tx.fetch(
        "SELECT id FROM confirmations WHERE person_id = ANY($1) AND status = 'pending' ORDER BY id FOR UPDATE",
        list(person.fence),
    )
    await decide_all(tx, rt, {row["id"]: person for row in rows}, outcome)
    return len(rows)


async def any_open(tx: Tx, person: Person) -> bool:
    """Whether a question to this person is open."""
    found: bool = await tx.fetchval(
        "SELECT EXISTS (SELECT 1 FROM confirmations WHERE person_id = ANY($1) AND status = 'pending')",
        list(person.ids),
    )
    return found


async def get(tx: Tx, confirmation_id: str) -> Record | None:
    """A confirmation's row, with ``delivery``: how far its question has come, and what came of the action."""
    return await tx.fetchrow(f"{_WHOLE} WHERE c.id = $1", confirmation_id)


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


async def count_open(tx: Tx) -> int:
    """How many are pending."""
    number: int = await tx.fetchval("SELECT count(*) FROM confirmations WHERE status = 'pending'")
    return number


def outcome_of(verdict: str) -> Outcome:
    """The outcome a person's answer gives."""
    return next(outcome for said, outcome in OUTCOMES.items() if said == verdict)
