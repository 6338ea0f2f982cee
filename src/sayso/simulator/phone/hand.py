"""The hand on the phone: finds the message meant, and sends what was done on its way as a webhook (4.8)."""

from dataclasses import dataclass
from typing import Any

import msgspec

from sayso.simulator.journey import Journey
from sayso.simulator.live import Live
from sayso.simulator.phone.deeds import SOME_AD, Inbound, PhoneError
from sayso.simulator.rules import throughput
from sayso.simulator.views import message_on_phone, person_on_phone, status_on_phone
from sayso.simulator.webhooks.envelopes import contact, inbound_value, messages_value
from sayso.simulator.webhooks.outbox import Outbox
from sayso.simulator.world.accounts import BusinessNumber
from sayso.simulator.world.content import Content
from sayso.simulator.world.messages import Message
from sayso.simulator.world.numbers import international
from sayso.simulator.world.people import Person
from sayso.simulator.world.world import World


@dataclass(frozen=True, slots=True)
class Done:
    """What became of a deed: its message, whether it reached the business, or what a tap opened instead."""

    message: Message | None = None
    why: str = ""  # it did not reach the business
    opens: str = ""  # a link, number or code: the business is told nothing

    def told(self) -> dict[str, Any]:
        """Describe it for whoever asked for the deed."""
        found: dict[str, Any] = {"wamid": self.message and self.message.wamid, "reached": not self._nothing}
        if self.why:
            found["why"] = self.why
        if self.opens:
            found["opens"] = self.opens
        return found

    @property
    def _nothing(self) -> bool:
        return bool(self.why) or self.message is None


class Hand:
    """Sends what people do; everything in this room goes through it."""

    def __init__(self, world: World, outbox: Outbox, journey: Journey, live: Live) -> None:
        self.world = world
        self.live = live
        self._outbox = outbox
        self._journey = journey
        self.base_url = ""  # of media URLs, known once the simulator listens

    def wa_id(self, phone: str) -> str:
        """Return the ``wa_id`` of a person's number, which is not one of the business's."""
        try:
            digits = international(phone)
        except ValueError as problem:
            raise PhoneError(str(problem)) from problem
        if any(each.digits == digits for each in self.world.accounts.numbers.values()):
            raise PhoneError(f"{phone} is a number of the business, not a person's")
        return self.world.reached(digits)

    def number_for(self, person: Person, to: str | None, about: Message | None = None) -> BusinessNumber:
        """Return the business number that somebody writes to, whom they must not have blocked."""
        number = self.number(to, about)
        if number.phone_number_id in person.blocked_by:
            raise PhoneError(f"{person.phone} has blocked {number.phone_number_id}: /unblock first")
        return number

    def number(self, to: str | None, about: Message | None = None, *, key: str = "to") -> BusinessNumber:
        """Return the business number meant by its id, said by ``key``: by default that of ``about``, or the first."""
        numbers = self.world.accounts.numbers
        if to is None:
            return numbers[about.phone_number_id] if about is not None else self.world.number
        if to not in numbers:
            there = ", ".join(numbers)
            raise PhoneError(
                f"`{key}` must be the id of a business phone number, one of {there}; it is {to!r}"
            )
        if about is not None and about.phone_number_id != to:
            raise PhoneError(f"message {about.wamid!r} is in the conversation with {about.phone_number_id}")
        return numbers[to]

    def message(self, person: Person, wamid: str) -> Message:
        """Return a message that this person has on their phone."""
        message = self.world.messages.get(wamid)
        if message is None or message.wa_id != person.wa_id:
            raise PhoneError(f"{person.phone} has no message {wamid!r}")
        if (why := message.untouchable) is not None:
            raise PhoneError(f"message {wamid!r} {why}")
        return message

    def has(self, *messages: Message | None) -> None:
        """Have messages of the business be on the phone by now: what somebody does with them shows it."""
        for message in messages:
            if message is not None and message.outbound:
                self._journey.bring(message)

    def context(self, quoted: Message) -> dict[str, Any]:
        """Compose ``context`` of a reply; without ``from`` where the person's number is hidden (4.7)."""
        number = self.world.accounts.numbers[quoted.phone_number_id]
        if quoted.outbound:
            return {"from": number.digits, "id": quoted.wamid}
        person = self.world.person(quoted.wa_id)
        shown = self.world.phone_shown(person, number)
        return {"from": quoted.wa_id, "id": quoted.wamid} if shown else {"id": quoted.wamid}

    def send(
        self,
        person: Person,
        number: BusinessNumber,
        told: dict[str, Any],
        content: Content,
        *,
        deed: Inbound | None = None,
        about: Message | None = None,
        context: bool = True,
    ) -> Done:
        """Send what a person did to a business number; ``about`` is the message it answers.

        ``told`` is the webhook's message without what all have (4.8); ``context`` False leaves the context out.
        """
        now = self.world.clock.now()
        quote = about
        if deed is not None:
            quote = self._quoted(person, number, deed) or about
            self.has(about, quote)
            told = {**self._extras(deed, quote if context else None), **told}
        self._present(person)
        body = {**self._origin(person, number, now), **told}
        message = Message(
            wamid=body["id"],
            outbound=False,
            phone_number_id=number.phone_number_id,
            wa_id=person.wa_id,
            at=now,
            body=body,
            content=content,
            status="sent",
            quote=None if quote is None else quote.wamid,
        )
        return self._post(person, number, message)

    def _post(self, person: Person, number: BusinessNumber, message: Message) -> Done:
        """Let a message leave the phone, and tell why the business hears nothing of it, if so."""
        self._journey.read_by_person(person.wa_id, number.phone_number_id)  # the chat is open
        self.world.add(message)
        self.live.publish("message", lambda: message_on_phone(message, self.world), message)
        why = self._why_not(person, number)
        if not why:
            self._arrive(person, number, message, by_ad="referral" in message.body)
        return Done(message, why)

    def system(
        self, number: BusinessNumber, person: Person, told: dict[str, Any], *, contacts: bool, note: str
    ) -> Message:
        """Tell of something that happened to a person; it is no message of theirs and opens no window (4.8)."""
        world, now = self.world, self.world.clock.now()
        wamid = world.mint.wamid(person.wa_id, outbound=False)
        body = {"id": wamid, "timestamp": str(int(now)), "type": "system", **told}
        content = Content(note=note)
        message = Message(
            wamid, False, number.phone_number_id, person.wa_id, now, body, content, status="sent"
        )
        world.add(message)
        self.live.publish("message", lambda: message_on_phone(message, world), message)
        value: dict[str, Any] = {"messages": [body]}
        if contacts:
            value = self._value(person, number, message)
        self._outbox.messages("inbound", number, value, wamid)
        return message

    def prefer(self, number: BusinessNumber, person: Person, preference: dict[str, Any]) -> None:
        """Tell of what a person wants or does not want, by ``user_preferences`` (4.11)."""
        shown = self.world.phone_shown(person, number)
        user_id = self.world.user_id(person, number)
        who = contact(person, user_id, shown=shown, identity=number.identity_check)
        preference = {**({"wa_id": person.wa_id} if shown else {}), "user_id": user_id, **preference}
        value = messages_value(number, {"contacts": [who], "user_preferences": [preference]})
        self._outbox.change("user_preferences", self.world.accounts.wabas[number.waba_id], value, number)

    def acknowledged(self, wamid: str) -> None:
        """Show two ticks once the business's webhook took the message."""
        message = self.world.messages.get(wamid)
        if message is not None and message.status == "sent":
            message.status = "delivered"
            self.live.publish("status", lambda: status_on_phone(message), message)

    def updated(self, message: Message) -> None:
        """Show a message that has changed."""
        self.live.publish("message", lambda: message_on_phone(message, self.world), message)

    def shown(self, person: Person) -> None:
        """Show a person who is new or has changed."""
        self.live.publish("person", lambda: person_on_phone(person, self.world))

    def _present(self, person: Person) -> None:
        """Have somebody be there who was not: nothing speaks against what they do any more."""
        if person.wa_id not in self.world.people:
            self.world.left.discard(person.wa_id)
            self.world.admit(person)
            self.shown(person)

    def _origin(self, person: Person, number: BusinessNumber, now: float) -> dict[str, Any]:
        """Compose what every inbound message begins with; ``from`` is absent while the number is hidden (4.7)."""
        origin: dict[str, Any] = {}
        if self.world.phone_shown(person, number):
            origin["from"] = person.wa_id
        origin["from_user_id"] = self.world.user_id(person, number)
        if person.parent_user_id:
            origin["from_parent_user_id"] = person.parent_user_id
        wamid = self.world.mint.wamid(person.wa_id, outbound=False)
        return {**origin, "id": wamid, "timestamp": str(int(now))}

    def _quoted(self, person: Person, number: BusinessNumber, deed: Inbound) -> Message | None:
        if deed.quote is None:
            return None
        quoted = self.message(person, deed.quote)
        if quoted.phone_number_id != number.phone_number_id:
            raise PhoneError(f"message {deed.quote!r} is in the conversation with {quoted.phone_number_id}")
        return quoted

    def _extras(self, deed: Inbound, quoted: Message | None) -> dict[str, Any]:
        """Compose the quote, the forwarding mark and the ad that goes with a message (4.8)."""
        context = self.context(quoted) if quoted is not None else {}
        if deed.forwarded:
            context["frequently_forwarded" if deed.forwarded == "frequently" else "forwarded"] = True
        extras: dict[str, Any] = {"context": context} if context else {}
        if deed.referral:
            extras["referral"] = msgspec.to_builtins(SOME_AD if deed.referral is True else deed.referral)
        return extras

    def _why_not(self, person: Person, number: BusinessNumber) -> str:
        if person.wa_id in number.blocked:
            return f"{number.phone_number_id} has blocked {person.phone} (8.4)"
        if not number.registered:
            return f"{number.phone_number_id} is not registered (8.1)"
        return ""

    def _arrive(self, person: Person, number: BusinessNumber, message: Message, *, by_ad: bool) -> None:
        world = self.world
        throughput.spend(world.quotas, number, message.at)  # 6: in and out together
        thread = world.thread(number.phone_number_id, person.wa_id)
        thread.last_inbound_at = message.at  # 7.1: any inbound opens the window
        if by_ad:
            thread.entry_point_at = message.at  # 7.2
        self.shown(person)
        self._outbox.messages("inbound", number, self._value(person, number, message), message.wamid)

    def _value(self, person: Person, number: BusinessNumber, message: Message) -> dict[str, Any]:
        shown = self.world.phone_shown(person, number)
        user_id = self.world.user_id(person, number)
        return inbound_value(person, user_id, message, shown=shown, identity=number.identity_check)
