"""The feed by cursor, at once or as soon as there is something, and as a stream."""

import re
from typing import Annotated

from fastapi import APIRouter, Header, Query
from starlette.responses import Response

from sayso.core import faults
from sayso.core.api import Rt, Text, json_response
from sayso.core.auth import MayReadEvents
from sayso.core.described import refusals
from sayso.core.runtime import Runtime
from sayso.core.tokens import Actor
from sayso.events import service
from sayso.events.alerts import OPERATOR
from sayso.events.following import Filter, Follower, known
from sayso.events.stream import LONGEST_S, Stream, TooManyStreamsError
from sayso.events.views import EventsOut

router = APIRouter(tags=["events"])

LONGEST_WAIT_S = 60
_CURSOR = re.compile(r"([0-9]{1,20}\.evt_[0-9a-z]{26})?")
_LAST_TRANSACTION = 2**64 - 1
_MOST_TYPES = 50
#: In place of a cursor: what is told from now on.
NOW = "now"

After = Annotated[
    Text,
    Query(description="The `next` of the previous answer; empty to begin, `now` for what comes from now on."),
]
Types = Annotated[
    Text | None,
    Query(
        max_length=2_000,
        description="Types with commas, such as `confirmation.*,person.said`; all by default.",
    ),
]
Subject = Annotated[Text | None, Query(max_length=200, description="Only what is about this object.")]


@router.get("/events", response_model=EventsOut, responses=refusals())
async def read_feed(
    rt: Rt,
    actor: MayReadEvents,
    *,
    after: After = "",
    limit: Annotated[int, Query(ge=1, le=500, description="How many at most.")] = 100,
    types: Types = None,
    subject: Subject = None,
    wait: Annotated[
        float, Query(ge=0, le=LONGEST_WAIT_S, description="Seconds to wait for something, at most 60.")
    ] = 0,
) -> Response:
    """What happened, oldest first. Keep `next` and pass it as `after`: nothing is skipped, nothing comes twice.

    With `wait`, the answer comes as soon as there is something, or when the seconds are over. With the scope `admin`
    the feed also holds what concerns no single assistant: alerts, templates, senders.
    """
    follower = await _follower(rt, actor, after, types, subject)
    found = await follower.wait(limit, wait)
    return json_response({"events": [event for _, event in found], "next": follower.cursor})


@router.get(
    "/events/stream",
    response_class=Response,
    responses={200: {"content": {"text/event-stream": {}}}, **refusals(TooManyStreamsError)},
)
async def stream_feed(
    rt: Rt,
    actor: MayReadEvents,
    *,
    after: After = "",
    types: Types = None,
    subject: Subject = None,
    seconds: Annotated[
        float,
        Query(ge=0, le=LONGEST_S, description="When the stream ends, for a new one to go on where it was."),
    ] = LONGEST_S,
    last_event_id: Annotated[
        Text | None,
        Header(
            alias="Last-Event-ID", description="The `id` of the last event that came; counts before `after`."
        ),
    ] = None,
) -> Response:
    """The feed as server-sent events: `id` is the cursor, `event` the type, `data` the event as `GET /events` has it.

    A comment comes every 15 seconds when nothing else does. Who takes nothing for 30 seconds is cut off; with
    `Last-Event-ID` the next stream goes on where the last one ended.
    """
    follower = await _follower(rt, actor, last_event_id or after, types, subject)
    return Stream(follower, seconds=seconds)


async def _follower(
    rt: Runtime, actor: Actor, after: str, types: str | None, subject: str | None
) -> Follower:
    clients = (actor.client_id, OPERATOR) if actor.may("admin") else (actor.client_id,)
    wanted = tuple(filter(None, (each.strip() for each in (types or "").split(","))))
    check_types(wanted, "/types")
    if after == NOW:
        async with rt.db.one() as tx:
            after = await service.newest(tx)
    if not _CURSOR.fullmatch(after) or int(after.partition(".")[0] or 0) > _LAST_TRANSACTION:
        raise faults.wrong("/after", "not a cursor; pass the `next` of an earlier answer, unchanged")
    return Follower(rt, clients, after, Filter(wanted, subject))


def check_types(types: tuple[str, ...], at: str) -> None:
    """Refuse a type that is never told: whoever waits for it would wait for ever. Raises InputInvalidError."""
    if len(types) > _MOST_TYPES:
        raise faults.wrong(at, f"names {len(types)} types; at most {_MOST_TYPES} are taken")
    for each in types:
        if not known(each):
            families = {f"{kind.partition('.')[0]}.*" for kind in service.CATALOGUE}
            meant = faults.near(each, [*service.CATALOGUE, *sorted(families)])
            said = f"{faults.shown(each)} is no type of event, and no family such as confirmation.*{meant}"
            raise faults.wrong(at, said)
