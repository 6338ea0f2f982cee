"""Opt-ins that were given elsewhere, taken in row by row: for the terminal and for the API."""

import re
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from sayso.consent.portable import Imported, Rejected
from sayso.core.database import Tx
from sayso.core.errors import InputInvalidError
from sayso.core.runtime import Runtime
from sayso.inbound import recording
from sayso.people import meeting, rules, service
from sayso.people.service import Person

#: Rows that are written in one transaction.
AT_ONCE: Final = 500
_WORDING_AT_MOST: Final = 4_000
_LINE_AT_MOST: Final = 500
_UNFIT: Final = re.compile("[\x00\ud800-\udfff]")

State = Literal["recorded", "known", "rejected"]


@dataclass(frozen=True, slots=True)
class Done:
    """What became of a row: its entry in the ledger, written now or by an earlier import; or why it has none."""

    number: int
    state: State
    entry_id: str | None = None
    verified: bool | None = None
    why: str | None = None


def checked(rows: Sequence[Imported | Rejected]) -> tuple[list[Imported], list[Rejected]]:
    """The rows that can be taken in, and those that cannot, each with why."""
    good: list[Imported] = []
    wrong: list[Rejected] = []
    for row in rows:
        why = row.why if isinstance(row, Rejected) else _objection(row)
        if isinstance(row, Imported) and why is None:
            good.append(row)
        else:
            wrong.append(Rejected(row.number, why or ""))
    return good, wrong


async def write(rt: Runtime, rows: Sequence[Imported], *, actor: str) -> AsyncIterator[list[Done]]:
    """Write opt-ins down, each once however often it is imported; what became of some rows after the other.

    Each part is committed by itself: to write down ten thousand people at once would hold up everybody else's words.
    """
    for start in range(0, len(rows), AT_ONCE):
        some = rows[start : start + AT_ONCE]
        async with rt.db.tx() as tx:
            # In one order, whatever the file's: two imports of the same people do not wait for each other in a ring.
            met = {who: await person_of(tx, rt, who) for who in sorted({row.recipient for row in some})}
            whom = [(met[row.recipient], row) for row in some]
            taken = await recording.take_in(tx, rt, whom, actor=actor)
        yield [
            Done(row.number, "recorded" if one.new else "known", one.entry_id, row.verified)
            for row, one in zip(some, taken, strict=True)
        ]


async def person_of(tx: Tx, rt: Runtime, who: str) -> Person:
    """The person an operator names by number or WhatsApp user id, created when new."""
    if rules.is_bsuid(who):
        return await meeting.by_user_id(tx, rt, who, learned_from="operator")
    return await service.by_phone(tx, rt, rules.phone(who, pointer="/recipient"), learned_from="operator")


def _objection(row: Imported) -> str | None:
    """Why a row cannot be written down, or None."""
    for name, value in row.personal.items():
        most = _WORDING_AT_MOST if name == "wording" else _LINE_AT_MOST
        text = " ".join(value) if isinstance(value, list) else str(value)
        if len(text) > most:
            return f"{name} has {len(text):,} characters, {len(text) - most:,} more than the {most:,} that are kept"
        if _UNFIT.search(text):
            return f"{name} holds a character that cannot be stored (NUL or half of one)"
    try:
        if not rules.is_bsuid(row.recipient):
            rules.phone(row.recipient, pointer="/recipient")
    except InputInvalidError as error:
        return error.detail
    return None
