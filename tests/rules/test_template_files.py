"""Definitions as files: read, checked, and each fault told with its line."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from sayso.confirmations import phrases, question
from sayso.core.errors import InputInvalidError
from sayso.simulator.templates.definition import read_definition
from sayso.templates import library
from sayso.templates.compare import body_of, differences, drifted
from sayso.templates.filling import Given, check
from sayso.templates.lint import lint
from sayso.templates.preview import as_mirrored, examples, shown
from sayso.templates.reading import read
from sayso.whatsapp.limits import TEMPLATE_BODY, length

ROOT = Path(__file__).parents[2]
SHIPPED = library.load(None)
TEXTS = [(name, language) for name, kept in SHIPPED.kept.items() for language in kept.definition.languages]
GOOD: dict[str, Any] = {
    "examples": {"who": "Ana"},
    "languages": {"en": {"body": "Hello {{who}}, how are you today?"}},
}


def problems(**changes: Any) -> list[str]:
    """What is wrong with a small definition that has these differences: places, each with its sentence."""
    definition, found = read("greeting", {**GOOD, **changes})
    found = [*found, *(lint(definition) if definition else [])]
    return [f"{'.'.join(map(str, each.at))}: {each.detail}" for each in found]


def in_english(**changes: Any) -> list[str]:
    """The same of its one language."""
    return problems(languages={"en": {**GOOD["languages"]["en"], **changes}})


def test_ours_are_there_in_six_languages_or_more_and_nothing_is_wrong_with_them() -> None:
    """Questions are asked outside the window in the languages in which they are asked inside."""
    questions = {"confirmation_request", "confirmation_code", "confirmation_choice", "confirmation_question"}
    assert set(SHIPPED.kept) == questions | {"daily_summary", "notification"}
    for name, kept in SHIPPED.kept.items():
        languages = {code.partition("_")[0] for code in kept.definition.languages}
        assert languages == (
            set(phrases.languages()) if name in questions else {"en", "de", "es", "fr", "it", "pt"}
        )
    assert SHIPPED.findings == []


@pytest.mark.parametrize("name", [question.TEMPLATE, *question.TEMPLATES.values()])
def test_a_question_outside_the_window_has_the_buttons_of_inside_and_room_for_the_longest(name: str) -> None:
    verdicts = {
        question.TEMPLATE: ("confirm", "decline", "cancel"),
        "confirmation_code": ("decline", "cancel"),
    }
    longest = sum(question.MOST.values()) + 60 + 40  # and a name, and what is to be typed
    for code, wording in SHIPPED.kept[name].definition.languages.items():
        labels = [phrases.phrase(each, code) for each in verdicts.get(name, ("cancel",))]
        assert [each.text for each in wording.buttons] == labels, code
        assert length(wording.body) + longest <= TEMPLATE_BODY, code


@pytest.mark.parametrize(("name", "language"), TEXTS)
def test_ours_are_what_meta_takes_by_the_simulators_own_reading(name: str, language: str) -> None:
    body = body_of(SHIPPED.kept[name].definition, language)
    taken = read_definition(json.loads(json.dumps(body)), lambda _: None)
    assert (taken.name, taken.language, taken.category) == (name, language, "UTILITY")


def test_the_question_is_the_one_of_the_readme_and_of_the_set_up_guide() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    found = re.search(r"```text\n(   Hi \{\{1\}\},.*?)```", readme, re.DOTALL)
    assert found
    text = "\n".join(line.strip() for line in found[1].strip().splitlines())
    english = SHIPPED.kept["confirmation_request"].definition.languages["en"]
    assert english.body == text
    assert [(each.kind, each.text) for each in english.buttons] == [
        ("QUICK_REPLY", label) for label in ("Confirm", "Decline", "Cancel")
    ]


def test_the_example_of_the_documentation_is_a_template_and_its_request_fits(tmp_path: Path) -> None:
    text = (ROOT / "docs" / "templates.md").read_text("utf-8")
    toml, request = (re.search(rf"```{kind}\n(.*?)```", text, re.DOTALL) for kind in ("toml", "json"))
    assert toml
    assert request
    (tmp_path / "order_ready.toml").write_text(toml[1], "utf-8")
    found = library.load(tmp_path)
    assert found.findings == []
    sent = json.loads(request[1])["template"]
    given = Given(
        body=sent["parameters"], quick_replies=sent["quick_replies"], url_suffixes=sent["url_suffixes"]
    )
    definition = found.kept[sent["name"]].definition
    for language in definition.languages:
        assert check(as_mirrored(definition, language), given) == []
    assert found.kept.keys() == SHIPPED.kept.keys() | {"order_ready"}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"category": "utilty"}, "category: .*do you mean utility"),
        ({"category": "authentication"}, "examples: examples is not a key here"),
        ({"languges": {}}, "languges: .*do you mean languages"),
        ({"ttl": "soon"}, 'ttl: .*"30m"'),
        ({"ttl": "13h"}, "ttl: .*12h"),
        ({"category": "marketing", "ttl": "1h"}, "ttl: .*12h to 30d"),
        ({"examples": {}}, r"languages.en.examples: .*\{\{who\}\}"),
        ({"examples": ["Ana"]}, "languages.en.examples: .*a table"),
        ({"examples": {"who": ""}}, "examples: examples must be texts"),
        ({"languages": {}}, "languages: at least one language"),
        ({"languages": {"english": GOOD["languages"]["en"]}}, "languages.english: .*no language"),
        ({"languages": {"en": {}}}, "languages.en: .*no body"),
        ({"languages": {"en": "Hello"}}, "languages.en: .*must be a table"),
    ],
)
def test_what_is_wrong_with_a_file_is_said_where_it_stands(changes: dict[str, Any], said: str) -> None:
    found = problems(**changes)
    assert len([each for each in found if re.match(said, each)]) == 1, found


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"body": "x" * 1_025}, "body: .*1,025 characters, 1 more"),
        ({"body": "{{who}}, hello to you!"}, "body: .*start or end with a variable"),
        ({"body": "Hello my dear old {{who}}"}, "body: .*start or end with a variable"),
        ({"body": "Hi {{who}}."}, "body: too little text"),
        ({"body": "Hello you {{who}} {{what}} and more of this kind."}, "body: .*side by side"),
        ({"body": "Hello {{who}} and {{who}}, how are you today?"}, "body: .*only once"),
        ({"body": "Hello {{Who}}, how are you today?"}, "body: .*a to z"),
        ({"body": "Hello {{who, how are you today?"}, "body: braces"),
        ({"body": "Hello {{who}},\n\n\nhow are you today?"}, "body: .*one empty line"),
        ({"header": "x" * 61}, "header: .*61 characters"),
        ({"header": "Hello *you*"}, "header: .*no emoji"),
        ({"header": "{{who}} and {{what}}"}, "header: .*one variable"),
        ({"header": {"image": "../map.png"}}, "header: .*without a folder"),
        ({"header": {"image": "map.gif"}}, "header: .*.jpg"),
        ({"header": {"picture": "map.png"}}, "header: "),
        ({"footer": "x" * 61}, "footer: .*61 characters"),
        ({"footer": "Yours, {{who}}"}, "footer: .*no variables"),
        ({"buttons": [{"reply": "x" * 26}]}, "buttons.0: .*26 characters"),
        ({"buttons": [{"reply": "a"}, {"reply": "a"}]}, "buttons: two buttons say the same"),
        ({"buttons": [{"reply": str(n)} for n in range(11)]}, "buttons: 11 buttons"),
        (
            {"buttons": [{"reply": "a"}, {"call": "b", "phone": "+1 555 000"}, {"reply": "c"}]},
            "buttons: quick replies must stand together",
        ),
        ({"buttons": [{"link": "a", "url": "https://wa.me/1"}]}, "buttons.0.url: .*wa.me"),
        ({"buttons": [{"link": "a", "url": "https://x.org/{{1}}/b"}]}, "buttons.0.url: .*at its end"),
        ({"buttons": [{"link": "a", "url": "https://x.org/{{1}}"}]}, "buttons.0.example: "),
        ({"buttons": [{"link": "a", "url": "x.org"}]}, "buttons.0.url: .*https"),
        ({"buttons": [{"call": "a", "phone": "555"}]}, "buttons.0.phone: "),
        ({"buttons": [{"copy": "x" * 16}]}, "buttons.0: .*16 characters"),
        ({"buttons": [{"replay": "a"}]}, "buttons.0: replay is no kind of button; do you mean reply"),
        (
            {"buttons": [{"reply": "a", "copy": "b"}]},
            "buttons.0: a button is of one kind; this one is reply and copy",
        ),
        ({"buttons": ["Yes"]}, "buttons.0: a button is a table"),
        ({"buttons": [{"link": str(n), "url": "https://x.org"} for n in range(3)]}, "buttons: 3 buttons"),
    ],
)
def test_each_limit_of_metas_is_said_where_it_is_passed(changes: dict[str, Any], said: str) -> None:
    found = in_english(**changes)
    assert len([each for each in found if re.match(rf"languages\.en\.{said}", each)]) == 1, found


def test_numbered_variables_have_no_gap_and_a_list_of_examples() -> None:
    languages = {"en": {"body": "Hello {{1}}, this is the {{3}} of today for you."}}
    assert any("without a gap" in each for each in problems(languages=languages, examples=["Ana", "x"]))
    languages = {"en": {"header": "For {{1}}", "body": "Hello {{1}}, how are you today?"}}
    assert any("header_example" in each for each in problems(languages=languages, examples=["Ana"]))
    assert problems(languages=languages, examples=["Ana"], header_example="Ana") == []


def test_languages_that_do_not_match_are_told() -> None:
    german = {"body": "Hallo {{wer}}, wie geht es dir heute?", "examples": {"wer": "Ana"}}
    found = problems(languages={**GOOD["languages"], "de": german})
    assert [each for each in found if each.startswith("languages.de: has other variables")]


def test_a_fault_is_told_with_its_file_and_line(tmp_path: Path) -> None:
    text = '''# a comment with body = "x"
category = "utility"
examples = ["Ana"]

[languages.de]
body = """
Hallo {{1}}, wie geht es dir?
footer = "not a key, but a line of the body"
"""

[languages.en]
header = "Hello"
body = "{{1}}, how are you today, and where?"
footer = "Yours, {{1}}"
buttons = [
  { reply = "Yes" },
  { reply = "No, and this is far too long for it" },
]
'''
    (tmp_path / "greeting.toml").write_text(text, "utf-8")
    lines = text.splitlines()
    told = {str(each) for each in library.load(tmp_path).findings}
    for start in ('body = "{{1}}', 'footer = "Yours', '  { reply = "No,'):
        number = next(number for number, line in enumerate(lines, 1) if line.startswith(start))
        assert any(f"greeting.toml:{number}: languages.en" in each for each in told), (number, told)


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("broken.toml", "category = \nx", "broken.toml:1: not TOML"),
        ("broken.json", "{", "broken.json:1: not JSON"),
        ("empty.toml", "", "languages: at least one"),
        ("list.json", "[]", "a definition is a table"),
        ("pictured.toml", '[languages.en]\nbody = "Hello"\nheader = { image = "no.png" }', "no file no.png"),
        ("Big.toml", '[languages.en]\nbody = "Hello"', "must be made of a to z"),
        ("bad.toml", b"\xff\xfe", "cannot be read as text"),
        ("huge.toml", "#" * 300_000, "300,000|200,000 bytes"),
    ],
)
def test_a_file_that_is_none_is_said_and_costs_the_others_nothing(
    tmp_path: Path, name: str, text: str | bytes, said: str
) -> None:
    (tmp_path / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    found = library.load(tmp_path)
    assert any(re.search(said, str(each)) for each in found.findings), list(map(str, found.findings))
    assert SHIPPED.kept.keys() <= found.kept.keys()


def test_a_file_of_the_users_replaces_ours_and_two_of_them_are_told(tmp_path: Path) -> None:
    (tmp_path / "notification.toml").write_text('[languages.en]\nbody = "Hello, it is done."', "utf-8")
    found = library.load(tmp_path)
    assert found.findings == []
    assert not found.kept["notification"].shipped
    assert list(found.kept["notification"].definition.languages) == ["en"]
    (tmp_path / "notification.json").write_text('{"languages":{"en":{"body":"Hello."}}}', "utf-8")
    assert "defined twice" in str(library.load(tmp_path).findings[0])
    with pytest.raises(InputInvalidError, match="no definition nobody"):
        found.only(["nobody"])


def test_the_same_text_is_no_difference_whatever_blanks_end_its_lines() -> None:
    definition = SHIPPED.kept["confirmation_request"].definition
    at = as_mirrored(definition, "en")
    body = str(at.part("BODY")["text"]).replace(",\n", ", \n").replace("decline\n", "decline  \n")
    parts = [{**part, "text": body} if part["type"] == "BODY" else part for part in at.components]
    same = type(at)("x", "en", "UTILITY", "APPROVED", parts)
    wanted = body_of(definition, "en")
    assert (differences(wanted, same), drifted(wanted, same)) == ([], [])
    other = type(at)("x", "en", "MARKETING", "APPROVED", parts[:1])
    assert [each.field for each in differences(wanted, other)] == ["category", "buttons"]
    assert drifted(wanted, other) == ["buttons"]


def test_a_preview_is_filled_with_the_examples() -> None:
    definition = SHIPPED.kept["daily_summary"].definition
    seen = shown(as_mirrored(definition, "en"), examples(definition, "en"))
    assert seen.body.splitlines()[0] == "Your summary for 3 March."
    for language in definition.languages:
        assert check(as_mirrored(definition, language), examples(definition, language)) == []
