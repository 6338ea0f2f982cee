"""Send a message, and see what became of it."""

from datetime import timedelta
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query
from pydantic import Field
from starlette.responses import Response

from sayso.consent import service as consent
from sayso.core import idempotency
from sayso.core.api import Input, Rt, Text, json_response
from sayso.core.auth import MayReadMessages, MaySend
from sayso.core.database import Record, Tx
from sayso.core.errors import ContentTooLongError, Fault, InputInvalidError, NotFoundError, OptedOutError
from sayso.messages import service
from sayso.messages.recipients import Recipient, resolve
from sayso.messages.service import Draft
from sayso.whatsapp import content as whatsapp
from sayso.whatsapp.content import Content, Template

router = APIRouter(tags=["messages"])

#: How long a message keeps trying while Meta cannot be reached.
LIVES = timedelta(hours=24)

MessageId = Annotated[Text, Path(max_length=40, examples=["msg_01k9y3v6e8m0q2s4t6w8x0z2b4"])]

State = Literal[
    "queued",
    "sending",
    "accepted",
    "sent",
    "delivered",
    "read",
    "failed",
    "suppressed",
    "expired",
    "cancelled",
    "unknown",
]


class TemplateIn(Input):
    """An approved template of the business account, and its body's variables in order."""

    name: Annotated[Text, Field(min_length=1, max_length=512, examples=["daily_summary"])]
    language: Annotated[Text, Field(min_length=2, max_length=15)] = "en"
    parameters: Annotated[tuple[Text, ...], Field(max_length=100)] = ()


class SendIn(Input):
    """A text, or a template."""

    recipient: Recipient = None
    message_type: Literal["text", "template"] = "text"
    content: Annotated[Text | None, Field(description="The text, for `text`.")] = None
    template: Annotated[TemplateIn | None, Field(description="The template, for `template`.")] = None

    def outgoing(self) -> Content:
        """What is to be sent; raises :class:`InputInvalidError` or :class:`ContentTooLongError`."""
        wanted, other = ("content", "template") if self.message_type == "text" else ("template", "content")
        if getattr(self, wanted) is None or getattr(self, other) is not None:
            detail = f"message_type {self.message_type!r} takes `{wanted}`, and no `{other}`"
            raise InputInvalidError(f"{wanted}: {detail}", faults=[Fault(detail, f"/{wanted}")])
        if self.template is not None:
            given = self.template
            template = Template(given.name, given.language, given.parameters)
            whatsapp.validate(template, at="/template")
            return template
        text = whatsapp.Text(self.content or "")
        _validate_text(text)
        return text


def _validate_text(text: whatsapp.Text) -> None:
    """As WhatsApp would; what is wrong is pointed at in the request, where the text is called ``content``."""
    try:
        whatsapp.validate(text)
    except (InputInvalidError, ContentTooLongError) as error:
        faults = [Fault(fault.detail, "/content") for fault in error.faults]
        raise type(error)(f"content: {error.detail}", faults=faults) from None


@router.post("/send", status_code=202)
async def send(rt: Rt, actor: MaySend, body: SendIn, key: idempotency.Key = None) -> Response:
    """Queue a message; it is durable when the answer comes. `GET /messages/{id}` tells what became of it."""
    content = body.outgoing()

    async def create(tx: Tx) -> dict[str, Any]:
        person, _ = await resolve(tx, rt, actor, body.recipient)
        if consent.opted_out(await consent.stands(tx, person)):
            raise OptedOutError(
                "The person has opted out; nothing was queued. Only writing START brings them back."
            )
        draft = Draft(
            client_id=actor.client_id,
            person=person,
            phone_number_id=rt.settings.whatsapp_phone_number_id,
            purpose="send",
            content=content,
            expires_at=rt.now() + LIVES,
        )
        message_id = await service.send(tx, rt, draft)
        return {"id": message_id, "state": "queued"}

    return await idempotency.once(
        rt, actor, route="POST /send", key=key, body=body.model_dump(), status=202, create=create
    )


@router.get("/messages/{message_id}")
async def read(rt: Rt, actor: MayReadMessages, message_id: MessageId) -> Response:
    """A message: its state, why, and everything that happened to it."""
    async with rt.db.one() as tx:
        row = await service.get(tx, message_id)
        if row is None or not actor.sees(row["client_id"]):
            raise NotFoundError(f"No message {message_id!r}.")
        steps = await service.timeline(tx, message_id)
    return json_response({**view(row), "timeline": [dict(step) for step in steps]})


@router.get("/messages")
async def page(
    rt: Rt,
    actor: MayReadMessages,
    state: State | None = None,
    before: Annotated[
        Text | None, Query(max_length=40, description="The `next` of the previous answer.")
    ] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> Response:
    """One's own messages, newest first."""
    async with rt.db.one() as tx:
        rows = await service.page(tx, actor.client_id, state=state, before=before, limit=limit)
    return json_response(
        {
            "messages": [view(row) for row in rows],
            "next": rows[-1]["id"] if len(rows) == limit else None,
        }
    )


def view(row: Record) -> dict[str, Any]:
    """A message as an assistant sees it."""
    return {
        "id": row["id"],
        "state": row["state"],
        "reason": row["reason"],
        "error_code": row["error_code"],
        "purpose": row["purpose"],
        "form": row["form"],
        "wamid": row["wamid"],
        "confirmation_id": row["confirmation_id"],
        "attempts": row["attempt"],
        "created_at": row["created_at"],
        "expires_at": row["expires_at"],
    }
