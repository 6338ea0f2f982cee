"""Each kind a file can hold: taken by Meta's side, equal to what it lists, shown, filled, and its limits told."""

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness import kinds
from sayso.messages import templating
from sayso.simulator.templates.definition import read_definition
from sayso.templates import library, parts
from sayso.templates.compare import body_of, differences, drifted
from sayso.templates.definitions import Definition
from sayso.templates.filling import Given, check
from sayso.templates.lint import lint
from sayso.templates.preview import as_mirrored, examples, shown
from sayso.templates.reading import read
from sayso.templates.rows import of_listing, told_components
from sayso.templates.rules import Mirrored
from sayso.whatsapp.content import Template

NAMES = sorted(kinds.DEFINITIONS)


def defined(name: str) -> Definition:
    definition, problems = read(name, tomllib.loads(kinds.DEFINITIONS[name]))
    assert problems == []
    assert definition is not None
    return definition


def listed(name: str, language: str = "en") -> Mirrored:
    """A template as Meta's side lists it once it has taken ours."""
    body = body_of(defined(name), language, {"one.png": "4::a", "two.png": "4::b"})
    taken = read_definition(json.loads(json.dumps(body)), lambda _: "image/png")
    told = {**body, "components": list(taken.components), "status": "APPROVED"}
    found = of_listing(told)
    assert found is not None
    return found


@pytest.mark.parametrize("name", NAMES)
def test_what_lint_passes_meta_takes_and_lists_as_it_was_asked_for(name: str, tmp_path: Path) -> None:
    kinds.write(tmp_path)
    loaded = library.load(tmp_path)
    assert loaded.findings == []
    for language in loaded.kept[name].definition.languages:
        wanted = body_of(loaded.kept[name].definition, language)
        assert (differences(wanted, listed(name, language)), drifted(wanted, listed(name, language))) == (
            [],
            [],
        )


@pytest.mark.parametrize("name", NAMES)
def test_what_is_shown_before_a_push_takes_the_same_parameters_as_metas_copy(name: str) -> None:
    definition = defined(name)
    own = examples(definition, "en")
    for at in (as_mirrored(definition, "en"), listed(name)):
        assert check(at, own) == []
    assert shown(as_mirrored(definition, "en"), own).body


@pytest.mark.parametrize("name", NAMES)
def test_the_requests_of_the_tests_fit_and_nothing_of_them_may_be_left_out(name: str) -> None:
    whole = {"name": name, "language": "en", **kinds.FILLED[name]}
    template = msgspec.convert(whole, Template)
    assert templating.check(listed(name), template, "") == []
    optional = {"flow", "quick_replies"} | ({"products"} if name == "all_dishes" else set())
    for key in kinds.FILLED[name].keys() - optional:
        less = msgspec.convert({each: value for each, value in whole.items() if each != key}, Template)
        assert templating.check(listed(name), less, "") != [], key


@pytest.mark.parametrize(
    ("name", "more", "pointer"),
    [
        ("all_dishes", {"flow": {"token": "x"}}, "/flow"),
        ("book_a_table", {"products": {"thumbnail": "x"}}, "/products"),
        (
            "all_dishes",
            {"products": {"thumbnail": "x", "sections": [{"product_ids": ["x"]}]}},
            "/products/sections",
        ),
        ("dishes_of_today", {"products": {"thumbnail": "x"}}, "/products"),
        ("talk_to_us", {"offer_ends_at": kinds.ENDS}, "/offer_ends_at"),
        ("sign_in", {"parameters": ["1" * 16]}, "/parameters/0"),
        ("sign_in", {"url_suffixes": ["482913"]}, "/url_suffixes"),
        ("talk_to_us", {"cards": kinds.FILLED["two_tables"]["cards"]}, "/cards"),
    ],
)
def test_what_a_template_has_no_place_for_is_pointed_at(
    name: str, more: dict[str, Any], pointer: str
) -> None:
    whole = {"name": name, "language": "en", **kinds.FILLED[name], **more}
    found = templating.check(listed(name), msgspec.convert(whole, Template), "")
    assert [fault.pointer for fault in found] == [pointer]


def test_a_cards_text_is_checked_with_its_values_in_it() -> None:
    filled = json.loads(json.dumps({"name": "two_tables", "language": "en", **kinds.FILLED["two_tables"]}))
    filled["cards"][1]["parameters"]["dish"] = "x" * 140
    found = templating.check(listed("two_tables"), msgspec.convert(filled, Template), "/template")
    assert [fault.pointer for fault in found] == ["/template/cards/1/parameters"]
    assert "160" in found[0].detail


#: As Meta lists a one-time password: its button as a link to a page of its own.
AS_A_LINK: list[dict[str, Any]] = [
    {"type": "BODY", "text": "*{{1}}* ist dein Code.", "add_security_recommendation": True},
    {"type": "FOOTER", "text": "Dieser Code läuft in 10 Minuten ab."},
    {
        "type": "BUTTONS",
        "buttons": [
            {
                "type": "URL",
                "text": "Code kopieren",
                "url": "https://www.whatsapp.com/otp/code/?otp_type=COPY_CODE&code=otp{{1}}",
            }
        ],
    },
]


def test_a_one_time_password_that_is_listed_as_a_link_is_the_same() -> None:
    wanted = body_of(defined("sign_in"), "de")
    at = Mirrored("sign_in", "de", "AUTHENTICATION", "APPROVED", AS_A_LINK, ttl_s=600)
    assert differences(wanted, at) == []
    template = msgspec.convert({"name": "sign_in", "language": "de", "parameters": ["482913"]}, Template)
    assert templating.check(at, template, "") == []
    assert templating.layout(at).passwords == (0,)
    other = [{**AS_A_LINK[0], "add_security_recommendation": False}, *AS_A_LINK[1:]]
    assert drifted(wanted, Mirrored("sign_in", "de", "AUTHENTICATION", "APPROVED", other)) == ["body"]


@pytest.mark.parametrize(
    ("name", "change", "fields"),
    [
        ("two_tables", ("In the garden", "In the cellar"), ["cards"]),
        ("book_a_table", ("1234567890", "1234567891"), ["buttons"]),
        ("book_a_table", ("TABLES", "ROOMS"), ["buttons"]),
        ("twenty_percent", ("20% off tonight", "30% off tonight"), ["offer"]),
        ("twenty_percent", ("ends = true", "ends = false"), ["offer"]),
        ("all_dishes", ("catalog = true", "products = true"), ["buttons"]),
        ("sign_in", ("advice = true", "advice = false"), ["body"]),
        ("sign_in", ('expires = "10m"', 'expires = "5m"'), ["footer"]),
        ("sign_in", ("Copy it", "Take it"), ["buttons"]),
        ("sign_in_by_tap", ("one_tap", "zero_tap"), ["buttons"]),
        ("sign_in_by_tap", ("K8a/AINcGX7", "K8a/AINcGX8"), ["buttons"]),
    ],
)
def test_a_change_of_the_file_is_told_as_a_difference(
    name: str, change: tuple[str, str], fields: list[str]
) -> None:
    text = kinds.DEFINITIONS[name]
    assert text.count(change[0]) >= 1
    definition, _ = read(name, tomllib.loads(text.replace(*change)))
    assert definition is not None
    found = differences(body_of(definition, "en"), listed(name))
    assert [each.field for each in found] == fields
    assert all(each.wanted != each.has for each in found)


@pytest.mark.parametrize("name", ["book_a_table", "sign_in_by_tap", "two_tables", "twenty_percent"])
def test_metas_word_that_the_texts_are_as_they_were_is_no_drift(name: str) -> None:
    at = listed(name)
    told: dict[str, Any] = {"message_template_element": at.part("BODY")["text"]}
    footer = at.part("FOOTER").get("text")
    told |= {"message_template_footer": footer} if footer else {}
    told["message_template_buttons"] = [
        {f"message_template_button_{key}": button[key] for key in ("type", "text", "url") if key in button}
        for button in at.buttons
    ]
    told = told if at.buttons else {key: value for key, value in told.items() if "buttons" not in key}
    after = Mirrored(name, "en", at.category, "APPROVED", told_components(at, told))
    assert drifted(body_of(defined(name), "en"), after) == []


def test_a_form_that_took_a_links_place_keeps_nothing_of_it() -> None:
    at = Mirrored(
        "x", "en", "UTILITY", "APPROVED", [{"type": "BUTTONS", "buttons": [{"type": "URL", "url": "a"}]}]
    )
    told = {"message_template_buttons": [{"message_template_button_type": "FLOW"}]}
    (part,) = told_components(at, told)
    assert part["buttons"] == [{"type": "FLOW"}]


def faults(name: str, *changes: tuple[str, str]) -> list[str]:
    text = kinds.DEFINITIONS[name]
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    definition, problems = read(name, tomllib.loads(text))
    problems = [*problems, *(lint(definition) if definition else [])]
    return [f"{'.'.join(map(str, each.at))}: {each.detail}" for each in problems]


ONE_CARD = kinds.DEFINITIONS["two_tables"].rpartition("[[")[0]


@pytest.mark.parametrize(
    ("name", "change", "said"),
    [
        ("two_tables", (kinds.DEFINITIONS["two_tables"], ONE_CARD), "languages.en.cards: .*2 to 10 cards"),
        ("two_tables", ("By the window", "x" * 140), "languages.en.cards.0.body: .*the 160"),
        ("two_tables", ('body = "By the window, with', '# "'), "languages.en.cards.1: .*all cards"),
        ("two_tables", ('{ image = "two.png" }', '"Two"'), "languages.en.cards.1: a card has a header"),
        ("two_tables", ("{{dish}}", "{{1}}"), "languages.en.cards.0.body: .*names and numbers do not mix"),
        ("two_tables", ('dish = "Pasta"', 'dosh = "Pasta"'), r"languages.en.cards.0.examples: .*none of \{\{dish\}\}"),
        ("two_tables", ('tonight."', 'tonight."\nfooter = "Bon appetit"'), "languages.en.footer: beside its cards"),
        ("two_tables", ('{ reply = "Take this one" },', ""), "languages.en.cards.1: .*kinds of buttons"),
        ("two_tables", ('{ reply = "Take this one" }', '{ copy = "x" }'), "languages.en.cards.0.buttons: .*are reply"),
        ("two_tables", ('header = { image = "one', 'footer = 1\nheader = { image = "one'), "languages.en.cards.0.foot"),
        ("book_a_table", (', id = "1234567890"', ""), "languages.en.buttons.0.id: .*needs id"),
        ("book_a_table", ("1234567890", "table"), "languages.en.buttons.0.id: .*number"),
        ("book_a_table", ("screen =", 'action = "go", screen ='), "languages.en.buttons.0.action: "),
        ("book_a_table", ("screen =", 'action = "data_exchange", screen ='), "languages.en.buttons.0.screen: "),
        ("twenty_percent", ('"marketing"', '"utility"'), "languages.en.offer: .*marketing"),
        ("twenty_percent", ("20% off tonight", "Twenty percent off"), "languages.en.offer: .*18 characters, 2 more"),
        ("twenty_percent", ("20% off tonight", "Off {{1}}"), "languages.en.offer: .*no variables"),
        ("twenty_percent", ("ends = true", 'ends = "soon"'), "languages.en.offer.ends: .*true or false"),
        ("twenty_percent", ("offer =", 'footer = "Cheers"\noffer ='), "languages.en.footer: .*no footer"),
        ("all_dishes", ("catalog = true", 'catalog = "Menu"'), "languages.en.buttons.0.catalog: .*catalog = true"),
        ("all_dishes", ("[{ catalog", "[{ catalog = true }, { catalog"), "languages.en.buttons: 2 buttons of kind CAT"),
        ("sign_in", ('expires = "10m"', 'expires = "91m"'), "code.expires: .*1 to 90 minutes"),
        ("sign_in", ('expires = "10m"', 'expires = "90s"'), "code.expires: .*whole minutes"),
        ("sign_in", ('ttl = "10m"', 'ttl = "16m"'), "ttl: .*30s to 15m"),
        ("sign_in", ('label = "Copy it"', 'body = "It is {{1}}"'), "languages.en.body: body is not a key here"),
        ("sign_in", ('label = "Copy it"', 'autofill = "Fill"'), "languages.en.autofill: "),
        ("sign_in", ('label = "Copy it"', f'label = "{"x" * 26}"'), "languages.en.label: .*26 characters"),
        ("sign_in", ("advice = true", 'button = "tap"'), r"code.button: .*\(there are: copy, one_tap, zero_tap\)"),
        ("sign_in", ("advice = true", "terms_accepted = true"), "code: .*one_tap and zero_tap"),
        ("sign_in_by_tap", ("K8a/AINcGX7", "K8a"), "code.apps.0: .*11 characters"),
        ("sign_in_by_tap", ("org.example.app", "example app"), "code.apps.0: .*Android app"),
        ("sign_in_by_itself", ("terms_accepted = true", ""), "code.terms_accepted: "),
        ("sign_in", ('"authentication"', '"utility"'), "code: code is not a key here"),
    ],
)  # fmt: skip
def test_each_limit_is_said_where_it_is_passed(name: str, change: tuple[str, str], said: str) -> None:
    found = faults(name, change)
    assert len([each for each in found if re.match(said, each)]) == 1, found


def test_languages_of_other_cards_are_told(tmp_path: Path) -> None:
    kinds.write(tmp_path)
    german = ONE_CARD.partition("[languages.en]")[2].replace("languages.en", "languages.de")
    text = f"{kinds.DEFINITIONS['two_tables']}\n[languages.de]{german}"
    (tmp_path / "two_tables.toml").write_text(text, "utf-8")
    found = [str(each) for each in library.load(tmp_path).findings]
    assert any("languages.de: has other cards than [languages.en]" in each for each in found), found


def test_a_fault_of_a_card_is_told_with_its_line(tmp_path: Path) -> None:
    kinds.write(tmp_path)
    text = kinds.DEFINITIONS["two_tables"].replace("In the garden", "x" * 150).replace("two.png", "none.png")
    (tmp_path / "two_tables.toml").write_text(text, "utf-8")
    lines = text.splitlines()
    told = [str(each) for each in library.load(tmp_path).findings]
    for start, said in (
        ('header = { image = "none', "no file none.png"),
        ('body = "xxx', "more than the 160"),
    ):
        number = next(number for number, line in enumerate(lines, 1) if line.startswith(start))
        assert any(f"two_tables.toml:{number}: " in each and said in each for each in told), (number, told)


_ODD: st.SearchStrategy[Any] = st.sampled_from([None, 7, "", "x", [], {}, [7], [None], [{}], {"a": 1}])
_BUTTON = st.fixed_dictionaries(
    {"type": st.sampled_from(["URL", "OTP", "FLOW", "QUICK_REPLY", "NEW"])},
    optional={"text": _ODD, "url": _ODD, "supported_apps": _ODD, "otp_type": _ODD},
)
_PART = st.fixed_dictionaries(
    {
        "type": st.sampled_from(
            ["HEADER", "BODY", "FOOTER", "BUTTONS", "CAROUSEL", "LIMITED_TIME_OFFER", "NEW"]
        )
    },
    optional={
        "text": _ODD,
        "format": _ODD,
        "buttons": _ODD | st.lists(_ODD | _BUTTON, max_size=2),
        "cards": _ODD | st.lists(st.fixed_dictionaries({"components": _ODD}), max_size=2),
        "limited_time_offer": _ODD,
        "code_expiration_minutes": _ODD,
    },
)
_ANYTHING = _ODD | st.lists(_ODD | _PART, max_size=4)


@given(components=_ANYTHING, name=st.sampled_from(NAMES))
def test_whatever_meta_lists_is_compared_shown_and_checked(components: Any, name: str) -> None:
    told = {"name": name, "language": "en", "status": "APPROVED", "components": components}
    at = of_listing(told)
    assert at is not None
    drifted(body_of(defined(name), "en"), at)
    shown(at, Given())
    check(at, Given())
    templating.layout(at)


def test_every_kind_of_button_and_the_second_example_are_as_documented() -> None:
    page = (Path(__file__).parents[2] / "docs" / "templates.md").read_text("utf-8")
    assert [key for key in parts.BUTTONS if f"`{{ {key} = " not in page] == []
    (_, second) = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    definition, problems = read("sign_in", tomllib.loads(second))
    assert definition is not None
    assert [*problems, *lint(definition)] == []
