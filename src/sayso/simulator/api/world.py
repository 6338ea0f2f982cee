"""People, time, state and snapshots, in Python."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from sayso.simulator import views
from sayso.simulator.api.core import Core
from sayso.simulator.api.handle import PersonHandle
from sayso.simulator.mistakes import wrong_callback
from sayso.simulator.phone.deeds import Inbound
from sayso.simulator.phone.hand import Done
from sayso.simulator.strict import ControlError, converted
from sayso.simulator.world import clock, snapshot
from sayso.simulator.world.accounts import Subscription


class WorldApi(Core):
    """The people, the clock, and the world as a whole."""

    # --- people -----------------------------------------------------------------------------------------

    def person(self, phone: str, name: str | None = None) -> PersonHandle:
        """Take up the phone of somebody (E.164 with plus), who comes into being when new."""
        self._phones.add(phone, name)
        return PersonHandle(self, phone)

    async def inbound(
        self,
        sender: str,
        *,
        text: str | None = None,
        tap: tuple[str, int | str] | dict[str, Any] | None = None,
        quote: str | None = None,
        name: str | None = None,
        context: bool = True,
        **deed: Any,
    ) -> str:
        """Let ``sender`` (E.164 with plus) write ``text``, or tap (wamid, button by place or words).

        ``deed`` is anything else that ``POST /_sim/inbound`` takes, such as ``react={"message_id": …, "emoji": …}``.
        Return the wamid of the inbound message, "" when the business is told nothing; raise ValueError when the
        person cannot do that.
        """
        tapped = {"message_id": tap[0], "button": tap[1]} if isinstance(tap, tuple) else tap
        said = {"text": text, "tap": tapped, "quote": quote, "name": name, **deed}
        given = {key: value for key, value in said.items() if value is not None}
        raw = {"from": sender, "context": context, **given}
        done = self.do(converted(raw, Inbound))
        return done.message.wamid if done.message else ""

    async def tap(self, sender: str, wamid: str, button: int | str) -> str:
        """Let ``sender`` tap a button; return the wamid of the answer."""
        return await self.inbound(sender, tap=(wamid, button))

    def do(self, deed: Inbound) -> Done:
        """Let somebody do what :class:`Inbound` says; raise PhoneError when they cannot."""
        return self._phones.do(deed)

    def add_person(self, phone: str, name: str | None = None) -> dict[str, Any]:
        """Give somebody a phone; ``created`` tells whether they are new. Who is there already is not renamed."""
        person, created = self._phones.add(phone, name)
        return {**views.person_on_phone(person, self.world), "created": created}

    # --- time -------------------------------------------------------------------------------------------

    def advance(self, seconds: float) -> float:
        """Let simulated time pass at once, with all that falls into it; return the new time, unix seconds."""
        return self._moved(lambda: self.clock.advance(seconds))

    def set_time(self, moment: float | str | datetime) -> float:
        """Let time pass until a moment not before now: unix seconds, ISO 8601 (UTC unless it says so) or a datetime."""
        return self._moved(lambda: self.clock.set(clock.moment(moment)))

    def freeze(self) -> float:
        """Let time stand still until it is moved or runs again."""
        return self.run(0)

    def run(self, speed: float = 1.0) -> float:
        """Let time run so many times as fast as the machine's; 0 freezes it, 1 is usual."""
        return self._moved(lambda: self.clock.run(speed))

    def run_clock(self, speed: float) -> float:
        """Do as :meth:`run` does."""
        return self.run(speed)

    def _moved(self, move: Callable[[], object]) -> float:
        move()
        self.live.publish("clock", lambda: views.clock_on_phone(self.world))
        return self.clock.now()

    # --- who is told ------------------------------------------------------------------------------------

    def subscribe(self, callback_url: str, *, verify_token: str | None = None) -> None:
        """Have the first app's webhooks posted to ``callback_url`` from now on, without the handshake (4.1, 4.2).

        Raise ControlError, a ValueError, for what is no address.
        """
        if words := wrong_callback(callback_url):
            raise ControlError(f"`callback_url` {words}")
        app = self.world.accounts.apps[self.config.app_id]
        app.subscription = Subscription(callback_url, verify_token or self.config.verify_token)

    # --- the world as a whole ---------------------------------------------------------------------------

    async def reset(self) -> None:
        """Return to the beginning: no messages, no faults, the machine's own time."""
        await self.parts.reset()
        self.live.publish("reset", self.state)

    def snapshot(self) -> bytes:
        """Return the whole state as one JSON document."""
        return snapshot.encoded(self.parts.saved())

    async def restore(self, document: bytes) -> None:
        """Put back what :meth:`snapshot` returned, here or elsewhere; the run goes on from there."""
        await self.parts.restore(snapshot.decoded(document))
        self.live.publish("reset", self.state)

    def save_snapshot(self) -> Path:
        """Write the state to the file of ``config.snapshot``, whole or not at all; return its path."""
        if self.config.snapshot is None:
            raise snapshot.SnapshotError("there is no snapshot file: start with --snapshot FILE")
        path = Path(self.config.snapshot)
        snapshot.write(path, self.snapshot())
        return path

    def state(self) -> dict[str, Any]:
        """Describe the world: clock, business, people and their windows, webhooks, faults."""
        number = self.world.number
        app = self.world.accounts.apps.get(self.config.app_id)
        subscription = app.subscription if app else None
        return {
            **views.clock_on_phone(self.world),
            "business": {
                "phone_number_id": number.phone_number_id,
                "waba_id": number.waba_id,
                "display_phone_number": number.digits,
                "verified_name": number.verified_name,
            },
            "people": [views.person_on_phone(each, self.world) for each in self.world.people.values()],
            "messages": len(self.world.messages),
            "webhooks": {
                "url": subscription.callback_url if subscription else "",
                "verification": subscription.verification if subscription else "not subscribed",
                "pending": self._deliverer.pending,
            },
            **self._faults_told(),
        }
