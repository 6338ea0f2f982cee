"""The questions a person was asked, as whoever reads their answer sees them."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from sayso.confirmations.rules import FRESH, LINGERS, Option, Question
from sayso.core.database import Record, Tx
from sayso.core.runtime import id_at
from sayso.messages import service as messages
from sayso.messages.rules import MAY_BE_SEEN
from sayso.people.service import Person
from sayso.whatsapp.updates import InboundMessage

#: No question is open for longer: seven days, and as much again where the end is put off.
LONGEST = timedelta(days=60)
#: A message in these states was taken by Meta; of one whose answer was lost nobody knows.
_REACHED = frozenset({"accepted", "sent", "delivered", "read"})
#: Purposes of messages that are a question or a line about it.
_ABOUT = frozenset({"prompt", "closing", "notice"})


@dataclass(frozen=True, slots=True)
class Inbound:
    """A message of a person's as it reached us. ``update_key`` names it for ever, in whatever copy it comes."""

    message: InboundMessage
    person: Person
    update_key: str
    received_at: datetime

    @property
    def sent_at(self) -> datetime:
        """When it was written, by WhatsApp's clock; never later than we received it."""
        return min(self.message.sent_at or self.received_at, self.received_at)


async def of(tx: Tx, inbound: Inbound, named: Collection[str]) -> dict[str, Record]:
    """The person's open questions, those that ended lately, and ``named`` ones; oldest first.

    Locked, and read once they are: an answer to a question and its end take turns.
    """
    person_ids, lately = list(inbound.person.ids), inbound.sent_at - LINGERS
    found = await tx.fetch(
        "SELECT c.id FROM confirmations c WHERE c.id IN ("
        "SELECT id FROM confirmations WHERE person_id = ANY($1) AND (status <> 'decided' OR decided_at >= $2) UNION "
        "SELECT a.confirmation_id FROM approvers a JOIN confirmations o ON o.id = a.confirmation_id "
        "WHERE a.person_id = ANY($1) AND a.confirmation_id >= $3 AND (o.status <> 'decided' OR o.decided_at >= $2) "
        "UNION SELECT unnest($4::text[])) ORDER BY c.id FOR UPDATE",
        person_ids,
        lately,
        id_at("cnf", inbound.sent_at - LONGEST),
        list(named),
    )
    if not found:
        return {}
    rows = await tx.fetch(
        "SELECT c.*, coalesce(p.message_id, c.message_id) AS asked_by, p.code, p.verdict AS said, "
        "coalesce(p.wrong, 0) AS wrong, "
        "coalesce(p.state, CASE WHEN a.id IS NULL THEN 'asked' ELSE 'answered' END) AS standing, "
        "CASE WHEN m.state = ANY($3) THEN m.posted_at END AS posted_at, p.reminded_at, p.rest, "
        "(SELECT CASE WHEN bool_and(r.state = ANY($4)) THEN max(r.posted_at) END FROM messages r "
        "WHERE r.id = ANY(p.rest)) AS rest_at, "
        "(SELECT r.wamid FROM messages r WHERE r.id = p.rest[cardinality(p.rest)]) AS rest_wamid, "
        "LEAST(a.sent_at, a.received_at) AS answered_at "
        "FROM confirmations c LEFT JOIN LATERAL (SELECT * FROM approvers WHERE confirmation_id = c.id "
        "AND person_id = ANY($1) ORDER BY message_id IS NULL, position LIMIT 1) p ON true "
        "LEFT JOIN messages m ON m.id = coalesce(p.message_id, c.message_id) "
        "LEFT JOIN answers a ON a.id = coalesce(p.answer_id, c.decided_by) AND a.person_id = ANY($1) "
        "WHERE c.id = ANY($2) AND (p.person_id IS NOT NULL OR c.person_id = ANY($1)) ORDER BY c.id",
        person_ids,
        [row["id"] for row in found],
        list(MAY_BE_SEEN),
        list(_REACHED),
    )
    return {row["id"]: row for row in rows}


async def last(tx: Tx, inbound: Inbound, since: datetime) -> Record | None:
    """The question decided last of those that were put to the person since then, whoever else was asked."""
    return await tx.fetchrow(
        "SELECT c.*, p.message_id AS asked_by FROM approvers p JOIN confirmations c ON c.id = p.confirmation_id "
        "WHERE p.person_id = ANY($1) AND p.confirmation_id >= $2 AND p.state IN ('asked', 'answered') "
        "AND c.phone_number_id = $3 AND c.status = 'decided' AND c.message_id IS NOT NULL "
        "ORDER BY c.decided_at DESC LIMIT 1",
        list(inbound.person.ids),
        id_at("cnf", since),
        inbound.message.phone_number_id,
    )


async def opt_in_at(tx: Tx, inbound: Inbound) -> datetime | None:
    """When the person was last asked, by this sender of ours, to opt in, as far as that has no answer."""
    at: datetime | None = await tx.fetchval(
        "SELECT max(m.posted_at) FROM consent_questions q JOIN messages m ON m.id = q.message_id "
        "WHERE q.person_id = ANY($1) AND q.phone_number_id = $2 AND q.answered_at IS NULL AND q.expires_at > $3 "
        "AND m.state = ANY($4)",
        list(inbound.person.ids),
        inbound.message.phone_number_id,
        inbound.sent_at,
        list(MAY_BE_SEEN),
    )
    return at


async def behind(tx: Tx, wamid: str | None, *, prompt: bool = False) -> str | None:
    """The id of the question whose message (or a line about it) has this id of Meta's; ``prompt``: itself alone."""
    found = await messages.by_wamid(tx, wamid) if wamid else None
    if found is None or found["purpose"] not in (("prompt",) if prompt else _ABOUT):
        return None
    question_id: str | None = found["confirmation_id"]
    return question_id


def question(row: Record | None, inbound: Inbound) -> Question | None:
    """A row as the reader sees it."""
    if row is None:
        return None
    in_time = inbound.received_at < row["expires_at"]
    is_open = row["status"] == "pending" and row["standing"] == "asked" and in_time
    counts = row["status"] == "pending" and row["standing"] == "answered" and in_time
    undecided = row["status"] == "held" or counts
    rule = row["rule"]
    return Question(
        id=row["id"],
        open=is_open,
        shown_at=row["posted_at"],
        ended_at=None if is_open or undecided else row["decided_at"] or row["expires_at"],
        answered_at=row["answered_at"],
        kind=row["kind"],
        options=_options(row),
        challenge=row["challenge"] is not None,
        code=row["code"],
        wrong=row["wrong"],
        undecided=undecided,
        undoable=row["status"] == "held" and row["standing"] == "answered",
        extendable=bool(rule.get("extends_left")),
        reactions=bool(rule.get("reactions")),
        frozen=row["frozen_why"] is not None,
        unseen=unseen(row, inbound),
        stale=_stale(row, inbound),
    )


def _stale(row: Record, inbound: Inbound) -> bool:
    """Whether a reply was written long after the question, and after its reminder, were sent."""
    put = [at for at in (row["posted_at"], row["reminded_at"]) if at is not None]
    return bool(put) and inbound.sent_at > max(put) + FRESH


def unseen(row: Record, inbound: Inbound) -> bool:
    """Whether a reply was written before every field of the action was on the screen.

    Who replies to the last message of the whole has it before them, whatever the clocks say.
    """
    if row["rest"] is None:
        return False
    if row["rest_at"] is None:
        return True
    if inbound.message.quoted_wamid is not None and inbound.message.quoted_wamid == row["rest_wamid"]:
        return False
    at: datetime = row["rest_at"]
    return inbound.sent_at < at.replace(microsecond=0) or inbound.received_at < at


def _options(row: Record) -> tuple[Option, ...]:
    if row["kind"] != "choose":
        return ()
    return tuple(Option(each["id"], each["label"]) for each in row["options"] or ())
