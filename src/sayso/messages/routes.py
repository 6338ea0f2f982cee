"""Send a message, and see what became of it."""

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Body, Path, Query
from starlette.responses import Response

from sayso.core import idempotency
from sayso.core.api import Before, Limit, Rt, Text, json_response
from sayso.core.auth import MayReadMessages, MaySend
from sayso.core.described import refusals
from sayso.core.errors import (
    BodyTooLargeError,
    ConsentMissingError,
    ContentTooLongError,
    IdempotencyMismatchError,
    NotFoundError,
    OptedOutError,
    PersonUnknownError,
    TemplateUnknownError,
    WindowClosedError,
)
from sayso.messages import service
from sayso.messages.acceptance import Asked, accept
from sayso.messages.examples import EXAMPLES
from sayso.messages.requests import SendIn
from sayso.messages.views import MessagesOut, MessageWithTimelineOut, SentOut, State, view

router = APIRouter(tags=["messages"])

MessageId = Annotated[
    Text,
    Path(
        max_length=40,
        description="The `id` that sending was answered with.",
        examples=["msg_01k9y3v6e8m0q2s4t6w8x0z2b4"],
    ),
]
Sending = Annotated[SendIn, Body(openapi_examples=EXAMPLES)]


@router.post(
    "/send",
    status_code=202,
    response_model=SentOut,
    responses=refusals(
        OptedOutError,
        ConsentMissingError,
        WindowClosedError,
        PersonUnknownError,
        TemplateUnknownError,
        ContentTooLongError,
        BodyTooLargeError,
        IdempotencyMismatchError,
    ),
)
async def send(rt: Rt, actor: MaySend, body: Sending, key: idempotency.Key = None) -> Response:
    """Queue a message; it is durable when the answer comes. `GET /messages/{id}` tells what became of it.

    Inside the 24-hour window it goes out as it is given, outside as its `fallback` template; a `template` goes out at
    any time. Where the window is closed when it is due, or may be, `advice` says what happens then. Refused at once,
    with nothing queued: what WhatsApp would not take (422, pointing at the field), what the person has not agreed to
    (403), and a window that is known to be closed with no template to send (409).
    """
    asked = Asked(body, body.outgoing(), body.outside())
    return await idempotency.once(
        rt,
        actor,
        route="POST /send",
        key=key,
        body=body.model_dump(),
        status=202,
        create=partial(accept, rt=rt, actor=actor, asked=asked),
    )


@router.get(
    "/messages/{message_id}", response_model=MessageWithTimelineOut, responses=refusals(NotFoundError)
)
async def read(rt: Rt, actor: MayReadMessages, message_id: MessageId) -> Response:
    """A message: its state, why, and everything that happened to it."""
    async with rt.db.one() as tx:
        row = await service.get(tx, message_id)
        if row is None or not actor.sees(row["client_id"]):
            raise NotFoundError(f"No message {message_id!r}.")
        steps = await service.timeline(tx, message_id)
    return json_response({**view(row), "timeline": [dict(step) for step in steps]})


@router.get("/messages", response_model=MessagesOut, responses=refusals())
async def page(
    rt: Rt,
    actor: MayReadMessages,
    state: Annotated[State | None, Query(description="Only those in this state.")] = None,
    before: Before = None,
    limit: Limit = 50,
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
