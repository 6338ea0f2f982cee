"""Nobody confirms what they did not see: what a question leaves out is shown whole first, or is not asked."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest

from sayso.confirmations import payloads, phrases, question, reading, rules
from sayso.confirmations.question import Prompt, Question, Reader
from sayso.confirmations.render import Action
from sayso.confirmations.rules import Decide, Explain, How, Option, Reply, Verdict
from sayso.core.errors import ContentTooLongError, InputInvalidError
from sayso.whatsapp.content import Buttons, Text
from sayso.whatsapp.limits import length

KEY, CNF = b"k" * 32, "cnf_" + "7" * 26
MANY = {f"field{n:02}": f"value {n} of some length" for n in range(20)}
ALL = [f"field{n:02}: “value {n} of some length”" for n in range(20)]
NOW = datetime(2026, 3, 14, 12, 0, tzinfo=UTC)


def prompt(fields: Any = None, *, language: str = "en", code: str | None = None, **changes: Any) -> Prompt:
    action = Action("anything", "do it", "soon", MANY if fields is None else fields)
    asked: dict[str, Any] = {"action": action, "lasts": timedelta(minutes=30), **changes}
    return question.prompt(
        Question(**asked),
        Reader(language=language, template_language=language, code=code),
        payloads=partial(payloads.make, KEY, CNF),
        business="AI Assistant",
    )


def answers(shown: Any) -> list[str]:
    assert isinstance(shown, Buttons)
    taps = [payloads.read(KEY, button.id) for button in shown.buttons]
    return [tap.answer for tap in taps if tap]


@pytest.mark.parametrize("language", phrases.languages())
def test_what_leaves_fields_out_offers_all_of_it_in_place_of_a_yes(language: str) -> None:
    shown = prompt(language=language)
    assert shown.hidden > 0
    assert answers(shown.session) == ["show", "decline", "cancel"]
    (whole,) = shown.rest
    assert isinstance(whole, Buttons)
    assert answers(whole) == ["confirm", "decline", "cancel"]
    assert whole.body.startswith(phrases.phrase("all", language) + "\n“do it”")
    assert [line for line in ALL if line not in whole.body] == []
    assert phrases.phrase("details", language, text="“soon”") in whole.body
    assert shown.digests().keys() == {"session", "template", "rest"}


def test_what_fits_is_asked_at_once() -> None:
    shown = prompt({"amount": 5})
    assert (shown.hidden, shown.rest, answers(shown.session)) == (0, (), ["confirm", "decline", "cancel"])
    assert shown.digests().keys() == {"session", "template"}


def test_more_than_one_message_holds_comes_in_several_and_the_buttons_last() -> None:
    fields = {f"f{n:02}": f"{n} " + "x" * 900 for n in range(16)}
    *texts, last = prompt(fields, challenge="code", code="1234").rest
    assert all(isinstance(each, Text) and length(each.body) <= 4096 for each in texts)
    bodies = [each.body for each in texts if isinstance(each, Text)]
    assert [body.split("\n")[0] for body in bodies] == [
        f"{n}/{len(bodies)}" for n in range(1, len(bodies) + 1)
    ]
    together = "\n".join(bodies)
    assert [name for name, text in fields.items() if f"{name}: “{text}”" not in together] == []
    assert answers(last) == ["decline", "cancel"]
    assert isinstance(last, Buttons)
    assert "1234" in last.body


@pytest.mark.parametrize(
    "changes",
    [
        {"fields": {"a": "x" * 4100}},
        {"kind": "choose", "options": [Option("1", "one"), Option("2", "two")]},
        {"kind": "ask"},
    ],
)
def test_what_could_never_be_seen_and_what_would_be_answered_twice_is_refused(
    changes: dict[str, Any],
) -> None:
    with pytest.raises(ContentTooLongError) as raised:
        prompt(**changes)
    assert [fault.pointer for fault in raised.value.faults] == ["/action"]


def test_the_operator_may_do_without() -> None:
    shown = prompt(unseen_fields=True)
    assert shown.hidden > 0
    assert (shown.rest, answers(shown.session)) == ((), ["confirm", "decline", "cancel"])


@pytest.mark.parametrize("language", phrases.languages())
def test_no_label_of_an_assistant_looks_as_if_it_only_showed_something(language: str) -> None:
    with pytest.raises(InputInvalidError):
        prompt({"a": 1}, labels={"confirm": phrases.phrase("show", language)})


def reply(how: How, **changes: Any) -> tuple[rules.Question, Reply]:
    """A yes by each way there is, and what it is said to."""
    asked = rules.Question(
        CNF, open=True, shown_at=NOW, challenge=how == "code", code="1234", reactions=True, **changes
    )
    bare = Reply(
        text="yes", payload=None, sent_at=NOW + timedelta(minutes=1), tapped=None, quotes_something=False, quoted=None
    )  # fmt: skip
    ways = {
        "button": replace(bare, payload="p", answer="confirm", tapped=asked),
        "quote": replace(bare, quotes_something=True, quoted=asked),
        "word": bare,
        "reaction": replace(bare, text=None, emoji="👍", reacted=asked),
        "code": replace(bare, text="1234"),
        "number": replace(bare, text="yes 1"),
    }
    return asked, ways[how]


@pytest.mark.parametrize("how", ["button", "quote", "word", "reaction", "code", "number"])
def test_a_yes_to_what_was_not_seen_decides_nothing_however_it_is_said(how: How) -> None:
    listed = [rules.Listed((CNF,), "confirm", NOW)]
    for unseen in (True, False):
        asked, said = reply(how, unseen=unseen)
        read = reading.read(said, [asked], listed)
        assert read == (Explain(CNF, "confirm", how, "unseen") if unseen else Decide(CNF, "confirm", how))


@pytest.mark.parametrize("verdict", ["decline", "cancel"])
def test_a_no_needs_to_see_nothing(verdict: Verdict) -> None:
    asked, said = reply("button", unseen=True)
    assert reading.read(replace(said, answer=verdict), [asked]) == Decide(CNF, verdict, "button")


def test_all_of_it_is_shown_again_to_who_asks_again_and_decides_nothing() -> None:
    for unseen in (True, False):
        asked, said = reply("button", unseen=unseen)
        read = reading.read(replace(said, answer="show"), [asked])
        assert read == Explain(CNF, "show", "button", "unseen")
