"""Ask for a confirmation: the policy's word first, then the one question, or the decision that needs none."""

from datetime import UTC, datetime
from functools import partial
from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from sayso.confirmations import asking, policy, policy_file, quotas, service, whom
from sayso.confirmations.asking import Asking
from sayso.confirmations.policy import Policy
from sayso.confirmations.quotas import TooManyQuestionsError
from sayso.confirmations.requests import ConfirmationIn, lasting
from sayso.confirmations.views import ConfirmationOut, view
from sayso.core import faults, idempotency
from sayso.core.api import Rt, json_response
from sayso.core.auth import MayAsk
from sayso.core.database import Tx, written
from sayso.core.described import refusals
from sayso.core.errors import (
    BodyTooLargeError,
    ConsentMissingError,
    ContentTooLongError,
    IdempotencyMismatchError,
    NotFoundError,
    OptedOutError,
    PersonUnknownError,
)
from sayso.core.runtime import Runtime
from sayso.core.tokens import Actor
from sayso.messages import conversations
from sayso.messages.acceptance import sender_of
from sayso.messages.conversations import Talks
from sayso.people.service import Person
from sayso.senders import service as senders

router = APIRouter(tags=["confirmations"])

_NEVER = datetime.min.replace(tzinfo=UTC)


@router.post(
    "/confirmation",
    status_code=202,
    response_model=ConfirmationOut,
    responses={
        200: {
            "model": ConfirmationOut,
            "description": "It was asked before, or a rule of the policy decided it.",
        },
        **refusals(
            OptedOutError,
            ConsentMissingError,
            PersonUnknownError,
            ContentTooLongError,
            BodyTooLargeError,
            NotFoundError,
            TooManyQuestionsError,
            IdempotencyMismatchError,
        ),
    },
)
async def ask(rt: Rt, actor: MayAsk, body: ConfirmationIn, key: idempotency.Key = None) -> Response:
    """Ask a person, or several. It is the token's user unless `recipient` or `approvers` say otherwise.

    A bare Y or N decides only when it is written to the same `sender`, and nothing else is open there. The answer is
    200 where the same question is open already, where the `dedupe_key` was used before, and where a rule of the policy
    decided at once.
    """
    return await idempotency.once(
        rt,
        actor,
        route="POST /confirmation",
        key=key,
        body=body.model_dump(),
        status=202,
        create=partial(_create, rt=rt, actor=actor, body=body),
    )


async def _create(tx: Tx, rt: Runtime, actor: Actor, body: ConfirmationIn) -> Any:
    if body.dedupe_key is not None and (
        before := await asking.by_dedupe(tx, actor.client_id, body.dedupe_key)
    ):
        return await _there(tx, before)
    in_force = policy_file.load(rt.settings)
    wanted = await _asking(tx, rt, actor, body, in_force)
    ruled = policy.ruling(in_force, body.action_type, body.action).decided
    if ruled is not None and (body.kind == "approve" or ruled.then == "deny"):
        return await _there(tx, await asking.decided_at_once(tx, rt, wanted, ruled))
    if before := await asking.same(tx, rt, wanted):
        return await _there(tx, before)
    await quotas.check(tx, rt, in_force.caps, actor.client_id, [each.person for each in wanted.asked])
    return await _view(tx, await asking.ask(tx, rt, wanted))


async def _asking(tx: Tx, rt: Runtime, actor: Actor, body: ConfirmationIn, in_force: Policy) -> Asking:
    rule = policy.resolve(in_force, body.wish())
    if rule.tier == "high" and body.kind != "approve":
        raise faults.wrong(
            "/kind",
            f"the policy asks for tier high for {body.action_type}, which is approved, not chosen or answered",
        )
    may = policy.limited_to(in_force.demands(body.action_type))
    asked = await whom.at_once(tx, rt, actor, rule, recipient=body.recipient, may=may)
    talks = await conversations.read(tx, [each.person for each in asked])
    return Asking(
        client_id=actor.client_id,
        user_id=actor.user_id,
        asked=asked,
        sender=_sender(rt, talks, asked[0].person, body.sender),
        talks=talks,
        action=body.what(),
        lasts=lasting(rule.timeout_minutes),
        kind=body.kind,
        options=body.choices(),
        labels=body.worded(),
        rule=rule,
        later=await whom.later(tx, rt, actor, rule, asked),
        dedupe=body.dedupe_key,
        supersedes=body.supersedes,
        policy=in_force,
        dry=policy.ruling(in_force, body.action_type, body.action).dry,
    )


async def _there(tx: Tx, confirmation_id: str) -> Response:
    """The answer for what needs no more asking."""
    return json_response(await _view(tx, confirmation_id))


async def _view(tx: Tx, confirmation_id: str) -> dict[str, Any]:
    return view(written(await service.get(tx, confirmation_id)))


def _sender(rt: Runtime, talks: Talks, person: Person, wanted: str | None) -> str:
    """The number of ours that was named, or the one the person last wrote to: there they are not surprised."""
    if wanted is not None:
        return sender_of(rt, wanted)
    wrote = {sender: talks.of(person, sender).opened_at for sender in senders.ids(rt.settings)}
    return max(wrote, key=lambda sender: wrote[sender] or _NEVER)
