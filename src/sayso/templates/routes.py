"""Templates over HTTP: what Meta has of them, how they look filled, and changing them."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, Path, Query, Request
from pydantic import Field
from starlette.responses import Response

from sayso.core.api import Input, Rt, Text, json_response
from sayso.core.auth import MayManageTemplates, MayReadTemplates
from sayso.core.described import refusals
from sayso.core.errors import BodyTooLargeError, InputInvalidError, MetaUnreachableError, NotFoundError
from sayso.core.moments import Moment
from sayso.core.runtime import Runtime
from sayso.senders.budget import CallBudgetSpentError
from sayso.templates import library, mirror, service
from sayso.templates.filling import Given, check
from sayso.templates.library import Kept
from sayso.templates.preview import Shown, as_mirrored, asked_for, shown
from sayso.templates.registry import Pushed, Registry
from sayso.templates.rows import Row
from sayso.templates.rules import Media, Mirrored, Usable, fallbacks, standing, variables
from sayso.whatsapp.management import RefusedByMetaError

router = APIRouter(tags=["templates"])

#: How a call to Meta in our turn may fail.
_META = (RefusedByMetaError, MetaUnreachableError, CallBudgetSpentError)

Name = Annotated[
    str,
    Path(
        pattern=r"^[a-z0-9_]{1,512}$",
        description="The template's name at Meta.",
        examples=["confirmation_request"],
    ),
]
Language = Annotated[
    str | None,
    Query(
        pattern=r"^[A-Za-z]{2,3}([_-][A-Za-z]{2})?$",
        description="Only this language; all by default.",
        examples=["pt_BR"],
    ),
]
Value = Annotated[Text, Field(max_length=4096)]


async def registry(request: Request) -> Registry:
    """The process's registry, which speaks to Meta."""
    found: Registry = request.app.state.templates
    return found


TheRegistry = Annotated[Registry, Depends(registry)]


class CardIn(Input):
    """Parameters of one card of a carousel."""

    parameters: Annotated[list[Value], Field(max_length=100)] | dict[Text, Value] = Field(
        default_factory=list,
        description="The variables of the body: a list in their order, or by their names.",
    )
    header_media: Annotated[
        Media | None, Field(description="The kind of file above the text, where the template has one.")
    ] = None
    url_suffixes: Annotated[
        list[Value],
        Field(
            max_length=2,
            default_factory=list,
            description="The ends of the addresses that buttons lead to, in their order.",
        ),
    ]

    def given(self) -> Given:
        """What the template is held against."""
        return Given(body=self.parameters, header_media=self.header_media, url_suffixes=self.url_suffixes)


class PreviewIn(CardIn):
    """Parameters to fill a template with, as in a send; what nobody sees, such as payloads, is left out."""

    language: Annotated[
        str,
        Field(
            pattern=r"^[A-Za-z]{2,3}([_-][A-Za-z]{2})?$",
            description="The language of the template, as Meta has it.",
            examples=["de"],
        ),
    ] = "en"
    header: Annotated[Value | None, Field(description="The variable of a header that is a text.")] = None
    coupon_code: Annotated[Value | None, Field(description="The code that a button copies.")] = None
    offer_ends_at: Annotated[
        Moment | None, Field(description="When the offer of the template ends, with its time zone.")
    ] = None
    cards: Annotated[
        list[CardIn],
        Field(max_length=10, default_factory=list, description="Of a carousel, each card's, in their order."),
    ]

    def given(self) -> Given:
        """What the template is held against."""
        cards = [card.given() for card in self.cards]
        return replace(super().given(), header=self.header, coupon_code=self.coupon_code, cards=cards)


@router.get("/templates", responses=refusals())
async def page(
    rt: Rt,
    _actor: MayReadTemplates,
    after: Annotated[
        str,
        Query(
            pattern=r"^([a-z0-9_]{1,512}\.[A-Za-z_-]{1,16})?$",
            description="The `next` of the previous answer; empty to begin.",
        ),
    ] = "",
    limit: Annotated[int, Query(ge=1, le=500, description="How many at most.")] = 100,
) -> Response:
    """The account's templates in every language, by name, as Meta has them, and when that was last compared."""
    name, _, language = after.partition(".")
    async with rt.db.one() as tx:
        rows = await mirror.listed(tx, rt, after=(name, language), limit=limit)
        compared = await mirror.compared(tx, rt)
    last = rows[-1].mirrored if len(rows) == limit else None
    following = f"{last.name}.{last.language}" if last else None
    return json_response({"templates": [_brief(row) for row in rows], "next": following, **compared})


@router.get("/templates/{name}", responses=refusals(NotFoundError))
async def read(rt: Rt, _actor: MayReadTemplates, name: Name) -> Response:
    """One template: each language with its text, its state, and what it would take to send it."""
    async with rt.db.one() as tx:
        rows = await mirror.listed(tx, rt, name=name)
    if not rows:
        raise NotFoundError(f"The mirror has no template {name}.")
    return json_response({"name": name, "languages": [_full(row) for row in rows]})


@router.post("/templates/sync", responses=refusals(*_META))
async def sync(rt: Rt, _actor: MayManageTemplates, registry: TheRegistry) -> Response:
    """Compare with Meta now."""
    synced = await registry.sync(rt)
    return json_response({"templates": synced.templates, "changed": synced.changed})


@router.put("/templates/{name}", responses=refusals(BodyTooLargeError, *_META))
async def push(
    rt: Rt,
    _actor: MayManageTemplates,
    registry: TheRegistry,
    name: Name,
    body: Annotated[
        dict[str, Any] | None,
        Body(description="A definition as in docs/templates.md; without one, the file's."),
    ] = None,
    *,
    dry_run: Annotated[bool, Query(description="Only say what would be done.")] = False,
) -> Response:
    """Create a template at Meta, or edit it where it differs: in each of its languages."""
    try:
        kept = _defined(registry, name) if body is None else _given(registry, name, body)
    except NotFoundError as error:
        raise InputInvalidError(f"The request has no definition in its body. {error.detail}") from error
    return json_response(
        {"name": name, "results": [_result(one) for one in await registry.push(rt, [kept], dry_run=dry_run)]}
    )


@router.delete("/templates/{name}", responses=refusals(NotFoundError, *_META))
async def delete(
    rt: Rt, _actor: MayManageTemplates, registry: TheRegistry, name: Name, language: Language = None
) -> Response:
    """Delete a template at Meta, in one language or in all; an approved one's name is then blocked for 30 days."""
    gone = await registry.delete(rt, name, language)
    return json_response({"name": name, "deleted": gone})


@router.post("/templates/{name}/unpause", responses=refusals(NotFoundError, *_META))
async def unpause(
    rt: Rt, _actor: MayManageTemplates, registry: TheRegistry, name: Name, language: Language = None
) -> Response:
    """Take back a pause of Meta's pacing; pauses for quality end by themselves."""
    told = await registry.unpause(rt, name, language)
    results = [{"language": each, "done": why is None, "why": why} for each, why in told.items()]
    return json_response({"name": name, "results": results})


@router.post("/templates/{name}/preview", responses=refusals(NotFoundError, BodyTooLargeError))
async def preview(
    rt: Rt, _actor: MayReadTemplates, registry: TheRegistry, name: Name, body: PreviewIn
) -> Response:
    """What a person would see: the template that would be chosen for the language, filled with the parameters."""
    at = await _to_show(rt, registry, name, body.language)
    given = body.given()
    faults = check(at, asked_for(at, given))
    if faults:
        raise InputInvalidError("; ".join(fault.detail for fault in faults), faults=faults)
    seen = shown(at, given, body.offer_ends_at)
    return json_response({"name": name, "language": at.language, **_shown(seen)})


def _shown(found: Shown) -> dict[str, Any]:
    return {
        "header": found.header,
        "media": found.media,
        "offer": found.offer,
        "body": found.body,
        "footer": found.footer,
        "buttons": [{"kind": each.kind, "text": each.text, "target": each.target} for each in found.buttons],
        "cards": [_shown(card) for card in found.cards],
    }


async def _to_show(rt: Runtime, registry: Registry, name: str, language: str) -> Mirrored:
    """The mirror's, in the language that would be chosen; of a template Meta does not have, our definition's."""
    async with rt.db.one() as tx:
        there = [each for each in await service.named(tx, rt, name) if each.status != "DELETED"]
    if not there:
        definition = _defined(registry, name).definition
        there = [as_mirrored(definition, each) for each in definition.languages]
    by_language = {each.language: each for each in there}
    found = fallbacks([language], by_language)
    if not found:
        raise NotFoundError(f"The template {name} is there in {', '.join(by_language)} only.")
    return by_language[found[0]]


def _defined(registry: Registry, name: str) -> Kept:
    found = library.load(registry.folder)
    if name not in found.kept:
        raise NotFoundError(f"There is no definition {name}; there are: {', '.join(found.kept)}.")
    wrong = found.only([name]).errors
    if wrong:
        raise InputInvalidError("; ".join(str(each) for each in wrong))
    return found.kept[name]


def _given(registry: Registry, name: str, body: Mapping[str, Any]) -> Kept:
    return Kept(library.checked(name, body, registry.folder), "the request", registry.folder)


def _brief(row: Row) -> dict[str, Any]:
    at, now = row.mirrored, standing(row.mirrored)
    return {
        "name": at.name,
        "language": at.language,
        "status": at.status,
        "usable": isinstance(now, Usable),
        "why": None if isinstance(now, Usable) else now.reason,
        "category": at.category,
        "quality": at.quality,
        "drift": list(row.drift),
        "changed_at": at.changed_at,
        "synced_at": at.synced_at,
    }


def _full(row: Row) -> dict[str, Any]:
    at = row.mirrored
    return {
        **_brief(row),
        "id": at.meta_id,
        "reason": at.reason,
        "paused_until": at.paused_until,
        "correct_category": row.correct_category,
        "parameter_format": at.parameter_format,
        "parameters": list(variables(str(at.part("BODY").get("text", "")))),
        "header_parameters": list(variables(str(at.part("HEADER").get("text", "")))),
        "header_media": at.header_media,
        "ttl_s": at.ttl_s,
        "components": list(at.components),
    }


def _result(one: Pushed) -> dict[str, Any]:
    return {
        "language": one.language,
        "did": one.did,
        "status": one.status,
        "category": one.category,
        "fields": list(one.fields),
        "detail": one.detail,
    }
