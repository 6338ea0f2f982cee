"""Locations, contact cards and reactions: shapes, ranges, what is found out later (2.4)."""

import json
from typing import TYPE_CHECKING, Any

import pytest

from sayso.simulator import Simulator
from sayso.simulator.outgoing.emoji import has_emoji, is_emoji
from sayso.simulator.world.content import ContactCard, Place, Reaction
from simulator.known import ANA
from simulator.sheet.shapes import Refusal, contact, of, refused

if TYPE_CHECKING:
    from simulator.conftest import Graph, Receiver

HERE = {"latitude": 37.48, "longitude": -122.15}

FINE: dict[str, dict[str, Any]] = {
    "location": of("location", **HERE),
    "location with its names": of("location", **HERE, name="HQ", address="1 Road"),
    "location with nulls": of("location", **HERE, name=None, address=None),
    "location in words": of("location", latitude="37.48", longitude="-122.15"),
    "the poles": of("location", latitude=-90, longitude=180),
    "the other corner": of("location", latitude=90.0, longitude=-180.0),
    "contact": contact(),
    "contact with empty lists": contact(emails=[], urls=[], addresses=[], phones=[]),
    "contact with nulls": contact(
        {"formatted_name": "Bo", "first_name": "Bo", "last_name": None, "suffix": None},
        emails=None,
        org=None,
        birthday=None,
    ),
    "contact by another part of the name": contact({"formatted_name": "Bo", "suffix": "Jr"}),
    "contact with everything": contact(
        phones=[
            {"phone": "+1 555 000 2222", "type": "CELL", "wa_id": "15550002222"},
            {"wa_id": "15550003333"},
        ],
        emails=[{"email": "bo@example.org", "type": "WORK"}],
        urls=[{"url": "https://example.org", "type": "HOME"}],
        addresses=[
            {"street": "1 Road", "city": "Town", "country": "US", "country_code": "us", "type": "WORK"}
        ],
        org={"company": "Co", "department": "D", "title": "T"},
        birthday="1990-02-28",
    ),
    "a leap day": contact(birthday="2024-02-29"),
    "two contacts": {"type": "contacts", "contacts": contact()["contacts"] * 2},
    "contacts as a string of JSON": {"type": "contacts", "contacts": json.dumps(contact()["contacts"])},
}

REFUSED: dict[str, Refusal] = {
    "no location": ({"type": "location"}, 131008, "location is required"),
    "no latitude": (of("location", longitude=1), 131008, "location['latitude'] is required"),
    "no longitude": (of("location", latitude=1), 131008, "location['longitude'] is required"),
    "latitude a word": (of("location", latitude="north", longitude=1), 100, "['latitude'] must be a number"),
    "latitude true": (of("location", latitude=True, longitude=1), 100, "['latitude'] must be a number"),
    "latitude NaN": (of("location", latitude="NaN", longitude=1), 100, "['latitude'] must be a number"),
    "too far north": (of("location", latitude=90.01, longitude=1), 131009, "must be from -90 to 90"),
    "too far west": (of("location", latitude=1, longitude=-180.01), 131009, "must be from -180 to 180"),
    "name not a string": (of("location", **HERE, name=1), 100, "location['name'] must be a string"),
    "misspelt in a location": (of("location", **HERE, lat=1), 100, 'Unexpected key "lat" on param location'),
    "no contacts": ({"type": "contacts"}, 131008, "contacts is required"),
    "no contact in it": ({"type": "contacts", "contacts": []}, 131009, "at least one contact"),
    "contacts an object": ({"type": "contacts", "contacts": {}}, 100, "contacts must be an array"),
    "contacts words": ({"type": "contacts", "contacts": "Bo"}, 100, "contacts must be an array"),
    "contact not an object": ({"type": "contacts", "contacts": ["Bo"]}, 100, "contacts[0] must be an object"),
    "contact without a name": (
        {"type": "contacts", "contacts": [{}]},
        131008,
        "contacts[0]['name'] is required",
    ),
    "no formatted name": (contact({"first_name": "Bo"}), 131008, "['formatted_name'] is required"),
    "empty formatted name": (contact({"formatted_name": "", "first_name": "B"}), 131009, "must not be empty"),
    "only a formatted name": (contact({"formatted_name": "Bo"}), 131008, "one of them beside formatted_name"),
    "other parts empty": (
        contact({"formatted_name": "B", "first_name": ""}),
        131008,
        "beside formatted_name",
    ),
    "misspelt in a name": (contact({"formatted_name": "B", "given": "B"}), 100, 'Unexpected key "given"'),
    "misspelt in a contact": (contact(phone="1"), 100, 'Unexpected key "phone" on param contacts[0]'),
    "phones an object": (contact(phones={}), 100, "contacts[0]['phones'] must be an array"),
    "phone without number": (
        contact(phones=[{"type": "CELL"}]),
        131008,
        "['phones'][0]['phone'] is required",
    ),
    "misspelt in a phone": (contact(phones=[{"number": "1"}]), 100, 'Unexpected key "number"'),
    "email without address": (contact(emails=[{"type": "W"}]), 131008, "['emails'][0]['email'] is required"),
    "url without address": (contact(urls=[{}]), 131008, "contacts[0]['urls'][0]['url'] is required"),
    "misspelt in an address": (contact(addresses=[{"town": "T"}]), 100, "contacts[0]['addresses'][0]"),
    "company a number": (contact(org={"company": 5}), 100, "contacts[0]['org']['company'] must be a string"),
    "birthday the other way": (contact(birthday="28-02-1990"), 131009, "date as YYYY-MM-DD"),
    "birthday without dashes": (contact(birthday="19900228"), 131009, "date as YYYY-MM-DD"),
    "no such day": (contact(birthday="2023-02-29"), 131009, "date as YYYY-MM-DD"),
    "no reaction": ({"type": "reaction"}, 131008, "reaction is required"),
    "reaction to nothing": (of("reaction", emoji="👍"), 131008, "reaction['message_id'] is required"),
    "reaction in words": (of("reaction", message_id="w", emoji="ok"), 131009, "must be a single emoji"),
    "two emoji": (of("reaction", message_id="w", emoji="👍👍"), 131009, "must be a single emoji"),
    "emoji a number": (of("reaction", message_id="w", emoji=1), 100, "reaction['emoji'] must be a string"),
    "misspelt in a reaction": (of("reaction", message_id="w", smiley="👍"), 100, 'Unexpected key "smiley"'),
}


@pytest.mark.parametrize("case", FINE)
async def test_accepted(graph: "Graph", case: str) -> None:
    answer = await graph.send(**FINE[case])
    assert answer.status == 200, answer.json


@pytest.mark.parametrize("case", REFUSED)
async def test_refused_with_the_field_named(graph: "Graph", case: str) -> None:
    await refused(graph, REFUSED[case])


async def test_what_the_person_sees(graph: "Graph", sim: Simulator) -> None:
    sent = [
        await graph.send(**FINE["location with its names"]),
        await graph.send(**FINE["contact with everything"]),
    ]
    place, card = (sim.parts.world.messages[each.wamid].content for each in sent)
    assert place.place == Place(37.48, -122.15, "HQ", "1 Road")
    assert place.shown == "HQ\n1 Road"
    assert card.contacts == (
        ContactCard(
            "Bo Ek",
            phones=("+1 555 000 2222", "+15550003333"),
            emails=("bo@example.org",),
            organization="Co, D, T",
            urls=("https://example.org",),
            addresses=("1 Road, Town, US",),
            birthday="1990-02-28",
        ),
    )
    assert card.shown == "Bo Ek"


@pytest.mark.parametrize("emoji", ["👍", "", None])
async def test_a_reaction_is_sent_and_nothing_more(
    graph: "Graph", sim: Simulator, receiver: "Receiver", emoji: str | None
) -> None:
    wamid = await sim.inbound(ANA, text="hello")
    sent = await graph.send(**of("reaction", message_id=wamid, emoji=emoji))
    await receiver.status(sent.wamid, "sent")
    await sim.settled()
    assert [each["status"] for each in receiver.statuses(sent.wamid)] == ["sent"]
    assert sim.parts.world.messages[sent.wamid].content.reaction == Reaction(wamid, emoji or "")
    assert sim.parts.world.messages[wamid].reactions == ({"": emoji} if emoji else {})


async def test_a_reaction_without_emoji_takes_the_emoji_away(
    graph: "Graph", sim: Simulator, receiver: "Receiver"
) -> None:
    wamid = await sim.inbound(ANA, text="hello")
    for fields in ({"emoji": "👍"}, {}):
        sent = await graph.send(**of("reaction", message_id=wamid, **fields))
        await receiver.status(sent.wamid, "sent")
    assert sim.parts.world.messages[wamid].reactions == {}


async def _fails(graph: "Graph", receiver: "Receiver", message_id: str, words: str) -> None:
    sent = await graph.send(**of("reaction", message_id=message_id, emoji="👍"))
    [error] = (await receiver.status(sent.wamid, "failed"))["errors"]
    assert error["code"] == 131009
    assert words in error["error_data"]["details"]


async def test_a_reaction_needs_a_message_of_this_conversation(
    graph: "Graph", sim: Simulator, receiver: "Receiver"
) -> None:
    await sim.inbound(ANA, text="hello")
    elsewhere = await sim.inbound("+15550002222", text="hello")
    await _fails(graph, receiver, "wamid.gone", "no message of this conversation")
    await _fails(graph, receiver, elsewhere, "no message of this conversation")


async def test_a_reaction_comes_within_30_days(graph: "Graph", sim: Simulator, receiver: "Receiver") -> None:
    old = await sim.inbound(ANA, text="hello")
    sim.advance(30 * 86_400 - 3600)
    await sim.inbound(ANA, text="again")
    sent = await graph.send(**of("reaction", message_id=old, emoji="👍"))
    await receiver.status(sent.wamid, "sent")
    sim.advance(3601)
    await _fails(graph, receiver, old, "more than 30 days old")


async def test_no_reaction_to_what_is_deleted_or_a_reaction(
    graph: "Graph", sim: Simulator, receiver: "Receiver"
) -> None:
    wamid = await sim.inbound(ANA, text="hello")
    first = await graph.send(**of("reaction", message_id=wamid, emoji="👍"))
    await receiver.status(first.wamid, "sent")
    await _fails(graph, receiver, first.wamid, "itself a reaction")
    sim.parts.world.messages[wamid].deleted = True
    await _fails(graph, receiver, wamid, "was deleted")


@pytest.mark.parametrize(
    "emoji",
    ["👍", "👍🏽", "❤️", "❤", "🇪🇸", "1️⃣", "👩‍👩‍👧", "🏴󠁧󠁢󠁥󠁮󠁧󠁿", "☝🏿", "✅", "🫡", "©️", "⌚", "👁️‍🗨️", "🤷🏾‍♀️", "❤️‍🔥"],
)
def test_one_emoji(emoji: str) -> None:
    assert is_emoji(emoji)


@pytest.mark.parametrize("text", ["ok", "1", "#", "👍👍", "👍 ", " ", "🇪", "👍x", "\u200d", "é", "→x"])
def test_not_one_emoji(text: str) -> None:
    assert not is_emoji(text)


@pytest.mark.parametrize(
    ("text", "has"), [("Go 🚀", True), ("❤️", True), ("Start", False), ("Acme™ ©", False)]
)
def test_emoji_among_words(text: str, has: bool) -> None:
    assert has_emoji(text) is has
