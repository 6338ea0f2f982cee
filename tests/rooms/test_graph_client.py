"""The Graph client against real sockets that misbehave: one POST, and what is known of it is true."""

import asyncio
import json
import logging
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import aiohttp
import pytest
from prometheus_client import REGISTRY

from sayso.core.telemetry import METRICS
from sayso.whatsapp.client import (
    MAX_ANSWER_BYTES,
    Accepted,
    GraphClient,
    Lost,
    NotSent,
    Refused,
    graph_session,
)
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


async def accept(server: Server, peer: Peer) -> None:
    """Answer every request of the connection."""
    while True:
        await server.take(peer)
        await peer.answer(http())


async def test_message_is_posted_once_with_token_and_version() -> None:
    async with serving(accept) as server, client(server.port) as graph:
        sent = await graph.post_message(NUMBER, BODY)
    assert sent == Accepted("wamid.OUT1", "15550001111")
    (request,) = server.requests
    head, _, body = request.partition(b"\r\n\r\n")
    assert head.startswith(b"POST /v25.0/100000000000001/messages HTTP/1.1\r\n")
    assert f"Authorization: Bearer {TOKEN}".encode() in head
    assert b"Content-Type: application/json" in head
    assert body == BODY


async def test_connections_are_kept_and_reused() -> None:
    async with serving(accept) as server, client(server.port) as graph:
        for _ in range(5):
            assert isinstance(await graph.post_message(NUMBER, BODY), Accepted)
    assert (server.connections, len(server.requests)) == (1, 5)


async def refused_port() -> int:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        return int(unused.getsockname()[1])


async def test_refused_connection_is_not_sent() -> None:
    async with client(await refused_port()) as graph:
        assert await graph.post_message(NUMBER, BODY) == NotSent("no connection could be made")


async def test_unknown_host_is_not_sent() -> None:
    async with graph_session(1) as session:
        graph = GraphClient(session, base_url="http://no-such-host.invalid", version="v25.0", token=TOKEN)
        assert await graph.post_message(NUMBER, BODY) == NotSent("the host name could not be resolved")


async def test_failed_tls_is_not_sent() -> None:
    async with serving(accept) as server, client(server.port, scheme="https") as graph:
        sent = await graph.post_message(NUMBER, BODY)
    assert isinstance(sent, NotSent)
    assert server.requests == []


async def test_full_accept_queue_is_not_sent() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        port = listener.getsockname()[1]
        fillers = [socket.socket() for _ in range(4)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(("127.0.0.1", port))
        async with client(port, timeout_s=0.2) as graph:
            sent = await graph.post_message(NUMBER, BODY)
        for filler in fillers:
            filler.close()
    assert sent == NotSent("no connection in time")


async def test_waiting_for_a_free_connection_is_not_sent() -> None:
    async def silent(server: Server, peer: Peer) -> None:
        await server.take(peer)
        await peer.reader.read()

    async with serving(silent) as server, client(server.port, timeout_s=0.2, limit=1) as graph:
        first, second = await asyncio.gather(
            graph.post_message(NUMBER, BODY), graph.post_message(NUMBER, BODY)
        )
    assert first == Lost("no answer in time")
    assert second == NotSent("no connection in time")
    assert len(server.requests) == 1


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
        await asyncio.sleep(0.02)


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


@pytest.mark.parametrize("script", AFTER_THE_FIRST_BYTE, ids=lambda script: script.__name__)
async def test_trouble_after_the_first_byte_is_lost_and_never_sent_again(script: Script) -> None:
    async with serving(script) as server, client(server.port, timeout_s=0.3) as graph:
        sent = await graph.post_message(NUMBER, BODY)
        await asyncio.sleep(0.05)  # a second request would arrive at once
    assert isinstance(sent, Lost)
    assert sent.reason
    assert (server.connections, len(server.requests)) == (1, 1)


@pytest.mark.parametrize("script", AFTER_THE_FIRST_BYTE, ids=lambda script: script.__name__)
async def test_the_same_on_a_kept_connection(script: Script) -> None:
    async def first_well(server: Server, peer: Peer) -> None:
        if not server.requests:
            await server.take(peer)
            await peer.answer(http())
        await script(server, peer)

    async with serving(first_well) as server, client(server.port, timeout_s=0.3) as graph:
        assert isinstance(await graph.post_message(NUMBER, BODY), Accepted)
        sent = await graph.post_message(NUMBER, BODY)
        await asyncio.sleep(0.05)
    assert isinstance(sent, Lost)
    assert (server.connections, len(server.requests)) == (1, 2)


@pytest.mark.parametrize("script", [close_at_once, reset_at_once], ids=lambda script: script.__name__)
async def test_connection_closed_before_reading_is_never_claimed_as_accepted(script: Script) -> None:
    async with serving(script) as server, client(server.port, timeout_s=0.5) as graph:
        sent = await graph.post_message(NUMBER, BODY)
    assert isinstance(sent, Lost | NotSent)
    assert server.requests == []
    assert isinstance(sent, NotSent) or server.connections <= 8


@pytest.mark.parametrize("cut", [Peer.reset, lambda peer: peer.writer.close()], ids=["reset", "close"])
async def test_kept_connection_that_the_server_closed_is_replaced(cut: Callable[[Peer], None]) -> None:
    async def one_each(server: Server, peer: Peer) -> None:
        await server.take(peer)
        await peer.answer(http())
        cut(peer)

    async with serving(one_each) as server, client(server.port) as graph:
        for count in range(1, 6):
            server.done.clear()
            assert isinstance(await graph.post_message(NUMBER, BODY), Accepted)
            await server.done.wait()
            assert len(server.requests) == count
    assert server.connections == 5


async def test_close_that_the_loop_has_not_seen_yet_is_seen_before_writing() -> None:
    """The kernel knows of the FIN, our loop has not run since: the connection must not be written on."""
    closed: list[Peer] = []

    async def keep(server: Server, peer: Peer) -> None:
        closed.append(peer)
        await accept(server, peer)

    async with serving(keep) as server, client(server.port) as graph:
        for _ in range(10):
            assert isinstance(await graph.post_message(NUMBER, BODY), Accepted)
            # close() of the raw socket takes effect now, not at the loop's next turn
            closed[-1].writer.get_extra_info("socket")._sock.shutdown(socket.SHUT_RDWR)
        assert isinstance(await graph.post_message(NUMBER, BODY), Accepted)
    assert (server.connections, len(server.requests)) == (11, 11)


ERROR = (
    b'{"error":{"message":"Re-engagement message","type":"OAuthException","code":131047,"fbtrace_id":"F"}}'
)


@pytest.mark.parametrize(
    ("raw", "kind"),
    [
        (http(ERROR, "400 Bad Request"), Refused),
        (http(ERROR.replace(b"131047", b"131000"), "500 Internal Server Error"), Refused),
        (http(b"<html>", "502 Bad Gateway"), Lost),
        (http(b"", "503 Service Unavailable", "Retry-After: 5"), Lost),
        (http(b"{}"), Lost),
        (http(b"not json"), Lost),
        (http(ANSWER, "307 Temporary Redirect", "Location: /elsewhere"), Lost),
        (http(ANSWER, "308 Permanent Redirect", "Location: /elsewhere"), Lost),
        (http(ANSWER, "302 Found", "Location: /elsewhere"), Lost),
        (http(b"", "401 Unauthorized", "WWW-Authenticate: OAuth"), Lost),
        (b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + ANSWER, Accepted),
        (b"HTTP/1.0 200 OK\r\n\r\n" + ANSWER, Accepted),
        (b"HTTP/1.1 100 Continue\r\n\r\n" + http(), Accepted),
        (http(ANSWER, "200 OK", "Content-Encoding: gzip"), Lost),
        (http(ANSWER, "200 OK", "Retry-After: \xff"), Accepted),
        (http(ERROR.replace(b"131047", b"130429"), "429 Too Many", "x-app-usage: \xff"), Refused),
    ],
)
async def test_answer_is_read_for_what_it_is(raw: bytes, kind: type) -> None:
    async def play(server: Server, peer: Peer) -> None:
        await server.take(peer)
        await peer.answer(raw)

    async with serving(play) as server, client(server.port) as graph:
        assert isinstance(await graph.post_message(NUMBER, BODY), kind)
    assert (server.connections, len(server.requests)) == (1, 1)


async def test_answer_beyond_reason_is_lost() -> None:
    async def long(server: Server, peer: Peer) -> None:
        await server.take(peer)
        await peer.answer(http(ANSWER + b" " * MAX_ANSWER_BYTES))

    async with serving(long) as server, client(server.port) as graph:
        assert await graph.post_message(NUMBER, BODY) == Lost("the answer was cut off")


async def test_proxies_of_the_environment_are_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{await refused_port()}")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    async with serving(accept) as server, client(server.port) as graph:
        assert isinstance(await graph.post_message(NUMBER, BODY), Accepted)


async def test_deadline_is_not_rounded_up() -> None:
    async with client(1, timeout_s=10.0) as graph:
        limits = graph._timeout
    assert limits.total == 10.0
    assert limits.ceil_threshold > 10.0


async def test_aiohttp_itself_never_sends_a_post_again() -> None:
    """The ground we stand on, without our session: a kept connection dies under a POST, and it stays one."""

    async def die_second(server: Server, peer: Peer) -> None:
        await server.take(peer)
        await peer.answer(http())
        await server.take(peer)

    async with serving(die_second) as server, aiohttp.ClientSession() as session:
        url = f"http://127.0.0.1:{server.port}/"
        async with session.post(url, data=BODY) as response:
            await response.read()
        with pytest.raises(aiohttp.ServerDisconnectedError):
            await session.post(url, data=BODY)
        assert (server.connections, len(server.requests)) == (1, 2)


async def test_a_foreign_session_never_makes_lost_look_unsent() -> None:
    async with serving(close_after_request) as server, aiohttp.ClientSession() as session:
        graph = GraphClient(session, base_url=f"http://127.0.0.1:{server.port}", version="v25.0", token=TOKEN)
        assert isinstance(await graph.post_message(NUMBER, BODY), Lost)


async def test_cancelling_is_passed_on_and_closes_the_connection() -> None:
    async with serving(silence) as server, client(server.port) as graph:
        call = asyncio.create_task(graph.post_message(NUMBER, BODY))
        await server.arrived.wait()
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        await asyncio.wait_for(server.done.wait(), 1)
    assert len(server.requests) == 1


async def test_closed_session_is_not_sent() -> None:
    async with client(1) as graph:
        pass
    assert isinstance(await graph.post_message(NUMBER, BODY), NotSent)


@pytest.mark.parametrize("number", ["", "../me", "1/../2", "\uff11\uff12", "12 3"])
async def test_what_is_no_number_id_is_not_sent(number: str) -> None:
    async with serving(accept) as server, client(server.port) as graph:
        assert isinstance(await graph.post_message(number, BODY), NotSent)
    assert server.connections == 0


@pytest.mark.parametrize("token", ["", "a b", "a\r\nX-Evil: 1", "é", "a\x00"])
async def test_token_that_cannot_stand_in_a_header_is_refused(token: str) -> None:
    async with graph_session(1) as session:
        with pytest.raises(ValueError, match="access token"):
            GraphClient(session, base_url="http://127.0.0.1:1", version="v25.0", token=token)


async def test_read_receipt() -> None:
    async def confirm(server: Server, peer: Peer) -> None:
        while True:
            await server.take(peer)
            await peer.answer(http(b'{"success":true}'))

    async with serving(confirm) as server, client(server.port) as graph:
        assert await graph.mark_read(NUMBER, "wamid.IN1")
        assert await graph.mark_read(NUMBER, "wamid.IN1", typing=True)
    bodies = [json.loads(request.partition(b"\r\n\r\n")[2]) for request in server.requests]
    plain = {"messaging_product": "whatsapp", "status": "read", "message_id": "wamid.IN1"}
    assert bodies == [plain, plain | {"typing_indicator": {"type": "text"}}]


async def test_read_receipt_that_fails_is_only_false() -> None:
    async with client(await refused_port()) as graph:
        assert not await graph.mark_read(NUMBER, "wamid.IN1")


async def exchange(raw: bytes, times: int = 1) -> None:
    async def play(server: Server, peer: Peer) -> None:
        while True:
            await server.take(peer)
            await peer.answer(raw)

    async with serving(play) as server, client(server.port) as graph:
        for _ in range(times):
            await graph.post_message(NUMBER, BODY)


async def test_exchange_is_logged_without_secrets(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "whatsapp_service")
    await exchange(http())
    (record,) = caplog.records
    line = record.getMessage()
    assert "POST /v25.0/" in line
    assert "HTTP 200" in line
    for secret in (TOKEN, "secret plan", "15550001111"):
        assert secret not in line


async def test_nothing_is_prepared_for_a_log_that_nobody_reads(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def defect(*_args: object) -> str:
        raise AssertionError("prepared")

    caplog.set_level(logging.INFO, "whatsapp_service")
    monkeypatch.setattr("sayso.whatsapp.client._exchange", defect)
    await exchange(http())
    assert caplog.records == []


async def test_answer_that_cannot_be_logged_still_counts(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "whatsapp_service")
    await exchange(http(b'{"messages":[{"id":"wamid.1"}],"timestamp":' + b"9" * 30 + b"}"))
    assert "HTTP 200" in caplog.records[0].getMessage()


async def test_other_version_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, "whatsapp_service")
    await exchange(http(ANSWER, "200 OK", "facebook-api-version: v21.0"), times=3)
    (record,) = caplog.records
    assert "v21.0" in record.getMessage()
    assert "v25.0" in record.getMessage()


async def test_same_version_is_not_worth_a_word(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, "whatsapp_service")
    await exchange(http(ANSWER, "200 OK", "facebook-api-version: v25.0"))
    assert caplog.records == []


def counted(name: str, **labels: str) -> float:
    return METRICS.get_sample_value(name, labels) or 0.0


async def test_calls_and_errors_are_counted() -> None:
    before = [
        counted("sayso_meta_requests_total", outcome="refused"),
        counted("sayso_meta_errors_total", code="131047"),
        counted("sayso_meta_errors_total", code="unknown"),
        counted("sayso_meta_request_seconds_count"),
    ]
    await exchange(http(ERROR, "400 Bad Request"))
    await exchange(http(ERROR.replace(b"131047", b"999"), "400 Bad Request"))
    after = [
        counted("sayso_meta_requests_total", outcome="refused"),
        counted("sayso_meta_errors_total", code="131047"),
        counted("sayso_meta_errors_total", code="unknown"),
        counted("sayso_meta_request_seconds_count"),
    ]
    assert [now - then for now, then in zip(after, before, strict=True)] == [2, 1, 1, 2]
    assert REGISTRY is not METRICS
