"""The questions to somebody who is to be forgotten: ended, told once more, and emptied.

A question that was for the person goes whole. Of one that others were asked before them, or beside them, their part
goes: it ends where the others are too few, and is theirs otherwise.
"""

from collections.abc import Sequence
from typing import Any

from sayso.confirmations import absences, moving, receipts, service
from sayso.confirmations.receipts import ERASED
from sayso.core.database import Record, Tx
from sayso.core.runtime import Runtime
from sayso.events import forgetting as events
from sayso.people.service import Person

_THEIRS = "person_id = ANY($1) AND ($2::text IS NULL OR client_id = $2)"
#: Questions for somebody else in which they have a part.
_PART = (
    "SELECT p.confirmation_id AS id FROM approvers p JOIN confirmations o ON o.id = p.confirmation_id "
    "WHERE p.person_id = ANY($1) AND o.person_id <> ALL($1) AND ($2::text IS NULL OR o.client_id = $2)"
)
_NO_ACTION = dict.fromkeys(("action_type", "action_description", "action_details"), ERASED)
#: What somebody is told of a question that was for another: nothing of whom else it names.
_OF_A_PART = (
    "id", "client_id", "phone_number_id", "kind", "action", "options", "tier", "status", "outcome", "created_at",
    "expires_at", "decided_at", "answers",
)  # fmt: skip


async def end(tx: Tx, rt: Runtime, person: Person, client_id: str | None) -> int:
    """Withdraw every open question for the person, of one client or of all, and leave them out of the others.

    How many there were.
    """
    rows = await tx.fetch(
        "SELECT c.* FROM confirmations c WHERE c.status <> 'decided' AND c.id IN ("
        f"SELECT id FROM confirmations WHERE {_THEIRS} AND status <> 'decided' UNION "
        f"{_PART} AND o.status <> 'decided' AND p.state NOT IN ('passed', 'undeliverable')) ORDER BY c.id FOR UPDATE",
        list(person.ids),
        client_id,
    )
    theirs = [row for row in rows if row["person_id"] in person.ids]
    await service.decide_all(tx, rt, [row["id"] for row in theirs], "withdrawn")
    for row in rows:
        if row not in theirs:
            await moving.lose(tx, rt, row, person.ids, "undeliverable")
    return len(rows)


async def all_of(tx: Tx, person: Person, client_id: str | None) -> list[dict[str, Any]]:
    """Every question the person was asked, oldest first, each with their answers to it."""
    rows = await tx.fetch(
        "SELECT c.*, r.jws AS receipt, e.status AS execution, e.note AS execution_note, (SELECT p.shown "
        "FROM approvers p WHERE p.confirmation_id = c.id AND p.person_id = ANY($1) LIMIT 1) AS seen, (SELECT coalesce("
        "jsonb_agg(jsonb_build_object('id', a.id, 'said', a.said, 'how', a.how, "
        "'verdict', a.verdict, 'effect', a.effect, 'wamid', a.wamid, 'sent_at', a.sent_at, "
        "'received_at', a.received_at) ORDER BY a.id), '[]') FROM answers a "
        "WHERE a.confirmation_id = c.id AND a.person_id = ANY($1)) AS answers "
        "FROM confirmations c LEFT JOIN receipts r ON r.confirmation_id = c.id "
        "LEFT JOIN executions e ON e.confirmation_id = c.id "
        f"WHERE c.id IN (SELECT id FROM confirmations WHERE {_THEIRS} UNION {_PART}) ORDER BY c.id",
        list(person.ids),
        client_id,
    )
    return [_told(row, whole=row["person_id"] in person.ids) for row in rows]


def _told(row: Record, *, whole: bool) -> dict[str, Any]:
    told = dict(row)
    seen = told.pop("seen")
    if not whole:
        return {name: told[name] for name in _OF_A_PART} | {"shown": seen}
    return told | {"rule": {name: value for name, value in row["rule"].items() if name != "escalation"}}


async def clients(tx: Tx, person: Person) -> set[str]:
    """Who has ever asked the person, or is yet to, and has not forgotten it."""
    rows = await tx.fetch(
        "SELECT client_id FROM confirmations WHERE person_id = ANY($1) AND user_id <> $2 UNION "
        "SELECT o.client_id FROM approvers p JOIN confirmations o ON o.id = p.confirmation_id "
        "WHERE p.person_id = ANY($1) AND o.user_id <> $2 AND (p.shown IS NOT NULL OR p.state = 'waiting')",
        list(person.ids),
        ERASED,
    )
    return {row["client_id"] for row in rows}


async def empty(tx: Tx, person: Person, client_id: str | None) -> tuple[list[str], list[str]]:
    """Take from questions and answers what was said; the ids of those that went whole, and of those that went in part.

    Outcomes, times and hashes stay: they tell nothing. What opens the salted digests of receipts goes, so that a
    receipt no longer tells whom it was about. That of a question which ended in this very transaction is made later,
    and made without.
    """
    rows = await tx.fetch(
        "UPDATE confirmations SET action = $3, shown = '{}', user_id = $4, options = NULL, answer = NULL, "
        f"dedupe = NULL, same_as = NULL WHERE {_THEIRS} RETURNING id",
        list(person.ids),
        client_id,
        _NO_ACTION,
        ERASED,
    )
    whole = [row["id"] for row in rows]
    part = [row["id"] for row in await tx.fetch(_PART, list(person.ids), client_id)]
    await receipts.forget(tx, person.ids, whole, part)
    await _unname(tx, person, part)
    await tx.execute(
        "UPDATE approvers SET shown = NULL, code = NULL, answer = NULL "
        "WHERE confirmation_id = ANY($2) OR (confirmation_id = ANY($3) AND person_id = ANY($1))",
        list(person.ids),
        whole,
        part,
    )
    await tx.execute("UPDATE executions SET note = NULL WHERE confirmation_id = ANY($1)", whole)
    await tx.execute(
        "UPDATE answers SET said = '', wamid = '', quoted = NULL, update_key = 'erased:' || id "
        "WHERE confirmation_id = ANY($2) OR (confirmation_id = ANY($3) AND person_id = ANY($1))",
        list(person.ids),
        whole,
        part,
    )
    await absences.forget(tx, person, client_id)
    return whole, part


async def _unname(tx: Tx, person: Person, part: Sequence[str]) -> None:
    """Take their answers, and what they were called, from questions that go on without them, and from their events."""
    answers = await tx.fetch(
        "SELECT id, wamid FROM answers WHERE confirmation_id = ANY($1) AND person_id = ANY($2)",
        part,
        list(person.ids),
    )
    rows = await tx.fetch("SELECT id, rule FROM confirmations WHERE id = ANY($1)", part)
    names = set()
    for row in rows:
        steps = row["rule"].get("escalation") or []
        theirs = [step for step in steps if step["person_id"] in person.ids]
        names |= {step["to"] for step in theirs}
        for step in theirs:
            step["to"] = ERASED
    await tx.execute(
        "UPDATE confirmations c SET rule = n.rule, answer = CASE WHEN decided_by = ANY($3) THEN NULL ELSE answer END "
        "FROM unnest($1::text[], $2::jsonb[]) AS n (id, rule) WHERE c.id = n.id",
        [row["id"] for row in rows],
        [row["rule"] for row in rows],
        [each["id"] for each in answers],
    )
    await events.unsay(tx, part, [each["wamid"] for each in answers], sorted(names))
