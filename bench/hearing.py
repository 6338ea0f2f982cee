"""Every way back to an assistant, as its side sees it: outcomes by confirmation, with the moment they were heard."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from typing import Any, Literal

import aiohttp
import msgspec

from connection import Connection

Way = Literal["poll", "pull", "stream", "hook"]
Heard = tuple[float, str]

_TOLD = "confirmation.decided"
_FOREVER = aiohttp.ClientTimeout(total=None)


class Hearing:
    """Waits for outcomes in one way. ``port`` is where hooks are heard."""

    def __init__(self, session: aiohttp.ClientSession, url: str, headers: dict[str, str], port: int) -> None:
        self.session, self.url, self.headers, self.port = session, url, headers, port
        self._awaited: dict[str, asyncio.Future[Heard]] = {}
        self._ready = asyncio.Event()

    @contextlib.asynccontextmanager
    async def by(self, way: Way) -> AsyncIterator[None]:
        """Listen in this way from now on."""
        readers = {"pull": self._pull, "stream": self._stream, "hook": self._hook}
        if way == "poll":  # each asks for its own
            yield
            return
        reader = asyncio.create_task(readers[way]())
        ready = asyncio.create_task(self._ready.wait())
        await asyncio.wait((reader, ready), return_when=asyncio.FIRST_COMPLETED)
        if reader.done():
            reader.result()
        try:
            yield
        finally:
            reader.cancel()
            await asyncio.wait((reader,))

    async def outcome(self, confirmation_id: str, way: Way) -> Heard:
        """When and what was heard of a confirmation."""
        if way == "poll":
            return await self._poll(confirmation_id)
        return await self._awaited.setdefault(confirmation_id, asyncio.get_running_loop().create_future())

    def heard(self, event: dict[str, Any]) -> None:
        """An event came, for the first time or again."""
        now = time.monotonic()
        waiting = self._awaited.get(event["subject"])
        if event["type"] == _TOLD and waiting is not None and not waiting.done():
            waiting.set_result((now, event["data"]["outcome"]))

    async def _poll(self, confirmation_id: str) -> Heard:
        url = f"{self.url}/confirmations/{confirmation_id}?wait=20"
        async with self.session.get(url, headers=self.headers) as answer:
            body = await answer.json()
            return time.monotonic(), str(body.get("outcome") or body.get("status"))

    async def _pull(self) -> None:
        query = {"after": "now", "types": _TOLD, "limit": "500", "wait": "0"}
        while True:
            async with self.session.get(f"{self.url}/events", params=query, headers=self.headers) as answer:
                answer.raise_for_status()
                page = await answer.json()
            for event in page["events"]:
                self.heard(event)
            query |= {"after": page["next"], "wait": "20"}
            self._ready.set()

    async def _stream(self) -> None:
        url, query = f"{self.url}/events/stream", {"after": "now", "types": _TOLD}
        async with self.session.get(url, params=query, headers=self.headers, timeout=_FOREVER) as answer:
            answer.raise_for_status()
            self._ready.set()
            async for line in answer.content:
                if line.startswith(b"data: "):
                    self.heard(msgspec.json.decode(line[6:]))

    async def _hook(self) -> None:
        server = await asyncio.get_running_loop().create_server(lambda: _Hook(self), "127.0.0.1", self.port)
        async with server:
            endpoint = {"url": f"http://127.0.0.1:{self.port}/hook", "types": [_TOLD]}
            async with self.session.post(
                f"{self.url}/endpoints", json=endpoint, headers=self.headers
            ) as answer:
                made = await answer.json()
            if made.get("state") != "enabled":
                raise SystemExit(f"the endpoint was not taken: {made}")
            self._ready.set()
            await server.serve_forever()


class _Hook(Connection):
    """One connection of whoever delivers."""

    def __init__(self, hearing: Hearing) -> None:
        super().__init__()
        self.hearing = hearing

    def answer(self, head: bytes, content: bytes) -> None:  # noqa: ARG002 - as it is called
        """Take an event."""
        self.transport.write(b"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n")
        self.hearing.heard(msgspec.json.decode(content))
