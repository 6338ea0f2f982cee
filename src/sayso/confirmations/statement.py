"""What a decision's log entry and receipt say: the statement, what it hides behind salts, and it all in words. Pure.

A statement holds nothing personal. Whom it was, what they wrote and Meta's ids of the messages (in which the number can
be read) stand in it as salted digests; each is opened by its salt and value, kept apart, which an erasure destroys.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sayso.confirmations.rules import How, Verdict
from sayso.core import canonical
from sayso.core.chains import instant, salted

Row = Mapping[str, Any]

#: The form of a statement. Another form is another number.
VERSION = 1
TYP = "sayso-receipt+jwt"
#: Members of a receipt that are not in the log's entry: the place in the log, and the words.
BESIDES = ("log", "words")

#: Who or what gives an outcome that no answer of a person's gives.
_SOURCES = {
    "expired": "deadline",
    "withdrawn": "assistant",
    "superseded": "assistant",
    "undeliverable": "delivery",
    "opted_out": "opt_out",
}
_HOW: Mapping[How, str] = {
    "button": "tapped a button",
    "quote": "replied to the question",
    "word": "wrote a word",
    "reaction": "reacted to the question",
    "code": "typed the code",
    "number": "gave a number from a list",
}
_VERDICTS: Mapping[Verdict, str] = {
    "confirm": "yes",
    "decline": "no",
    "cancel": "cancel",
    "answer": "an answer of its own",
}


@dataclass(frozen=True, slots=True)
class Approval:
    """One person who was asked, by whichever message, and what they answered. ``whom``: their number or user id.

    ``gone``: they were forgotten since, so that nothing of theirs can be opened.
    """

    whom: str | None
    row: Row
    gone: bool = False


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything a statement is made of. ``erased``: nobody's any more, so that nothing can be opened."""

    row: Row
    approvals: Sequence[Approval]
    issuer: str
    account: str
    app_secret: str
    words_version: int
    use_by: datetime | None
    erased: bool


@dataclass(slots=True)
class _Veil:
    """Hides values behind salts."""

    salt: Callable[[], bytes]
    opened: dict[str, dict[str, str]] = field(default_factory=dict)

    def hide(self, name: str, value: str | None) -> str | None:
        if value is None or value == "":
            return None
        salt = self.salt()
        self.opened[name] = {"salt": salt.hex(), "value": value}
        return salted(value.encode(), salt).hex()


@dataclass(frozen=True, slots=True)
class Statement:
    """An entry, the words about it, and what opens it."""

    entry: dict[str, Any]
    words: list[str]
    opened: dict[str, Any] | None


def make(facts: Facts, salt: Callable[[], bytes]) -> Statement:
    """The statement of a decision; ``salt`` gives fresh ones."""
    row, veil = facts.row, _Veil(salt)
    approvals = [_approval(facts, each, _Veil(salt)) for each in facts.approvals]
    entry = {
        "v": VERSION,
        "iss": facts.issuer,
        "aud": row["client_id"],
        "jti": row["id"],
        "iat": int(row["decided_at"].timestamp()),
        "kind": row["kind"],
        "tier": row["tier"],
        "challenge": row["challenge"],
        "outcome": row["outcome"],
        "source": _source(row["outcome"], [said for said, _ in approvals]),
        "action_hash": row["action_hash"].hex(),
        "asked_by": {"client": row["client_id"], "user": veil.hide("user", row["user_id"])},
        "business": {"account": facts.account, "number": row["phone_number_id"]},
        "approvals": [said for said, _ in approvals],
        "needed": row["needed"],
        "answer": veil.hide("answer", _canonical(row["answer"])),
        "words_version": facts.words_version,
        "policy_version": row["policy_version"],
        "asked_at": instant(row["created_at"]),
        "expires_at": instant(row["expires_at"]),
        "decided_at": instant(row["decided_at"]),
        "use_by": _moment(facts.use_by),
    }
    behind = [
        None if each.gone else opening for each, (_, opening) in zip(facts.approvals, approvals, strict=True)
    ]
    opened = {**veil.opened, "approvals": behind}
    return Statement(entry, in_words(entry), None if facts.erased else opened)


def _approval(facts: Facts, approval: Approval, veil: _Veil) -> tuple[dict[str, Any], dict[str, Any]]:
    """What is said of one person, and what opens it."""
    found = approval.row
    answered = found["verdict"] is not None
    said = {
        "because": found["because"],
        "person": veil.hide("person", approval.whom),
        "shown": _shown(found),
        "prompt": veil.hide("prompt", found["prompt"]),
        "posted_at": _moment(found["posted_at"]),
        "verdict": verdict(found["verdict"]),
        "how": found["how"],
        "said": veil.hide("said", found["said"]),
        "reply": veil.hide("reply", found["reply"]),
        "quoted": veil.hide("quoted", found["quoted"]),
        "answered_at": _moment(found["sent_at"]),
        "received_at": _moment(found["received_at"]),
        "webhook": found["body_digest"].hex() if found["body_digest"] else None,
        "app_secret": facts.app_secret if answered else None,
    }
    return said, veil.opened


def verdict(said: str | None) -> str | None:
    """What was answered, as far as it is a word of ours; an option or text of its own is told by ``answer`` alone."""
    return said if said is None or said in _VERDICTS else "answer"


def _canonical(answer: Any) -> str | None:
    return None if answer is None else canonical.encode(answer).decode()


def _shown(found: Row) -> dict[str, Any] | None:
    """In which form the question was put to the person; None when it never was.

    ``rest``: the digest of the messages that showed the whole of it, where it left fields out and they were sent.
    """
    form = found["form"]
    if form is None:
        return None
    template = found["seen"].get("template") or {}
    named = {"name": template.get("name"), "language": template.get("language")}
    return {
        "form": form,
        "hash": found["seen_hash"][form],
        "template": named if form == "template" else None,
        "rest": found["seen_hash"].get("rest") if found["rest_posted"] else None,
    }


def _source(outcome: str, approvals: Sequence[Mapping[str, Any]]) -> str:
    """Who or what brought the outcome about; one that no answer can give has its own cause, whoever answered."""
    answered = any(each["verdict"] for each in approvals)
    return _SOURCES.get(outcome, "answer" if answered else "policy")


def _moment(at: datetime | None) -> str | None:
    return instant(at) if at else None


def in_words(entry: Mapping[str, Any]) -> list[str]:
    """A statement in sentences, none of them longer than what it says."""
    lines = [f"The assistant “{entry['aud']}” asked for a confirmation at {_clock(entry['asked_at'])}."]
    many = len(entry["approvals"]) > 1
    for number, each in enumerate(entry["approvals"], start=1):
        who = f"person {number}" if many else "the person"
        lines += [_asked(who, each), _answered(who.capitalize(), each)]
    lines.append(
        f"The outcome is “{entry['outcome']}”, {_SAID[entry['source']]}, at {_clock(entry['decided_at'])}."
    )
    if entry["use_by"]:
        lines.append(
            f"The action may be claimed until {_clock(entry['use_by'])}, and by this assistant alone."
        )
    return lines


_SAID = {
    "answer": "by what was answered",
    "deadline": "since the time was up",
    "assistant": "since the assistant took the question back",
    "delivery": "since the question did not reach anybody",
    "opt_out": "since the person does not want to be messaged",
    "policy": "by the rule for such actions; nobody was asked",
}


def _asked(who: str, approval: Mapping[str, Any]) -> str:
    shown = approval["shown"]
    if shown is None:
        return f"The question was not sent to {who}."
    template = shown["template"]
    form = f"as the template {template['name']} ({template['language']})" if template else "as a message"
    then = " Fields that it left out were sent after it." if shown["rest"] else ""
    return f"The question was sent to {who} on WhatsApp, {form}, at {_clock(approval['posted_at'])}.{then}"


def _answered(who: str, approval: Mapping[str, Any]) -> str:
    if approval["verdict"] is None:
        return f"{who} did not answer."
    did, said = _HOW.get(approval["how"], "answered"), _VERDICTS[approval["verdict"]]
    return f"{who} {did} at {_clock(approval['answered_at'] or approval['received_at'])}: {said}."


def _clock(moment: str) -> str:
    return f"{moment[:10]} {moment[11:19]} UTC"
