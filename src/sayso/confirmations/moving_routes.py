"""Take a question back; let go of one that is frozen."""

from typing import Literal

from fastapi import APIRouter
from pydantic import BaseModel
from starlette.responses import Response

from sayso.confirmations import moving
from sayso.confirmations.moving import AlreadyDecidedError
from sayso.confirmations.routes import ConfirmationId
from sayso.core.api import Rt, json_response
from sayso.core.auth import MayAsk, MayOperate
from sayso.core.described import refusals
from sayso.core.errors import NotFoundError

router = APIRouter(tags=["confirmations"])


class WithdrawnOut(BaseModel):
    """A question that was taken back."""

    id: str
    status: Literal["decided"]
    outcome: Literal["withdrawn"]


class UnfrozenOut(BaseModel):
    """A question that can be answered again."""

    id: str
    frozen: Literal[False]


@router.post(
    "/confirmations/{confirmation_id}/withdraw",
    response_model=WithdrawnOut,
    responses=refusals(NotFoundError, AlreadyDecidedError),
)
async def withdraw(rt: Rt, actor: MayAsk, confirmation_id: ConfirmationId) -> Response:
    """Take a question back, also while its outcome is held; whoever was asked is told so. Twice is no error.

    One that is decided stays as it is: `already_decided` (409).
    """
    async with rt.db.tx() as tx:
        await moving.withdraw(tx, rt, actor, confirmation_id)
    return json_response({"id": confirmation_id, "status": "decided", "outcome": "withdrawn"})


@router.post(
    "/confirmations/{confirmation_id}/unfreeze",
    response_model=UnfrozenOut,
    responses=refusals(NotFoundError, AlreadyDecidedError),
)
async def unfreeze(rt: Rt, _operator: MayOperate, confirmation_id: ConfirmationId) -> Response:
    """Let go of a question that was frozen because somebody's identity changed: the operator's call.

    First make sure that the person still holds their WhatsApp account. Answers given while it was frozen do not count.
    """
    async with rt.db.tx() as tx:
        await moving.unfreeze(tx, rt, confirmation_id)
    return json_response({"id": confirmation_id, "frozen": False})
