"""Waking those who wait: in this process at once, in others by NOTIFY, and never by a loop that asks."""

import asyncio
import contextlib
import os
from collections import defaultdict
from collections.abc import AsyncIterator
from typing import Any

import structlog

from sayso.core.database import UNAVAILABLE, Database

log = structlog.get_logger("sayso.wakes")

#: Work that became ready, and what an assistant may be waiting for, coalesced: ``<process>:<queue or id> …``.
CHANNEL = "sayso"

_COALESCE_S = 0.02  # one NOTIFY per 20 ms at most: NOTIFY takes a lock on the whole instance at commit
_MOST_NAMES = 150  # of 32 characters and less: a payload holds 8,000 bytes
_LONGEST_PAUSE_S = 2.0
_EVERYTHING = "*"


async def rung(bell: asyncio.Event, seconds: float) -> None:
    """Wait until a bell has rung, or the seconds are over."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await bell.wait()


class Wakes:
    """Named bells. ``ring`` wakes everybody who waits on a name; ``waiting`` is how one waits."""

    def __init__(self) -> None:
        self._waiters: defaultdict[str, set[asyncio.Event]] = defaultdict(set)
        self._outgoing: set[str] = set()
        self._outgoing_set = asyncio.Event()
        self._me = f"{os.getpid()}-{id(self):x}"
        self.listening = asyncio.Event()
        self.closing = False

    @contextlib.contextmanager
    def waiting(self, *names: str) -> Any:
        """An event that is set by every ring of one of ``names`` in the block; look at the data *inside* it."""
        event = asyncio.Event()
        for name in names:
            self._waiters[name].add(event)
        try:
            yield event
        finally:
            for name in names:
                self._waiters[name].discard(event)
                if not self._waiters[name]:
                    del self._waiters[name]

    def ring(self, name: str) -> None:
        """Wake this process's waiters on ``name``."""
        for event in self._waiters.get(name, ()):
            event.set()

    def close(self) -> None:
        """The process is ending: wake everybody, so that long polls answer with what they have."""
        self.closing = True
        self.ring_all()

    def work(self, queue: str) -> None:
        """Say that ``queue`` has ready rows: here at once, elsewhere with the next coalesced NOTIFY."""
        self._say(queue)

    def news(self, subject: str) -> None:
        """Say that something became of ``subject``, after its commit: here and elsewhere as with work."""
        self._say(subject)

    def ring_all(self) -> None:
        """Wake everybody here: something may have been said that was not heard."""
        for name in list(self._waiters):
            self.ring(name)

    def all_news(self) -> None:
        """Wake everybody, here and elsewhere: another process may have ended before it could say what it knew."""
        self.ring_all()
        self._say(_EVERYTHING)

    def _say(self, name: str) -> None:
        self.ring(name)
        self._outgoing.add(name)
        self._outgoing_set.set()

    async def pass_on(self, db: Database) -> None:
        """Say in other processes what was said here: for who does not :meth:`run`, and is about to end."""
        if self._outgoing:
            with contextlib.suppress(*UNAVAILABLE):
                async with db.one() as connection:
                    await self._notify(connection)

    async def run(self, db: Database) -> None:
        """Listen and pass on, reconnecting for as long as the process lives."""
        pause = 0.05
        while True:
            try:
                async with self._connection(db) as connection:
                    pause = 0.05
                    await self._pass_on(connection)
            except UNAVAILABLE as error:
                log.warning("listen.lost", error=repr(error), retry_in_s=pause)
            except Exception:
                log.exception("listen.failed", retry_in_s=pause)  # whoever stops listening is deaf for good
            self.listening.clear()
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE_S)

    @contextlib.asynccontextmanager
    async def _connection(self, db: Database) -> AsyncIterator[Any]:
        connection = await db.listen_connection()
        try:
            await connection.add_listener(CHANNEL, self._heard)
            self.listening.set()
            self.ring_all()  # whatever was said while nobody listened
            yield connection
        finally:
            with contextlib.suppress(*UNAVAILABLE):
                await connection.close(timeout=2)

    async def _pass_on(self, connection: Any) -> None:
        try:
            while True:
                await self._something_to_say(connection)
                await self._notify(connection)
                await asyncio.sleep(_COALESCE_S)
        finally:  # at the end of the process, its last words
            with contextlib.suppress(*UNAVAILABLE):
                async with asyncio.timeout(1):
                    await self._notify(connection)

    async def _something_to_say(self, connection: Any) -> None:
        while not self._outgoing_set.is_set():
            await rung(self._outgoing_set, 1)
            if connection.is_closed():
                raise ConnectionResetError("the LISTEN connection was closed")

    async def _notify(self, connection: Any) -> None:
        """Say what there is; what could not be said is kept for the next connection."""
        self._outgoing_set.clear()
        names, self._outgoing = list(self._outgoing), set()
        try:
            while names:
                payload = f"{self._me}:{' '.join(names[:_MOST_NAMES])}"
                await connection.execute("SELECT pg_notify($1, $2)", CHANNEL, payload)
                del names[:_MOST_NAMES]
        finally:
            if names:
                self._outgoing.update(names)
                self._outgoing_set.set()

    def _heard(self, _connection: Any, _pid: int, _channel: str, payload: str) -> None:
        sender, _, names = payload.partition(":")
        if sender == self._me:
            return
        for name in names.split():
            if name == _EVERYTHING:
                self.ring_all()
            else:
                self.ring(name)
