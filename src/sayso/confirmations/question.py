"""A question as a person reads it: in the window with buttons or a list, outside it as a template. Pure.

The same texts, from the same action, every time: their digest is stored before anything is sent. The frame is ours;
the assistant's words stand in it quoted, cleaned, never cut. Every field of an action is shown, or counted.
"""

import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final

from sayso.confirmations import kinds, labels, phrases
from sayso.confirmations.cleaning import clean, quoted
from sayso.confirmations.kinds import Line
from sayso.confirmations.phrases import phrase
from sayso.confirmations.policy import Challenge
from sayso.confirmations.render import Action
from sayso.confirmations.rules import Kind, Option, Verdict
from sayso.core import canonical
from sayso.core.errors import ContentTooLongError, Fault
from sayso.core.faults import summary, wrong
from sayso.whatsapp import limits
from sayso.whatsapp.content import (
    Button,
    Buttons,
    List,
    Row,
    Section,
    Template,
    Text,
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
    """What is asked, of whomever. ``labels``: other words on the buttons than ours.

    ``unseen_fields``: it may be confirmed by who did not see every field of the action.
    """

    action: Action
    lasts: timedelta
    kind: Kind = "approve"
    challenge: Challenge | None = None
    options: Sequence[Option] = ()
    labels: Mapping[Verdict, str] = field(default_factory=dict)
    needed: int = 1
    asked: int = 1
    unseen_fields: bool = False

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
    """A question in both forms it may be shown in. ``hidden``: fields that one of them only counts.

    ``rest``: the whole of it, for who has to see it before they confirm; empty where they need not.
    """

    session: Buttons | List
    template: Template
    hidden: int = 0
    rest: Sequence[Text | Buttons] = ()

    def data(self) -> dict[str, Any]:
        """As stored."""
        forms = {"session": to_data(self.session), "template": to_data(self.template)}
        return {**forms, "rest": [to_data(each) for each in self.rest]} if self.rest else forms

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
    labels.check(question.options, question.labels)
    description = _checked("action_description", question.action.description)
    it = _Parts(question, reader, description, payloads, kind or kinds.kind(question.action.type))
    template, hidden_there = _template(it)
    session, hidden = _session(it, business, hidden_there)
    rest = _rest(it) if hidden and not question.unseen_fields else ()
    for each in (session, template, *rest):
        validate(each)
    return Prompt(session, template, hidden, rest)


@dataclass(frozen=True, slots=True)
class _Parts:
    """What both forms are made of; the description is cleaned."""

    question: Question
    reader: Reader
    description: str
    payloads: Callable[[Any], str]
    kind: kinds.Kind


def _session(it: _Parts, business: str, hidden_there: int) -> tuple[Buttons | List, int]:
    question, spoken = it.question, phrases.language(it.reader.language)
    details, lines, hidden = _particulars(it, spoken)
    hidden = max(hidden, hidden_there)
    unseen = hidden > 0 and not question.unseen_fields
    head = phrase("wants" if question.kind == "approve" else "asks", spoken, business=business)
    paragraphs = [f"{head}\n“{it.description}”"]
    paragraphs += ["\n".join(lines)] if lines else []
    paragraphs += [phrase("details", spoken, text=f"“{details}”")] if details else []
    ends = phrase("ends", spoken, span=phrases.span(question.lasts, spoken))
    paragraphs.append(f"{_foot(question, it.reader, spoken, unseen=unseen)} {ends}")
    body = _greeted(paragraphs, _name(it.reader.greet or ""), spoken)
    _check_body(body, "/action" if lines else "/action_details")
    return offer(question, body, it.payloads, spoken, unseen=unseen), hidden


def offer(
    question: Question,
    body: str,
    payloads: Callable[[Any], str],
    language: str | None,
    *,
    unseen: bool = False,
) -> Buttons | List:
    """The answers to a question below a text, to be tapped: the same as below the question itself."""
    spoken = phrases.language(language)
    buttons = _buttons(question, payloads, spoken, unseen=unseen)
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


def _rest(it: _Parts) -> tuple[Text | Buttons, ...]:
    """The whole of an action, and the buttons: in one message, or in several of which the last has them."""
    question, spoken = it.question, phrases.language(it.reader.language)
    lines = [each.text for each in kinds.lines(it.kind, question.action.fields, spoken)]
    given = question.action.details
    details = [phrase("details", spoken, text=quoted(given))] if given else []
    what, foot = f"“{it.description}”", _foot(question, it.reader, spoken)
    buttons = _buttons(question, it.payloads, spoken) or ()
    head = f"{phrase('all', spoken)}\n{what}"
    whole = "\n\n".join([head, "\n".join(lines), *details, foot])
    if limits.length(whole) <= limits.INTERACTIVE_BODY:
        return (Buttons(body=whole, buttons=buttons),)
    pages = _pages([head, *lines, *details], limits.TEXT_BODY - _MORE_ROOM)
    several = len(pages) > 1
    texts = [Text(f"{n}/{len(pages)}\n{page}" if several else page) for n, page in enumerate(pages, start=1)]
    return (*texts, Buttons(body=f"{what}\n\n{foot}", buttons=buttons))


def _pages(lines: Sequence[str], room: int) -> list[str]:
    """Lines on as few pages as hold them; none is cut."""
    pages: list[str] = []
    for line in lines:
        size = limits.length(line)
        if size > room:
            detail = f"a field of {size:,} characters, {size - room:,} more than a message can show"
            raise _too_long("/action", detail)
        if pages and limits.length(pages[-1]) + size < room:
            pages[-1] += f"\n{line}"
        else:
            pages.append(line)
    return pages


def _foot(question: Question, reader: Reader, spoken: str, *, unseen: bool = False) -> str:
    """How to answer, and how many have to."""
    how = {"choose": "choose", "ask": "answer"}.get(question.kind, question.challenge or "tap")
    lines = [phrase("first" if unseen else how, spoken, code=reader.code, show=phrase("show", spoken))]
    if question.kind == "approve" and question.needed > 1:
        lines.append(phrase("several", spoken, needed=question.needed, asked=question.asked))
    return " ".join(lines)


def _buttons(
    question: Question, payloads: Callable[[Any], str], spoken: str, *, unseen: bool = False
) -> tuple[Button, ...] | None:
    """The buttons; None where only a list holds what there is to choose. ``unseen``: there is more to be shown."""
    if question.kind == "choose":
        short = all(
            each.description is None and limits.length(clean(each.label)) <= limits.BUTTON_TITLE
            for each in question.options
        )
        if not short or len(question.options) > _BUTTONS:
            return None
        return tuple(Button(payloads(each.id), clean(each.label)) for each in question.options)
    said: dict[str, str] = {verdict: clean(label) for verdict, label in question.labels.items()}
    return tuple(
        Button(payloads(name), said.get(name) or phrase(name, spoken))
        for name in _tapped(question, unseen=unseen)
    )


def _tapped(question: Question, *, unseen: bool = False) -> tuple[str, ...]:
    """What can be answered by a button that stands below every such question."""
    if question.kind != "approve":
        return ("cancel",)
    if unseen:
        return ("show", "decline", "cancel")
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

    What a kind names, and every choice, is shown whole or refused; of the others as many as there is room for. Where
    something is chosen or written, all are shown: it would have to be given twice.
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
    if hidden and question.kind != "approve":
        excess = sum(_size(each) for each in fields if not each.named) - room
        detail = (
            f"{excess:,} characters more than fit the question, and of a choice or a text nothing is left out"
        )
        raise _too_long("/action", detail)
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


def _name(text: str) -> str:
    """A name to greet by, or "". It stands outside any quotation, so it holds what names hold."""
    name = clean_parameter(text)
    fits = 0 < limits.length(name) <= _LONGEST_NAME and all(
        unicodedata.category(c)[0] in "LM" or c in " '\u2019.-" for c in name
    )
    return name if fits else ""
