"""Fixtures that every ring may use."""

import logging
from collections.abc import Iterator

import pytest

from harness.databases import Databases, server

#: Whose levels tests and what they start may set.
LOGGERS = ("sayso", "whatsapp_service", "uvicorn", "uvicorn.access", "uvicorn.error")


@pytest.fixture(scope="session")
def databases(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Databases]:
    """One PostgreSQL server per test process."""
    with server(tmp_path_factory.mktemp("data")) as found:
        yield found


@pytest.fixture
def dsn(databases: Databases) -> Iterator[str]:
    """A database of this test's own, with the newest schema."""
    with databases.fresh() as fresh:
        yield fresh


@pytest.fixture(autouse=True)
def _logs_as_they_were() -> Iterator[None]:
    """Leave log levels as the test found them."""
    before = {name: logging.getLogger(name).level for name in LOGGERS}
    yield
    for name, level in before.items():
        logging.getLogger(name).setLevel(level)
