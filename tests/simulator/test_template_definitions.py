"""What may be created: names, languages, categories, variables, lengths, lifetimes (cloud-api.md 2.8, 3.2, 3.7)."""

from typing import TYPE_CHECKING, Any

import pytest

from sayso.simulator import SimulatorConfig
from simulator.template_stage import BODY, BODY_OF_ONE, EDGE, body, buttons, create, definition, read

if TYPE_CHECKING:
    from simulator.conftest import Graph, Receiver


@pytest.fixture
def config(receiver: "Receiver") -> SimulatorConfig:
    return SimulatorConfig(port=0, webhook_url=receiver.url, review="instant")


def header(text: str, *examples: str, **more: Any) -> dict[str, Any]:
    example = {"example": {"header_text": list(examples)}} if examples else {}
    return {"type": "HEADER", "format": "TEXT", "text": text} | example | more


def named(text: str, *names: str) -> dict[str, Any]:
    params = [{"param_name": name, "example": "x"} for name in names]
    return {"type": "BODY", "text": text, "example": {"body_text_named_params": params}}


def ttl(category: str, seconds: Any) -> dict[str, Any]:
    if category == "AUTHENTICATION":
        otp = buttons({"type": "OTP", "otp_type": "COPY_CODE"})
        return definition({"type": "BODY"}, otp, category=category, message_send_ttl_seconds=seconds)
    return definition(category=category, message_send_ttl_seconds=seconds)


OFFER = {"type": "LIMITED_TIME_OFFER", "limited_time_offer": {"text": "Ends soon", "has_expiration": True}}
WORDS = "one two three four five six seven"
FINE: dict[str, dict[str, Any]] = {
    "plain": definition(),
    "name of 512": definition(name="n" * 512),
    "digits in the name": definition(name="a_1"),
    "lower case throughout": definition(
        {**BODY, "type": "body"}, category="utility", parameter_format="named"
    ),
    "header in lower case": definition({**header("Hello"), "type": "header", "format": "text"}, BODY),
    "language as in sending": definition(
        language={"code": "pt_BR"}, components=[body("Chegou o seu pedido hoje.")]
    ),
    "nulls": definition({**BODY, "example": None}, parameter_format=None, message_send_ttl_seconds=None),
    "positional": definition(BODY_OF_ONE),
    "examples in a plain list": definition({**BODY_OF_ONE, "example": {"body_text": ["deploy"]}}),
    "numbers out of order": definition(body("Now {{2}} comes here before {{1}} is there.", "a", "b")),
    "a number twice": definition(body("Now {{1}} is there and {{1}} again is there.", "a")),
    "named": definition(
        named("Please do {{action}} before {{the_deadline}} today or never.", "the_deadline", "action")
    ),
    "body of 1024": definition(body("a" * 1024)),
    "five words for two variables": definition(body("one {{1}} two three {{2}} four five", "a", "b")),
    "header of 60": definition(header("h" * 60), BODY),
    "header with a variable": definition(header("Request by {{1}} now", "Ana"), BODY),
    "header that ends with one": definition(header("Request by {{1}}", "Ana"), BODY),
    "footer of 60": definition(BODY, {"type": "FOOTER", "text": "f" * 60}),
    "two line breaks": definition(body("One line here.\n\nAnother there.")),
    "location header": definition({"type": "HEADER", "format": "LOCATION"}, BODY),
    "an offer": definition(BODY, OFFER, category="MARKETING"),
    "offer of 16": definition(
        BODY, {**OFFER, "limited_time_offer": {"text": "o" * 16}}, category="MARKETING"
    ),
    "ignored switch": definition(allow_category_change=True),
    "ttl utility shortest": ttl("UTILITY", 30),
    "ttl utility longest": ttl("UTILITY", 43_200),
    "ttl utility thirty days": ttl("UTILITY", -1),
    "ttl as text": ttl("UTILITY", "600"),
    "ttl authentication shortest": ttl("AUTHENTICATION", 30),
    "ttl authentication longest": ttl("AUTHENTICATION", 900),
    "ttl authentication thirty days": ttl("AUTHENTICATION", -1),
    "ttl marketing shortest": ttl("MARKETING", 43_200),
    "ttl marketing longest": ttl("MARKETING", 2_592_000),
}
for _definition in FINE.values():  # NAMED where the variables are names
    if "{{action}}" in str(_definition):
        _definition["parameter_format"] = "NAMED"

REFUSED: dict[str, tuple[dict[str, Any], int | None, str]] = {
    "no name": (definition(name=None), None, "name is required"),
    "name of 513": (definition(name="n" * 513), 2388040, "at most 512"),
    "capital": (definition(name="Notice"), None, "lower-case"),
    "hyphen": (definition(name="a-b"), None, "lower-case"),
    "no language": (definition(language=None), None, "language is required"),
    "unknown language": (definition(language="xx"), None, "supported codes"),
    "language with a hyphen": (definition(language="en-US"), None, "supported codes"),
    "no category": (definition(category=None), None, "category is required"),
    "unknown category": (definition(category="SERVICE"), None, "category must be one of"),
    "unknown format": (definition(parameter_format="MIXED"), None, "parameter_format must be one of"),
    "no components": (definition(components=None), None, "non-empty array"),
    "empty components": (definition(components=[]), None, "non-empty array"),
    "components too deep": (definition(components="[" * 100_000), None, "valid JSON"),
    "ttl endless": (ttl("UTILITY", "9" * 5000), None, "number of seconds"),
    "components no JSON": (definition(components="[{"), None, "valid JSON"),
    "component a string": (definition("BODY"), None, "must be an object"),
    "misspelt key": (
        definition({**BODY, "txt": "a"}),
        None,
        'Unexpected key "txt" on param components[0].',
    ),
    "misspelt key of an offer": (
        definition(
            BODY, {**OFFER, "limited_time_offer": {"text": "o", "expires": True}}, category="MARKETING"
        ),
        None,
        'Unexpected key "expires" on param LIMITED_TIME_OFFER.limited_time_offer.',
    ),
    "unknown component": (definition(BODY, {"type": "FOOT"}), None, "components[1].type must be one of"),
    "two bodies": (definition(BODY, BODY), None, "only one BODY"),
    "no body": (definition(header("Hello")), None, "must hold a BODY"),
    "empty body": (definition(body(" ")), 2388072, "text is required"),
    "body of 1025": (definition(body("a" * 1025)), 2388040, "at most 1024"),
    "three line breaks": (definition(body("One.\n\n\nTwo.")), 2388072, "line breaks"),
    "five spaces": (definition(body("One     two.")), 2388072, "four spaces"),
    "tab": (definition(body("One\ttwo.")), 2388072, "tabs"),
    "starts with a variable": (definition(body(f"{{{{1}}}} {WORDS}", "a")), 2388299, "start or end"),
    "ends with a variable": (definition(body(f"{WORDS} {{{{1}}}}", "a")), 2388299, "start or end"),
    "side by side": (definition(body(f"{WORDS} {{{{1}}}} {{{{2}}}} so", "a", "b")), 2388072, "side by side"),
    "four words for two": (definition(body("one {{1}} two three {{2}} four", "a", "b")), 2388293, "too many"),
    "a gap": (definition(body(f"{WORDS} {{{{1}}}} and {{{{3}}}} so", "a", "b")), 2388072, "without a gap"),
    "from two": (definition(body(f"{WORDS} {{{{2}}}} so", "a")), 2388072, "numbered"),
    "a name in POSITIONAL": (definition(body(f"{WORDS} {{{{name}}}} so", "a")), 2388072, "numbered"),
    "braces left over": (definition(body(f"{WORDS} {{{{1}} so", "a")), 2388072, "braces are left over"),
    "no example": (definition(body(f"{WORDS} {{{{1}}}} so")), 2388072, "example"),
    "one example too few": (
        definition(body(f"{WORDS} {{{{1}}}} then {{{{2}}}} so", "a")),
        2388072,
        "example",
    ),
    "one example too many": (definition(body(f"{WORDS} {{{{1}}}} so", "a", "b")), 2388072, "example"),
    "digit in NAMED": (
        definition(named(f"{WORDS} {{{{step_1}}}} so", "step_1"), parameter_format="NAMED"),
        2388072,
        "lower-case",
    ),
    "capital in NAMED": (
        definition(named(f"{WORDS} {{{{Now}}}} so", "Now"), parameter_format="NAMED"),
        2388072,
        "lower-case",
    ),
    "number in NAMED": (
        definition(named(f"{WORDS} {{{{1}}}} so", "1"), parameter_format="NAMED"),
        2388072,
        "lower-case",
    ),
    "a name twice": (
        definition(named(f"{WORDS} {{{{a}}}} then {{{{a}}}} so", "a"), parameter_format="NAMED"),
        2388072,
        "unique",
    ),
    "another name's example": (
        definition(named(f"{WORDS} {{{{a}}}} so", "b"), parameter_format="NAMED"),
        2388072,
        "example",
    ),
    "header of 61": (definition(header("h" * 61), BODY), 2388040, "at most 60"),
    "header of no format": (
        definition({"type": "HEADER", "text": "Hi"}, BODY),
        2388047,
        "format must be one of",
    ),
    "header of two variables": (
        definition(header("A {{1}} b {{2}} c", "a", "b"), BODY),
        2388047,
        "one variable",
    ),
    "header without example": (definition(header("A {{1}} b"), BODY), 2388047, "example"),
    "header with a line break": (definition(header("A\nb"), BODY), 2388047, "line breaks"),
    "header with an asterisk": (definition(header("A *b*"), BODY), 2388047, "asterisks"),
    "header with an emoji": (definition(header("A 😀"), BODY), 2388047, "emoji"),
    "GIF in utility": (definition({"type": "HEADER", "format": "GIF"}, BODY), 2388047, "marketing"),
    "footer of 61": (definition(BODY, {"type": "FOOTER", "text": "f" * 61}), 2388040, "at most 60"),
    "footer with a variable": (
        definition(BODY, {"type": "FOOTER", "text": "for {{1}} so"}),
        2388073,
        "no variables",
    ),
    "footer with a line break": (
        definition(BODY, {"type": "FOOTER", "text": "a\nb"}),
        2388073,
        "line breaks",
    ),
    "empty footer": (definition(BODY, {"type": "FOOTER"}), 2388073, "text is required"),
    "offer that may end": (
        definition(
            BODY,
            {**OFFER, "limited_time_offer": {"text": "o", "has_expiration": "may"}},
            category="MARKETING",
        ),
        None,
        "has_expiration must be a boolean",
    ),
    "misspelt key of a card": (
        definition(
            BODY, {"type": "CAROUSEL", "cards": [{"components": [], "component": 1}]}, category="MARKETING"
        ),
        None,
        'Unexpected key "component" on param cards[0].',
    ),
    "misspelt key in a card": (
        definition(
            BODY, {"type": "CAROUSEL", "cards": [{"components": [{"typ": "BODY"}]}]}, category="MARKETING"
        ),
        None,
        'Unexpected key "typ" on param cards[0].components[0].',
    ),
    "offer in utility": (definition(BODY, OFFER), None, "category MARKETING"),
    "offer of 17": (
        definition(BODY, {**OFFER, "limited_time_offer": {"text": "o" * 17}}, category="MARKETING"),
        2388040,
        "at most 16",
    ),
    "offer and footer": (
        definition(BODY, OFFER, {"type": "FOOTER", "text": "f"}, category="MARKETING"),
        2388073,
        "not allowed beside",
    ),
    "library": (definition(library_template_name="x"), None, "library"),
    "ttl no number": (ttl("UTILITY", "soon"), None, "number of seconds"),
    "ttl utility 29": (ttl("UTILITY", 29), None, "between 30 and 43200"),
    "ttl utility 43201": (ttl("UTILITY", 43_201), None, "between 30 and 43200"),
    "ttl authentication 29": (ttl("AUTHENTICATION", 29), None, "between 30 and 900"),
    "ttl authentication 901": (ttl("AUTHENTICATION", 901), None, "between 30 and 900"),
    "ttl marketing 43199": (ttl("MARKETING", 43_199), None, "between 43200 and 2592000"),
    "ttl marketing 2592001": (ttl("MARKETING", 2_592_001), None, "between 43200 and 2592000"),
    "ttl marketing thirty days": (ttl("MARKETING", -1), None, "between"),
}


@pytest.mark.parametrize("case", FINE)
async def test_definition_is_taken(graph: "Graph", case: str) -> None:
    answer = await graph.call("POST", EDGE, json=FINE[case])
    assert answer.status == 200, answer.json
    wanted = FINE[case]["category"].upper()
    assert answer.json == {"id": answer.json["id"], "status": "APPROVED", "category": wanted}


@pytest.mark.parametrize("case", REFUSED)
async def test_definition_is_refused(graph: "Graph", case: str) -> None:
    given, subcode, words = REFUSED[case]
    answer = await graph.call("POST", EDGE, json=given)
    assert (answer.status, answer.code) == (400, 100), answer.json
    assert answer.json["error"].get("error_subcode") == subcode, answer.json
    assert words in answer.details


async def test_same_name_and_language_is_refused_another_language_is_not(graph: "Graph") -> None:
    assert (await create(graph)).status == 200
    again = await create(graph)
    assert (again.code, again.json["error"]["error_subcode"]) == (100, 2388024)
    assert (await create(graph, language="en_GB")).status == 200


async def test_a_form_with_json_in_its_fields_is_a_definition_too(graph: "Graph") -> None:
    form = {
        "name": "notice",
        "language": "en_US",
        "category": "UTILITY",
        "components": '[{"type":"BODY","text":"Your export is ready to be fetched."}]',
        "message_send_ttl_seconds": "60",
    }
    answer = await graph.call("POST", EDGE, data=form)
    assert answer.status == 200, answer.json
    template = await read(graph, answer.json["id"])
    assert template["components"] == [BODY]
    assert template["message_send_ttl_seconds"] == 60


async def test_components_are_listed_in_order_with_upper_case_types(graph: "Graph") -> None:
    given = [
        buttons({"type": "quick_reply", "text": "Yes"}),
        {"type": "footer", "text": "Bye"},
        BODY,
        {**header("Hello"), "type": "header"},
    ]
    answer = await create(graph, *given)
    found = (await read(graph, answer.json["id"], "components"))["components"]
    assert found == [
        {"type": "HEADER", "format": "TEXT", "text": "Hello"},
        BODY,
        {"type": "FOOTER", "text": "Bye"},
        {"type": "BUTTONS", "buttons": [{"type": "QUICK_REPLY", "text": "Yes"}]},
    ]


async def test_a_switch_in_a_string_is_the_switch(graph: "Graph") -> None:
    for given, wanted in (("true", True), ("false", False)):
        offer = {"type": "LIMITED_TIME_OFFER", "limited_time_offer": {"text": "o", "has_expiration": given}}
        answer = await create(graph, BODY, offer, name=f"n_{given}", category="MARKETING")
        found = (await read(graph, answer.json["id"], "components"))["components"]
        assert found[0]["limited_time_offer"] == {"text": "o", "has_expiration": wanted}


async def uploaded(graph: "Graph", kind: str) -> str:
    """The handle of three bytes that are said to be of this MIME type."""
    path = "/v25.0/900000000000001/uploads"
    begun = await graph.call("POST", path, params={"file_length": "3", "file_type": kind, "file_name": "a"})
    headers = {"Authorization": "Bearer sim-token", "file_offset": "0"}
    handle: str = (await graph.call("POST", f"/v25.0/{begun.json['id']}", headers=headers, data=b"abc")).json[
        "h"
    ]
    return handle


@pytest.mark.parametrize(
    ("form", "kinds", "other"),
    [
        ("IMAGE", ("image/jpeg", "image/jpg", "image/png"), "video/mp4"),
        ("VIDEO", ("video/mp4",), "image/png"),
        ("GIF", ("video/mp4",), "image/png"),
        ("DOCUMENT", ("application/pdf",), "image/png"),
    ],
)
async def test_media_header_takes_a_handle_of_the_resumable_upload(
    graph: "Graph", form: str, kinds: tuple[str, ...], other: str
) -> None:
    def media(*handles: str) -> dict[str, Any]:
        return {"type": "HEADER", "format": form, "example": {"header_handle": list(handles)}}

    for place, kind in enumerate(kinds):
        fine = media(await uploaded(graph, kind))
        assert (await create(graph, fine, BODY, name=f"n{place}", category="MARKETING")).status == 200
    misfit = await create(graph, media(await uploaded(graph, other)), BODY, category="MARKETING")
    assert misfit.json["error"]["error_subcode"] == 2388047
    assert f"of {other}, not of {' or '.join(kinds)}" in misfit.details
    for wrong in (media("4::invented"), media()):
        refused = await create(graph, wrong, BODY, category="MARKETING")
        assert refused.json["error"]["error_subcode"] == 2388047
        assert "resumable upload" in refused.details
