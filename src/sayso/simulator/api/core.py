"""What all methods of the simulator work on."""

from typing import Any

from sayso.simulator.api.named import Named
from sayso.simulator.config import SimulatorConfig
from sayso.simulator.parts import Parts


class Core(Named):
    """One simulated Meta and its parts, without a socket."""

    def __init__(self, config: SimulatorConfig | None = None) -> None:
        self.config = config or SimulatorConfig()
        self.parts = Parts(self.config)
        self.clock = self.parts.clock
        self.live = self.parts.live
        self.journey = self.parts.journey
        self.accounts = self.parts.accounts
        self.desk = self.parts.desk
        self.world = self.parts.world
        self._deliverer = self.parts.deliverer
        self._faults = self.parts.faults
        self._phones = self.parts.phones

    def _faults_told(self) -> dict[str, Any]:
        """Describe what is armed and held."""
        return {
            "armed": self._faults.listed(),
            "hold_webhooks": self._deliverer.hold_statuses,
            "held": len(self._deliverer.held),
        }
