"""The phones of all people: whatever somebody does comes in here and becomes a webhook (cloud-api.md 4.8)."""

from collections.abc import Callable
from typing import Any

from sayso.simulator.journey import Journey
from sayso.simulator.live import Live
from sayso.simulator.phone.answers import Answers
from sayso.simulator.phone.changes import Changes
from sayso.simulator.phone.deeds import DEEDS, Inbound, PhoneError
from sayso.simulator.phone.hand import Done, Hand
from sayso.simulator.phone.profile import People
from sayso.simulator.phone.shares import Shares
from sayso.simulator.webhooks.outbox import Outbox
from sayso.simulator.world.people import Person
from sayso.simulator.world.world import World


class Phones:
    """The phones of all people."""

    def __init__(self, world: World, outbox: Outbox, journey: Journey, live: Live) -> None:
        self._world = world
        self.hand = Hand(world, outbox, journey, live)
        self.people = People(self.hand, journey)
        answers, shares, changes = Answers(self.hand), Shares(self.hand), Changes(self.hand)
        self._deeds: dict[str, Callable[[Person, Inbound, Any], Done]] = {
            "text": shares.text,
            "tap": answers.tap,
            "choose": answers.choose,
            "react": changes.react,
            "media": shares.media,
            "location": shares.location,
            "contacts": shares.contacts,
            "flow": answers.flow,
            "call_permission": answers.call_permission,
            "edit": changes.edit,
            "delete": changes.delete,
            "unsupported": shares.unsupported,
            "order": shares.order,
            "welcome": shares.welcome,
        }

    def add(self, phone: str, name: str | None = None) -> tuple[Person, bool]:
        """Return the person with this number (E.164 with its plus), and whether they are new. Nobody is renamed."""
        wa_id = self.hand.wa_id(phone)
        known = self._world.people.get(wa_id)
        if known is not None:
            return known, False
        self._world.left.discard(wa_id)
        person = self._world.person(wa_id, name)
        self.hand.shown(person)
        return person, True

    def known(self, phone: str) -> Person:
        """Return the person with this number; raise LookupError when there is none."""
        person = self._world.people.get(self.hand.wa_id(phone))
        if person is None:
            raise LookupError(f"nobody has the number {phone}; POST /_sim/people makes somebody")
        return person

    def do(self, deed: Inbound) -> Done:
        """Do what a person does; raise PhoneError when they cannot."""
        given = [name for name in DEEDS if getattr(deed, name) not in (None, False)]
        if len(given) != 1:
            known = ", ".join(f"`{name}`" for name in DEEDS)
            raise PhoneError(f"exactly one of {known} is needed; {len(given)} are given")
        wa_id = self.hand.wa_id(deed.sender)
        person = self._world.people.get(wa_id) or self._stranger(wa_id)
        _check_able(person)
        before, person.name = person.name, deed.name or person.name
        try:
            done = self._deeds[given[0]](person, deed, getattr(deed, given[0]))
        except Exception:
            person.name = before
            raise
        if person.name != before:
            self.hand.shown(person)
        return done

    def _stranger(self, wa_id: str) -> Person:
        """Describe somebody new, who is there once they have done something: not when that was refused."""
        found = self._world.stranger(wa_id)
        found.on_whatsapp = True
        return found


def _check_able(person: Person) -> None:
    if not person.on_whatsapp:
        raise PhoneError(f"{person.phone} is not on WhatsApp: `on_whatsapp` true puts them there")
    if person.phone_off:
        raise PhoneError(f"the phone of {person.phone} is off: `phone_off` false turns it on")
