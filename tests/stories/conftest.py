"""A service and a simulator that know each other's address."""

import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from harness.service import Api, Running, serving, settings

from sayso.simulator import Simulator, SimulatorConfig

ALICE = "+15550001111"


@dataclass(frozen=True)
class World:
    """Meta, the service and its assistant."""

    sim: Simulator
    running: Running

    @property
    def api(self) -> Api:
        """The assistant's view."""
        return self.running.api


@pytest.fixture
async def world(dsn: str, tmp_path: Path) -> AsyncIterator[World]:
    """Everything, running."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    hook = f"http://127.0.0.1:{port}/api/v1/whatsapp/webhook"
    async with Simulator(SimulatorConfig(port=0, webhook_url=hook)) as sim:
        configured = settings(dsn, base_url=sim.base_url, data_dir=tmp_path)
        async with serving(configured, port=port) as running:
            yield World(sim, running)
