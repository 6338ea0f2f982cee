"""Whom a request means: the token's user, or the number it names."""

from typing import Annotated, Final

from pydantic import Field

from sayso.core import faults
from sayso.core.api import Text
from sayso.core.database import Tx
from sayso.core.errors import InputInvalidError, PersonUnknownError
from sayso.core.runtime import Runtime
from sayso.core.tokens import Actor
from sayso.people import meeting, rules, service
from sayso.people.service import Person

_POINTER: Final = "/recipient"
_BY_NAME: Final = (
    "; a user linked by PUT /people is reached with a token of theirs; a question takes `approvers`, too"
)

Recipient = Annotated[
    Text | None,
    Field(
        max_length=160,
        description="A phone number with + and country code, or a WhatsApp user id (`US.8493…`). "
        "Left out: the token's user, linked by `PUT /people/{external_id}`.",
        examples=["+15550001111"],
    ),
]


async def resolve(tx: Tx, rt: Runtime, actor: Actor, recipient: str | None) -> tuple[Person, str | None]:
    """The person, and the name the assistant calls them by.

    Raises :class:`PersonUnknownError` for a user without link, :class:`InputInvalidError` for what is no number.
    """
    if recipient is None:
        return await _linked(tx, actor)
    said_by = f"assistant:{actor.client_id}"
    if rules.is_bsuid(recipient):
        return await meeting.by_user_id(tx, rt, recipient, learned_from=said_by), None
    return await service.by_phone(tx, rt, _number(recipient), learned_from=said_by), None


async def find(tx: Tx, actor: Actor, recipient: str | None) -> Person | None:
    """The person, where nothing is to be changed; None when nobody is known by that number or user id.

    Raises :class:`PersonUnknownError` for a user without link, :class:`InputInvalidError` for what is no number.
    """
    if recipient is None:
        return (await _linked(tx, actor))[0]
    if rules.is_bsuid(recipient):
        return await meeting.find(tx, {rules.user_id_kind(recipient): recipient})
    return await meeting.find(tx, {"phone": _number(recipient)})


def _number(recipient: str) -> str:
    """The number; where a name was given instead, it is said how a user is meant by name."""
    try:
        return rules.phone(recipient, pointer=_POINTER)
    except InputInvalidError as error:
        named = any(map(str.isalpha, recipient))
        raise faults.wrong(_POINTER, f"{error.faults[0].detail}{_BY_NAME if named else ''}") from None


async def _linked(tx: Tx, actor: Actor) -> tuple[Person, str | None]:
    found = await service.linked(tx, client_id=actor.client_id, external_id=actor.user_id)
    if found is None:
        raise PersonUnknownError(
            f"The token's user {actor.user_id!r} has no WhatsApp number yet. Link one with "
            f'PUT /people/{actor.user_id} {{"phone": "+…"}}, or name a `recipient`.'
        )
    return found
