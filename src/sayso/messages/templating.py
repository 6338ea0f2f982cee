"""A template for a person: in the language they read, filled as its definition asks, checked before it is queued."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import msgspec

from sayso.core.database import Tx
from sayso.core.errors import Fault, InputInvalidError, TemplateUnknownError
from sayso.core.runtime import Runtime
from sayso.people.service import Person
from sayso.templates import filling, rules
from sayso.templates import service as templates
from sayso.templates.filling import Given, cards_of
from sayso.templates.rules import Mirrored
from sayso.whatsapp.content import Header, Layout, Template, TemplateCard, validate
from sayso.whatsapp.content.template import values


async def resolve(
    tx: Tx, rt: Runtime, person: Person, given: Template, *, at: str
) -> tuple[Template, Mirrored | None]:
    """The template as it is to be queued, and its definition; None where the mirror does not know it: Meta decides.

    Without a language the nearest to the person's own is chosen; a language that is given is the one that is sent.
    Raises :class:`TemplateUnknownError`, :class:`InputInvalidError` or :class:`ContentTooLongError`, which point at
    the parameter below ``at``.
    """
    if given.language:
        mirrored = await _exactly(tx, rt, given, at)
    else:
        wanted = [person.language] if person.language else []
        mirrored = await templates.choose(tx, rt, given.name, wanted, at=f"{at}/name")
    if mirrored is None:
        chosen = rules.language_code(given.language or person.language or rules.DEFAULT_LANGUAGE)
        template = msgspec.structs.replace(given, language=chosen)
        validate(template, at=at)
        return template, None
    template = msgspec.structs.replace(given, language=mirrored.language, layout=layout(mirrored))
    template = msgspec.structs.replace(template, cards=_laid_out(template.cards, cards_of(mirrored)))
    validate(template, at=at)
    faults = check(mirrored, template, at)
    if faults:
        raise InputInvalidError(faults[0].detail, faults=faults)
    return template, mirrored


async def _exactly(tx: Tx, rt: Runtime, given: Template, at: str) -> Mirrored | None:
    """The template in the language that is asked for, held or not; None where the mirror does not know."""
    there = await templates.named(tx, rt, given.name)
    code = rules.language_code(given.language)
    found = next((each for each in there if rules.language_code(each.language) == code), None)
    standing = rules.standing(found) if found is not None else None
    if found is not None and not isinstance(standing, rules.Gone):
        return found
    if not there:
        if not await templates.synced(tx, rt):
            return None
        raise await templates.unheard_of(tx, rt, given.name, f"{at}/name")
    if isinstance(standing, rules.Gone):
        detail = f"The template cannot be sent: {standing.reason}."
    else:
        has = ", ".join(each.language for each in there)
        detail = f"The template {given.name} is not there in {given.language}, only in {has}."
    raise TemplateUnknownError(detail, faults=[Fault(detail, f"{at}/language")])


def check(mirrored: Mirrored, template: Template, at: str) -> list[Fault]:
    """What is wrong with a template's filling, its carousel included."""
    return filling.check(mirrored, _given(template), at)


def layout(mirrored: Mirrored) -> Layout:
    """Where a template has what is filled in."""
    kinds = [rules.kind_of(button) for button in mirrored.buttons]
    names = rules.variables(str(mirrored.part("HEADER").get("text", "")))
    return Layout(
        header=names[0] if mirrored.named and names else None,
        quick_replies=tuple(index for index, kind in enumerate(kinds) if kind == "QUICK_REPLY"),
        urls=tuple(
            index
            for index, button in enumerate(mirrored.buttons)
            if kinds[index] == "URL" and rules.variables(str(button.get("url", "")))
        ),
        code=_place(kinds, "COPY_CODE"),
        flow=_place(kinds, "FLOW"),
        products=_place(kinds, "CATALOG", "MPM"),
        passwords=tuple(index for index, kind in enumerate(kinds) if kind == "OTP"),
    )


def _place(kinds: Sequence[str], *wanted: str) -> int | None:
    return next((index for index, kind in enumerate(kinds) if kind in wanted), None)


def _given(template: Template) -> Given:
    return replace(
        _filled(template),
        coupon_code=template.coupon_code,
        flow=template.flow is not None,
        products=None
        if template.products is None
        else "sections"
        if template.products.sections
        else "picture",
        offer_ends=template.offer_ends_at is not None,
        cards=[_filled(card) for card in template.cards],
    )


def _filled(part: Template | TemplateCard) -> Given:
    body: Mapping[str, str] | Sequence[str] = part.parameters
    header = part.header or Header()
    media: Any = next((kind for kind in header.kinds if kind != "text"), None)
    return Given(
        body=dict(values(part.parameters)) if isinstance(body, dict) else tuple(body),
        header=header.text,
        header_media=media,
        quick_replies=part.quick_replies,
        url_suffixes=part.url_suffixes,
    )


def _laid_out(cards: tuple[TemplateCard, ...], definitions: Sequence[Mirrored]) -> tuple[TemplateCard, ...]:
    if len(cards) != len(definitions):
        return cards  # which ``check`` says
    return tuple(
        msgspec.structs.replace(card, layout=layout(definition))
        for card, definition in zip(cards, definitions, strict=True)
    )
