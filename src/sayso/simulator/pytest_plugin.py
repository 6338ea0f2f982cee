"""Fixtures for anybody's tests: ``simulator``, ``person``, ``async_simulator``. Nothing is imported until one is used.

The simulator is set up by the fixture ``simulator_config``, which a project may override, and that by lines of
pytest's configuration, each the name of a field of ``SimulatorConfig`` and its value::

    [tool.pytest.ini_options]
    sayso_simulator = ["token = my-token", "read_after_ms = 5"]
"""

import importlib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, get_origin, get_type_hints

import pytest

if TYPE_CHECKING:
    from sayso.simulator.config import SimulatorConfig
    from sayso.simulator.threaded import ThreadedPerson, ThreadedSimulator

INI = "sayso_simulator"
#: Of a simulator in a test, unless said otherwise: any port, everything at once.
_FOR_TESTS: dict[str, Any] = {
    "port": 0,
    "sent_after_ms": 1,
    "delivered_after_ms": 1,
    "read_after_ms": 1,
    "review_after_s": 0.01,
}


def pytest_addoption(parser: pytest.Parser) -> None:
    """Know the lines of the configuration."""
    parser.addini(
        INI, "How the Cloud API simulator is set up: lines of `field = value`.", type="linelist", default=[]
    )


def pytest_configure(config: pytest.Config) -> None:
    """Offer ``async_simulator`` where asynchronous fixtures are understood."""
    if config.pluginmanager.hasplugin("asyncio"):
        name = "sayso.simulator.pytest_async"
        if not config.pluginmanager.has_plugin(name):
            config.pluginmanager.register(importlib.import_module(name), name)


@pytest.fixture
def simulator_config(pytestconfig: pytest.Config) -> "SimulatorConfig":
    """How the simulator is set up; override it to play another account, or to have webhooks posted somewhere."""
    return configured(pytestconfig.getini(INI))


@pytest.fixture
def simulator(simulator_config: "SimulatorConfig") -> "Iterator[ThreadedSimulator]":
    """Meta's side of the Cloud API at ``simulator.base_url``, for synchronous tests of any client."""
    from sayso.simulator.threaded import ThreadedSimulator  # noqa: PLC0415  # only when used

    with ThreadedSimulator(simulator_config) as running:
        yield running


@pytest.fixture
def person(simulator: "ThreadedSimulator") -> "Callable[..., ThreadedPerson]":
    """Take up phones by their numbers; then ``ana.says("yes")`` and whatever else people do."""
    found: Callable[..., ThreadedPerson] = simulator.person
    return found


def configured(lines: list[str]) -> "SimulatorConfig":
    """Read lines of ``field = value``; raise UsageError with words for one that cannot be."""
    from sayso.simulator.config import SimulatorConfig  # noqa: PLC0415  # only when used
    from sayso.simulator.mistakes import meant  # noqa: PLC0415  # same

    given = dict(_FOR_TESTS)
    known = get_type_hints(SimulatorConfig)
    for line in lines:
        name, equals, value = (part.strip() for part in line.partition("="))
        if not equals:
            raise pytest.UsageError(f"{INI}: {line!r} is not `field = value`")
        if name not in known:
            raise pytest.UsageError(f"{INI}: `{name}` is not known{meant(name, known)}")
        given[name] = _read(name, value, known[name])
    try:
        return SimulatorConfig(**given)
    except ValueError as problem:
        raise pytest.UsageError(f"{INI}: {problem}") from problem


def _read(name: str, value: str, kind: Any) -> Any:
    import msgspec  # noqa: PLC0415  # only when used

    from sayso.simulator.mistakes import wrong_with  # noqa: PLC0415  # same

    if get_origin(kind) is tuple:
        raise pytest.UsageError(
            f"{INI}: `{name}` holds several: override the fixture simulator_config for it"
        )
    try:
        return msgspec.convert(value, kind, strict=False)
    except msgspec.ValidationError as problem:
        raise pytest.UsageError(f"{INI}: {wrong_with(value, kind, name) or problem}") from problem
