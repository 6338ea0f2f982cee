"""The simulated world: accounts, people, their conversations, every message, media and templates, all bounded."""

from collections.abc import Iterator
from itertools import chain

from sayso.simulator.config import Review, SimulatorConfig
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
from sayso.simulator.world.ids import Mint, bsuid, identity_hash
from sayso.simulator.world.media import Media, Upload
from sayso.simulator.world.messages import Message
from sayso.simulator.world.numbers import dialled, digits_of, other_spelling, preferred_spelling
from sayso.simulator.world.people import Person, Thread
from sayso.simulator.world.preloaded import preloaded
from sayso.simulator.world.quotas import Quotas
from sayso.simulator.world.templates import Templates

PHONE_KNOWN_FOR_S = 30 * 24 * 3600  # 4.7


class World:
    """Everything that exists between the business and its people. One event loop owns it; nothing blocks."""

    def __init__(self, config: SimulatorConfig, clock: Clock) -> None:
        self.config = config
        self.clock = clock
        self.mint = Mint(config.seed)
        #: Of ``fbtrace_id``, apart: other ids shall not depend on how often somebody tries.
        self.traces = Mint(config.seed)
        self.accounts = Accounts()
        self.people: dict[str, Person] = {}
        self.messages: dict[str, Message] = {}
        #: No longer kept for want of room, but still on their way; the oldest first.
        self.beyond: dict[str, Message] = {}
        #: By wa_id and wamid: not yet read by the one it went to.
        self.unread: dict[str, dict[str, Message]] = {}
        self.templates = Templates()  # by id; by WABA, name and language too
        self.review: Review = config.review  # of templates submitted from now on (3.3)
        self.media: dict[str, Media] = {}
        self.uploads: dict[str, Upload] = {}
        self.threads: dict[tuple[str, str], Thread] = {}
        self.quotas = Quotas()
        self.left: set[str] = set()  # numbers whose people changed to another: nobody is there
        self.dead_user_ids: set[str] = set()  # BSUIDs that died with a number or a key (4.7)
        self._by_user_id: dict[str, Person] = {}
        self.reset()

    def reset(self) -> None:
        """Forget everything that happened; the first account, people and templates are there again."""
        self.empty()
        self.mint, self.traces = Mint(self.config.seed), Mint(self.config.seed)
        self.review = self.config.review
        self._open_first_account()
        for name, phone in self.config.people:
            self.person(digits_of(phone), name)

    def empty(self) -> None:
        """Forget everything there is."""
        for kept in (self.people, self.messages, self.unread, self.templates, self.media, self.uploads):
            kept.clear()
        for gone in (
            self.beyond,
            self.accounts,
            self.quotas,
            self.threads,
            self.left,
            self.dead_user_ids,
            self._by_user_id,
        ):
            gone.clear()

    @property
    def number(self) -> BusinessNumber:
        """The first business number: the configured one, or whichever a snapshot has."""
        numbers = self.accounts.numbers
        return numbers.get(self.config.phone_number_id) or next(iter(numbers.values()))

    def add_waba(self, waba: Waba) -> Waba:
        """Open a WhatsApp business account, with the templates that are there from the start."""
        self.accounts.wabas[waba.id] = waba
        for template in preloaded(waba.id, first=waba.id == self.config.waba_id):
            self.templates[template.id] = template
        return waba

    def person(self, wa_id: str, name: str | None = None) -> Person:
        """Return the person with this number, who comes into being when new; ``name`` renames them."""
        found = self.people.get(wa_id)
        if found is None:
            found = self.stranger(wa_id, name)
            self.admit(found)
        elif name:
            found.name = name
        return found

    def stranger(self, wa_id: str, name: str | None = None) -> Person:
        """Describe somebody with a number that nobody here has; :meth:`admit` lets them in."""
        user_id = self._new_user_id(self.config.portfolio_id, wa_id)
        found = Person(wa_id, name or f"Guest {wa_id[-4:]}", user_id)
        found.identity_hash = identity_hash(wa_id)
        found.on_whatsapp = wa_id not in self.left
        return found

    def admit(self, person: Person) -> None:
        """Let a stranger in; beyond the bound the oldest person is forgotten."""
        self._make_room()
        self.place(person)

    def place(self, person: Person) -> None:
        """Have a person be found by their number and all their BSUIDs."""
        self.people[person.wa_id] = person
        for user_id in (person.user_id, *person.user_ids.values(), person.parent_user_id):
            if user_id is not None:
                self._by_user_id[user_id] = person

    def user_id(self, person: Person, number: BusinessNumber) -> str:
        """Tell a person's BSUID towards the portfolio of a business number: another one for each (4.7)."""
        portfolio_id = self.accounts.wabas[number.waba_id].portfolio_id
        if portfolio_id == self.config.portfolio_id:
            return person.user_id
        found = person.user_ids.get(portfolio_id)
        if found is None:
            found = person.user_ids[portfolio_id] = self._new_user_id(portfolio_id, person.wa_id)
            self._by_user_id[found] = person
        return found

    def person_by_user_id(self, user_id: str, number: BusinessNumber | None = None) -> Person | None:
        """Return the person with this BSUID or parent BSUID; with ``number``, only if it is of its portfolio (2.1)."""
        found = self._by_user_id.get(user_id)
        if found is None or number is None or user_id == found.parent_user_id:
            return found
        return found if user_id == self.user_id(found, number) else None

    def addressed(self, to: str, number: BusinessNumber) -> str:
        """Tell whose ``wa_id`` a ``to`` of this business number means.

        Exactly the digits by which somebody is known, as webhooks tell them, mean that person, with a plus or without:
        clients that answer to ``messages[].from`` rely on it. Anything else is dialled as 2.1 says.
        """
        digits = digits_of(to)
        return digits if digits in self.people else self.reached(dialled(to, number.digits))

    def reached(self, wa_id: str) -> str:
        """Tell by which ``wa_id`` somebody with this number is known: some countries have two spellings (2.1)."""
        if wa_id in self.people:
            return wa_id
        other = other_spelling(wa_id)
        return other if other in self.people else preferred_spelling(wa_id)

    def phone_shown(self, person: Person, number: BusinessNumber) -> bool:
        """Tell whether webhooks of this number say the person's phone number (4.7).

        Hidden behind a username it is told only if a message went or came by it in the last 30 days, or the
        portfolio's contact book has it.
        """
        if not (person.username and person.phone_hidden):
            return True
        book = self.accounts.portfolio_of(number)
        if book.contact_book_on and person.wa_id in book.contact_book:
            return True
        known_at = self.thread(number.phone_number_id, person.wa_id).phone_known_at
        return known_at is not None and self.clock.now() - known_at < PHONE_KNOWN_FOR_S

    def forget_phone(self, person: Person) -> None:
        """Have no business know the person's number any more: neither the contact books nor the last 30 days."""
        for portfolio in self.accounts.portfolios.values():
            portfolio.contact_book.discard(person.wa_id)
        for number in self.accounts.numbers:
            thread = self.threads.get((number, person.wa_id))
            if thread is not None:
                thread.phone_known_at = None

    def rename_user_id(self, person: Person, user_id: str) -> None:
        """Give a person another BSUID; the old ones, towards every portfolio, are dead (4.7)."""
        for old in (person.user_id, *person.user_ids.values()):
            self._by_user_id.pop(old, None)
            self.dead_user_ids.add(old)
        person.user_ids.clear()
        person.user_id = user_id
        self._by_user_id[user_id] = person

    def set_parent_user_id(self, person: Person, parent_user_id: str | None) -> None:
        """Give a person a parent BSUID, by which they can be found too, or take it away (4.7)."""
        if person.parent_user_id:
            self._by_user_id.pop(person.parent_user_id, None)
        person.parent_user_id = parent_user_id
        if parent_user_id:
            self._by_user_id[parent_user_id] = person

    def _new_user_id(self, portfolio_id: str, wa_id: str) -> str:
        """Tell the BSUID of a number towards a portfolio, another one when that has died or is somebody's."""
        user_id = bsuid(portfolio_id, wa_id)
        taken = user_id in self.dead_user_ids or user_id in self._by_user_id
        return self.mint.bsuid(wa_id) if taken else user_id

    def forget(self, person: Person) -> None:
        """Forget a person and their conversations."""
        self.people.pop(person.wa_id, None)
        for user_id in (person.user_id, *person.user_ids.values(), person.parent_user_id):
            self._by_user_id.pop(user_id or "", None)
        for number in self.accounts.numbers:
            self.threads.pop((number, person.wa_id), None)

    def move(self, person: Person, wa_id: str) -> None:
        """Let a person have another number; conversations, messages and blocks go with them, the BSUID dies."""
        old = person.wa_id
        del self.people[old]
        self.left.add(old)
        self.left.discard(wa_id)
        person.wa_id = wa_id
        self.people[wa_id] = person
        self.rename_user_id(person, self._new_user_id(self.config.portfolio_id, wa_id))
        for number in self.accounts.numbers.values():
            if (thread := self.threads.pop((number.phone_number_id, old), None)) is not None:
                self.threads[number.phone_number_id, wa_id] = thread
            if old in number.blocked:
                number.blocked.remove(old)
                number.blocked.add(wa_id)
        for reach in self.quotas.reach.values():
            reach.move(old, wa_id)
        self._move_messages(old, wa_id)

    def _move_messages(self, old: str, wa_id: str) -> None:
        for message in chain(self.messages.values(), self.beyond.values()):
            if message.wa_id == old:
                message.wa_id = wa_id
                if old in message.reactions:
                    message.reactions[wa_id] = message.reactions.pop(old)
        if (unread := self.unread.pop(old, None)) is not None:
            self.unread[wa_id] = unread

    def thread(self, phone_number_id: str, wa_id: str) -> Thread:
        """Return the conversation of a number with a person; it begins when first asked for."""
        key = (phone_number_id, wa_id)
        found = self.threads.get(key)
        if found is None:
            found = self.threads[key] = Thread()
        return found

    def add(self, message: Message) -> None:
        """Keep a message; beyond the bound the oldest is forgotten."""
        self.messages[message.wamid] = message
        self.unread.setdefault(message.wa_id, {})[message.wamid] = message
        self.make_room()
        self._note_phone(message)

    def make_room(self) -> None:
        """Forget the oldest messages beyond the bound; those still on their way are kept apart."""
        while len(self.messages) > self.config.keep_messages:
            oldest = self.messages.pop(next(iter(self.messages)))
            self.read(oldest)
            if oldest.on_its_way:
                self.beyond[oldest.wamid] = oldest

    def read(self, message: Message) -> None:
        """Note that whom the message went to has read it."""
        of_person = self.unread.get(message.wa_id)
        if of_person is not None and of_person.pop(message.wamid, None) is not None and not of_person:
            del self.unread[message.wa_id]

    def unread_with(self, wa_id: str, *, outbound: bool, phone_number_id: str | None = None) -> list[Message]:
        """List the unread messages of one direction with one person (and one number), oldest first."""
        return [
            each
            for each in self.unread.get(wa_id, {}).values()
            if each.outbound is outbound and phone_number_id in (None, each.phone_number_id)
        ]

    def outbound(self, wa_id: str | None = None) -> Iterator[Message]:
        """Walk what the business sent, oldest first, to one person or to all."""
        for message in self.messages.values():
            if message.outbound and wa_id in (None, message.wa_id):
                yield message

    def _open_first_account(self) -> None:
        """Open what the configuration describes: one portfolio, WABA, number, app and token."""
        config, accounts = self.config, self.accounts
        accounts.portfolios[config.portfolio_id] = Portfolio(config.portfolio_id, tier=config.tier)
        app = App(config.app_id, config.app_secret)
        if config.webhook_url:
            app.subscription = Subscription(config.webhook_url, config.verify_token)
        accounts.apps[app.id] = app
        waba = self.add_waba(Waba(config.waba_id, config.portfolio_id))
        waba.subscribed[app.id] = None
        digits = digits_of(config.business_number)
        accounts.numbers[config.phone_number_id] = BusinessNumber(
            config.phone_number_id, config.waba_id, digits, config.verified_name
        )
        accounts.tokens[config.token] = Token(config.token, app.id, issued_at=self.clock.now())

    def _note_phone(self, message: Message) -> None:
        """Note that a message went or came by a hidden phone number, which shows it again (4.7)."""
        person = self.people.get(message.wa_id)
        if person is None or not person.phone_hidden:
            return
        number = self.accounts.numbers[message.phone_number_id]
        by_phone = not message.by_user_id if message.outbound else self.phone_shown(person, number)
        if by_phone:
            self.thread(message.phone_number_id, person.wa_id).phone_known_at = message.at
            book = self.accounts.portfolio_of(number)
            if book.contact_book_on:
                book.contact_book.add(person.wa_id)

    def _make_room(self) -> None:
        if len(self.people) < self.config.keep_people:
            return
        self.forget(next(iter(self.people.values())))
