"""Whatever JSON stands where, a definition or a send is taken or refused in Graph's words, never with a crash."""

from collections import Counter
from collections.abc import Callable
from copy import deepcopy
from typing import Any, TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sayso.simulator import SimulatorConfig
from sayso.simulator.errors import GraphError
from sayso.simulator.outgoing.reading import Reading
from sayso.simulator.outgoing.template import template
from sayso.simulator.parts import Parts
from sayso.simulator.templates.definition import read_definition, read_edit
from sayso.simulator.templates.review import Verdict, verdict
from sayso.simulator.world.content import Content
from sayso.simulator.world.templates import Template

T = TypeVar("T")
HANDLE = "4::a"
HEADER = {"type": "HEADER", "format": "IMAGE", "example": {"header_handle": [HANDLE]}}
BODY = {"type": "BODY", "text": "Here {{1}} it is.", "example": {"body_text": [["x"]]}}
LINK = {"type": "URL", "text": "Go", "url": "https://e.org/{{1}}", "example": ["https://e.org/x"]}
BUTTONS = {
    "type": "BUTTONS",
    "buttons": [
        {"type": "QUICK_REPLY", "text": "Yes"},
        LINK,
        {"type": "COPY_CODE", "example": "C"},
        {"type": "FLOW", "text": "Flow", "flow_id": "1"},
        {"type": "PHONE_NUMBER", "text": "Call", "phone_number": "110"},
    ],
}
CARD = {"components": [HEADER, BODY, {"type": "BUTTONS", "buttons": [LINK]}]}
WHOLE = [
    HEADER,
    {"type": "LIMITED_TIME_OFFER", "limited_time_offer": {"text": "Now", "has_expiration": True}},
    BODY,
    BUTTONS,
]
CAROUSEL = [BODY, {"type": "CAROUSEL", "cards": [CARD, CARD]}]
CODES = [
    {"type": "BODY", "add_security_recommendation": True},
    {"type": "FOOTER", "code_expiration_minutes": 5},
    {
        "type": "BUTTONS",
        "buttons": [
            {
                "type": "OTP",
                "otp_type": "ONE_TAP",
                "supported_apps": [{"package_name": "a", "signature_hash": "12345678901"}],
            }
        ],
    },
]
PICTURE = {"type": "image", "image": {"link": "https://e.org/a.png"}}
TEXT = {"type": "text", "text": "x"}
SENT_LINK = {"type": "button", "sub_type": "url", "index": 1, "parameters": [TEXT]}
SENT = [
    {"type": "header", "parameters": [PICTURE]},
    {
        "type": "limited_time_offer",
        "parameters": [{"type": "limited_time_offer", "limited_time_offer": {"expiration_time_ms": 1}}],
    },
    {"type": "body", "parameters": [TEXT]},
    {
        "type": "button",
        "sub_type": "quick_reply",
        "index": 0,
        "parameters": [{"type": "payload", "payload": "y"}],
    },
    SENT_LINK,
    {
        "type": "button",
        "sub_type": "copy_code",
        "index": "2",
        "parameters": [{"type": "coupon_code", "coupon_code": "C"}],
    },
    {"type": "button", "sub_type": "flow", "index": 3, "parameters": [{"type": "action", "action": {}}]},
]
SENT_CARDS = [
    {"type": "body", "parameters": [TEXT]},
    {
        "type": "carousel",
        "cards": [
            {
                "card_index": place,
                "components": [
                    {"type": "header", "parameters": [PICTURE]},
                    {"type": "body", "parameters": [TEXT]},
                    {**SENT_LINK, "index": 0},
                ],
            }
            for place in (0, 1)
        ],
    },
]
NAMED = [
    {
        "type": "BODY",
        "text": "Here {{what}} it is.",
        "example": {"body_text_named_params": [{"param_name": "what", "example": "x"}]},
    }
]
DEFINITIONS = {
    "whole": (WHOLE, "MARKETING", "POSITIONAL"),
    "carousel": (CAROUSEL, "MARKETING", "POSITIONAL"),
    "codes": (CODES, "AUTHENTICATION", "POSITIONAL"),
    "named": (NAMED, "UTILITY", "NAMED"),
}
SENDS = {"whole": SENT, "carousel": SENT_CARDS}
#: What a send is refused with for its shape (5.3).
SEND_CODES = {100, 131008, 131009, 132000, 132001, 132005, 132012, 132018}

garbage = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=6)
    | st.sampled_from(["{{1}}", "²"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)


def places(value: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """List the way to everything inside a value."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [way for key, each in inner for way in ((*at, key), *places(each, (*at, key)))]


@st.composite
def spoilt(draw: st.DrawFn, value: Any) -> Any:
    """The value with something inside replaced by anything at all, left out, or given a null beside it."""
    made = deepcopy(value)
    *way, last = draw(st.sampled_from(places(value)))
    holder = made
    for key in way:
        holder = holder[key]
    way_out = draw(st.sampled_from(["replaced", "replaced", "left out", "null beside"]))
    if way_out == "left out":
        del holder[last]
    elif way_out == "null beside" and isinstance(holder, dict):
        holder["beside"] = None
    else:
        holder[last] = draw(garbage)
    return made


def definition(case: str, components: Any) -> dict[str, Any]:
    return {
        "name": case,
        "language": "en",
        "category": DEFINITIONS[case][1],
        "parameter_format": DEFINITIONS[case][2],
        "components": components,
        "message_send_ttl_seconds": None,
    }


def mime_type(handle: str) -> str | None:
    """What was uploaded: a picture under the one handle."""
    return "image/png" if handle == HANDLE else None


@pytest.fixture(scope="module")
def parts() -> Parts:
    made = Parts(SimulatorConfig())
    for case, (components, _, _) in DEFINITIONS.items():
        found = read_definition(definition(case, deepcopy(components)), mime_type)
        kept = Template(case, case, "en", found.category, found.components, made.config.waba_id)
        made.world.templates[kept.id] = kept
    return made


def fate(reads: Callable[[], T], codes: set[int]) -> T | None:
    """What was read, None when it was refused: by one of these codes, in words."""
    try:
        return reads()
    except GraphError as problem:
        why = problem
    assert why.code in codes, why
    assert why.details
    return None


def many(examples: int) -> settings:
    return settings(max_examples=examples, deadline=None)


@pytest.mark.parametrize("case", DEFINITIONS)
def test_a_spoilt_definition_is_taken_or_refused(parts: Parts, case: str) -> None:
    whole, kept = definition(case, DEFINITIONS[case][0]), parts.world.templates[case]
    fates: Counter[bool] = Counter()

    @many(100)
    @given(spoilt(whole))
    def holds(given_body: Any) -> None:
        before = deepcopy(given_body)
        for reads in (
            lambda: read_definition(given_body, mime_type),
            lambda: read_edit(given_body, kept, mime_type),
        ):
            found = fate(reads, {100})
            fates[found is not None] += 1
            if found is not None:
                judged = Template("1", "n", "en", found.category, found.components)
                assert isinstance(verdict(judged), Verdict)
        assert repr(given_body) == repr(before)

    assert read_definition(whole, mime_type).components == kept.components
    holds()
    assert min(fates[True], fates[False]) > 0, fates


@pytest.mark.parametrize("case", SENDS)
def test_a_spoilt_send_is_taken_or_refused(parts: Parts, case: str) -> None:
    whole = {"name": case, "language": {"code": "en"}, "components": SENDS[case]}
    reading = Reading(parts.world, parts.world.number, next(iter(parts.world.people.values())))
    fates: Counter[bool] = Counter()

    def sent(given_template: Any) -> Content:
        return template({"to": "+15550001111", "template": given_template}, reading)

    @many(150)
    @given(spoilt(whole))
    def holds(given_template: Any) -> None:
        content = fate(lambda: sent(given_template), SEND_CODES)
        fates[content is not None] += 1
        assert content is None or content.template == case

    assert sent(whole).template == case
    holds()
    assert min(fates[True], fates[False]) > 0, fates
