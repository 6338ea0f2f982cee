"""Receipts: a signed statement of every decision, made in the transaction of the decision and never changed."""

import hmac
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import msgspec
from joserfc import jws

from sayso.confirmations import log, rules, statement
from sayso.confirmations.log import Place
from sayso.confirmations.statement import Approval, Facts, Statement
from sayso.consent import ledger
from sayso.core import canonical, chains, keys
from sayso.core.database import Record, Tx
from sayso.core.keys import Keys
from sayso.core.runtime import Runtime
from sayso.people import service as people
from sayso.people.service import Person

#: What a question's user reads once it was forgotten.
ERASED = "(erased)"

#: What an approver was shown, where it differs from what the first person was.
_SEEN = "coalesce(p.shown, c.shown)"
#: A decision beside each person it was asked of, and what they answered; one that a rule made was asked of nobody.
#: Texts and actions are not read: they are large, and their digests stand beside them.
_FACTS = f"""
SELECT c.id, c.client_id, c.user_id, c.phone_number_id, c.kind, c.tier, c.challenge, c.outcome, c.action_hash,
    c.needed, c.answer, c.policy_version, c.rule, c.created_at, c.expires_at, c.decided_at,
    p.person_id AS asked_id, p.because, jsonb_build_object('template', jsonb_build_object(
        'name', {_SEEN} #> '{{template,name}}', 'language', {_SEEN} #> '{{template,language}}')) AS seen,
    coalesce(p.shown_hash, c.shown_hash) AS seen_hash, CASE WHEN p.rest <> '{{}}' THEN NOT EXISTS
    (SELECT 1 FROM messages r WHERE r.id = ANY(p.rest) AND r.posted_at IS NULL) END AS rest_posted,
    m.wamid AS prompt, m.form, m.posted_at, m.type = 'erased' AS gone,
    a.how, a.verdict, a.said, a.wamid AS reply, a.quoted, a.sent_at, a.received_at, u.body_digest
FROM confirmations c LEFT JOIN approvers p ON p.confirmation_id = c.id LEFT JOIN messages m ON m.id = p.message_id
LEFT JOIN answers a ON a.id = p.answer_id LEFT JOIN updates u ON u.key = a.update_key
WHERE c.id = ANY($1) ORDER BY c.id, p.position, p.person_id
"""
#: Log, head and receipts in one statement: the lock of the head is held for no round trip more.
_WRITE = """
WITH r AS MATERIALIZED (
    SELECT * FROM unnest($1::bigint[], $2::text[], $3::bytea[], $4::bytea[], $5::bytea[], $6::text[], $7::text[],
        $8::timestamptz[], $9::text[]) AS r (index, id, entry, leaf, head, jws, opened, use_by, persons)
), logged AS (
    INSERT INTO decision_log (index, confirmation_id, entry, leaf, head) SELECT index, id, entry, leaf, head FROM r
), ended AS (
    UPDATE decision_head SET size = $10, head = $11
)
INSERT INTO receipts (confirmation_id, jws, opened, use_by, persons)
SELECT id, jws, opened::jsonb, use_by, string_to_array(persons, ' ') FROM r
"""


def prove(tx: Tx, rt: Runtime, whose: Mapping[str, Person]) -> None:
    """Log these decisions (confirmations by id, each with a person it was asked of) and sign a receipt for each.

    It is done as the last of the transaction that made them.
    """
    if whose:
        tx.before_commit(_prove, (rt, whose))


async def _prove(tx: Tx, made_here: Sequence[tuple[Runtime, Mapping[str, Person]]]) -> None:
    rt = made_here[0][0]
    facts = await _facts(tx, rt, {key: person for _, whose in made_here for key, person in whose.items()})
    made = [statement.make(each, partial(secrets.token_bytes, chains.SALT_BYTES)) for each in facts]
    entries = [canonical.encode(each.entry) for each in made]
    held = keys.load(rt.settings, now=rt.now)
    places = await log.places(tx, entries)
    await tx.execute(
        _WRITE,
        [place.index for place in places],
        [each.row["id"] for each in facts],
        entries,
        [place.leaf for place in places],
        [place.head for place in places],
        [_signed(held, each, place) for each, place in zip(made, places, strict=True)],
        [msgspec.json.encode(each.opened).decode() if each.opened else None for each in made],
        [each.use_by for each in facts],
        [" ".join(one.row["asked_id"] for one in each.approvals) for each in facts],
        places[-1].size,
        places[-1].head,
    )


def _signed(held: Keys, made: Statement, place: Place) -> str:
    return held.sign(canonical.encode(claims(made, place)), typ=statement.TYP)


def claims(made: Statement, place: Place) -> dict[str, Any]:
    """What a receipt says: the log's entry, where it stands, and the words."""
    where = {
        "index": place.index,
        "size": place.size,
        "before": place.before.hex(),
        "head": place.head.hex(),
    }
    return {**made.entry, "log": where, "words": made.words}


async def _facts(tx: Tx, rt: Runtime, whose: Mapping[str, Person]) -> list[Facts]:
    asked: dict[str, list[Record]] = {}
    for row in await tx.fetch(_FACTS, sorted(whose)):
        asked.setdefault(row["id"], []).append(row)
    persons = {person_id: person for person in whose.values() for person_id in person.ids}
    named = {row["asked_id"] for rows in asked.values() for row in rows if row["asked_id"]}
    if unknown := named - persons.keys():
        persons |= await people.get_many(tx, sorted(unknown))
    secret = _app_secret(rt)
    return [
        Facts(
            row=rows[0],
            approvals=[_approval(persons, row) for row in rows if row["asked_id"]],
            issuer=rt.settings.sayso_receipt_issuer,
            account=rt.settings.whatsapp_business_account_id,
            app_secret=secret,
            words_version=rules.vocabulary().version,
            use_by=use_by(rt, rows[0]),
            erased=rows[0]["user_id"] == ERASED,
        )
        for rows in asked.values()
    ]


def _approval(persons: Mapping[str, Person], row: Record) -> Approval:
    """Of somebody who was forgotten since they were asked, nothing is told that would have to be hidden."""
    gone = bool(row["gone"])
    return Approval(None if gone else _address(persons[row["asked_id"]]), row, gone=gone)


def _address(person: Person) -> str | None:
    return person.to or person.user_id


def use_by(rt: Runtime, row: Record) -> datetime | None:
    """Until when what was confirmed may be claimed."""
    if row["outcome"] != "confirmed":
        return None
    by_rule = row["rule"].get("use_by_s")
    within = (
        timedelta(minutes=rt.settings.sayso_use_within_minutes)
        if by_rule is None
        else timedelta(seconds=by_rule)
    )
    until: datetime = row["decided_at"] + within
    return until


def _app_secret(rt: Runtime) -> str:
    """A name for the app's secret that checked the webhook. Keyed, since whoever guesses a secret could tell by it."""
    secret = rt.settings.whatsapp_webhook_secret.get_secret_value()
    return hmac.digest(ledger.key(rt), b"sayso.app-secret." + secret.encode(), "sha256")[:8].hex()


async def get(tx: Tx, confirmation_id: str) -> Record | None:
    """A confirmation's row with ``jws``, ``opened`` and ``use_by`` of its receipt, which are None while it is open.

    ``texts``: what each person asked was shown, in the receipt's order.
    """
    return await tx.fetchrow(
        f"SELECT c.*, r.jws, r.opened, r.use_by, (SELECT coalesce(jsonb_agg({_SEEN} ORDER BY w.place), '[]') "
        "FROM unnest(r.persons) WITH ORDINALITY AS w (person_id, place) LEFT JOIN approvers p "
        "ON p.confirmation_id = c.id AND p.person_id = w.person_id) AS texts FROM confirmations c "
        "LEFT JOIN receipts r ON r.confirmation_id = c.id WHERE c.id = $1",
        confirmation_id,
    )


def shown(row: Record) -> dict[str, Any]:
    """A receipt with what opens it, as far as that is still there: the action, the texts, whom, and what they wrote."""
    told, opened = msgspec.json.decode(jws.extract_compact(row["jws"].encode()).payload), row["opened"]
    return {
        "confirmation_id": row["id"],
        "receipt": row["jws"],
        "claims": told,
        "action": row["action"] if opened else None,
        **_texts(told, opened, row["texts"]),
        "opened": opened,
        "erased": opened is None or None in opened["approvals"],
    }


def _texts(told: dict[str, Any], opened: dict[str, Any] | None, texts: Sequence[Any]) -> dict[str, Any]:
    """What each person saw, and the fields they were sent after it; None for who saw none, or was erased since."""
    if opened is None:
        return {"shown": None, "rest": None}
    every = [
        (each["shown"] if behind else None, text)
        for each, behind, text in zip(told["approvals"], opened["approvals"], texts, strict=True)
    ]
    return {
        "shown": [text[seen["form"]] if seen else None for seen, text in every],
        "rest": [text["rest"] if seen and seen["rest"] else None for seen, text in every],
    }


async def forget(
    tx: Tx, person_ids: Sequence[str], confirmation_ids: Sequence[str], parts: Sequence[str]
) -> None:
    """Destroy what opens these receipts and, in the ``parts`` of others, what opens what these persons had to do there.

    That is their entry and, where it was their answer that decided, what they chose or wrote.
    """
    await tx.execute(
        "UPDATE receipts SET opened = NULL WHERE confirmation_id = ANY($1)", list(confirmation_ids)
    )
    for person_id in person_ids:
        await tx.execute(
            "UPDATE receipts r SET opened = jsonb_set(CASE WHEN r.opened ? 'answer' AND c.decided_by = p.answer_id "
            "THEN jsonb_set(r.opened, '{answer}', 'null') ELSE r.opened END, "
            "ARRAY['approvals', (array_position(r.persons, $1) - 1)::text], 'null') FROM approvers p "
            "JOIN confirmations c ON c.id = p.confirmation_id WHERE p.person_id = $1 "
            "AND p.confirmation_id = r.confirmation_id AND r.opened IS NOT NULL AND r.confirmation_id = ANY($2)",
            person_id,
            list(parts),
        )
