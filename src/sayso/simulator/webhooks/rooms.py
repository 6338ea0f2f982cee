"""So many POSTs at once for each callback: one that is slow holds up nobody else (cloud-api.md 4.5)."""

import asyncio
from typing import Self


class Room:
    """The places of one callback; ``async with`` takes one, waiting for it as long as it takes."""

    __slots__ = ("_places", "_rooms", "_url", "_users")

    def __init__(self, rooms: "Rooms", url: str, places: int) -> None:
        self._rooms = rooms
        self._url = url
        self._places = asyncio.Semaphore(places)
        self._users = 0  # within, or waiting

    async def __aenter__(self) -> Self:
        """Take a place."""
        self._users += 1
        try:
            await self._places.acquire()
        except BaseException:
            self._leave()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        """Leave the place to the next."""
        self._places.release()
        self._leave()

    def _leave(self) -> None:
        self._users -= 1
        if not self._users:
            self._rooms.close(self._url)


class Rooms:
    """A room for each callback that somebody calls right now."""

    def __init__(self, places: int) -> None:
        self._places = places
        self._open: dict[str, Room] = {}

    def __len__(self) -> int:
        """Tell how many callbacks are being called."""
        return len(self._open)

    def of(self, url: str) -> Room:
        """Return the room of a callback; enter it at once, so that it is the one everybody enters."""
        found = self._open.get(url)
        if found is None:
            found = self._open[url] = Room(self, url, self._places)
        return found

    def close(self, url: str) -> None:
        """Forget the room of a callback that nobody calls any more."""
        self._open.pop(url, None)
