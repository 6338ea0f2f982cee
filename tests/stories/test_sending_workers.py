"""Four processes share the budget of one sender, and answers overtake the rest. How near the limit: `bench/`."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from harness.processes import House, a_house, service
from harness.waiting import eventually
from harness.world import BEN, MEI, free_port

LIMIT = 80
PEOPLE, EACH = 60, 10
BACKLOG = PEOPLE * EACH
#: Answers go first: before them only what was claimed with them, and what is the oldest.
AT_THE_HEAD = 20


@pytest.fixture
async def four(dsn: str, tmp_path: Path) -> AsyncIterator[House]:
    """Four services on one database, and Meta, which counts what they send together."""
    async with a_house(tmp_path, database_url=dsn, rates=True) as house:
        direct = house.phone.url  # nobody in between: what comes late would come close to what follows
        house.service.settings["WHATSAPP_BASE_URL"] = direct
        house.others += [service(free_port(), house.data, direct, DATABASE_URL=dsn) for _ in range(3)]
        await house.start()
        await asyncio.gather(*(other.start(ready="/readyz") for other in house.others))
        yield house


async def backlog(house: House) -> None:
    """Queue 600 messages to 60 people who have just written, while the sender is on hold."""
    people = [f"+1555043{number:04}" for number in range(PEOPLE)]
    for person in [*people, BEN, MEI]:
        await house.phone.says(person, "hello")
    heard = "SELECT 1 FROM conversations WHERE last_inbound_at IS NOT NULL"

    async def all_heard() -> bool:
        return len(await house.rows(heard)) == PEOPLE + 2

    await eventually(all_heard, "everybody being heard")
    await house.rows(
        "UPDATE senders SET hold_until = now() + interval '1 hour', hold_why = 'a test' RETURNING id"
    )

    async def send(person: str) -> None:
        for number in range(EACH):
            body = {"recipient": person, "content": f"line {number}"}
            status, answer = await house.api.call("POST", "/send", json=body)
            assert status == 202, answer

    for some in range(0, PEOPLE, 10):
        await asyncio.gather(*(send(person) for person in people[some : some + 10]))


async def test_four_processes_keep_to_one_limit_and_answers_overtake(four: House) -> None:
    house = four
    await backlog(house)
    assert len(await house.rows("SELECT id FROM workers")) == 4
    asked = await house.api.ask("buy the blue bicycle", recipient=BEN)
    await house.phone.says(MEI, "STOP")
    farewell = "SELECT id FROM messages WHERE purpose = 'consent'"
    await eventually(lambda: house.rows(farewell), "the answer to STOP being queued")
    await house.rows("UPDATE senders SET hold_until = NULL, hold_why = NULL RETURNING id")

    async def all_gone() -> bool:
        gone = "SELECT count(*) AS n FROM messages WHERE state IN ('queued', 'sending')"
        return bool((await house.rows(gone))[0]["n"] == 0)

    await eventually(all_gone, "the backlog being gone", within=120)
    messages = sorted(await house.phone.messages(), key=lambda message: message["accepted_at"])
    accepted = [message["accepted_at"] for message in messages]
    assert len(accepted) == BACKLOG + 2
    assert accepted[-1] - accepted[0] >= (len(accepted) - 1 - LIMIT) / LIMIT, "faster than one sender may be"
    refused = await house.rows("SELECT reason FROM message_timeline WHERE detail->>'code' = '130429'")
    assert len(refused) < BACKLOG // 10, (
        "unpaced, Meta refuses the most; what late processes let meet, hardly any"
    )
    answers = [place for place, message in enumerate(messages) if message["to"] in (BEN, MEI)]
    assert len(answers) == 2
    assert max(answers) < AT_THE_HEAD, "a question or an answer waited behind the backlog"
    assert (await house.api.message(asked["message_id"]))["attempts"] >= 1
    twice = Counter((message["to"], message["shown"]) for message in messages)
    assert set(twice.values()) == {1}
