"""Which WhatsApp number an assistant's user has."""

from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import Field
from starlette.responses import Response

from sayso.core.api import Input, Rt, Text, json_response
from sayso.core.auth import MayLinkPeople, MayReadPeople
from sayso.core.errors import NotFoundError
from sayso.people import rules, service

router = APIRouter(tags=["people"])

ExternalId = Annotated[
    Text, Path(min_length=1, max_length=200, description="The user, as in the token's `sub`.")
]


class PersonIn(Input):
    """A user's WhatsApp number, and a name to greet them by."""

    phone: Annotated[Text, Field(max_length=40, examples=["+15550001111"])]
    name: Annotated[Text | None, Field(min_length=1, max_length=100)] = None


@router.put("/people/{external_id}")
async def link_person(rt: Rt, actor: MayLinkPeople, external_id: ExternalId, body: PersonIn) -> Response:
    """Link a user to a WhatsApp number; again with another number, re-link. Open questions stay with the old number."""
    phone = rules.phone(body.phone, pointer="/phone")
    async with rt.db.tx() as tx:
        await service.link(
            tx, rt, client_id=actor.client_id, external_id=external_id, phone=phone, name=body.name
        )
    return json_response({"external_id": external_id, "phone": phone, "name": body.name})


@router.get("/people/{external_id}")
async def read_person(rt: Rt, actor: MayReadPeople, external_id: ExternalId) -> Response:
    """The number a user is linked to."""
    async with rt.db.one() as tx:
        given = await service.link_as_given(tx, client_id=actor.client_id, external_id=external_id)
    if given is None:
        raise NotFoundError(f"No number is linked to {external_id!r}.")
    return json_response({"external_id": external_id, "phone": given["phone"], "name": given["name"]})
