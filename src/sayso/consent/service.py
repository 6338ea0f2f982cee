"""May we talk to this person: what their words in the ledger, their stop at Meta and our policies permit.

Whoever asks for the verdict inside the people's fence (``people.lock``) and acts in the same transaction cannot be
overtaken by an opt-out.
"""

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sayso.consent import rules
from sayso.consent.ledger import Said, append, key
from sayso.consent.rules import CATEGORIES, Action, Entry, Permit, Standing
from sayso.core.database import Record, Tx
from sayso.core.errors import ConsentMissingError, OptedOutError
from sayso.core.runtime import Runtime
from sayso.people import service as people
from sayso.people.rules import line
from sayso.people.service import Person

__all__ = ["Said", "append", "key"]


@dataclass(frozen=True, slots=True)
class Policy:
    """Whether what we begin in a category needs an opt-in; by default it does."""

    category: str
    opt_in_required: bool = True
    reason: str = "the default"
    actor: str = ""
    at: datetime | None = None


async def verdicts(tx: Tx, rt: Runtime, persons: Sequence[Person]) -> dict[str, Standing]:
    """What each person's words permit, by person id, in two queries."""
    entries = await entries_of(tx, rt, persons)
    required = frozenset(
        policy.category for policy in (await policies(tx)).values() if policy.opt_in_required
    )
    return {
        person.id: rules.standing(entries[person.id], now=rt.now(), required=required) for person in persons
    }


async def verdict(tx: Tx, rt: Runtime, person: Person) -> Standing:
    """What one person's words permit."""
    return (await verdicts(tx, rt, [person]))[person.id]


async def check(tx: Tx, rt: Runtime, person: Person, category: str, *, initiated: bool) -> Permit:
    """The permit for a message that is to be queued.

    Raises :class:`OptedOutError` or :class:`ConsentMissingError`: then nothing is queued.
    """
    holds = await verdict(tx, rt, person)
    permit = holds.permits(category, initiated=initiated)
    stop = holds.stopped(category)
    if stop is not None:
        back = await way_back(tx, rt, person, category, stop)
        raise OptedOutError(f"Nothing was queued: {permit.reason}. {back}")
    if permit.code == "consent_missing":
        raise ConsentMissingError(
            f"Nothing was queued: {permit.reason}. Record the person's opt-in with POST /consents first "
            "(or let them write to you)."
        )
    return permit


async def way_back(tx: Tx, rt: Runtime, person: Person, category: str, stop: Entry) -> str:
    """How a person comes back to a category that ``stop`` ended, in a sentence."""
    entries = (await entries_of(tx, rt, [person]))[person.id]
    return rules.way_back(stop, category, rules.restorable(entries))


#: What a person said, and what outlived those who were erased and had the same line or user id.
_THAT_DECIDE = """
SELECT person_id AS of, NULL AS digest, seq, id, action, scope, method, about, captured_at, expires_at, verified
FROM consent_entries WHERE person_id = ANY($1)
UNION ALL SELECT NULL, digest, 0, entry_id, action, scope, method, NULL, captured_at, NULL, true
FROM consent_suppressions WHERE digest = ANY($2)
"""


async def entries_of(tx: Tx, rt: Runtime, persons: Sequence[Person]) -> dict[str, list[Entry]]:
    """Everything that decides, by person id: what they said under any record or spelling, and outlived an erasure."""
    secret, owners, blinds = key(rt), dict[str, list[str]](), dict[bytes, list[str]]()
    for person in persons:
        for record_id in person.fence:
            owners.setdefault(record_id, []).append(person.id)
        for blind in _blind(secret, person):
            blinds.setdefault(blind, []).append(person.id)
    found: dict[str, list[Entry]] = {person.id: [] for person in persons}
    for row in await tx.fetch(_THAT_DECIDE, list(owners), list(blinds)):
        for person_id in blinds[row["digest"]] if row["digest"] else owners[row["of"]]:
            found[person_id].append(entry_of(row))
    return found


def entry_of(row: Record) -> Entry:
    """A row of the ledger, as far as it decides."""
    return Entry(
        id=row["id"],
        action=row["action"],
        method=row["method"],
        captured_at=row["captured_at"],
        scope=tuple(row["scope"]),
        expires_at=row["expires_at"],
        verified=row["verified"],
        about=row["about"],
        seq=row["seq"],
    )


def _blind(secret: bytes, person: Person) -> set[bytes]:
    """What stands for a person's identifiers, one for all spellings of a line; without the key nobody can tell."""
    names = {line(each) if each.isdigit() else each for each in person.keys}
    return {
        hmac.digest(secret, b"sayso.consent.suppressed.1:" + name.encode(), hashlib.sha256) for name in names
    }


async def erase(tx: Tx, rt: Runtime, person: Person) -> int:
    """Forget what is personal in a person's entries; how many. What stopped them holds for their identifiers for ever.

    To be called before the identifiers themselves go. The chain goes on verifying: it covers a digest of what went.
    """
    entries = (await entries_of(tx, rt, [person]))[person.id]
    stops = rules.standing(entries, now=rt.now()).stops()
    now, secret = rt.now(), key(rt)
    await tx.executemany(
        "INSERT INTO consent_suppressions (digest, entry_id, action, method, scope, captured_at, at) "
        "VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING",
        [
            (blind, stop.id, stop.action, stop.method, list(stop.scope), stop.captured_at, now)
            for blind in _blind(secret, person)
            for stop in stops
        ],
    )
    await tx.execute("UPDATE consent_questions SET shown = NULL WHERE person_id = ANY($1)", list(person.ids))
    return await tx.execute(
        "UPDATE consent_entries SET personal = NULL, salt = NULL "
        "WHERE person_id = ANY($1) AND personal IS NOT NULL",
        list(person.ids),
    )


async def stopped_marketing(tx: Tx, rt: Runtime, person: Person, *, evidence: str, at: datetime) -> Entry:
    """Meta refused a marketing message since the person had stopped ours there (131050, cloud-api 5.3).

    ``evidence`` is the refused message; a stop that stands already is not written again. Lifted by Meta's word alone.
    """
    return (
        await by_meta(tx, rt, person, "suppressed_by_meta", method="meta_error", evidence=evidence, at=at)
    )[0]


async def by_meta(
    tx: Tx, rt: Runtime, person: Person, action: Action, *, method: str, evidence: str, at: datetime
) -> tuple[Entry, bool]:
    """What the person told Meta about our marketing; the entry that holds, and whether it is news."""
    await people.lock(tx, person.ids, exclusive=True)
    before = (await verdict(tx, rt, person)).metas.get("marketing")
    if before is not None and before.action == action:
        return before, False
    said = Said(
        person=person,
        action=action,
        method=method,
        captured_at=at,
        scope=("marketing",),
        personal={"evidence": [evidence], "source": "Meta"},
    )
    (entry,) = await append(tx, rt, [said])
    return (await verdict(tx, rt, person)).metas.get("marketing") or entry, True


async def policies(tx: Tx) -> dict[str, Policy]:
    """The policy in force for each category."""
    rows = await tx.fetch(
        "SELECT DISTINCT ON (category) category, opt_in_required, reason, actor, at FROM consent_policies "
        "ORDER BY category, id DESC"
    )
    set_here = {row["category"]: Policy(**row) for row in rows}
    return {category: set_here.get(category, Policy(category)) for category in CATEGORIES}


async def set_policy(
    tx: Tx, rt: Runtime, category: str, *, opt_in_required: bool, reason: str, actor: str
) -> Policy:
    """Switch whether a category needs an opt-in; who did and why stays on record, as does every earlier policy."""
    policy = Policy(category, opt_in_required, reason, actor, rt.now())
    await tx.execute(
        "INSERT INTO consent_policies (id, category, opt_in_required, reason, actor, at) "
        "VALUES ($1, $2, $3, $4, $5, $6)",
        rt.new_id("pol"),
        category,
        opt_in_required,
        reason,
        actor,
        policy.at,
    )
    return policy


async def history(tx: Tx, person: Person) -> list[Record]:
    """Everything the ledger holds of a person, oldest first."""
    return await tx.fetch(
        "SELECT * FROM consent_entries WHERE person_id = ANY($1) ORDER BY seq", list(person.ids)
    )


async def whose(tx: Tx, entry_id: str) -> list[Person]:
    """The person an entry speaks for, as they are known today; empty when the ledger has no such entry."""
    rows = await tx.fetch("SELECT person_id FROM consent_entries WHERE id = $1", entry_id)
    return list((await people.get_many(tx, [row["person_id"] for row in rows])).values())


async def stay_out(tx: Tx, rt: Runtime, one: Person, other: Person) -> None:
    """Two who were taken for one are two again: what stopped the one stops both, since nobody knows who said it."""
    pairs = ((one, other), (other, one))
    holding = await verdicts(tx, rt, [one, other])
    said: dict[tuple[str, str], Said] = {}
    for person, twin in pairs:
        for scope in rules.SCOPES:
            stop = holding[twin.id].stopped(scope)
            if stop is not None and holding[person.id].stopped(scope) is None:
                said[person.id, stop.id] = Said(
                    person=person,
                    action=stop.action,
                    method=stop.method,
                    captured_at=stop.captured_at,
                    scope=stop.scope,
                    about=stop.id,
                    personal={"reason": "said while two people were taken for one"},
                )
    if said:
        await append(tx, rt, list(said.values()))
