"""A service, a simulator and the wire between them, all in this process."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from harness.world import World, a_world


@pytest.fixture
async def world(dsn: str, tmp_path: Path) -> AsyncIterator[World]:
    """Everything, running."""
    async with a_world(dsn, tmp_path) as everything:
        yield everything


@pytest.fixture
async def listing(dsn: str, tmp_path: Path) -> AsyncIterator[World]:
    """Everything, running, with an operator who lets loopback be called."""
    async with a_world(dsn, tmp_path, sayso_endpoints_allow="127.0.0.1") as everything:
        yield everything
