"""Which template, in which language, and whether what it is given fits."""

from datetime import UTC, datetime
from typing import Any

import pytest

from sayso.templates.filling import Given, check
from sayso.templates.rules import (
    Gone,
    Held,
    Mirrored,
    Usable,
    fallbacks,
    language_code,
    pick,
    standing,
    variables,
)

BODY = {"type": "BODY", "text": "Hi {{1}}, your order {{2}} is ready."}


def a_template(
    *parts: dict[str, Any], language: str = "en", status: str = "APPROVED", **more: Any
) -> Mirrored:
    return Mirrored("order", language, "UTILITY", status, parts or (BODY,), **more)


def named(text: str = "Hi {{who}}, your order {{what}} is ready.") -> Mirrored:
    return a_template({"type": "BODY", "text": text}, parameter_format="NAMED")


@pytest.mark.parametrize(
    ("wanted", "there", "order"),
    [
        (["de"], ["en", "de"], ["de", "en"]),
        (["de_AT"], ["en", "de", "de_CH"], ["de", "de_CH", "en"]),
        (["pt-br"], ["pt_PT", "en_US"], ["pt_PT", "en_US"]),
        (["es-419"], ["es_MX", "es", "en"], ["es", "es_MX", "en"]),
        ([], ["en_US", "en_GB", "de"], ["en_GB", "en_US"]),
        (["zh-CN"], ["fr"], []),
        (["zh-Hant-TW"], ["zh_CN", "zh_TW"], ["zh_TW", "zh_CN"]),
        (["zh-Hant"], ["zh_CN", "zh_TW"], ["zh_TW", "zh_CN"]),
        (["sr-Latn-RS"], ["sr", "en"], ["sr", "en"]),
        (["fr", "de"], ["de", "fr_CA"], ["fr_CA", "de"]),
    ],
)
def test_the_nearest_language_comes_first(wanted: list[str], there: list[str], order: list[str]) -> None:
    assert fallbacks(wanted, there) == order


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("pt-br", "pt_BR"),
        ("EN", "en"),
        ("en_us", "en_US"),
        (" fil ", "fil"),
        ("zh-hant-hk", "zh_HK"),
        ("zh-Hans", "zh_CN"),
        ("sr-Cyrl", "sr"),
        ("es-419", "es_419"),
        ("no", "nb"),
    ],
)
def test_a_language_is_written_as_meta_writes_it(text: str, code: str) -> None:
    assert language_code(text) == code


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        ("APPROVED", Usable),
        *(
            (each, Held)
            for each in ("PENDING", "REJECTED", "PAUSED", "IN_APPEAL", "ARCHIVED", "LIMIT_EXCEEDED")
        ),
        ("OF_TOMORROW", Held),
        *((each, Gone) for each in ("DISABLED", "DELETED", "PENDING_DELETION")),
    ],
)
def test_every_status_sends_holds_or_ends(status: str, kind: type) -> None:
    assert type(standing(a_template(status=status))) is kind


def test_a_hold_says_until_when_and_why() -> None:
    until = datetime(2026, 12, 1, 14, 30, tzinfo=UTC)
    paused = standing(a_template(status="PAUSED", paused_until=until))
    assert isinstance(paused, Held)
    assert "paused it until 01 Dec 14:30 UTC" in paused.reason
    rejected = standing(a_template(status="REJECTED", reason="SCAM"))
    assert isinstance(rejected, Held)
    assert "SCAM" in rejected.reason


def test_what_can_be_sent_goes_before_what_is_nearer_and_held() -> None:
    german, english = a_template(language="de", status="PAUSED"), a_template(language="en")
    assert pick(["de"], [german, english]) == english
    assert pick(["de"], [german, a_template(language="en", status="PENDING")]) == german
    assert pick(["de"], [a_template(language="de", status="DISABLED")]) is None
    assert pick(["de"], [a_template(language="fr")]) is None


@pytest.mark.parametrize(
    ("mirrored", "given", "pointers"),
    [
        (a_template(), Given(["Ana", "A-1"]), []),
        (a_template(), Given(["Ana"]), ["/parameters"]),
        (a_template(), Given(["Ana", "A", "b"]), ["/parameters"]),
        (a_template(), Given({"who": "Ana"}), ["/parameters"]),
        (a_template(), Given(["Ana", ""]), ["/parameters/1"]),
        (a_template(), Given(["A\nna", "x\ty"]), ["/parameters/0", "/parameters/1"]),
        (a_template(), Given(["A    na", "x"]), []),
        (a_template(), Given(["A     na", "x"]), ["/parameters/0"]),
        (a_template(), Given(["A" * 1_025, "x"]), ["/parameters/0"]),
        (a_template(), Given(["A" * 1_000, "x"]), ["/parameters"]),
        (named(), Given({"who": "Ana", "what": "A-1"}), []),
        (named(), Given(["Ana", "A-1"]), ["/parameters"]),
        (named(), Given({"who": "Ana"}), ["/parameters/what"]),
        (named(), Given({"who": "Ana", "what": "x", "when": "y"}), ["/parameters/when"]),
        (named(), Given({"who": "Ana", "what": "x", "a/b": "y"}), ["/parameters/a~1b"]),
        (named("Hello, it is done."), Given(), []),
        (a_template({"type": "BODY", "text": "Done."}), Given(), []),
        (a_template({"type": "BODY", "text": "Done."}), Given(header="x"), ["/header"]),
        (a_template({"type": "BODY", "text": "Done."}), Given(header_media="image"), ["/header"]),
        (a_template({"type": "BODY", "text": "Done."}), Given(quick_replies=["x"]), ["/quick_replies"]),
        (a_template({"type": "BODY", "text": "Done."}), Given(url_suffixes=["x"]), ["/url_suffixes"]),
        (a_template({"type": "BODY", "text": "Done."}), Given(coupon_code="x"), ["/coupon_code"]),
    ],
)
def test_parameters_are_held_against_the_text(mirrored: Mirrored, given: Given, pointers: list[str]) -> None:
    assert [fault.pointer for fault in check(mirrored, given, "/template")] == [
        f"/template{pointer}" for pointer in pointers
    ]


@pytest.mark.parametrize(
    ("header", "given", "faults"),
    [
        ({"format": "TEXT", "text": "Order {{1}}"}, Given(header="A-1"), 0),
        ({"format": "TEXT", "text": "Order {{1}}"}, Given(), 1),
        ({"format": "TEXT", "text": "Order {{1}}"}, Given(header="x" * 60), 1),
        ({"format": "TEXT", "text": "Order"}, Given(), 0),
        ({"format": "IMAGE"}, Given(header_media="image"), 0),
        ({"format": "IMAGE"}, Given(header_media="video"), 1),
        ({"format": "DOCUMENT"}, Given(header="x"), 1),
        ({"format": "LOCATION"}, Given(), 1),
    ],
)
def test_the_header_is_held_against_its_kind(header: dict[str, Any], given: Given, faults: int) -> None:
    mirrored = a_template({"type": "HEADER", **header}, {"type": "BODY", "text": "Done."})
    assert [fault.pointer for fault in check(mirrored, given)] == ["/header"] * faults


BUTTONS = {
    "type": "BUTTONS",
    "buttons": [
        {"type": "URL", "text": "Home", "url": "https://example.org"},
        {"type": "URL", "text": "Track", "url": "https://example.org/{{1}}"},
        {"type": "COPY_CODE", "text": "Copy"},
        {"type": "QUICK_REPLY", "text": "Yes"},
    ],
}


@pytest.mark.parametrize(
    ("given", "pointers"),
    [
        (Given(url_suffixes=["a"], coupon_code="X"), []),
        (Given(url_suffixes=["a"], coupon_code="X", quick_replies=["yes"]), []),
        (Given(coupon_code="X"), ["/url_suffixes"]),
        (Given(url_suffixes=["a"]), ["/coupon_code"]),
        (Given(url_suffixes=["a" * 2_001], coupon_code="x" * 16), ["/url_suffixes/0", "/coupon_code"]),
        (Given(url_suffixes=["a"], coupon_code="X", quick_replies=["y" * 257]), ["/quick_replies/0"]),
    ],
)
def test_the_buttons_are_held_against_what_they_take(given: Given, pointers: list[str]) -> None:
    mirrored = a_template({"type": "BODY", "text": "Done."}, BUTTONS)
    assert [fault.pointer for fault in check(mirrored, given)] == pointers


def test_numbered_variables_come_in_the_order_of_their_numbers() -> None:
    assert variables("{{10}} {{2}} {{1}} {{2}}") == ("1", "2", "10")
    assert variables("{{b}} {{ a }}") == ("b", "a")
    assert variables("{{²}} {{١}}") == ("²", "١"), "digits that Meta does not read are no numbers"
