"""What came in from Meta, for whoever operates the service."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query
from starlette.responses import Response

from sayso.core.api import Rt, Text, json_response
from sayso.core.auth import MayOperate
from sayso.core.described import refusals
from sayso.inbound import receive

router = APIRouter(tags=["operate"])


@router.get("/updates", responses=refusals())
async def updates(
    rt: Rt,
    _actor: MayOperate,
    state: Annotated[
        Literal["received", "done", "parked", "stale"] | None, Query(description="Only those in this state.")
    ] = None,
    kind: Annotated[
        Text | None, Query(max_length=64, description="Only of this kind, as the answer has it.")
    ] = None,
    before: Annotated[
        int | None, Query(ge=1, le=2**63 - 1, description="The `next` of the previous answer.")
    ] = None,
    limit: Annotated[int, Query(ge=1, le=500, description="How many at most.")] = 100,
) -> Response:
    """Every update received and what became of it, newest first; what people wrote is not shown here."""
    async with rt.db.one() as tx:
        rows = await receive.page(tx, state=state, kind=kind, before=before, limit=limit)
    following = rows[-1]["id"] if len(rows) == limit else None
    return json_response({"updates": [dict(row) for row in rows], "next": following})
