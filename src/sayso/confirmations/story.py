"""The whole story of one question, for people: who was asked what, what came back, and what proves the decision."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sayso.confirmations import approvers, proving, receipts, service
from sayso.confirmations.proving import Proof
from sayso.core.database import Record, Tx
from sayso.core.runtime import Runtime
from sayso.messages import service as messages
from sayso.people import service as people

#: Answers that are told of one question.
MOST = 500


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
class Story:
    """A question's row, whom it was asked, all answers in their order, the receipt's row, what the proof is worth.

    ``whose`` is the person of each record of a person's, since two may have been found to be one.
    """

    row: Record
    asked: list[Asked]
    answers: list[Record]
    receipt: Record
    proof: Proof | None
    whose: Mapping[str, str]

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
    proof = await proving.examine(tx, rt, receipt) if receipt["jws"] else None
    records = [each["person_id"] for each in (*everyone, *answers)]
    whose = {record: person.id for record, person in (await people.get_many(tx, records)).items()}
    return Story(row, asked, answers, receipt, proof, whose)


async def _asked(tx: Tx, row: Record, who: Mapping[str, Any]) -> Asked:
    if row["message_id"] is None:
        return Asked(row, who, None, [])
    message = await messages.get(tx, row["message_id"])
    return Asked(row, who, message, await messages.timeline(tx, row["message_id"]))
