"""Texts made to deceive: none forges the frame, none hides a field, none leads anywhere, and all come out the same.

``SAYSO_FUZZ_TEXTS`` says how many (2,000 by default; 100,000 are the promise), ``SAYSO_FUZZ_SEED`` which.
"""

import os
import random
import re
import unicodedata
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

import pytest

from sayso.confirmations import cleaning, kinds, phrases, question
from sayso.confirmations.question import Prompt, Question, Reader
from sayso.confirmations.render import Action
from sayso.core.errors import ContentTooLongError, InputInvalidError
from sayso.whatsapp.limits import length

TEXTS = int(os.environ.get("SAYSO_FUZZ_TEXTS", "2000"))
SEED = int(os.environ.get("SAYSO_FUZZ_SEED", "0")) or random.SystemRandom().getrandbits(32)
CNF = "cnf_" + "7" * 26
GENERIC = kinds.kind("anything at all")

_FRAMES = [
    "Reply Y to confirm", "Tap a button, or reply Y to confirm, N to decline, CANCEL to stop.", "Details: “harmless”",
    "This question ends in 30 minutes.", "AI Assistant wants to:", "Hi Alice,", "+3 more", "{{1}}", "{{2}}", "{0}",
    "{what}", "✅ Confirmed: “pay”", "cf2:cnf_x:confirm:aaaa", "Y", "CANCEL",
]  # fmt: skip
_MARKS = [
    "”", "“", "„", "‟", "❞", "〞", "＂", '"', "'", "«", "»", "*", "_", "~", "`", "```", ">", "- ", "1. ", "#", "\\",
]  # fmt: skip
_UNSEEN = [
    "\n", "\r\n", "\n\n", "\t", "\x0b", "\x0c", "\x85", "\u2028", "\u2029", " " * 9, "\u00a0", "\u3000", "\x1b[2J",
    "\x00", "\u200b", "\u200d", "\u2060", "\ufeff", "\u202e", "\u202d", "\u2066", "\u2069", "\u061c", "\u3164",
    "\u2800", "\u115f", "\U000e0041", "\ufe0f", "\u180e", "\u00ad",
]  # fmt: skip
_LINKS = [
    "https://evil.example/pay", "http://10.0.0.1", "www.evil.com", "evil.co.uk/x", "wa.me/15550001111", "mailto:a@b.io",
    "javascript:alert", "ftp://x.y", "bücher.de", "пример.рф", "evil．com", "evil｡com", "user@host.org", "tel:+15550",
]  # fmt: skip
_WORDS = [
    "pay",
    "90,000 EUR",
    "to",
    "Bob",
    "3.50",
    "e.g.",
    "مرحبا",
    "שלום",
    "日本語",
    "🦄",
    "é",
    "a" * 30,
    "Zażółć",
]


class Dice(random.Random):
    """Makes texts and actions by a grammar of what deceives."""

    def text(self, most: int = 9) -> str:
        """One text."""
        return self.choice(["", " "]).join(
            self.choice(self.choice((_FRAMES, _MARKS, _UNSEEN, _LINKS, _WORDS, _WORDS)))
            for _ in range(self.randint(1, most))
        )

    def value(self, depth: int = 0) -> Any:
        """One value of an action."""
        kind = self.randrange(9 if depth < 3 else 6)
        if kind < 4:
            return self.text(4)
        if kind < 6:
            return self.choice([0, -1, 3.5, 10**15, True, False, None, [], {}])
        if kind == 6:
            return [self.text(2) for _ in range(self.randint(1, 4))]
        return {self.name(): self.value(depth + 1) for _ in range(self.randint(1, 3))}

    def name(self) -> str:
        """The name of a field."""
        return self.choice(
            ["amount", "to", "iban", "cc_list", "Details", "Reply Y to confirm", "x"]
        ) + self.choice(["", "", str(self.randrange(99)), self.text(2)])

    def action(self) -> Action:
        """One action, some with fields."""
        fields = (
            {self.name(): self.value() for _ in range(self.randint(1, 7))} if self.random() < 0.7 else None
        )
        details = "" if fields is not None and self.random() < 0.5 else self.text()
        return Action("anything at all", self.text(), details, fields)


def leaves(value: Any, depth: int = 0) -> list[Any]:
    """Every field, by our own reading: what is in objects, down to the eighth."""
    if isinstance(value, Mapping) and value and (depth == 0 or depth < 8):
        return [leaf for each in value.values() for leaf in leaves(each, depth + 1)]
    return [value]


def shown(action: Action, language: str) -> Prompt | None:
    """The question; None where it is refused for its length, or for showing nothing."""
    try:
        return question.prompt(
            Question(action=action, lasts=timedelta(minutes=30)),
            Reader(greet="Alice", language=language, template_language=language),
            payloads=f"cf2:{CNF}:{{}}".format,
            business="AI Assistant",
        )
    except (ContentTooLongError, InputInvalidError) as error:
        if {fault.pointer for fault in error.faults} - {"/action_description", "/action_details", "/action"}:
            raise
        return None


def unquoted(text: str) -> str:
    """A text without what stands between our quotation marks, which are neither nested nor left open."""
    assert re.fullmatch(r"[^“”]*(“[^“”]*”[^“”]*)*", text), text
    return re.sub(r"“[^“”]*”", "“”", text)


LINE = re.compile(r"(?:“”|[\w ·-]+): “”|“”")
LINK = re.compile(r"://|\w[.．｡][^\W\d_]{2}|\b(?:mailto|tel|javascript):\S", re.IGNORECASE)


def frame(body: str, fields: bool, spoken: str) -> tuple[str, list[str]]:
    """What of a text is ours, and the lines of fields in it."""
    paragraphs = unquoted(body).split("\n\n")
    lines = paragraphs.pop(2).split("\n") if fields else []
    details = phrases.phrase("details", spoken, text="“”")
    paragraphs = [each for each in paragraphs if each != details]
    return "\n\n".join(paragraphs), lines


def wrongs(
    action: Action, language: str, render: Callable[[Action, str], Prompt | None] = shown
) -> list[str]:
    """What is wrong with how an action is shown."""
    prompt = render(action, language)
    if prompt is None:
        return []
    again = render(Action(action.type, action.description, action.details, action.fields), language)
    found = [] if again == prompt else ["it does not come out the same"]
    body = prompt.session.body
    plain = render(Action("anything at all", "pay", "now"), language)
    assert plain is not None
    ours, lines = frame(body, action.fields is not None, language)
    if prompt.rest:
        first = phrases.phrase("first", language, show=phrases.phrase("show", language))
        ours = ours.replace(first, phrases.phrase("tap", language))
    if ours != frame(plain.session.body, False, language)[0]:
        found.append(f"the frame is not ours: {ours}")
    found += missing(action, body, lines, language)
    whole = [str(each.body) for each in prompt.rest]
    found += not_whole(action, whole, language) if whole or prompt.hidden else []
    texts = [*(each.replace("\n", "") for each in (body, *whole)), *map(str, prompt.template.parameters)]
    found += [f"it leads somewhere: {text}" for text in texts if LINK.search(text)]
    unseen = [
        text for text in texts if any(unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp") for c in text)
    ]
    found += [f"it holds what cannot be seen: {text!r}" for text in unseen]
    found += [f"a run of spaces: {text!r}" for text in texts if "    " in text]
    return found + (
        ["too long"] if max(map(length, [body, *map(str, prompt.template.parameters)])) > 1024 else []
    )


def not_whole(action: Action, bodies: list[str], language: str) -> list[str]:
    """What of an action, or of the frame, is not in the messages that show all of it."""
    lines = [line for body in bodies for line in unquoted(body).split("\n") if LINE.fullmatch(line)]
    what = 1 if len(bodies) == 1 else 2  # the description, and once more above the buttons
    details = LINE.fullmatch(phrases.phrase("details", language, text="“”")) and action.details
    count = len(lines) - what - bool(details)
    found = [] if count == len(leaves(action.fields)) else [f"{count} fields of all are shown: {bodies}"]
    if not bodies or not bodies[0].startswith(phrases.phrase("all", language)):
        found.append(f"the frame of all is not ours: {bodies}")
    return found


def missing(action: Action, body: str, lines: list[str], language: str) -> list[str]:
    """What of an action is neither shown nor counted."""
    found = [] if cleaning.quoted(action.description) in body else ["the description is not shown whole"]
    if action.details and cleaning.quoted(action.details) not in body:
        found.append("the details are not shown whole")
    if action.fields is None:
        return found
    counted = re.fullmatch(
        re.escape(phrases.phrase("more", language, count=0)).replace("0", r"(\d+)"), lines[-1]
    )
    told = lines[:-1] if counted else lines
    found += [f"no line of a field: {line}" for line in told if not LINE.fullmatch(line)]
    hidden = int(counted[1]) if counted else 0
    count = len(leaves(action.fields))
    return (
        found
        if len(told) + hidden == count
        else [*found, f"{count} fields, {len(told)} shown, {hidden} counted"]
    )


@pytest.mark.timeout(max(300, TEXTS // 50))
def test_no_text_deceives_the_person_who_reads_it() -> None:
    dice, languages, seen = Dice(SEED), phrases.languages(), 0
    for number in range(TEXTS):
        action, language = dice.action(), languages[number % len(languages)]
        found = wrongs(action, language)
        assert found == [], (SEED, number, action, found)
        seen += shown(action, language) is not None
    assert seen > TEXTS // 4, "most texts are short enough to be asked"


def test_each_way_to_deceive_would_be_noticed() -> None:
    class Body:
        def __init__(self, body: str) -> None:
            self.body = body

    def with_body(change: Callable[[str], str]) -> Callable[[Action, str], Any]:
        def render(action: Action, language: str) -> Any:
            prompt = shown(action, language)
            if prompt is None or action.description == "pay":
                return prompt
            return Prompt(Body(change(prompt.session.body)), prompt.template)  # type: ignore[arg-type]

        return render

    action = Action("anything at all", "pay Bob", "soon", {"amount": 5, "to": "Bob", "iban": "DE1"})
    changes: list[Callable[[str], str]] = [
        lambda body: body.replace("“5”", "“5”\n\nReply Y to confirm"),
        lambda body: body.replace("\nto: “Bob”", ""),
        lambda body: body.replace("soon", "see evil.com"),
        lambda body: body.replace("soon", "so\u202eon"),
        lambda body: body.replace("“soon”", "soon"),
        lambda body: body.replace("pay Bob", "pay"),
    ]
    assert wrongs(action, "en") == []
    assert [n for n, change in enumerate(changes) if not wrongs(action, "en", with_body(change))] == []
