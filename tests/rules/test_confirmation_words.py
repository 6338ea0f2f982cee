"""The words that answer: twenty languages and more, none of them said in two ways, and nothing near them counts."""

import tomllib
import unicodedata
from importlib.resources import files
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sayso.confirmations import rules
from sayso.consent import words as consent_words
from sayso.core.words import normalise

TABLE: dict[str, Any] = tomllib.loads(
    files("sayso.confirmations").joinpath("words.toml").read_text(encoding="utf-8")
)
PACKS = {language: pack for language, pack in TABLE.items() if language not in ("version", "mixed")}
UNCLEAR = TABLE["mixed"]["unclear"]
EVERY: list[tuple[str, str, str]] = [
    (language, said, text) for language, pack in PACKS.items() for said in pack for text in pack[said]
]
MEANS = {normalise(text): said for _, said, text in EVERY} | {normalise(text): "unclear" for text in UNCLEAR}


def test_every_language_of_the_keywords_has_every_meaning() -> None:
    keywords = tomllib.loads(files("sayso.consent").joinpath("keywords.toml").read_text(encoding="utf-8"))
    assert set(PACKS) == set(keywords) - {"version"}
    assert len(PACKS) >= 20
    for language, pack in PACKS.items():
        assert set(pack) == {"confirm", "decline", "cancel", "pending", "extend", "undo"}, language
    assert rules.vocabulary().version == TABLE["version"]


def test_no_word_means_two_things_in_any_language() -> None:
    said: dict[str, set[str]] = {}
    for _, meaning, text in EVERY:
        said.setdefault(normalise(text), set()).add(meaning)
    for text in UNCLEAR:
        said.setdefault(normalise(text), set()).add("unclear")
    assert {text: meanings for text, meanings in said.items() if len(meanings) > 1} == {}


def test_no_word_is_one_of_consents_but_those_that_call_off() -> None:
    for _, said, text in [*EVERY, *(("mixed", "unclear", text) for text in UNCLEAR)]:
        word = consent_words.reading(text)
        assert (word.meaning if word else None) == ("soft" if said == "cancel" else None), text


@pytest.mark.parametrize(("language", "said", "text"), EVERY)
def test_every_word_is_read_in_whatever_dress(language: str, said: str, text: str) -> None:
    for dressed in (text, f" *{text}* ", f"«{text}»!", unicodedata.normalize("NFD", text)):
        assert rules.meaning(dressed) == said, (language, dressed)
    upper = text.upper()
    assert rules.meaning(upper) == said or normalise(upper) != normalise(text), (language, upper)


@pytest.mark.parametrize("said", ["confirm", "decline", "cancel", "extend", "undo"])
def test_a_number_and_a_word_are_read_in_both_orders(said: str) -> None:
    for text in (text for _, meaning, text in EVERY if meaning == said):
        for number in ("2", "10", "٢"):
            place = int(number)
            for both in (f"{text} {number}", f"{number} {text}", f"{number}. {text}", f"{text} #{number}"):
                assert rules.numbered(both) == (said, place), both


@pytest.mark.parametrize(
    "text", ["pending 2", "tak 2", "2", "2 2", "yes", "yes 222", "yes 2 no", "2 yes 2", "yes -2"]
)
def test_what_is_no_word_with_a_number_is_none(text: str) -> None:
    assert rules.numbered(text) is None


#: What people put around, into and in place of a word; look-alikes of other scripts among them.
_BITS = st.sampled_from(
    [*"aeiouynAEО0123456789?¿؟？ -'", "не ", "not ", "no ", " please", " thanks", "👍", "❤️", "🤔", "ʏ", "у", "е", "о",
     "\u0301", "\u0308", "ё", " et ", " und ", "か", "吗", "嗎", "です", "ない", "不", "नहीं ", "ال", "\u0640"]
)  # fmt: skip
_WORDS = st.sampled_from([text for *_, text in EVERY])


@st.composite
def _near(draw: st.DrawFn) -> str:
    """A word of the table with something done to it: a typo, an addition, another word, another script."""
    text = draw(_WORDS)
    for _ in range(draw(st.integers(1, 3))):
        at, bit = draw(st.integers(0, len(text))), draw(_BITS)
        match draw(st.sampled_from(["put", "swap", "drop", "double", "join"])):
            case "put":
                text = text[:at] + bit + text[at:]
            case "swap":
                text = text[:at] + bit + text[at + 1 :]
            case "drop":
                text = text[:at] + text[at + 1 :]
            case "double":
                text = text[:at] + text[at : at + 1] + text[at:]
            case _:
                text = f"{text} {draw(_WORDS)}"
    return text


def _seen(text: str) -> str:
    """What is left of a text to somebody who reads it: by another road than the table's."""
    plain = unicodedata.normalize("NFKC", text).casefold()
    kept = (c for c in plain if unicodedata.category(c)[0] in "LMN" or c in " -?¿؟")
    return " ".join("".join(kept).split())


@given(st.one_of(_near(), st.text(max_size=30)))
def test_nothing_outside_the_table_means_anything(text: str) -> None:
    said = rules.meaning(text)
    if said is None:
        return
    assert said == MEANS[normalise(text)]
    known = {_seen(word) for word, meaning in MEANS.items() if meaning == said}
    assert _seen(text) in known


@pytest.mark.parametrize(("emoji", "said"), [
    ("👍", "confirm"), ("👍🏽", "confirm"), ("👍🏿", "confirm"), ("✅", "confirm"), ("👎", "decline"),
    ("👎🏻", "decline"), ("❌", "decline"), ("", None), (None, None), ("❤️", None), ("🙏", None), ("👍👎", None),
    ("y", None), ("yes", None), ("👌", None), ("🖕", None),
])  # fmt: skip
def test_a_reaction_says_what_the_table_says_whatever_its_skin(emoji: str | None, said: str | None) -> None:
    assert rules.reaction(emoji) == said
