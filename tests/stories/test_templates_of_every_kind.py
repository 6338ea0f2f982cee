"""Every kind a file can hold: pushed, approved, mirrored, shown, sent and arrived; and pushed again for nothing."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from harness import kinds
from harness import registry as desk
from harness.registry import becomes, operator, pushed
from harness.world import ALICE, World, a_world

#: What the phone shows of each, beyond what every template has.
SHOWN: dict[str, dict[str, Any]] = {
    "two_tables": {"type": "template"},
    "book_a_table": {"buttons": ["Choose a table", "Later"]},
    "twenty_percent": {"buttons": ["Copy offer code", "Book"]},
    "all_dishes": {"buttons": ["View catalog"]},
    "dishes_of_today": {"buttons": ["View items"]},
    "talk_to_us": {"buttons": ["Call now", "Allow calls", "Share Contact Info"]},
    "sign_in": {"buttons": ["Copy it"]},
    "sign_in_by_tap": {"buttons": ["Fill in"]},
    "sign_in_by_itself": {"buttons": ["Autofill"]},
}
CARDS = [
    {"body": "By the window, with Soup of the day.", "buttons": ["Take this one", "Look"]},
    {"body": "In the garden, with Soup of the day.", "buttons": ["Take that one", "Look"]},
]


@pytest.fixture
async def world(dsn: str, tmp_path: Path) -> AsyncIterator[World]:
    """Everything, with a folder of one definition of each kind."""
    folder = kinds.write(tmp_path / "templates")
    async with a_world(dsn, tmp_path, sayso_templates_dir=folder) as everything:
        await becomes(everything, "confirmation_request", status="APPROVED")
        await desk.desk(everything, "POST", "/review", {"how": "instant"})
        yield everything


@pytest.mark.parametrize("name", sorted(kinds.DEFINITIONS))
async def test_each_kind_goes_from_a_file_to_the_phone(world: World, name: str) -> None:
    assert {each["did"] for each in await pushed(world, name)} == {"created"}
    await becomes(world, name, status="APPROVED", drift=[])
    assert {each["did"] for each in await pushed(world, name)} == {"unchanged"}
    template = {"name": name, "language": "en", **kinds.FILLED[name]}
    status, told = await world.api.call(
        "POST", "/send", json={"recipient": ALICE, "message_type": "template", "template": template}
    )
    assert status == 202, told
    await world.stands(str(told["id"]), "read")
    shown = await world.sim.expect_message(to=ALICE, containing="")
    for key, value in SHOWN[name].items():
        assert shown[key] == value, shown
    await world.keeps_its_promises()


async def test_a_carousel_arrives_card_by_card_and_a_tap_says_which(world: World) -> None:
    await pushed(world, "two_tables")
    await becomes(world, "two_tables", status="APPROVED")
    template = {"name": "two_tables", **kinds.FILLED["two_tables"]}
    status, told = await world.api.call(
        "POST", "/send", json={"recipient": ALICE, "message_type": "template", "template": template}
    )
    assert status == 202, told
    await world.stands(str(told["id"]), "read")
    shown = await world.sim.expect_message(to=ALICE, containing="two tables")
    cards = world.sim.world.messages[shown["wamid"]].content.cards
    assert [{"body": card.body, "buttons": [each.title for each in card.buttons]} for card in cards] == CARDS
    assert [card.buttons[1].value for card in cards] == ["https://example.org/t/1", "https://example.org/t/2"]
    await world.digested(await world.sim.tap(ALICE, shown["wamid"], "Take that one"))
    [said] = await world.events("person.said")
    assert said["data"]["quotes"] == told["id"]
    assert said["data"]["text"] == "Take that one"
    await world.keeps_its_promises()


@pytest.mark.parametrize(
    ("name", "change", "pointer"),
    [
        ("two_tables", {"cards": kinds.FILLED["two_tables"]["cards"][:1]}, "/template/cards"),
        ("book_a_table", {"products": {"thumbnail": "soup-1"}}, "/template/products"),
        ("sign_in", {"parameters": ["1234567890123456"]}, "/template/parameters/0"),
    ],
)
async def test_what_does_not_fit_is_refused_before_anything_is_queued(
    world: World, name: str, change: dict[str, Any], pointer: str
) -> None:
    await pushed(world, name)
    await becomes(world, name, status="APPROVED")
    template = {"name": name, **kinds.FILLED[name], **change}
    status, told = await world.api.call(
        "POST", "/send", json={"recipient": ALICE, "message_type": "template", "template": template}
    )
    assert status == 422, told
    assert pointer in {fault["pointer"] for fault in told["errors"]}, told
    assert await world.rows("SELECT id FROM messages") == []


async def test_a_preview_shows_the_offer_and_the_cards(world: World) -> None:
    cards = [
        {"parameters": {"dish": dish}, "header_media": "image", "url_suffixes": ["1"]} for dish in ("A", "B")
    ]
    body = {"parameters": {"customer": "Bo"}, "cards": cards}
    status, told = await operator(world).call("POST", "/templates/two_tables/preview", json=body)
    assert status == 200, told
    assert [card["body"] for card in told["cards"]] == [
        "By the window, with A of the day.",
        "In the garden, with B of the day.",
    ]
    body = {"parameters": ["Bo"], "coupon_code": "BO20", "offer_ends_at": kinds.ENDS}
    status, told = await operator(world).call("POST", "/templates/twenty_percent/preview", json=body)
    assert (status, told["offer"]) == (200, "20% off tonight · until 03 Mar 12:00 UTC")
    status, told = await operator(world).call(
        "POST", "/templates/two_tables/preview", json={**body, "cards": []}
    )
    assert (status, "/cards" in {fault["pointer"] for fault in told["errors"]}) == (422, True)
