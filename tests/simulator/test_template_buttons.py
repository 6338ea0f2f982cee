"""Buttons, carousels and authentication templates: kinds, counts, order, lengths (cloud-api.md 2.8, 3.2)."""

from typing import TYPE_CHECKING, Any

import pytest

from sayso.simulator import Simulator, SimulatorConfig
from sayso.simulator.world.media import Upload
from simulator.template_stage import BODY, body, buttons, create, created, read

if TYPE_CHECKING:
    from simulator.conftest import Graph, Receiver


@pytest.fixture
def config(receiver: "Receiver") -> SimulatorConfig:
    return SimulatorConfig(port=0, webhook_url=receiver.url, review="instant")


QUICK = {"type": "QUICK_REPLY", "text": "Yes"}
LINK = {"type": "URL", "text": "Open", "url": "https://example.org/a"}
PHONE = {"type": "PHONE_NUMBER", "text": "Call", "phone_number": "+15550001111"}
COPY = {"type": "COPY_CODE", "example": "SAVE20"}
FLOW = {"type": "FLOW", "text": "Start", "flow_id": "1"}


def link(url: str, **more: Any) -> dict[str, Any]:
    return {**LINK, "url": url, **more}


def variable(url: str, **more: Any) -> dict[str, Any]:
    return link(url, example=["https://example.org/abc"], **more)


FINE: dict[str, list[Any]] = {
    "ten quick replies": [{**QUICK, "text": f"Yes {place}"} for place in range(10)],
    "text of 25": [{**QUICK, "text": "x" * 25}],
    "quick replies first": [QUICK, QUICK, LINK, PHONE],
    "quick replies last": [LINK, PHONE, QUICK, QUICK],
    "two links": [LINK, LINK],
    "link with a variable": [variable("https://example.org/{{1}}")],
    "example a string": [link("https://example.org/{{1}}", example="https://example.org/abc")],
    "link with a variable in its query": [variable("https://example.org?ref={{1}}")],
    "null key": [{**QUICK, "note": None}],
    "shortest phone": [{**PHONE, "phone_number": "110"}],
    "phone with letters": [{**PHONE, "phone_number": "1-800-CALL-NOW"}],
    "link of 2000": [link("https://example.org/" + "x" * 1980)],
    "phone of 20": [{**PHONE, "phone_number": "1" * 20}],
    "code of 15": [{**COPY, "example": "c" * 15}],
    "code in an array": [{**COPY, "example": ["SAVE20"]}],
    "flow by name, lower-case kind": [
        {"type": "flow", "text": "Start", "flow_name": "x", "flow_action": "NAVIGATE"}
    ],
    "every kind alone": [LINK, PHONE, COPY, FLOW],
    "catalog": [{"type": "CATALOG", "text": "View"}],
    "many products": [{"type": "MPM", "text": "View items"}],
    "one product": [{"type": "SPM", "text": "View"}],
    "voice call": [{"type": "VOICE_CALL", "text": "Ring"}],
    "call permission": [{"type": "CALL_PERMISSION_REQUEST"}],
    "contact info": [{"type": "REQUEST_CONTACT_INFO"}],
}
REFUSED: dict[str, tuple[Any, int | None, str]] = {
    "none": ([], None, "1 to 10"),
    "eleven": ([QUICK] * 11, None, "at most 10"),
    "no object": (["Yes"], None, "must be an object"),
    "unknown kind": ([{"type": "POLL", "text": "x"}], None, "buttons[0].type must be one of"),
    "no text": ([{"type": "QUICK_REPLY"}], None, "buttons[0].text is required"),
    "text of 26": ([{**QUICK, "text": "x" * 26}], 2388040, "at most 25"),
    "variable in the text": ([{**QUICK, "text": "Yes {{1}}"}], None, "no variables"),
    "three links": ([LINK] * 3, None, "at most 2 of type URL"),
    "two phones": ([PHONE] * 2, None, "at most 1 of type PHONE_NUMBER"),
    "two codes": ([COPY] * 2, None, "at most 1 of type COPY_CODE"),
    "two flows": ([FLOW] * 2, None, "at most 1 of type FLOW"),
    "quick replies apart": ([QUICK, LINK, QUICK], None, "must stand together"),
    "no url": ([{"type": "URL", "text": "Open"}], None, "url is required"),
    "link of 2001": ([link("https://example.org/" + "x" * 1981)], 2388040, "at most 2000"),
    "half a bracket": ([link("https://[x")], None, "http or https"),
    "no address": ([link("example.org")], None, "http or https"),
    "wa.me": ([link("https://wa.me/15550001111")], None, "wa.me"),
    "variable in the middle": ([variable("https://example.org/{{1}}/x")], None, "at its end"),
    "two variables": ([variable("https://example.org/{{1}}/{{2}}")], None, "one variable"),
    "variable without example": ([link("https://example.org/{{1}}")], None, "example is required"),
    "variable from two": ([variable("https://example.org/{{2}}")], None, "without a gap"),
    "variable with a name": ([variable("https://example.org/{{abc}}")], None, "without a gap"),
    "half a variable": ([link("https://example.org/{{1")], None, "braces are left over"),
    "variable as the host": ([variable("https://{{1}}")], None, "a host of its own"),
    "variable in the host": ([variable("https://example.{{1}}")], None, "a host of its own"),
    "misspelt key": ([{**QUICK, "txt": "Yes"}], None, 'Unexpected key "txt" on param buttons[0].'),
    "phone of two digits": ([{**PHONE, "phone_number": "+5 and 5"}], None, "must be a phone number"),
    "phone of none": ([{**PHONE, "phone_number": "²²²"}], None, "must be a phone number"),
    "no phone number": ([{"type": "PHONE_NUMBER", "text": "Call"}], None, "phone_number is required"),
    "phone of 21": ([{**PHONE, "phone_number": "1" * 21}], 2388040, "at most 20"),
    "no code": ([{"type": "COPY_CODE"}], None, "example is required"),
    "code of 16": ([{**COPY, "example": "c" * 16}], 2388040, "at most 15"),
    "flow of none": ([{"type": "FLOW", "text": "Start"}], None, "exactly one of flow_id"),
    "flow of two": ([{**FLOW, "flow_name": "x"}], None, "exactly one of flow_id"),
    "flow action": ([{**FLOW, "flow_action": "jump"}], None, "navigate or data_exchange"),
    "one-time code": ([{"type": "OTP", "otp_type": "COPY_CODE"}], None, "AUTHENTICATION"),
}


@pytest.mark.parametrize("case", FINE)
async def test_buttons_are_taken(graph: "Graph", case: str) -> None:
    answer = await create(graph, BODY, buttons(*FINE[case]))
    assert answer.status == 200, answer.json


@pytest.mark.parametrize("case", REFUSED)
async def test_buttons_are_refused(graph: "Graph", case: str) -> None:
    given, subcode, words = REFUSED[case]
    answer = await create(graph, BODY, buttons(*given))
    assert (answer.status, answer.code) == (400, 100), answer.json
    assert answer.json["error"].get("error_subcode") == subcode
    assert words in answer.details


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("https://example.org/{{1}}", ""),
        ("https://example.org/{{code}}", ""),
        ("https://example.org/{{2}}", "a NAMED variable"),
        ("https://example.org/{{Code}}", "a NAMED variable"),
    ],
)
async def test_a_link_in_a_named_template_has_a_number_or_a_name(
    graph: "Graph", address: str, words: str
) -> None:
    answer = await create(graph, BODY, buttons(variable(address)), parameter_format="NAMED")
    assert answer.status == (400 if words else 200), answer.json
    assert not words or words in answer.details


APP = {"package_name": "org.example.app", "signature_hash": "K8a/AINcGX7"}
CODE = {"type": "OTP", "otp_type": "COPY_CODE"}
ONE_TAP = {"type": "OTP", "otp_type": "ONE_TAP", "supported_apps": [APP]}
ZERO_TAP = {**ONE_TAP, "otp_type": "ZERO_TAP", "zero_tap_terms_accepted": True}


def footer(minutes: Any) -> dict[str, Any]:
    return {"type": "FOOTER", "code_expiration_minutes": minutes}


AUTHENTICATION: dict[str, list[Any]] = {
    "copy": [{"type": "BODY", "add_security_recommendation": True}, footer(5), buttons(CODE)],
    "shortest": [{"type": "BODY"}, footer(1), buttons(CODE)],
    "switches in strings": [
        {"type": "BODY", "add_security_recommendation": "true"},
        buttons({**ZERO_TAP, "zero_tap_terms_accepted": "true"}),
    ],
    "longest": [{"type": "BODY"}, footer(90), buttons(CODE)],
    "one tap": [{"type": "BODY"}, buttons(ONE_TAP)],
    "zero tap": [{"type": "BODY"}, buttons(ZERO_TAP)],
    "one app, the older way": [{"type": "BODY"}, buttons({"type": "otp", "otp_type": "one_tap", **APP})],
    "five apps": [{"type": "BODY"}, buttons({**ONE_TAP, "supported_apps": [APP] * 5})],
    "label of 25": [{"type": "BODY"}, buttons({**CODE, "text": "x" * 25})],
}
NOT_AUTHENTICATION: dict[str, tuple[list[Any], int | None, str]] = {
    "own words": ([body("Your code is near."), buttons(CODE)], None, "preset"),
    "header": ([{"type": "HEADER"}, {"type": "BODY"}, buttons(CODE)], None, "component HEADER"),
    "no buttons": ([{"type": "BODY"}], None, "BODY and BUTTONS"),
    "two buttons": ([{"type": "BODY"}, buttons(CODE, CODE)], None, "exactly one button"),
    "a quick reply": ([{"type": "BODY"}, buttons(QUICK)], None, "of type OTP"),
    "unknown type": ([{"type": "BODY"}, buttons({**CODE, "otp_type": "TAP"})], None, "otp_type"),
    "no minutes": ([{"type": "BODY"}, footer(0), buttons(CODE)], None, "from 1 to 90"),
    "91 minutes": ([{"type": "BODY"}, footer(91), buttons(CODE)], None, "from 1 to 90"),
    "advice no boolean": (
        [{"type": "BODY", "add_security_recommendation": "perhaps"}, buttons(CODE)],
        None,
        "must be a boolean",
    ),
    "label of 26": ([{"type": "BODY"}, buttons({**CODE, "text": "x" * 26})], 2388040, "at most 25"),
    "no apps": ([{"type": "BODY"}, buttons({"type": "OTP", "otp_type": "ONE_TAP"})], None, "1 to 5 apps"),
    "six apps": ([{"type": "BODY"}, buttons({**ONE_TAP, "supported_apps": [APP] * 6})], None, "1 to 5 apps"),
    "misspelt app": (
        [{"type": "BODY"}, buttons({**ONE_TAP, "supported_apps": [{**APP, "hash": "x"}]})],
        None,
        'Unexpected key "hash" on param buttons[0].supported_apps[0]',
    ),
    "misspelt button": ([{"type": "BODY"}, buttons({**CODE, "otp": 1})], None, '"otp" on param buttons[0]'),
    "app in words": (
        [{"type": "BODY"}, buttons({**ONE_TAP, "supported_apps": ["a"]})],
        None,
        "must be an object",
    ),
    "short hash": (
        [{"type": "BODY"}, buttons({**ONE_TAP, "supported_apps": [{**APP, "signature_hash": "x" * 10}]})],
        None,
        "11 characters",
    ),
    "terms not accepted": (
        [{"type": "BODY"}, buttons({**ZERO_TAP, "zero_tap_terms_accepted": False})],
        None,
        "terms",
    ),
}


@pytest.mark.parametrize("case", AUTHENTICATION)
async def test_authentication_template_is_taken(graph: "Graph", case: str) -> None:
    answer = await create(graph, *AUTHENTICATION[case], category="AUTHENTICATION")
    assert answer.status == 200, answer.json


@pytest.mark.parametrize("case", NOT_AUTHENTICATION)
async def test_authentication_template_is_refused(graph: "Graph", case: str) -> None:
    components, subcode, words = NOT_AUTHENTICATION[case]
    answer = await create(graph, *components, category="AUTHENTICATION")
    assert (answer.status, answer.code) == (400, 100), answer.json
    assert answer.json["error"].get("error_subcode") == subcode
    assert words in answer.details


async def test_the_platform_writes_the_words_of_an_authentication_template(graph: "Graph") -> None:
    template_id = await created(graph, *AUTHENTICATION["copy"], category="AUTHENTICATION")
    found = (await read(graph, template_id, "components"))["components"]
    assert found == [
        {
            "type": "BODY",
            "text": "*{{1}}* is your verification code. For your security, do not share this code.",
            "add_security_recommendation": True,
            "example": {"body_text": [["123456"]]},
        },
        {"type": "FOOTER", "text": "This code expires in 5 minutes.", "code_expiration_minutes": 5},
        {"type": "BUTTONS", "buttons": [{"type": "OTP", "otp_type": "COPY_CODE", "text": "Copy code"}]},
    ]


@pytest.fixture
def handle(sim: Simulator) -> str:
    upload = Upload("upload:1", "900000000000001", 3, "image/png", data=b"abc", handle="4::abc")
    sim.parts.world.uploads[upload.id] = upload
    return "4::abc"


def card(handle: str, *more: Any, given: Any = (QUICK,)) -> dict[str, Any]:
    header = {"type": "header", "format": "image", "example": {"header_handle": [handle]}}
    return {"components": [header, *more, {"type": "buttons", "buttons": list(given)}]}


async def test_carousel_takes_up_to_ten_cards_that_are_alike(graph: "Graph", handle: str) -> None:
    words = {"type": "BODY", "text": "b" * 160}

    async def carousel(*cards: Any, extra: Any = ()) -> "tuple[int, str]":
        given = {"type": "CAROUSEL", "cards": list(cards)}
        answer = await create(graph, BODY, given, *extra, category="MARKETING", name=f"n{len(seen)}")
        seen.append(answer.status)
        return answer.status, "" if answer.status == 200 else answer.details

    seen: list[int] = []
    one = card(handle)
    assert await carousel(*[one] * 10) == (200, "")
    assert await carousel(card(handle, words), card(handle, words)) == (200, "")
    for wrong, why in (
        ([], "1 to 10"),
        ([one] * 11, "1 to 10"),
        ([one, card(handle, words)], "the same components"),
        ([one, card(handle, given=[LINK])], "the same components"),
        ([card(handle, given=[QUICK, QUICK, QUICK])], "at most 2 buttons"),
        ([card(handle, {"type": "BODY", "text": "b" * 161})], "at most 160"),
        ([card(handle, {"type": "FOOTER", "text": "f"})], "nothing else"),
        ([{"components": [{"type": "BUTTONS", "buttons": [QUICK]}]}], "has a HEADER"),
        ([card("4::other")], "resumable upload"),
    ):
        status, words_of_refusal = await carousel(*wrong)
        assert (status, why in words_of_refusal) == (400, True), (why, words_of_refusal)
    status, why = await carousel(one, extra=[{"type": "FOOTER", "text": "f"}])
    assert (status, "nothing else" in why) == (400, True)
