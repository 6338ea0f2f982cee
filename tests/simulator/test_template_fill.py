"""Sending templates: headers, bodies, offers, cards, and the ways each is refused (cloud-api.md 2.6, 5.3)."""

from typing import TYPE_CHECKING, Any

import pytest

from sayso.simulator import Simulator, SimulatorConfig
from sayso.simulator.world.content import Attachment, Button, Card, Content, Place
from sayso.simulator.world.media import Upload
from simulator.template_stage import BODY, body, buttons, created, desk, send

if TYPE_CHECKING:
    from simulator.conftest import Answer, Graph, Receiver

PICTURE = {"type": "image", "image": {"link": "https://example.org/a.png"}}
PLACE = {"latitude": 52.5, "longitude": "13.4", "name": "Office", "address": None}


@pytest.fixture
def strict() -> bool:
    return False


@pytest.fixture
def config(receiver: "Receiver", strict: bool) -> SimulatorConfig:
    return SimulatorConfig(
        port=0,
        webhook_url=receiver.url,
        review="instant",
        enforce_rates=False,
        sample_from_test_numbers_only=strict,
    )


#: What is uploaded for each format of a media header; the handle names the format.
UPLOADS = {"IMAGE": "image/png", "VIDEO": "video/mp4", "GIF": "video/mp4", "DOCUMENT": "application/pdf"}


@pytest.fixture(autouse=True)
def _uploads(sim: Simulator) -> None:
    for form, kind in UPLOADS.items():
        upload = Upload(f"upload:{form}", "900000000000001", 3, kind, data=b"abc", handle=f"4::{form}")
        sim.parts.world.uploads[upload.id] = upload


def header(form: str) -> dict[str, Any]:
    example = {"example": {"header_handle": [f"4::{form}"]}} if form in UPLOADS else {}
    return {"type": "HEADER", "format": form} | example


def parameters(kind: str, *given: Any) -> dict[str, Any]:
    return {"type": kind, "parameters": list(given)}


def text(words: str, **more: Any) -> dict[str, Any]:
    return {"type": "text", "text": words, **more}


def shown(sim: Simulator) -> Content:
    """What the person has on the screen of the last message."""
    return list(sim.parts.world.outbound())[-1].content


def refused(answer: "Answer", code: int, words: str) -> None:
    assert answer.status != 200, answer.json
    assert (answer.code, words in answer.details) == (code, True), answer.json


# --- words ----------------------------------------------------------------------------------------------

TWO = {
    "type": "BODY",
    "text": "Please do {{action}} before {{when}} today or never.",
    "example": {
        "body_text_named_params": [
            {"param_name": "action", "example": "x"},
            {"param_name": "when", "example": "y"},
        ]
    },
}


async def test_named_parameters_go_by_their_names(graph: "Graph", sim: Simulator) -> None:
    await created(graph, TWO, parameter_format="NAMED")
    action, when = text("this", parameter_name="action"), text("noon", parameter_name="when")
    for given in ((action, when), (when, action)):
        assert (await send(graph, "notice", parameters("BODY", *given))).status == 200
        assert shown(sim).body == "Please do this before noon today or never."
    for wrong, code, words in (
        ((action,), 132000, "(1) does not match the expected number of params (2)"),
        ((action, when, when), 132000, "(3) does not match"),
        ((action, action), 132012, "must be given once"),
        ((action, text("noon")), 132012, "parameter_name None"),
        ((action, text("noon", parameter_name="where")), 132012, "parameter_name 'where'"),
    ):
        refused(await send(graph, "notice", parameters("body", *wrong)), code, words)


async def test_positional_parameters_go_by_their_numbers(graph: "Graph", sim: Simulator) -> None:
    await created(graph, body("Now {{2}} comes here before {{1}} is there and {{1}} stays.", "a", "b"))
    assert (await send(graph, "notice", parameters("body", text("one"), text("two")))).status == 200
    assert shown(sim).body == "Now two comes here before one is there and one stays."


async def test_a_text_header_takes_its_variable(graph: "Graph", sim: Simulator) -> None:
    title = {"type": "HEADER", "format": "TEXT", "text": "By {{1}} now", "example": {"header_text": ["Ana"]}}
    await created(graph, title, BODY)
    assert (await send(graph, "notice", parameters("header", text("x" * 53)))).status == 200
    assert shown(sim).header == f"By {'x' * 53} now"
    refused(await send(graph, "notice", parameters("header", text("x" * 54))), 132005, "at most 60")
    refused(await send(graph, "notice"), 132000, "header")
    refused(await send(graph, "notice", parameters("header", text(" "))), 132018, "empty")
    refused(await send(graph, "notice", parameters("header", PICTURE)), 132012, "'image'")


async def test_a_body_alone_may_grow_to_32768(graph: "Graph") -> None:
    one = body("Here {{1}} it is for you.", "x")
    await created(graph, one)
    await created(graph, one, {"type": "FOOTER", "text": "Bye"}, name="footed")
    fixed = len("Here  it is for you.")
    for name, limit in (("notice", 32_768), ("footed", 1024)):
        assert (await send(graph, name, parameters("body", text("x" * (limit - fixed))))).status == 200
        over = await send(graph, name, parameters("body", text("x" * (limit - fixed + 1))))
        refused(over, 132005, f"at most {limit}")


# --- headers --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["IMAGE", "VIDEO", "DOCUMENT"])
async def test_a_media_header_takes_one_of_its_kind(graph: "Graph", sim: Simulator, form: str) -> None:
    await created(graph, header(form), BODY)
    kind = form.lower()
    media = {"link": f"https://example.org/a.{kind}"} | ({"filename": "a.pdf"} if kind == "document" else {})
    given = parameters("HEADER", {"type": form, kind: media})
    assert (await send(graph, "notice", given)).status == 200
    found = shown(sim).attachment
    assert found is not None
    assert (found.kind, found.link) == (kind, media["link"])
    assert found.filename == media.get("filename", "")
    other = "video" if kind == "image" else "image"
    for wrong, code, words in (
        ([], 132012, f"expected {form}, received UNKNOWN"),
        ([{"type": other, other: media}], 132012, f"expected {form}, received {other.upper()}"),
        ([text("x")], 132012, "received TEXT"),
        ([{"type": kind, kind: {}}], 131008, "['link']"),
        ([{"type": kind}], 131008, kind),
        ([{"type": kind, kind: {"id": "404"}}], 100, "['id']"),
        ([{"type": kind, kind: media}] * 2, 132000, "(2) does not match"),
    ):
        refused(await send(graph, "notice", parameters("header", *wrong)), code, words)


async def test_a_location_header_shows_the_place(graph: "Graph", sim: Simulator) -> None:
    await created(graph, header("LOCATION"), BODY)
    given = parameters("header", {"type": "location", "location": PLACE})
    assert (await send(graph, "notice", given)).status == 200
    assert shown(sim).place == Place(52.5, 13.4, "Office", "")
    refused(await send(graph, "notice"), 132012, "expected LOCATION")
    far = parameters("header", {"type": "location", "location": PLACE | {"latitude": 91}})
    refused(await send(graph, "notice", far), 131009, "latitude")


async def test_gif_and_product_headers(graph: "Graph", sim: Simulator) -> None:
    await created(graph, header("GIF"), BODY, category="MARKETING")
    for kind in ("gif", "video"):
        given = parameters("header", {"type": kind, kind: {"link": "https://example.org/a.mp4"}})
        assert (await send(graph, "notice", given)).status == 200
        found = shown(sim).attachment
        assert found is not None
        assert found.kind == "video"
    await created(graph, header("PRODUCT"), BODY, name="shop", category="MARKETING")
    product = {"type": "product", "product": {"product_retailer_id": "SKU1", "catalog_id": "9"}}
    assert (await send(graph, "shop", parameters("header", product))).status == 200
    assert "SKU1" in shown(sim).shown


# --- offers, cards --------------------------------------------------------------------------------------


def offer(ms: Any) -> dict[str, Any]:
    inner = {"type": "limited_time_offer", "limited_time_offer": {"expiration_time_ms": ms}}
    return parameters("LIMITED_TIME_OFFER", inner)


async def test_an_offer_shows_when_it_ends(graph: "Graph", sim: Simulator) -> None:
    def component(*, ends: bool) -> dict[str, Any]:
        return {
            "type": "LIMITED_TIME_OFFER",
            "limited_time_offer": {"text": "Ends soon", "has_expiration": ends},
        }

    await created(graph, component(ends=True), BODY, category="MARKETING")
    await created(graph, component(ends=False), BODY, name="open", category="MARKETING")
    assert (await send(graph, "notice", offer(1_900_000_000_000))).status == 200
    assert shown(sim).note == "Ends soon · 2030-03-17 17:46 UTC"
    for ms in (1_900_000_000, "1900000000000", 10**18):
        assert (await send(graph, "notice", offer(ms))).status == 200
    for wrong in (0, -1, "soon", 1.5, None):
        refused(await send(graph, "notice", offer(wrong)), 132012, "expiration_time_ms")
    refused(await send(graph, "notice"), 132000, "one parameter is expected")
    assert (await send(graph, "open")).status == 200
    assert shown(sim).note == "Ends soon"
    refused(await send(graph, "hello_world", offer(1)), 132018, "no limited_time_offer")


def filled_card(place: Any, words: str) -> dict[str, Any]:
    tap = {"type": "button", "sub_type": "quick_reply", "index": 0}
    suffix = {"type": "button", "sub_type": "url", "index": "1", "parameters": [text(words)]}
    tap["parameters"] = [{"type": "payload", "payload": f"want:{words}"}]
    filled = [parameters("header", PICTURE), parameters("body", text(words)), tap, suffix]
    return {"card_index": place, "components": filled}


def carousel(*cards: Any) -> dict[str, Any]:
    return {"type": "CAROUSEL", "cards": list(cards)}


async def carousel_created(graph: "Graph") -> None:
    link = {
        "type": "URL",
        "text": "See",
        "url": "https://example.org/{{1}}",
        "example": ["https://example.org/a"],
    }
    quick = {"type": "QUICK_REPLY", "text": "Want"}
    card = {"components": [header("IMAGE"), body("Card {{1}} is for you.", "x"), buttons(quick, link)]}
    await created(graph, BODY, carousel(card, card), category="MARKETING")


async def test_a_carousel_fills_every_card(graph: "Graph", sim: Simulator) -> None:
    await carousel_created(graph)
    sent = carousel(filled_card(1, "b"), filled_card("0", "a"))
    assert (await send(graph, "notice", sent)).status == 200
    assert shown(sim).cards == tuple(
        Card(
            Attachment("image", link="https://example.org/a.png", mime_type="image/png"),
            f"Card {words} is for you.",
            (
                Button("Want", f"want:{words}"),
                Button("See", kind="url", value=f"https://example.org/{words}"),
            ),
        )
        for words in ("a", "b")
    )


async def test_a_carousel_that_does_not_fit_is_refused(graph: "Graph") -> None:
    await carousel_created(graph)
    bare = {"card_index": 1, "components": [parameters("body", text("b"))]}
    first = filled_card(0, "a")
    for cards, code, words in (
        ([first], 132000, "number of cards (1)"),
        ([], 132000, "number of cards (0)"),
        ([first, filled_card(0, "b")], 132018, "each once"),
        ([first, filled_card(2, "b")], 132018, "from 0 to 1"),
        ([first, bare], 132012, "expected IMAGE"),
        ([first, filled_card(1, "x" * 160)], 132005, "at most 160"),
    ):
        refused(await send(graph, "notice", carousel(*cards)), code, words)
    refused(await send(graph, "notice"), 132000, "number of cards (0)")
    refused(await send(graph, "hello_world", carousel()), 132018, "no carousel")


# --- who may send what ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("action", "code"),
    [("pause", 132015), ("disable", 132016), ("archive", 132001), ("delete", 132001)],
)
async def test_only_an_approved_template_is_sent(graph: "Graph", action: str, code: int) -> None:
    template_id = await created(graph)
    assert (await send(graph, "notice")).status == 200
    refused(await send(graph, "notice", code="en"), 132001, "does not exist in en")
    await desk(graph, template_id, action)
    refused(await send(graph, "notice"), code, "notice")


async def test_a_rejected_template_is_not_sent(graph: "Graph") -> None:
    await created(graph, body("Do as we say, you idiots."))
    refused(await send(graph, "notice"), 132001, "REJECTED")


async def test_authentication_templates_go_to_phones_only(graph: "Graph", sim: Simulator) -> None:
    otp = buttons({"type": "OTP", "otp_type": "COPY_CODE"})
    await created(graph, {"type": "BODY"}, otp, category="AUTHENTICATION")
    tap = {"type": "button", "sub_type": "url", "index": 0, "parameters": [text("123456")]}
    given = (parameters("body", text("123456")), tap)
    assert (await send(graph, "notice", *given)).status == 200
    assert shown(sim).body == "*123456* is your verification code."
    user_id = next(iter(sim.parts.world.people.values())).user_id
    refused(await send(graph, "notice", *given, to=None, recipient=user_id), 131062, "user ID")
    assert (await send(graph, "hello_world", to=None, recipient=user_id)).status == 200


@pytest.mark.parametrize("strict", [True])
async def test_where_asked_for_the_sample_goes_out_from_test_numbers_only(
    graph: "Graph", sim: Simulator
) -> None:
    refused(await send(graph, "hello_world"), 131058, "test numbers")
    sim.parts.world.number.account_mode = "SANDBOX"
    assert (await send(graph, "hello_world")).status == 200
