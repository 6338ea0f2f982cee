"""The questions to somebody who is to be forgotten: ended, told once more, and emptied."""

from sayso.confirmations import receipts, service
from sayso.confirmations.receipts import ERASED
from sayso.core.database import Record, Tx
from sayso.core.runtime import Runtime
from sayso.people.service import Person

_THEIRS = "person_id = ANY($1) AND ($2::text IS NULL OR client_id = $2)"
_NO_ACTION = dict.fromkeys(("action_type", "action_description", "action_details"), ERASED)


async def end(tx: Tx, rt: Runtime, person: Person, client_id: str | None) -> int:
    """Withdraw every open question to the person, of one client or of all; how many there were."""
    rows = await tx.fetch(
        f"SELECT id FROM confirmations WHERE {_THEIRS} AND status <> 'decided' ORDER BY id FOR UPDATE",
        list(person.ids),
        client_id,
    )
    await service.decide_all(tx, rt, [row["id"] for row in rows], "withdrawn")
    return len(rows)


async def all_of(tx: Tx, person: Person, client_id: str | None) -> list[Record]:
    """Every question to the person, oldest first, each with all answers to it."""
    return await tx.fetch(
        "SELECT c.*, r.jws AS receipt, e.status AS execution, e.note AS execution_note, (SELECT coalesce("
        "jsonb_agg(jsonb_build_object('id', a.id, 'said', a.said, 'how', a.how, "
        "'verdict', a.verdict, 'effect', a.effect, 'wamid', a.wamid, 'sent_at', a.sent_at, "
        "'received_at', a.received_at) "
        "ORDER BY a.id), '[]') FROM answers a WHERE a.confirmation_id = c.id) AS answers "
        "FROM confirmations c LEFT JOIN receipts r ON r.confirmation_id = c.id "
        f"LEFT JOIN executions e ON e.confirmation_id = c.id WHERE {_THEIRS} ORDER BY c.id",
        list(person.ids),
        client_id,
    )


async def clients(tx: Tx, person: Person) -> set[str]:
    """Who has ever asked the person, and has not forgotten it."""
    rows = await tx.fetch(
        "SELECT DISTINCT client_id FROM confirmations WHERE person_id = ANY($1) AND user_id <> $2",
        list(person.ids),
        ERASED,
    )
    return {row["client_id"] for row in rows}


async def empty(tx: Tx, person: Person, client_id: str | None) -> list[str]:
    """Take from questions and answers what was said; their ids. Outcomes, times and hashes stay: they tell nothing.

    What opens the salted digests of receipts goes, so that a receipt no longer tells whom it was about. That of a
    question which ended in this very transaction is made later, and made without.
    """
    rows = await tx.fetch(
        f"UPDATE confirmations SET action = $3, shown = '{{}}', user_id = $4 WHERE {_THEIRS} RETURNING id",
        list(person.ids),
        client_id,
        _NO_ACTION,
        ERASED,
    )
    confirmation_ids = [row["id"] for row in rows]
    await receipts.forget(tx, person.ids, confirmation_ids)
    await tx.execute(
        "UPDATE approvers a SET shown = NULL, code = NULL FROM confirmations c WHERE c.id = a.confirmation_id "
        "AND (a.person_id = ANY($1) OR c.id = ANY($3)) AND ($2::text IS NULL OR c.client_id = $2)",
        list(person.ids),
        client_id,
        confirmation_ids,
    )
    await tx.execute("UPDATE executions SET note = NULL WHERE confirmation_id = ANY($1)", confirmation_ids)
    await tx.execute(
        "UPDATE answers SET said = '', wamid = '', quoted = NULL, update_key = 'erased:' || id "
        "WHERE confirmation_id = ANY($1)",
        confirmation_ids,
    )
    return confirmation_ids
