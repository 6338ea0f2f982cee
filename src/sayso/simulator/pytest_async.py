"""The fixture ``async_simulator``, for runs with pytest-asyncio."""

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import pytest_asyncio

if TYPE_CHECKING:
    from sayso.simulator.config import SimulatorConfig
    from sayso.simulator.server import Simulator


@pytest_asyncio.fixture
async def async_simulator(simulator_config: "SimulatorConfig") -> "AsyncIterator[Simulator]":
    """Meta's side of the Cloud API in the test's own event loop."""
    from sayso.simulator.server import Simulator  # noqa: PLC0415  # only when used

    async with Simulator(simulator_config) as running:
        yield running
