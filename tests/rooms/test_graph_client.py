"""The Graph client under faults: one POST, and what it says of it is true."""

import asyncio
import datetime as dt
import ipaddress
import socket
import ssl
from collections.abc import Awaitable, Callable

import aiohttp
import pytest
import uvloop
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from harness.graph_peers import (
    AFTER_THE_FIRST_BYTE,
    BODY,
    FOR_EVER,
    NUMBER,
    TOKEN,
    Peer,
    Script,
    Server,
    accept,
    client,
    close_after_request,
    close_at_once,
    hasty,
    http,
    refused_port,
    reset_at_once,
    serving,
    silence,
)
from sayso.whatsapp.client import Accepted, GraphClient, Lost, NotSent, graph_session


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
    async with serving(silence) as server, client(server.port, limit=1) as graph:
        first = asyncio.create_task(graph.post_message(NUMBER, BODY))
        await server.arrived.wait()
        second = await hasty(graph, server.port).post_message(NUMBER, BODY)
        first.cancel()
        await asyncio.wait([first])
    assert second == NotSent("no connection in time")
    assert len(server.requests) == 1


@pytest.mark.parametrize("script", AFTER_THE_FIRST_BYTE, ids=lambda script: script.__name__)
async def test_trouble_after_the_first_byte_is_lost_and_never_sent_again(script: Script) -> None:
    # Half of the time may go into getting a connection: enough of it on a slow machine, too.
    within = 2.0 if script in FOR_EVER else 10.0
    async with serving(script) as server, client(server.port, timeout_s=within) as graph:
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

    async with serving(first_well) as server, client(server.port) as graph:
        assert isinstance(await graph.post_message(NUMBER, BODY), Accepted)
        sent = await (hasty(graph, server.port) if script in FOR_EVER else graph).post_message(NUMBER, BODY)
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
            closed[-1].shut()
        assert isinstance(await graph.post_message(NUMBER, BODY), Accepted)
    assert (server.connections, len(server.requests)) == (11, 11)


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
        await asyncio.wait_for(server.done.wait(), 10)
    assert len(server.requests) == 1


def under_uvloop(scenario: Awaitable[None]) -> None:
    async def run() -> None:
        await scenario

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(run())


@pytest.mark.parametrize("script", AFTER_THE_FIRST_BYTE, ids=lambda script: script.__name__)
def test_the_same_under_uvloop(script: Script) -> None:
    under_uvloop(test_trouble_after_the_first_byte_is_lost_and_never_sent_again(script))
    under_uvloop(test_the_same_on_a_kept_connection(script))


def test_closed_connections_under_uvloop() -> None:
    under_uvloop(test_close_that_the_loop_has_not_seen_yet_is_seen_before_writing())
    under_uvloop(test_kept_connection_that_the_server_closed_is_replaced(Peer.reset))
    under_uvloop(test_refused_connection_is_not_sent())


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Return the contexts of a server and of a client that trusts it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "graph")])
    address = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    start = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(start).not_valid_after(start + dt.timedelta(days=36_500))
    certificate = builder.add_extension(address, critical=False).sign(key, hashes.SHA256())
    pem = tmp_path_factory.mktemp("tls") / "graph.pem"
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    public = certificate.public_bytes(serialization.Encoding.PEM)
    pem.write_bytes(secret + public)
    served = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    served.load_cert_chain(pem)
    return served, ssl.create_default_context(cadata=public.decode())


async def over_tls(tls: tuple[ssl.SSLContext, ssl.SSLContext]) -> None:
    """Reuse a connection, lose it unseen, go on with another, and lose an answer."""
    peers: list[Peer] = []

    async def play(server: Server, peer: Peer) -> None:
        peers.append(peer)
        while True:
            await server.take(peer)
            if len(server.requests) > 6:
                return
            await peer.answer(http())

    async with serving(play, tls[0]) as server, client(server.port, scheme="https") as graph:
        assert graph._http.connector is not None
        graph._http.connector._ssl = tls[1]  # type: ignore[attr-defined]
        for _ in range(3):
            assert isinstance(await graph.post_message(NUMBER, BODY), Accepted)
        assert server.connections == 1
        peers[0].shut()
        for _ in range(3):
            assert isinstance(await graph.post_message(NUMBER, BODY), Accepted)
        assert isinstance(await graph.post_message(NUMBER, BODY), Lost)
    assert (server.connections, len(server.requests)) == (2, 7)


async def test_kept_connections_over_tls(tls: tuple[ssl.SSLContext, ssl.SSLContext]) -> None:
    await over_tls(tls)


def test_kept_connections_over_tls_under_uvloop(tls: tuple[ssl.SSLContext, ssl.SSLContext]) -> None:
    under_uvloop(over_tls(tls))
