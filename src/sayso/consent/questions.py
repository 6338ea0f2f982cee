"""Questions to opt in: a yes counts only as the answer to one of them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sayso.core.database import Record, Tx
from sayso.core.runtime import Runtime
from sayso.people.service import Person

Verdict = Literal["yes", "no"]
_PAYLOAD = re.compile(r"oi1:(opt_[0-9a-z]{26}):(yes|no)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A question to be: what it covers, the words of it, and what its asker knows (kept for the entry)."""

    id: str
    client_id: str
    person: Person
    phone_number_id: str
    message_id: str
    scope: tuple[str, ...]
    shown: Mapping[str, Any]
    expires_at: datetime


def payload(question_id: str, verdict: Verdict) -> str:
    """What a button carries: the question and the answer, versioned."""
    return f"oi1:{question_id}:{verdict}"


def parse_payload(text: str | None) -> tuple[str, Verdict] | None:
    """The question and the answer of a button of ours, or None."""
    match = _PAYLOAD.fullmatch(text or "")
    if not match:
        return None
    return match[1], "yes" if match[2] == "yes" else "no"


async def keep(tx: Tx, rt: Runtime, asked: Asked) -> None:
    """Write a question down."""
    await tx.execute(
        "INSERT INTO consent_questions (id, client_id, person_id, phone_number_id, message_id, scope, shown, "
        "asked_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        asked.id,
        asked.client_id,
        asked.person.id,
        asked.phone_number_id,
        asked.message_id,
        list(asked.scope),
        dict(asked.shown),
        rt.now(),
        asked.expires_at,
    )


async def unanswered(tx: Tx, person: Person) -> list[Record]:
    """A person's questions that have no answer yet, oldest first, held by this transaction."""
    return await tx.fetch(
        "SELECT * FROM consent_questions WHERE person_id = ANY($1) AND answered_at IS NULL "
        "ORDER BY id FOR UPDATE",
        list(person.ids),
    )


async def settle(tx: Tx, rt: Runtime, question_ids: list[str], entry_id: str | None) -> None:
    """These have their answer: the entry it made."""
    await tx.execute(
        "UPDATE consent_questions SET answered_at = $2, entry_id = $3 WHERE id = ANY($1)",
        question_ids,
        rt.now(),
        entry_id,
    )
