"""A callback reduced to its answer: takes every webhook with 200, and counts the statuses told."""

import asyncio
import re
import sys
from typing import Any

import msgspec
import uvloop

_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
_OK = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


class Told(msgspec.Struct):
    """What has come in so far."""

    posts: int = 0
    statuses: int = 0


class Callback(asyncio.Protocol):
    """One connection; requests come one after another."""

    def __init__(self, told: Told) -> None:
        self.told = told
        self.buffer = b""

    def connection_made(self, transport: Any) -> None:
        """Somebody connected."""
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer what is complete."""
        self.buffer += data
        while (end := self.buffer.find(b"\r\n\r\n")) >= 0:
            length = _LENGTH.search(self.buffer, 0, end)
            size = end + 4 + (int(length[1]) if length else 0)
            if len(self.buffer) < size:
                return
            whole, self.buffer = self.buffer[:size], self.buffer[size:]
            self._answer(whole)

    def _answer(self, whole: bytes) -> None:
        if whole.startswith(b"GET"):
            told = msgspec.json.encode(self.told)
            self.transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(told) + told)
            return
        self.told.posts += 1
        self.told.statuses += whole.count(b'"status":')
        self.transport.write(_OK)


async def main() -> None:
    """Serve on a port."""
    told = Told()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Callback(told), "127.0.0.1", int(sys.argv[1]), backlog=2048)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(main())
