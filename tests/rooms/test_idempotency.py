"""One key, one effect, one answer."""

import asyncio
from dataclasses import dataclass, field
from typing import Any

import pytest
from starlette.responses import Response

from harness.rooms import until_one_waits_for_a_lock
from sayso.core.database import Tx
from sayso.core.errors import IdempotencyMismatchError, InputInvalidError
from sayso.core.idempotency import once
from sayso.core.runtime import Runtime
from sayso.core.tokens import Actor

ALICE = Actor("bot", "alice", frozenset(), "j")


@dataclass
class Shop:
    """Something that is created, and how often it was."""

    rt: Runtime
    made: int = 0
    hold: asyncio.Event | None = None
    under_way: asyncio.Event = field(default_factory=asyncio.Event)
    failures: int = 0

    async def order(
        self, key: str | None, body: Any = "one", *, actor: Actor = ALICE, route: str = "POST /x"
    ) -> Response:
        """One call of a route."""
        return await once(
            self.rt, actor, route=route, key=key, body={"order": body}, status=202, create=self.create
        )

    async def create(self, tx: Tx) -> dict[str, int]:
        """Write a row of its own, so that an effect without an answer would be seen."""
        self.under_way.set()
        if self.hold:
            await self.hold.wait()
        if self.failures:
            self.failures -= 1
            raise InputInvalidError("no such thing")
        self.made += 1
        await tx.execute("INSERT INTO people (id, created_at) VALUES ($1, now())", f"per_{self.made}")
        return {"number": self.made}

    async def effects(self) -> int:
        """How many there are."""
        async with self.rt.db.one() as tx:
            return int(await tx.fetchval("SELECT count(*) FROM people"))


@pytest.fixture
def shop(rt: Runtime) -> Shop:
    """Nothing made yet."""
    return Shop(rt)


async def test_the_same_key_and_body_get_the_same_answer_and_no_second_effect(shop: Shop) -> None:
    first = await shop.order("k1")
    again = await shop.order("k1")
    assert (first.status_code, first.body) == (again.status_code, again.body) == (202, b'{"number":1}')
    assert "idempotency-replayed" not in first.headers
    assert again.headers["idempotency-replayed"] == "true"
    assert await shop.effects() == 1


async def test_a_key_may_come_bare_or_quoted(shop: Shop) -> None:
    first = await shop.order('"a-key"')
    assert (await shop.order("a-key")).body == first.body
    assert (await shop.order("  a-key ")).body == first.body
    assert await shop.effects() == 1


async def test_another_body_under_the_key_is_refused(shop: Shop) -> None:
    await shop.order("k1", "one")
    with pytest.raises(IdempotencyMismatchError):
        await shop.order("k1", "two")
    with pytest.raises(IdempotencyMismatchError):  # the same words for another person are another request
        await shop.order("k1", "one", actor=Actor("bot", "bob", frozenset(), "j"))
    assert await shop.effects() == 1


async def test_keys_of_other_assistants_and_other_routes_are_other_keys(shop: Shop) -> None:
    await shop.order("k1")
    await shop.order("k1", "two", actor=Actor("other", "alice", frozenset(), "j"))
    await shop.order("k1", "three", route="POST /y")
    assert await shop.effects() == 3


async def test_without_a_key_every_call_is_a_new_one(shop: Shop) -> None:
    assert (await shop.order(None)).body != (await shop.order(None)).body
    assert await shop.effects() == 2


async def test_a_refused_request_leaves_no_key_behind(shop: Shop) -> None:
    shop.failures = 1
    with pytest.raises(InputInvalidError):
        await shop.order("k1", "broken")
    assert (await shop.order("k1", "mended")).body == b'{"number":1}'


async def test_a_second_call_waits_for_the_first_and_gets_its_answer(shop: Shop) -> None:
    shop.hold = asyncio.Event()
    first = asyncio.create_task(shop.order("k1"))
    await shop.under_way.wait()
    second = asyncio.create_task(shop.order("k1"))
    await until_one_waits_for_a_lock(shop.rt)
    shop.hold.set()
    assert (await first).body == (await second).body
    assert await shop.effects() == 1


async def test_a_second_call_acts_itself_when_the_first_fails(shop: Shop) -> None:
    shop.hold, shop.failures = asyncio.Event(), 1
    first = asyncio.create_task(shop.order("k1"))
    await shop.under_way.wait()
    second = asyncio.create_task(shop.order("k1"))
    await until_one_waits_for_a_lock(shop.rt)
    shop.hold.set()
    with pytest.raises(InputInvalidError):
        await first
    assert (await second).body == b'{"number":1}'


async def test_twenty_at_once_have_one_effect(shop: Shop) -> None:
    answers = await asyncio.gather(*(shop.order("k1") for _ in range(20)))
    assert {answer.body for answer in answers} == {b'{"number":1}'}
    assert await shop.effects() == 1


@pytest.mark.parametrize("key", ["", " ", "a b", "é", "x" * 256, "a\nb", '"', "\x00", '""'])
async def test_what_is_no_key_is_refused(shop: Shop, key: str) -> None:
    if key == '"':
        await shop.order(key)  # one quotation mark is an odd key, but one
        return
    with pytest.raises(InputInvalidError, match="Idempotency-Key"):
        await shop.order(key)
    assert await shop.effects() == 0
