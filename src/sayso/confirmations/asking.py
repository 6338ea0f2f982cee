"""Asking: one question, everybody who is asked at once, and what was shown to each, in one transaction."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sayso.confirmations import moving, receipts, showing, steps
from sayso.confirmations.policy import NONE, Auto, Policy, Rule, Wish, resolve
from sayso.confirmations.question import Question
from sayso.confirmations.render import Action
from sayso.confirmations.rules import Kind, Option, Outcome, Verdict
from sayso.confirmations.showing import To
from sayso.confirmations.whom import Asked, Later
from sayso.consent import service as consent
from sayso.core import canonical
from sayso.core.database import Record, Tx
from sayso.core.errors import ConsentMissingError, OptedOutError, SaysoError
from sayso.core.faults import wrong
from sayso.core.runtime import Runtime
from sayso.core.telemetry import CONFIRMATIONS
from sayso.events import service as events
from sayso.messages import service as messages
from sayso.messages.conversations import Talks
from sayso.messages.rules import window_open
from sayso.messages.service import Draft
from sayso.people import service as people

SIMPLE = resolve(NONE, Wish(action_type=""))


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """A question to be; ``sender`` is the phone number id of ours that it is asked from.

    ``talks``: what has passed between us and those who are asked; by default nobody has written.
    """

    client_id: str
    user_id: str
    asked: Sequence[Asked]
    sender: str
    action: Action
    lasts: timedelta
    talks: Talks = field(default_factory=Talks)
    kind: Kind = "approve"
    options: Sequence[Option] = ()
    labels: Mapping[Verdict, str] = field(default_factory=dict)
    rule: Rule = SIMPLE
    later: Sequence[Later] = ()
    dedupe: str | None = None
    supersedes: str | None = None
    policy: Policy = NONE
    dry: Sequence[Auto] = ()

    def same_as(self) -> bytes:
        """What identical questions share; a key of the business tells them apart, whatever the words."""
        return canonical.digest(
            {
                "client": self.client_id,
                "sender": self.sender,
                "persons": sorted(each.person.id for each in self.asked),
                "action": self.action.data(),
                "kind": self.kind,
                "options": [[each.id, each.label] for each in self.options],
                "labels": dict(self.labels),
                "tier": self.rule.tier,
                "challenge": self.rule.challenge,
                "needed": self.rule.needed(len(self.asked)),
                "dedupe": self.dedupe,
            }
        )


async def ask(tx: Tx, rt: Runtime, asking: Asking) -> str:
    """Ask; the confirmation's id. Row, texts, digests, messages and deadline are one transaction.

    Raises :class:`OptedOutError` and :class:`ConsentMissingError` where too few may be asked,
    :class:`ContentTooLongError` where a text is too long.
    """
    may, refused = await _permitted(tx, rt, asking)
    confirmation_id, now = rt.new_id("cnf"), rt.now()
    expires_at = now + asking.lasts
    needed = asking.rule.needed(len(asking.asked))
    asked = _question(asking, needed)
    codes = await showing.codes(tx, rt, asking.rule.challenge, [each.person for each in may])
    tos = [
        await showing.shown(tx, rt, asked, each, confirmation_id=confirmation_id, code=code)
        for each, code in zip(may, codes, strict=True)
    ]
    drafts = [
        _draft(to, confirmation_id, client_id=asking.client_id, sender=asking.sender, expires_at=expires_at)
        for to in tos
    ]
    message_ids = await messages.send_all(tx, rt, drafts)
    await _insert(
        tx,
        asking,
        tos[0],
        confirmation_id=confirmation_id,
        message_id=message_ids[0],
        rule=_rule(asking, tos),
        needed=needed,
        now=now,
    )
    await _insert_approvers(
        tx, confirmation_id, list(zip(tos, message_ids, strict=True)), refused, asking.later
    )
    await _supersede(tx, rt, asking, by=confirmation_id)
    await _tell(
        tx, rt, asking, "confirmation.asked", {"confirmation_id": confirmation_id, "expires_at": expires_at}
    )
    return confirmation_id


async def _tell(tx: Tx, rt: Runtime, asking: Asking, kind: str, data: dict[str, Any]) -> None:
    await events.emit(
        tx,
        rt,
        client_id=asking.client_id,
        kind=kind,
        subject=data["confirmation_id"],
        data=data,
    )


async def _supersede(tx: Tx, rt: Runtime, asking: Asking, *, by: str) -> None:
    old = asking.supersedes
    if old is not None and not await moving.supersede(tx, rt, asking.client_id, old, by=by):
        raise wrong("/supersedes", f"{old} was decided before; see its outcome")


async def put_to(tx: Tx, rt: Runtime, row: Record, person_id: str) -> str:
    """Put an open question to somebody who waits to be asked; the message's id."""
    person = await people.get(tx, person_id)
    asked = showing.again(row, rt.now(), await showing.count(tx, row["id"]))
    code = row["rule"].get("number") or (await showing.codes(tx, rt, row["challenge"], [person]))[0]
    to = await showing.shown(tx, rt, asked, Asked(person, person.name), confirmation_id=row["id"], code=code)
    draft = _draft(
        to,
        row["id"],
        client_id=row["client_id"],
        sender=row["phone_number_id"],
        expires_at=row["expires_at"],
    )
    message_id = await messages.send(tx, rt, draft)
    await tx.execute(
        "UPDATE approvers SET state = 'asked', message_id = $3, code = $4, shown = $5, shown_hash = $6, "
        "rest = CASE WHEN $5::jsonb ? 'rest' THEN '{}'::text[] END WHERE confirmation_id = $1 AND person_id = $2",
        row["id"],
        person_id,
        message_id,
        code,
        to.shown.data(),
        to.shown.digests(),
    )
    return message_id


async def decided_at_once(tx: Tx, rt: Runtime, asking: Asking, by: Auto) -> str:
    """Decide by a rule of the policy, without asking anybody; the confirmation's id."""
    confirmation_id, now = rt.new_id("cnf"), rt.now()
    outcome: Outcome = "confirmed" if by.then == "allow" else "declined"
    await tx.execute(
        "INSERT INTO confirmations (id, client_id, user_id, person_id, phone_number_id, action, action_hash, shown, "
        "shown_hash, status, outcome, created_at, expires_at, decided_at, work_at, tier, policy_version, rule, dedupe, "
        "answer, kind, options) VALUES ($1, $2, $3, $4, $5, $6, $7, '{}', '{}', 'decided', $8, $9, $9, $9, $9, $10, "
        "$11, $12, $13, $14, $15, $16)",
        confirmation_id,
        asking.client_id,
        asking.user_id,
        asking.asked[0].person.id,
        asking.sender,
        asking.action.data(),
        asking.action.digest(),
        outcome,
        now,
        asking.rule.tier,
        asking.policy.stamp,
        asking.rule.data() | {"escalation": []},
        asking.dedupe,
        {"how": "policy", "rule": by.name},
        asking.kind,
        _options(asking),
    )
    await _supersede(tx, rt, asking, by=confirmation_id)
    receipts.prove(tx, rt, {confirmation_id: asking.asked[0].person})
    tx.after_commit(lambda: CONFIRMATIONS.labels(outcome).inc())
    told = {"confirmation_id": confirmation_id, "outcome": outcome, "decided_at": now}
    await _tell(tx, rt, asking, "confirmation.decided", told)
    return confirmation_id


async def same(tx: Tx, rt: Runtime, asking: Asking) -> str | None:
    """The open question that is just this one, or None; it takes the place that this one was to take.

    Whoever asks one of these people for this assistant at this moment waits until this transaction ends.
    """
    await in_turn(tx, [f"asked:{asking.client_id}:{each.person.id}" for each in asking.asked])
    found: str | None = await tx.fetchval(
        "SELECT id FROM confirmations WHERE same_as = $1 AND status <> 'decided' ORDER BY id LIMIT 1",
        asking.same_as(),
    )
    if found is not None and asking.supersedes not in (None, found):
        await _supersede(tx, rt, asking, by=found)
    return found


async def by_dedupe(tx: Tx, client_id: str, key: str) -> str | None:
    """The assistant's confirmation of this key, or None; who uses the key at this moment waits for the other."""
    await in_turn(tx, [f"dedupe:{client_id}:{key}"])
    found: str | None = await tx.fetchval(
        "SELECT id FROM confirmations WHERE client_id = $1 AND dedupe = $2", client_id, key
    )
    return found


async def in_turn(tx: Tx, whats: Sequence[str]) -> None:
    """Wait for whoever is at one of these, and let others wait, until this transaction ends."""
    keys = {int.from_bytes(hashlib.sha256(what.encode()).digest()[:8], signed=True) for what in whats}
    await tx.execute("SELECT pg_advisory_xact_lock(key) FROM unnest($1::bigint[]) AS k (key)", sorted(keys))


async def _permitted(tx: Tx, rt: Runtime, asking: Asking) -> tuple[list[Asked], list[Asked]]:
    """Who may be asked, and who has left or not agreed; raises where the others are too few."""
    may: list[Asked] = []
    refused: dict[str, SaysoError] = {}
    for each in sorted(asking.asked, key=lambda each: each.person.id):
        opened_at = asking.talks.of(each.person, asking.sender).opened_at
        initiated = not window_open(opened_at, rt.now())
        try:
            await consent.check(tx, rt, each.person, "confirmations", initiated=initiated)
        except (OptedOutError, ConsentMissingError) as error:
            refused[each.person.id] = error
    may = [each for each in asking.asked if each.person.id not in refused]
    if len(may) < asking.rule.needed(len(asking.asked)):
        raise next(iter(refused.values()))
    return may, [each for each in asking.asked if each.person.id in refused]


def _question(asking: Asking, needed: int) -> Question:
    return Question(
        action=asking.action,
        lasts=asking.lasts,
        kind=asking.kind,
        challenge=asking.rule.challenge,
        options=asking.options,
        labels=asking.labels,
        needed=needed,
        asked=len(asking.asked),
        unseen_fields=asking.rule.unseen_fields,
    )


def _draft(to: To, confirmation_id: str, *, client_id: str, sender: str, expires_at: datetime) -> Draft:
    return Draft(
        client_id=client_id,
        person=to.asked.person,
        phone_number_id=sender,
        purpose="prompt",
        content=to.shown.session,
        outside_window=to.shown.template,
        expires_at=expires_at,
        confirmation_id=confirmation_id,
    )


def _rule(asking: Asking, tos: Sequence[To]) -> dict[str, Any]:
    """The rule as the question keeps it; with the number to be shown, dry runs, and how many fields are counted."""
    escalation = [
        {
            "after_s": each.step.after_s,
            "when": each.step.when,
            "position": position,
            "person_id": each.person.id,
            "to": each.step.to,
        }
        for position, each in enumerate(asking.later, start=1)
    ]
    more: dict[str, Any] = {"escalation": escalation}
    if asking.rule.challenge == "number":
        more["number"] = tos[0].reader.code
    if asking.dry:
        more["dry_run"] = [{"name": each.name, "then": each.then} for each in asking.dry]
    if hidden := max(to.shown.hidden for to in tos):
        more["hidden_fields"] = hidden
    return asking.rule.data() | more


async def _insert(
    tx: Tx,
    asking: Asking,
    first: To,
    *,
    confirmation_id: str,
    message_id: str,
    rule: Mapping[str, Any],
    needed: int,
    now: datetime,
) -> None:
    expires_at = now + asking.lasts
    await tx.execute(
        "INSERT INTO confirmations (id, client_id, user_id, person_id, phone_number_id, message_id, action, "
        "action_hash, shown, shown_hash, status, created_at, expires_at, work, work_at, kind, options, tier, "
        "challenge, policy_version, rule, needed, dedupe, same_as) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, "
        "'pending', $11, $12, 'waiting', $13, $14, $15, $16, $17, $18, $19, $20, $21, $22)",
        confirmation_id,
        asking.client_id,
        asking.user_id,
        first.asked.person.id,
        asking.sender,
        message_id,
        asking.action.data(),
        asking.action.digest(),
        first.shown.data(),
        first.shown.digests(),
        now,
        expires_at,
        steps.first_look(rule, now, expires_at),
        asking.kind,
        _options(asking),
        asking.rule.tier,
        asking.rule.challenge,
        asking.policy.stamp,
        rule,
        needed,
        asking.dedupe,
        asking.same_as(),
    )


def _options(asking: Asking) -> Any:
    """The choices, or other words on the buttons."""
    if asking.options:
        return [{"id": e.id, "label": e.label, "description": e.description} for e in asking.options]
    return dict(asking.labels) or None


async def _insert_approvers(
    tx: Tx,
    confirmation_id: str,
    asked: Sequence[tuple[To, str]],
    refused: Sequence[Asked],
    later: Sequence[Later],
) -> None:
    rows: list[tuple[Any, ...]] = [
        (to.asked.person.id, 0, to.asked.delegated_from, "asked", None, message_id, to.reader.code)
        for to, message_id in asked
    ]
    rows += [
        (each.person.id, 0, each.delegated_from, "undeliverable", "opted_out", None, None) for each in refused
    ]
    rows += [(each.person.id, n, None, "waiting", None, None, None) for n, each in enumerate(later, start=1)]
    texts = [to.shown.data() for to, _ in asked] + [None] * (len(rows) - len(asked))
    hashes = [to.shown.digests() for to, _ in asked] + [None] * (len(rows) - len(asked))
    await tx.execute(
        "INSERT INTO approvers (confirmation_id, person_id, position, because, delegated_from, state, lost, "
        "message_id, code, shown, shown_hash, rest) SELECT $1, person_id, position, CASE WHEN position > 0 THEN "
        "'escalated' WHEN delegated_from IS NOT NULL THEN 'delegated' ELSE 'asked' END, delegated_from, state, lost, "
        "message_id, code, shown, shown_hash, CASE WHEN shown ? 'rest' THEN '{}'::text[] END FROM unnest($2::text[], "
        "$3::int[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::jsonb[], $10::jsonb[]) AS a "
        "(person_id, position, delegated_from, state, lost, message_id, code, shown, shown_hash)",
        confirmation_id,
        *map(list, zip(*rows, strict=True)),
        texts,
        hashes,
    )
