"""What becomes of an accepted message: sent, delivered, read or failed, each a webhook (cloud-api.md 4.9)."""

from sayso.simulator.config import SimulatorConfig
from sayso.simulator.errors import told_later
from sayso.simulator.page.live import Live
from sayso.simulator.page.views import message_on_phone, status_on_phone
from sayso.simulator.webhooks.envelopes import status_value
from sayso.simulator.webhooks.outbox import Outbox
from sayso.simulator.world.clock import Timer
from sayso.simulator.world.messages import Message, NextStep
from sayso.simulator.world.world import World

#: Statuses after which the person has it before their eyes, or never will.
_DONE = ("read", "played", "failed", "dropped")


class Journey:
    """Takes every accepted message from the wire to the person's eyes."""

    def __init__(self, config: SimulatorConfig, world: World, outbox: Outbox, live: Live) -> None:
        self._config = config
        self._world = world
        self._outbox = outbox
        self._live = live
        self._timers: dict[str, Timer] = {}

    def begin(self, message: Message, late_refusal: tuple[int, str] | None) -> None:
        """Send an accepted message on its way; with ``late_refusal`` it fails instead of being sent (9)."""
        self._world.add(message)
        self._live.publish("message", lambda: message_on_phone(message, self._world))
        if late_refusal is not None:
            message.errors = [told_later(*late_refusal)]
        self._later(message, "sent" if late_refusal is None else "failed", self._config.sent_after_ms)

    def read_by_person(self, wa_id: str) -> None:
        """Let the person read everything that was delivered to them."""
        for message in self._world.unread_with(wa_id, outbound=True):
            if message.status == "delivered":
                self.move(message, "read")

    def move(self, message: Message, status: str) -> None:
        """Bring a message to a status now, whatever was to become of it; what follows, follows."""
        self._stop(message)
        self._arrive(message, status)

    def resume(self) -> None:
        """Set every message going again that has a next step, as after a snapshot."""
        for message in self._world.messages.values():
            if message.next_step is not None:
                self._schedule(message, message.next_step)

    @property
    def at_rest(self) -> bool:
        """Whether no message is between two statuses."""
        return not self._timers

    def reset(self) -> None:
        """Stop every message where it is."""
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()

    def _later(self, message: Message, status: str, after_ms: int) -> None:
        message.next_step = NextStep(status, self._world.clock.now() + after_ms / 1000)
        self._schedule(message, message.next_step)

    def _schedule(self, message: Message, step: NextStep) -> None:
        happen = self._world.clock.at(step.due, lambda: self._arrive(message, step.status))
        self._timers[message.wamid] = happen

    def _stop(self, message: Message) -> None:
        message.next_step = None
        timer = self._timers.pop(message.wamid, None)
        if timer is not None:
            timer.cancel()

    def _arrive(self, message: Message, status: str) -> None:
        self._stop(message)
        message.status = status
        if status in _DONE:
            self._world.read(message)
        self._tell(message, status)
        if status == "sent":
            self._later(message, "delivered", self._config.delivered_after_ms)
        elif status == "delivered" and self._will_read(message.wa_id):
            self._later(message, "read", self._config.read_after_ms)

    def _will_read(self, wa_id: str) -> bool:
        """With a phone page in view, what it shows is read; otherwise the setting decides."""
        if self._live.someone_looks():
            return self._live.shows(wa_id)
        return self._config.auto_read

    def _tell(self, message: Message, status: str) -> None:
        number = self._world.accounts.numbers[message.phone_number_id]
        person = self._world.person(message.wa_id)
        value = status_value(person, message, status, self._world.clock.now())
        self._outbox.messages("status", number, value)
        self._live.publish("status", lambda: status_on_phone(message))
