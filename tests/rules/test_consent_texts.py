"""What people read about being messaged: every text in every language, within WhatsApp's limits."""

import string
import tomllib
from importlib.resources import files

import pytest

from sayso.consent import texts
from sayso.consent.words import reading
from sayso.whatsapp import content
from sayso.whatsapp.content import Button, Buttons, Text

TABLE = tomllib.loads(files("sayso.consent").joinpath("texts.toml").read_text(encoding="utf-8"))
KEYWORDS = tomllib.loads(files("sayso.consent").joinpath("keywords.toml").read_text(encoding="utf-8"))


def values(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def test_there_are_texts_in_every_language_there_are_keywords_in() -> None:
    assert set(texts.languages()) == set(KEYWORDS) - {"version"}
    assert len(texts.languages()) >= 20


@pytest.mark.parametrize("language", TABLE)
def test_every_language_has_every_text_with_the_same_values(language: str) -> None:
    assert TABLE[language].keys() == TABLE["en"].keys()
    for name, text in TABLE[language].items():
        expected = values(TABLE["en"][name])
        assert values(text) == expected, name


@pytest.mark.parametrize("language", TABLE)
def test_every_text_names_the_word_that_does_it_and_fits(language: str) -> None:
    filled = {
        name: texts.text(name, language, business="B" * 60, contact="c" * 200, count=99)
        for name in TABLE[language]
    }
    for name in ("opt_in", "help", "clarify", "ask", "opt_out_marketing"):
        assert "STOP" in filled[name], name
    assert "START" in filled["back"]
    assert "START" in filled["help"]
    for text in filled.values():
        content.validate(Text(text))
    buttons = (Button("y", filled["yes"]), Button("n", filled["no"]))
    content.validate(Buttons(body=filled["ask"], buttons=buttons))


def test_the_english_is_the_guides() -> None:
    spoken = {"business": "AI Assistant"}
    assert texts.text("opt_in", "en", **spoken) == (
        "Thank you for opting in to AI Assistant notifications. Reply STOP anytime to opt out."
    )
    assert texts.text("opt_out", "en", **spoken) == (
        "You have been unsubscribed from AI Assistant notifications."
    )


def test_the_words_that_texts_name_are_understood() -> None:
    for word, meaning in (("STOP", "stop"), ("START", "start"), ("HELP", "help")):
        read = reading(word)
        assert read is not None
        assert read.meaning == meaning


@pytest.mark.parametrize(
    ("wanted", "language"),
    [
        ((), "en"),
        ((None, None), "en"),
        (("pt-BR",), "pt"),
        (("es-419", "de"), "es"),
        (("zh-Hant-TW",), "zh"),
        (("no",), "nb"),
        (("iw",), "he"),
        (("xx", "PL_pl"), "pl"),
        ((None, "xx"), "en"),
    ],
)
def test_the_first_language_there_is_counts(wanted: tuple[str | None, ...], language: str) -> None:
    assert texts.language(*wanted) == language
