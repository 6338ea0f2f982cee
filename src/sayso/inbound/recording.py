"""Words about being messaged that reach us by another way than WhatsApp: an assistant, an operator, a file."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sayso.consent import questions, texts
from sayso.consent import service as consent
from sayso.consent.ledger import OURSELVES
from sayso.consent.portable import Imported
from sayso.consent.questions import Asked
from sayso.consent.rules import ALL, METAS
from sayso.consent.service import Said
from sayso.core.database import Tx
from sayso.core.errors import ConsentMissingError, OptedOutError, WindowClosedError
from sayso.core.runtime import Runtime
from sayso.inbound import leaving
from sayso.inbound.leaving import Back, Chat, Left
from sayso.messages import conversations
from sayso.messages import service as messages
from sayso.messages.rules import window_open
from sayso.messages.service import Draft
from sayso.people import service as people
from sayso.people.service import Person
from sayso.whatsapp.content import Button, Buttons, Content, Template

__all__ = ["OURSELVES", "Told", "ask", "grant", "revoke", "take_in"]

#: How long a question to opt in may be answered.
ASKED_FOR = timedelta(days=7)


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What somebody tells of a person's word, and who tells it."""

    person: Person
    client_id: str
    actor: str
    captured_at: datetime
    method: str = "api"
    scope: tuple[str, ...] = (ALL,)
    expires_at: datetime | None = None
    notify: bool = True
    personal: Mapping[str, Any] = field(default_factory=dict)

    def said(self, **changes: Any) -> Said:
        """The entry to be."""
        given: dict[str, Any] = {
            "person": self.person,
            "method": self.method,
            "captured_at": self.captured_at,
            "scope": self.scope,
            "client_id": self.client_id,
            "expires_at": self.expires_at,
            "personal": {"time_zone": self.person.time_zone, **self.personal, "actor": self.actor},
        }
        return Said(**{**given, **changes})


async def grant(tx: Tx, rt: Runtime, told: Told) -> Back:
    """Write an opt-in down. The person is told in the chat, when their window is open."""
    renews = (await consent.verdict(tx, rt, told.person)).opt_in(leaving.scopes(told.scope)[0]) is not None
    said = told.said(action="renewed" if renews else "granted")
    return await leaving.opt_in(tx, rt, said, await _chat(tx, rt, told))


async def revoke(tx: Tx, rt: Runtime, told: Told) -> Left:
    """Opt a person out on their behalf. Who is out already stays as they left, so that START means the same."""
    before = await consent.verdict(tx, rt, told.person)
    covered = leaving.scopes(told.scope)
    stops = [stop for scope in covered if (stop := before.stopped(scope)) and stop.action not in METAS]
    if len(stops) == len(covered):
        return Left(stops[0])
    return await leaving.leave(tx, rt, told.said(action="withdrawn"), await _chat(tx, rt, told))


async def _chat(tx: Tx, rt: Runtime, told: Told) -> Chat:
    sender = await open_window(tx, rt, told.person) if told.notify else None
    spoken = texts.language(told.person.language_known, told.personal.get("locale"), told.person.language)
    return Chat(phone_number_id=sender, language=spoken)


async def open_window(tx: Tx, rt: Runtime, person: Person) -> str | None:
    """The sender to whom the person wrote last, if that is less than 24 hours ago."""
    talks = await conversations.read(tx, [person])
    opened = [
        (talk.opened_at, sender)
        for (_, sender), talk in talks.by_pair.items()
        if talk.opened_at is not None and window_open(talk.opened_at, rt.now())
    ]
    return max(opened)[1] if opened else None


async def ask(tx: Tx, rt: Runtime, told: Told) -> str:
    """Ask a person whether they opt in (double opt-in); the question's id. Only their yes to it is an opt-in.

    Raises :class:`OptedOutError` for whoever left or said no to any of it, and :class:`ConsentMissingError` while the
    last question has no answer: they are not asked; :class:`WindowClosedError` when the window is closed and no
    template for the question is configured.
    """
    sender = await _askable(tx, rt, told)
    template = rt.settings.sayso_opt_in_template
    question_id = rt.new_id("opt")
    spoken = texts.language(told.person.language_known, told.personal.get("locale"), told.person.language)
    wording = texts.text("ask", spoken, business=rt.settings.sayso_business_name)
    content = _question(rt, question_id, spoken, wording, template if sender is None else None)
    if isinstance(content, Template):
        wording = f"template {content.name} ({content.language})"
    phone_number_id = sender or rt.settings.whatsapp_phone_number_id
    message_id = await messages.send(
        tx,
        rt,
        Draft(
            client_id=told.client_id,
            person=told.person,
            phone_number_id=phone_number_id,
            purpose="notice",
            content=content,
            expires_at=rt.now() + timedelta(days=1),
        ),
    )
    asked = Asked(
        id=question_id,
        client_id=told.client_id,
        person=told.person,
        phone_number_id=phone_number_id,
        message_id=message_id,
        scope=told.scope,
        shown={**told.personal, "wording": wording, "locale": spoken, "actor": told.actor},
        expires_at=rt.now() + ASKED_FOR,
    )
    await questions.keep(tx, rt, asked)
    return question_id


async def _askable(tx: Tx, rt: Runtime, told: Told) -> str | None:
    """The sender whose window is open; None when the template is to ask."""
    person = told.person
    await people.lock(tx, person.ids, exclusive=True)
    holds = await consent.verdict(tx, rt, person)
    for scope in {"service", *leaving.scopes(told.scope)}:
        own = holds.own.get(scope)
        if (stop := holds.stopped(scope)) is not None:
            raise OptedOutError(f"Nothing was asked: the person opted out (consent entry {stop.id}).")
        if own is not None and own.action == "denied" and scope in leaving.scopes(told.scope):
            raise OptedOutError(f"Nothing was asked: the person said no to {scope} (consent entry {own.id}).")
    waiting = [each["id"] for each in await questions.unanswered(tx, person) if each["expires_at"] > rt.now()]
    if waiting:
        raise ConsentMissingError(f"Nothing was asked: the person has not answered {waiting[-1]} yet.")
    sender = await open_window(tx, rt, person)
    if sender is None and rt.settings.sayso_opt_in_template is None:
        raise WindowClosedError(
            "Nothing was asked: the person has not written in the last 24 hours, and SAYSO_OPT_IN_TEMPLATE names no "
            "template to ask with."
        )
    return sender


def _question(rt: Runtime, question_id: str, spoken: str, wording: str, template: str | None) -> Content:
    yes, no = questions.payload(question_id, "yes"), questions.payload(question_id, "no")
    if template is not None:
        return Template(template, spoken, (rt.settings.sayso_business_name,), (yes, no))
    return Buttons(
        body=wording,
        buttons=(Button(yes, texts.text("yes", spoken)), Button(no, texts.text("no", spoken))),
    )


@dataclass(frozen=True, slots=True)
class Taken:
    """The entry of an imported opt-in; ``new``: it was not there before."""

    entry_id: str
    new: bool


async def take_in(tx: Tx, rt: Runtime, rows: Sequence[tuple[Person, Imported]], *, actor: str) -> list[Taken]:
    """Write opt-ins of a file down, each once: the entry of every row, written now or by an earlier import.

    An entry stands for a row of the same moment if it covers all that the row does, and has its proof if that has one.
    """
    ids = sorted({person.id for person, _ in rows})
    await people.lock(tx, ids, exclusive=True)  # two imports of one person take turns
    there = await _imported_before(tx, ids)
    new: list[Said] = []
    found: list[tuple[str | int, bool]] = []
    for person, given in rows:
        covers = frozenset(leaving.scopes(given.scope))
        those = there.setdefault((person.id, given.captured_at), [])
        entry: str | int | None = next(
            (each for scopes, verified, each in those if covers <= scopes and verified >= given.verified),
            None,
        )
        found.append((len(new) if entry is None else entry, entry is None))
        if entry is None:
            those.append((covers, given.verified, len(new)))
            new.append(_imported(rt, person, given, actor=actor))
    entries = await consent.append(tx, rt, new)
    return [
        Taken(entry if isinstance(entry, str) else entries[entry].id, new=first) for entry, first in found
    ]


async def _imported_before(
    tx: Tx, person_ids: Sequence[str]
) -> dict[tuple[str, datetime | None], list[tuple[frozenset[str], bool, str | int]]]:
    """What imports wrote down, by person and moment: what it covers, whether it has proof, its entry.

    A row that names no moment may be any that was written down without proof.
    """
    found: dict[tuple[str, datetime | None], list[tuple[frozenset[str], bool, str | int]]] = {}
    for row in await tx.fetch(
        "SELECT id, person_id, scope, captured_at, verified FROM consent_entries "
        "WHERE action = 'imported' AND person_id = ANY($1)",
        list(person_ids),
    ):
        entry = frozenset(leaving.scopes(row["scope"])), row["verified"], row["id"]
        for moment in [row["captured_at"], *([] if row["verified"] else [None])]:
            found.setdefault((row["person_id"], moment), []).append(entry)
    return found


def _imported(rt: Runtime, person: Person, row: Imported, *, actor: str) -> Said:
    return Said(
        person=person,
        action="imported",
        method="import",
        captured_at=row.captured_at or rt.now(),
        scope=row.scope,
        expires_at=row.expires_at,
        verified=row.verified,
        personal={**row.personal, "actor": actor},
    )
