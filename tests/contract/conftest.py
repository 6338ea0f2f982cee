"""The API in this process, on a database of the test's own."""

from collections.abc import AsyncIterator, Iterator

import pytest

from harness.contract import Contract, contract
from harness.rooms import brief_logs


@pytest.fixture
async def api(dsn: str) -> AsyncIterator[Contract]:
    """Every route, with Alice, a message and a question of the assistant ``bot``."""
    async with contract(dsn) as made:
        yield made


@pytest.fixture(autouse=True)
def _brief_logs() -> Iterator[None]:
    """Planted failures in one line each."""
    with brief_logs():
        yield
