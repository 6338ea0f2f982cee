"""Who an assistant's users are: their numbers, names, languages and time zones."""

from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import Field
from starlette.responses import Response

from sayso.core import faults
from sayso.core.api import Input, Rt, Text, json_response
from sayso.core.auth import MayReadPeople
from sayso.core.described import refusals
from sayso.core.errors import NotFoundError
from sayso.people import links, rules
from sayso.people.links import Given

router = APIRouter(tags=["people"])

ExternalId = Annotated[
    Text, Path(min_length=1, max_length=200, description="The user, as in the token's `sub`.")
]


class PersonIn(Input):
    """What an assistant knows of a user. A user who is new needs a number or a WhatsApp user id."""

    phone: Annotated[
        Text | None, Field(max_length=40, examples=["+15550001111"], description="With + and country code.")
    ] = None
    bsuid: Annotated[
        Text | None,
        Field(max_length=160, examples=["US.84930011223344556677"], description="WhatsApp's id of the user."),
    ] = None
    name: Annotated[
        Text | None, Field(min_length=1, max_length=100, description="How questions greet them.")
    ] = None
    language: Annotated[
        Text | None,
        Field(max_length=35, examples=["pt-BR"], description="Left out: as they write, or by their number."),
    ] = None
    time_zone: Annotated[
        Text | None,
        Field(
            max_length=64, examples=["America/Sao_Paulo"], description="Left out: guessed from the number."
        ),
    ] = None

    def given(self) -> Given:
        """The same, read; raises :class:`InputInvalidError` pointing at what is not what it should be."""
        if not any(self.model_dump().values()):
            raise faults.wrong("", "says nothing: give one of phone, bsuid, name, language and time_zone")
        return Given(
            phone=None if self.phone is None else rules.phone(self.phone, pointer="/phone"),
            bsuid=None if self.bsuid is None else rules.bsuid(self.bsuid, pointer="/bsuid"),
            name=self.name,
            language=None if self.language is None else rules.language(self.language, pointer="/language"),
            time_zone=None
            if self.time_zone is None
            else rules.time_zone(self.time_zone, pointer="/time_zone"),
        )


@router.get("/people/{external_id}", responses=refusals(NotFoundError))
async def read_person(rt: Rt, actor: MayReadPeople, external_id: ExternalId) -> Response:
    """What you gave of a user, and the language and time zone in force with where each comes from.

    `set`: you gave it; `said`: a word they wrote to us gave it away; `guessed`: their number's country tells.
    `phone_left_at`: since when the person is known to have another number than the one you gave; messages go to the
    new one.
    """
    async with rt.db.one() as tx:
        seen = await links.seen_by(tx, actor.client_id, external_id)
    if seen is None:
        raise NotFoundError(f"Nobody is linked to {external_id!r}.")
    return json_response(seen)
