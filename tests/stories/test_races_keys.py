"""An agent repeats its calls at four processes at once, with the same keys: one question, message and answer each."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from harness.history import violations
from harness.kept import Keyed
from harness.processes import House, a_house, service
from harness.service import Api
from harness.world import free_port

KEYS = 50


@pytest.fixture
async def four(dsn: str, tmp_path: Path) -> AsyncIterator[House]:
    """Four services on one database."""
    async with a_house(tmp_path, database_url=dsn) as house:
        house.others += [service(free_port(), house.data, house.wire.url, DATABASE_URL=dsn) for _ in range(3)]
        await house.start()
        await asyncio.gather(*(other.start(ready="/readyz") for other in house.others))
        yield house


async def _ask(api: Api, number: int, *, key: str | None = None, **besides: str) -> Keyed:
    key, said = key or f"agent-{number}", {
        "action_type": "calendar_create",
        "action_description": f"do what number {number} is about",
        "action_details": "tomorrow",
        "timeout_minutes": 30,
        "recipient": f"+1555{number:07}",
        **besides,
    }  # fmt: skip
    status, answer = await api.call("POST", "/confirmation", json=said, headers={"Idempotency-Key": key})
    return Keyed(key, said, status, answer)


async def test_the_same_keys_at_four_processes_ask_once_each(four: House) -> None:
    urls = [four.api.url, *(other.url for other in four.others)]
    apis = [replace(four.api, url=url) for url in urls]
    named: list[dict[str, str]] = [{"dedupe_key": f"order-{n}"} if n % 2 else {} for n in range(KEYS)]
    keyed = await asyncio.gather(*(_ask(api, n, **named[n]) for n in range(KEYS) for api in apis))
    assert Counter(each.status for each in keyed) == {202: KEYS * len(apis)}
    await four.at_rest(within=120)
    assert violations(replace(await four.history(), keyed=keyed)) == []
    confirmations = await four.rows("SELECT id FROM confirmations")
    assert {row["id"] for row in confirmations} == {each.answer["id"] for each in keyed}
    assert len(confirmations) == KEYS
    reached = Counter(message["to"] for message in await four.phone.messages())
    assert reached == {f"+1555{number:07}": 1 for number in range(KEYS)}


async def test_another_body_under_a_key_is_refused_and_of_one_dedupe_key_one_is_asked_by_all_processes(
    four: House,
) -> None:
    first = await _ask(four.api, 1)
    for other in four.others:
        said = {**first.said, "action_details": "today"}
        status, body = await replace(four.api, url=other.url).call(
            "POST", "/confirmation", json=said, headers={"Idempotency-Key": first.key}
        )
        assert (status, body["code"]) == (422, "idempotency_mismatch"), body
    apis = [four.api, *(replace(four.api, url=other.url) for other in four.others)]
    tries = [
        _ask(api, 2, key=f"try-{turn}-{place}", dedupe_key="order-17", action_details=f"details {place}")
        for turn in range(3)
        for place, api in enumerate(apis)
    ]
    keyed = await asyncio.gather(*tries)
    assert Counter(each.status for each in keyed) == {202: 1, 200: len(tries) - 1}
    assert len({each.answer["id"] for each in keyed}) == 1
    await four.keeps_its_promises()
    reached = Counter(message["to"] for message in await four.phone.messages())
    assert reached == {f"+1555{number:07}": 1 for number in (1, 2)}
