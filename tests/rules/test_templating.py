"""Where a template has what is filled in, and what is wrong with a filling, carousel and offer included."""

from datetime import UTC, datetime
from typing import Any

import pytest

from sayso.messages.templating import check, layout
from sayso.templates.rules import Mirrored
from sayso.whatsapp.content import Header, Layout, Media, Template, TemplateCard

QUICK, CODE = {"type": "QUICK_REPLY", "text": "Yes"}, {"type": "COPY_CODE", "text": "Copy"}
FIXED, OPEN = (
    {"type": "URL", "text": "Open", "url": "https://example.org"},
    {"type": "URL", "text": "Open", "url": "https://example.org/{{1}}"},
)
PICTURE = {"type": "HEADER", "format": "IMAGE"}


def mirrored(*components: dict[str, Any], parameter_format: str = "POSITIONAL") -> Mirrored:
    return Mirrored("t", "en", "UTILITY", "APPROVED", components, parameter_format)


def buttons(*each: dict[str, Any]) -> dict[str, Any]:
    return {"type": "BUTTONS", "buttons": list(each)}


@pytest.mark.parametrize(
    ("definition", "expected"),
    [
        (mirrored(), Layout()),
        (
            mirrored(buttons(FIXED, OPEN, QUICK, QUICK, CODE)),
            Layout(quick_replies=(2, 3), urls=(1,), code=4),
        ),
        (
            mirrored(buttons({"type": "FLOW"}, {"type": "MPM"}, {"type": "OTP"})),
            Layout(flow=0, products=1, passwords=(2,)),
        ),
        (
            mirrored({"type": "HEADER", "format": "TEXT", "text": "By {{who}}"}, parameter_format="NAMED"),
            Layout(header="who"),
        ),
        (mirrored({"type": "HEADER", "format": "TEXT", "text": "By {{1}}"}), Layout()),
    ],
)
def test_where_a_template_is_filled(definition: Mirrored, expected: Layout) -> None:
    assert layout(definition) == expected


CARD = {"components": [PICTURE, {"type": "BODY", "text": "{{1}}"}, buttons(QUICK, OPEN)]}
CARDS = mirrored({"type": "BODY", "text": "Two:"}, {"type": "CAROUSEL", "cards": [CARD, CARD]})
FULL = TemplateCard(Header(image=Media(id="1")), ("x",), ("yes",), ("a",))
OFFER = {"type": "LIMITED_TIME_OFFER", "limited_time_offer": {"text": "Soon", "has_expiration": True}}
ENDS = datetime(2027, 3, 3, tzinfo=UTC)


@pytest.mark.parametrize(
    ("definition", "template", "pointers"),
    [
        (CARDS, Template("t", "en", cards=(FULL, FULL)), []),
        (CARDS, Template("t", "en", cards=(FULL,)), ["/x/cards"]),
        (CARDS, Template("t", "en"), ["/x/cards"]),
        (mirrored(), Template("t", "en", cards=(FULL, FULL)), ["/x/cards"]),
        (
            CARDS,
            Template("t", "en", cards=(FULL, TemplateCard())),
            ["/x/cards/1/parameters", "/x/cards/1/header", "/x/cards/1/url_suffixes"],
        ),
        (mirrored(), Template("t", "en", offer_ends_at=ENDS), ["/x/offer_ends_at"]),
        (mirrored(OFFER), Template("t", "en"), ["/x/offer_ends_at"]),
        (mirrored(OFFER), Template("t", "en", offer_ends_at=ENDS), []),
        (mirrored(PICTURE), Template("t", "en", header=Header(text="a")), ["/x/header"]),
        (mirrored(PICTURE), Template("t", "en", header=Header(image=Media(id="1"))), []),
        (mirrored({"type": "BODY", "text": "{{a}}"}, parameter_format="NAMED"), Template("t", "en", {"a": "1"}), []),
        (
            mirrored({"type": "BODY", "text": "{{a}}"}, parameter_format="NAMED"),
            Template("t", "en", ("1",)),
            ["/x/parameters"],
        ),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_filling_is_pointed_at(
    definition: Mirrored, template: Template, pointers: list[str]
) -> None:
    assert [fault.pointer for fault in check(definition, template, "/x")] == pointers
