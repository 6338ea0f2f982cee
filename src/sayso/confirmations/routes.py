"""Look at a confirmation, wait for it."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel
from starlette.responses import Response

from sayso.confirmations import service
from sayso.confirmations.views import ConfirmationOut, Status, view
from sayso.core.api import Before, Limit, Rt, Text, json_response
from sayso.core.auth import MayReadConfirmations
from sayso.core.database import Record
from sayso.core.described import refusals
from sayso.core.errors import NotFoundError
from sayso.core.runtime import Runtime
from sayso.core.tokens import Actor
from sayso.core.wakes import rung

router = APIRouter(tags=["confirmations"])

LONGEST_WAIT_S = 60

ConfirmationId = Annotated[
    Text,
    Path(
        max_length=40,
        description="The `id` that asking was answered with.",
        examples=["cnf_01k9y3v6e8m0q2s4t6w8x0z2b4"],
    ),
]


class ConfirmationsOut(BaseModel):
    """Confirmations, newest first; `next` goes into `before` of the next call."""

    confirmations: list[ConfirmationOut]
    next: str | None


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
        if wait and await _undecided(rt, actor, confirmation_id):
            return json_response(view(await _once_decided(rt, actor, confirmation_id, bell, wait)))
    return json_response(view(await _whole(rt, actor, confirmation_id)))


@router.get("/confirmations", response_model=ConfirmationsOut, responses=refusals())
async def page(
    rt: Rt,
    actor: MayReadConfirmations,
    status: Annotated[Status | None, Query(description="Only those that stand so.")] = None,
    before: Before = None,
    limit: Limit = 50,
) -> Response:
    """One's own confirmations, newest first."""
    async with rt.db.one() as tx:
        rows = await service.page(tx, actor.client_id, status=status, before=before, limit=limit)
    following = rows[-1]["id"] if len(rows) == limit else None
    return json_response({"confirmations": [view(row) for row in rows], "next": following})


async def _once_decided(
    rt: Runtime, actor: Actor, confirmation_id: str, bell: asyncio.Event, seconds: float
) -> Record:
    """The row as soon as it is decided, or the time is over. At each ring, which follows a commit, it is read again."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + seconds
    while True:
        await rung(bell, max(0.0, deadline - loop.time()))
        bell.clear()
        row = await _whole(rt, actor, confirmation_id)
        if row["status"] == "decided" or rt.wakes.closing or loop.time() >= deadline:
            return row


async def _undecided(rt: Runtime, actor: Actor, confirmation_id: str) -> bool:
    """Whether there is something to wait for: of ten thousand that ask nearly every one waits, and no more is read."""
    async with rt.db.one() as tx:
        row = service.visible(await service.standing(tx, confirmation_id), actor, confirmation_id)
    return not rt.wakes.closing and bool(row["status"] != "decided")


async def _whole(rt: Runtime, actor: Actor, confirmation_id: str) -> Record:
    async with rt.db.one() as tx:
        return service.visible(await service.get(tx, confirmation_id), actor, confirmation_id)
