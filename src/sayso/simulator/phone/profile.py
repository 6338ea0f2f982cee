"""What changes about a person: name, username, number, keys, whom they block, what they want (4.7, 4.8, 4.11)."""

from collections.abc import Iterable, Iterator
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, UnsetType

from sayso.simulator.journey import Journey
from sayso.simulator.phone.deeds import PhoneError
from sayso.simulator.phone.hand import Hand
from sayso.simulator.strict import Strict
from sayso.simulator.world.accounts import BusinessNumber
from sayso.simulator.world.people import Person

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=60)]
Username = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9._]{3,30}$")]
ParentId = Annotated[str, msgspec.Meta(pattern=r"^[A-Z]{2}\.ENT\.[A-Za-z0-9]{1,128}$")]


class Profile(Strict):
    """What can be set about a person; what is left out stays. ``null`` takes a username or parent id away."""

    name: Name | UnsetType = UNSET
    username: Username | UnsetType | None = UNSET
    phone_hidden: bool | UnsetType = UNSET
    parent_user_id: ParentId | UnsetType | None = UNSET
    on_whatsapp: bool | UnsetType = UNSET
    read_receipts: bool | UnsetType = UNSET
    phone_off: bool | UnsetType = UNSET


class People:
    """What people do about themselves."""

    def __init__(self, hand: Hand, journey: Journey) -> None:
        self._hand = hand
        self._journey = journey

    def set(self, person: Person, profile: Profile) -> None:
        """Change what is given. None of it is told by webhook of its own; the next ones show it."""
        _check_hiding(person, profile)
        for name in ("name", "username", "on_whatsapp", "read_receipts"):
            if (value := getattr(profile, name)) is not UNSET:
                setattr(person, name, value)
        if profile.parent_user_id is not UNSET:
            self._hand.world.set_parent_user_id(person, profile.parent_user_id)
        self._hide(person, profile.phone_hidden)
        if profile.phone_off is not UNSET and profile.phone_off != person.phone_off:
            (self._journey.phone_off if profile.phone_off else self._journey.phone_on)(person)
        self._hand.shown(person)

    def _hide(self, person: Person, hidden: "bool | UnsetType") -> None:
        """Hide the number or show it; hidden, it must become known again from here on (4.7)."""
        if hidden is not UNSET:
            person.phone_hidden = hidden
        if person.username is None:
            person.phone_hidden = False
        if hidden is True:
            self._hand.world.forget_phone(person)

    def change_number(self, person: Person, to: str) -> None:
        """Move to another number (E.164), conversations and all; every business number they know is told (4.8).

        The old BSUID is dead, and nobody is at the old number any more.
        """
        if person.phone_off:
            raise PhoneError(f"the phone of {person.phone} is off: `phone_off` false turns it on")
        world, old = self._hand.world, person.wa_id
        wa_id = self._hand.wa_id(to)
        known = world.people.get(wa_id)
        if known is not None and (known is person or known.on_whatsapp):
            raise PhoneError(f"{to} is already the number of {known.name}")
        shown = {each.phone_number_id for each in self._numbers(person) if world.phone_shown(person, each)}
        old_ids = self._user_ids(person)
        if known is not None:
            world.forget(known)
        world.move(person, wa_id)
        body = f"User {person.name} changed from {old} to {wa_id}"
        for number in self._numbers(person):
            visible = number.phone_number_id in shown
            system: dict[str, Any] = {"type": "user_changed_number", "body": body, "wa_id": wa_id}
            system |= self._user_ids_changed(person, number, old_ids)
            if not visible:
                del system["wa_id"]
                system["body"] = f"User {person.name} changed their number"
            told = {**({"from": old} if visible else {}), "system": system}
            self._hand.system(number, person, told, contacts=False, note=body)
        self._hand.live.publish("moved", lambda: {"from": old, "to": wa_id})
        self._hand.shown(person)

    def change_user_id(self, person: Person) -> None:
        """Get another BSUID without another number; the old one is dead (4.7, 4.8)."""
        world, old_ids = self._hand.world, self._user_ids(person)
        world.rename_user_id(person, world.mint.bsuid(person.wa_id))
        for number in self._numbers(person):
            ids = self._user_ids_changed(person, number, old_ids)
            body = f"User {person.name} changed from {ids['previous_user_id']} to {ids['user_id']}"
            system = {"type": "user_changed_user_id", "body": body, **ids}
            self._hand.system(number, person, {"system": system}, contacts=False, note=body)
        self._hand.shown(person)

    def change_identity(self, person: Person) -> None:
        """Get new keys, as with a new phone; told to numbers on which the identity check is enabled (4.8)."""
        world = self._hand.world
        person.identity_hash = world.mint.identity()
        now = str(int(world.clock.now()))
        body = f"User {person.name} may have changed their device"
        identity = {"acknowledged": True, "created_timestamp": now, "hash": person.identity_hash}
        for number in self._numbers(person):
            if number.identity_check:
                origin = {"from": person.wa_id} if world.phone_shown(person, number) else {}
                told = {**origin, "from_user_id": world.user_id(person, number), "identity": identity}
                told["system"] = {"type": "customer_identity_changed", "body": body}
                self._hand.system(number, person, told, contacts=True, note=body)
        self._hand.shown(person)

    def block(self, person: Person, number: str | None, *, on: bool) -> None:
        """Block a business number, or all of them, or end that. The business only sees 131026 (5.3)."""
        for each in self._meant(number):
            (person.blocked_by.add if on else person.blocked_by.discard)(each.phone_number_id)
        self._hand.shown(person)

    def marketing(self, person: Person, number: str | None, *, stop: bool) -> None:
        """Stop or resume the marketing of a business number, or of the first; ``user_preferences`` tells (4.11)."""
        world = self._hand.world
        meant = self._hand.number(number, key="number")
        (person.no_marketing.add if stop else person.no_marketing.discard)(meant.phone_number_id)
        preference = {
            "category": "marketing_messages",
            "value": "stop" if stop else "resume",
            "detail": f"User requested to {'stop' if stop else 'resume'} marketing messages",
            "timestamp": int(world.clock.now()),
        }
        self._hand.prefer(meant, person, preference)
        self._hand.shown(person)

    def _user_ids(self, person: Person) -> dict[str, str]:
        """Tell their BSUID towards each number they have exchanged messages with, by phone number id (4.7)."""
        return {
            each.phone_number_id: self._hand.world.user_id(person, each) for each in self._numbers(person)
        }

    def _user_ids_changed(
        self, person: Person, number: BusinessNumber, old: dict[str, str]
    ) -> dict[str, str]:
        user_id = self._hand.world.user_id(person, number)
        return {"user_id": user_id, "previous_user_id": old[number.phone_number_id]}

    def _numbers(self, person: Person) -> Iterator[BusinessNumber]:
        """Walk the business numbers that somebody has exchanged messages with."""
        world = self._hand.world
        known = {each.phone_number_id for each in world.messages.values() if each.wa_id == person.wa_id}
        for number in list(world.accounts.numbers.values()):
            if number.phone_number_id in known:
                yield number

    def _meant(self, number: str | None) -> Iterable[BusinessNumber]:
        if number is None:
            return self._hand.world.accounts.numbers.values()
        return [self._hand.number(number, key="number")]


def _check_hiding(person: Person, profile: Profile) -> None:
    username = person.username if profile.username is UNSET else profile.username
    if profile.phone_hidden is True and username is None:
        raise PhoneError("`phone_hidden` needs a `username`: only who adopted one can hide the number (4.7)")
