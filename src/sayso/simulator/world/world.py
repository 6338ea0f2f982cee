"""The simulated world: accounts, people, their conversations, every message, media and templates, all bounded."""

from collections.abc import Iterator
from functools import lru_cache

from sayso.simulator.config import SimulatorConfig
from sayso.simulator.errors import GraphError
from sayso.simulator.templates.preloaded import preloaded
from sayso.simulator.world.accounts import (
    Accounts,
    App,
    BusinessNumber,
    Portfolio,
    Subscription,
    Token,
    Waba,
)
from sayso.simulator.world.clock import Clock
from sayso.simulator.world.ids import Mint, bsuid, calling_code
from sayso.simulator.world.media import Media, Upload
from sayso.simulator.world.messages import Message
from sayso.simulator.world.people import Person, Thread
from sayso.simulator.world.quotas import Quotas
from sayso.simulator.world.templates import Template

_PUNCTUATION = str.maketrans("", "", "+-() ")
_DIGITS_AT_LEAST, _DIGITS_AT_MOST = 7, 15  # E.164


class World:
    """Everything that exists between the business and its people. One event loop owns it; nothing blocks."""

    def __init__(self, config: SimulatorConfig, clock: Clock) -> None:
        self.config = config
        self.clock = clock
        self.mint = Mint(config.seed)
        self.accounts = Accounts()
        self.people: dict[str, Person] = {}
        self.messages: dict[str, Message] = {}
        self.unread: dict[str, Message] = {}  # by wamid: not yet read by the one it went to
        self.templates: dict[str, Template] = {}  # by id
        self.media: dict[str, Media] = {}
        self.uploads: dict[str, Upload] = {}
        self.threads: dict[tuple[str, str], Thread] = {}
        self.quotas = Quotas()
        self._by_user_id: dict[str, Person] = {}
        self.reset()

    def reset(self) -> None:
        """Forget everything that happened; the first account, people and templates are there again."""
        for kept in (self.people, self.messages, self.unread, self.templates, self.media, self.uploads):
            kept.clear()
        self.threads.clear()
        self.quotas.clear()
        self._by_user_id.clear()
        self.mint = Mint(self.config.seed)
        self._open_first_account()
        for name, phone in self.config.people:
            self.person(phone.translate(_PUNCTUATION), name)

    @property
    def number(self) -> BusinessNumber:
        """The first business number."""
        return self.accounts.numbers[self.config.phone_number_id]

    def add_waba(self, waba: Waba) -> Waba:
        """Open a WhatsApp business account, with the templates that are there from the start."""
        self.accounts.wabas[waba.id] = waba
        for template in preloaded(waba.id, first=waba.id == self.config.waba_id):
            self.templates[template.id] = template
        return waba

    def template(self, waba_id: str, name: str, language: str) -> Template | None:
        """Return one language of a template, the newest when a deleted one had the same name."""
        found = [
            each
            for each in self.templates.values()
            if (each.name, each.language, each.waba_id) == (name, language, waba_id)
        ]
        return found[-1] if found else None

    def person(self, wa_id: str, name: str | None = None) -> Person:
        """Return the person with this number, who comes into being when new; ``name`` renames them."""
        found = self.people.get(wa_id)
        if found is None:
            found = Person(wa_id, name or f"Guest {wa_id[-4:]}", bsuid(self.config.portfolio_id, wa_id))
            self._make_room()
            self.people[wa_id] = self._by_user_id[found.user_id] = found
        elif name:
            found.name = name
        return found

    def person_by_user_id(self, user_id: str) -> Person | None:
        """Return the person with this BSUID or parent BSUID, if it is one of our portfolio's."""
        return self._by_user_id.get(user_id)

    def place_person(self, person: Person) -> None:
        """Put a person where their ``wa_id`` and ``user_id`` say, after one of them has changed."""
        for wa_id in [key for key, each in self.people.items() if each is person]:
            del self.people[wa_id]
        for user_id in [key for key, each in self._by_user_id.items() if each is person]:
            del self._by_user_id[user_id]
        self.people[person.wa_id] = self._by_user_id[person.user_id] = person
        if person.parent_user_id:
            self._by_user_id[person.parent_user_id] = person

    def thread(self, phone_number_id: str, wa_id: str) -> Thread:
        """Return the conversation of a number with a person; it begins when first asked for."""
        key = (phone_number_id, wa_id)
        found = self.threads.get(key)
        if found is None:
            found = self.threads[key] = Thread()
        return found

    def add(self, message: Message) -> None:
        """Keep a message; beyond the bound the oldest is forgotten."""
        self.messages[message.wamid] = self.unread[message.wamid] = message
        if len(self.messages) > self.config.keep_messages:
            oldest = next(iter(self.messages))
            del self.messages[oldest]
            self.unread.pop(oldest, None)

    def read(self, message: Message) -> None:
        """Note that whom the message went to has read it."""
        self.unread.pop(message.wamid, None)

    def unread_with(self, wa_id: str, *, outbound: bool, phone_number_id: str | None = None) -> list[Message]:
        """List the unread messages of one direction with one person (and one number), oldest first."""
        return [
            each
            for each in self.unread.values()
            if each.wa_id == wa_id
            and each.outbound is outbound
            and phone_number_id in (None, each.phone_number_id)
        ]

    def outbound(self, wa_id: str | None = None) -> Iterator[Message]:
        """Walk what the business sent, oldest first, to one person or to all."""
        for message in self.messages.values():
            if message.outbound and wa_id in (None, message.wa_id):
                yield message

    def _open_first_account(self) -> None:
        """Open what the configuration describes: one portfolio, WABA, number, app and token."""
        config, accounts = self.config, self.accounts
        accounts.clear()
        accounts.portfolios[config.portfolio_id] = Portfolio(config.portfolio_id, tier=config.tier)
        app = App(config.app_id, config.app_secret)
        app.subscription = Subscription(config.webhook_url, config.verify_token)
        accounts.apps[app.id] = app
        waba = self.add_waba(Waba(config.waba_id, config.portfolio_id))
        waba.subscribed[app.id] = None
        digits = config.business_number.translate(_PUNCTUATION)
        accounts.numbers[config.phone_number_id] = BusinessNumber(
            config.phone_number_id, config.waba_id, digits, config.verified_name
        )
        accounts.tokens[config.token] = Token(config.token, app.id, issued_at=self.clock.now())

    def _make_room(self) -> None:
        if len(self.people) < self.config.keep_people:
            return
        oldest = self.people.pop(next(iter(self.people)))
        self._by_user_id.pop(oldest.user_id, None)
        for number in self.accounts.numbers:
            self.threads.pop((number, oldest.wa_id), None)


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
