"""A receipt as the service makes it, without a database: for whoever wants to change something in it."""

import itertools
import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from harness.decisions import ACTION
from sayso.confirmations import log, receipts, statement
from sayso.confirmations.log import Place
from sayso.confirmations.statement import Approval, Facts
from sayso.core import canonical
from sayso.core.chains import NOTHING
from sayso.core.keys import Keys

AT = datetime(2026, 11, 23, 5, 0, tzinfo=UTC)
SHOWN: dict[str, Any] = {
    "session": {"type": "buttons", "body": "Hi Alice, …", "buttons": [{"id": "b", "title": "Show all"}]},
    "rest": [{"type": "buttons", "body": "All of it", "buttons": [{"id": "c", "title": "Confirm"}]}],
}
_ANSWER: dict[str, Any] = {
    "asked_id": "per_1",
    "because": "asked",
    "seen": SHOWN,
    "seen_hash": {form: canonical.digest(text).hex() for form, text in SHOWN.items()},
    "rest_posted": True,
    "prompt": "wamid.PROMPT",
    "form": "session",
    "posted_at": AT + timedelta(seconds=1),
    "verdict": "confirm",
    "how": "quote",
    "said": "Yes",
    "reply": "wamid.REPLY",
    "quoted": "wamid.PROMPT",
    "sent_at": AT + timedelta(seconds=5),
    "received_at": AT + timedelta(seconds=6),
    "body_digest": b"d" * 32,
}


@dataclass(frozen=True)
class Made:
    """A receipt in both forms, and the keys that verify it."""

    jws: str
    beside: dict[str, Any]
    jwks: dict[str, Any]

    @property
    def text(self) -> str:
        """The JSON form."""
        return json.dumps(self.beside)


def receipt(keys: Keys, *, confirmation_id: str = "cnf_" + "0" * 26, outcome: str = "confirmed") -> Made:
    """A receipt of one person's answer, the third in its log."""
    row = {
        "id": confirmation_id,
        "client_id": "bot",
        "user_id": "alice",
        "phone_number_id": "100000000000001",
        "kind": "approve",
        "tier": "low",
        "challenge": None,
        "outcome": outcome,
        "needed": 1,
        "answer": {"choice": "10 o'clock"},
        "policy_version": None,
        "action": ACTION,
        "action_hash": canonical.digest(ACTION),
        "created_at": AT,
        "expires_at": AT + timedelta(minutes=30),
        "decided_at": AT + timedelta(seconds=7),
    }
    facts = Facts(
        row=row,
        approvals=[Approval("+15550001111", _ANSWER)],
        issuer="sayso",
        account="200000000000001",
        app_secret="0011223344556677",
        words_version=1,
        use_by=AT + timedelta(minutes=15) if outcome == "confirmed" else None,
        erased=False,
    )
    dice = random.Random(confirmation_id)
    made = statement.make(facts, lambda: dice.randbytes(16))
    before = log.head_of(NOTHING, log.leaf_of(b"whatever"))
    leaf = log.leaf_of(canonical.encode(made.entry))
    place = Place(2, before, leaf, log.head_of(before, leaf))
    signed = keys.sign(canonical.encode(receipts.claims(made, place)), typ=statement.TYP)
    beside = receipts.shown({**row, "jws": signed, "opened": made.opened, "texts": [SHOWN]})
    return Made(signed, json.loads(json.dumps(beside)), keys.published())


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path to every member of a JSON value, whatever its depth."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, each in inner:
        yield (*path, name)
        yield from places(each, (*path, name))


def changed(value: Any) -> Iterator[Any]:
    """Other values than this one, of the same kind and of others."""
    yield from (each for each in _others(value) if json.dumps(each) != json.dumps(value))


def _others(value: Any) -> Iterator[Any]:
    match value:
        case str():
            yield from (f"{value}x", value[1:], value[:-1] or "y", value.swapcase(), f" {value}", None, 7)
        case bool():
            yield from (not value, None, "true", int(value))
        case int():
            yield from (value + 1, -value - 1, str(value), None, bool(value) if value > 1 else "0")
        case None:
            yield from ("x", 0, False, {}, [])
        case list():
            yield from ([*value, None], value[1:] if value else ["x"], None, {})
        case _:
            yield from (
                {**value, "more": 1},
                dict(itertools.islice(value.items(), 1, None)) if value else None,
                [],
            )
