"""All that a simulator can be told and asked."""

from sayso.simulator.api.sent import SentApi
from sayso.simulator.api.wire import WireApi
from sayso.simulator.api.world import WorldApi


class SimulatorApi(WorldApi, SentApi, WireApi):
    """One simulated Meta, without a socket; the methods mirror the control API under ``/_sim``.

    Waits are in real seconds and never poll.
    """
