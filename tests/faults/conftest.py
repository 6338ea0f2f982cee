"""Processes that may be killed."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from harness.processes import House, a_house


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """A service with its embedded PostgreSQL, running, and Meta."""
    async with a_house(tmp_path) as everything:
        await everything.start()
        yield everything
