"""Endpoints over HTTP: where events go, their secrets, tests and replays."""

from datetime import timedelta
from typing import Annotated, Any, Literal

import msgspec
from fastapi import APIRouter, Depends, Path, Request
from pydantic import Field
from starlette.responses import Response

from sayso.core import faults, idempotency, net
from sayso.core.api import Input, Rt, Text, json_response
from sayso.core.auth import MayManageEndpoints, MayReadEvents
from sayso.core.database import Record, Tx
from sayso.core.described import refusals
from sayso.core.errors import ForbiddenError, IdempotencyMismatchError, NotFoundError
from sayso.core.moments import Moment
from sayso.core.net import RefusedUrlError
from sayso.core.runtime import Runtime
from sayso.core.tokens import Actor
from sayso.events import deliveries, endpoints, verifying
from sayso.events.calling import Caller
from sayso.events.deliveries import What
from sayso.events.endpoints import (
    EndpointLimitError,
    EndpointUnverifiedError,
    TooManyCallsError,
    Wanted,
)
from sayso.events.routes import check_types
from sayso.events.signing import Signature
from sayso.events.views import (
    ASKED,
    DeletedOut,
    EndpointOut,
    EndpointsOut,
    EndpointWithSecretOut,
    ReplayOut,
    TestedOut,
    endpoint,
)

router = APIRouter(tags=["endpoints"])

EndpointId = Annotated[
    Text, Path(max_length=40, description="An endpoint's id.", examples=["ep_01k9y3v6e8m0q2s4t6w8x0z2b4"])
]
Url = Annotated[Text, Field(max_length=2_048, examples=["https://assistant.example.com/sayso"])]
Description = Annotated[Text, Field(max_length=200)]
Types = Annotated[list[Annotated[Text, Field(max_length=100)]], Field(max_length=50)]
Subject = Annotated[Text, Field(min_length=1, max_length=200)]
Signatures = Annotated[list[Signature], Field(min_length=1, max_length=2)]

_URL = "Where events are posted: https, and an address on the public internet."
_DESCRIPTION = "What it is, in your words."
_TYPES = "Types and families (`confirmation.*`) that it hears, at most 50; without any, everything."
_SUBJECT = "Only what is about this object: an id of ours, such as a confirmation's."
_OPERATOR = "Also what concerns no single assistant; needs the scope `admin`."
_SIGNATURES = "How each call is signed. `v1`: HMAC-SHA256; `v1a`: Ed25519."


async def the_caller(request: Request) -> Caller:
    """Who makes the calls of this process."""
    found: Caller = request.app.state.caller
    return found


TheCaller = Annotated[Caller, Depends(the_caller)]


_CALLING = refusals(NotFoundError, EndpointUnverifiedError, TooManyCallsError)


class EndpointIn(Input):
    """An address, and what it is to hear: without `types` everything, in the order of each subject."""

    url: Annotated[Url, Field(description=_URL)]
    description: Annotated[Description, Field(description=_DESCRIPTION)] = ""
    types: Types = Field(default_factory=list, description=_TYPES, examples=[["confirmation.*"]])
    subject: Annotated[Subject | None, Field(description=_SUBJECT)] = None
    operator: bool = Field(default=False, description=_OPERATOR)
    signatures: Signatures = Field(default=["v1"], description=_SIGNATURES)


class EndpointChange(Input):
    """What is to be another; what is left out stays."""

    url: Annotated[Url | None, Field(description=f"{_URL} Another is challenged first.")] = None
    description: Annotated[Description | None, Field(description=_DESCRIPTION)] = None
    types: Annotated[Types | None, Field(description=_TYPES)] = None
    subject: Annotated[Subject | None, Field(description=f"{_SUBJECT} Null: whatever it is about.")] = None
    operator: Annotated[bool | None, Field(description=_OPERATOR)] = None
    signatures: Annotated[Signatures | None, Field(description=_SIGNATURES)] = None
    state: Literal["disabled"] | None = Field(
        default=None, description="Deliver nothing more; `POST …/enable` goes on."
    )


class Rotation(Input):
    """How long the keys of before go on signing beside the new ones."""

    overlap_hours: Annotated[
        float,
        Field(
            ge=0,
            le=168,
            allow_inf_nan=False,
            description="For how many hours each call is signed with both, 168 (7 days) at most.",
        ),
    ] = 24


class Replay(Input):
    """Which deliveries are made once more: what `failed`, or what is `missing` since it was never tried."""

    since: Annotated[Moment, Field(description="What was told at this time or later, with its time zone.")]
    what: Annotated[
        What,
        Field(
            description="`failed`: what did not arrive; `missing`: what was never tried, as before it was there."
        ),
    ] = "failed"


@router.post(
    "/endpoints",
    status_code=201,
    response_model=EndpointWithSecretOut,
    responses=refusals(EndpointLimitError, TooManyCallsError, IdempotencyMismatchError),
)
async def create(
    rt: Rt, actor: MayManageEndpoints, caller: TheCaller, body: EndpointIn, key: idempotency.Key = None
) -> Response:
    """Have events posted to an address. It is challenged first: see `docs/webhooks-out.md`.

    The `secret` is shown here and after a rotation, never again.
    """
    wanted = _wanted(caller, actor, body.model_dump())

    async def write(tx: Tx) -> dict[str, Any]:
        return {"id": (await endpoints.create(tx, rt, actor, wanted))["id"]}

    answer = await idempotency.once(
        rt, actor, route="POST /endpoints", key=key, body=body.model_dump(), status=201, create=write
    )
    return await _created(rt, actor, caller, answer)


async def _created(rt: Runtime, actor: Actor, caller: Caller, answer: Response) -> Response:
    """The endpoint with its secret, which is kept with no answer; the challenge is made once the row is there."""
    endpoint_id: str = msgspec.json.decode(answer.body)["id"]
    async with rt.db.one() as tx:
        row = await endpoints.get(tx, actor, endpoint_id)
    again = "idempotency-replayed" in answer.headers
    if not again:
        row = await _challenged(rt, caller, row)
    told = {**endpoint(row), "secret": endpoints.signer(rt, row).keys[0].shown_secret}
    return json_response(told, 201, {"idempotency-replayed": "true"} if again else None)


@router.get("/endpoints", response_model=EndpointsOut, responses=refusals())
async def listed(rt: Rt, actor: MayReadEvents) -> Response:
    """One's own endpoints, oldest first."""
    async with rt.db.one() as tx:
        rows = await endpoints.page(tx, actor.client_id)
    return json_response({"endpoints": [endpoint(row) for row in rows]})


@router.get("/endpoints/{endpoint_id}", response_model=EndpointOut, responses=refusals(NotFoundError))
async def read(rt: Rt, actor: MayReadEvents, endpoint_id: EndpointId) -> Response:
    """An endpoint and how it does; its secret is not shown again."""
    async with rt.db.one() as tx:
        row = await endpoints.get(tx, actor, endpoint_id)
    return json_response(endpoint(row))


@router.patch("/endpoints/{endpoint_id}", response_model=EndpointOut, responses=_CALLING)
async def change(
    rt: Rt, actor: MayManageEndpoints, caller: TheCaller, endpoint_id: EndpointId, body: EndpointChange
) -> Response:
    """Change an endpoint. Another address is challenged first; without the right answer nothing is changed."""
    given = body.model_dump(exclude_unset=True)
    if not given:
        raise faults.wrong("", "names nothing that is to be another")
    async with rt.db.tx() as tx:
        row = await endpoints.get(tx, actor, endpoint_id)
        wanted = _wanted(caller, actor, {**_asked(row), **_without_none(given)})
        moves = wanted.url != row["url"]
        if moves:
            await endpoints.count_call(tx, rt, row["client_id"])
    if moves and (failure := await verifying.challenge(rt, caller, row, wanted.url)):
        raise EndpointUnverifiedError(f"Nothing was changed: {failure}.")
    async with rt.db.tx() as tx:
        row = await endpoints.get(tx, actor, endpoint_id, lock=True)
        # Somebody may have changed it since it was looked at: what they did stays, and no address goes unchallenged.
        url = wanted.url if moves else row["url"]
        wanted = _wanted(caller, actor, {**_asked(row), **_without_none(given), "url": url})
        row = await endpoints.change(tx, rt, row, wanted)
        if body.state == "disabled" and row["state"] == "enabled":
            row = await endpoints.disable(tx, rt, row, "the assistant disabled it", by_us=False)
    return json_response(endpoint(row))


@router.delete("/endpoints/{endpoint_id}", response_model=DeletedOut, responses=refusals(NotFoundError))
async def delete(rt: Rt, actor: MayManageEndpoints, endpoint_id: EndpointId) -> Response:
    """Deliver nothing more and forget the secret; what was delivered stays to be looked at."""
    async with rt.db.tx() as tx:
        row = await endpoints.get(tx, actor, endpoint_id, lock=True, deleted=True)
        await endpoints.delete(tx, rt, row)
    return json_response({"id": row["id"], "state": "deleted"})


@router.post(
    "/endpoints/{endpoint_id}/enable",
    response_model=EndpointOut,
    responses=refusals(NotFoundError, TooManyCallsError),
)
async def enable(rt: Rt, actor: MayManageEndpoints, caller: TheCaller, endpoint_id: EndpointId) -> Response:
    """Challenge the address again, and deliver from now on; what it missed can be replayed."""
    async with rt.db.tx() as tx:
        row = await endpoints.get(tx, actor, endpoint_id)
        await endpoints.count_call(tx, rt, row["client_id"])
    return json_response(endpoint(await _challenged(rt, caller, row)))


@router.post(
    "/endpoints/{endpoint_id}/rotate", response_model=EndpointWithSecretOut, responses=refusals(NotFoundError)
)
async def rotate(
    rt: Rt, actor: MayManageEndpoints, endpoint_id: EndpointId, body: Rotation | None = None
) -> Response:
    """Make new keys. Those of before sign beside them for `overlap_hours`, so that no receiver misses anything."""
    overlap = timedelta(hours=(body or Rotation()).overlap_hours)
    async with rt.db.tx() as tx:
        row = await endpoints.get(tx, actor, endpoint_id, lock=True)
        row, keys = await endpoints.rotate(tx, rt, row, overlap)
    return json_response({**endpoint(row), "secret": keys.shown_secret})


@router.post("/endpoints/{endpoint_id}/test", response_model=TestedOut, responses=_CALLING)
async def test(rt: Rt, actor: MayManageEndpoints, caller: TheCaller, endpoint_id: EndpointId) -> Response:
    """Post an `endpoint.test` now, signed as every event is; what came of it."""
    async with rt.db.tx() as tx:
        row = await endpoints.get(tx, actor, endpoint_id)
        _must_be_verified(row)
        await endpoints.count_call(tx, rt, row["client_id"])
    return json_response(await verifying.test(rt, caller, row))


@router.post(
    "/endpoints/{endpoint_id}/replay",
    status_code=202,
    response_model=ReplayOut,
    responses=refusals(NotFoundError, EndpointUnverifiedError),
)
async def replay(rt: Rt, actor: MayManageEndpoints, endpoint_id: EndpointId, body: Replay) -> Response:
    """Deliver once more what failed, or was never tried, since a moment: up to 1,000 by one call, oldest first."""
    async with rt.db.tx() as tx:
        row = await endpoints.get(tx, actor, endpoint_id)
        _must_be_verified(row)
        count = await deliveries.replay_since(tx, rt, row, body.since, body.what)
    return json_response({"replayed": count, "more": count >= deliveries.AT_ONCE}, 202)


async def _challenged(rt: Runtime, caller: Caller, row: Record) -> Record:
    failure = await verifying.challenge(rt, caller, row, row["url"])
    async with rt.db.tx() as tx:
        return await endpoints.verified(tx, rt, row, failure)


def _must_be_verified(row: Record) -> None:
    if row["verified_at"] is None:
        raise EndpointUnverifiedError(
            f"The endpoint has not answered its challenge: {row['reason']}. Ask again with POST …/enable."
        )


def _wanted(caller: Caller, actor: Actor, asked: dict[str, Any]) -> Wanted:
    """What is asked for, checked; raises InputInvalidError and ForbiddenError."""
    try:
        net.check(asked["url"], caller.allowed)
    except RefusedUrlError as error:
        raise faults.wrong("/url", str(error)) from error
    check_types(tuple(asked["types"]), "/types")
    if asked["operator"] and not actor.may("admin"):
        raise ForbiddenError("What concerns no single assistant is told to the scope admin alone.")
    return Wanted(**{name: asked[name] for name in ASKED})


def _asked(row: Record) -> dict[str, Any]:
    return {name: row[name] for name in ASKED}


def _without_none(given: dict[str, Any]) -> dict[str, Any]:
    """What was given; only a subject may be taken away by null."""
    return {name: value for name, value in given.items() if value is not None or name == "subject"}
