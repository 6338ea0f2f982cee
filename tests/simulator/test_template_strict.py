"""What is sent of a template in another shape than the sheet's is refused, and told by its place (cloud-api.md 2.6)."""

from copy import deepcopy
from typing import TYPE_CHECKING, Any

import pytest

from sayso.simulator import SimulatorConfig
from simulator.template_stage import BODY_OF_ONE, body, buttons, created, send

if TYPE_CHECKING:
    from simulator.conftest import Graph, Receiver

MONEY = {"fallback_value": "$10.99", "code": "USD", "amount_1000": 10990}
DAY = {"fallback_value": "March 3, 2027", "day_of_month": 3}
QUICK = {"type": "QUICK_REPLY", "text": "Yes"}
MPM = {"type": "MPM", "text": "Items"}
ITEMS = [{"title": "S", "product_items": [{"product_retailer_id": "P"}]}]
OFFER = {"type": "LIMITED_TIME_OFFER", "limited_time_offer": {"text": "Now", "has_expiration": True}}
CARD = {
    "components": [
        {"type": "HEADER", "format": "PRODUCT"},
        body("Card {{1}} is for you.", "x"),
        buttons(QUICK),
    ]
}
#: The definitions the cases are sent of.
TEMPLATES: dict[str, tuple[Any, ...]] = {
    "plain": (BODY_OF_ONE, buttons(QUICK)),
    "shop": (BODY_OF_ONE, buttons(MPM)),
    "offer": (OFFER, BODY_OF_ONE),
    "cards": (BODY_OF_ONE, {"type": "CAROUSEL", "cards": [CARD]}),
}


@pytest.fixture
def config(receiver: "Receiver") -> SimulatorConfig:
    return SimulatorConfig(port=0, webhook_url=receiver.url, review="instant", enforce_rates=False)


def words(**more: Any) -> dict[str, Any]:
    return {"type": "body", "parameters": [{"type": "text", "text": "a", **more}]}


def value(kind: str, given: Any) -> dict[str, Any]:
    return {"type": "body", "parameters": [{"type": kind, kind: given}]}


def tap(sub_type: str, **parameter: Any) -> dict[str, Any]:
    return {"type": "button", "sub_type": sub_type, "index": 0, "parameters": [parameter]}


def products(*sections: Any, **more: Any) -> dict[str, Any]:
    given = {"thumbnail_product_retailer_id": "P", "sections": sections or ITEMS, **more}
    return tap("mpm", type="action", action=given)


def ends(kind: str = "limited_time_offer", **more: Any) -> dict[str, Any]:
    given = {"type": kind, "limited_time_offer": {"expiration_time_ms": 1_900_000_000_000, **more}}
    return {"type": "limited_time_offer", "parameters": [given]}


def card(**more: Any) -> dict[str, Any]:
    product = {"type": "product", "product": {"product_retailer_id": "P", "catalog_id": "C"} | more}
    parts = [{"type": "header", "parameters": [product]}, words()]
    return {"type": "carousel", "cards": [{"card_index": 0, "components": parts}]}


def without_index() -> dict[str, Any]:
    given = deepcopy(card())
    del given["cards"][0]["card_index"]
    return given


#: What the platform takes: the template, and the components sent of it.
TAKEN: dict[str, tuple[str, list[Any]]] = {
    "words": ("plain", [words()]),
    "nulls": ("plain", [{**words(other=None), "note": None}]),
    "money": ("plain", [value("currency", MONEY)]),
    "money in a string": ("plain", [value("currency", {**MONEY, "amount_1000": "10990"})]),
    "money as a library writes it": (
        "plain",
        [value("currency", {"fallback_value": "$1", "code": "USD", "amount1000": 1000})],
    ),
    "a day in its parts": ("plain", [value("date_time", DAY)]),
    "a payload": ("plain", [words(), tap("quick_reply", type="payload", payload="p" * 256)]),
    "products": ("shop", [words(), products()]),
    "an offer": ("offer", [words(), ends()]),
    "a card": ("cards", [words(), card()]),
    "a tap target": (
        "plain",
        [words(), {**value("tap_target_configuration", []), "type": "tap_target_configuration"}],
    ),
}
#: What it refuses: the same, the code, and the words that tell where.
REFUSED: dict[str, tuple[str, list[Any], int, str]] = {
    "misspelt in a component": (
        "plain",
        [{"type": "body", "paramters": 1}],
        100,
        "Unexpected key \"paramters\" on param template['components'][0].",
    ),
    "misspelt in a parameter": (
        "plain",
        [words(txet="a")],
        100,
        "Unexpected key \"txet\" on param template['components'][0]['parameters'][0].",
    ),
    "misspelt in money": (
        "plain",
        [value("currency", {**MONEY, "amount": 1})],
        100,
        '"amount" on param body',
    ),
    "misspelt in a day": (
        "plain",
        [value("date_time", {**DAY, "fallback": 1})],
        100,
        '"fallback" on param body',
    ),
    "misspelt in an action": ("shop", [words(), products(section=1)], 100, '"section" on param'),
    "misspelt in a section": ("shop", [words(), products({**ITEMS[0], "items": 1})], 100, "['sections'][0]"),
    "section in words": ("shop", [words(), products("S")], 100, "['sections'][0] must be an object"),
    "misspelt in an offer": ("offer", [words(), ends(ends=1)], 100, '"ends" on param limited_time_offer'),
    "misspelt in a product": ("cards", [words(), card(sku="P")], 100, '"sku" on param header'),
    "money without a currency": ("plain", [value("currency", {**MONEY, "code": None})], 131008, "['code']"),
    "money without thousandths": (
        "plain",
        [value("currency", {**MONEY, "amount_1000": None})],
        131008,
        "body['parameters'][0]['currency']['amount_1000'] is required",
    ),
    "money of no currency": (
        "plain",
        [value("currency", {**MONEY, "code": 5})],
        132012,
        "['currency']['code']",
    ),
    "money in words": (
        "plain",
        [value("currency", {**MONEY, "amount_1000": "ten"})],
        132012,
        "['amount_1000']",
    ),
    "money with a newline": (
        "plain",
        [value("currency", {**MONEY, "fallback_value": "a\nb"})],
        132018,
        "body['parameters'][0]['currency']['fallback_value']: Param text cannot have",
    ),
    "money without a fallback": (
        "plain",
        [value("currency", {**MONEY, "fallback_value": None})],
        131008,
        "['currency']['fallback_value'] is required",
    ),
    "payload too long": (
        "plain",
        [words(), tap("quick_reply", type="payload", payload="p" * 257)],
        100,
        "Param template['components'][1]['parameters'][0]['payload'] must be at most 256",
    ),
    "offer as text": ("offer", [words(), ends("text")], 132012, "text where limited_time_offer belongs"),
    "card without its place": ("cards", [words(), without_index()], 131008, "['cards'][0]['card_index']"),
}


async def template(graph: "Graph", name: str) -> None:
    await created(graph, *TEMPLATES[name], category="MARKETING")


@pytest.mark.parametrize("case", TAKEN)
async def test_what_has_its_shape_is_taken(graph: "Graph", case: str) -> None:
    name, components = TAKEN[case]
    await template(graph, name)
    answer = await send(graph, "notice", *components)
    assert answer.status == 200, answer.json


@pytest.mark.parametrize("case", REFUSED)
async def test_what_has_another_shape_is_refused(graph: "Graph", case: str) -> None:
    name, components, code, details = REFUSED[case]
    await template(graph, name)
    answer = await send(graph, "notice", *components)
    assert (answer.status, answer.code) == (400, code), answer.json
    assert details in answer.details


@pytest.mark.parametrize(
    ("more", "details"),
    [
        ({"componets": 1}, 'Unexpected key "componets" on param template.'),
        (
            {"language": {"code": "en_US", "policy": "fallback"}},
            "template['language']['policy'] must be one of",
        ),
        (
            {"language": {"code": "en_US", "plicy": "deterministic"}},
            "\"plicy\" on param template['language']",
        ),
    ],
)
async def test_the_template_itself_has_its_shape(graph: "Graph", more: dict[str, Any], details: str) -> None:
    given = {"name": "hello_world", "language": {"code": "en_US", "policy": "deterministic"}}
    assert (await graph.send(type="template", template=given)).status == 200
    answer = await graph.send(type="template", template=given | more)
    assert (answer.status, answer.code) == (400, 100), answer.json
    assert details in answer.details


async def test_the_code_is_the_same_in_the_words_and_under_the_button(graph: "Graph") -> None:
    otp = buttons({"type": "OTP", "otp_type": "COPY_CODE"})
    await created(graph, {"type": "BODY"}, otp, category="AUTHENTICATION")
    for code, expected in (("a", 200), ("b", 400)):
        answer = await send(graph, "notice", words(), tap("url", type="text", text=code))
        assert answer.status == expected, answer.json
    assert (answer.code, "must have the code the body has" in answer.details) == (132018, True), answer.json
