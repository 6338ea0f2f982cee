"""The simulator for tests that are not asynchronous: in a thread with a loop of its own, the same methods."""

import asyncio
import inspect
import threading
from collections.abc import Callable, Coroutine
from types import TracebackType
from typing import Any, Self, TypeVar

from sayso.simulator.accounts.changes import AccountChanges
from sayso.simulator.api.handle import PersonHandle
from sayso.simulator.api.named import no_such_name
from sayso.simulator.config import SimulatorConfig
from sayso.simulator.server import Simulator
from sayso.simulator.templates.desk import Desk

T = TypeVar("T")
#: What may only be touched inside the simulator's own loop, and what does the same from outside.
_INSIDE = {
    "parts": "its parts are behind the methods that are here",
    "world": "state(), messages(), webhooks(), accounts and desk tell of it",
    "clock": "use freeze(), run(), advance() and set_time(), and state()['now']",
    "live": "expect_message() and settled() wait",
    "journey": "settled() waits for its end, a person's reads() reads",
    "start": "`with ThreadedSimulator(config) as simulator:` does it",
    "stop": "the end of `with` does it",
}


class _Loop:
    """An event loop in a thread."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="sayso-simulator", daemon=True)
        self._thread.start()

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        """Do something in the loop, and wait until it is done."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def read(self, find: Callable[[], T]) -> T:
        """Look something up in the loop; once it is closed, nothing happens there any more, and here does as well."""
        if self._loop.is_closed():
            return find()

        async def look() -> T:
            return find()

        return self.do(look())

    def close(self) -> None:
        """End the loop and its thread."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


class _Face:
    """The same methods as something in the loop, each returning when it is done."""

    def __init__(self, loop: _Loop, inside: Any) -> None:
        self._loop = loop
        self._inside = inside

    def __getattr__(self, name: str) -> Any:
        kind = type(self).__name__
        if name in _INSIDE:
            raise AttributeError(
                f"{kind} has no `{name}`, which lives in the simulator's own loop: {_INSIDE[name]}."
            )
        if name.startswith("_") or name not in dir(self):
            raise no_such_name(kind, name, self)
        found = self._loop.read(lambda: getattr(self._inside, name))
        return self._waiting(found) if callable(found) else self._faced(found)

    def __dir__(self) -> list[str]:
        return [name for name in dir(self._inside) if not name.startswith("_") and name not in _INSIDE]

    def __repr__(self) -> str:
        return repr(self._inside)

    def _waiting(self, method: Callable[..., Any]) -> Callable[..., Any]:
        async def work(*args: Any, **kwargs: Any) -> Any:
            found = method(*args, **kwargs)
            return await found if inspect.isawaitable(found) else found

        def wait(*args: Any, **kwargs: Any) -> Any:
            return self._faced(self._loop.do(work(*args, **kwargs)))

        wait.__name__, wait.__doc__ = method.__name__, method.__doc__
        return wait

    def _faced(self, found: Any) -> Any:
        """Give what acts in the loop a face of its own; plain data is handed out as it is."""
        for kind, face in _FACES.items():
            if isinstance(found, kind):
                return face(self._loop, found)
        return found


class ThreadedPerson(_Face):
    """A :class:`PersonHandle` without ``await``: ``ana.says("yes")``."""


class ThreadedDesk(_Face):
    """A :class:`Desk` whose every action is done in the loop, webhooks and all: ``simulator.desk.approve(id)``."""


class ThreadedAccounts(_Face):
    """An :class:`AccountChanges` likewise: ``simulator.accounts.change_number(id, quality_rating="RED")``."""


#: What acts in the loop, and its face outside.
_FACES: dict[type, type[_Face]] = {
    PersonHandle: ThreadedPerson,
    Desk: ThreadedDesk,
    AccountChanges: ThreadedAccounts,
}


class ThreadedSimulator(_Face):
    """A :class:`Simulator` without ``await``: ``with ThreadedSimulator(config) as sim: sim.base_url``.

    Waits take real seconds, as they do there: ``sim.expect_message(containing="…", timeout_s=5)``.
    """

    def __init__(self, config: SimulatorConfig | None = None) -> None:
        loop = _Loop()
        super().__init__(loop, loop.do(_made(config)))

    def __enter__(self) -> Self:
        try:
            self._loop.do(self._inside.start())
        except BaseException:
            self._loop.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._loop.do(self._inside.stop())
        finally:
            self._loop.close()


async def _made(config: SimulatorConfig | None) -> Simulator:
    return Simulator(config)
