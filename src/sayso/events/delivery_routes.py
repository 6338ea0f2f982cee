"""Deliveries over HTTP: what was tried, what came of it, and once more."""

from typing import Annotated

from fastapi import APIRouter, Path, Query
from starlette.responses import Response

from sayso.core.api import Before, Limit, Rt, Text, json_response
from sayso.core.auth import MayManageEndpoints, MayReadEvents
from sayso.core.described import refusals
from sayso.core.errors import NotFoundError
from sayso.events import deliveries
from sayso.events.deliveries import State
from sayso.events.views import DeliveriesOut, DeliveryOut, DeliveryWithAttemptsOut, attempt, delivery

router = APIRouter(tags=["deliveries"])

DeliveryId = Annotated[
    Text,
    Path(max_length=40, description="A delivery's id.", examples=["dlv_5f0c6a5e9d3b4a7c8e1f2a3b4c5d6e7f"]),
]


@router.get("/deliveries", response_model=DeliveriesOut, responses=refusals())
async def page(
    rt: Rt,
    actor: MayReadEvents,
    *,
    endpoint: Annotated[Text | None, Query(max_length=40, description="Only to this endpoint.")] = None,
    state: Annotated[State | None, Query(description="Only those in this state.")] = None,
    event: Annotated[Text | None, Query(max_length=40, description="Only of this event.")] = None,
    before: Before = None,
    limit: Limit = 50,
) -> Response:
    """What goes to one's own endpoints, newest first."""
    async with rt.db.one() as tx:
        rows = await deliveries.page(
            tx, actor.client_id, endpoint=endpoint, state=state, event=event, before=before, limit=limit
        )
    following = rows[-1]["id"] if len(rows) == limit else None
    return json_response({"deliveries": [delivery(row) for row in rows], "next": following})


@router.get(
    "/deliveries/{delivery_id}", response_model=DeliveryWithAttemptsOut, responses=refusals(NotFoundError)
)
async def read(rt: Rt, actor: MayReadEvents, delivery_id: DeliveryId) -> Response:
    """A delivery with each attempt; the beginning of the receiver's answers is for its own assistant alone."""
    async with rt.db.one() as tx:
        row = await deliveries.get(tx, actor, delivery_id)
        tried = await deliveries.attempts(tx, delivery_id)
    own = row["client_id"] == actor.client_id
    return json_response({**delivery(row), "tried": [attempt(each, own=own) for each in tried]})


@router.post(
    "/deliveries/{delivery_id}/replay",
    status_code=202,
    response_model=DeliveryOut,
    responses=refusals(NotFoundError),
)
async def replay(rt: Rt, actor: MayManageEndpoints, delivery_id: DeliveryId) -> Response:
    """Deliver once more, at once, with the same id; a delivery that waits for its next attempt need not wait longer."""
    async with rt.db.tx() as tx:
        await deliveries.get(tx, actor, delivery_id)
        await deliveries.replay(tx, rt, [delivery_id])
        row = await deliveries.get(tx, actor, delivery_id)
    return json_response(delivery(row), 202)
