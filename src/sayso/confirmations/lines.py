"""What we say to an answer that decides nothing, and the lists that people answer by number. Pure."""

from collections.abc import Callable, Sequence

from sayso.confirmations.cleaning import clean, quoted
from sayso.confirmations.render import Action
from sayso.confirmations.rules import Wish
from sayso.whatsapp.content import Button, Buttons, Content, Text

#: What a button carries, by the question's id and the answer.
Payloads = Callable[[str, str], str]

#: How many questions a list numbers.
MOST_LISTED = 10
_BRIEF = 80
_MOST_BUTTONS = 3  # cloud-api 2.5
_LABELS: dict[Wish, str] = {
    "confirm": "Confirm",
    "decline": "Decline",
    "cancel": "Cancel",
    "extend": "More time",
    "undo": "Undo",
}
_ASKED: dict[Wish, str] = {"undo": "take back your answer to", "extend": "get more time for"}


def which(verdict: Wish | None, questions: Sequence[tuple[str, Action]], payloads: Payloads) -> Content:
    """Ask which of the open questions a word was meant for.

    Buttons that decide are offered for few questions only, and only when their lines can be told apart.
    """
    lines = [_line(action) for _, action in questions]
    if verdict is None or verdict == "answer":
        return Text(_unclear(lines))
    what, label = _ASKED.get(verdict, verdict), _LABELS[verdict]
    if len(questions) > _MOST_BUTTONS or not tells_apart(questions):
        return Text(f"Which one do you want to {what}? Nothing has been decided yet.\n\n{_numbered(lines)}")
    if len(questions) == 1:
        ((question_id, _),) = questions
        return Buttons(
            body=f"Do you want to {what} this? Nothing has been decided yet.\n\n{lines[0]}",
            buttons=(Button(payloads(question_id, verdict), label),),
        )
    listed = "\n".join(f"{number}. {line}" for number, line in enumerate(lines, start=1))
    return Buttons(
        body=f"Which one do you want to {what}? Nothing has been decided yet.\n\n{listed}\n\nTap its number.",
        buttons=tuple(
            Button(payloads(question_id, verdict), f"{number}. {label}")
            for number, (question_id, _) in enumerate(questions, start=1)
        ),
    )


def tells_apart(questions: Sequence[tuple[str, Action]]) -> bool:
    """Whether a list says different things of different questions: else its numbers mean nothing to a person."""
    lines = [_line(action) for _, action in questions]
    return len(set(lines)) == len(lines)


def pending(questions: Sequence[tuple[str, Action]]) -> Text:
    """What is open."""
    if not questions:
        return Text("Nothing is open: there is no question for you to answer.")
    lines = [_line(action) for _, action in questions]
    if not tells_apart(questions):
        return Text(f"Open questions:\n\n{_numbered(lines)}")
    return Text(
        f"Open questions:\n\n{_places(lines)}\n\nReply for example YES 1, NO 1 or CANCEL 1, or reply to the question "
        "itself."
    )


def _unclear(lines: Sequence[str]) -> str:
    if len(lines) == 1:
        return f"Was that an answer to {lines[0]}? Nothing has been decided yet. Please reply to the question itself."
    return (
        f"Which question do you mean? Nothing has been decided yet.\n\n{_places(lines)}\n\nPlease reply to the "
        "question itself."
    )


def _numbered(lines: Sequence[str]) -> str:
    """A list to answer by number; one whose lines are alike has no numbers."""
    if len(set(lines)) < len(lines):
        listed = "\n".join("• " + line for line in lines[:MOST_LISTED])
        return f"{listed}{_more(lines)}\n\nPlease tap the button below the question itself, or reply to it directly."
    return f"{_places(lines)}\n\nReply with its number, or reply to the question itself."


def _places(lines: Sequence[str]) -> str:
    return (
        "\n".join(f"{number}. {line}" for number, line in enumerate(lines[:MOST_LISTED], start=1))
    ) + _more(lines)


def _more(lines: Sequence[str]) -> str:
    return f"\n… and {len(lines) - MOST_LISTED} more" if len(lines) > MOST_LISTED else ""


def _line(action: Action) -> str:
    details = f" ({quoted(_brief(action.details))})" if action.details else ""
    return f"{quoted(_brief(action.description))}{details}"


def _brief(text: str) -> str:
    short = clean(text)
    return short if len(short) <= _BRIEF else short[: _BRIEF - 1].rstrip() + "…"


def again(description: str, *, held: bool) -> Text:
    """To somebody who has answered, where it is not decided for good."""
    what = quoted(description)
    if held:
        return Text(f"{what} has its answer already. Reply UNDO to take yours back, or CANCEL to stop it.")
    return Text(f"You have answered {what}; others still have to. Reply CANCEL to stop it.")


def needs_code(description: str, challenge: str) -> Text:
    """To somebody who says yes to what takes a code."""
    of = "number that the assistant shows you" if challenge == "number" else "code from the question"
    return Text(f"To confirm {quoted(description)}, reply with the {of}. Nothing has been decided yet.")


def wrong_code(description: str, left: int) -> Text:
    """To somebody who typed another code, with how many tries are left."""
    if left <= 0:
        return locked(description)
    tries = f"{left} tries are left" if left > 1 else "One try is left"
    return Text(f"That is not the code for {quoted(description)}. {tries}.")


def locked(description: str) -> Text:
    """To somebody who typed too many wrong codes."""
    return Text(
        f"Too many wrong codes: {quoted(description)} cannot be confirmed any more. You can still decline it with N, "
        "or stop it with CANCEL."
    )


def needs_option(description: str, labels: Sequence[str]) -> Text:
    """To somebody who says yes or no where there is something to choose."""
    listed = "\n".join(f"{number}. {quoted(label)}" for number, label in enumerate(labels, start=1))
    return Text(f"{quoted(description)}: please choose one, by its number.\n\n{listed}")


def not_extendable(description: str) -> Text:
    """To somebody who wants more time where there is none."""
    return Text(f"The time for {quoted(description)} cannot be extended.")


def not_undoable(description: str) -> Text:
    """To somebody who takes back what cannot be."""
    return Text(f"There is no answer of yours to {quoted(description)} that can be taken back.")


def how(description: str) -> Text:
    """To somebody who gave a number, and did not say what of it."""
    return Text(
        f"To answer {quoted(description)}, reply to the question itself. Nothing has been decided yet."
    )


def why(description: str) -> Text:
    """To somebody who declined, where the assistant wants to know why."""
    return Text(
        f"Would you say why not {quoted(description)}? What you write in the next ten minutes is passed on to the "
        "assistant. You do not have to."
    )
