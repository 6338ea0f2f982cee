"""A callback reduced to its answer: takes every webhook with 200, and counts the statuses told."""

import asyncio
import sys

import msgspec
import uvloop

from connection import Connection

_OK = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


class Told(msgspec.Struct):
    """What has come in so far."""

    posts: int = 0
    statuses: int = 0


class Callback(Connection):
    """One connection of whoever posts webhooks, or asks by GET what came."""

    def __init__(self, told: Told) -> None:
        super().__init__()
        self.told = told

    def answer(self, head: bytes, content: bytes) -> None:
        """Count a webhook, or tell the counts."""
        if head.startswith(b"GET"):
            told = msgspec.json.encode(self.told)
            self.transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(told) + told)
            return
        self.told.posts += 1
        self.told.statuses += content.count(b'"status":')
        self.transport.write(_OK)


async def main() -> None:
    """Serve on a port."""
    told = Told()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Callback(told), "127.0.0.1", int(sys.argv[1]), backlog=2048)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(main())
