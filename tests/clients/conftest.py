"""Businesses written with independent clients of the Cloud API, and a simulator for each test."""

from collections.abc import Iterator

import pytest

from clients.python_business import PythonBusiness, serving
from clients.stage import Background, Stage, quick, running


@pytest.fixture(scope="session")
def background() -> Iterator[Background]:
    made = Background()
    yield made
    made.close()


@pytest.fixture
def pywa(background: Background) -> Iterator[PythonBusiness]:
    """A business that uses pywa; it does not know yet where Meta is."""
    with serving(background) as business:
        yield business


@pytest.fixture
def meta(background: Background, pywa: PythonBusiness) -> Iterator[Stage]:
    """A simulator that calls the business of pywa, and is called by it."""
    with running(background, quick(pywa.url)) as stage:
        pywa.connect(stage.base_url)
        yield stage
