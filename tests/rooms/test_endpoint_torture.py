"""Endpoints at their worst: they hang, redirect, never end, break off; one of them, and none of the others suffers."""

import asyncio
import datetime as dt
import ssl
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from harness.graph_peers import (
    Peer,
    Server,
    close_after_request,
    endless_answer,
    http,
    reset_mid_answer,
    serving,
    silence,
)
from harness.receiver import Courier, Receiver, courier, receiving, says
from harness.rooms import Clock, runtime
from harness.waiting import eventually
from sayso.core import net
from sayso.core.net import Allowed
from sayso.core.runtime import Runtime
from sayso.core.worker import Work, Worker
from sayso.events import claiming, delivering
from sayso.events.calling import READ_BYTES, Caller, Signer
from sayso.events.claiming import QUEUE
from sayso.events.rules import Called
from sayso.events.signing import Keys

NOBODY = Signer([Keys(b"s" * 32, b"e" * 32)], ["v1"])


async def called(url: str, clock: Clock, *, timeout_s: float = 5.0, allow: str = "127.0.0.1") -> Called:
    """What one call says came of it."""
    allowed = Allowed.parse(allow)
    async with net.session(allowed, limit=4) as session:
        caller = Caller(session, allowed, timeout_s)
        return await caller.call(url, "evt_1", b"{}", signer=NOBODY, at=clock())


async def test_a_redirect_is_not_followed_wherever_it_leads(receiver: Receiver, clock: Clock) -> None:
    receiver.answers["/hook"] = says(302, Location=receiver.url("/inside"))
    found = await called(receiver.url(), clock)
    assert (found.succeeded, found.status) == (False, 302)
    assert found.error == ("answered 302: redirects are not followed: give the address that it leads to")
    assert [path for path, _, _ in receiver.requests] == ["/hook"]


async def bomb(server: Server, peer: Peer) -> None:
    """What would unfold to much more."""
    await server.take(peer)
    await peer.answer(http(b"\x1f\x8b" + b"\0" * 100, "200 OK", "Content-Encoding: gzip"))


@pytest.mark.parametrize("script", [endless_answer, reset_mid_answer, bomb])
async def test_what_follows_a_2xx_changes_nothing_and_is_read_no_further(script: Any, clock: Clock) -> None:
    async with serving(script) as server:
        found = await called(f"http://127.0.0.1:{server.port}/", clock)
    assert (found.status, found.error) == (200, None)
    assert len(found.body) <= READ_BYTES


async def babbles(server: Server, peer: Peer) -> None:
    """What comes is not HTTP."""
    await server.take(peer)
    await peer.answer(b"220 mail.example ESMTP\r\n")
    peer.shut()


@pytest.mark.parametrize(
    ("script", "words", "calls"),
    [
        (silence, "no answer in time", 1),
        (babbles, "the answer was not HTTP", 1),
        (close_after_request, "the connection was closed before an answer", 2),
    ],
)
async def test_a_call_that_comes_to_nothing_says_why(
    script: Any, words: str, calls: int, clock: Clock
) -> None:
    async with serving(script) as server:
        found = await called(f"http://127.0.0.1:{server.port}/", clock, timeout_s=0.5)
        server.done.set()
    assert (found.status, found.error) == (None, words)
    assert len(server.requests) == calls
    assert found.timed_out is (script is silence)


async def test_who_hangs_is_left_alone_for_a_minute(rt: Runtime, clock: Clock) -> None:
    async with serving(silence) as server, courier(rt, timeout_s=0.2) as by:
        await by.endpoint(f"http://127.0.0.1:{server.port}/")
        await by.tell("a")
        await by.all()
        (row,) = await by.rows()
        server.done.set()
    assert 48 <= (row["work_at"] - clock.at).total_seconds() <= 72


async def test_with_a_proxy_every_call_goes_there_and_it_is_the_proxy_that_resolves(
    receiver: Receiver, clock: Clock
) -> None:
    allowed = Allowed.parse("hooks.example")
    proxy = f"http://127.0.0.1:{receiver.port}"
    async with net.session(allowed, limit=4, proxy=proxy) as session:
        caller = Caller(session, allowed)
        found = await caller.call("http://hooks.example/x", "evt_1", b"{}", signer=NOBODY, at=clock())
        refused = await caller.call("http://127.0.0.1/x", "evt_1", b"{}", signer=NOBODY, at=clock())
    assert found.succeeded
    assert [named["host"] for _, named, _ in receiver.requests] == ["hooks.example"]
    assert refused.error is not None
    assert refused.error.startswith("the address may not be called: it must begin with https://")


async def test_a_proxy_of_the_environment_is_ignored(
    receiver: Receiver, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert (await called(receiver.url(), clock)).succeeded


@asynccontextmanager
async def working(by: Courier) -> AsyncIterator[None]:
    """A worker that delivers."""
    made = by.deliverer
    todo = Work(QUEUE, made.handle, slots=made.slots, claim=made.claim, park=delivering.park)
    worker = Worker(by.rt, [todo])
    running = asyncio.create_task(worker.run())
    try:
        yield
    finally:
        worker.stop()
        await running


async def held_up(dsn: str, *, endpoints: int, subjects: int, slots: int, within: float) -> bool:
    """Whether one endpoint that hangs keeps the others from what is theirs."""
    over = asyncio.Event()

    async def hang(_request: web.Request) -> web.StreamResponse:
        await over.wait()
        return web.Response()

    async with runtime(dsn) as rt, receiving() as receiver, courier(rt, slots=slots, timeout_s=60) as by:
        for number in range(endpoints):
            await by.endpoint(receiver.url(f"/{number}"))
        receiver.answers["/0"] = hang
        await by.tell(*(f"s{number}" for number in range(subjects)))

        async def all_others() -> bool:
            came = {(path, named["webhook-id"]) for path, named, _ in receiver.requests if path != "/0"}
            return len(came) == (endpoints - 1) * subjects

        async with working(by):
            try:
                await eventually(all_others, "the others", within=within)
            except AssertionError:
                return True
            finally:
                over.set()
    return False


async def test_one_that_hangs_of_fifty_holds_up_none_of_the_others(dsn: str) -> None:
    assert not await held_up(dsn, endpoints=50, subjects=20, slots=60, within=120)


async def test_without_a_limit_for_each_it_would(dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(claiming, "AT_ONCE", 1_000)
    assert await held_up(dsn, endpoints=3, subjects=40, slots=20, within=2)


async def test_failing_ones_share_half_of_all_calls_and_the_sound_ones_come_first(rt: Runtime) -> None:
    async with receiving() as receiver, courier(rt, slots=8) as by:
        bad = [await by.endpoint(receiver.url(f"/bad{n}")) for n in range(6)]
        await by.rows(
            "UPDATE endpoints SET failures = 9 WHERE id = ANY($1) RETURNING id", [row["id"] for row in bad]
        )
        good = await by.endpoint(receiver.url("/good"))
        await by.tell(*(f"s{n}" for n in range(20)))
        rows = await by.claim(most=8)
        counts = [sum(row["endpoint_id"] == each["id"] for row in rows) for each in (*bad, good)]
    assert sum(counts[:-1]) <= 4
    assert counts[-1] >= 4


async def test_a_name_whose_servers_hang_takes_one_thread_and_no_more(clock: Clock) -> None:
    over, asked = threading.Event(), []

    def lookup(host: str, _port: int) -> list[str]:
        asked.append(host)
        if host == "slow.example":
            over.wait(30)
        return ["127.0.0.2"]

    async def takes(server: Server, peer: Peer) -> None:
        await server.take(peer)
        await peer.answer(http(b"", "204 No Content"))

    allowed = Allowed.parse("slow.example, quick.example")
    async with serving(takes) as server, net.session(allowed, limit=100, lookup=_at(lookup)) as session:
        caller = Caller(session, allowed, 3.0)

        def call(host: str) -> Any:
            url = f"http://{host}:{server.port}/"
            return asyncio.create_task(caller.call(url, "evt_1", b"{}", signer=NOBODY, at=clock()))

        slow = [call("slow.example") for _ in range(64)]
        quick = await asyncio.gather(*(call("quick.example") for _ in range(8)))
        over.set()
        await asyncio.gather(*slow)
    assert {found.status for found in quick} == {204}
    assert asked.count("slow.example") == 1


def _at(lookup: Any) -> Any:
    return lambda host, port: [address.replace("127.0.0.2", "127.0.0.1") for address in lookup(host, port)]


async def test_the_name_goes_into_tls_and_its_certificate_must_fit(tmp_path: Path, clock: Clock) -> None:
    names: list[str | None] = []
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate(tmp_path))
    context.sni_callback = lambda _socket, name, _context: names.append(name)
    allowed = Allowed.parse("hooks.example")
    async with (
        serving(silence, context) as server,
        net.session(allowed, limit=4, lookup=lambda _host, _port: ["127.0.0.1"]) as session,
    ):
        url = f"https://hooks.example:{server.port}/"
        found = await Caller(session, allowed, 5).call(url, "evt_1", b"{}", signer=NOBODY, at=clock())
    assert names == ["hooks.example"]
    assert found.error == "the certificate is not valid for the host"
    assert server.requests == []


def certificate(folder: Path) -> Path:
    """A key and a certificate that nobody vouches for."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "hooks.example")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(hours=1))
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    plain = serialization.NoEncryption()
    path = folder / "both.pem"
    path.write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain) + made.public_bytes(pem)
    )
    return path
