"""The feed by cursor."""

import re
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from sayso.core.api import Rt, json_response
from sayso.core.auth import MayReadEvents
from sayso.core.errors import Fault, InputInvalidError
from sayso.events import service
from sayso.events.alerts import OPERATOR

router = APIRouter(tags=["events"])

_CURSOR = re.compile(r"([0-9]{1,20}\.evt_[0-9a-z]{26})?")
_LAST_TRANSACTION = 2**64 - 1


@router.get("/events")
async def read_feed(
    rt: Rt,
    actor: MayReadEvents,
    after: Annotated[str, Query(description="The `next` of the previous answer; empty to begin.")] = "",
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> Response:
    """What happened, oldest first. Keep `next` and pass it as `after`: nothing is skipped, nothing comes twice.

    With the scope `admin` the feed also holds what concerns no single assistant: alerts, templates, senders.
    """
    if not _CURSOR.fullmatch(after) or int(after.partition(".")[0] or 0) > _LAST_TRANSACTION:
        detail = "not a cursor; pass the `next` of an earlier answer, unchanged"
        raise InputInvalidError(f"after: {detail}", faults=[Fault(detail, "/after")])
    also = (OPERATOR,) if actor.may("admin") else ()
    async with rt.db.one() as tx:
        events, following = await service.feed(
            tx, client_id=actor.client_id, after=after, limit=limit, also=also
        )
    return json_response({"events": events, "next": following})
