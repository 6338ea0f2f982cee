"""Carousels, products, catalogs, addresses, orders (2.5)."""

from typing import TYPE_CHECKING, Any

import pytest

from sayso.simulator import Simulator
from sayso.simulator.world.content import Attachment, Button, Card
from simulator.sheet.shapes import (
    VIDEO,
    Refusal,
    answer,
    asks,
    card,
    carousel,
    interactive,
    product_card,
    refused,
    reply,
    url_action,
)

if TYPE_CHECKING:
    from simulator.conftest import Graph

X = "x"
ACTION = "interactive['action']"
CARDS = f"{ACTION}['cards']"
HEAD = {"type": "text", "text": "Head"}


def cards(count: int, **parts: Any) -> list[dict[str, Any]]:
    return [card(index, **parts) for index in range(count)]


def body(words: str) -> dict[str, Any]:
    return {"body": {"text": words}}


def answers(*given: Any) -> dict[str, Any]:
    return {"buttons": list(given)}


def items(count: int, first: int = 0) -> list[dict[str, Any]]:
    return [{"product_retailer_id": f"sku{first + each}"} for each in range(count)]


def shelf(*sections: Any, **parts: Any) -> dict[str, Any]:
    return interactive("product_list", {"catalog_id": "9", "sections": list(sections)}, header=HEAD, **parts)


def product(**action: Any) -> dict[str, Any]:
    return interactive("product", {"catalog_id": "9", "product_retailer_id": "sku", **action})


def address(**parameters: Any) -> dict[str, Any]:
    return interactive("address_message", {"name": "address_message", "parameters": parameters})


def order(kind: str, name: str, **parameters: Any) -> dict[str, Any]:
    return interactive(kind, {"name": name, "parameters": parameters})


ANSWERS = answers(answer("a", "A"), answer("b", "B"), answer("c", "C"))

FINE: dict[str, dict[str, Any]] = {
    "two cards": carousel(*cards(2)),
    "ten cards": carousel(*cards(10)),
    "card places in words": carousel(card("0"), card("1")),
    "cards of video": carousel(*cards(2, header=VIDEO)),
    "card body of 159": carousel(*cards(2, **body(X * 159))),
    "card body of 160": carousel(*cards(2, **body(X * 160))),
    "card body of three lines": carousel(*cards(2, **body("a\nb\nc"))),
    "cards with an answer": carousel(*cards(2, action=answers(answer()))),
    "cards with three answers": carousel(*cards(2, action=ANSWERS)),
    "card button of 20": carousel(*cards(2, action=url_action(X * 20))),
    "carousel body of 1024": carousel(*cards(2), **body(X * 1024)),
    "products side by side": carousel(product_card(0), product_card(1, item="other")),
    "product": product(),
    "product without words": interactive("product", product()["interactive"]["action"], body=None),
    "product with footer": interactive("product", product()["interactive"]["action"], footer={"text": "F"}),
    "catalog id as a number": product(catalog_id=9),
    "thirty products": shelf({"title": "T", "product_items": items(30)}),
    "ten sections": shelf(*({"title": f"T{n}", "product_items": items(3, n * 3)} for n in range(10))),
    "one untitled section": shelf({"product_items": items(1)}),
    "catalog": asks("catalog_message", "catalog_message"),
    "catalog with thumbnail": interactive(
        "catalog_message",
        {"name": "catalog_message", "parameters": {"thumbnail_product_retailer_id": "sku"}},
    ),
    "address in India": address(country="IN", values={"name": "A"}, saved_addresses=[]),
    "address in Singapore": address(country="SG"),
}

REFUSED: dict[str, Refusal] = {
    "no cards": (interactive("carousel", {}), 131008, f"{CARDS} is required"),
    "one card": (carousel(*cards(1)), 131009, f"{CARDS} must hold 2 to 10 cards; it has 1"),
    "eleven cards": (carousel(*cards(11)), 131009, "2 to 10 cards; it has 11"),
    "carousel without body": (carousel(*cards(2), body=None), 131008, "interactive['body'] is required"),
    "carousel body of 1025": (carousel(*cards(2), **body(X * 1025)), 100, "at most 1024"),
    "carousel with header": (carousel(*cards(2), header=HEAD), 100, '"header" on param interactive'),
    "carousel with footer": (carousel(*cards(2), footer={"text": "F"}), 100, '"footer" on param interactive'),
    "card without place": (carousel(card(None), card(1)), 131008, f"{CARDS}[0]['card_index'] is required"),
    "card at a wrong place": (carousel(card(0), card(2)), 131009, f"{CARDS}[1]['card_index'] must be 1"),
    "same place twice": (carousel(card(0), card(0)), 131009, f"{CARDS}[1]['card_index'] must be 1"),
    "card place a word": (carousel(card("first"), card(1)), 100, "['card_index'] must be a number"),
    "card without type": (carousel(card(0, type=None), card(1)), 131008, f"{CARDS}[0]['type'] is required"),
    "card of unknown type": (carousel(card(0, type="media"), card(1)), 100, "one of {cta_url, product}"),
    "card without header": (carousel(card(0, header=None), card(1)), 131008, f"{CARDS}[0]['header'] is"),
    "card with text header": (carousel(card(0, header=HEAD), card(1)), 100, "one of {image, video}"),
    "card body of 161": (carousel(*cards(2, **body(X * 161))), 100, "['body']['text'] must be at most 160"),
    "card body of four lines": (carousel(*cards(2, **body("a\nb\nc\nd"))), 131009, "2 line breaks; it has 3"),
    "card without action": (
        carousel({k: v for k, v in card(0).items() if k != "action"}, card(1)),
        131008,
        f"{CARDS}[0]['action'] is required",
    ),
    "card with four answers": (
        carousel(*cards(2, action=answers(*(answer(c, c) for c in "abcd")))),
        131009,
        "['buttons'] must hold 1 to 3 buttons; it has 4",
    ),
    "card with no answers": (carousel(*cards(2, action=answers())), 131009, "it has 0"),
    "card with answers of the other type": (
        carousel(*cards(2, action=answers(reply()))),
        100,
        'Unexpected key "reply"',
    ),
    "card with the same answer twice": (
        carousel(*cards(2, action=answers(answer("a", "A"), answer("a", "B")))),
        131009,
        "quick_reply['id'] must be unique",
    ),
    "card with answer of 21": (
        carousel(*cards(2, action=answers(answer("a", X * 21)))),
        100,
        "['quick_reply']['title'] must be at most 20",
    ),
    "card with link and answers": (
        carousel(*cards(2, action={**url_action(), **ANSWERS})),
        100,
        'Unexpected key "name"',
    ),
    "card link button of 21": (carousel(*cards(2, action=url_action(X * 21))), 100, "at most 20"),
    "misspelt in a card": (
        carousel(*cards(2, footer={"text": "x"})),
        100,
        f'Unexpected key "footer" on param {CARDS}[0]',
    ),
    "image beside video": (carousel(card(0), card(1, header=VIDEO)), 131009, "card 1 differs from card 0"),
    "body on one card": (carousel(card(0, **body("a")), card(1)), 131009, "card 1 differs"),
    "link beside answers": (carousel(card(0), card(1, answers(answer()))), 131009, "card 1 differs"),
    "two answers beside one": (
        carousel(card(0, answers(answer())), card(1, answers(answer(), answer("b", "B")))),
        131009,
        "card 1 differs",
    ),
    "product beside media": (carousel(product_card(0), card(1)), 131009, "card 1 differs"),
    "products of two catalogs": (carousel(product_card(0), product_card(1, "8")), 131009, "card 1 differs"),
    "product card with a header": (
        carousel({**product_card(0), "header": VIDEO}, product_card(1)),
        100,
        'Unexpected key "header"',
    ),
    "product without catalog": (product(catalog_id=None), 131008, f"{ACTION}['catalog_id'] is required"),
    "product without item": (
        product(product_retailer_id=None),
        131008,
        "['product_retailer_id'] is required",
    ),
    "product with header": (
        interactive("product", product()["interactive"]["action"], header=HEAD),
        100,
        '"header" on param interactive',
    ),
    "thirty-one products": (
        shelf({"title": "T", "product_items": items(15)}, {"title": "U", "product_items": items(16)}),
        131009,
        "at most 30 products in all sections; there are 31",
    ),
    "eleven sections": (
        shelf(*({"title": f"T{n}", "product_items": items(1)} for n in range(11))),
        131009,
        "1 to 10 sections; it has 11",
    ),
    "section title of 25": (shelf({"title": X * 25, "product_items": items(1)}), 100, "at most 24"),
    "untitled section of two": (
        shelf({"product_items": items(1)}, {"title": "T", "product_items": items(1)}),
        131008,
        "['sections'][0]['title'] is required",
    ),
    "section with empty products": (
        shelf({"title": "T", "product_items": []}),
        131009,
        "['product_items'] must hold 1 to 30 products; it has 0",
    ),
    "section without products": (shelf({"title": "T"}), 131008, "['product_items'] is required"),
    "product list without header": (
        interactive("product_list", {"catalog_id": "9", "sections": []}),
        131008,
        "interactive['header'] is required",
    ),
    "catalog by another name": (asks("catalog_message", "catalog"), 100, "one of {catalog_message}"),
    "address elsewhere": (address(country="US"), 100, "['country'] must be one of {IN, SG}; it is 'US'"),
    "address nowhere": (address(), 131008, "['country'] is required"),
    "misspelt in an address": (address(country="IN", city="x"), 100, 'Unexpected key "city"'),
    "bill": (
        order("order_details", "review_and_pay", reference_id="r"),
        134011,
        "payments are not simulated",
    ),
    "order": (order("order_status", "review_order", reference_id="r"), 134011, "payments are not simulated"),
    "bill without reference": (
        order("order_details", "review_and_pay"),
        131008,
        "['reference_id'] is required",
    ),
    "bill by another name": (order("order_details", "pay", reference_id="r"), 100, "one of {review_and_pay}"),
}


@pytest.mark.parametrize("case", FINE)
async def test_accepted_at_the_limit(graph: "Graph", case: str) -> None:
    answer = await graph.send(**FINE[case])
    assert answer.status == 200, answer.json


@pytest.mark.parametrize("case", REFUSED)
async def test_refused_beyond_it_with_the_field_named(graph: "Graph", case: str) -> None:
    await refused(graph, REFUSED[case])


async def test_what_the_person_sees(graph: "Graph", sim: Simulator) -> None:
    given = [
        FINE["cards with an answer"],
        FINE["products side by side"],
        FINE["thirty products"],
        FINE["product"],
    ]
    sent = [await graph.send(**each) for each in given]
    media, goods, shelves, single = (sim.parts.world.messages[each.wamid].content for each in sent)
    image = Attachment("image", link="https://example.org/a.jpg", mime_type="image/jpeg")
    assert media.cards == (Card(image, buttons=(Button("A", "a"),)),) * 2
    assert [each.body for each in goods.cards] == ["Product sku", "Product other"]
    assert goods.cards[0].buttons == (Button("View", payload="sku", kind="catalog", value="9"),)
    assert shelves.list_label == "View items"
    assert [row.id for row in shelves.sections[0].rows][:2] == ["sku0", "sku1"]
    assert single.shown == "Words\nCatalog 9, product sku"
