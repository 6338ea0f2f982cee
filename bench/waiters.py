"""Clients that wait, in a process of their own: a connection each, a request on it, and nothing else."""

import asyncio
import sys
from functools import partial
from typing import Any

import msgspec
import uvloop


class Spec(msgspec.Struct):
    """One request for each client: its path, and which of the tokens it shows; how many begin in a second."""

    port: int
    paths: list[str]
    bearers: list[str]
    rate: float


class Told(msgspec.Struct):
    """Clients that were answered for good or cut off while they should have waited, and the first such answer."""

    ended: int
    first: str


class _Waiter(asyncio.Protocol):
    def __init__(self, told: Told, request: bytes) -> None:
        self.told, self.request, self.streams = told, request, False

    def connection_made(self, transport: Any) -> None:
        transport.write(self.request)

    def data_received(self, data: bytes) -> None:
        if data.startswith(b"HTTP/1.1 200") and b"text/event-stream" in data:
            self.streams = True
        elif not self.streams and b"retry: " not in data:
            self._end(data.decode(errors="replace"))

    def connection_lost(self, error: Exception | None) -> None:
        self._end(repr(error))

    def _end(self, why: str) -> None:
        self.told.ended += 1
        self.told.first = self.told.first or why[:200]


async def main() -> None:
    """Connect them one after another, say when all are there, and tell how they fared when told to end."""
    spec = msgspec.json.decode(sys.stdin.buffer.readline(), type=Spec)
    print("ready", flush=True)
    loop, told = asyncio.get_running_loop(), Told(0, "")
    began, transports = loop.time(), []
    for number, path in enumerate(spec.paths):
        await asyncio.sleep(max(0.0, began + number / spec.rate - loop.time()))
        bearer = spec.bearers[number % len(spec.bearers)]
        request = f"GET /api/v1/whatsapp{path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {bearer}\r\n\r\n"
        made = partial(_Waiter, told, request.encode())
        transport, _ = await loop.create_connection(made, "127.0.0.1", spec.port)
        transports.append(transport)
    print("connected", flush=True)
    await loop.run_in_executor(None, sys.stdin.buffer.readline)
    sys.stdout.buffer.write(msgspec.json.encode(told))


if __name__ == "__main__":
    uvloop.run(main())
