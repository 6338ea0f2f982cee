"""The small client behind webhooks: answers of every framing, kept connections, and everything that goes wrong."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from sayso.simulator.webhooks import plain_http
from sayso.simulator.webhooks.plain_http import PlainHttp, Target, target_of

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
HEADERS = {"Content-Type": "application/json", "X-Own": "ä"}


@dataclass
class Server:
    """A peer that answers each request with the next of its scripted bytes, then as the last one."""

    script: list[bytes]
    closes: bool = False
    requests: list[bytes] = field(default_factory=list)
    connections: int = 0
    port: int = 0
    hang: asyncio.Event | None = None
    tasks: set[asyncio.Task[None] | None] = field(default_factory=set)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer on one connection."""
        self.connections += 1
        self.tasks.add(asyncio.current_task())
        try:
            await self.talk(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # the client has gone
        finally:
            writer.close()
            self.tasks.discard(asyncio.current_task())

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Take requests until one of us closes."""
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
            self.requests.append(head + await reader.readexactly(length))
            if self.hang is not None:
                await self.hang.wait()
            writer.write(self.script.pop(0) if len(self.script) > 1 else self.script[0])
            await writer.drain()
            if self.closes:
                return

    @property
    def target(self) -> Target:
        """Where it is."""
        found = target_of(f"http://127.0.0.1:{self.port}/a/hook?x=1")
        assert found is not None
        return found


@asynccontextmanager
async def serving(*script: bytes, closes: bool = False) -> AsyncIterator[Server]:
    made = Server(list(script), closes)
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        server.close()
        await server.wait_closed()
        going = [task for task in made.tasks if task is not None and task.cancel()]
        await asyncio.gather(*going, return_exceptions=True)


@pytest.fixture
async def client() -> AsyncIterator[PlainHttp]:
    made = PlainHttp(timeout_s=5)
    yield made
    made.close()


FRAMINGS = {
    "a length": (OK, 200),
    "no body": (b"HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n", 500),
    "chunks": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", 200),
    "an interim answer": (b"HTTP/1.1 100 Continue\r\n\r\n" + OK, 200),
    "a redirect": (b"HTTP/1.1 302 Found\r\nLocation: /b\r\nContent-Length: 0\r\n\r\n", 302),
    "nothing may follow": (b"HTTP/1.1 204 No Content\r\n\r\n", 204),
}


@pytest.mark.parametrize(("answer", "status"), FRAMINGS.values(), ids=FRAMINGS)
async def test_every_framing_keeps_its_connection(client: PlainHttp, answer: bytes, status: int) -> None:
    async with serving(answer) as server:
        assert [await client.post(server.target, b"{}", HEADERS) for _ in range(3)] == [status] * 3
        assert server.connections == 1


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\n\r\nuntil the end",
        b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
        OK.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"),
    ],
)
async def test_an_answer_that_ends_its_connection(client: PlainHttp, answer: bytes) -> None:
    async with serving(answer, closes=True) as server:
        assert [await client.post(server.target, b"{}", HEADERS) for _ in range(2)] == [200, 200]
        assert server.connections == 2


async def test_the_request_is_whole(client: PlainHttp) -> None:
    body = b"x" * 3_000_000
    async with serving(OK) as server:
        await client.post(server.target, body, HEADERS)
        head, _, sent = server.requests[0].partition(b"\r\n\r\n")
        assert head.split(b"\r\n") == [
            b"POST /a/hook?x=1 HTTP/1.1",
            b"Host: 127.0.0.1:%d" % server.port,
            b"Content-Type: application/json",
            b"X-Own: \xe4",
            b"Content-Length: 3000000",
        ]
        assert sent == body


@pytest.mark.parametrize(
    ("answer", "words"),
    [(b"", "closed before an answer"), (b"220 smtp ready\r\n", "no HTTP answer"), (OK[:20], "closed before")],
)
async def test_no_answer_is_an_error_in_words(client: PlainHttp, answer: bytes, words: str) -> None:
    async with serving(answer, closes=True) as server:
        with pytest.raises(ConnectionError, match=words):
            await client.post(server.target, b"{}", HEADERS)


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n",
    ],
)
async def test_an_answer_that_breaks_off_is_none(client: PlainHttp, answer: bytes) -> None:
    async with serving(answer, closes=True) as server:
        with pytest.raises(ConnectionError, match="in the middle of the answer"):
            await client.post(server.target, b"{}", HEADERS)


async def test_a_port_nobody_listens_on(client: PlainHttp) -> None:
    async with serving(OK) as server:
        gone = server.target
    with pytest.raises(ConnectionRefusedError):
        await client.post(gone, b"{}", HEADERS)


async def test_a_slow_answer_is_given_up_with_its_connection() -> None:
    client = PlainHttp(timeout_s=0.05)
    async with serving(OK) as server:
        server.hang = asyncio.Event()
        with pytest.raises(TimeoutError):
            await client.post(server.target, b"{}", HEADERS)
        server.hang.set()
        patient = PlainHttp(timeout_s=5)
        assert await patient.post(server.target, b"{}", HEADERS) == 200
        patient.close()


async def test_a_connection_the_server_has_closed_is_not_used_again(
    client: PlainHttp, monkeypatch: pytest.MonkeyPatch
) -> None:
    lost = asyncio.Event()
    really = plain_http._Connection.connection_lost

    def connection_lost(connection: plain_http._Connection, problem: Exception | None) -> None:
        really(connection, problem)
        lost.set()

    monkeypatch.setattr(plain_http._Connection, "connection_lost", connection_lost)
    async with serving(OK, closes=True) as server:  # it closes without having said so
        assert await client.post(server.target, b"{}", HEADERS) == 200
        await lost.wait()
        assert await client.post(server.target, b"{}", HEADERS) == 200
        assert server.connections == 2


@pytest.mark.parametrize("url", ["https://example.org/hook", "http://me:secret@example.org/", "ftp://a/", ""])
def test_what_wants_more_than_plain_http_goes_elsewhere(url: str) -> None:
    assert target_of(url) is None


@pytest.mark.parametrize(
    ("url", "begins"),
    [
        ("http://example.org", b"POST / HTTP/1.1\r\nHost: example.org\r\n"),
        ("http://example.org:80/x", b"POST /x HTTP/1.1\r\nHost: example.org\r\n"),
        ("http://[::1]:8080/\N{SNOWMAN}?a=b#c", b"POST /%E2%98%83?a=b HTTP/1.1\r\nHost: [::1]:8080\r\n"),
    ],
)
def test_how_a_request_begins(url: str, begins: bytes) -> None:
    target = target_of(url)
    assert target is not None
    assert target.begins == begins
