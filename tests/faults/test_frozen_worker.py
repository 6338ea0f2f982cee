"""A worker frozen beyond its lease: its rows are handed on, its late results are fenced, nothing is posted twice."""

import hmac
import signal
import time
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from harness import evidence
from harness.processes import House, Process, a_house, service
from harness.service import Api
from harness.waiting import eventually
from harness.world import envelope, free_port, value

ALICE, BEN = "+15550001111", "+15550002222"


@pytest.fixture
async def two(dsn: str, tmp_path: Path) -> AsyncIterator[tuple[House, Process, Api]]:
    """Two services on one database: one that will be frozen, running, and the house's own, not yet."""
    async with a_house(tmp_path, database_url=dsn) as house:
        frozen = service(free_port(), house.data, house.wire.url, DATABASE_URL=dsn)
        house.others.append(frozen)
        await frozen.start(ready="/readyz")
        yield house, frozen, Api(frozen.url, house.api.session, house.api.bearer)


async def thawed(frozen: Process, api: Api) -> None:
    """Let it go on, and wait until it knows that it had been given up."""
    frozen.signal(signal.SIGCONT)

    async def ready() -> bool:
        async with api.session.get(f"{api.url}/readyz") as answer:
            return answer.status == 200

    await eventually(ready, "the frozen one being back", within=30)


async def test_a_post_of_a_frozen_worker_is_handed_on_as_unknown_and_never_made_again(
    two: tuple[House, Process, Api],
) -> None:
    house, frozen, frozen_api = two
    held = house.wire.hold("before", containing="buy the blue bicycle")
    asked = await frozen_api.ask("buy the blue bicycle", recipient=ALICE)
    await held.arrived()
    frozen.signal(signal.SIGSTOP)
    await house.start()

    async def given_up() -> bool:
        return bool((await house.api.message(asked["message_id"]))["state"] == "unknown")

    await eventually(given_up, "the frozen worker being given up", within=30)
    other = await house.api.ask("sell the red car", recipient=BEN)
    prompt = await house.phone.expect(to=BEN, containing="sell the red car")
    await house.phone.taps(BEN, prompt["wamid"], 1)
    assert (await house.api.outcome(other["id"]))["outcome"] == "declined"
    held.release()
    prompt = await house.phone.expect(to=ALICE, containing="blue bicycle")
    await house.phone.taps(ALICE, prompt["wamid"], 0)
    assert (await house.api.outcome(asked["id"]))["outcome"] == "confirmed"
    await thawed(frozen, frozen_api)
    await house.keeps_its_promises()
    assert len(house.wire.of(asked["message_id"])) == 1


async def test_a_reply_in_the_hands_of_a_frozen_worker_is_digested_by_another_once(
    two: tuple[House, Process, Api],
) -> None:
    house, frozen, frozen_api = two
    asked = await frozen_api.ask("buy the blue bicycle", recipient=ALICE)
    await house.phone.expect(to=ALICE, containing="blue bicycle")
    connection = await evidence.connect(house.dsn)
    async with connection.transaction():
        await connection.execute("SELECT 1 FROM confirmations FOR UPDATE")
        await said(frozen_api, "wamid.Y", "Y")
        in_hand = "SELECT 1 FROM updates WHERE key = 'm:wamid.Y' AND work = 'running'"
        await eventually(lambda: house.rows(in_hand), "the reply being in hand")
        frozen.signal(signal.SIGSTOP)
    await connection.close()
    await house.start()
    assert (await house.api.outcome(asked["id"], wait=40))["outcome"] == "confirmed"
    await thawed(frozen, frozen_api)
    await house.keeps_its_promises()
    assert len(await house.phone.messages(to=ALICE, containing="✅ Confirmed")) == 1


async def said(api: Api, wamid: str, text: str) -> None:
    """Bring a person's words to this very service, as Meta would."""
    now = str(int(time.time()) + 1)
    message = {
        "from": ALICE.lstrip("+"),
        "id": wamid,
        "timestamp": now,
        "type": "text",
        "text": {"body": text},
    }
    raw = msgspec.json.encode(envelope(value(messages=[message])))
    signature = "sha256=" + hmac.digest(b"sim-secret", raw, "sha256").hex()
    headers = {"Content-Type": "application/json", "X-Hub-Signature-256": signature}
    async with api.session.post(f"{api.url}/api/v1/whatsapp/webhook", data=raw, headers=headers) as answer:
        assert answer.status == 200
