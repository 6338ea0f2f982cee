"""A runtime on a database of the test's own."""

from collections.abc import AsyncIterator, Iterator

import pytest

from harness.decisions import Decisions
from harness.mail import Mail
from harness.receiver import Receiver, receiving
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


@pytest.fixture
def mail(rt: Runtime) -> Mail:
    """No message yet."""
    return Mail(rt)


@pytest.fixture
def made(rt: Runtime) -> Decisions:
    """No question yet."""
    return Decisions(rt)


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    """Somebody who takes what is posted."""
    async with receiving() as made:
        yield made


@pytest.fixture(autouse=True)
def _brief_logs() -> Iterator[None]:
    """Planted failures in one line each."""
    with brief_logs():
        yield
