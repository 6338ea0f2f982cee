"""Meta's side on your machine: a stranger to the service, reached by its base URL alone."""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sayso.simulator.config import SimulatorConfig
    from sayso.simulator.server import Simulator

__all__ = ["Simulator", "SimulatorConfig"]


_HOMES = {"Simulator": "sayso.simulator.server", "SimulatorConfig": "sayso.simulator.config"}


def __getattr__(name: str) -> Any:
    """Import what is asked for only then: pytest loads this package in every run, for its plugin."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)
