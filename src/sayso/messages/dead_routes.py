"""What did not get through, and what to do about it, over HTTP."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from pydantic import Field
from starlette.responses import Response

from sayso.core import faults
from sayso.core.api import Input, Rt, Text, json_response
from sayso.core.auth import MayReadMessages, MaySend
from sayso.core.database import Record, Tx
from sayso.core.described import refusals
from sayso.core.errors import (
    BodyTooLargeError,
    NotFoundError,
    NotRetryableError,
    NotUnknownError,
    TooLateError,
)
from sayso.core.moments import Moment
from sayso.core.tokens import Actor
from sayso.messages import dead
from sayso.messages.dead import MOST_AT_ONCE, Settlement, Which
from sayso.messages.prospects import obstacles
from sayso.messages.routes import MessageId
from sayso.messages.views import DeadLettersOut, RetriedManyOut, RetriedOut, StandsOut
from sayso.whatsapp.failures import GraphError, classify

router = APIRouter(tags=["messages"])

Code = Annotated[int | None, Field(ge=-1, le=2**31 - 1, description="A code of Meta's.", examples=[131042])]
Sender = Annotated[Text | None, Field(max_length=40, description="A phone number id of ours.")]
Name = Annotated[Text | None, Field(max_length=512, description="The name of a template.")]


class SettleIn(Input):
    """What became of a message whose answer from Meta was lost, as somebody has found out."""

    said: Annotated[
        Settlement,
        Field(alias="as", description="`retry` may send it a second time.", examples=["delivered"]),
    ]


class RetryIn(Input):
    """Which dead letters to send again; at least one of `ids`, `code` and `since`."""

    ids: Annotated[
        tuple[Text, ...] | None,
        Field(max_length=MOST_AT_ONCE, description="These messages."),
    ] = None
    code: Code = None
    sender: Sender = None
    template: Name = None
    since: Annotated[Moment | None, Field(description="Accepted by us at this time or later.")] = None
    limit: Annotated[int, Field(ge=1, le=MOST_AT_ONCE, description="How many at most, the oldest first.")] = (
        MOST_AT_ONCE
    )
    dry_run: Annotated[bool, Field(description="Only say which would go.")] = False


class LettersIn(Input):
    """Which dead letters to list."""

    code: Code = None
    sender: Sender = None
    template: Name = None
    since: Annotated[Moment | None, Field(description="Accepted by us at this time or later.")] = None
    until: Annotated[Moment | None, Field(description="Accepted by us before this time.")] = None
    before: Annotated[Text | None, Field(max_length=40, description="The `next` of the previous answer.")] = (
        None
    )
    limit: Annotated[int, Field(ge=1, le=200, description="How many at most.")] = 50


@router.get("/dead-letters", response_model=DeadLettersOut, responses=refusals())
async def letters(rt: Rt, actor: MayReadMessages, asked: Annotated[LettersIn, Query()]) -> Response:
    """Messages that failed, expired, or stay unknown, newest first, each with why and what can be done."""
    chosen = asked.model_dump(exclude={"before", "limit"})
    async with rt.db.one() as tx:
        rows = await dead.letters(tx, _which(actor, **chosen), before=asked.before, limit=asked.limit)
        why_not = {row["id"]: why for row in rows if (why := dead.refusal(row)) is not None}
        why_not |= await obstacles(tx, rt, [row for row in rows if row["id"] not in why_not])
    following = rows[-1]["id"] if len(rows) == asked.limit else None
    return json_response(
        {"messages": [_view(row, why_not.get(row["id"])) for row in rows], "next": following}
    )


@router.post("/messages/retry", response_model=RetriedManyOut, responses=refusals(BodyTooLargeError))
async def retry_many(rt: Rt, actor: MaySend, body: RetryIn) -> Response:
    """Send dead letters again, the oldest first. Asking twice sends nothing twice: what goes is dead no more."""
    if body.ids is None and body.code is None and body.since is None:
        raise faults.wrong("", "says not which: give `ids`, `code` or `since`")
    which = _which(
        actor, code=body.code, sender=body.sender, template=body.template, since=body.since, ids=body.ids
    )
    async with rt.db.tx() as tx:
        done = await dead.retry_many(
            tx, rt, which, by=actor.client_id, limit=body.limit, dry_run=body.dry_run
        )
    refused = [{"id": message_id, "reason": why} for message_id, why in done.refused]
    return json_response(
        {"retried": done.going, "refused": refused, "more": done.more, "dry_run": body.dry_run}
    )


@router.post(
    "/messages/{message_id}/cancel",
    response_model=StandsOut,
    responses=refusals(NotFoundError, TooLateError),
)
async def cancel(request: Request, rt: Rt, actor: MaySend, message_id: MessageId) -> Response:
    """Take a message out of the queue while nothing of it is on the wire.

    Later it is `too_late` (409): what may be on its way cannot be called back. Asking twice is no error.
    """
    async with rt.db.tx() as tx:
        row = await _theirs(tx, actor, message_id)
        state = await dead.cancel(tx, rt, row, by=actor.client_id, on_failed=request.app.state.message_failed)
    return json_response({"id": message_id, "state": state})


@router.post(
    "/messages/{message_id}/retry",
    response_model=RetriedOut,
    responses=refusals(NotFoundError, NotRetryableError),
)
async def retry(rt: Rt, actor: MaySend, message_id: MessageId) -> Response:
    """Send a message again that failed or expired, as long as its first life was.

    One that is on its way already stays as it is (`retried` false); one that must not go is `not_retryable` (409).
    """
    async with rt.db.tx() as tx:
        row = await _theirs(tx, actor, message_id)
        going = await dead.retry(tx, rt, row, by=actor.client_id)
    state = "queued" if going else row["state"]
    return json_response({"id": message_id, "state": state, "retried": going})


@router.post(
    "/messages/{message_id}/settle",
    response_model=StandsOut,
    responses=refusals(NotFoundError, NotUnknownError, NotRetryableError, BodyTooLargeError),
)
async def settle(request: Request, rt: Rt, actor: MaySend, message_id: MessageId, body: SettleIn) -> Response:
    """Say what became of an `unknown` message: `delivered`, `failed`, or `retry`, which may send it a second time.

    A message of which that is known, or that may still be being posted, is `not_unknown` (409).
    """
    async with rt.db.tx() as tx:
        row = await _theirs(tx, actor, message_id)
        state = await dead.settle(
            tx, rt, row, body.said, by=actor.client_id, on_failed=request.app.state.message_failed
        )
    return json_response({"id": message_id, "state": state})


def _which(actor: Actor, **chosen: Any) -> Which:
    """What an actor may choose from: its own, or with ``admin`` everything."""
    return Which(None if actor.may("admin") else actor.client_id, **chosen)


async def _theirs(tx: Tx, actor: Actor, message_id: str) -> Record:
    row = await dead.locked(tx, message_id)
    if row is None or not actor.sees(row["client_id"]):
        raise NotFoundError(f"No message {message_id!r}.")
    return row


def _view(row: Record, why_not: str | None) -> dict[str, Any]:
    code = row["error_code"]
    failure = classify(GraphError(code, ""), None) if code is not None else None
    at: datetime = row["created_at"]
    return {
        "id": row["id"],
        "state": row["state"],
        "reason": row["reason"],
        "error_code": code,
        "meaning": failure and failure.meaning,
        "advice": failure and failure.operator,
        "retryable": why_not is None,
        "why_not": why_not,
        "purpose": row["purpose"],
        "category": row["category"],
        "sender": row["phone_number_id"],
        "template": row["template_name"],
        "confirmation_id": row["confirmation_id"],
        "attempts": row["attempt"],
        "created_at": at,
    }
