"""A runtime on a database of the test's own."""

from collections.abc import AsyncIterator, Iterator

import pytest

from harness.rooms import Clock, brief_logs, runtime
from sayso.core.runtime import Runtime


@pytest.fixture
def clock() -> Clock:
    """Time, moved by hand."""
    return Clock()


@pytest.fixture
async def rt(dsn: str, clock: Clock) -> AsyncIterator[Runtime]:
    """A runtime that goes by ``clock``."""
    async with runtime(dsn, now=clock) as running:
        yield running


@pytest.fixture(autouse=True)
def _brief_logs() -> Iterator[None]:
    """Planted failures in one line each."""
    with brief_logs():
        yield
