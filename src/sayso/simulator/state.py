"""The simulated world: business numbers, people, their conversations, and every message, all bounded."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from sayso.simulator.clock import Clock
from sayso.simulator.config import SimulatorConfig
from sayso.simulator.content import Content
from sayso.simulator.errors import GraphError
from sayso.simulator.ids import Mint, bsuid, calling_code
from sayso.simulator.templates import Template, preloaded

_PUNCTUATION = str.maketrans("", "", "+-() ")
_DIGITS_AT_LEAST, _DIGITS_AT_MOST = 7, 15  # E.164


@dataclass(frozen=True, slots=True)
class BusinessNumber:
    """One of the business's phone numbers."""

    phone_number_id: str
    waba_id: str
    digits: str
    verified_name: str


@dataclass(slots=True)
class Person:
    """Somebody with a phone. ``user_id`` is the BSUID towards our portfolio (cloud-api.md 4.7)."""

    wa_id: str
    name: str
    user_id: str

    @property
    def phone(self) -> str:
        """The number in E.164 with its plus."""
        return "+" + self.wa_id


@dataclass(slots=True)
class Thread:
    """A conversation of one business number with one person."""

    last_inbound_at: float | None = None
    typing_until: float = 0.0


@dataclass(slots=True, eq=False)
class Message:
    """One message either way. ``body`` is the JSON exactly as sent to us, or as we told it by webhook."""

    wamid: str
    outbound: bool
    phone_number_id: str
    wa_id: str
    at: float
    body: dict[str, Any]
    content: Content
    status: str = "accepted"
    quote: str | None = None
    callback_data: str | None = None
    by_user_id: bool = False  # addressed by BSUID, not by phone
    errors: list[dict[str, Any]] = field(default_factory=list)

    @property
    def type(self) -> str:
        """The message type in Meta's terms."""
        return str(self.body.get("type", "text"))


class World:
    """Everything that exists between the business and its people. One event loop owns it; nothing blocks."""

    def __init__(self, config: SimulatorConfig, clock: Clock) -> None:
        self._config = config
        self.clock = clock
        self.mint = Mint(config.seed)
        digits = config.business_number.translate(_PUNCTUATION)
        self.number = BusinessNumber(config.phone_number_id, config.waba_id, digits, config.verified_name)
        self.numbers = {self.number.phone_number_id: self.number}
        self.people: dict[str, Person] = {}
        self.messages: dict[str, Message] = {}
        self.unread: dict[str, Message] = {}  # by wamid: not yet read by the one it went to
        self.templates: dict[tuple[str, str], Template] = {}
        self._threads: dict[tuple[str, str], Thread] = {}
        self._by_user_id: dict[str, Person] = {}
        self.reset()

    def reset(self) -> None:
        """Forget everything that happened; the first people and templates are there again."""
        for kept in (
            self.people,
            self.messages,
            self.unread,
            self.templates,
            self._threads,
            self._by_user_id,
        ):
            kept.clear()
        self.templates.update({(each.name, each.language): each for each in preloaded()})
        for name, phone in self._config.people:
            self.person(phone.translate(_PUNCTUATION), name)

    def person(self, wa_id: str, name: str | None = None) -> Person:
        """Return the person with this number, who comes into being when new; ``name`` renames them."""
        found = self.people.get(wa_id)
        if found is None:
            found = Person(wa_id, name or f"Guest {wa_id[-4:]}", bsuid(self._config.portfolio_id, wa_id))
            self._make_room()
            self.people[wa_id] = self._by_user_id[found.user_id] = found
        elif name:
            found.name = name
        return found

    def person_by_user_id(self, user_id: str) -> Person | None:
        """Return the person with this BSUID, if it is one of our portfolio's."""
        return self._by_user_id.get(user_id)

    def thread(self, phone_number_id: str, wa_id: str) -> Thread:
        """Return the conversation of a number with a person; it begins when first asked for."""
        key = (phone_number_id, wa_id)
        found = self._threads.get(key)
        if found is None:
            found = self._threads[key] = Thread()
        return found

    def add(self, message: Message) -> None:
        """Keep a message; beyond the bound the oldest is forgotten."""
        self.messages[message.wamid] = self.unread[message.wamid] = message
        if len(self.messages) > self._config.keep_messages:
            oldest = next(iter(self.messages))
            del self.messages[oldest]
            self.unread.pop(oldest, None)

    def read(self, message: Message) -> None:
        """Note that whom the message went to has read it."""
        self.unread.pop(message.wamid, None)

    def unread_with(self, wa_id: str, *, outbound: bool) -> list[Message]:
        """List the unread messages of one direction with one person, oldest first."""
        return [each for each in self.unread.values() if each.wa_id == wa_id and each.outbound is outbound]

    def outbound(self, wa_id: str | None = None) -> Iterator[Message]:
        """Walk what the business sent, oldest first, to one person or to all."""
        for message in self.messages.values():
            if message.outbound and wa_id in (None, message.wa_id):
                yield message

    def _make_room(self) -> None:
        if len(self.people) < self._config.keep_people:
            return
        oldest = self.people.pop(next(iter(self.people)))
        del self._by_user_id[oldest.user_id]
        for number in self.numbers:
            self._threads.pop((number, oldest.wa_id), None)


@lru_cache(maxsize=10_000)
def dialled(raw: str, business_digits: str) -> str:
    """Tell the ``wa_id`` that a ``to`` reaches: ``+ - ( )`` and spaces are allowed (cloud-api.md 2.1).

    A number without a leading plus gets the business number's country calling code prepended.
    """
    digits = raw.translate(_PUNCTUATION)
    if not (digits.isascii() and digits.isdigit()):
        raise GraphError(131009, f"Parameter to is not a phone number: {raw!r}.")
    if not raw.strip().startswith("+"):
        digits = f"{calling_code(business_digits)}{digits}"
    if not _DIGITS_AT_LEAST <= len(digits) <= _DIGITS_AT_MOST:
        raise GraphError(
            131009, f"Parameter to is not a valid phone number: {raw!r} has {len(digits)} digits."
        )
    return digits
