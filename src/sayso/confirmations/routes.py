"""Ask for a confirmation, look at it, wait for it."""

import asyncio
import contextlib
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, Field
from starlette.responses import Response

from sayso.confirmations import service
from sayso.confirmations.render import Action
from sayso.confirmations.rules import Outcome
from sayso.core import idempotency
from sayso.core.api import Input, Rt, Text, json_response
from sayso.core.auth import MayAsk, MayReadConfirmations
from sayso.core.database import Record, Tx
from sayso.core.described import refusals
from sayso.core.errors import (
    BodyTooLargeError,
    ConsentMissingError,
    ContentTooLongError,
    IdempotencyMismatchError,
    NotFoundError,
    OptedOutError,
    PersonUnknownError,
)
from sayso.core.runtime import Runtime
from sayso.core.tokens import Actor
from sayso.messages import conversations
from sayso.messages.acceptance import sender_of
from sayso.messages.recipients import Recipient, resolve
from sayso.messages.views import State
from sayso.people.service import Person
from sayso.senders import service as senders

router = APIRouter(tags=["confirmations"])

LONGEST_WAIT_S = 60
LONGEST_MINUTES = 7 * 24 * 60

_NEVER = datetime.min.replace(tzinfo=UTC)

ConfirmationId = Annotated[Text, Path(max_length=40, examples=["cnf_01k9y3v6e8m0q2s4t6w8x0z2b4"])]


class ConfirmationIn(Input):
    """What the assistant wants to do, and until when it may be answered."""

    action_type: Annotated[Text, Field(min_length=1, max_length=64, examples=["calendar_create"])]
    action_description: Annotated[Text, Field(min_length=1, examples=["schedule a meeting with John"])]
    action_details: Annotated[Text, Field(min_length=1, examples=["tomorrow at 3 PM in Conference Room A"])]
    timeout_minutes: Annotated[
        float,
        Field(
            gt=0,
            le=LONGEST_MINUTES,
            allow_inf_nan=False,
            strict=True,
            description="How long it may be answered; seven days at most.",
        ),
    ] = 30
    recipient: Recipient = None
    sender: Annotated[
        Text | None,
        Field(
            max_length=40,
            description="The phone number id to ask from. Left out: the number the person last wrote to, or the first.",
        ),
    ] = None


class ExecutionOut(BaseModel):
    """What came of a confirmed action: the right to act was `claimed`, then it was `done` or `failed`."""

    status: Literal["claimed", "done", "failed"]
    claimed_at: datetime
    reported_at: datetime | None
    note: str | None


class ConfirmationOut(BaseModel):
    """A question and, once decided, its one outcome.

    `delivery` and `delivery_reason`: how far the question has come. `action_hash` is of the action, `shown_hash` of
    each form in which the person may see it. `sender`: the phone number id it is asked from. `use_by`: until when a
    confirmed action may be claimed; `execution`: null until it is.
    """

    id: str
    status: Literal["pending", "decided"]
    outcome: Outcome | None
    decided_at: datetime | None
    delivery: State | None
    delivery_reason: str | None
    action_type: str
    action_description: str
    action_details: str
    action_hash: str
    shown_hash: dict[str, str]
    user: str
    sender: str
    message_id: str | None
    created_at: datetime
    expires_at: datetime
    use_by: datetime | None
    execution: ExecutionOut | None


class ConfirmationsOut(BaseModel):
    """Confirmations, newest first; `next` goes into `before` of the next call."""

    confirmations: list[ConfirmationOut]
    next: str | None


@router.post(
    "/confirmation",
    status_code=202,
    response_model=ConfirmationOut,
    responses=refusals(
        OptedOutError,
        ConsentMissingError,
        PersonUnknownError,
        ContentTooLongError,
        BodyTooLargeError,
        IdempotencyMismatchError,
    ),
)
async def ask(rt: Rt, actor: MayAsk, body: ConfirmationIn, key: idempotency.Key = None) -> Response:
    """Ask a person. They are the token's user unless `recipient` names a number.

    A bare Y or N decides only when it is written to the same `sender`, and nothing else is open there.
    """

    async def create(tx: Tx) -> dict[str, Any]:
        person, name = await resolve(tx, rt, actor, body.recipient)
        asking = service.Asking(
            client_id=actor.client_id,
            user_id=actor.user_id,
            person=person,
            sender=await _sender(tx, rt, person, body.sender),
            greet=name or person.name,
            action=Action(body.action_type, body.action_description, body.action_details),
            lasts=max(timedelta(minutes=body.timeout_minutes), timedelta(seconds=1)),
        )
        row = await service.get(tx, await service.ask(tx, rt, asking))
        return view(_must(row))

    return await idempotency.once(
        rt,
        actor,
        route="POST /confirmation",
        key=key,
        body=body.model_dump(),
        status=202,
        create=create,
    )


async def _sender(tx: Tx, rt: Runtime, person: Person, wanted: str | None) -> str:
    """The number of ours that was named, or the one the person last wrote to: there they are not surprised."""
    if wanted is not None:
        return sender_of(rt, wanted)
    talks = await conversations.read(tx, [person])
    wrote = {sender: talks.of(person, sender).opened_at for sender in senders.ids(rt.settings)}
    return max(wrote, key=lambda sender: wrote[sender] or _NEVER)


@router.get(
    "/confirmations/{confirmation_id}", response_model=ConfirmationOut, responses=refusals(NotFoundError)
)
async def read(
    rt: Rt,
    actor: MayReadConfirmations,
    confirmation_id: ConfirmationId,
    wait: Annotated[
        float, Query(ge=0, le=LONGEST_WAIT_S, description="Seconds to wait for the outcome, at most 60.")
    ] = 0,
) -> Response:
    """A confirmation. With `wait`, the answer comes when it is decided or the seconds are over, whichever is first."""
    with rt.wakes.waiting(confirmation_id) as bell:
        row = await _seen(rt, actor, confirmation_id)
        if wait and row["status"] == "pending":
            row = await _decided(rt, actor, row, bell, wait)
    return json_response(view(row))


@router.get("/confirmations", response_model=ConfirmationsOut, responses=refusals())
async def page(
    rt: Rt,
    actor: MayReadConfirmations,
    status: Annotated[
        Literal["pending", "decided"] | None, Query(description="Only those that stand so.")
    ] = None,
    before: Annotated[
        Text | None, Query(max_length=40, description="The `next` of the previous answer.")
    ] = None,
    limit: Annotated[int, Query(ge=1, le=200, description="How many at most.")] = 50,
) -> Response:
    """One's own confirmations, newest first."""
    async with rt.db.one() as tx:
        rows = await service.page(tx, actor.client_id, status=status, before=before, limit=limit)
    following = rows[-1]["id"] if len(rows) == limit else None
    return json_response({"confirmations": [view(row) for row in rows], "next": following})


async def _decided(rt: Runtime, actor: Actor, row: Record, bell: asyncio.Event, seconds: float) -> Record:
    """Look again at each ring, which follows the commit of a decision, and once more at the end; never in between."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + seconds
    while row["status"] == "pending" and not rt.wakes.closing and (left := deadline - loop.time()) > 0:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(left):
                await bell.wait()
        bell.clear()
        row = await _seen(rt, actor, row["id"])
    return row


async def _seen(rt: Runtime, actor: Actor, confirmation_id: str) -> Record:
    async with rt.db.one() as tx:
        row = await service.get(tx, confirmation_id)
    if row is None or not actor.sees(row["client_id"]):
        raise NotFoundError(f"No confirmation {confirmation_id!r}.")
    return row


def _must(row: Record | None) -> Record:
    if row is None:
        raise RuntimeError("a row that was just written is not there")
    return row


def view(row: Record) -> dict[str, Any]:
    """A confirmation as an assistant sees it."""
    return {
        "id": row["id"],
        "status": row["status"],
        "outcome": row["outcome"],
        "decided_at": row["decided_at"],
        "delivery": row["delivery"],
        "delivery_reason": row["delivery_reason"],
        **row["action"],
        "action_hash": row["action_hash"].hex(),
        "shown_hash": row["shown_hash"],
        "user": row["user_id"],
        "sender": row["phone_number_id"],
        "message_id": row["message_id"],
        "created_at": row["created_at"],
        "expires_at": row["expires_at"],
        "use_by": row["use_by"],
        "execution": _execution(row),
    }


def _execution(row: Record) -> dict[str, Any] | None:
    if row["execution_status"] is None:
        return None
    return {
        "status": row["execution_status"],
        "claimed_at": row["claimed_at"],
        "reported_at": row["reported_at"],
        "note": row["execution_note"],
    }
