"""Normalisation as measured (golden table), and the phrases that must, and must not, count as a word."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sayso.confirmations.rules import word
from sayso.consent.words import reading
from sayso.core.words import Words, load, normalise

#: Input, what it becomes, what it decides. None: nothing, look-alikes included.
GOLDEN = [
    ("\uff39", "y", "confirm"),  # fullwidth
    ("\uff39\uff25\uff33", "yes", "confirm"),
    ("\U0001d418", "y", "confirm"),  # mathematical bold
    ("\u24ce", "y", "confirm"),  # circled
    ("\U0001f148", "y", "confirm"),  # squared
    ("\u24e8", "y", "confirm"),  # circled, small
    ("\u200bY\u200d", "y", "confirm"),  # zero width
    ("\u202eY\u202c", "y", "confirm"),  # bidirectional
    ("\u200eY", "y", "confirm"),
    ("\ufeffY", "y", "confirm"),  # byte order mark
    ("\u00a0Y", "y", "confirm"),
    ("\u3000Y", "y", "confirm"),
    ("Y\u00adES", "yes", "confirm"),  # soft hyphen
    ("Y\U000e0045", "y", "confirm"),  # tag character
    ("\u0939\u093e\u0901", "\u0939\u093e\u0901", "confirm"),  # Devanagari: marks are letters, and stay
    ("\u0423", "\u0443", None),  # Cyrillic
    ("\u03a5", "\u03c5", None),  # Greek
    ("\u028f", "\u028f", None),  # small capital
    ("\U0001f1fe", "\U0001f1fe", None),  # regional indicator
    ("Y\u0301", "\u00fd", None),
    ("\u0130PTAL", "i\u0307ptal", "cancel"),
    ("\u3164Y", "\u1160y", None),  # Hangul filler
    ("\U0001f44d\ufe0f", "\U0001f44d\ufe0f", None),
    ("\U0001f44d\U0001f3fd", "\U0001f44d\U0001f3fd", None),
    ("Y\ud800", "", None),  # half a character
    ("Y\x00", "", None),
]


@pytest.mark.parametrize(("text", "normal", "decides"), GOLDEN)
def test_the_golden_table(text: str, normal: str, decides: str | None) -> None:
    assert normalise(text) == normal
    assert word(text) == decides


YES = [
    "y",
    "Y",
    "yes",
    "YES",
    "Yes.",
    "yes!",
    " yes\n",
    "*YES*",
    "_yes_",
    "“Yes”",
    "«yes»",
    "'y'",
    "Confirm",
    "confirm…",
]
NO = ["n", "N", "no", "NO.", "No!", "decline", "DECLINE", "`no`"]
CANCEL = ["cancel", "CANCEL", "Cancel.", "“cancel”"]
NEITHER = [
    "", " ", ".", "yes?", "y?", "no?", "yes please", "yes no", "no yes", "yeah", "ok", "okay",
    "sure", "not yes",
    "no thanks", "don't", "yess", "yes yes", "y/n", "y n", "yes 👍", "👍", "✅", "👎", "1", "0",
    "cancel it", "cancelled",
    "do not confirm", "confirm?", "i confirm", "confirmed", "y e s", "ye s", "ʏes", "уes", "nо",
    "Ｙ？", "yés", "ñ",
    "stop", "start", "dа", "s í", "ou i", "jaa", "haan", "y" * 201, "yes" + " " * 300 + "no",
    "y\u0000", "yes-no",
]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "meaning"),
    [*((t, "confirm") for t in YES), *((t, "decline") for t in NO), *((t, "cancel") for t in CANCEL)],
)
def test_a_word_of_the_guide_counts_in_whatever_dress(text: str, meaning: str) -> None:
    assert word(text) == meaning


@pytest.mark.parametrize("text", NEITHER)
def test_anything_else_decides_nothing(text: str) -> None:
    assert word(text) is None


STOP = [
    "STOP", "stop", "stop.", "Stop!", "“Stop”", "«stop»", "'STOP'", "*STOP*", "STOP 🛑", "🛑 stop", "🛑STOP🛑",
    "stop ✋🏽", "stop ❤️", "stop 👨‍👩‍👧", "ＳＴＯＰ", "st\u200bop", "\u202eSTOP\u202c", "STOPALL",
    "stop all", "STOP  ALL",
    "unsubscribe", "Unsubscribe.", "opt out", "opt-out", "OPTOUT", "revoke", "stop\n", "\tstop",
    "停止。", "「退订」", "停止！", "¡Baja!", "توقف،", "रोकें।", "ABONELIKTEN ÇIK", "‹stop›",
]  # fmt: skip
START = ["START", "start", "Start!", "unstop", "subscribe", "START ✅"]
STAYS = [
    "", "🛑", "✋", "stop, o Zé não vem", "don't stop", "please stop the bus", "non-stop", "stop?",
    "st op", "ST🛑OP", "stop 1", "ЅТОР", "stоp", "ꜱᴛᴏᴘ", "stop\u0301", "s.t.o.p", "STOP it", "stopstart",
    "توقف؟", "停止？", "停止。吗",
    "start stop", "the end", "restart", "start now", "y", "yes", "no", "s" * 201, "stop" + "!" * 200, "stop\x00",
]  # fmt: skip


@pytest.mark.parametrize(("text", "meaning"), [*((t, "stop") for t in STOP), *((t, "start") for t in START)])
def test_leaving_and_coming_back_are_read_in_whatever_dress(text: str, meaning: str) -> None:
    word_of_theirs = reading(text)
    assert word_of_theirs is not None
    assert word_of_theirs.meaning == meaning


@pytest.mark.parametrize("text", STAYS)
def test_what_only_holds_the_word_is_no_stop(text: str) -> None:
    assert reading(text) is None


@given(st.text(max_size=40))
def test_to_normalise_twice_is_to_normalise_once_and_nothing_unseen_is_left(text: str) -> None:
    for drop_emoji in (False, True):
        once = normalise(text, drop_emoji=drop_emoji)
        assert "\x00" not in once
        assert not any(unicodedata.category(char) == "Cs" for char in once)
        assert not any(unicodedata.category(char) == "Cf" for char in unicodedata.normalize("NFKC", once))
        assert once == once.strip()


def test_a_word_that_means_two_things_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    class Package:
        def joinpath(self, _name: str) -> "Package":
            return self

        def read_text(self, **_how: str) -> str:
            return 'version = 3\n[en]\nyes = ["ok"]\n[de]\nno = ["OK."]\n'

    monkeypatch.setattr("sayso.core.words.files", lambda _name: Package())
    with pytest.raises(ValueError, match="means both yes and no"):
        load("anywhere", "words.toml")


def test_a_table_knows_its_version() -> None:
    assert Words(7, {"y": "confirm"}).meaning("Ｙ") == "confirm"
    assert load("sayso.confirmations", "words.toml").version >= 1
