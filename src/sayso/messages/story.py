"""The whole story of one message, for people: who, whether, in what form, what held it, what came of it, what next."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sayso.consent import service as consent
from sayso.core.database import Record, Tx
from sayso.core.runtime import Runtime
from sayso.messages import conversations, dead, service, trouble
from sayso.messages.rules import window_open
from sayso.people import service as people
from sayso.people.service import Person
from sayso.senders import service as senders
from sayso.senders.service import Sender
from sayso.templates import service as templates
from sayso.whatsapp.failures import GraphError, classify

#: How the lanes are called, the first overtaking the others.
LANES: Final = ("replies", "questions", "everything else")
_SHOWN_OF_NUMBER = 4


@dataclass(frozen=True, slots=True)
class Story:
    """Facts as (what, sentence), what happened as (when, state, sentence), and what comes next."""

    facts: tuple[tuple[str, str], ...]
    steps: tuple[tuple[datetime, str, str], ...]
    next: str


async def tell(tx: Tx, rt: Runtime, message_id: str) -> Story | None:
    """The story of a message; None when there is no such message."""
    row = await service.get(tx, message_id)
    if row is None:
        return None
    person = await people.get(tx, row["person_id"])
    sender = await senders.get(tx, row["phone_number_id"])
    facts = [
        (
            "message",
            f"{row['purpose']} ({row['type']}, {row['category']}) of {row['client_id'] or 'our own'}",
        ),
        ("to", f"{who(person)}, from {_from(row, sender)}"),
        ("state", f"{row['state']}{': ' if row['reason'] else ''}{row['reason'] or ''}"),
        *await _whether(tx, rt, row, person),
        ("form", _form(row)),
        *await _template(tx, rt, row),
        ("lane", f"{LANES[min(row['lane'], len(LANES) - 1)]} ({row['lane']})"),
        *await _holds(tx, rt, row, person, sender),
        (
            "attempts",
            f"{row['attempt']}, of which Meta refused {row['retries']} since it was last queued anew",
        ),
        ("if lost", _IF_UNKNOWN[row["if_unknown"]]),
    ]
    steps = await service.timeline(tx, message_id)
    return Story(tuple(facts), tuple(_steps(steps)), what_next(row, sender, rt.now()))


_IF_UNKNOWN: Final = {
    "give_up": "reported, and left unknown until a status comes",
    "ask": "reported, and somebody is asked",
    "retry_once": "posted once more, at the risk of a duplicate",
}


def who(person: Person) -> str:
    """A person as an operator may see them: the name, and the end of the number."""
    number = (person.to or "")[-_SHOWN_OF_NUMBER:]
    known = f"…{number}" if number else (person.bsuid or "nobody can be reached")
    return f"{person.name} ({known})" if person.name else known


def _from(row: Record, sender: Sender | None) -> str:
    shown = sender.display_number if sender else None
    return f"{shown} ({row['phone_number_id']})" if shown else str(row["phone_number_id"])


async def _whether(tx: Tx, rt: Runtime, row: Record, person: Person) -> list[tuple[str, str]]:
    talks = await conversations.read(tx, [person])
    opened_at = talks.of(person, row["phone_number_id"]).opened_at
    is_open = window_open(opened_at, rt.now())
    permit = (await consent.verdict(tx, rt, person)).permits(row["category"], initiated=not is_open)
    entry = f" (consent entry {permit.entry_id})" if permit.allowed and permit.entry_id else ""
    allowed = f"allowed now{entry}" if permit.allowed else f"not allowed now: {permit.reason}"
    if opened_at is None:
        window = "the person has not written to this number"
    else:
        window = f"{'open' if is_open else 'closed'}: the person wrote last at {_at(opened_at)}"
    return [("consent", allowed), ("window", window)]


def _form(row: Record) -> str:
    has = f"; outside the window it has the template {row['template_name']}" if row["outside_window"] else ""
    fell = " (it fell back to it)" if row["fell_back"] else ""
    return f"{row['form'] or 'not decided yet'}{has}{fell}"


async def _template(tx: Tx, rt: Runtime, row: Record) -> list[tuple[str, str]]:
    if row["template_name"] is None:
        return []
    key = (row["template_name"], row["template_language"])
    standing = (await templates.states(tx, rt, [key])).get(key)
    reason = getattr(standing, "reason", None)
    known = reason or ("can be sent" if standing is not None else "is not in our mirror; Meta decides")
    return [("template", f"{key[0]} ({key[1]}): {known}")]


async def _holds(
    tx: Tx, rt: Runtime, row: Record, person: Person, sender: Sender | None
) -> list[tuple[str, str]]:
    now = rt.now()
    found = []
    if row["held"]:
        found.append(("held", f"{row['held']} ({row['held_by']}); it looks again at {_at(row['work_at'])}"))
    of_sender = sender.held(now) if sender else None
    if of_sender:
        found.append(("sender", f"sends nothing now: {of_sender}"))
    standing = (await trouble.holds_of(tx, [person], now)).get((person.id, row["phone_number_id"]))
    if standing and standing.everything:
        found.append(("person", f"held until {_at(standing.everything.until)}: {standing.everything.why}"))
    if standing and standing.marketing:
        found.append(
            ("person", f"no marketing until {_at(standing.marketing.until)}: {standing.marketing.why}")
        )
    return found


def _steps(rows: Sequence[Record]) -> Iterator[tuple[datetime, str, str]]:
    """Each entry of the timeline; for a status how long after the POST it came."""
    posted: datetime | None = None
    for row in rows:
        detail = row["detail"] or {}
        said = [row["reason"]] if row["reason"] else []
        if row["state"] == "sending":
            posted = row["at"]
            said.append(f"attempt {detail.get('attempt')}, as {detail.get('form')}")
        if detail.get("status"):
            lag = f", {_lag(row['at'] - posted)} after the POST" if posted else ""
            said.append(f"Meta's status {detail['status']}{lag}")
        if detail.get("next_attempt_at"):
            said.append(f"next attempt at {detail['next_attempt_at']}")
        if detail.get("wamid"):
            said.append(str(detail["wamid"]))
        yield row["at"], row["state"], "; ".join(said)


def _lag(lag: timedelta) -> str:
    """A status carries whole seconds: one that seems to come before its POST came with it."""
    return f"{max(0.0, lag.total_seconds()):.1f} s"


def what_next(row: Record, sender: Sender | None, now: datetime) -> str:
    """What happens to a message by itself, and what an operator can do."""
    state = row["state"]
    if state == "queued":
        return _queued(row, sender, now)
    if state == "unknown" and row["work"] is not None:
        return f"A status of Meta's may settle it; otherwise it is reported at {_at(row['work_at'])}."
    if state == "unknown":
        return (
            "A status of Meta's may still settle it. If you know better: "
            f'POST /messages/{row["id"]}/settle {{"as": "delivered" | "failed" | "retry"}}.'
        )
    if state in ("failed", "expired"):
        return _dead(row)
    return _OTHERWISE[state]


_OTHERWISE: Final = {
    "sending": "It is being posted this moment.",
    "accepted": "Meta has it; its statuses will come.",
    "sent": "It has left Meta; the phone may be off. `delivered` will come, or nothing, if Meta drops it at its end.",
    "delivered": "Nothing: it has reached the person.",
    "read": "Nothing: the person has read it.",
    "suppressed": "Nothing. Only the person's own consent can change that, and then for new messages.",
    "cancelled": "Nothing: it was cancelled.",
}


def _queued(row: Record, sender: Sender | None, now: datetime) -> str:
    ends = f" It lives until {_at(row['expires_at'])}. `POST /messages/{row['id']}/cancel` takes it back."
    held = sender.held(now) if sender else None
    if held:
        return f"It waits for its sender: {held}.{ends}"
    if row["work"] == "waiting":
        why = f" ({row['held']})" if row["held"] else ""
        return f"It is looked at again at {_at(row['work_at'])}{why}.{ends}"
    return f"It is next in its lane as soon as its sender has a slot.{ends}"


def _dead(row: Record) -> str:
    code = row["error_code"]
    failure = classify(GraphError(code, ""), None) if code is not None else None
    advice = f"{failure.meaning} {failure.operator} " if failure else ""
    refusal = dead.refusal(row)
    if refusal:
        return f"{advice}It cannot be sent again: {refusal}."
    return f"{advice}Then: sayso messages retry {row['id']}"


def _at(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M:%S UTC")
