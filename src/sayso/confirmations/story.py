"""The whole story of one question, for people: who was asked what, what came back, and what proves the decision."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sayso.confirmations import approvers, proving, receipts, service
from sayso.confirmations.proving import Proof
from sayso.core.database import Record, Tx
from sayso.core.runtime import Runtime
from sayso.messages import service as messages
from sayso.messages import story as said
from sayso.people import links
from sayso.people import service as people
from sayso.people.service import Person

#: Answers, and lines of ours, that are told of one question.
MOST = 500
_SHOWN_OF_NUMBER = 4

#: What a line about a question was for: ``whole`` shows the fields that the question left out.
For = Literal["reminder", "whole", "closing", "notice"]


@dataclass(frozen=True, slots=True)
class Asked:
    """Somebody who is asked, or may be: ``who`` as an assistant sees them, their message and what happened to it."""

    row: Record
    who: Mapping[str, Any]
    message: Record | None
    timeline: list[Record]

    @property
    def shown(self) -> dict[str, Any] | None:
        """What they read, in the form it was sent in, or is to be; None where they were not asked, or it was erased."""
        form = (self.message and self.message["form"]) or "session"
        found: dict[str, Any] | None = (self.row["shown"] or {}).get(form)
        return found


@dataclass(frozen=True, slots=True)
class Line:
    """A message about the question beside the question itself, and what it was for."""

    row: Record
    purpose: For

    @property
    def shown(self) -> dict[str, Any] | None:
        """What they read, in the form it was sent in, or is to be; None where it was erased."""
        by_template = self.row["form"] == "template" and self.row["outside_window"] is not None
        found: dict[str, Any] = self.row["outside_window" if by_template else "content"]
        return None if found["type"] == "erased" else found


@dataclass(frozen=True, slots=True)
class Story:
    """A question's row, whom it was asked, what else was said, all answers, the receipt's row, what the proof is worth.

    ``whose`` is the person of each record of a person's, since two may have been found to be one. ``called``: those
    among them who were not asked, as the assistant calls them.
    """

    row: Record
    asked: list[Asked]
    lines: list[Line]
    answers: list[Record]
    receipt: Record
    proof: Proof | None
    whose: Mapping[str, str]
    called: Mapping[str, str]

    @property
    def erased(self) -> bool:
        """Whether whom it was about, and what was said, was destroyed."""
        return bool(self.row["user_id"] == receipts.ERASED)

    @property
    def source(self) -> str:
        """Who or what gave the outcome, in the receipt's word; "" while there is none to be read."""
        return str(self.proof.claims.get("source", "")) if self.proof else ""

    @property
    def prompts(self) -> set[str]:
        """Meta's ids of the messages that put the question."""
        return {each.message["wamid"] for each in self.asked if each.message and each.message["wamid"]}

    @property
    def said(self) -> set[str]:
        """The same of what else was said of it."""
        return {each.row["wamid"] for each in self.lines if each.row["wamid"]}


async def tell(tx: Tx, rt: Runtime, confirmation_id: str) -> Story | None:
    """The story of a question as of one moment; None when there is no such question. ``tx`` has read nothing yet."""
    await tx.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
    row, receipt = await service.get(tx, confirmation_id), await receipts.get(tx, confirmation_id)
    if row is None or receipt is None:
        return None
    answers = await tx.fetch(
        "SELECT * FROM answers WHERE confirmation_id = $1 ORDER BY received_at, id LIMIT $2",
        confirmation_id,
        MOST,
    )
    everyone = (await approvers.of(tx, [confirmation_id])).get(confirmation_id, [])
    asked = [await _asked(tx, *each) for each in zip(everyone, row["approvers"], strict=True)]
    lines = await said.said_of(tx, confirmation_id, MOST)
    proof = await proving.examine(tx, rt, receipt) if receipt["jws"] else None
    records = [row["person_id"], *(each["person_id"] for each in (*everyone, *answers, *lines))]
    absent = [each["delegated_from"] for each in everyone if each["delegated_from"]]
    persons = await people.get_many(tx, [*records, *absent])
    return Story(
        row,
        asked,
        list(_lines(lines, everyone, persons)),
        answers,
        receipt,
        proof,
        {record: person.id for record, person in persons.items()},
        await _called(tx, row, everyone, persons),
    )


async def _asked(tx: Tx, row: Record, who: Mapping[str, Any]) -> Asked:
    if row["message_id"] is None:
        return Asked(row, who, None, [])
    message = await messages.get(tx, row["message_id"])
    return Asked(row, who, message, await messages.timeline(tx, row["message_id"]))


def _lines(
    rows: Sequence[Record], everyone: Sequence[Record], persons: Mapping[str, Person]
) -> Iterator[Line]:
    """What each line was for: a reminder is what somebody was told first once it was written down that they are."""
    whole = [content for each in everyone for content in (each["shown"] or {}).get("rest", ())]
    notices = [row for row in rows if row["purpose"] == "notice"]
    reminders = {_reminder(each, notices, persons) for each in everyone if each["reminded_at"]}
    for row in rows:
        purpose: For = "closing" if row["purpose"] == "closing" else "notice"
        if row["id"] in reminders:
            purpose = "reminder"
        elif row["content"] in whole:
            purpose = "whole"
        yield Line(row, purpose)


def _reminder(each: Record, notices: Sequence[Record], persons: Mapping[str, Person]) -> str | None:
    theirs = persons[each["person_id"]].ids
    since = (row for row in notices if row["created_at"] >= each["reminded_at"])
    return next((row["id"] for row in since if row["person_id"] in theirs), None)


async def _called(
    tx: Tx, row: Record, everyone: Sequence[Record], persons: Mapping[str, Person]
) -> dict[str, str]:
    """Who has a part in it and was not asked: who is away, and whom a rule's decision is about."""
    asked = {persons[each["person_id"]].id for each in everyone}
    found = {}
    for person in {each.id: each for each in persons.values() if each.id not in asked}.values():
        users = (await links.users_of(tx, person)).get(row["client_id"], [])
        number = f"…{person.to[-_SHOWN_OF_NUMBER:]}" if person.to else ""
        found[person.id] = " ".join(filter(None, (*users[:1], number)))
    return found
