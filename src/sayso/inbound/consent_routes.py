"""Opt-ins and opt-outs as an assistant tells them: recorded with their proof, and read; and the policy."""

from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

import msgspec
from fastapi import APIRouter, Query
from pydantic import AfterValidator, Field
from starlette.responses import Response

from sayso.consent import ledger
from sayso.consent import service as consent
from sayso.consent.rules import Category, Standing
from sayso.core import faults, idempotency
from sayso.core.api import Input, Rt, Text, json_response
from sayso.core.auth import MayOperate, MayReadConsents, MayRecordConsents
from sayso.core.database import Tx
from sayso.core.described import refusals
from sayso.core.errors import (
    BodyTooLargeError,
    ConsentMissingError,
    IdempotencyMismatchError,
    OptedOutError,
    PersonUnknownError,
    WindowClosedError,
)
from sayso.core.moments import Moment
from sayso.core.runtime import Runtime
from sayso.core.tokens import Actor
from sayso.inbound import consent_views as views
from sayso.inbound import leaving, recording, seeing
from sayso.inbound.recording import Told
from sayso.messages.recipients import Recipient, find, resolve
from sayso.people.service import Person

router = APIRouter(tags=["consents"])

_CLOCKS = timedelta(minutes=5)

Scope = Literal["all", "confirmations", "notifications", "daily_summary", "marketing", "service"]
Method = Literal["api", "web_form", "flow", "qr", "checkout", "phone", "paper", "in_person", "other"]
Scopes = Annotated[tuple[Scope, ...], Field(min_length=1, max_length=6)]
_HOW = "By what way they said so."


def _not_blank(text: str) -> str:
    if not text.strip():
        raise ValueError("is blank")
    return text


Line = Annotated[Text, Field(min_length=1, max_length=500), AfterValidator(_not_blank)]


class ConsentIn(Input):
    """A person's opt-in, with its proof."""

    recipient: Recipient = None
    scope: Annotated[
        Scopes, Field(description="Which messages they agreed to; `all` of them by default.")
    ] = ("all",)
    wording: Annotated[
        Text,
        AfterValidator(_not_blank),
        Field(
            max_length=4_000,
            description="What the person agreed to, word for word.",
            examples=["I agree to get WhatsApp messages from Example Ltd. I can stop at any time with STOP."],
        ),
    ]
    evidence: Annotated[
        tuple[Line, ...],
        Field(
            min_length=1,
            max_length=20,
            description="What proves it: a form's id, an address, a document's reference …",
            examples=[["signup form 2291, 203.0.113.7"]],
        ),
    ]
    method: Annotated[Method, Field(description=_HOW)] = "api"
    source: Annotated[Line | None, Field(description="Where they said so: a page, a shop, a campaign.")] = (
        None
    )
    captured_at: Annotated[Moment | None, Field(description="When the person said so; left out: now.")] = None
    expires_at: Annotated[
        Moment | None, Field(description="When the opt-in ends by itself; left out: never.")
    ] = None
    review_at: Annotated[
        Moment | None, Field(description="When you mean to ask again: kept with the entry.")
    ] = None
    wording_version: Annotated[
        Line | None, Field(description="Which version of your wording it was: kept with the entry.")
    ] = None
    locale: Annotated[
        Text | None, Field(max_length=35, description="The language of the wording, such as `pt-BR`.")
    ] = None
    lawful_basis: Annotated[
        Literal["consent", "contract", "legitimate_interest", "legal_obligation"],
        Field(description="On what legal ground you message them: kept with the entry."),
    ] = "consent"
    privacy_notice: Annotated[
        Line | None, Field(description="The privacy notice they were shown: an address or a version.")
    ] = None
    jurisdiction: Annotated[
        Text | None,
        Field(max_length=10, description="Whose law applies, such as `BR`; left out: the number's country."),
    ] = None
    reason: Annotated[
        Line | None, Field(description="Why it is recorded, in words: kept with the entry.")
    ] = None
    notify: Annotated[bool, Field(description="Thank the person in the chat, if their window is open.")] = (
        True
    )
    double_opt_in: Annotated[
        bool, Field(description="Ask the person in the chat first; only their yes is the opt-in.")
    ] = False


class RevokeIn(Input):
    """A person's opt-out, told on their behalf."""

    recipient: Recipient = None
    scope: Annotated[Scopes, Field(description="Which messages they want no more; `all` by default.")] = (
        "all",
    )
    reason: Annotated[
        Line,
        Field(
            description="Why, in words: kept with the entry.",
            examples=["asked on the phone not to be messaged"],
        ),
    ]
    wording: Annotated[
        Text | None, Field(max_length=4_000, description="What the person said, word for word.")
    ] = None
    evidence: Annotated[
        tuple[Line, ...], Field(max_length=20, description="What proves it, if anything does.")
    ] = ()
    method: Annotated[Method, Field(description=_HOW)] = "api"
    captured_at: Annotated[Moment | None, Field(description="When the person said so; left out: now.")] = None
    notify: Annotated[bool, Field(description="Tell the person in the chat, if their window is open.")] = True


class PolicyIn(Input):
    """Whether what we begin in a category needs an opt-in, and why that was decided."""

    category: Annotated[Category, Field(description="Which messages it is about.")]
    opt_in_required: Annotated[
        bool, Field(description="Whether we begin nothing of the kind without an opt-in.")
    ]
    reason: Annotated[
        Line,
        Field(description="Why, in words: kept for ever.", examples=["part of the service contract"]),
    ]


_PROOF = (
    "wording",
    "source",
    "wording_version",
    "locale",
    "lawful_basis",
    "privacy_notice",
    "jurisdiction",
    "review_at",
    "reason",
)


@router.post(
    "/consents",
    status_code=201,
    response_model=views.RecordedOut,
    responses={
        202: {"model": views.AskedOut, "description": "The person was asked (`double_opt_in`)."},
        **refusals(
            OptedOutError,
            ConsentMissingError,
            WindowClosedError,
            PersonUnknownError,
            BodyTooLargeError,
            IdempotencyMismatchError,
        ),
    },
)
async def record(rt: Rt, actor: MayRecordConsents, body: ConsentIn, key: idempotency.Key = None) -> Response:
    """Record an opt-in with its proof, or ask the person for it (`double_opt_in`, 202): only a yes then counts."""
    captured_at = _captured(rt, body.captured_at)
    if body.expires_at is not None and body.expires_at <= captured_at:
        raise faults.wrong("/expires_at", "ends before it began")

    async def create(tx: Tx) -> dict[str, Any]:
        told = await _told(tx, rt, actor, body, captured_at)
        if body.double_opt_in:
            return {"id": await recording.ask(tx, rt, told), "state": "asked"}
        back = await recording.grant(tx, rt, told)
        holds = await consent.verdict(tx, rt, told.person)
        entry_id = back.entry.id if back.entry else None
        return {
            "id": entry_id,
            "state": "stopped" if back.stale else "recorded",
            "standing": views.standing(holds),
        }

    status = 202 if body.double_opt_in else 201
    return await idempotency.once(
        rt,
        actor,
        route="POST /consents",
        key=key,
        body=body.model_dump(mode="json"),
        status=status,
        create=create,
    )


@router.post(
    "/consents/revoke",
    response_model=views.RevokedOut,
    responses={
        202: {"model": views.UnderWayOut, "description": "Something may still be on its way."},
        **refusals(PersonUnknownError, BodyTooLargeError, IdempotencyMismatchError),
    },
)
async def revoke(rt: Rt, actor: MayRecordConsents, body: RevokeIn, key: idempotency.Key = None) -> Response:
    """Opt a person out. The answer comes when nothing to them is on its way; 202 when something still may be."""
    captured_at = _captured(rt, body.captured_at)
    of_whom: list[Person] = []

    async def create(tx: Tx) -> dict[str, Any]:
        told = await _told(tx, rt, actor, body, captured_at)
        of_whom.append(told.person)
        left = await recording.revoke(tx, rt, told)
        return {
            "id": left.entry.id,
            "state": "stale" if left.stale else "recorded" if left.news else "was_out",
            "suppressed": left.suppressed,
            "closed": left.ended,
        }

    answer = await idempotency.once(
        rt,
        actor,
        route="POST /consents/revoke",
        key=key,
        body=body.model_dump(mode="json"),
        status=200,
        create=create,
    )
    said = msgspec.json.decode(answer.body)
    if not of_whom:  # repeated: the answer was given before, perhaps while something was under way
        async with rt.db.one() as tx:
            of_whom = await consent.whose(tx, said["id"])
    if of_whom and (under_way := await leaving.quiet(rt, of_whom[0], body.scope)):
        return json_response({**said, "under_way": under_way}, 202)
    return answer


async def _told(tx: Tx, rt: Runtime, actor: Actor, body: ConsentIn | RevokeIn, captured_at: datetime) -> Told:
    person, _ = await resolve(tx, rt, actor, body.recipient)
    personal = {name: getattr(body, name, None) for name in _PROOF}
    return Told(
        person=person,
        client_id=actor.client_id,
        actor=f"{actor.client_id}/{actor.user_id}",
        captured_at=captured_at,
        method=body.method,
        scope=tuple(dict.fromkeys(body.scope)),
        expires_at=getattr(body, "expires_at", None),
        notify=body.notify,
        personal={**personal, "evidence": list(body.evidence)},
    )


def _captured(rt: Runtime, given: datetime | None) -> datetime:
    now = rt.now()
    if given is not None and given > now + _CLOCKS:
        raise faults.wrong("/captured_at", "lies in the future")
    return min(given or now, now)


@router.get("/consents", response_model=views.ConsentsOut, responses=refusals(PersonUnknownError))
async def read(
    rt: Rt,
    actor: MayReadConsents,
    recipient: Annotated[
        Text | None, Query(max_length=160, description="As in `POST /send`; left out: the token's user.")
    ] = None,
) -> Response:
    """How a person stands, by category, and the entries an assistant may see.

    Its own; and the person's and Meta's, if it knows the person: linked to them, or has sent to them.
    """
    async with rt.db.one() as tx:
        person = await find(tx, actor, recipient)
        if person is None:
            return json_response({"standing": views.standing(await _nobody(tx, rt)), "entries": []})
        holds = await consent.verdict(tx, rt, person)
        view = await seeing.view_of(tx, actor, person, recipient)
        lines = [ledger.line_of(row) for row in await consent.history(tx, person)]
    entries = [views.entry(view.shown(line)) for line in lines if view.sees(line)]
    return json_response({"standing": views.standing(holds), "entries": entries})


async def _nobody(tx: Tx, rt: Runtime) -> Standing:
    policies = await consent.policies(tx)
    return Standing(rt.now(), required=frozenset(p.category for p in policies.values() if p.opt_in_required))


@router.get("/consents/policy", response_model=views.PoliciesOut, responses=refusals())
async def read_policy(rt: Rt, _actor: MayReadConsents) -> Response:
    """Which categories need an opt-in before we begin, since when, and why."""
    async with rt.db.one() as tx:
        return json_response({"policies": [views.policy(p) for p in (await consent.policies(tx)).values()]})


@router.put("/consents/policy", response_model=views.PolicyOut, responses=refusals(BodyTooLargeError))
async def set_policy(rt: Rt, actor: MayOperate, body: PolicyIn) -> Response:
    """Switch whether a category needs an opt-in; the reason is kept, and so is every earlier policy."""
    async with rt.db.tx() as tx:
        policy = await consent.set_policy(
            tx,
            rt,
            body.category,
            opt_in_required=body.opt_in_required,
            reason=body.reason,
            actor=f"{actor.client_id}/{actor.user_id}",
        )
    return json_response(views.policy(policy))
