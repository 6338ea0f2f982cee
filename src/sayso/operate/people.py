"""Who an assistant's user is, as it says so, and a person's right to know and to be forgotten."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response

from sayso.core import faults
from sayso.core.api import Rt, Text, json_response
from sayso.core.auth import MayLinkPeople, MayReadPeople
from sayso.core.described import refusals
from sayso.core.errors import BodyTooLargeError, ForbiddenError, NotFoundError, StillSendingError
from sayso.core.tokens import Actor
from sayso.operate import erasure
from sayso.operate.erasure import Inbox
from sayso.operate.export import export
from sayso.people import links
from sayso.people import service as people
from sayso.people.routes import ExternalId, PersonIn
from sayso.senders import service as senders

router = APIRouter(tags=["people"])

Whose = Annotated[
    Text | None,
    Query(
        max_length=200,
        description="The assistant whose user is meant; another than one's own with scope `admin` only.",
    ),
]


async def inbox(request: Request) -> Inbox:
    """What came in, as the composition root gave it. See ``core.api.runtime``."""
    wired: Inbox = request.app.state.inbox
    return wired


Wired = Annotated[Inbox, Depends(inbox)]


@router.put("/people/{external_id}", responses=refusals(BodyTooLargeError))
async def link_person(rt: Rt, actor: MayLinkPeople, external_id: ExternalId, body: PersonIn) -> Response:
    """Say who a user is, or more of who they are; what is left out stays as it was.

    Identifiers replace those given before; open questions stay with whom they were asked. That a number and a user id
    are one person's is believed of WhatsApp alone: while it has not said so, the number counts.
    """
    given = body.given()
    async with rt.db.tx() as tx:
        if given.phone is not None and await senders.by_display_number(tx, given.phone) is not None:
            raise faults.wrong("/phone", "is a number that this service sends from; give the user's own")
        await links.put(tx, rt, client_id=actor.client_id, external_id=external_id, given=given)
        seen = await links.seen_by(tx, actor.client_id, external_id)
    return json_response(seen)


@router.get("/people/{external_id}/export", responses=refusals(NotFoundError))
async def export_person(
    rt: Rt, actor: MayReadPeople, wired: Wired, external_id: ExternalId, client_id: Whose = None
) -> Response:
    """Everything that is known of a user, in one document: what concerns you, or, with scope `admin`, all of it."""
    whose = _whose(actor, client_id)
    async with rt.db.tx() as tx:
        found = await people.linked(tx, client_id=whose, external_id=external_id)
        if found is None:
            raise NotFoundError(f"Nobody is linked to {external_id!r}.")
        told = await export(tx, rt, wired, found[0], client_id=None if _sees_all(actor) else whose)
    return json_response({"external_id": external_id, **told})


@router.delete("/people/{external_id}", responses=refusals(NotFoundError, StillSendingError))
async def forget_person(
    rt: Rt, actor: MayLinkPeople, wired: Wired, external_id: ExternalId, client_id: Whose = None
) -> Response:
    """Forget a user: texts, answers, identifiers. What is open ends first, what waits is cancelled; done when answered.

    You forget what is yours. When no other assistant knows the person, or with scope `admin`, the person is forgotten
    altogether. That they opted out is remembered by a keyed hash, so that nobody writes to them again.
    """
    whose = _whose(actor, client_id)
    await erasure.forget_user(
        rt, wired, client_id=whose, external_id=external_id, everywhere=_sees_all(actor)
    )
    return json_response({"external_id": external_id, "state": "forgotten"})


def _sees_all(actor: Actor) -> bool:
    return "admin" in actor.scopes


def _whose(actor: Actor, client_id: str | None) -> str:
    if client_id is not None and not actor.sees(client_id):
        raise ForbiddenError("The users of another assistant are seen with the scope admin only.")
    return client_id or actor.client_id
