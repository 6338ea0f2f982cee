"""Cards side by side, and what a shop shows (cloud-api 2.5)."""

from typing import Annotated, Any

from msgspec import Meta

from sayso.whatsapp import limits
from sayso.whatsapp.content.check import Check, Part, given
from sayso.whatsapp.content.interactive import (
    Body,
    Button,
    Footer,
    check_frame,
    check_link,
    check_replies,
    interactive,
    wire_link,
    wire_replies,
)
from sayso.whatsapp.content.media import ABOVE_A_CARD, Header


class Card(Part, frozen=True):
    """A picture or video with words (160, two line breaks) and either a link or one to three reply buttons."""

    header: Annotated[Header, Meta(description="An image or a video.")]
    body: str | None = None
    button: Annotated[str | None, Meta(description="The words of the link's button, at most 20.")] = None
    url: str | None = None
    buttons: tuple[Button, ...] = ()

    @property
    def look(self) -> tuple[object, ...]:
        """What all cards of a carousel have in common."""
        return (self.header.kinds, self.body is None, self.url is None, len(self.buttons))


class Carousel(Part, frozen=True, tag="carousel", tag_field="type"):
    """A text, and two to ten cards that are all alike."""

    body: Body
    cards: tuple[Card, ...]

    def examine(self, check: Check) -> None:
        """Check it."""
        check.text("/body", self.body, limits.INTERACTIVE_BODY, "The text")
        check.count("/cards", len(self.cards), limits.CARDS_LEAST, limits.CARDS, "cards")
        for number, card in enumerate(self.cards):
            _check_card(check, f"/cards/{number}", card)
            if card.look != self.cards[0].look:
                check.wrong(
                    f"/cards/{number}",
                    "All cards have the same kinds of header, body and buttons as the first.",
                )

    def wire(self) -> dict[str, Any]:
        """Meta's JSON of it."""
        cards = [_wire_card(number, card) for number, card in enumerate(self.cards)]
        return interactive("carousel", self.body, {"cards": cards})


class Product(Part, frozen=True, tag="product", tag_field="type"):
    """One product of a catalog."""

    catalog_id: str
    product_id: Annotated[str, Meta(description="The retailer's id of the product.")]
    body: Annotated[str | None, Meta(description="The text, at most 1,024 characters.")] = None
    footer: Footer = None

    def examine(self, check: Check) -> None:
        """Check it."""
        check.maybe("/body", self.body, limits.INTERACTIVE_BODY, "The text")
        check_frame(check, None, self.footer)
        check.name("/catalog_id", self.catalog_id, "A catalog's id")
        check.line("/product_id", self.product_id, limits.FOREIGN_ID, "A product's id")

    def wire(self) -> dict[str, Any]:
        """Meta's JSON of it."""
        action = {"catalog_id": self.catalog_id, "product_retailer_id": self.product_id}
        return interactive("product", self.body, action, None, self.footer)


class Shelf(Part, frozen=True):
    """Products under a title (24), which a list of one shelf may leave out."""

    product_ids: tuple[str, ...]
    title: str | None = None


class ProductList(Part, frozen=True, tag="product_list", tag_field="type"):
    """At most 30 products of a catalog, in at most 10 sections."""

    body: Body
    header: Annotated[Header, Meta(description="Text only.")]
    catalog_id: str
    sections: tuple[Shelf, ...]
    footer: Footer = None

    def examine(self, check: Check) -> None:
        """Check it."""
        check.text("/body", self.body, limits.INTERACTIVE_BODY, "The text")
        check_frame(check, self.header, self.footer, kinds=("text",))
        check.name("/catalog_id", self.catalog_id, "A catalog's id")
        check_shelves(check, "/sections", self.sections)

    def wire(self) -> dict[str, Any]:
        """Meta's JSON of it."""
        action = {"catalog_id": self.catalog_id, "sections": wire_shelves(self.sections)}
        return interactive("product_list", self.body, action, self.header, self.footer)


class Catalog(Part, frozen=True, tag="catalog", tag_field="type"):
    """The whole catalog, behind a picture of one of its products."""

    body: Body
    product_id: Annotated[str | None, Meta(description="Whose picture is shown.")] = None
    footer: Footer = None

    def examine(self, check: Check) -> None:
        """Check it."""
        check.text("/body", self.body, limits.INTERACTIVE_BODY, "The text")
        check_frame(check, None, self.footer)
        check.maybe_line("/product_id", self.product_id, limits.FOREIGN_ID, "A product's id")

    def wire(self) -> dict[str, Any]:
        """Meta's JSON of it."""
        shown = None if self.product_id is None else {"thumbnail_product_retailer_id": self.product_id}
        action = given(name="catalog_message", parameters=shown)
        return interactive("catalog_message", self.body, action, None, self.footer)


def check_shelves(check: Check, at: str, shelves: tuple[Shelf, ...]) -> None:
    """Check products in sections."""
    check.count(at, len(shelves), 1, limits.PRODUCT_SECTIONS, "sections")
    many = sum(len(shelf.product_ids) for shelf in shelves)
    check.count(at, many, 1, limits.PRODUCTS, "products in all sections together")
    for number, shelf in enumerate(shelves):
        if len(shelves) > 1 and shelf.title is None:
            check.wrong(f"{at}/{number}/title", "Where there are several sections, each has a title.")
        check.maybe_line(f"{at}/{number}/title", shelf.title, limits.SECTION_TITLE, "A section's title")
        if not shelf.product_ids:
            check.wrong(f"{at}/{number}/product_ids", "A section has at least one product.")
        for place, product in enumerate(shelf.product_ids):
            check.line(f"{at}/{number}/product_ids/{place}", product, limits.FOREIGN_ID, "A product's id")


def wire_shelves(shelves: tuple[Shelf, ...]) -> list[dict[str, Any]]:
    """Meta's JSON of products in sections."""
    return [
        given(
            title=shelf.title,
            product_items=[{"product_retailer_id": product} for product in shelf.product_ids],
        )
        for shelf in shelves
    ]


def _check_card(check: Check, at: str, card: Card) -> None:
    card.header.examine(check, f"{at}/header", ABOVE_A_CARD)
    check.maybe(f"{at}/body", card.body, limits.CARD_BODY, "A card's text")
    if card.body is not None and card.body.count("\n") > limits.CARD_LINE_BREAKS:
        check.wrong(f"{at}/body", f"A card's text has at most {limits.CARD_LINE_BREAKS} line breaks.")
    if (card.url is None) == (not card.buttons) or (card.url is None) != (card.button is None):
        check.wrong(at, "A card has either a button and its url, or one to three buttons.")
    elif card.url is not None and card.button is not None:
        check_link(check, at, card.button, card.url)
    else:
        check_replies(check, f"{at}/buttons", card.buttons)


def _wire_card(number: int, card: Card) -> dict[str, Any]:
    if card.url is not None and card.button is not None:
        action = wire_link(card.button, card.url)
    else:
        action = {"buttons": wire_replies(card.buttons, "quick_reply")}
    return given(
        card_index=number,
        type="cta_url",
        header=card.header.wire(),
        body=None if card.body is None else {"text": card.body},
        action=action,
    )
