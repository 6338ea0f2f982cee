"""What people read of a question: every sentence in every language, whole, within WhatsApp's limits, not in English."""

import re
import string
import tomllib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from typing import Any, get_args

import pytest

from sayso.confirmations import kinds, lines, phrases, question, render, rules, statement, told
from sayso.confirmations.question import Question
from sayso.confirmations.render import Action
from sayso.confirmations.rules import Option, Outcome, Wish
from sayso.whatsapp.content import Button, Buttons, Content, Text, validate
from sayso.whatsapp.limits import BUTTON_TITLE, LIST_BUTTON, ROW_TITLE, length

TABLES: dict[str, dict[str, dict[str, Any]]] = {
    name: tomllib.loads(files("sayso.confirmations").joinpath(name).read_text(encoding="utf-8"))
    for name in phrases.FILES
}
EVERY = [(name, language) for name, table in TABLES.items() for language in table]
OTHERS = [(name, language) for name, language in EVERY if language != "en"]
#: What is understood in every language, or is a name, and so stays as it is.
COMMANDS = {"Y", "N", "YES", "NO", "CANCEL", "UNDO", "EXTEND", "PENDING"}
NAMES = {"WhatsApp"}
#: Words of the English table that a language has as well.
SHARED = {
    "de": "an chat code codes in minute was",
    "es": "as cancel chat decide no",
    "fr": "assistant code codes message minute minutes place question questions",
    "it": "all chat decide in no",
    "pt": "as decide do no",
    "nl": "chat code codes details in is of open was",
    "pl": "by do to",
    "id": "final",
}
#: Phrases that are the same in English and there.
SAME = {("es", "no"), ("it", "no"), ("nl", "details"), ("fr", "minute")}
LONG = "a" * 300
NOON = datetime(2026, 3, 14, 12, 0, tzinfo=UTC)


def forms(text: Any) -> list[str]:
    return [text] if isinstance(text, str) else list(text)


def values(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def words(text: str) -> set[str]:
    """The words of a phrase, its values left out."""
    return set(re.findall(r"[^\W\d_]{2,}|\b[YN]\b", re.sub(r"\{\w+\}", " ", text)))


def test_every_file_has_the_same_languages_and_no_phrase_of_another() -> None:
    assert len(phrases.languages()) >= 13
    for table in TABLES.values():
        assert tuple(table) == phrases.languages()
    named = [name for table in TABLES.values() for name in table["en"]]
    assert len(named) == len(set(named))


@pytest.mark.parametrize(("file", "language"), OTHERS)
def test_every_language_has_every_phrase_with_the_same_values_and_commands(file: str, language: str) -> None:
    table = TABLES[file]
    assert table[language].keys() == table["en"].keys()
    for name, text in table[language].items():
        english = forms(table["en"][name])[-1]
        said = forms(text)
        assert values(said[-1]) == values(english), name
        assert all(values(each) <= values(english) for each in said), name
        if english and name != "follows":
            assert all(said), name
            assert words(said[-1]) & COMMANDS == words(english) & COMMANDS, name
            assert said[0][0] == english[0] or english[0].isascii(), f"{name}: another sign"


@pytest.mark.parametrize("language", [each for each in phrases.languages() if each != "en"])
def test_nothing_is_left_in_english(language: str) -> None:
    english = [form for table in TABLES.values() for text in table["en"].values() for form in forms(text)]
    known = {each.lower() for each in words(" ".join(english))} - set(SHARED.get(language, "").split())
    for table in TABLES.values():
        for name, text in table[language].items():
            for said in filter(None, forms(text)):
                assert said not in english or (language, name) in SAME, name
                left = {each.lower() for each in words(said) - COMMANDS - NAMES}
                assert not left & known, (name, said)
                strange = any(each.isascii() for each in left) and language in ("ar", "hi", "ja")
                assert not strange, (name, said)


@pytest.mark.parametrize("language", phrases.languages())
def test_there_is_a_form_for_every_number(language: str) -> None:
    for name in ("day", "hour", "minute", "second", "tries"):
        for number in range(1, 130):
            said = phrases.counted(name, number, language)
            assert said
            assert str(number) in said or number <= 2, (name, number)


def everything(language: str) -> Iterator[Content]:
    """Whatever is sent besides the question itself, each as long as it can be."""
    spans = {"span": timedelta(days=99), "have": 10, "needed": 10}
    for name in TABLES["told.toml"]["en"]:
        yield told.line(name, LONG, language, **spans)
    for name in ("locked", "not_extendable", "not_undoable"):
        yield told.line(name, LONG, language)
    yield told.line("why", LONG, language, span=timedelta(minutes=10))
    yield lines.nothing_to_undo(language)
    for challenge in ("code", "number"):
        yield lines.needs_code(LONG, challenge, language)
    for left in (2, 1, 0):
        yield lines.wrong_code(LONG, left, language)
    for held, theirs in ((True, True), (True, False), (False, True)):
        yield lines.again(LONG, held=held, theirs=theirs, language=language)
    for outcome in get_args(Outcome):
        yield render.too_late(outcome, LONG, NOON, language=language, time_zone="Asia/Kolkata")
        yield render.nothing_open(outcome, LONG, NOON, language=language)
        closed = render.closing(outcome, LONG, language)
        yield from [closed] if closed else []
    for status in ("done", "failed"):
        yield render.executed(status, LONG, LONG, language)
    yield Text(render.not_undone(LONG, language))


def lists(language: str) -> Iterator[Content]:
    """The lists that are answered by number, and what is offered to be tapped."""
    many = [(f"cnf_{n}", Action("x", f"{n:02}{LONG}", f"{n:02}{LONG}")) for n in range(12)]
    written = [
        wish for wish in get_args(Wish) if wish != "show"
    ]  # which is tapped, and says what it is about
    wishes: list[Wish | None] = [*written, None]
    for count in (1, 2, 3, 12):
        for wish in wishes:
            yield lines.which(wish, many[:count], lambda question_id, answer: question_id + answer, language)
        yield lines.pending(many[:count], [action for _, action in many], language)
    alike = [("a", many[0][1]), ("b", many[0][1])]
    yield lines.which("confirm", alike, lambda _, answer: answer, language)
    yield lines.pending(alike, [], language)
    yield lines.pending([], [], language)
    for kind in get_args(rules.Kind):
        for count in (0, 3, 10) if kind == "choose" else (0,):
            options = [Option(str(n), f"{n}" + "b" * 23) for n in range(count)]
            asked = Question(action=many[0][1], lasts=timedelta(1), kind=kind, options=options)
            if kind != "choose" or options:
                labels = [each.label for each in options]
                body = lines.how(kind, LONG, labels, language)
                yield question.offer(asked, body, lambda answer: f"cf2:{answer}", language)


@pytest.mark.parametrize("language", phrases.languages())
def test_everything_fits_whatsapp(language: str) -> None:
    for content in [*everything(language), *lists(language)]:
        validate(content)
        if isinstance(content, Buttons):
            assert all(length(each.title) <= BUTTON_TITLE for each in content.buttons)
    spoken = TABLES["phrases.toml"][language]
    for name in ("confirm", "decline", "cancel"):
        validate(Buttons(body="x", buttons=(Button("x", f"3. {spoken[name]}"),)))
    assert length(spoken["open"]) <= LIST_BUTTON
    assert length(spoken["more"].format(count=99)) <= ROW_TITLE - 4  # what question.py keeps free for it


def test_what_is_told_names_what_was_asked_and_the_time_in_the_persons_zone() -> None:
    for language in phrases.languages():
        late = render.too_late("declined", "pay Bob", NOON, language=language, time_zone="Asia/Kolkata").body
        assert "“pay Bob”" in late
        assert "2026-03-14 17:30 UTC+05:30" in late
    assert "2026-03-14 12:00 UTC)" in render.too_late("declined", "pay Bob", NOON).body


def test_the_nearest_language_speaks_and_english_where_there_is_none() -> None:
    assert told.line("undone_still", "x", "pt-BR").body.startswith("↩️ A sua resposta")
    assert told.line("undone_still", "x", "in").body == told.line("undone_still", "x", "id").body
    assert told.line("undone_still", "x", "sw").body == told.line("undone_still", "x").body
    assert "10 دقائق" in told.line("why", "x", "ar", span=timedelta(minutes=10)).body


def test_the_commands_that_phrases_name_are_understood() -> None:
    meant = {"Y": "confirm", "YES": "confirm", "N": "decline", "NO": "decline", "CANCEL": "cancel", "UNDO": "undo",
             "EXTEND": "extend", "PENDING": "pending"}  # fmt: skip
    assert {each: rules.meaning(each) for each in COMMANDS} == meant


def test_every_kind_of_action_has_its_labels_in_every_language() -> None:
    for shipped in kinds._shipped().values():
        labelled = {each.label for each in shipped.fields}
        for language in phrases.languages() if labelled else ():
            assert shipped.labels[language].keys() == labelled, (shipped.types, language)


def test_every_way_to_answer_and_every_outcome_is_told_in_a_receipt() -> None:
    assert set(statement._HOW) == set(get_args(rules.How))
    assert set(statement._VERDICTS) == set(get_args(rules.Verdict))
    given = set(rules.OUTCOMES.values()) | set(statement._SOURCES)
    assert given == set(get_args(Outcome))
