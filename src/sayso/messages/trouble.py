"""What an error of Meta's holds besides its own message, as ``errors.toml`` says: obeyed here, wherever it came from.

A sender or all of them, a template, a person (everything, or marketing alone), the window, the consent ledger. It is
called before any row of messages is locked: the rows it locks come before those.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sayso.consent import service as consent
from sayso.consent.rules import Entry
from sayso.core.database import Record, Tx
from sayso.core.runtime import Runtime
from sayso.messages.outcome import Trouble, held_for
from sayso.messages.rules import Hold, person_key
from sayso.messages.service import release_soon, suppress_all
from sayso.people import service as people
from sayso.people.service import Person
from sayso.senders import service as senders
from sayso.templates import service as templates

#: Holding one person: each in a row four times as long (cloud-api 6: 4^X s), an hour at most. What was posted before
#: a hold ended is no repetition. The row ends when a message posted after the hold arrives, or ten minutes after it.
LONGEST_HOLD_S = 3600
REPEATED_WITHIN = timedelta(minutes=10)
#: After so many undeliverable messages in a row (131026) nothing is sent to a person for a day, unless they write.
STRIKES = 3
STRUCK_FOR = timedelta(hours=24)
#: A failed status that comes later than this says nothing about how things are now.
_FRESH = timedelta(minutes=1)

_HOLD = """
INSERT INTO conversations AS c (person_id, phone_number_id, hold_until, hold_why, hold_times)
SELECT person_id, phone_number_id, $5::timestamptz + make_interval(secs => hold_s), why, 1
FROM unnest($1::text[], $2::text[], $3::float[], $4::text[]) AS t (person_id, phone_number_id, hold_s, why)
ON CONFLICT (person_id, phone_number_id) DO UPDATE SET hold_why = excluded.hold_why,
    hold_times = CASE WHEN c.hold_until > $5 - $6::interval THEN c.hold_times + 1 ELSE 1 END,
    hold_until = CASE WHEN c.hold_until > $5 - $6::interval
        THEN $5 + least(make_interval(secs => $7), (excluded.hold_until - $5) * power(4, least(c.hold_times, 6)))
        ELSE excluded.hold_until END
WHERE c.hold_until IS NULL OR c.hold_until <= $8
"""
_MARKETING = """
INSERT INTO conversations AS c (person_id, phone_number_id, marketing_until, marketing_why)
SELECT person_id, phone_number_id, $5::timestamptz + make_interval(secs => hold_s), why
FROM unnest($1::text[], $2::text[], $3::float[], $4::text[]) AS t (person_id, phone_number_id, hold_s, why)
ON CONFLICT (person_id, phone_number_id) DO UPDATE SET marketing_why = excluded.marketing_why,
    marketing_until = greatest(c.marketing_until, excluded.marketing_until)
"""
_CLOSED = """
INSERT INTO conversations AS c (person_id, phone_number_id, closed_at)
SELECT person_id, phone_number_id, posted_at
FROM unnest($1::text[], $2::text[], $3::timestamptz[]) AS t (person_id, phone_number_id, posted_at)
ON CONFLICT (person_id, phone_number_id) DO UPDATE SET closed_at = greatest(c.closed_at, excluded.closed_at)
"""
_STRIKE = """
INSERT INTO conversations AS c (person_id, phone_number_id, strikes, struck_at)
SELECT person_id, phone_number_id, 1, at
FROM unnest($1::text[], $2::text[], $3::timestamptz[]) AS t (person_id, phone_number_id, at)
ON CONFLICT (person_id, phone_number_id) DO UPDATE SET strikes = c.strikes + 1,
    struck_at = greatest(c.struck_at, excluded.struck_at)
"""

_REACHED = """
UPDATE conversations c SET strikes = 0, hold_times = CASE WHEN c.hold_until < p.posted_at THEN 0 ELSE c.hold_times END
FROM unnest($1::text[], $2::text[], $3::timestamptz[]) AS p (person_id, sender, posted_at)
WHERE c.person_id = p.person_id AND c.phone_number_id = p.sender
    AND (c.strikes > 0 OR c.hold_times > 0 AND c.hold_until < p.posted_at)
"""


async def obey(tx: Tx, rt: Runtime, troubles: Sequence[Trouble]) -> None:
    """Do what errors of Meta's ask for beyond their messages."""
    if not troubles:
        return
    left = await _leave(tx, rt, [each for each in troubles if each.failure.then == "opt_out"])
    fresh = [each for each in troubles if rt.now() - each.at < _fresh_for(each)]
    fresh.sort(key=lambda each: (each.person_id, each.phone_number_id))
    for each in _one_for_each(fresh, ("sender", "everything")):
        await senders.obey(tx, rt, each.phone_number_id, each.failure)
    await _doubt_templates(tx, rt, fresh)
    for held in (each for each in fresh if each.failure.holds == "person"):
        await _hold(tx, rt, held, _HOLD, REPEATED_WITHIN, LONGEST_HOLD_S, held.posted_at)
    for held in (each for each in fresh if each.failure.holds == "marketing"):
        await _hold(tx, rt, held, _MARKETING)
    await _mark(tx, _CLOSED, [(t, t.posted_at) for t in troubles if t.failure.then == "fall_back"])
    await _mark(tx, _STRIKE, [(t, t.at) for t in troubles if t.failure.then == "strike"])
    for person, entry in left:
        if entry.action != "suppressed_by_meta":  # they have resumed since
            continue
        reason = f"the person stopped marketing in WhatsApp (consent entry {entry.id})"
        await suppress_all(tx, rt, person, entry.id, scope=("marketing",), reason=reason)


async def _doubt_templates(tx: Tx, rt: Runtime, fresh: Sequence[Trouble]) -> None:
    """What Meta refuses for a template says that ours is not as we have it; those that wait for one that ended end."""
    doubtful = {
        (each.template, each.failure.code)
        for each in fresh
        if each.template and (each.failure.kind == "template" or each.failure.then == "compare")
    }
    over: set[str] = set()
    for template, code in sorted(doubtful):
        over.update(await templates.refused(tx, rt, *template, code))
    await release_soon(tx, rt, over)


async def _leave(tx: Tx, rt: Runtime, stopped: Sequence[Trouble]) -> list[tuple[Person, Entry]]:
    """These persons stopped our marketing at Meta (131050): into the ledger, all of them fenced before its head is."""
    persons = await people.lock(tx, [each.person_id for each in stopped], exclusive=True) if stopped else {}
    return [
        (
            persons[each.person_id],
            await consent.stopped_marketing(
                tx, rt, persons[each.person_id], evidence=each.evidence, at=each.at
            ),
        )
        for each in sorted(stopped, key=lambda one: one.person_id)
    ]


def _fresh_for(each: Trouble) -> timedelta:
    return max(_FRESH, timedelta(seconds=each.failure.hold_s))


def _one_for_each(troubles: Iterable[Trouble], holds: Sequence[str]) -> list[Trouble]:
    """One trouble for each sender and code, the one that asks for the longest wait; senders in order."""
    found: dict[tuple[str, int], Trouble] = {}
    for each in troubles:
        key = (each.phone_number_id, each.failure.code)
        if each.failure.holds in holds and (
            key not in found or found[key].failure.hold_s < each.failure.hold_s
        ):
            found[key] = each
    return [found[key] for key in sorted(found)]


async def _hold(tx: Tx, rt: Runtime, each: Trouble, sql: str, *more: object) -> None:
    why = held_for(each.failure)
    await tx.execute(
        sql, [each.person_id], [each.phone_number_id], [each.failure.hold_s], [why], rt.now(), *more
    )


async def _mark(tx: Tx, sql: str, marks: Iterable[tuple[Trouble, datetime]]) -> None:
    latest: dict[tuple[str, str], datetime] = {}
    for each, at in marks:
        pair = (each.person_id, each.phone_number_id)
        latest[pair] = max(at, latest.get(pair, at))
    if latest:
        pairs = sorted(latest)
        await tx.execute(
            sql, [person for person, _ in pairs], [sender for _, sender in pairs], [latest[p] for p in pairs]
        )


@dataclass(frozen=True, slots=True)
class Standing:
    """What holds a person at a sender: everything, and marketing alone.

    ``throttled``: Meta said not long ago that too much went to them (131056).
    """

    everything: Hold | None = None
    marketing: Hold | None = None
    throttled: bool = False


async def holds_of(tx: Tx, persons: Sequence[Person], now: datetime) -> dict[tuple[str, str], Standing]:
    """What errors of Meta's hold of these persons, by (person id, phone number id); nothing for most."""
    owner = {record_id: person.id for person in persons for record_id in person.ids}
    rows = await tx.fetch(
        "SELECT person_id, phone_number_id, hold_until, hold_why, marketing_until, marketing_why, strikes, struck_at "
        "FROM conversations WHERE person_id = ANY($1) "
        "AND (hold_until IS NOT NULL OR marketing_until IS NOT NULL OR strikes > 0)",
        list(owner),
    )
    found: dict[tuple[str, str], Standing] = {}
    for row in rows:
        by = person_key(owner[row["person_id"]])
        held = [(row["hold_until"], row["hold_why"])]
        if row["strikes"] >= STRIKES:
            why = f"the last {row['strikes']} messages to this person could not be delivered (131026)"
            held.append((row["struck_at"] + STRUCK_FOR, why))
        everything = max(
            (Hold(until, why, by) for until, why in held if until is not None and until > now),
            key=lambda hold: hold.until,
            default=None,
        )
        until = row["marketing_until"]
        marketing = Hold(until, row["marketing_why"], by) if until is not None and until > now else None
        pair = (owner[row["person_id"]], row["phone_number_id"])
        known = found.get(pair, Standing())  # of another record of the same person
        found[pair] = Standing(
            _longest(known.everything, everything),
            _longest(known.marketing, marketing),
            known.throttled or (row["hold_until"] is not None and now < row["hold_until"] + REPEATED_WITHIN),
        )
    return found


def _longest(*holds: Hold | None) -> Hold | None:
    return max((hold for hold in holds if hold), key=lambda hold: hold.until, default=None)


async def ends_of(tx: Tx, pairs: Iterable[tuple[str, str]]) -> dict[tuple[str, str], datetime]:
    """Until when these persons are held at these senders, by (person id, phone number id)."""
    found = sorted(set(pairs))
    if not found:
        return {}
    rows = await tx.fetch(
        "SELECT person_id, phone_number_id, hold_until FROM conversations WHERE (person_id, phone_number_id) IN "
        "(SELECT * FROM unnest($1::text[], $2::text[])) AND hold_until IS NOT NULL",
        [person for person, _ in found],
        [sender for _, sender in found],
    )
    return {(row["person_id"], row["phone_number_id"]): row["hold_until"] for row in rows}


async def reached(tx: Tx, messages: Iterable[Record]) -> None:
    """Messages reached their persons: what did not reach them earlier is no pattern any more.

    Nor is a 131056, once something that was posted after its hold arrives.
    """
    latest: dict[tuple[str, str], datetime | None] = {}
    for row in messages:
        pair, posted_at = (row["person_id"], row["phone_number_id"]), row["posted_at"]
        latest[pair] = max(filter(None, (posted_at, latest.get(pair))), default=None)
    if latest:
        await tx.execute(
            _REACHED, *zip(*sorted(latest), strict=True), [latest[pair] for pair in sorted(latest)]
        )
