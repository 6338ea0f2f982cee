"""Whether a saved state holds together: every id is its own, and whatever is named is there."""

import re
from collections.abc import Container, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, get_args

from sayso.simulator.config import Course
from sayso.simulator.world.accounts import Accounts
from sayso.simulator.world.messages import STATUSES, Message

if TYPE_CHECKING:
    from sayso.simulator.world.snapshot import Everything

_DIGITS = re.compile(r"[0-9]{1,15}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_COURSES: tuple[str, ...] = get_args(Course)

#: Who names something, and its id.
_Names = Iterable[tuple[str, str]]


def flaws(state: "Everything") -> Iterator[str]:
    """Walk what is wrong with a state, each flaw a sentence; none when all of it holds together."""
    yield from _of_accounts(state.accounts)
    yield from _of_conversations(state)
    yield from _of_files(state)


def _of_accounts(accounts: Accounts) -> Iterator[str]:
    if not accounts.numbers:
        yield "it has no business number"
    homes: tuple[tuple[Mapping[str, Any], str], ...] = (
        (accounts.portfolios, "id"),
        (accounts.wabas, "id"),
        (accounts.numbers, "phone_number_id"),
        (accounts.apps, "id"),
        (accounts.tokens, "value"),
    )
    for home, name in homes:
        for key, each in home.items():
            if getattr(each, name) != key:
                yield f"what is kept as {key!r} calls itself {getattr(each, name)!r}"
    numbers, wabas = accounts.numbers.items(), accounts.wabas.items()
    yield from _lost(((f"number {key}", each.waba_id) for key, each in numbers), accounts.wabas, "WABA")
    yield from _lost(
        ((f"WABA {key}", each.portfolio_id) for key, each in wabas), accounts.portfolios, "portfolio"
    )
    told = ((f"WABA {key}", app_id) for key, each in wabas for app_id in each.subscribed)
    yield from _lost(told, accounts.apps, "app")
    tokens = (("a token", each.app_id) for each in accounts.tokens.values())
    yield from _lost(tokens, accounts.apps, "app")


def _of_conversations(state: "Everything") -> Iterator[str]:
    numbers = state.accounts.numbers
    yield from _double("person", (each.wa_id for each in state.people))
    yield from _double("message", (each.wamid for each in state.messages))
    for wa_id in (*(each.wa_id for each in state.people), *(each.wa_id for each in state.messages)):
        if not _DIGITS.fullmatch(wa_id):
            yield f"{wa_id!r} is not the digits of a phone number"
    yield from _lost((("a conversation", number) for number, _, _ in state.threads), numbers, "number")
    messages = ((f"message {each.wamid}", each.phone_number_id) for each in state.messages)
    yield from _lost(messages, numbers, "number")
    for message in state.messages:
        yield from _of_message(message)
    unread = (("what is unread", wamid) for wamid in state.unread)
    yield from _lost(unread, {each.wamid for each in state.messages}, "message")


def _of_message(message: Message) -> Iterator[str]:
    statuses = [message.status, *([message.next_step.status] if message.next_step else [])]
    for status in statuses:
        if status not in STATUSES:
            yield f"message {message.wamid} has the status {status!r}, which there is not"
    if message.course not in _COURSES:
        yield f"message {message.wamid} has the course {message.course!r}, which there is not"


def _of_files(state: "Everything") -> Iterator[str]:
    accounts = state.accounts
    yield from _double("template", (each.id for each in state.templates))
    yield from _double("file", (each.id for each in state.media))
    templates = ((f"template {each.id}", each.waba_id) for each in state.templates)
    yield from _lost(templates, accounts.wabas, "WABA")
    files = ((f"file {each.id}", each.phone_number_id) for each in state.media)
    yield from _lost(files, accounts.numbers, "number")
    yield from _lost(((f"upload {each.id}", each.app_id) for each in state.uploads), accounts.apps, "app")
    for media in state.media:
        if not _SHA256.fullmatch(media.sha256):
            yield f"file {media.id} has the digest {media.sha256!r}, which is none of SHA-256"
    for number, ring in state.quotas.throughput.items():
        if not 0 <= ring.oldest <= max(0, len(ring.moments) - 1):
            yield f"the rate of number {number} has no moment {ring.oldest}"


def _lost(names: _Names, home: Container[str], what: str) -> Iterator[str]:
    for who, node in names:
        if node not in home:
            yield f"{who} names the {what} {node!r}, which is not there"


def _double(what: str, ids: Iterable[str]) -> Iterator[str]:
    known: set[str] = set()
    for each in ids:
        if each in known:
            yield f"it has the {what} {each} twice"
        known.add(each)
