"""Graph servers on real sockets that misbehave by script, and count what arrives."""

import asyncio
import json
import os
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from sayso.whatsapp.client import GraphClient, graph_session
from sayso.whatsapp.content import Text, to_json

NUMBER = "100000000000001"
TOKEN = "EAAsecrettokensecrettoken"
BODY = to_json(
    Text("the secret plan"), to="+15550001111", recipient=None, callback="m:7f3a", context_wamid=None
)
ANSWER = json.dumps({"contacts": [{"wa_id": "15550001111"}], "messages": [{"id": "wamid.OUT1"}]}).encode()
"""What Meta answers to an accepted message."""


def http(body: bytes = ANSWER, status: str = "200 OK", *headers: str) -> bytes:
    head = "\r\n".join((f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers))
    return head.encode("latin-1") + b"\r\n\r\n" + body


@dataclass
class Peer:
    """One connection, seen from the server."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def request(self) -> bytes:
        """Read one request, head and body."""
        head = await self.reader.readuntil(b"\r\n\r\n")
        size = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        return head + await self.reader.readexactly(int(size.split(b":")[1]))

    async def answer(self, raw: bytes) -> None:
        """Send bytes as they are."""
        self.writer.write(raw)
        await self.writer.drain()

    def shut(self) -> None:
        """Send a FIN now, not at the loop's next turn."""
        with socket.socket(fileno=os.dup(self.writer.get_extra_info("socket").fileno())) as same:
            same.shutdown(socket.SHUT_RDWR)

    def reset(self) -> None:
        """Close with a RST instead of a FIN."""
        sock = self.writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()


Script = Callable[["Server", Peer], Awaitable[None]]


@dataclass
class Server:
    """Plays a script on each connection and counts what arrived."""

    script: Script
    port: int = 0
    connections: int = 0
    requests: list[bytes] = field(default_factory=list)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    done: asyncio.Event = field(default_factory=asyncio.Event)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Play the script on one connection."""
        self.connections += 1
        peer = Peer(reader, writer)
        try:
            await self.script(self, peer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()
            self.done.set()

    async def take(self, peer: Peer) -> bytes:
        """Read one request and count it."""
        self.requests.append(await peer.request())
        self.arrived.set()
        return self.requests[-1]


@asynccontextmanager
async def serving(script: Script, context: ssl.SSLContext | None = None) -> AsyncIterator[Server]:
    server = Server(script)
    listener = await asyncio.start_server(server.serve, "127.0.0.1", 0, ssl=context)
    server.port = listener.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listener.close()


@asynccontextmanager
async def client(
    port: int, *, timeout_s: float = 5.0, limit: int = 4, scheme: str = "http"
) -> AsyncIterator[GraphClient]:
    async with graph_session(limit) as session:
        base = f"{scheme}://127.0.0.1:{port}"
        yield GraphClient(session, base_url=base, version="v25.0", token=TOKEN, timeout_s=timeout_s)


def hasty(graph: GraphClient, port: int) -> GraphClient:
    """One that shares the connections of the other, and waits for next to no time."""
    return GraphClient(
        graph._http, base_url=f"http://127.0.0.1:{port}", version="v25.0", token=TOKEN, timeout_s=0.3
    )


async def accept(server: Server, peer: Peer) -> None:
    """Answer every request of the connection."""
    while True:
        await server.take(peer)
        await peer.answer(http())


async def refused_port() -> int:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        return int(unused.getsockname()[1])


async def close_at_once(_server: Server, peer: Peer) -> None:
    peer.writer.close()


async def reset_at_once(_server: Server, peer: Peer) -> None:
    peer.reset()


async def close_after_head(server: Server, peer: Peer) -> None:
    await peer.reader.readuntil(b"\r\n\r\n")
    server.requests.append(b"head")
    peer.writer.close()


async def close_mid_body(server: Server, peer: Peer) -> None:
    await peer.reader.readuntil(b"\r\n\r\n")
    await peer.reader.readexactly(10)
    server.requests.append(b"part")
    peer.reset()


async def close_after_request(server: Server, peer: Peer) -> None:
    await server.take(peer)
    peer.writer.close()


async def reset_after_request(server: Server, peer: Peer) -> None:
    await server.take(peer)
    peer.reset()


async def close_after_status_line(server: Server, peer: Peer) -> None:
    await server.take(peer)
    await peer.answer(b"HTTP/1.1 200 OK\r\n")


async def close_mid_answer(server: Server, peer: Peer) -> None:
    await server.take(peer)
    await peer.answer(http()[:-10])


async def reset_mid_answer(server: Server, peer: Peer) -> None:
    await server.take(peer)
    await peer.answer(http()[:-10])
    peer.reset()


async def close_mid_chunk(server: Server, peer: Peer) -> None:
    await server.take(peer)
    await peer.answer(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\n" + ANSWER)


async def silence(server: Server, peer: Peer) -> None:
    await server.take(peer)
    await peer.reader.read()


async def silence_mid_answer(server: Server, peer: Peer) -> None:
    await server.take(peer)
    await peer.answer(http()[:-10])
    await peer.reader.read()


async def drip(server: Server, peer: Peer) -> None:
    await server.take(peer)
    for byte in http():
        await peer.answer(bytes([byte]))
        await asyncio.sleep(0.05)


async def garbage(server: Server, peer: Peer) -> None:
    await server.take(peer)
    await peer.answer(b"\x00\x01 what is this\r\n\r\n")


async def endless_answer(server: Server, peer: Peer) -> None:
    await server.take(peer)
    await peer.answer(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while True:
        await peer.answer(b"10000\r\n" + b" " * 65_536 + b"\r\n")


async def endless_headers(server: Server, peer: Peer) -> None:
    await server.take(peer)
    await peer.answer(b"HTTP/1.1 200 OK\r\n")
    while True:
        await peer.answer(b"X-More: " + b"x" * 4_000 + b"\r\n")


AFTER_THE_FIRST_BYTE = [
    close_after_head,
    close_mid_body,
    close_after_request,
    reset_after_request,
    close_after_status_line,
    close_mid_answer,
    reset_mid_answer,
    close_mid_chunk,
    silence,
    silence_mid_answer,
    drip,
    garbage,
    endless_answer,
    endless_headers,
]
FOR_EVER = [silence, silence_mid_answer, drip]
"""Those that end only when the client's time is over."""
