"""Messages in a room of their own: queue them, claim them, and look at what became of them."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sayso.consent import service as consent
from sayso.consent.rules import ALL, Action
from sayso.consent.service import Said
from sayso.core import claims
from sayso.core.database import Record, Tx
from sayso.core.runtime import Runtime
from sayso.core.worker import Lease
from sayso.messages import conversations, service, statuses
from sayso.messages.dispatch import Dispatcher
from sayso.messages.outcome import Outgoing, result_of
from sayso.messages.results import Result, Results, apply
from sayso.messages.rules import Purpose
from sayso.messages.service import QUEUE, Draft
from sayso.messages.statuses import Joined
from sayso.people import service as people
from sayso.people.service import Person
from sayso.senders import service as senders
from sayso.whatsapp.client import Refused
from sayso.whatsapp.content import Template, Text
from sayso.whatsapp.failures import GraphError, classify
from sayso.whatsapp.updates import Identity, StatusUpdate

from .service import PHONE_NUMBER_ID

PHONE = "+15550001111"
#: A template as Meta lists it, which it calls marketing.
NEWS: dict[str, Any] = {
    "id": "19",
    "name": "news",
    "language": "en",
    "status": "APPROVED",
    "category": "MARKETING",
    "parameter_format": "POSITIONAL",
    "components": [{"type": "BODY", "text": "Hi {{1}}, this is news for you."}],
}


@dataclass
class Mail:
    """The messages of one database. ``failed`` are those of which somebody was told that they did not arrive."""

    rt: Runtime
    failed: list[str] = field(default_factory=list)
    dispatcher: Dispatcher = field(init=False)

    def __post_init__(self) -> None:
        """A dispatcher without a wire: it only prepares."""
        graph: Any = None
        self.dispatcher = Dispatcher(graph, Results(self.rt, self.on_failed), self.on_failed)

    async def on_failed(self, _tx: Tx, _rt: Runtime, row: Record) -> None:
        """Somebody is told."""
        self.failed.append(row["id"])

    async def person(self, phone: str = PHONE) -> Person:
        """Who has this number."""
        async with self.rt.db.tx() as tx:
            return await people.by_phone(tx, self.rt, phone, learned_from="assistant:bot")

    async def queue(
        self, person: Person, *, purpose: Purpose = "send", template: bool = False, **changes: Any
    ) -> str:
        """One message more."""
        drafted: dict[str, Any] = {
            "client_id": "bot",
            "content": Text("hello"),
            "outside_window": Template("t", "en", ("a",)) if template else None,
            "expires_at": self.rt.now() + timedelta(hours=1),
            **changes,
        }
        draft = Draft(person=person, phone_number_id=PHONE_NUMBER_ID, purpose=purpose, **drafted)
        async with self.rt.db.tx() as tx:
            return await service.send(tx, self.rt, draft)

    async def wrote(self, person: Person, at: datetime) -> None:
        """The person wrote to us then."""
        async with self.rt.db.tx() as tx:
            await conversations.note_inbound(tx, self.rt, person, PHONE_NUMBER_ID, at)

    async def said(
        self, person: Person, action: Action, at: datetime, *, scope: tuple[str, ...] = (ALL,)
    ) -> None:
        """The person left, or came back."""
        async with self.rt.db.tx() as tx:
            said = Said(
                person=person,
                action=action,
                method="keyword",
                captured_at=at,
                scope=scope,
                personal={"wording": "x"},
            )
            await consent.append(tx, self.rt, [said])

    async def enlist(self) -> int:
        """A worker's number, once our senders are known."""
        async with self.rt.db.tx(claims=True) as tx:
            await senders.ensure(tx, self.rt)
            return await claims.enlist(tx)

    async def claim(self, worker: int | None = None) -> list[str]:
        """Claim and decide, in one transaction; the messages that are to be posted."""
        lease = Lease(worker or await self.enlist())
        async with self.rt.db.tx(claims=True) as tx:
            claimed = await self.dispatcher.claim(self.rt, tx, lease, 100)
        return [row["id"] for row in claimed.todo]

    async def on_the_wire(self, **changes: Any) -> str:
        """A message that is being posted."""
        message = await self.queue(await self.person(), **changes)
        assert await self.claim() == [message]
        return message

    async def refused(
        self, message_id: str, code: int, title: str = "A title", details: str = "", **changes: Any
    ) -> None:
        """Meta refuses a message that is on the wire."""
        row, error = await self.row(message_id), GraphError(code, title, details)
        outgoing = Outgoing(
            message_id,
            row["attempt"],
            PHONE_NUMBER_ID,
            b"",
            await self.person(),
            0.0,
            row["retries"],
            **changes,
        )
        sent = Refused(error, classify(error, 400), 400)
        await self.apply(result_of(sent, outgoing, self.rt.now(), 0.0))

    async def promote(self) -> None:
        """What is due becomes ready."""
        async with self.rt.db.tx(claims=True) as tx:
            await claims.promote(tx, QUEUE, now=self.rt.now())

    async def apply(self, *results: Result) -> None:
        """Write results of POSTs."""
        async with self.rt.db.tx() as tx:
            await apply(tx, self.rt, results, on_failed=self.on_failed)

    async def status(
        self, status: str, *, wamid: str = "wamid.1", callback: str | None = None, code: int | None = None
    ) -> Joined | None:
        """A status of Meta's."""
        errors = (GraphError(code, "Undeliverable"),) if code else ()
        update = StatusUpdate(
            wamid, PHONE_NUMBER_ID, status, self.rt.now(), Identity(), callback, errors, {"billable": True}
        )
        async with self.rt.db.tx() as tx:
            return (await statuses.record(tx, self.rt, [update]))[0]

    async def row(self, message_id: str) -> Record:
        """A message as it is."""
        async with self.rt.db.one() as tx:
            row = await service.get(tx, message_id)
        assert row is not None
        return row

    async def state(self, message_id: str) -> tuple[str, str | None]:
        """Its state, and the state of the work on it."""
        row = await self.row(message_id)
        return row["state"], row["work"]

    async def steps(self, message_id: str) -> list[str]:
        """Its timeline's states."""
        async with self.rt.db.one() as tx:
            return [step["state"] for step in await service.timeline(tx, message_id)]

    async def events(self) -> list[str]:
        """What assistants were told, in no order."""
        async with self.rt.db.one() as tx:
            return sorted(row["type"] for row in await tx.fetch("SELECT type FROM events"))
