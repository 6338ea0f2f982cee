"""The assistant's words on what is tapped: they are seen, told apart, and say what their buttons do. Pure."""

from collections.abc import Mapping, Sequence
from typing import Final

from sayso.confirmations import phrases
from sayso.confirmations.cleaning import clean
from sayso.confirmations.rules import Option, Verdict, word
from sayso.core.errors import Fault, InputInvalidError
from sayso.core.faults import summary
from sayso.whatsapp import limits

_ANSWERS: Final[tuple[Verdict, ...]] = ("confirm", "decline", "cancel")


def check(choices: Sequence[Option], labels: Mapping[Verdict, str]) -> None:
    """Raise :class:`InputInvalidError` unless choices and labels of buttons are what they may be.

    They show something, fit, can be told apart, and say what their buttons do.
    """
    faults: list[Fault] = []
    options = [(f"/options/{n}/label", each.label, limits.ROW_TITLE) for n, each in enumerate(choices)]
    buttons = [(f"/labels/{name}", text, limits.BUTTON_TITLE) for name, text in labels.items()]
    rows = [
        (f"/options/{n}/description", each.description, limits.ROW_DESCRIPTION)
        for n, each in enumerate(choices)
        if each.description is not None
    ]
    for at, text, most in (*options, *buttons, *rows):
        faults += _label_faults(at, text, most)
    for pairs in (options, buttons):
        said = [clean(text).casefold() for _, text, _ in pairs]
        faults += [
            Fault("says the same as another", at) for n, (at, *_) in enumerate(pairs) if said[n] in said[:n]
        ]
    faults += [
        Fault(f"says something else than {verdict}", f"/labels/{verdict}")
        for verdict, text in labels.items()
        if _means_another(verdict, text)
    ]
    if faults:
        raise InputInvalidError(summary(faults), faults=faults)


def _label_faults(at: str, text: str, most: int) -> list[Fault]:
    size = limits.length(clean(text))
    if size == 0:
        return [Fault("holds nothing that can be seen", at)]
    return (
        [Fault(f"{size} characters, {size - most} more than the {most} that fit", at)] if size > most else []
    )


def _means_another(verdict: Verdict, label: str) -> bool:
    """Whether a label is what another button is called, or a word that answers otherwise."""
    others = [each for each in _ANSWERS if each != verdict]
    called = {each.casefold() for each in phrases.names(*others, "show")} - {
        each.casefold() for each in phrases.names(verdict)
    }
    return clean(label).casefold() in called or word(label) in others
