"""Who is asked in whose place while somebody is away."""

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter
from pydantic import BaseModel, Field
from starlette.responses import Response

from sayso.confirmations import absences
from sayso.core import faults
from sayso.core.api import Input, Rt, Text, json_response
from sayso.core.auth import MayLinkPeople, MayReadPeople
from sayso.core.database import Tx
from sayso.core.described import refusals
from sayso.core.errors import BodyTooLargeError, NotFoundError
from sayso.core.moments import Moment
from sayso.people import links
from sayso.people import service as people
from sayso.people.routes import ExternalId
from sayso.people.service import Person

router = APIRouter(tags=["people"])


class AbsenceIn(Input):
    """From when until when somebody is away, and who is asked in their place."""

    delegate: Annotated[
        Text,
        Field(
            min_length=1,
            max_length=200,
            description="The user who is asked meanwhile, as you call them.",
            examples=["carol"],
        ),
    ]
    until: Annotated[
        Moment,
        Field(
            description="When they are back, with its time zone; in the future.",
            examples=["2026-12-06T08:00:00Z"],
        ),
    ]
    from_: Annotated[Moment | None, Field(alias="from", description="Left out: from now on.")] = None


class AbsenceOut(BaseModel):
    """An absence. `delegate`: the user who is asked in the person's place, as you call them; null if you do not."""

    user: str
    delegate: str | None
    until: datetime
    from_: datetime = Field(alias="from")


class BackOut(BaseModel):
    """Somebody who is asked themselves again."""

    user: str
    away: Literal[False]


@router.put(
    "/people/{external_id}/absence",
    response_model=AbsenceOut,
    responses=refusals(NotFoundError, BodyTooLargeError),
)
async def put(rt: Rt, actor: MayLinkPeople, external_id: ExternalId, body: AbsenceIn) -> Response:
    """Say that somebody is away: questions to them go to the delegate meanwhile. What is open stays with whom it is.

    It replaces an absence given before.
    """
    from_at = body.from_ or rt.now()
    if body.until <= max(from_at, rt.now()):
        raise faults.wrong("/until", "must lie after the beginning of the absence, and after now")
    async with rt.db.tx() as tx:
        person = await _linked(tx, actor.client_id, external_id)
        found = await people.linked(tx, client_id=actor.client_id, external_id=body.delegate)
        if found is None:
            raise faults.wrong("/delegate", f"nobody is linked to {body.delegate!r}")
        delegate, _ = found
        if delegate.id in person.ids:
            raise faults.wrong("/delegate", "is the same person")
        await absences.put(tx, person, delegate, from_at=from_at, until=body.until, set_by=actor.client_id)
    return json_response(
        {"user": external_id, "delegate": body.delegate, "from": from_at, "until": body.until}
    )


@router.get("/people/{external_id}/absence", response_model=AbsenceOut, responses=refusals(NotFoundError))
async def read(rt: Rt, actor: MayReadPeople, external_id: ExternalId) -> Response:
    """When somebody is away, and who is asked in their place."""
    async with rt.db.tx() as tx:
        row = await absences.get(tx, await _linked(tx, actor.client_id, external_id), actor.client_id)
        if row is None:
            raise NotFoundError(f"No absence of {external_id!r} is known.")
        users = await links.users_of(tx, await people.get(tx, row["delegate_id"]))
        called = next(iter(users.get(actor.client_id, ())), None)
    return json_response(
        {"user": external_id, "delegate": called, "from": row["from_at"], "until": row["until"]}
    )


@router.delete("/people/{external_id}/absence", response_model=BackOut, responses=refusals(NotFoundError))
async def drop(rt: Rt, actor: MayLinkPeople, external_id: ExternalId) -> Response:
    """The person is back; questions go to them again. Without an absence nothing changes."""
    async with rt.db.tx() as tx:
        await absences.drop(tx, await _linked(tx, actor.client_id, external_id), actor.client_id)
    return json_response({"user": external_id, "away": False})


async def _linked(tx: Tx, client_id: str, external_id: str) -> Person:
    found = await people.linked(tx, client_id=client_id, external_id=external_id)
    if found is None:
        raise NotFoundError(f"Nobody is linked to {external_id!r}.")
    return found[0]
