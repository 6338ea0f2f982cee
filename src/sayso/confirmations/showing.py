"""How each person is shown a question: in their language, with their code."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Final

from sayso.confirmations import kinds, payloads, question
from sayso.confirmations.question import Prompt, Question, Reader
from sayso.confirmations.render import Action
from sayso.confirmations.rules import Option
from sayso.confirmations.whom import Asked
from sayso.core.database import Record, Tx
from sayso.core.runtime import Runtime
from sayso.people.service import Person
from sayso.templates import service as templates

_CODES: Final = {"code": (1000, 9999), "number": (10, 99)}


@dataclass(frozen=True, slots=True)
class To:
    """Somebody who is asked: how they read it, and what they read."""

    asked: Asked
    reader: Reader
    shown: Prompt


def again(row: Record, now: datetime, asked: int) -> Question:
    """A question again, as it was asked."""
    given = row["options"]
    return Question(
        action=Action.of(row["action"]),
        lasts=row["expires_at"] - now,
        kind=row["kind"],
        challenge=row["challenge"],
        options=[Option(**each) for each in given] if isinstance(given, list) else (),
        labels=given if isinstance(given, dict) else {},
        needed=row["needed"],
        asked=asked,
        unseen_fields=row["rule"].get("unseen_fields", False),
    )


async def count(tx: Tx, confirmation_id: str) -> int:
    """How many were to be asked at once."""
    count: int = await tx.fetchval(
        "SELECT count(*) FROM approvers WHERE confirmation_id = $1 AND position = 0", confirmation_id
    )
    return count


async def codes(tx: Tx, rt: Runtime, challenge: str | None, persons: Sequence[Person]) -> list[str | None]:
    """What each has to type: a code of their own, or the one number; none that an open question of theirs has."""
    if challenge is None:
        return [None] * len(persons)
    rows = await tx.fetch(
        "SELECT a.code FROM approvers a JOIN confirmations c ON c.id = a.confirmation_id "
        "WHERE a.person_id = ANY($1) AND a.code IS NOT NULL AND c.status <> 'decided'",
        [record_id for person in persons for record_id in person.ids],
    )
    taken, (least, most) = {row["code"] for row in rows}, _CODES[challenge]
    free = [code for number in range(least, most + 1) if (code := str(number)) not in taken]
    if challenge == "number":
        return [rt.rng.choice(free)] * len(persons)
    return list(rt.rng.sample(free, len(persons)))


async def shown(
    tx: Tx, rt: Runtime, asked: Question, to: Asked, *, confirmation_id: str, code: str | None
) -> To:
    """What they read. Raises as :func:`question.prompt`."""
    reader = Reader(
        greet=to.greet,
        language=to.person.language,
        template_language=await _template_language(tx, rt, asked.template, to.person),
        code=code,
    )
    prompt = question.prompt(
        asked,
        reader,
        payloads=partial(payloads.make, payloads.key(rt.settings), confirmation_id),
        business=rt.settings.sayso_business_name,
        kind=kinds.kind(asked.action.type, rt.settings.sayso_actions_dir),
    )
    return To(to, reader, prompt)


async def _template_language(tx: Tx, rt: Runtime, template: str, person: Person) -> str:
    """The language of the question's template: the person's own where Meta has it, or the nearest.

    Without any it is English, as if nobody knew: inside the window none is needed, and outside Meta says so.
    """
    found = await templates.nearest(tx, rt, template, [person.language] if person.language else [])
    return found.language if found else question.LANGUAGE
