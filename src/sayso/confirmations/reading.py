"""Which question does a reply mean, and what does it say? Pure, total, and the only place where that is decided.

In this order: the payload of a button; the quoted message; a reaction on the question; a code; the number of a list; a
bare word, only when exactly one question is open for that person and sender, was put lately, and alone can have been
meant when the word was written. Otherwise the person is asked which, and nothing is decided. No language model reads
consent.
"""

import hmac
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import get_args

from sayso.confirmations import rules
from sayso.confirmations.rules import (
    LINGERS,
    LIST_LIVES,
    AskWhich,
    Comment,
    Decide,
    Explain,
    Extend,
    How,
    Late,
    Listed,
    NothingOpen,
    Pending,
    Question,
    Reading,
    Reply,
    Undo,
    Why,
    Wish,
    WrongCode,
)

_WISHES: dict[str, Wish] = {each: each for each in get_args(Wish)}


def read(reply: Reply, questions: Sequence[Question], lists: Sequence[Listed] = ()) -> Reading:
    """What a reply means, given this person's questions with this sender, the open ones and those that ended lately.

    ``lists`` are those that were sent to the person from this sender, the oldest first.
    """
    if reply.forwarded or reply.in_group:
        return Comment("a forwarded message or a group's never decides")
    if reply.payload is not None:
        return _tapped(reply)
    if reply.emoji is not None:
        return _reacted(reply)
    if rules.meaning(reply.text) == "pending":
        return Pending()
    return _pointed(reply, questions) if reply.quotes_something else _typed(reply, questions, lists)


def _pointed(reply: Reply, questions: Sequence[Question]) -> Reading:
    if reply.quoted_list is not None:
        return _of_list(reply, questions, [reply.quoted_list])
    return _quoted(reply, questions)


def _typed(reply: Reply, questions: Sequence[Question], lists: Sequence[Listed]) -> Reading:
    if rules.number(reply.text) is not None:
        return _digits(reply, questions, lists)
    if rules.numbered(reply.text) is not None and rules.meaning(reply.text) is None:
        return _placed(reply, questions, lists)
    return _bare(reply, questions)


def _tapped(reply: Reply) -> Reading:
    if reply.answer is None:
        return Comment("a button that is not ours; its label is no word of the person's")
    if reply.tapped is None:
        return Comment("a button of somebody else's question")
    if reply.answer in {each.id for each in reply.tapped.options}:
        return settle(reply.tapped, "answer", "button", reply.answer)
    wish = _WISHES.get(reply.answer)
    if wish is None or wish == "answer":
        return Comment("a button of ours that this question does not have")
    return settle(reply.tapped, wish, "button")


def _reacted(reply: Reply) -> Reading:
    said = rules.reaction(reply.emoji)
    if reply.reacted is None or said is None:
        return Comment("a reaction that is no answer")
    if reply.reacted.kind != "approve" or not reply.reacted.reactions:
        return Comment("a reaction, and this question does not take any")
    return settle(reply.reacted, said, "reaction")


def _quoted(reply: Reply, questions: Sequence[Question]) -> Reading:
    if reply.quoted is not None:
        return _to(reply.quoted, reply, "quote") or Comment("not a word that answers")
    wish = _wish(reply)
    if wish is None:
        return Comment("not a word that answers")
    return (
        AskWhich(wish)
        if rules.waiting(wish, questions)
        else Comment("it quotes a message that is no question")
    )


def _wish(reply: Reply) -> Wish | None:
    """What a whole message says by the table; what is no word, or one that is read two ways, says nothing."""
    said = rules.meaning(reply.text)
    return _WISHES.get(said) if said else None


def _to(question: Question, reply: Reply, how: How) -> Reading | None:
    """What a text says to one question; None when it says nothing to it."""
    wish = _wish(reply)
    if wish in ("cancel", "undo", "extend"):
        return settle(question, wish, how)
    if question.kind == "approve":
        return _yes_or_no(question, reply, wish, how)
    if not question.open and (question.undecided or question.answered_at is not None):
        return settle(question, wish, how) if wish else None  # what follows an answer is a remark
    if question.kind == "ask":
        return settle(question, "answer", how, reply.text) if rules.says(reply.text) else None
    if rules.takes(question, reply.text):
        return settle(question, "answer", how, rules.option(question, reply.text))
    return settle(question, wish, how) if wish else _perhaps(question, reply, how)


def _yes_or_no(question: Question, reply: Reply, wish: Wish | None, how: How) -> Reading | None:
    if wish is not None:
        return settle(question, wish, how)
    digits = rules.number(reply.text)
    if digits is None or not question.challenge or question.code is None:
        return _perhaps(question, reply, how)
    if _is_code(question, digits):
        return settle(question, "confirm", "code")
    if question.open and not question.frozen and len(digits) == len(question.code):
        return (
            Explain(question.id, "confirm", "code", "locked")
            if question.locked
            else WrongCode((question.id,))
        )
    return None


def _perhaps(question: Question, reply: Reply, how: How) -> Reading | None:
    """What may be a yes, such as ok, or a code among words: the person is shown how to answer."""
    if question.open and rules.dressed(question, reply.text):
        return settle(question, "confirm", how)
    if rules.meaning(reply.text) != "unclear" or not question.open:
        return None
    if question.frozen:
        return Explain(question.id, None, how, "frozen")
    return Explain(question.id, None, how, "needs_option" if question.kind == "choose" else "how")


def _is_code(question: Question, digits: str) -> bool:
    return question.code is not None and hmac.compare_digest(question.code, digits)


def settle(question: Question, wish: Wish, how: How, value: str | None = None) -> Reading:
    """What comes of a wish about one question."""
    if not (question.open or question.undecided):
        return Late(question.id, wish, how)
    if question.frozen:
        return Explain(question.id, wish, how, "frozen")
    if wish == "undo":
        return (
            Undo(question.id, how) if question.undoable else Explain(question.id, wish, how, "not_undoable")
        )
    if wish == "cancel":
        return Decide(question.id, "cancel", how)
    if not question.open:
        return Explain(question.id, wish, how, "again")
    if wish == "show" and question.kind == "approve":
        return Explain(question.id, wish, how, "unseen")
    if wish == "extend":
        return (
            Extend(question.id, how)
            if question.extendable
            else Explain(question.id, wish, how, "not_extendable")
        )
    return _answer(question, wish, how, value)


def _answer(question: Question, wish: Wish, how: How, value: str | None) -> Reading:
    if question.kind == "approve":
        if wish == "decline":
            return Decide(question.id, "decline", how)
        if wish != "confirm":  # a number that only says which question
            return Explain(question.id, wish, how, "how")
        why = _not_yet(question, how)
        return Explain(question.id, wish, how, why) if why else Decide(question.id, "confirm", how)
    if wish != "answer" or value is None:
        return Explain(question.id, wish, how, "needs_option" if question.kind == "choose" else "how")
    return Decide(question.id, "answer", how, value)


def _not_yet(question: Question, how: How) -> Why | None:
    """Why a yes does not confirm; None where it does."""
    if question.challenge and question.locked:
        return "locked"
    if question.unseen:
        return "unseen"
    return "needs_code" if question.challenge and how != "code" else None


def _bare(reply: Reply, questions: Sequence[Question]) -> Reading:
    """A word by itself: it decides the one open question that it can only have meant."""
    wish = _wish(reply)
    about = rules.waiting(wish, questions)
    only = _only(reply, about, questions)
    if only is not None and not (only.kind == "ask" and reply.asked_why and wish is None):
        said = _to(only, reply, "word")
        if said is not None:
            return said
    if wish is None:
        return _unclear(reply, about)
    if about:
        return AskWhich(wish)
    again = [each for each in questions if each.undecided and _was_shown(reply, each)]
    if again and wish != "cancel":  # answered already, and not for good: of several all are told
        return settle(again[0], wish, "word") if len(again) == 1 else Pending()
    meant = [each for each in questions if _could_mean(reply, each) and not each.open]
    return Late(meant[-1].id, wish, "word") if meant and wish != "undo" else NothingOpen(wish)


def _unclear(reply: Reply, about: Sequence[Question]) -> Reading:
    """No word of the table: it asks which when it may be an answer, else it is a remark."""
    if not rules.says(reply.text) or not about:
        return Comment("not a word that answers")
    if rules.meaning(reply.text) == "unclear" or any(rules.dressed(each, reply.text) for each in about):
        return AskWhich(None)
    answers = any(each.kind == "ask" or rules.takes(each, reply.text) for each in about)
    return AskWhich("answer") if answers else Comment("not a word that answers")


def _only(reply: Reply, about: Sequence[Question], questions: Sequence[Question]) -> Question | None:
    """The one question that a word can be about and that can only have been meant when it was written."""
    if len(about) != 1:
        return None
    if not about[0].open:  # answered by the person: the word is about their answer
        return about[0] if _was_shown(reply, about[0]) else None
    meant = [each.id for each in questions if _could_mean(reply, each) and not each.undecided]
    unsure = about[0].stale or _may_be_an_opt_in(reply, about[0])
    return about[0] if meant == [about[0].id] and not unsure else None


def _may_be_an_opt_in(reply: Reply, question: Question) -> bool:
    """Whether a yes or no may be for a question to opt in, which was on the screen below this one."""
    at = reply.opt_in_at
    if at is None or _wish(reply) not in ("confirm", "decline") or not _reached(reply, at):
        return False
    return question.shown_at is None or at >= question.shown_at


def _digits(reply: Reply, questions: Sequence[Question], lists: Sequence[Listed]) -> Reading:
    """A number by itself: a code, an option of the one open question, or a place in the list on the screen."""
    digits = rules.number(reply.text) or ""
    coded = [
        each for each in questions if _was_shown(reply, each) and each.challenge and _is_code(each, digits)
    ]
    coded = [each for each in coded if each.open] or coded
    found = [settle(each, "confirm", "code") for each in coded]
    about = rules.waiting(None, questions)
    only = _only(reply, about, questions)
    if only is not None and only.kind != "approve":
        asked = None if only.kind == "ask" and reply.asked_why else _to(only, reply, "word")
        found += [asked] if asked is not None else []
    listed = _placed(reply, questions, lists)
    found += [] if isinstance(listed, Comment) or any(_same(listed, each) for each in found) else [listed]
    if len(found) == 1:
        return found[0]
    if found:
        return AskWhich(None)
    said = _no_code(reply, digits, questions)
    return _unclear(reply, [each for each in about if each.stale]) if isinstance(said, Comment) else said


def _same(one: Reading, other: Reading) -> bool:
    """Whether two readings come to the same, by whichever way."""
    if isinstance(one, Decide | Explain | Late) and isinstance(other, Decide | Explain | Late):
        return replace(one, how=other.how) == other
    return one == other


def _no_code(reply: Reply, digits: str, questions: Sequence[Question]) -> Reading:
    """Digits that are nothing: a wrong code, where as many are waited for."""
    waiting = [
        each
        for each in questions
        if each.open
        and _was_shown(reply, each)
        and each.code
        and len(each.code) == len(digits)
        and not each.frozen
    ]
    if not waiting:
        return Comment("a number, and of nothing")
    tried = tuple(each.id for each in waiting if not each.locked)
    return WrongCode(tried) if tried else Explain(waiting[0].id, "confirm", "code", "locked")


def _on_screen(reply: Reply, questions: Sequence[Question], lists: Sequence[Listed]) -> list[Listed]:
    """The lists that somebody may have had before them: the latest, and those that may not have arrived yet."""
    known = {each.id: each for each in questions}
    seen = [each for each in lists if _reached(reply, each.shown_at)]
    alive = [each for each in seen if reply.sent_at <= each.shown_at + LIST_LIVES]
    settled = [each for each in alive if each.shown_at <= reply.sent_at - LINGERS]
    fresh = [each for each in alive if each.shown_at > reply.sent_at - LINGERS]
    over = [each for each in [*settled[-1:], *fresh] if _any_open(each, known)]
    return over or alive[-1:]


def _any_open(listed: Listed, known: dict[str, Question]) -> bool:
    about = (listed.options_of,) if listed.options_of else listed.items
    return any(known[item].open or known[item].undecided for item in about if item in known)


def _placed(reply: Reply, questions: Sequence[Question], lists: Sequence[Listed]) -> Reading:
    """A number, with or without a word, in the list on the screen; nothing where it may be for something else."""
    shown = _on_screen(reply, questions, lists)
    said = _of_list(reply, questions, shown)
    if isinstance(said, Decide | Extend | Undo) and _overlaid(reply, questions, shown):
        return AskWhich((rules.numbered(reply.text) or (None,))[0])
    return said


def _overlaid(reply: Reply, questions: Sequence[Question], shown: Sequence[Listed]) -> bool:
    """Whether a question that takes such an answer was put after these lists, or they were only on their way then."""
    settled = [each.shown_at for each in shown if each.shown_at <= reply.sent_at - LINGERS]
    about = {each.options_of for each in shown}
    return any(
        each.id not in about
        and (each.kind == "ask" or rules.takes(each, reply.text))
        and _could_mean(reply, each)
        and (not settled or each.shown_at is None or each.shown_at >= max(settled))
        for each in questions
    )


def _of_list(reply: Reply, questions: Sequence[Question], lists: Sequence[Listed]) -> Reading:
    """A number, with or without a word, or a word that quotes a list of one: read in every list that may be meant."""
    known = {each.id: each for each in questions}
    readings = {_in_list(reply, known, each) for each in lists}
    if len(readings) == 1:
        return readings.pop()
    wish = (rules.numbered(reply.text) or (_wish(reply),))[0]
    if readings:
        return AskWhich(wish)
    if wish is None:
        return Comment("a number, and no list")
    return AskWhich(wish) if rules.waiting(wish, questions) else NothingOpen(wish)


def _in_list(reply: Reply, known: dict[str, Question], listed: Listed) -> Reading:
    digits, both = rules.number(reply.text), rules.numbered(reply.text)
    wish = both[0] if both else listed.verdict if digits else _wish(reply)
    if wish is None and not digits:
        return Comment("not a word that answers")
    place = both[1] if both else _place(digits) if digits else int(len(listed.items) == 1)
    item = listed.items[place - 1] if 1 <= place <= len(listed.items) else ""
    question = known.get(listed.options_of or item) if item else None
    if question is None:
        return Comment("a number that the list does not have") if digits else AskWhich(wish)
    if not _was_shown(reply, question):  # a list names questions in brief: it does not stand for their words
        return AskWhich(wish)
    if listed.options_of is None:
        return settle(question, wish or "answer", "number")
    return settle(question, "answer", "number", rules.option(question, digits)) if digits else AskWhich(wish)


def _place(digits: str) -> int:
    return int(digits) if len(digits) <= 2 else 0  # noqa: PLR2004 - ten


def _was_shown(reply: Reply, question: Question) -> bool:
    return question.shown_at is not None and _reached(reply, question.shown_at)


def _reached(reply: Reply, shown: datetime) -> bool:
    """Whether what was posted then may have been on the phone when this was written."""
    if reply.sent_at < shown.replace(microsecond=0):
        return False
    return reply.received_at is None or reply.received_at >= shown


def _could_mean(reply: Reply, question: Question) -> bool:
    """Whether a word may have been written to this question: it was on the phone by then, and not over.

    A question that the person's own answer ended was over for words written after that answer; in the same second the
    order in which they reached us counts. One that ended otherwise may have been on the screen a little longer.
    """
    if not _was_shown(reply, question):
        return False
    if question.open:
        return True
    if question.answered_at is not None:
        return reply.sent_at < question.answered_at
    return question.ended_at is not None and reply.sent_at <= question.ended_at + LINGERS
