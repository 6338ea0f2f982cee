"""The receipt of a decision, the right to act on it, what came of that; and the keys receipts are verified with."""

from datetime import datetime
from functools import partial
from typing import Annotated, Any, Literal

import msgspec
from fastapi import APIRouter, Query
from pydantic import BaseModel, Field, model_validator
from starlette.responses import Response

from sayso.confirmations import executing, receipts, service
from sayso.confirmations.executing import (
    ActionMismatchError,
    AlreadyClaimedError,
    AlreadyReportedError,
    ClaimExpiredError,
    Ended,
    NotClaimedError,
    NotConfirmedError,
    NotDecidedError,
    PolicyForbidsError,
    Report,
)
from sayso.confirmations.routes import ConfirmationId
from sayso.confirmations.views import ExecutionOut
from sayso.core import canonical, idempotency, keys
from sayso.core.api import Input, Rt, Text, json_response
from sayso.core.auth import MayAsk, MayReadConfirmations
from sayso.core.described import refusals
from sayso.core.errors import BodyTooLargeError, IdempotencyMismatchError, NotFoundError

router = APIRouter(tags=["confirmations"])
#: Outside the API's prefix, and without a token: whoever holds a receipt may verify it.
open_router = APIRouter(tags=["receipts"])

#: A rotated key is published before anybody has to verify with it only if this is short.
_KEYS_LIVE_S = 300
_LONGEST_NOTE = 400


class ClaimIn(Input):
    """What is about to be done: the action itself, or the hash of its canonical JSON. One of the two."""

    action_hash: Annotated[
        Text | None,
        Field(
            pattern="^[0-9a-f]{64}$",
            description="SHA-256 (hex) of the action's canonical JSON (RFC 8785), as `GET /confirmations/{id}` has it.",
        ),
    ] = None
    action: Annotated[
        dict[str, Any] | None,
        Field(
            description="The whole that was asked about: `action_type`, `action_description`, `action_details` (an "
            "empty text where they were left out), and `action` where one was given.",
            examples=[
                {
                    "action_type": "calendar_create",
                    "action_description": "schedule a meeting with John",
                    "action_details": "tomorrow at 3 PM in Conference Room A",
                }
            ],
        ),
    ] = None

    @model_validator(mode="after")
    def _one_of_them(self) -> "ClaimIn":
        if (self.action_hash is None) == (self.action is None):
            raise ValueError("give action_hash or action: one of the two")
        return self

    def digest(self) -> bytes:
        """The hash that is claimed for."""
        return bytes.fromhex(self.action_hash) if self.action_hash else canonical.digest(self.action)


class GrantOut(BaseModel):
    """The right to act, given once. Act until `use_by`, then report what came of it."""

    confirmation_id: str
    grant: str
    action_hash: str
    claimed_at: datetime
    use_by: datetime


class ExecutionIn(Input):
    """What came of it."""

    status: Annotated[Ended, Field(description="`done`: it was carried out; `failed`: it was not.")]
    note: Annotated[
        Text | None, Field(min_length=1, max_length=_LONGEST_NOTE, description="In words; kept, and told.")
    ] = None
    tell_person: Annotated[
        bool, Field(description="Tell the person in the chat, while their 24-hour window is open.")
    ] = False


class ReportedOut(ExecutionOut):
    """What came of it, as it is kept."""

    grant: str
    confirmation_id: str


class ReceiptOut(BaseModel):
    """A receipt, and what opens its salted digests, as far as it has not been erased.

    `receipt` is the signed statement (JWS), `claims` what it says. `action` hashes to `action_hash`, each text of
    `shown` (one for each of `approvals`) to the hash there, each of `rest` to the `rest` there,
    every `salt` with its `value` to the digest of that name.
    """

    confirmation_id: str
    receipt: str
    claims: dict[str, Any]
    action: dict[str, Any] | None
    shown: list[dict[str, Any] | None] | None
    rest: list[list[dict[str, Any]] | None] | None
    opened: dict[str, Any] | None
    erased: bool


@router.get(
    "/confirmations/{confirmation_id}/receipt",
    response_model=ReceiptOut,
    responses={
        200: {"content": {"application/jose": {"schema": {"type": "string"}}}},
        **refusals(NotFoundError, NotDecidedError),
    },
)
async def receipt(
    rt: Rt,
    actor: MayReadConfirmations,
    confirmation_id: ConfirmationId,
    form: Annotated[
        Literal["jws", "json"],
        Query(alias="format", description="jws: the signed statement alone; json: with what opens it."),
    ] = "jws",
) -> Response:
    """The proof of a decision: signed, verifiable without us (`sayso verify`), never changed."""
    async with rt.db.one() as tx:
        row = service.visible(await receipts.get(tx, confirmation_id), actor, confirmation_id)
    if row["jws"] is None:
        raise NotDecidedError(f"{confirmation_id} is still open; wait for it with GET …?wait=60.")
    if form == "json":
        return json_response(receipts.shown(row))
    return Response(row["jws"], headers={"cache-control": "no-store"}, media_type="application/jose")


@router.post(
    "/confirmations/{confirmation_id}/claim",
    status_code=201,
    response_model=GrantOut,
    responses=refusals(
        NotFoundError,
        NotDecidedError,
        NotConfirmedError,
        ActionMismatchError,
        ClaimExpiredError,
        PolicyForbidsError,
        AlreadyClaimedError,
        BodyTooLargeError,
        IdempotencyMismatchError,
    ),
)
async def claim(
    rt: Rt, actor: MayAsk, confirmation_id: ConfirmationId, body: ClaimIn, key: idempotency.Key = None
) -> Response:
    """The right to carry out what was confirmed: once, in time, for the same action, to the assistant that asked.

    Send an `Idempotency-Key`: a repetition with it gives the same grant, any other call is refused (409).
    """
    digest = body.digest()
    claimed = partial(
        executing.claim, rt=rt, actor=actor, confirmation_id=confirmation_id, action_hash=digest
    )
    route = f"POST /confirmations/{confirmation_id}/claim"
    return await idempotency.once(
        rt, actor, route=route, key=key, body=digest.hex(), status=201, create=claimed
    )


@router.post(
    "/confirmations/{confirmation_id}/execution",
    response_model=ReportedOut,
    responses=refusals(
        NotFoundError, NotClaimedError, AlreadyReportedError, BodyTooLargeError, IdempotencyMismatchError
    ),
)
async def execution(
    rt: Rt, actor: MayAsk, confirmation_id: ConfirmationId, body: ExecutionIn, key: idempotency.Key = None
) -> Response:
    """Report what came of a claimed action; with `tell_person` those who confirmed it hear of it."""
    told = Report(body.status, body.note, body.tell_person)
    reported = partial(executing.report, rt=rt, actor=actor, confirmation_id=confirmation_id, told=told)
    route = f"POST /confirmations/{confirmation_id}/execution"
    return await idempotency.once(
        rt, actor, route=route, key=key, body=body.model_dump(), status=200, create=reported
    )


@open_router.get("/.well-known/jwks.json")
async def jwks(rt: Rt) -> Response:
    """The public keys of receipts and checkpoints (RFC 7517), those that sign no more among them."""
    published = keys.load(rt.settings, now=rt.now).published()
    headers = {"cache-control": f"public, max-age={_KEYS_LIVE_S}"}
    return Response(msgspec.json.encode(published), headers=headers, media_type="application/jwk-set+json")
