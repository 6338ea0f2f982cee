"""Reply buttons and lists: at every limit, just under, just over; ids and titles twice; each wrong shape (2.5, 2.8)."""

from typing import TYPE_CHECKING, Any

import pytest

from sayso.simulator import Simulator
from sayso.simulator.world.content import Button, Row, Section
from simulator.sheet.shapes import IMAGE, Refusal, buttons, interactive, listed, refused, reply, row, section

if TYPE_CHECKING:
    from simulator.conftest import Graph

X = "x"
LINK = {"link": "https://example.org/a"}


def head(kind: str, value: Any) -> dict[str, Any]:
    return {"type": kind, kind: value}


def rows(count: int, first: int = 0) -> list[dict[str, Any]]:
    return [row(f"r{first + each}", f"R{each}") for each in range(count)]


def sections(count: int, each: int = 1) -> list[dict[str, Any]]:
    return [section(*rows(each, place * each), title=f"S{place}") for place in range(count)]


FINE: dict[str, dict[str, Any]] = {
    "one button": buttons(reply()),
    "two buttons": buttons(reply("a", "A"), reply("b", "B")),
    "three buttons": buttons(reply("a", "A"), reply("b", "B"), reply("c", "C")),
    "button title of 19": buttons(reply(title=X * 19)),
    "button title of 20": buttons(reply(title=X * 20)),
    "button title of 20 emoji": buttons(reply(title="\N{THUMBS UP SIGN}" * 20)),
    "button id of 255": buttons(reply(X * 255)),
    "button id of 256": buttons(reply(X * 256)),
    "space within an id": buttons(reply("a b")),
    "type of a button in capitals": buttons({**reply(), "type": "REPLY"}),
    "interactive body of 1023": buttons(body={"text": X * 1023}),
    "interactive body of 1024": buttons(body={"text": X * 1024}),
    "header and footer of 59": buttons(header=head("text", X * 59), footer={"text": X * 59}),
    "header and footer of 60": buttons(header=head("text", X * 60), footer={"text": X * 60}),
    "null header and footer": buttons(header=None, footer=None),
    "image header": buttons(header=head("image", LINK)),
    "video header": buttons(header=head("video", LINK)),
    "document header": buttons(header=head("document", {**LINK, "filename": "a.pdf"})),
    "header with nulls for the other kinds": buttons(header={**IMAGE, "text": None, "video": None}),
    "list": listed(),
    "list body of 4095": listed(body={"text": X * 4095}),
    "list body of 4096": listed(body={"text": X * 4096}),
    "list with header and footer of 60": listed(header=head("text", X * 60), footer={"text": X * 60}),
    "list button of 19": listed(button=X * 19),
    "list button of 20": listed(button=X * 20),
    "ten rows": listed(section(*rows(10))),
    "ten sections of a row": listed(*sections(10)),
    "ten rows in two sections": listed(*sections(2, 5)),
    "section title of 24": listed(section(title=X * 24)),
    "one section without title": listed(section(title=None)),
    "one section with an empty title": listed(section(title="")),
    "row id of 199": listed(section(row(X * 199))),
    "row id of 200": listed(section(row(X * 200))),
    "row title of 23": listed(section(row(title=X * 23))),
    "row title of 24": listed(section(row(title=X * 24))),
    "row description of 71": listed(section(row(description=X * 71))),
    "row description of 72": listed(section(row(description=X * 72))),
    "row description null": listed(section(row(description=None))),
    "same row title twice": listed(section(row("a", "A"), row("b", "A"))),
}

ACTION = "interactive['action']"
REFUSED: dict[str, Refusal] = {
    "no interactive": ({"type": "interactive"}, 131008, "interactive is required"),
    "interactive words": ({"type": "interactive", "interactive": "x"}, 100, "interactive must be an object"),
    "no kind": (buttons(type=None), 131008, "interactive['type'] is required"),
    "unknown kind": (buttons(type="buttons"), 100, "interactive['type'] must be one of"),
    "misspelt in interactive": (buttons(title="x"), 100, 'Unexpected key "title" on param interactive'),
    "four buttons": (buttons(*(reply(c, c) for c in "abcd")), 131009, "1 to 3 buttons; it has 4"),
    "no buttons": (buttons(action={"buttons": []}), 131009, f"{ACTION}['buttons'] must hold 1 to 3"),
    "no action": (buttons(action=None), 131008, f"{ACTION} is required"),
    "empty action": (buttons(action={}), 131008, f"{ACTION}['buttons'] is required"),
    "buttons not a list": (buttons(action={"buttons": {}}), 100, f"{ACTION}['buttons'] must be an array"),
    "misspelt in the action": (buttons(action={"button": "x"}), 100, f'"button" on param {ACTION}'),
    "button not an object": (buttons("yes"), 100, f"{ACTION}['buttons'][0] must be an object"),
    "button without type": (buttons({"reply": {}}), 131008, "['buttons'][0]['type'] is required"),
    "button of unknown type": (buttons({"type": "url"}), 100, "one of {reply}"),
    "button without reply": (buttons({"type": "reply"}), 131008, "['buttons'][0]['reply'] is required"),
    "same id twice": (buttons(reply("a", "A"), reply("a", "B")), 131009, "reply['id'] must be unique"),
    "same id in the third": (
        buttons(reply("a", "A"), reply("b", "B"), reply("a", "C")),
        131009,
        "reply['id'] must be unique",
    ),
    "same title twice": (buttons(reply("a", "A"), reply("b", "A")), 131009, "reply['title'] must be unique"),
    "button title of 21": (buttons(reply(title=X * 21)), 100, "['title'] must be at most 20"),
    "button title empty": (buttons(reply(title="")), 131009, "['title'] must not be empty"),
    "button without title": (buttons(reply(title=None)), 131008, "['reply']['title'] is required"),
    "button title a number": (buttons(reply(title=1)), 100, "['title'] must be a string"),
    "button without id": (buttons(reply(None)), 131008, "['reply']['id'] is required"),
    "button id of 257": (buttons(reply(X * 257)), 100, "['id'] must be at most 256"),
    "button id with a space before": (buttons(reply(" a")), 131009, "begin or end with a space"),
    "button id with a space after": (buttons(reply("a ")), 131009, "begin or end with a space"),
    "misspelt in a button": (buttons(reply(titel="x")), 100, 'Unexpected key "titel"'),
    "misspelt beside a reply": (buttons({**reply(), "id": "x"}), 100, 'Unexpected key "id"'),
    "fault in the second button": (
        buttons(reply(), reply("b", X * 21)),
        100,
        "['buttons'][1]['reply']['title']",
    ),
    "interactive body of 1025": (
        buttons(body={"text": X * 1025}),
        100,
        "['body']['text'] must be at most 1024",
    ),
    "no interactive body": (buttons(body=None), 131008, "interactive['body'] is required"),
    "interactive body words": (buttons(body="Sure?"), 100, "interactive['body'] must be an object"),
    "interactive body empty": (buttons(body={"text": " "}), 131009, "must not be empty"),
    "misspelt in the body": (buttons(body={"txt": "x"}), 100, 'Unexpected key "txt"'),
    "header of 61": (buttons(header=head("text", X * 61)), 100, "['header']['text'] must be at most 60"),
    "header empty": (buttons(header=head("text", "")), 131009, "['header']['text'] must not be empty"),
    "header without type": (buttons(header={"text": "x"}), 131008, "['header']['type'] is required"),
    "header of unknown type": (buttons(header={"type": "gif"}), 100, "['header']['type'] must be one of"),
    "header without its image": (
        buttons(header={"type": "image"}),
        131008,
        "['header']['image'] is required",
    ),
    "header of two kinds": (buttons(header={**IMAGE, "text": "x"}), 100, 'key "text" on param interactive'),
    "caption in a header": (buttons(header=head("image", {**LINK, "caption": "x"})), 100, '"caption"'),
    "filename on an image header": (
        buttons(header=head("image", {**LINK, "filename": "x"})),
        100,
        '"filename"',
    ),
    "header by id and link": (buttons(header=head("video", {**LINK, "id": "1"})), 131009, "not both"),
    "header by unknown id": (
        buttons(header=head("image", {"id": "404"})),
        100,
        "Param interactive['header']['image']['id'] is not a valid whatsapp business account media",
    ),
    "header by ftp": (buttons(header=head("image", {"link": "ftp://a/b"})), 100, "is not a valid URI"),
    "footer of 61": (buttons(footer={"text": X * 61}), 100, "['footer']['text'] must be at most 60"),
    "footer empty": (buttons(footer={"text": ""}), 131009, "['footer']['text'] must not be empty"),
    "footer without text": (buttons(footer={"text": None}), 131008, "['footer']['text'] is required"),
    "footer words": (buttons(footer="x"), 100, "interactive['footer'] must be an object"),
    "list body of 4097": (listed(body={"text": X * 4097}), 100, "at most 4096 characters long; it has 4097"),
    "list with an image header": (listed(header=IMAGE), 100, "['header']['type'] must be one of {text}"),
    "list button of 21": (listed(button=X * 21), 100, f"{ACTION}['button'] must be at most 20"),
    "list button empty": (listed(button=""), 131009, f"{ACTION}['button'] must not be empty"),
    "list without button": (listed(button=None), 131008, f"{ACTION}['button'] is required"),
    "list without sections": (
        interactive("list", {"button": "x"}),
        131008,
        f"{ACTION}['sections'] is required",
    ),
    "empty sections": (interactive("list", {"button": "x", "sections": []}), 131009, "1 to 10 sections"),
    "eleven sections": (listed(*sections(11)), 131009, "1 to 10 sections; it has 11"),
    "eleven rows": (listed(section(*rows(11))), 131009, "1 to 10 rows; it has 11"),
    "eleven rows in two sections": (
        listed(section(*rows(5)), section(*rows(6, 5))),
        131009,
        "at most 10 rows in all sections together; there are 11",
    ),
    "section without rows": (listed({"title": "T"}), 131008, "['sections'][0]['rows'] is required"),
    "section with empty rows": (
        listed({"title": "T", "rows": []}),
        131009,
        "['rows'] must hold 1 to 10 rows",
    ),
    "section title of 25": (
        listed(section(title=X * 25)),
        100,
        "['sections'][0]['title'] must be at most 24",
    ),
    "two sections, one untitled": (
        listed(section(row("a")), section(row("b"), title=None)),
        131008,
        "['sections'][1]['title'] is required",
    ),
    "misspelt in a section": (listed(section(product_items=[1])), 100, 'Unexpected key "product_items"'),
    "row without id": (listed(section({"title": "A"})), 131008, "['rows'][0]['id'] is required"),
    "row without title": (listed(section({"id": "a"})), 131008, "['rows'][0]['title'] is required"),
    "row id of 201": (listed(section(row(X * 201))), 100, "['rows'][0]['id'] must be at most 200"),
    "row title of 25": (listed(section(row(title=X * 25))), 100, "['rows'][0]['title'] must be at most 24"),
    "row description of 73": (
        listed(section(row(description=X * 73))),
        100,
        "['rows'][0]['description'] must be at most 72",
    ),
    "row description blank": (listed(section(row(description=" "))), 131009, "['description'] must not be"),
    "same row id twice": (listed(section(row("a"), row("a", "B"))), 131009, "every row's id must be unique"),
    "same row id in two sections": (
        listed(section(row("a")), section(row("a", "B"))),
        131009,
        "every row's id must be unique",
    ),
    "misspelt in a row": (listed(section(row(descr="x"))), 100, 'Unexpected key "descr"'),
    "row not an object": (listed(section("a")), 100, "['rows'][0] must be an object"),
}


@pytest.mark.parametrize("case", FINE)
async def test_accepted_at_the_limit(graph: "Graph", case: str) -> None:
    answer = await graph.send(**FINE[case])
    assert answer.status == 200, answer.json


@pytest.mark.parametrize("case", REFUSED)
async def test_refused_beyond_it_with_the_field_named(graph: "Graph", case: str) -> None:
    await refused(graph, REFUSED[case])


async def test_what_the_person_sees(graph: "Graph", sim: Simulator) -> None:
    asked = await graph.send(
        **buttons(reply("y", "Yes"), reply("n", "No"), header=head("image", LINK), footer={"text": "Foot"})
    )
    slots = listed(section(row("1", "17:00", description="30 minutes")), header=head("text", "Head"))
    chosen = await graph.send(**slots)
    seen, choice = (sim.parts.world.messages[each.wamid].content for each in (asked, chosen))
    assert seen.buttons == (Button("Yes", "y"), Button("No", "n"))
    assert (seen.shown, seen.answers_as, seen.category) == ("Words\nFoot", "interactive", "service")
    assert seen.attachment is not None
    assert (seen.attachment.kind, seen.attachment.link) == ("image", LINK["link"])
    assert (choice.list_label, choice.shown) == ("Slots", "Head\nWords")
    assert choice.sections == (Section("Today", (Row("1", "17:00", "30 minutes"),)),)
