"""What becomes of an accepted message: sent, delivered, read or failed, each a webhook (cloud-api.md 4.9)."""

from functools import partial
from itertools import chain

from sayso.simulator.books import Books
from sayso.simulator.errors import told_later
from sayso.simulator.live import Live
from sayso.simulator.rules import course, standing
from sayso.simulator.rules.lifetime import lifetime_s
from sayso.simulator.rules.refusal import Refusal
from sayso.simulator.views import message_on_phone, status_on_phone
from sayso.simulator.webhooks.envelopes import status_value
from sayso.simulator.webhooks.outbox import Outbox
from sayso.simulator.world.clock import Timer
from sayso.simulator.world.messages import Message, NextStep
from sayso.simulator.world.people import Person
from sayso.simulator.world.world import World

#: Statuses after which the person has it before their eyes, or never will.
_DONE = ("read", "played", "failed", "dropped")
#: Statuses before which nothing has arrived on the phone.
_BEFORE = ("accepted", "held", "sent")


class Journey:
    """Takes every accepted message from the wire to the person's eyes."""

    def __init__(self, world: World, outbox: Outbox, live: Live) -> None:
        self._world = world
        self._config = world.config
        self._outbox = outbox
        self._live = live
        self._books = Books(world)
        self._timers: dict[str, Timer] = {}
        self._waiting: dict[str, Message] = {}  # by wamid: for a phone to be on, or for their end
        self._ends: dict[str, Timer] = {}  # of those waiting
        self._held: dict[str, dict[str, Message]] = {}  # by template id: paced (3.5)

    # --- setting out ------------------------------------------------------------------------------------

    def begin(
        self,
        message: Message,
        refusal: tuple[int, str] | None,
        *,
        refused_after: str | None = None,
        held: bool = False,
    ) -> None:
        """Send an accepted message on its way.

        With ``refusal`` it fails instead of being sent (9), or after `sent` was told when ``refused_after`` says so.
        A ``held`` one stays until its template's messages are released or dropped (3.5).
        """
        world = self._world
        template = world.templates.get(message.content.template_id or "")
        message.expires_at = message.at + lifetime_s(template)
        world.add(message)
        self._drop_beyond()
        if refusal is None:
            self._books.set_out(message)
        else:
            message.errors = [told_later(*refusal)]
            message.holds_place = False  # it reaches nobody
        if held:
            message.status = "held"
            self._hold(message)
        else:
            self._set_out(message, at_once=refused_after is None)
        self._live.publish("message", lambda: message_on_phone(message, world), message)

    def release_held(self, template_id: str) -> int:
        """Send the held messages of a template on their way, oldest first; return how many (3.5)."""
        held = self._held.pop(template_id, {})
        for message in held.values():
            message.status = "accepted"
            self._set_out(message, at_once=True)
        return len(held)

    def drop_held(self, template_id: str, code: int, details: str) -> int:
        """Let the held messages of a template fail; return how many (3.5)."""
        held = self._held.pop(template_id, {})
        for message in held.values():
            self.fail(message, code, details)
        return len(held)

    def held(self, template_id: str) -> int:
        """Tell how many messages of a template are held."""
        return len(self._held.get(template_id, ()))

    # --- what people do ---------------------------------------------------------------------------------

    def read_by_person(self, wa_id: str, phone_number_id: str | None = None) -> None:
        """Let the person read what was delivered to them, in the chat with one number or in all."""
        receipts = self._world.person(wa_id).read_receipts
        for message in self._world.unread_with(wa_id, outbound=True, phone_number_id=phone_number_id):
            if message.status == "delivered" and receipts:
                self.move(message, "read")
            elif message.status == "delivered":
                self._world.read(message)

    def play(self, message: Message) -> None:
        """Let the person play a voice note, which also reads it; told whether or not reading is (4.9)."""
        if message.content.attachment is None or not message.content.attachment.voice:
            raise ValueError(f"message {message.wamid!r} is no voice note: only those are told to be played")
        if message.status == "delivered" and self._world.person(message.wa_id).read_receipts:
            self.move(message, "read")
        if message.status in ("delivered", "read"):
            self.move(message, "played")

    def phone_off(self, person: Person) -> None:
        """Turn a phone off: what is sent to it waits at `sent`, until it is on or the message's time is over (2.1)."""
        person.phone_off = True

    def phone_on(self, person: Person) -> None:
        """Turn a phone on, and deliver what waited for it."""
        person.phone_off = False
        for message in list(self._waiting.values()):
            if message.wa_id == person.wa_id and message.status == "sent":
                self._later(message, "delivered", self._config.delivered_after_ms)

    def bring(self, message: Message) -> None:
        """Have a message be on the phone now, as whoever taps, quotes or reacts to it has it before their eyes."""
        if message.status == "accepted" and message.course != "silent":
            self.move(message, "sent")
        if message.status == "sent" and message.content.reaction is None:
            self.move(message, "delivered")

    def move(self, message: Message, status: str) -> None:
        """Bring a message to a status now, whatever was to become of it; what follows, follows."""
        self._arrive(message, status)

    def fail(self, message: Message, code: int, details: str) -> None:
        """Let a message fail now."""
        message.errors = [told_later(code, details)]
        self._arrive(message, "failed")

    # --- coming and going -------------------------------------------------------------------------------

    def resume(self) -> None:
        """Set every message going again that has a next step, as after a snapshot."""
        self.reset()
        for message in chain(self._world.beyond.values(), self._world.messages.values()):
            if message.status == "held":
                self._hold(message)
            elif message.next_step is not None:
                self._schedule(message, message.next_step)
        self._drop_beyond()

    @property
    def at_rest(self) -> bool:
        """Whether no message is between two statuses; those that wait for a phone or a template are at rest."""
        return not self._timers

    def reset(self) -> None:
        """Stop every message where it is."""
        for timer in (*self._timers.values(), *self._ends.values()):
            timer.cancel()
        for kept in (self._timers, self._ends, self._waiting, self._held):
            kept.clear()

    def _set_out(self, message: Message, *, at_once: bool) -> None:
        if message.course == "silent":
            self._wait(message)
        else:
            first = "failed" if message.errors and at_once else "sent"
            self._later(message, first, self._config.sent_after_ms)

    def _hold(self, message: Message) -> None:
        self._held.setdefault(message.content.template_id or "", {})[message.wamid] = message

    def _later(self, message: Message, status: str, after_ms: int) -> None:
        due = self._world.clock.now() + after_ms / 1000
        if status == "delivered" and message.status in _BEFORE and due >= (message.expires_at or due + 1):
            self._wait(message)
            return
        message.next_step = NextStep(status, due)
        self._schedule(message, message.next_step)

    def _wait(self, message: Message) -> None:
        """Let a message wait for its end: it is dropped without a webhook (2.1), unless something moves it."""
        message.next_step = NextStep("dropped", message.expires_at or message.at)
        self._schedule(message, message.next_step)

    def _schedule(self, message: Message, step: NextStep) -> None:
        self._stop(message)
        message.next_step = step
        timer = self._world.clock.at(step.due, partial(self._arrive, message, step.status))
        if step.status == "dropped":
            self._ends[message.wamid] = timer
            self._waiting[message.wamid] = message
        else:
            self._timers[message.wamid] = timer

    def _drop_beyond(self) -> None:
        """Drop the oldest that are on their way and no longer kept, when there are as many again as are kept."""
        beyond = self._world.beyond
        while len(beyond) > self._config.keep_messages:
            self._arrive(next(iter(beyond.values())), "dropped")

    def _stop(self, message: Message) -> None:
        message.next_step = None
        if message.status == "held":
            self._held.get(message.content.template_id or "", {}).pop(message.wamid, None)
        timer = self._timers.pop(message.wamid, None)
        if timer is None and (timer := self._ends.pop(message.wamid, None)) is not None:
            del self._waiting[message.wamid]
        if timer is not None:
            timer.cancel()

    # --- one step ---------------------------------------------------------------------------------------

    def _arrive(self, message: Message, status: str) -> None:
        self._stop(message)
        person = self._world.person(message.wa_id)
        first = status in ("delivered", "read") and message.status in _BEFORE
        if first and person.phone_off:
            self._wait(message)
            self._live.changed()  # it rests now, and somebody may wait for that
            return
        if first and (gone := self._gone(message, person)) is not None:
            message.errors = [told_later(*gone)]
            status, first = "failed", False
        elif first and status == "delivered":
            status = course.arrival(
                message.course,
                chat_open=self._live.shows(message.wa_id, message.phone_number_id),
                receipts=person.read_receipts,
            )
        overtaken = status == "delivered" and message.status == "read"
        if not overtaken:
            message.status = status
        self._book(message, status, first=first)
        self._go_on(message, person, status, first=first)
        if message.next_step is None:
            self._world.beyond.pop(message.wamid, None)
        self._tell(message, person, status, priced=first or status == "sent")

    def _book(self, message: Message, status: str, *, first: bool) -> None:
        if status == "sent":
            self._sent(message)
        elif first:
            self._books.reached(message)
        elif status in ("failed", "dropped"):
            self._books.lost(message)
        if status in _DONE:
            self._world.read(message)

    def _gone(self, message: Message, person: Person) -> Refusal | None:
        """Tell whether the person has blocked the number, or left WhatsApp, since the message was accepted (5.3)."""
        return standing.of_person(self._world.accounts.numbers[message.phone_number_id], person)

    def _go_on(self, message: Message, person: Person, status: str, *, first: bool) -> None:
        """Let follow what follows a status; a reaction is over once it was sent (2.4).

        It is settled before the status is told: who hears of that may ask whether all is at rest.
        """
        config = self._config
        if status == "sent" and message.errors:
            self._later(message, "failed", config.delivered_after_ms)
        elif status == "sent" and message.content.reaction is None:
            self._later(message, "delivered", config.delivered_after_ms)
        elif status == "delivered" and first and person.read_receipts and self._will_read(message):
            self._later(message, "read", config.read_after_ms)
        elif status == "read" and first and message.course == "read_first":
            self._later(message, "delivered", config.read_after_ms)

    def _will_read(self, message: Message) -> bool:
        """With a phone page in view, what it shows is read; otherwise the setting decides."""
        if self._live.someone_looks():
            return self._live.shows(message.wa_id, message.phone_number_id)
        return self._config.auto_read

    def _tell(self, message: Message, person: Person, status: str, *, priced: bool) -> None:
        if status != "dropped":
            number = self._world.accounts.numbers[message.phone_number_id]
            value = status_value(self._world, person, message, status, priced=priced)
            for _ in range(course.copies(message.course)):
                self._outbox.messages("status", number, value)
        self._live.publish("status", lambda: status_on_phone(message), message)

    def _sent(self, message: Message) -> None:
        self._books.sent(message)
        if message.content.reaction is not None:
            self._react(message)

    def _react(self, message: Message) -> None:
        """Put the business's emoji on the message it reacts to, or take it away (2.4)."""
        reaction = message.content.reaction
        target = self._world.messages.get(reaction.message_id) if reaction else None
        if reaction is None or target is None:
            return
        if reaction.emoji:
            target.reactions[""] = reaction.emoji
        else:
            target.reactions.pop("", None)
        self._live.publish("status", lambda: status_on_phone(target), target)
