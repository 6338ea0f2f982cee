"""Questions asked and decided in a room of their own, and what proves it."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import msgspec

from harness.mail import Mail
from sayso.client import verify
from sayso.confirmations import asking, log, receipts, service
from sayso.confirmations.asking import Asking
from sayso.confirmations.render import Action
from sayso.confirmations.rules import Outcome
from sayso.confirmations.whom import Asked
from sayso.core import keys
from sayso.core.database import Record, Tx
from sayso.core.runtime import Runtime
from sayso.core.tokens import Actor
from sayso.people.service import Person

#: The assistant that asks here, and for whom.
BOT = Actor("bot", "alice", frozenset({"confirmations:ask"}), "jti-1")
ACTION = {
    "action_type": "calendar_create",
    "action_description": "schedule a meeting with John",
    "action_details": "tomorrow at 3 PM in Conference Room A",
}


@dataclass
class Decisions:
    """Everything that is decided in one database."""

    rt: Runtime

    async def ask(self, person: Person | None = None, *, client: str = "bot", user: str = "alice") -> str:
        """One question; its id."""
        person = person or await Mail(self.rt).person()
        wanted = Asking(
            client_id=client,
            user_id=user,
            asked=[Asked(person, "Alice")],
            sender=self.rt.settings.whatsapp_phone_number_id,
            action=Action.of(ACTION),
            lasts=timedelta(hours=1),
        )
        async with self.rt.db.tx() as tx:
            return await asking.ask(tx, self.rt, wanted)

    async def posted(self, confirmation_id: str, wamid: str = "wamid.PROMPT") -> None:
        """The question reached the phone."""
        async with self.rt.db.tx() as tx:
            await tx.execute(
                "UPDATE messages SET state = 'delivered', form = 'session', wamid = $2, posted_at = $3 "
                "WHERE confirmation_id = $1 AND purpose = 'prompt'",
                confirmation_id,
                wamid,
                self.rt.now(),
            )

    async def answered(self, confirmation_id: str, *, said: str = "Yes") -> str:
        """The person answered, in a webhook of Meta's; the answer's id."""
        answer_id, now = self.rt.new_id("ans"), self.rt.now()
        async with self.rt.db.tx() as tx:
            await tx.execute(
                "INSERT INTO updates (key, kind, phone_number_id, person_key, item, context, body_digest, received_at, "
                "work_at, state) VALUES ($1, 'message', '1', 'x', '', '', sha256('body'), $2, $2, 'done')",
                f"m:{answer_id}",
                now,
            )
            await tx.execute(
                "INSERT INTO answers (id, confirmation_id, person_id, update_key, wamid, how, said, verdict, effect, "
                "sent_at, received_at, quoted) SELECT $1, id, person_id, $3, 'wamid.REPLY', 'quote', $4, 'confirm', "
                "'decided', $5, $5, 'wamid.PROMPT' FROM confirmations WHERE id = $2",
                answer_id,
                confirmation_id,
                f"m:{answer_id}",
                said,
                now,
            )
            await tx.execute(
                "UPDATE approvers SET state = 'answered', verdict = 'confirm', answer_id = $2, answered_at = $3 "
                "WHERE confirmation_id = $1 AND person_id = (SELECT person_id FROM answers WHERE id = $2)",
                confirmation_id,
                answer_id,
                now,
            )
        return answer_id

    async def decide(
        self, confirmation_id: str, outcome: Outcome = "confirmed", *, by: str | None = None
    ) -> None:
        """Decide it."""
        async with self.rt.db.tx() as tx:
            await self.decide_in(tx, confirmation_id, outcome, by=by)

    async def decide_in(
        self, tx: Tx, confirmation_id: str, outcome: Outcome = "confirmed", *, by: str | None = None
    ) -> None:
        """Decide it in this transaction."""
        await service.decide(tx, self.rt, confirmation_id, outcome, by=by)

    async def confirmed(self, person: Person | None = None, **who: Any) -> str:
        """A question that was asked, reached the phone and was confirmed there."""
        confirmation_id = await self.ask(person, **who)
        await self.posted(confirmation_id)
        await self.decide(confirmation_id, by=await self.answered(confirmation_id))
        return confirmation_id

    async def row(self, confirmation_id: str) -> Record:
        """Its row, with the receipt's columns."""
        async with self.rt.db.one() as tx:
            row = await receipts.get(tx, confirmation_id)
        assert row is not None
        return row

    async def receipt(self, confirmation_id: str) -> verify.Receipt:
        """Its receipt in the JSON form, as an assistant gets it."""
        return verify.read(await self.text(confirmation_id))

    async def text(self, confirmation_id: str) -> str:
        """The JSON form, written out."""
        return msgspec.json.encode(receipts.shown(await self.row(confirmation_id))).decode()

    def jwks(self) -> dict[str, Any]:
        """The published keys."""
        return keys.load(self.rt.settings, now=self.rt.now).published()

    async def logged(self) -> list[log.Logged]:
        """The log."""
        return [entry async for page in log.pages(self.rt) for entry in page]
