"""The webhook against everybody: never a failure, and nobody is believed without a signature."""

import asyncio
import contextlib
import hashlib
import hmac
import json
import random
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
from structlog.testing import capture_logs

from harness.rooms import runtime
from sayso.core.runtime import Runtime
from sayso.inbound.receive import Intake
from sayso.inbound.webhook import LARGEST_BODY, PATH, Webhook

SECRET = b"sim-secret"
Answer = tuple[int, bytes]


@dataclass
class Door:
    """The webhook's ASGI callable with its intake running."""

    asgi: Webhook
    rt: Runtime

    async def knock(
        self,
        body: bytes,
        headers: list[tuple[bytes, bytes]],
        *,
        method: str = "POST",
        query: bytes = b"",
        cuts: int = 1,
    ) -> Answer:
        """One request, its body in so many pieces; the status and the body of the answer."""
        size = max(1, -(-len(body) // cuts))
        pieces = [body[at : at + size] for at in range(0, len(body), size)] or [b""]
        messages: list[dict[str, Any]] = [
            {"type": "http.request", "body": piece, "more_body": n < len(pieces)}
            for n, piece in enumerate(pieces, 1)
        ]
        sent: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            return messages.pop(0) if messages else {"type": "http.disconnect"}

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        scope = {"type": "http", "method": method, "path": PATH, "query_string": query, "headers": headers}
        await self.asgi(scope, receive, send)
        assert [message["type"] for message in sent] == ["http.response.start", "http.response.body"]
        return sent[0]["status"], sent[1]["body"]

    async def count(self) -> int:
        """How many bodies were kept."""
        async with self.rt.db.one() as tx:
            return int(await tx.fetchval("SELECT count(*) FROM webhook_bodies"))


@pytest.fixture
async def door(dsn: str) -> AsyncIterator[Door]:
    """Open, with nobody behind it but the intake."""
    async with runtime(dsn) as rt:
        intake = Intake(rt)

        async def api(*_: object) -> None:
            raise AssertionError("the webhook's requests go no further")

        task = asyncio.create_task(intake.run())
        yield Door(Webhook(api, intake, rt.settings), rt)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


def signature(body: bytes, secret: bytes = SECRET) -> bytes:
    return b"sha256=" + hmac.new(secret, body, hashlib.sha256).hexdigest().encode()


def a_body(dice: random.Random) -> bytes:
    """Something between noise and a webhook."""
    shape = dice.randrange(5)
    if shape == 0:
        return dice.randbytes(dice.randrange(200))
    message = {
        "id": f"wamid.{dice.randrange(50)}",
        "from": "15550001111",
        "type": "text",
        "text": {"body": "y"},
    }
    value: Any = {"metadata": {"phone_number_id": "1"}, "messages": [message] * dice.randrange(4)}
    if shape == 1:
        value = dice.choice(
            [None, [], 7, "x", {"messages": None}, {"statuses": [[]]}, {"messages": {"a": 1}}]
        )
    whole = json.dumps({
        "object": "whatsapp_business_account",
        "entry": [{"id": "2", "changes": [{"field": dice.choice(["messages", "odd", ""]), "value": value}]}],
    }).encode()  # fmt: skip
    if shape == 2:
        at = dice.randrange(len(whole))
        return whole[:at] + dice.randbytes(1) + whole[at + dice.randrange(3) :]
    return whole[: dice.randrange(len(whole))] if shape == 3 else whole


def a_signature(dice: random.Random, body: bytes) -> tuple[list[tuple[bytes, bytes]], bool]:
    """Headers, and whether they prove anything."""
    good = signature(body)
    name = b"x-hub-signature-256"
    forged: list[list[tuple[bytes, bytes]]] = [
        [], [(name, b"")], [(name, good[:-1])], [(name, good + b"0")], [(name, good[7:])], [(name, good.upper())],
        [(name, signature(body, b"other"))], [(name, signature(body + b" "))], [(name, b"sha1=" + good[7:])],
        [(name, good), (name, good)], [(name, good), (name, b"")], [(name, b" " + good)], [(b"x-hub-signature", good)],
        [(name, dice.randbytes(71))], [(name, "sha256=é".encode())], [(name, b"sha256=" + b"\xff" * 64)],
        [(name, b"SHA256=" + good[7:])], [(name, good.replace(b"=", b"=="))],
    ]  # fmt: skip
    if dice.random() < 0.3:
        return [(name, good)], True
    return dice.choice(forged), False


async def test_a_wrong_secret_stands_in_the_log_once(door: Door) -> None:
    strange = [(b"x-hub-signature-256", signature(b"{}", b"of another app"))]
    with capture_logs() as logged:
        assert {await door.knock(b"{}", strange), await door.knock(b"{}", strange)} == {(401, b"")}
        assert await door.knock(b"{}", []) == (401, b"")
    (told,) = logged
    assert told["event"] == "webhook.bad_signature"
    assert "WHATSAPP_WEBHOOK_SECRET" in told["detail"]


async def test_two_thousand_strangers_and_nobody_is_believed_without_a_signature(door: Door) -> None:
    seed = random.Random().randrange(10**6)
    dice = random.Random(seed)
    told: Counter[tuple[bool, int]] = Counter()
    believed: set[bytes] = set()
    for n in range(2_000):
        body = a_body(dice)
        headers, proves = a_signature(dice, body)
        noise = [(dice.randbytes(5), dice.randbytes(9)) for _ in range(dice.randrange(3))]
        if dice.random() < 0.2:
            noise.append(
                (
                    b"content-length",
                    dice.choice([b"x", b"-1", b"9" * 5_000, b"0", b"\xb2", str(len(body)).encode()]),
                )
            )
        status, _ = await door.knock(body, [*noise, *headers], cuts=dice.randrange(1, 5))
        told[proves, status] += 1
        assert status < 500, (seed, n, body, headers)
        assert status != 200 or proves, (seed, n, body, headers)
        if status == 200:
            believed.add(body)
    assert told[True, 200] > 400, (seed, told)
    assert set(told) <= {(True, 200), (False, 401), (True, 413), (False, 413)}, (seed, told)
    assert await door.count() == len(believed)


async def test_too_large_is_told_before_it_is_read_and_while_it_is(door: Door) -> None:
    length = [(b"content-length", str(LARGEST_BODY + 1).encode())]
    assert (await door.knock(b"", length))[0] == 413
    large = b"x" * (LARGEST_BODY + 1)
    assert (await door.knock(large, [(b"x-hub-signature-256", signature(large))], cuts=9))[0] == 413
    fits = b'{"x":"' + b"y" * (LARGEST_BODY - 8) + b'"}'
    assert (await door.knock(fits, [(b"x-hub-signature-256", signature(fits))], cuts=9))[0] == 200
    assert await door.count() == 1


async def test_half_a_body_is_not_believed(door: Door) -> None:
    body = json.dumps({"object": "whatsapp_business_account", "entry": []}).encode()
    assert (await door.knock(body[:10], [(b"x-hub-signature-256", signature(body))]))[0] == 401
    assert await door.count() == 0


HANDSHAKES = [
    (b"hub.mode=subscribe&hub.verify_token=sim-verify&hub.challenge=7", 200),
    (b"hub.mode=subscribe&hub.verify_token=sim-verify&hub.challenge=%3Cscript%3E", 200),
    (b"hub.mode=subscribe&hub.verify_token=sim-verif&hub.challenge=7", 403),
    (b"hub.mode=subscribe&hub.verify_token=&hub.challenge=7", 403),
    (b"hub.mode=subscribe&hub.challenge=7", 403),
    (b"hub.mode=unsubscribe&hub.verify_token=sim-verify&hub.challenge=7", 403),
    (b"hub.mode=subscribe&hub.verify_token=sim-verify&hub.challenge=", 403),
    (b"hub.mode=subscribe&hub.verify_token=sim-verify&hub.challenge=" + b"7" * 257, 403),
    (b"hub.mode=subscribe&hub.verify_token=sim-verify&hub.verify_token=x&hub.challenge=7", 403),
    (b"hub.mode[]=subscribe&hub.verify_token[]=sim-verify&hub.challenge=7", 403),
    (b"hub.verify_token=%ff%fe&hub.mode=%00&hub.challenge=%", 403),
    (b"\xff\xfe&&&===", 403),
    (b"", 403),
]


async def test_the_handshake_echoes_the_challenge_to_whoever_knows_the_token(door: Door) -> None:
    for query, status in HANDSHAKES:
        told, body = await door.knock(b"", [], method="GET", query=query)
        assert told == status, query
        assert body in ((b"7", b"<script>") if status == 200 else (b"Verification failed",)), query


async def test_no_other_method_is_known(door: Door) -> None:
    for method in ("PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "get", "ODD"):
        assert (await door.knock(b"", [], method=method))[0] == 405


async def test_random_queries_never_verify(door: Door) -> None:
    dice = random.Random(11)
    for _ in range(300):
        query = dice.randbytes(dice.randrange(80)) + dice.choice(
            [b"", b"&hub.mode=subscribe&hub.challenge=1"]
        )
        assert (await door.knock(b"", [], method="GET", query=query))[0] == 403
