"""What we say to an answer that decides nothing, and the lists that people answer by number. Pure."""

from collections.abc import Callable, Sequence

from sayso.confirmations.cleaning import clean, quoted
from sayso.confirmations.phrases import counted, phrase
from sayso.confirmations.render import Action
from sayso.confirmations.rules import Kind, Wish
from sayso.whatsapp import limits
from sayso.whatsapp.content import Button, Buttons, Content, Text

#: What a button carries, by the question's id and the answer.
Payloads = Callable[[str, str], str]

#: How many questions a list numbers.
MOST_LISTED = 10
_BRIEF = 80
_MOST_BUTTONS = 3  # cloud-api 2.5


def which(
    verdict: Wish | None,
    questions: Sequence[tuple[str, Action]],
    payloads: Payloads,
    language: str | None = None,
) -> Content:
    """Ask which of the open questions a word was meant for.

    Buttons that decide are offered for few questions only, and only when their lines can be told apart.
    """
    lines = [_line(action) for _, action in questions]
    if verdict is None or verdict == "answer":
        return Text(_unclear(lines, language))
    undecided = phrase("undecided", language)
    asks = f"{phrase(f'which_{verdict}', language)} {undecided}"
    if len(questions) > _MOST_BUTTONS or not tells_apart(questions):
        return Text(f"{asks}\n\n{_numbered(lines, language)}")
    label = phrase(verdict, language)
    if len(questions) == 1:
        ((question_id, _),) = questions
        return Buttons(
            body=f"{phrase(f'this_{verdict}', language)} {undecided}\n\n{lines[0]}",
            buttons=(Button(payloads(question_id, verdict), label),),
        )
    return Buttons(
        body=f"{asks}\n\n{_places(lines, language)}\n\n{phrase('by_tap', language)}",
        buttons=tuple(
            Button(payloads(question_id, verdict), f"{number}. {label}")
            for number, (question_id, _) in enumerate(questions, start=1)
        ),
    )


def tells_apart(questions: Sequence[tuple[str, Action]]) -> bool:
    """Whether a list says different things of different questions: else its numbers mean nothing to a person."""
    lines = [_line(action) for _, action in questions]
    return len(set(lines)) == len(lines)


def pending(
    questions: Sequence[tuple[str, Action]], answered: Sequence[Action] = (), language: str | None = None
) -> Text:
    """What is open; ``answered``: what has an answer already that does not count for good."""
    parts = []
    if questions:
        lines = [_line(action) for _, action in questions]
        parts += [phrase("pending", language)]
        parts += (
            [_places(lines, language), phrase("pending_how", language)]
            if tells_apart(questions)
            else [_numbered(lines, language)]
        )
    if answered:
        lines = [_line(action) for action in answered]
        parts += [phrase("pending_answered", language), _bullets(lines, language)]
    return Text("\n\n".join(parts) or phrase("pending_none", language))


def _unclear(lines: Sequence[str], language: str | None) -> str:
    undecided = phrase("undecided", language)
    if len(lines) == 1:
        meant = phrase("meant_one", language, what=lines[0])
        return f"{meant} {undecided} {phrase('itself', language)}"
    return f"{phrase('meant', language)} {undecided}\n\n{_numbered(lines, language)}"


def _numbered(lines: Sequence[str], language: str | None) -> str:
    """A list to answer by number; one whose lines are alike has no numbers."""
    if len(set(lines)) < len(lines):
        return f"{_bullets(lines, language)}\n\n{phrase('alike', language)}"
    return f"{_places(lines, language)}\n\n{phrase('by_number', language)}"


def _places(lines: Sequence[str], language: str | None) -> str:
    numbered = [f"{number}. {line}" for number, line in enumerate(lines[:MOST_LISTED], start=1)]
    return "\n".join([*numbered, *_more(lines, language)])


def _bullets(lines: Sequence[str], language: str | None) -> str:
    return "\n".join([*("• " + line for line in lines[:MOST_LISTED]), *_more(lines, language)])


def _more(lines: Sequence[str], language: str | None) -> list[str]:
    hidden = len(lines) - MOST_LISTED
    return [phrase("more", language, count=hidden)] if hidden > 0 else []


def _line(action: Action) -> str:
    details = f" ({quoted(_brief(action.details))})" if action.details else ""
    return f"{quoted(_brief(action.description))}{details}"


def _brief(text: str) -> str:
    """The beginning of a text; counted as WhatsApp may count, so that few of them fit one body."""
    short = clean(text)
    if limits.length(short) <= _BRIEF:
        return short
    while limits.length(short) >= _BRIEF:
        short = short[:-1]
    return short.rstrip() + "…"


def again(description: str, *, held: bool, theirs: bool, language: str | None = None) -> Text:
    """To somebody who answers what has an answer, where it is not decided for good; ``theirs``: they gave one."""
    name = "again_counted" if not held else "again_held" if theirs else "again_others"
    return Text(phrase(name, language, what=quoted(description)))


def needs_code(description: str, challenge: str, language: str | None = None) -> Text:
    """To somebody who says yes to what takes a code."""
    asks = phrase(f"needs_{challenge}", language, what=quoted(description))
    return Text(f"{asks} {phrase('undecided', language)}")


def wrong_code(description: str, left: int, language: str | None = None) -> Text:
    """To somebody who typed another code, with how many tries are left."""
    what = quoted(description)
    if left <= 0:
        return Text(phrase("locked", language, what=what))
    return Text(f"{phrase('wrong_code', language, what=what)} {counted('tries', left, language)}")


def how(kind: Kind, description: str, labels: Sequence[str] = (), language: str | None = None) -> str:
    """To somebody who did not say what they answer: how this question is answered; above what can be tapped."""
    asks = f"{phrase(f'how_{kind}', language, what=quoted(description))} {phrase('undecided', language)}"
    listed = "\n".join(f"{number}. {quoted(label)}" for number, label in enumerate(labels, start=1))
    return f"{asks}\n\n{listed}" if listed else asks


def nothing_to_undo(language: str | None = None) -> Text:
    """To somebody who takes back what is not there."""
    return Text(phrase("nothing_to_undo", language))
