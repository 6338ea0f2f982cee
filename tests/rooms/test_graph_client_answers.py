"""The Graph client and what servers answer; what it logs and counts."""

import json
import logging

import pytest
from prometheus_client import REGISTRY

from harness.graph_peers import (
    ANSWER,
    BODY,
    NUMBER,
    TOKEN,
    Peer,
    Server,
    accept,
    client,
    http,
    refused_port,
    serving,
)
from sayso.core.database import Database
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


async def test_a_call_inside_a_transaction_is_refused_before_anything_is_sent(dsn: str) -> None:
    db = await Database.connect(dsn, size=2)
    async with graph_session(1) as session:
        graph = GraphClient(session, base_url="http://127.0.0.1:9", version="v25.0", token="a-token")
        async with db.tx():
            with pytest.raises(RuntimeError, match="inside a transaction"):
                await graph.post_message("100000000000001", b"{}")
        assert isinstance(await graph.post_message("100000000000001", b"{}"), NotSent)
    await db.close()
