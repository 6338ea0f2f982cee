"""A question as a person reads it: in the window with buttons or a list, outside it as a template. Pure.

The same texts, from the same action, every time: their digest is stored before anything is sent. The frame is ours;
the assistant's words stand in it quoted, cleaned, never cut. Every field of an action is shown, or counted.
"""

import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final

from sayso.confirmations import kinds, phrases
from sayso.confirmations.cleaning import clean, quoted
from sayso.confirmations.kinds import Line
from sayso.confirmations.phrases import phrase
from sayso.confirmations.policy import Challenge
from sayso.confirmations.render import Action
from sayso.confirmations.rules import Kind, Option, Verdict, word
from sayso.core import canonical
from sayso.core.errors import ContentTooLongError, Fault, InputInvalidError
from sayso.core.faults import summary, wrong
from sayso.whatsapp import limits
from sayso.whatsapp.content import (
    Button,
    Buttons,
    List,
    Row,
    Section,
    Template,
    clean_parameter,
    to_data,
    validate,
)

#: The guide's template (step 5): name, language and the order of its three variables.
TEMPLATE: Final = "confirmation_request"
#: Those of questions that its text does not fit.
TEMPLATES: Final = {
    "code": "confirmation_code",
    "choose": "confirmation_choice",
    "ask": "confirmation_question",
}
LANGUAGE: Final = "en"

#: Our own limits on the assistant's words, chosen so that the whole fits a body of 1,024 characters (cloud-api 2.8);
#: counted as ``limits.length`` counts. Details share their room with the action's fields and with choices.
MOST: Final = {"action_description": 300, "action_details": 400}
_ROOM: Final = 400
_MORE_ROOM: Final = 20  # for "+3 more", in every language
#: Who calls themselves by more is greeted without a name: it must not cost them the question.
_LONGEST_NAME: Final = 60
_VERDICTS: Final[tuple[Verdict, ...]] = ("confirm", "decline", "cancel")
_NOTHING: Final = "—"
_BUTTONS: Final = 3  # cloud-api 2.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is asked, of whomever. ``labels``: other words on the buttons than ours."""

    action: Action
    lasts: timedelta
    kind: Kind = "approve"
    challenge: Challenge | None = None
    options: Sequence[Option] = ()
    labels: Mapping[Verdict, str] = field(default_factory=dict)
    needed: int = 1
    asked: int = 1

    @property
    def template(self) -> str:
        """The template that asks it outside the window."""
        key = self.kind if self.kind != "approve" else "code" if self.challenge else ""
        return TEMPLATES.get(key, TEMPLATE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """Who reads it: the name to greet by, their language, the template's as Meta has it, the code to type."""

    greet: str | None = None
    language: str | None = None
    template_language: str = LANGUAGE
    code: str | None = None


@dataclass(frozen=True, slots=True)
class Prompt:
    """A question in both forms it may be shown in. ``hidden``: fields that one of them only counts."""

    session: Buttons | List
    template: Template
    hidden: int = 0

    def data(self) -> dict[str, Any]:
        """As stored."""
        return {"session": to_data(self.session), "template": to_data(self.template)}

    def digests(self) -> dict[str, str]:
        """SHA-256 of each form, as hex, over its canonical JSON (RFC 8785)."""
        return {form: canonical.digest(content).hex() for form, content in self.data().items()}


def prompt(
    question: Question,
    reader: Reader,
    *,
    payloads: Callable[[Any], str],
    business: str,
    kind: kinds.Kind | None = None,
) -> Prompt:
    """Both forms of a question. ``payloads`` gives what a button carries for an answer.

    Raises :class:`ContentTooLongError` saying by how much a text is too long, :class:`InputInvalidError` for one that
    shows nothing, or for a label that says something else than its button does.
    """
    _check_options(question)
    description = _checked("action_description", question.action.description)
    it = _Parts(question, reader, description, payloads, kind or kinds.kind(question.action.type))
    session, hidden_here = _session(it, business)
    template, hidden_there = _template(it)
    both = Prompt(session, template, max(hidden_here, hidden_there))
    validate(both.session)
    validate(both.template)
    return both


@dataclass(frozen=True, slots=True)
class _Parts:
    """What both forms are made of; the description is cleaned."""

    question: Question
    reader: Reader
    description: str
    payloads: Callable[[Any], str]
    kind: kinds.Kind


def _session(it: _Parts, business: str) -> tuple[Buttons | List, int]:
    question, spoken = it.question, phrases.language(it.reader.language)
    details, lines, hidden = _particulars(it, spoken)
    head = phrase("wants" if question.kind == "approve" else "asks", spoken, business=business)
    paragraphs = [f"{head}\n“{it.description}”"]
    paragraphs += ["\n".join(lines)] if lines else []
    paragraphs += [phrase("details", spoken, text=f"“{details}”")] if details else []
    paragraphs.append(" ".join(_foot(question, it.reader, spoken)))
    body = _greeted(paragraphs, _name(it.reader.greet or ""), spoken)
    _check_body(body, "/action" if lines else "/action_details")
    return offer(question, body, it.payloads, spoken), hidden


def offer(
    question: Question, body: str, payloads: Callable[[Any], str], language: str | None
) -> Buttons | List:
    """The answers to a question below a text, to be tapped: the same as below the question itself."""
    spoken = phrases.language(language)
    buttons = _buttons(question, payloads, spoken)
    if buttons is not None:
        return Buttons(body=body, buttons=buttons)
    rows = tuple(
        Row(payloads(each.id), clean(each.label), clean(each.description) if each.description else None)
        for each in question.options
    )
    return List(body=body, button=phrase("open", spoken), sections=(Section(rows),))


def _greeted(paragraphs: Sequence[str], name: str, spoken: str) -> str:
    """The whole text; without the name where that is what makes it too long."""
    nobody = "\n\n".join([phrase("nobody", spoken), *paragraphs])
    body = "\n\n".join([phrase("hello", spoken, name=name), *paragraphs]) if name else nobody
    return body if limits.length(body) <= limits.INTERACTIVE_BODY else nobody


def _foot(question: Question, reader: Reader, spoken: str) -> list[str]:
    """How to answer, how many have to, and until when."""
    how = {"choose": "choose", "ask": "answer"}.get(question.kind, question.challenge or "tap")
    lines = [phrase(how, spoken, code=reader.code)]
    if question.kind == "approve" and question.needed > 1:
        lines.append(phrase("several", spoken, needed=question.needed, asked=question.asked))
    return [*lines, phrase("ends", spoken, span=phrases.span(question.lasts, spoken))]


def _buttons(question: Question, payloads: Callable[[Any], str], spoken: str) -> tuple[Button, ...] | None:
    """The buttons; None where only a list holds what there is to choose."""
    if question.kind == "choose":
        short = all(
            each.description is None and limits.length(clean(each.label)) <= limits.BUTTON_TITLE
            for each in question.options
        )
        if not short or len(question.options) > _BUTTONS:
            return None
        return tuple(Button(payloads(each.id), clean(each.label)) for each in question.options)
    labels = {verdict: clean(label) for verdict, label in question.labels.items()}
    return tuple(
        Button(payloads(verdict), labels.get(verdict) or phrase(verdict, spoken))
        for verdict in _tapped(question)
    )


def _tapped(question: Question) -> tuple[Verdict, ...]:
    """What can be answered by a button that stands below every such question."""
    if question.kind != "approve":
        return ("cancel",)
    return _VERDICTS if question.challenge is None else ("decline", "cancel")


def _template(it: _Parts) -> tuple[Template, int]:
    question, reader = it.question, it.reader
    spoken = phrases.language(reader.template_language)
    details, lines, hidden = _particulars(it, spoken)
    if lines:
        follows = phrase("follows", spoken) if question.kind == "approve" else ""
        last = [phrase("details", spoken, text=f"“{details}”")] if details else []
        details = follows + "; ".join([*lines, *last])
    name = _name(reader.greet or "") or phrase("stranger", spoken)
    parameters: tuple[str, ...] = (name, it.description, details or _NOTHING)
    if question.challenge is not None:
        typed = reader.code if question.challenge == "code" else phrase("shown_number", spoken)
        parameters = (*parameters, str(typed))
    replies = tuple(it.payloads(verdict) for verdict in _tapped(question))
    template = Template(
        name=question.template,
        language=reader.template_language,
        parameters=parameters,
        quick_replies=replies,
    )
    return template, hidden


def _particulars(it: _Parts, spoken: str) -> tuple[str, list[str], int]:
    """The details, cleaned; the lines of fields and choices; how many fields are only counted.

    What a kind names, and every choice, is shown whole or refused; of the others as many as there is room for.
    """
    question, given = it.question, it.question.action.details
    bare = question.action.fields is None and not question.options
    details = _checked("action_details", given) if given or bare else ""
    if bare:
        return details, [], 0
    fields = (
        kinds.lines(it.kind, question.action.fields, spoken) if question.action.fields is not None else []
    )
    options = [Line(f"{n}. {quoted(each.label)}", named=True) for n, each in enumerate(question.options, 1)]
    room = _ROOM - limits.length(details) - sum(_size(each) for each in (*fields, *options) if each.named)
    if room < 0:
        at = "/action" if fields else "/options"
        detail = f"{_ROOM - room:,} characters with the details, {-room:,} more than the {_ROOM} that fit the question"
        raise _too_long(at, detail)
    shown, hidden = _fitting(fields, room)
    shown += [phrase("more", spoken, count=hidden)] if hidden else []
    return details, [*shown, *(each.text for each in options)], hidden


def _fitting(fields: Sequence[Line], room: int) -> tuple[list[str], int]:
    """The lines of fields that fit, in their order, and how many do not."""
    others = [each for each in fields if not each.named]
    if sum(_size(each) for each in others) > room:
        room -= _MORE_ROOM
    shown, hidden = [], 0
    for each in fields:
        if not each.named:
            if _size(each) > room:
                hidden += 1
                continue
            room -= _size(each)
        shown.append(each.text)
    return shown, hidden


def _size(line: Line) -> int:
    return limits.length(line.text) + 2  # and what stands between two


def _checked(field_: str, text: str) -> str:
    cleaned = clean(text)
    if not cleaned:
        raise wrong(f"/{field_}", "holds nothing that can be seen")
    size = limits.length(cleaned)
    excess = size - MOST[field_]
    if excess > 0:
        detail = f"{size:,} characters, {excess:,} more than the {MOST[field_]} that fit the question"
        raise _too_long(f"/{field_}", detail)
    return cleaned


def _check_body(body: str, at: str) -> None:
    excess = limits.length(body) - limits.INTERACTIVE_BODY
    if excess > 0:
        detail = f"{excess:,} characters more than fit the question beside its frame"
        raise _too_long(at, detail)


def _too_long(at: str, detail: str) -> ContentTooLongError:
    found = [Fault(detail, at)]
    return ContentTooLongError(summary(found), faults=found)


def _check_options(question: Question) -> None:
    """Labels show something, fit, can be told apart, and say what their buttons do."""
    faults: list[Fault] = []
    options = [
        (f"/options/{n}/label", each.label, limits.ROW_TITLE) for n, each in enumerate(question.options)
    ]
    labels = [(f"/labels/{name}", text, limits.BUTTON_TITLE) for name, text in question.labels.items()]
    rows = [
        (f"/options/{n}/description", each.description, limits.ROW_DESCRIPTION)
        for n, each in enumerate(question.options)
        if each.description is not None
    ]
    for at, text, most in (*options, *labels, *rows):
        faults += _label_faults(at, text, most)
    for pairs in (options, labels):
        said = [clean(text).casefold() for _, text, _ in pairs]
        faults += [
            Fault("says the same as another", at) for n, (at, *_) in enumerate(pairs) if said[n] in said[:n]
        ]
    faults += [
        Fault(f"says something else than {verdict}", f"/labels/{verdict}")
        for verdict, text in question.labels.items()
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
    others = [each for each in _VERDICTS if each != verdict]
    called = {each.casefold() for each in phrases.names(*others)} - {
        each.casefold() for each in phrases.names(verdict)
    }
    return clean(label).casefold() in called or word(label) in others


def _name(text: str) -> str:
    """A name to greet by, or "". It stands outside any quotation, so it holds what names hold."""
    name = clean_parameter(text)
    fits = 0 < limits.length(name) <= _LONGEST_NAME and all(
        unicodedata.category(c)[0] in "LM" or c in " '\u2019.-" for c in name
    )
    return name if fits else ""
