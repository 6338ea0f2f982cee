"""Putting updates for one callback together while they wait for company (cloud-api.md 4.5, 9)."""

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from functools import partial
from typing import Any

import msgspec

from sayso.simulator.config import SimulatorConfig
from sayso.simulator.webhooks.envelopes import escaped
from sayso.simulator.webhooks.subscribers import Callback
from sayso.simulator.webhooks.updates import Update
from sayso.simulator.world.clock import Clock, Timer

AT_MOST = 1_000  # 4.5: updates in one POST
BYTES_AT_MOST = 3 * 1024 * 1024  # 4.5
_AROUND = 200  # bytes that an envelope and an entry of its own take around a value

Send = Callable[[Callback, list[Update]], None]


@dataclass(slots=True)
class _Waiting:
    """What waits for one callback."""

    due: Timer
    updates: list[Update] = field(default_factory=list)
    size: int = 0


class Batcher:
    """Gathers updates per callback, until there are enough, too many bytes, or the first has waited long enough."""

    def __init__(self, config: SimulatorConfig, clock: Clock, send: Send) -> None:
        self._at_most = min(config.batch_at_most, AT_MOST)
        self._wait_s = config.batch_wait_ms / 1000
        self._clock = clock
        self._send = send
        self._waiting: dict[Callback, _Waiting] = {}

    @property
    def waiting(self) -> int:
        """How many webhooks are being put together."""
        return len(self._waiting)

    def add(self, callback: Callback, update: Update) -> None:
        """Take an update; it goes alone and at once where nothing is joined."""
        if self._at_most <= 1:
            self._send(callback, [update])
            return
        size = _size(update)
        waiting = self._waiting.get(callback)
        if waiting is not None and waiting.size + size > BYTES_AT_MOST:
            self._flush(callback)
            waiting = None
        if waiting is None:
            due = self._clock.after(self._wait_s, partial(self._flush, callback))
            waiting = self._waiting[callback] = _Waiting(due)
        waiting.updates.append(update)
        waiting.size += size
        if len(waiting.updates) >= self._at_most:
            self._flush(callback)

    def saved(self) -> list[dict[str, Any]]:
        """Tell what waits as plain data."""
        return [
            {
                "callback": list(callback),
                "due": each.due.due,
                "updates": [asdict(update) for update in each.updates],
            }
            for callback, each in self._waiting.items()
        ]

    def restored(self, raw: Iterable[dict[str, Any]]) -> None:
        """Take back what :meth:`saved` told; it waits as long as it was going to."""
        for each in raw:
            callback = Callback(*each["callback"])
            updates = msgspec.convert(each["updates"], list[Update])
            due = self._clock.at(each["due"], partial(self._flush, callback))
            self._waiting[callback] = _Waiting(due, updates, sum(_size(update) for update in updates))

    def clear(self) -> None:
        """Forget everything that waits."""
        for waiting in self._waiting.values():
            waiting.due.cancel()
        self._waiting.clear()

    def _flush(self, callback: Callback) -> None:
        waiting = self._waiting.pop(callback, None)
        if waiting is not None:
            waiting.due.cancel()
            self._send(callback, waiting.updates)


def _size(update: Update) -> int:
    return len(escaped(update.value)) + _AROUND
