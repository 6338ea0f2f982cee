"""Approved templates with what fills them (cloud-api 2.6)."""

import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Annotated, Any, Final

from msgspec import Meta

from sayso.core import faults
from sayso.whatsapp import limits
from sayso.whatsapp.content.check import Check, Part, given
from sayso.whatsapp.content.media import ABOVE_A_CARD, HEADERS, Header
from sayso.whatsapp.content.showcase import Shelf, check_shelves, wire_shelves

_NAME: Final = re.compile(r"[a-z0-9_]+")
_LANGUAGE: Final = re.compile(r"[a-z]{2,3}(_[A-Z0-9]{2,4})?")

Parameters = Annotated[
    tuple[str, ...] | dict[str, str],
    Meta(description="The body's values: a list in the variables' order, or an object by their names."),
]
Payloads = Annotated[
    tuple[str, ...],
    Meta(description="What comes back of the quick replies, the first one's first; at most 256 each."),
]
Suffixes = Annotated[
    tuple[str, ...],
    Meta(description="What completes the addresses of the link buttons that have a variable, in order."),
]


class Layout(Part, frozen=True):
    """Where a template has what is filled in, as the mirror of Meta's templates knows it.

    Indexes are those of the buttons; without a layout the quick replies stand first, and then links, code, form and
    products, in this order.
    """

    header: str | None = None
    quick_replies: tuple[int, ...] = ()
    urls: tuple[int, ...] = ()
    code: int | None = None
    flow: int | None = None
    products: int | None = None
    passwords: tuple[int, ...] = ()


class FlowButton(Part, frozen=True):
    """For a template's button that opens a form: the token that comes back, and what the form begins with."""

    token: str | None = None
    data: dict[str, Any] | None = None


class ProductsButton(Part, frozen=True):
    """For a template's button that shows products: whose picture stands there, and for several all of them."""

    thumbnail: str | None = None
    sections: tuple[Shelf, ...] = ()


class TemplateCard(Part, frozen=True):
    """What fills one card of a template's carousel."""

    header: Annotated[Header | None, Meta(description="The image or video.")] = None
    parameters: Parameters = ()
    quick_replies: Payloads = ()
    url_suffixes: Suffixes = ()
    layout: Layout | None = None


class Template(Part, frozen=True, tag="template", tag_field="type"):
    """An approved template and what fills it; the only thing that can be sent outside the 24-hour window.

    Left out, the language is chosen for the person. A one-time password (authentication templates) is given as the
    body's parameter alone; its button gets the same.
    """

    name: str
    language: Annotated[str, Meta(description="Such as `en` or `pt_BR`.")] = ""
    parameters: Parameters = ()
    quick_replies: Payloads = ()
    header: Annotated[
        Header | None, Meta(description="The value of a text header's variable, or the media.")
    ] = None
    url_suffixes: Suffixes = ()
    coupon_code: Annotated[str | None, Meta(description="What a copy button copies, at most 15.")] = None
    flow: FlowButton | None = None
    products: ProductsButton | None = None
    offer_ends_at: (
        Annotated[datetime, Meta(tz=True, description="For a limited-time offer: when it ends.")] | None
    ) = None
    cards: tuple[TemplateCard, ...] = ()
    layout: Layout | None = None

    def examine(self, check: Check) -> None:
        """Check what can be checked without the template's definition."""
        if not _NAME.fullmatch(self.name):
            check.wrong("/name", "A template's name is made of a to z, 0 to 9 and _.")
        check.text("/name", self.name, limits.TEMPLATE_NAME, "The template's name")
        if not _LANGUAGE.fullmatch(self.language):
            check.wrong("/language", "A template's language is a code such as en or en_US.")
        if self.header is not None:
            _check_header(check, "/header", self.header)
        _check_filling(check, "", self)
        check.maybe_line("/coupon_code", self.coupon_code, limits.CODE, "The code")
        if self.flow is not None:
            check.maybe_line("/flow/token", self.flow.token, limits.FOREIGN_ID, "The form's token")
        if self.products is not None:
            _check_products(check, self.products)
        if self.cards:
            _check_cards(check, self.cards)

    def wire(self) -> dict[str, Any]:
        """Meta's JSON of it."""
        components = [*_wire_filling(self), *self._wire_buttons(), *self._wire_specials()]
        template = {"name": self.name, "language": {"code": self.language}}
        return {"type": "template", "template": given(**template, components=components or None)}

    @property
    def _own(self) -> Layout:
        """The layout that counts: the template's, or the usual one."""
        if self.layout is not None:
            return self.layout
        quick, urls = len(self.quick_replies), len(self.url_suffixes)
        after = quick + urls
        return Layout(
            quick_replies=tuple(range(quick)),
            urls=tuple(range(quick, after)),
            code=after,
            flow=after + (self.coupon_code is not None),
            products=after + (self.coupon_code is not None) + (self.flow is not None),
        )

    def _wire_buttons(self) -> Iterator[dict[str, Any]]:
        layout = self._own
        yield from _wire_taps(layout, self.quick_replies, self.url_suffixes)
        for index in layout.passwords:
            yield _button("url", index, {"type": "text", "text": first(self.parameters)})
        if self.coupon_code is not None:
            code = {"type": "coupon_code", "coupon_code": self.coupon_code}
            yield _button("copy_code", layout.code, code)
        if self.flow is not None:
            action = given(flow_token=self.flow.token, flow_action_data=self.flow.data)
            yield _button("flow", layout.flow, {"type": "action", "action": action})
        if self.products is not None:
            shown = given(
                thumbnail_product_retailer_id=self.products.thumbnail,
                sections=wire_shelves(self.products.sections) or None,
            )
            kind = "mpm" if self.products.sections else "catalog"
            yield _button(kind, layout.products, {"type": "action", "action": shown})

    def _wire_specials(self) -> Iterator[dict[str, Any]]:
        if self.offer_ends_at is not None:
            ends = {"expiration_time_ms": int(self.offer_ends_at.timestamp() * 1000)}
            parameter = {"type": "limited_time_offer", "limited_time_offer": ends}
            yield {"type": "limited_time_offer", "parameters": [parameter]}
        if self.cards:
            yield {
                "type": "carousel",
                "cards": [
                    {"card_index": number, "components": [*_wire_filling(card), *_wire_card_buttons(card)]}
                    for number, card in enumerate(self.cards)
                ],
            }


def values(parameters: Sequence[str] | dict[str, str]) -> list[tuple[str, str]]:
    """The body's values with the last step of the JSON Pointer to each: its number or its name."""
    if isinstance(parameters, dict):
        return list(parameters.items())
    return [(str(number), text) for number, text in enumerate(parameters)]


def first(parameters: Sequence[str] | dict[str, str]) -> str:
    """The first of the body's values; empty when there is none."""
    return next((text for _, text in values(parameters)), "")


def _check_header(check: Check, at: str, header: Header) -> None:
    if header.kinds == ["text"] and header.text is not None:
        check.parameter(f"{at}/text", header.text, limits.TEMPLATE_HEADER, "The header parameter")
    else:
        header.examine(check, at, HEADERS)


def _check_filling(check: Check, at: str, part: Template | TemplateCard) -> None:
    for key, text in values(part.parameters):
        named = isinstance(part.parameters, dict)
        what = f"Parameter {key}" if named else f"Parameter {int(key) + 1}"
        check.parameter(f"{at}/parameters{faults.pointer([key])}", text, limits.TEMPLATE_BODY, what)
    many = len(part.quick_replies)
    if many > limits.TEMPLATE_QUICK_REPLIES:
        check.wrong(
            f"{at}/quick_replies",
            f"{many} quick replies; a template has at most {limits.TEMPLATE_QUICK_REPLIES}.",
        )
    for number, payload in enumerate(part.quick_replies):
        pointer = f"{at}/quick_replies/{number}"
        check.line(pointer, payload, limits.QUICK_REPLY_PAYLOAD, "A quick reply's payload")
    check.count(f"{at}/url_suffixes", len(part.url_suffixes), 0, limits.TEMPLATE_URLS, "link buttons")
    for number, suffix in enumerate(part.url_suffixes):
        pointer = f"{at}/url_suffixes/{number}"
        check.line(pointer, suffix, limits.URL_SUFFIX, "What completes a link")


def _check_products(check: Check, products: ProductsButton) -> None:
    at = "/products"
    check.maybe_line(f"{at}/thumbnail", products.thumbnail, limits.FOREIGN_ID, "A product's id")
    if products.sections:
        check_shelves(check, f"{at}/sections", products.sections)
        if products.thumbnail is None:
            check.wrong(f"{at}/thumbnail", "Where several products are shown, one of them is in front.")


def _check_cards(check: Check, cards: Sequence[TemplateCard]) -> None:
    check.count("/cards", len(cards), limits.CARDS_LEAST, limits.CARDS, "cards")
    for number, card in enumerate(cards):
        at = f"/cards/{number}"
        if card.header is not None:
            card.header.examine(check, f"{at}/header", ABOVE_A_CARD)
        _check_filling(check, at, card)


def _wire_filling(part: Template | TemplateCard) -> Iterator[dict[str, Any]]:
    if part.header is not None:
        name = part.layout.header if part.layout is not None else None
        parameter = part.header.wire() | given(parameter_name=name if part.header.text is not None else None)
        yield {"type": "header", "parameters": [parameter]}
    if part.parameters:
        named = isinstance(part.parameters, dict)
        texts = [
            {"type": "text"} | given(parameter_name=key if named else None, text=text)
            for key, text in values(part.parameters)
        ]
        yield {"type": "body", "parameters": texts}


def _wire_card_buttons(card: TemplateCard) -> Iterator[dict[str, Any]]:
    quick, urls = len(card.quick_replies), len(card.url_suffixes)
    usual = Layout(quick_replies=tuple(range(quick)), urls=tuple(range(quick, quick + urls)))
    yield from _wire_taps(card.layout or usual, card.quick_replies, card.url_suffixes)


def _wire_taps(layout: Layout, payloads: Sequence[str], suffixes: Sequence[str]) -> Iterator[dict[str, Any]]:
    for index, payload in zip(layout.quick_replies, payloads, strict=False):
        yield _button("quick_reply", index, {"type": "payload", "payload": payload})
    for index, suffix in zip(layout.urls, suffixes, strict=False):
        yield _button("url", index, {"type": "text", "text": suffix})


def _button(kind: str, index: int | None, parameter: dict[str, Any]) -> dict[str, Any]:
    return {"type": "button", "sub_type": kind, "index": str(index or 0), "parameters": [parameter]}
