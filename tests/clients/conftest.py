"""Businesses written with independent clients of the Cloud API, each connected to a simulator of its own."""

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import pytest
from pywa.errors import WhatsAppError
from starlette.applications import Starlette

from clients.files import Shelf, offering
from clients.javascript_business import Driver, Kapso, Waj, driving
from clients.python_business import Doors, PythonBusiness
from clients.stage import Background, quick, running

Business = TypeVar("Business", PythonBusiness, Kapso, Waj)


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call() -> Generator[None, object, object]:
    """Let a refusal that pywa raised fail its test in words: being frozen, it cannot pass through pytest."""
    try:
        return (yield)
    except WhatsAppError as refusal:
        raise AssertionError(f"pywa was refused: {refusal!r}") from refusal


@pytest.fixture(scope="session")
def background() -> Iterator[Background]:
    made = Background()
    yield made
    made.close()


@pytest.fixture(scope="session")
def driver() -> Iterator[Driver]:
    with driving() as made:
        yield made


@pytest.fixture(scope="session")
def shelf(background: Background) -> Iterator[Shelf]:
    """Files under public addresses, to send by link."""
    with offering(background) as made:
        yield made


@pytest.fixture(scope="session")
def doors(background: Background) -> Iterator[Doors]:
    """A web server for the webhooks of pywa."""
    app = Starlette()
    with background.serving(app) as port:
        yield Doors(app, port)


@pytest.fixture
def settings() -> dict[str, Any]:
    """What the simulator is told beyond the defaults; a module overrides this fixture to play another account."""
    return {}


@contextmanager
def connected(business: Business, background: Background, settings: dict[str, Any]) -> Iterator[Business]:
    """Run a simulator that tells this business its webhooks, and tell the business where it is."""
    with running(background, quick(**{"webhook_url": business.url} | settings)) as meta:
        business.connect(meta)
        yield business


@pytest.fixture
def pywa(doors: Doors, background: Background, settings: dict[str, Any]) -> Iterator[PythonBusiness]:
    """A business that uses pywa."""
    with connected(PythonBusiness(doors), background, settings) as business:
        yield business
        business.close()


@pytest.fixture
def kapso(driver: Driver, background: Background, settings: dict[str, Any]) -> Iterator[Kapso]:
    """A business that uses @kapso/whatsapp-cloud-api."""
    with connected(Kapso(driver), background, settings) as business:
        yield business


@pytest.fixture
def waj(driver: Driver, background: Background, settings: dict[str, Any]) -> Iterator[Waj]:
    """A business that uses whatsapp-api-js."""
    with connected(Waj(driver), background, settings) as business:
        yield business
