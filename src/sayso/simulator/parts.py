"""The parts of a simulator and how they hang together; everything else is given this."""

from sayso.simulator.config import SimulatorConfig
from sayso.simulator.faults.faults import Faults
from sayso.simulator.graph.call import Route
from sayso.simulator.graph.exchanges import Exchanges
from sayso.simulator.graph.sends import Sends
from sayso.simulator.graph.templates import TemplateCalls
from sayso.simulator.journey import Journey
from sayso.simulator.page.live import Live
from sayso.simulator.phone.actions import Phones
from sayso.simulator.sending import Sending
from sayso.simulator.templates.desk import Desk
from sayso.simulator.templates.keeping import Keeping
from sayso.simulator.templates.life import Life
from sayso.simulator.webhooks.delivery import Deliverer
from sayso.simulator.webhooks.outbox import Outbox
from sayso.simulator.world.clock import Clock
from sayso.simulator.world.world import World


class Parts:
    """One simulated Meta: its world, and what acts in it."""

    def __init__(self, config: SimulatorConfig) -> None:
        self.config = config
        self.clock = Clock()
        self.live = Live()
        self.world = World(config, self.clock)
        self.faults = Faults(self.world, self.live)
        self.exchanges = Exchanges(config, self.clock, self.live)
        self.deliverer = Deliverer(config, self.world, self.live, self.faults)
        self.outbox = Outbox(self.world, self.deliverer)
        self.journey = Journey(config, self.world, self.outbox, self.live)
        self.life = Life(config, self.world, self.outbox, self.live, self.journey)
        self.keeping = Keeping(self.world, self.life)
        self.desk = Desk(self.world, self.life)
        self.phones = Phones(self.world, self.outbox, self.journey, self.live)
        self.deliverer.on_acknowledged = self.phones.acknowledged
        self.sending = Sending(self.world, self.journey, self.live)

    def routes(self) -> list[Route]:
        """List everything the Graph API does here."""
        return [
            *Sends(self.world, self.sending, self.live).routes(),
            *TemplateCalls(self.world, self.keeping).routes(),
        ]

    async def reset(self) -> None:
        """Return to the beginning: no messages, no faults, the machine's own time."""
        self.journey.reset()
        self.life.reset()
        self.faults.clear()
        self.exchanges.clear()
        await self.deliverer.reset()
        self.clock.reset()
        self.world.reset()
