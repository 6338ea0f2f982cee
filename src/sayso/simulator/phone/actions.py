"""What a person does on the phone: writes, quotes, taps; each becomes a webhook (cloud-api.md 4.8)."""

from typing import Any

from sayso.simulator.journey import Journey
from sayso.simulator.page.live import Live
from sayso.simulator.page.views import message_on_phone, person_on_phone, status_on_phone
from sayso.simulator.webhooks.envelopes import inbound_value
from sayso.simulator.webhooks.outbox import Outbox
from sayso.simulator.world.content import Button, Content
from sayso.simulator.world.messages import Message
from sayso.simulator.world.people import Person
from sayso.simulator.world.world import World

TEXT_AT_MOST = 65_536


class PhoneError(ValueError):
    """The person cannot do this; the words say why."""


class Phones:
    """The phones of all people."""

    def __init__(self, world: World, outbox: Outbox, journey: Journey, live: Live) -> None:
        self._world = world
        self._outbox = outbox
        self._journey = journey
        self._live = live

    def person(self, phone: str, name: str | None = None) -> Person:
        """Return the person with this E.164 number (with its plus), new or known; ``name`` renames."""
        digits = phone.translate(str.maketrans("", "", "- ()"))
        if not (digits.startswith("+") and digits[1:].isdecimal() and 8 <= len(digits) <= 16):  # noqa: PLR2004
            raise PhoneError(f"{phone!r} is not a number in international form, such as +15550001111")
        known = self._world.people.get(digits[1:])
        person = self._world.person(digits[1:], name)
        if known is None or name:
            self._live.publish("person", lambda: person_on_phone(person, self._world))
        return person

    def write(self, person: Person, text: str, quote: str | None = None) -> Message:
        """Write a text, quoting a message or not."""
        if not 1 <= len(text) <= TEXT_AT_MOST:
            raise PhoneError(f"text must have 1 to {TEXT_AT_MOST} characters; it has {len(text)}")
        told: dict[str, Any] = {"type": "text", "text": {"body": text}}
        if quote is not None:
            told["context"] = self._context(self._in_thread(person, quote))
        return self._send(person, told, Content(text), quote)

    def tap(self, person: Person, wamid: str, which: int | str, *, context: bool = True) -> Message:
        """Tap a button, by its place from 0 or by its words. Buttons stay tappable for ever (4.8).

        ``context=False`` leaves ``context`` out of the webhook, as has been seen in the wild.
        """
        prompt = self._in_thread(person, wamid)
        button = _button(prompt, which)
        told: dict[str, Any] = {"context": self._context(prompt)} if context else {}
        if prompt.content.answers_as == "interactive":
            reply = {"id": button.payload, "title": button.title}
            told |= {"type": "interactive", "interactive": {"type": "button_reply", "button_reply": reply}}
        else:
            told |= {"type": "button", "button": {"payload": button.payload, "text": button.title}}
        return self._send(person, told, Content(button.title), wamid)

    def _in_thread(self, person: Person, wamid: str) -> Message:
        message = self._world.messages.get(wamid)
        if message is None or message.wa_id != person.wa_id:
            raise PhoneError(f"{person.phone} has no message {wamid!r}")
        if message.status == "failed":
            raise PhoneError(f"message {wamid!r} failed: it never reached {person.phone}")
        return message

    def _context(self, quoted: Message) -> dict[str, Any]:
        sender = self._world.number.digits if quoted.outbound else quoted.wa_id
        return {"from": sender, "id": quoted.wamid}

    def _send(self, person: Person, told: dict[str, Any], content: Content, quote: str | None) -> Message:
        world, now = self._world, self._world.clock.now()
        number = world.number
        wamid = world.mint.wamid(person.wa_id, outbound=False)
        body = {"from": person.wa_id, "from_user_id": person.user_id, "id": wamid, "timestamp": str(int(now))}
        message = Message(
            wamid, False, number.phone_number_id, person.wa_id, now, body | told, content, "sent", quote
        )
        self._journey.read_by_person(person.wa_id)  # whoever answers has the chat open
        world.add(message)
        world.thread(number.phone_number_id, person.wa_id).last_inbound_at = now  # 7.1: any inbound opens it
        self._live.publish("message", lambda: message_on_phone(message, world))
        self._live.publish("person", lambda: person_on_phone(person, world))
        self._outbox.messages(
            "inbound", number, inbound_value(person, message), lambda: self._acknowledged(message)
        )
        return message

    def _acknowledged(self, message: Message) -> None:
        """Show two ticks once the business's webhook took the message."""
        if message.status == "sent":
            message.status = "delivered"
            self._live.publish("status", lambda: status_on_phone(message))


def _button(prompt: Message, which: int | str) -> Button:
    buttons = prompt.content.buttons
    if not buttons:
        raise PhoneError(f"message {prompt.wamid!r} has no buttons")
    if isinstance(which, int) and 0 <= which < len(buttons):
        return buttons[which]
    for button in buttons:
        if button.title == which:
            return button
    raise PhoneError(f"button {which!r} is none of {[button.title for button in buttons]}, counted from 0")
