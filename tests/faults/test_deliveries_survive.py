"""Killed again and again while it delivers, the service delivers every event: once at least, in order, unchanged."""

import asyncio
import random
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from standardwebhooks import Webhook

from harness import evidence
from harness.processes import House, a_house
from harness.receiver import Receiver, receiving
from harness.waiting import eventually
from sayso.core.tokens import ASSISTANT_SCOPES

QUESTIONS = 40
KILLS = 4


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """A service that may call loopback."""
    async with a_house(tmp_path) as everything:
        everything.service.settings["SAYSO_ENDPOINTS_ALLOW"] = "127.0.0.1"
        await everything.start()
        yield everything


async def ask(house: House, number: int) -> None:
    """A question to somebody of their own; whatever the service is just doing."""
    question = {
        "action_type": "calendar_create",
        "action_description": f"meeting {number}",
        "action_details": "tomorrow",
        "recipient": f"+1555000{number:04}",
    }
    await house.api.call(
        "POST", "/confirmation", json=question, headers={"Idempotency-Key": f"question-{number}"}
    )


def first_times(receiver: Receiver, subject: str) -> list[str]:
    """The types of what was told of a subject, in the order in which each came first."""
    return list(dict.fromkeys(body["type"] for body in receiver.bodies if body["subject"] == subject))


async def test_every_event_arrives_whatever_is_killed_when(house: House) -> None:
    seed = random.Random().randrange(10**6)
    dice = random.Random(seed)

    async def slowly(_request: web.Request) -> web.StreamResponse:
        await asyncio.sleep(dice.uniform(0, 0.05))
        return web.Response(status=500 if dice.random() < 0.1 else 204)

    async with receiving() as receiver:
        owner = house.api.as_(scopes=(*ASSISTANT_SCOPES, "endpoints:write"))
        _, endpoint = await owner.call(
            "POST", "/endpoints", json={"url": receiver.url(), "types": ["confirmation.*"]}
        )
        receiver.answer = slowly
        for number in range(QUESTIONS):
            await ask(house, number)
        await evidence.time_is_up(house.dsn)
        for _ in range(KILLS):
            enough = len(receiver.requests) + dice.randrange(1, 8)
            await eventually(partial(_more, house, receiver, enough), "deliveries")
            await house.kill()
            await house.service.start(ready="/readyz")
        await eventually(lambda: _all_delivered(house), "every event being delivered", within=120)
        told = await house.rows(
            "SELECT id, subject, type FROM events WHERE type LIKE 'confirmation.%' ORDER BY tx, id"
        )
        judge(receiver, told, endpoint["secret"], seed)


def judge(receiver: Receiver, told: list[dict[str, Any]], secret: str, seed: int) -> None:
    """Every event came, signed; the copies of one are the same; and what concerns one subject came in order."""
    came = [body["id"] for body in receiver.verified(secret) if body["type"] != "endpoint.verify"]
    assert set(came) == {row["id"] for row in told}, seed
    assert len(told) == 2 * QUESTIONS
    bodies = sorted((named["webhook-id"], body) for _, named, body in receiver.requests)
    for event_id, copies in groupby(bodies, key=lambda each: each[0]):
        assert len({body for _, body in copies}) == 1, (event_id, seed)
    for subject in {row["subject"] for row in told}:
        assert first_times(receiver, subject) == ["confirmation.asked", "confirmation.decided"], seed


async def _more(house: House, receiver: Receiver, than: int) -> bool:
    """Whether so much has come, or there is nothing more to come."""
    return len(receiver.requests) >= than or await _all_delivered(house)


async def _all_delivered(house: House) -> bool:
    """Whether nothing waits any more; what waits for its next attempt need not wait."""
    await house.rows(
        "UPDATE deliveries SET work_at = now() WHERE work = 'waiting' AND work_at < 'infinity' RETURNING 1"
    )
    (row,) = await house.rows(
        "SELECT (SELECT count(*) FROM confirmations WHERE status = 'pending') AS pending, "
        "count(*) FILTER (WHERE state <> 'delivered') AS open, count(*) AS n FROM deliveries"
    )
    return (row["pending"], row["open"], row["n"]) == (0, 0, 2 * QUESTIONS)


def test_a_delivery_that_was_lost_or_overtaken_would_be_noticed() -> None:
    receiver = Receiver()
    secret = "whsec_" + "A" * 32

    def came(*events: tuple[str, str, str]) -> Receiver:
        receiver.requests.clear()
        for event_id, subject, kind in events:
            body = f'{{"id":"{event_id}","subject":"{subject}","type":"{kind}"}}'
            now = datetime.now(UTC)
            named = {
                "webhook-id": event_id,
                "webhook-timestamp": str(int(now.timestamp())),
                "webhook-signature": Webhook(secret).sign(event_id, now, body),
            }
            receiver.requests.append(("/", named, body.encode()))
        return receiver

    asked, decided = ("e1", "c", "confirmation.asked"), ("e2", "c", "confirmation.decided")
    assert first_times(came(asked, asked, decided, asked), "c") == [asked[2], decided[2]]
    assert first_times(came(decided, asked), "c") != [asked[2], decided[2]]
    with pytest.raises(AssertionError):
        judge(came(asked), [{"id": "e1", "subject": "c"}, {"id": "e2", "subject": "c"}], secret, 0)
