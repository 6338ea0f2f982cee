"""Who is asked a question, how far their prompt has come, and what they said: one row a person."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sayso.confirmations.rules import Verdict
from sayso.confirmations.steps import Approver, Lost
from sayso.core.database import Record, Tx
from sayso.people.service import Person

#: Open to somebody: they may answer it, or it is held and they may take their answer back.
_OPEN = "((c.status = 'pending' AND p.state IN ('asked', 'waiting')) OR (c.status = 'held' AND p.state <> 'passed'))"


async def of(tx: Tx, confirmation_ids: Sequence[str]) -> dict[str, list[Record]]:
    """The rows of each question, in the order in which they are asked, each with its message's state: ``delivery``."""
    rows = await tx.fetch(
        "SELECT p.*, m.state AS delivery FROM approvers p LEFT JOIN messages m ON m.id = p.message_id "
        "WHERE p.confirmation_id = ANY($1) ORDER BY p.confirmation_id, p.position, p.person_id",
        list(confirmation_ids),
    )
    found: defaultdict[str, list[Record]] = defaultdict(list)
    for row in rows:
        found[row["confirmation_id"]].append(row)
    return found


async def everyone(tx: Tx, confirmation_id: str) -> list[Record]:
    """The rows of one question; as :func:`of`."""
    return (await of(tx, [confirmation_id]))[confirmation_id]


def read(rows: Sequence[Record]) -> list[Approver]:
    """The same as the rules see them."""
    return [
        Approver(
            person_id=row["person_id"],
            state=row["state"],
            position=row["position"],
            verdict=row["verdict"],
            choice=(row["answer"] or {}).get("option"),
            lost=row["lost"],
            delivery=row["delivery"],
            reminded=row["reminded_at"] is not None,
        )
        for row in rows
    ]


def mine(rows: Sequence[Record], person: Person, state: str) -> Record | None:
    """The row of this person, if it stands so."""
    return next((row for row in rows if row["person_id"] in person.ids and row["state"] == state), None)


async def open_to(tx: Tx, person_ids: Sequence[str]) -> list[Record]:
    """The questions that are open to any of these, oldest first; locked, and read once they are."""
    locked = await tx.fetch(
        "SELECT id FROM confirmations WHERE status <> 'decided' AND id IN "
        "(SELECT confirmation_id FROM approvers WHERE person_id = ANY($1)) ORDER BY id FOR UPDATE",
        list(person_ids),
    )
    return await tx.fetch(
        "SELECT c.* FROM confirmations c WHERE c.id = ANY($2) AND EXISTS (SELECT 1 FROM approvers p "
        f"WHERE p.confirmation_id = c.id AND p.person_id = ANY($1) AND {_OPEN}) ORDER BY c.id",
        list(person_ids),
        [row["id"] for row in locked],
    )


async def any_open(tx: Tx, person: Person) -> bool:
    """Whether a question to this person is open."""
    found: bool = await tx.fetchval(
        "SELECT EXISTS (SELECT 1 FROM approvers p JOIN confirmations c ON c.id = p.confirmation_id "
        f"WHERE p.person_id = ANY($1) AND p.state <> 'waiting' AND {_OPEN})",
        list(person.ids),
    )
    return found


async def answered(
    tx: Tx, row: Record, verdict: Verdict, *, answer_id: str, answer: dict[str, Any] | None, at: datetime
) -> Record:
    """Write down what somebody said; their row as it is now."""
    await tx.execute(
        "UPDATE approvers SET state = 'answered', verdict = $3, answer_id = $4, answer = $5, answered_at = $6 "
        "WHERE confirmation_id = $1 AND person_id = $2",
        row["confirmation_id"],
        row["person_id"],
        verdict,
        answer_id,
        answer,
        at,
    )
    said = {"state": "answered", "verdict": verdict, "answer_id": answer_id, "answer": answer}
    return dict(row) | said | {"answered_at": at}


async def taken_back(tx: Tx, row: Record) -> None:
    """What somebody said is taken back: they are asked still."""
    await tx.execute(
        "UPDATE approvers SET state = 'asked', verdict = NULL, answer_id = NULL, answer = NULL, answered_at = NULL "
        "WHERE confirmation_id = $1 AND person_id = $2",
        row["confirmation_id"],
        row["person_id"],
    )


async def lose(tx: Tx, confirmation_id: str, person_ids: Sequence[str], why: Lost) -> None:
    """These cannot be asked, or not any more. Who was not asked yet is passed over, and needs nobody to stand in."""
    await tx.execute(
        "UPDATE approvers SET state = CASE WHEN state = 'waiting' THEN 'passed' ELSE 'undeliverable' END, "
        "lost = CASE WHEN state <> 'waiting' THEN $3 END, verdict = NULL, answer_id = NULL, answer = NULL "
        "WHERE confirmation_id = $1 AND person_id = ANY($2) AND state <> 'passed'",
        confirmation_id,
        list(person_ids),
        why,
    )


async def reminded(tx: Tx, confirmation_id: str, person_ids: Sequence[str], at: datetime | None) -> None:
    """These were reminded at ``at``; None: they may be again."""
    await tx.execute(
        "UPDATE approvers SET reminded_at = $3 WHERE confirmation_id = $1 AND person_id = ANY($2)",
        confirmation_id,
        list(person_ids),
        at,
    )


async def delegate(tx: Tx, confirmation_id: str, person_id: str, to: str | None) -> str | None:
    """Whom to ask in this person's turn: they, or their delegate; None where that one is asked anyway."""
    if to is None:
        return person_id
    await tx.execute(
        "UPDATE approvers SET state = 'passed' WHERE confirmation_id = $1 AND person_id = $2",
        confirmation_id,
        person_id,
    )
    added = await tx.execute(
        "INSERT INTO approvers (confirmation_id, person_id, position, because, delegated_from, state) "
        "SELECT confirmation_id, $3, position, 'delegated', $2, 'waiting' FROM approvers "
        "WHERE confirmation_id = $1 AND person_id = $2 ON CONFLICT (confirmation_id, person_id) DO NOTHING",
        confirmation_id,
        person_id,
        to,
    )
    return to if added else None
