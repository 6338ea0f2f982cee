"""Receipts: a signed statement of every decision, made in the transaction of the decision and never changed."""

import base64
import hmac
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import msgspec

from sayso.confirmations import log, rules, statement
from sayso.confirmations.log import Place
from sayso.confirmations.statement import Approval, Facts, Statement
from sayso.consent import ledger
from sayso.core import canonical, chains, keys
from sayso.core.database import Record, Tx
from sayso.core.runtime import Runtime
from sayso.people import service as people

#: What a question's user reads once it was forgotten.
ERASED = "(erased)"

#: Whom a question went to, and what they answered.
_APPROVALS = (
    "SELECT c.id AS confirmation_id, c.person_id, m.wamid AS prompt, m.form, m.posted_at, a.how, a.verdict, a.said, "
    "a.wamid AS reply, a.quoted, a.sent_at, a.received_at, u.body_digest FROM confirmations c "
    "LEFT JOIN messages m ON m.id = c.message_id LEFT JOIN answers a ON a.id = c.decided_by "
    "LEFT JOIN updates u ON u.key = a.update_key WHERE c.id = ANY($1) ORDER BY c.id"
)


def prove(tx: Tx, rt: Runtime, confirmation_ids: Sequence[str]) -> None:
    """Log these decisions and sign a receipt for each, as the last of the transaction that made them."""
    if confirmation_ids:
        tx.before_commit(partial(_prove, tx, rt, confirmation_ids))


async def _prove(tx: Tx, rt: Runtime, confirmation_ids: Sequence[str]) -> None:
    facts = await _facts(tx, rt, confirmation_ids)
    made = [statement.make(each, partial(secrets.token_bytes, chains.SALT_BYTES)) for each in facts]
    entries = [(each.entry["jti"], canonical.encode(each.entry)) for each in made]
    held = keys.load(rt.settings, now=rt.now)
    places = await log.append(tx, entries)
    await tx.execute(
        "INSERT INTO receipts (confirmation_id, jws, opened, use_by) SELECT id, jws, opened::jsonb, use_by "
        "FROM unnest($1::text[], $2::text[], $3::text[], $4::timestamptz[]) AS r (id, jws, opened, use_by)",
        [confirmation_id for confirmation_id, _ in entries],
        [
            held.sign(canonical.encode(claims(each, place)), typ=statement.TYP)
            for each, place in zip(made, places, strict=True)
        ],
        [msgspec.json.encode(each.opened).decode() if each.opened else None for each in made],
        [each.use_by for each in facts],
    )


def claims(made: Statement, place: Place) -> dict[str, Any]:
    """What a receipt says: the log's entry, where it stands, and the words."""
    where = {
        "index": place.index,
        "size": place.size,
        "before": place.before.hex(),
        "head": place.head.hex(),
    }
    return {**made.entry, "log": where, "words": made.words}


async def _facts(tx: Tx, rt: Runtime, confirmation_ids: Sequence[str]) -> list[Facts]:
    rows = await tx.fetch(
        "SELECT * FROM confirmations WHERE id = ANY($1) ORDER BY id", list(confirmation_ids)
    )
    asked = await tx.fetch(_APPROVALS, list(confirmation_ids))
    persons = await people.get_many(tx, [each["person_id"] for each in asked])
    approvals: dict[str, list[Approval]] = {row["id"]: [] for row in rows}
    for each in asked:
        person = persons[each["person_id"]]
        approvals[each["confirmation_id"]].append(Approval(person.to or person.user_id, each))
    return [
        Facts(
            row=row,
            approvals=approvals[row["id"]],
            issuer=rt.settings.sayso_receipt_issuer,
            account=rt.settings.whatsapp_business_account_id,
            app_secret=_app_secret(rt),
            words_version=rules.vocabulary().version,
            use_by=use_by(rt, row),
            erased=row["user_id"] == ERASED,
        )
        for row in rows
    ]


def use_by(rt: Runtime, row: Record) -> datetime | None:
    """Until when what was confirmed may be claimed."""
    if row["outcome"] != "confirmed":
        return None
    until: datetime = row["decided_at"] + timedelta(minutes=rt.settings.sayso_use_within_minutes)
    return until


def _app_secret(rt: Runtime) -> str:
    """A name for the app's secret that checked the webhook. Keyed, since whoever guesses a secret could tell by it."""
    secret = rt.settings.whatsapp_webhook_secret.get_secret_value()
    return hmac.digest(ledger.key(rt), b"sayso.app-secret." + secret.encode(), "sha256")[:8].hex()


async def get(tx: Tx, confirmation_id: str) -> Record | None:
    """A confirmation's row with ``jws``, ``opened`` and ``use_by`` of its receipt, which are None while it is open."""
    return await tx.fetchrow(
        "SELECT c.*, r.jws, r.opened, r.use_by FROM confirmations c "
        "LEFT JOIN receipts r ON r.confirmation_id = c.id WHERE c.id = $1",
        confirmation_id,
    )


def shown(row: Record) -> dict[str, Any]:
    """A receipt with what opens it, as far as that is still there: the action, the text, whom, and what they wrote."""
    told = msgspec.json.decode(_payload(row["jws"]))
    forms = [each["shown"]["form"] for each in told["approvals"] if each["shown"]]
    kept = row["opened"] is not None
    return {
        "confirmation_id": row["id"],
        "receipt": row["jws"],
        "claims": told,
        "action": row["action"] if kept else None,
        "shown": {form: row["shown"][form] for form in forms} if kept else None,
        "opened": row["opened"],
        "erased": not kept,
    }


def _payload(jws: str) -> bytes:
    part = jws.split(".")[1]
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
