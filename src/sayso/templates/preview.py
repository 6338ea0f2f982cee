"""A template as the person sees it, filled with parameters. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from sayso.templates import authentication
from sayso.templates.compare import body_of
from sayso.templates.definitions import Definition, Wording
from sayso.templates.filling import Given, Products, cards_of
from sayso.templates.rows import of_listing
from sayso.templates.rules import VARIABLE, Mirrored, fill, kind_of, variables

#: Labels that WhatsApp writes, in English.
_LABELS: Final = {
    "COPY_CODE": "Copy offer code",
    "OTP": "Copy code",
    "CALL_PERMISSION_REQUEST": "Allow calls",
    "REQUEST_CONTACT_INFO": "Share contact info",
}
_CODE: Final = "123456"


@dataclass(frozen=True, slots=True)
class ShownButton:
    """A button on the phone: its kind in Meta's words, its label, where it leads (a link, a number, a code)."""

    kind: str
    text: str
    target: str = ""


@dataclass(frozen=True, slots=True)
class Shown:
    """What stands in the bubble, or in one card of it. ``media``: the kind of a header that is no text."""

    header: str
    media: str | None
    body: str
    footer: str
    buttons: tuple[ShownButton, ...]
    offer: str = ""
    cards: tuple["Shown", ...] = ()


def shown(at: Mirrored, given: Given, offer_ends_at: datetime | None = None) -> Shown:
    """The bubble; a variable without a value stays as it is written."""
    header, body = str(at.part("HEADER").get("text", "")), str(at.part("BODY").get("text", ""))
    values = [*given.cards, *([Given()] * len(cards_of(at)))]
    return Shown(
        header="" if at.header_media else VARIABLE.sub(lambda found: given.header or found[0], header),
        media=at.header_media,
        body=fill(body, variables(body), given.body),
        footer=str(at.part("FOOTER").get("text", "")),
        buttons=tuple(_buttons(at, given)),
        offer=_offer(at, offer_ends_at),
        cards=tuple(shown(card, value) for card, value in zip(cards_of(at), values, strict=False)),
    )


def _offer(at: Mirrored, ends_at: datetime | None) -> str:
    offer = at.part("LIMITED_TIME_OFFER").get("limited_time_offer") or {}
    text = str(offer.get("text", ""))
    if not offer.get("has_expiration"):
        return text
    return f"{text} · until {ends_at:%d %b %H:%M} UTC" if ends_at else f"{text} · until …"


def _buttons(at: Mirrored, given: Given) -> Iterator[ShownButton]:
    suffixes = iter(given.url_suffixes)
    for each in at.buttons:
        kind, text = kind_of(each), str(each.get("text", ""))
        url = str(each.get("url", "")) if kind == "URL" else ""
        if VARIABLE.search(url):
            suffix = next(suffixes, None)
            url = url if suffix is None else url[: url.index("{{")] + suffix
        target = url or str(each.get("phone_number", "")) or _target(kind, each, given)
        yield ShownButton(kind, text or _LABELS.get(kind, ""), target)


def _target(kind: str, button: Mapping[str, Any], given: Given) -> str:
    if kind == "COPY_CODE":
        return given.coupon_code or ""
    if kind == "OTP":
        values = given.body.values() if isinstance(given.body, Mapping) else given.body
        return next(iter(values), "")
    return f"form {button['flow_id']}" if kind == "FLOW" and button.get("flow_id") else ""


def as_mirrored(definition: Definition, language: str) -> Mirrored:
    """A definition in one language in the shape of the mirror, as if Meta had approved it."""
    body = body_of(definition, language)
    listed = authentication.as_listed(body["components"])
    found = of_listing({**body, "components": listed, "status": "APPROVED"})
    if found is None:
        raise ValueError("a definition has a name and a language")
    return found


def asked_for(at: Mirrored, given: Given) -> Given:
    """The same with what a template asks for and nobody sees: which products, and that an offer has an end."""
    kinds = {kind_of(each) for each in at.buttons}
    offer = at.part("LIMITED_TIME_OFFER").get("limited_time_offer") or {}
    products: Products | None = "sections" if "MPM" in kinds else None
    return replace(given, products=products, offer_ends=bool(offer.get("has_expiration")))


def examples(definition: Definition, language: str) -> Given:
    """The parameters that the definition's own examples are."""
    wording, at = definition.languages[language], as_mirrored(definition, language)
    if wording.code is not None:
        return Given(body=(_CODE,))
    cards = tuple(
        replace(_examples(card), header_media=there.header_media)
        for card, there in zip(wording.cards, cards_of(at), strict=True)
    )
    return asked_for(at, replace(_examples(wording), header_media=at.header_media, cards=cards))


def _examples(wording: Wording) -> Given:
    values: Mapping[str, str] = wording.examples if isinstance(wording.examples, Mapping) else {}
    body: Sequence[str] | Mapping[str, str] = (
        {name: values[name] for name in wording.names if name in values}
        if isinstance(wording.examples, Mapping)
        else tuple(wording.examples[: len(wording.names)])
    )
    named = wording.header_names and isinstance(wording.examples, Mapping)
    header = values.get(wording.header_names[0]) if named else wording.header_example
    opened = [button for button in wording.buttons if VARIABLE.search(button.url)]
    return Given(
        body=body,
        header=header if wording.header_names else None,
        url_suffixes=tuple(each.example[each.url.index("{{") :] for each in opened),
        coupon_code=next((each.text for each in wording.buttons if each.kind == "COPY_CODE"), None),
    )
