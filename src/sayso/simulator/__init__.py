"""Meta's side on your machine: a stranger to the service, reached by its base URL alone."""

from sayso.simulator.config import SimulatorConfig
from sayso.simulator.server import Simulator

__all__ = ["Simulator", "SimulatorConfig"]
