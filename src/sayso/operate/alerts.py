"""What an operator must know of, what is over, and what to do about it."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query
from starlette.responses import Response

from sayso.core.api import Rt, Text, json_response
from sayso.core.auth import MayOperate
from sayso.core.database import Record
from sayso.core.described import refusals
from sayso.core.errors import NotFoundError
from sayso.events import alerts as service

router = APIRouter(tags=["operate"])

_SHOWN = (
    "id",
    "key",
    "severity",
    "title",
    "detail",
    "advice",
    "raised_at",
    "seen_at",
    "until",
    "resolved_at",
    "resolved_by",
)


@router.get("/alerts", responses=refusals())
async def alerts(
    rt: Rt,
    _actor: MayOperate,
    state: Annotated[
        Literal["open", "resolved", "all"],
        Query(description="Only what is open, what is over, or all of them."),
    ] = "open",
    before: Annotated[
        Text | None, Query(max_length=64, description="The `next` of the previous answer.")
    ] = None,
    limit: Annotated[int, Query(ge=1, le=500, description="How many at most.")] = 100,
) -> Response:
    """Alerts, newest first; each was raised once, and says what to do."""
    async with rt.db.one() as tx:
        rows = await service.page(tx, state=state, before=before, limit=limit)
    following = rows[-1]["id"] if len(rows) == limit else None
    return json_response({"alerts": [_as_json(row) for row in rows], "next": following})


@router.post("/alerts/{alert_id}/resolve", responses=refusals(NotFoundError))
async def resolve(
    rt: Rt, actor: MayOperate, alert_id: Annotated[Text, Path(max_length=64, description="An alert's id.")]
) -> Response:
    """Say that it is over: for what Meta never takes back by itself. What is still true is raised again."""
    async with rt.db.tx() as tx:
        row = await service.resolve_by_hand(tx, rt, alert_id, by=actor.user_id)
    if row is None:
        raise NotFoundError(f"No alert {alert_id!r}; GET /alerts?state=all lists them.")
    return json_response(_as_json(row))


def _as_json(row: Record) -> dict[str, Any]:
    return {name: row[name] for name in _SHOWN}
