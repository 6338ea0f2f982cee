"""The parts of a simulator and how they hang together; everything else is given this."""

from typing import Any, Protocol

from sayso.simulator.accounts.announcements import Announcements
from sayso.simulator.accounts.changes import AccountChanges
from sayso.simulator.call import Route
from sayso.simulator.config import SimulatorConfig
from sayso.simulator.faults.faults import Faults
from sayso.simulator.graph.accounts import account_routes
from sayso.simulator.graph.exchanges import Exchanges
from sayso.simulator.graph.sends import Sends
from sayso.simulator.graph.templates import TemplateCalls
from sayso.simulator.journey import Journey
from sayso.simulator.live import Live
from sayso.simulator.phone.phones import Phones
from sayso.simulator.sending import Sending
from sayso.simulator.templates.desk import Desk
from sayso.simulator.templates.life import Life
from sayso.simulator.templates.management import Management
from sayso.simulator.views import message_on_phone, person_on_phone
from sayso.simulator.webhooks.deliverer import Deliverer
from sayso.simulator.webhooks.outbox import Outbox
from sayso.simulator.world.clock import Clock
from sayso.simulator.world.snapshot import (
    Snapshot,
    SnapshotError,
    of_clock,
    of_world,
    put_back,
)
from sayso.simulator.world.world import World


class Keeper(Protocol):
    """Something with state of its own that a snapshot must have: plain data out, and back in."""

    def saved(self) -> Any:
        """Tell the state as plain data."""

    def restored(self, raw: Any) -> None:
        """Take back what :meth:`saved` told, and set timers again."""


class Parts:
    """One simulated Meta: its world, and what acts in it."""

    def __init__(self, config: SimulatorConfig) -> None:
        self.config = config
        self.clock = Clock()
        self.live = Live()
        self.world = World(config, self.clock)
        self.faults = Faults(self.world, self.live)
        self.exchanges = Exchanges(self.world, self.live)
        self.deliverer = Deliverer(self.world, self.live, self.faults)
        self.outbox = Outbox(self.world, self.deliverer)
        self.announcements = Announcements(self.world, self.outbox)
        self.accounts = AccountChanges(self.world, self.announcements, self.live)
        self.journey = Journey(self.world, self.outbox, self.live)
        self.life = Life(self.world, self.outbox, self.live, self.journey)
        self.management = Management(self.world, self.life)
        self.desk = Desk(self.world, self.life)
        self.phones = Phones(self.world, self.outbox, self.journey, self.live)
        self.deliverer.on_acknowledged = self.phones.hand.acknowledged
        self.sending = Sending(self.world, self.journey, self.live)

    def routes(self) -> list[Route]:
        """List everything the Graph API does here."""
        return [
            *Sends(self.world, self.sending, self.live).routes(),
            *TemplateCalls(self.world, self.management).routes(),
            *account_routes(self.world, self.announcements, self.deliverer, self.live),
        ]

    def saved(self) -> Snapshot:
        """Gather the whole state; encode it before anything else happens."""
        rooms = {name: room.saved() for name, room in self._keepers().items()}
        return Snapshot(clock=of_clock(self.clock), world=of_world(self.world), rooms=rooms)

    async def restore(self, snapshot: Snapshot) -> None:
        """Put the whole state back, and set everything going again that was going to happen.

        Raise SnapshotError for one that cannot be; then nothing has changed, for it was tried elsewhere first.
        """
        rehearsal = Parts(self.config)
        try:
            rehearsal._put_back(snapshot)  # another of this class
            rehearsal._look_at_everything()
        except SnapshotError:
            raise
        except Exception as problem:  # whatever it is, it would be so here
            raise SnapshotError(f"the snapshot is damaged: {problem!r}") from problem
        finally:
            rehearsal.clock.forget()
        await self._still()
        self._put_back(snapshot)

    def _put_back(self, snapshot: Snapshot) -> None:
        self.clock.start_at(snapshot.clock.now, snapshot.clock.speed)
        put_back(snapshot.world, self.world)
        self.journey.resume()
        self.life.resume()
        for name, room in self._keepers().items():
            if name in snapshot.rooms:
                room.restored(snapshot.rooms[name])

    def _look_at_everything(self) -> None:
        """Describe all there is as it is shown, so that whatever cannot be shown is noticed."""
        for person in self.world.people.values():
            person_on_phone(person, self.world)
        for message in self.world.messages.values():
            message_on_phone(message, self.world)
        for delivery in self.deliverer.log:
            self.deliverer.described(delivery)
        self.accounts.listed()
        self.desk.listed()
        self.faults.listed()

    def _keepers(self) -> dict[str, Keeper]:
        """Name what keeps state besides the world, in the order it is put back."""
        return {"faults": self.faults, "webhooks": self.deliverer}

    async def reset(self) -> None:
        """Return to the beginning: no messages, no faults, the machine's own time."""
        await self._still()
        self.clock.reset()
        self.world.reset()

    async def _still(self) -> None:
        """Stop everything that is going to happen, forget everything that is kept outside the world.

        What comes in while webhooks are given up is forgotten too: nothing is awaited from there to the end.
        """
        await self.deliverer.quiet()
        self.deliverer.reset()
        self.journey.reset()
        self.life.reset()
        self.faults.reset()
        self.exchanges.clear()
