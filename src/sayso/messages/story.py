"""The whole story of one message, for people: who, whether, in what form, what held it, what came of it, what next."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sayso.consent import service as consent
from sayso.core.database import Record, Tx
from sayso.core.runtime import Runtime
from sayso.messages import advice, conversations, service, steps, trouble
from sayso.messages.advice import category_of, moment
from sayso.messages.conversations import Talk
from sayso.messages.rules import WINDOW, window_open
from sayso.people import service as people
from sayso.people.service import Person
from sayso.senders import service as senders
from sayso.senders.service import Sender
from sayso.templates import service as templates

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
        ("state", _state(row)),
        *await _whether(tx, rt, row, person),
        ("form", _form(row)),
        *await _template(tx, rt, row),
        ("lane", f"{LANES[min(row['lane'], len(LANES) - 1)]} ({row['lane']})"),
        *await _holds(tx, rt, row, person, sender),
        ("attempts", _attempts(row)),
        ("if lost", _IF_UNKNOWN[row["if_unknown"]]),
    ]
    happened = steps.told(await service.timeline(tx, message_id))
    return Story(tuple(facts), tuple(happened), await advice.what_next(tx, rt, row, person, sender))


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


def _state(row: Record) -> str:
    """What holds a message now is said by itself, and what was the matter before by the steps."""
    reason = None if row["held"] else row["reason"]
    return f"{row['state']}: {reason}" if reason else str(row["state"])


def _attempts(row: Record) -> str:
    refused = f"; Meta refused {row['retries']} of the last ones" if row["retries"] else ""
    return f"{row['attempt']}{refused}"


async def _whether(tx: Tx, rt: Runtime, row: Record, person: Person) -> list[tuple[str, str]]:
    talks = await conversations.read(tx, [person])
    talk = talks.of(person, row["phone_number_id"])
    is_open = window_open(talk.opened_at, rt.now())
    permit = (await consent.verdict(tx, rt, person)).permits(category_of(row), initiated=not is_open)
    entry = f" (consent entry {permit.entry_id})" if permit.allowed and permit.entry_id else ""
    allowed = f"allowed now{entry}" if permit.allowed else f"not allowed now: {permit.reason}"
    window = _window(talk, talks.heard_since.get(row["phone_number_id"]), is_open=is_open)
    return [("consent", allowed), ("window", window)]


def _window(talk: Talk, heard_since: datetime | None, *, is_open: bool) -> str:
    """What is known of the window, and from where: never a message of the person's that nobody has heard."""
    if talk.wrote_at is not None:
        wrote = f"the person last wrote at {moment(talk.wrote_at)}"
    elif heard_since is not None:
        wrote = f"no message from the person has come since we listen ({moment(heard_since)})"
    else:
        wrote = "no message from the person has come"
    if talk.refused_at is not None:
        return f"closed, says Meta (131047, about what was posted at {moment(talk.refused_at)}); {wrote}"
    if talk.wrote_at is None:
        return wrote
    if is_open:
        return f"open until {moment(talk.wrote_at + WINDOW)}: {wrote}"
    return f"closed: {wrote}"


def _form(row: Record) -> str:
    if row["fell_back"]:
        return "template: Meta refused the free form since the window is closed"
    has = f"; outside the window the template {row['template_name']}" if row["outside_window"] else ""
    return f"{_FORMS[row['form']]}{has}"


_FORMS: Final = {None: "not decided yet", "session": "free form", "template": "template"}


async def _template(tx: Tx, rt: Runtime, row: Record) -> list[tuple[str, str]]:
    if row["template_name"] is None:
        return []
    key = (row["template_name"], row["template_language"])
    standing = (await templates.states(tx, rt, [key])).get(key)
    name = f"{key[0]} ({key[1]})"
    reason = (getattr(standing, "reason", None) or "").removeprefix(f"template {name}: ")
    known = reason or ("can be sent" if standing is not None else "not in our mirror; Meta decides")
    return [("template", f"{name}: {known}")]


async def _holds(
    tx: Tx, rt: Runtime, row: Record, person: Person, sender: Sender | None
) -> list[tuple[str, str]]:
    now = rt.now()
    found = []
    if row["held"]:
        found.append(("held", advice.sentence(row["held"])))
    of_sender = sender.held(now) if sender else None
    if of_sender:
        found.append(("sender", f"sends nothing now: {of_sender}"))
    if (row["held_by"] or "").startswith("person:"):
        return found
    standing = (await trouble.holds_of(tx, [person], now)).get((person.id, row["phone_number_id"]))
    if standing and standing.everything:
        found.append(("person", f"held until {moment(standing.everything.until)}: {standing.everything.why}"))
    if standing and standing.marketing:
        found.append(
            ("person", f"no marketing until {moment(standing.marketing.until)}: {standing.marketing.why}")
        )
    return found


async def said_of(tx: Tx, confirmation_id: str, limit: int) -> list[Record]:
    """What was said of a question beside the question itself, oldest first: reminders, replies to answers, the end."""
    return await tx.fetch(
        "SELECT id, wamid, person_id, purpose, content, outside_window, form, state, reason, created_at FROM messages "
        "WHERE confirmation_id = $1 AND purpose <> 'prompt' ORDER BY id LIMIT $2",
        confirmation_id,
        limit,
    )
